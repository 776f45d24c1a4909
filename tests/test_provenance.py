"""What a result was made from is told by inputs, seed, version and settings that are not usual."""

import pytest

from patrolplan.provenance import compute_provenance
from patrolplan.settings import Settings

BASIS = {"area": {"name": "A"}, "sources": {"crimes": "c", "schools": "s", "streets": "r"}}


class LaterSettings(Settings):
    """The settings of a later version, with a new key."""

    zaphod: int = 2


def test_a_new_key_at_its_default_changes_no_id():
    """Settings with a key more, or with one written as it is by default, have the same digest."""
    now = compute_provenance(Settings.model_validate(BASIS), {})
    assert compute_provenance(LaterSettings.model_validate(BASIS), {}) == now
    written = BASIS | {"patrol": {"gate_minutes": 10}}
    assert compute_provenance(Settings.model_validate(written), {}) == now
    later = LaterSettings.model_validate(BASIS | {"zaphod": 3})
    assert compute_provenance(later, {})["settings"] != now["settings"]


@pytest.mark.parametrize(
    "change", [{"patrol": {"gate_minutes": 11}}, {"risk": {"crime_weight": 0.6}}, {"seed": 2}]
)
def test_a_changed_setting_changes_the_id(change):
    """Whatever may change a plan is in its provenance."""
    now = compute_provenance(Settings.model_validate(BASIS), {})
    assert compute_provenance(Settings.model_validate(BASIS | change), {}) != now


def test_places_of_ledger_and_secret_are_no_part():
    """Where a ledger lies, or the team's secret, changes no plan and no ID."""
    other = BASIS | {"week": {"secret": "else"}, "ledger": {"url": "sqlite:///x.db"}}
    now = compute_provenance(Settings.model_validate(BASIS), {})
    assert compute_provenance(Settings.model_validate(other), {}) == now
