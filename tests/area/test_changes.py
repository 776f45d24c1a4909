"""The same area under other settings, or with another gate."""

from dataclasses import replace

import numpy as np
import pytest

import patrolplan as pp


def test_only_what_is_named_changes(demo_area):
    """The other settings, and everything that was read, stay as they are."""
    changed = pp.with_settings(
        demo_area, patrol={"dwell_minutes": 20}, hotspots={"method": "dbscan"}
    )
    assert changed.settings.patrol.dwell_minutes == 20
    assert changed.settings.hotspots.method == "dbscan"
    assert changed.settings.patrol.gate_minutes == demo_area.settings.patrol.gate_minutes
    assert changed.incidents is demo_area.incidents
    assert changed.settings.folder == demo_area.settings.folder


def test_without_a_change_the_settings_are_equal(demo_area):
    """Nothing is lost on the way through the check."""
    assert pp.with_settings(demo_area).settings == demo_area.settings


def test_wrong_values_are_told_like_those_of_a_file(demo_area):
    """The key, the value and the remedy are named."""
    with pytest.raises(pp.SettingsError, match=r"patrol\.dwell_minutes"):
        pp.with_settings(demo_area, patrol={"dwell_minutes": -1})


def test_what_decides_what_is_read_is_refused(demo_area):
    """Sources and categories need the files again."""
    with pytest.raises(pp.InputError, match="load again"):
        pp.with_settings(demo_area, sources={"crimes": "other.csv"})


def test_a_gate_moves_to_the_nearest_street(demo_area):
    """Only that school's patrols start elsewhere, and the place counts as known."""
    row = int(np.flatnonzero(demo_area.schools["gate_assumed"])[0])
    urn = demo_area.schools["urn"][row]
    target = demo_area.network.node_xy[100]
    x, y = demo_area.projection.to_degrees(*target[:, None])
    moved = pp.with_gate(demo_area, urn, float(x[0]), float(y[0]))
    where = moved.network.xy(moved.gates)
    assert np.hypot(*(where[row] - target)) < 1
    others = np.arange(len(where)) != row
    assert np.array_equal(where[others], demo_area.network.xy(demo_area.gates)[others])
    assert not moved.schools["gate_assumed"][row]
    assert (
        np.hypot(
            moved.schools.geometry[row].x - target[0], moved.schools.geometry[row].y - target[1]
        )
        < 1
    )


def test_a_gate_far_from_every_street_is_refused(demo_area):
    """So is a school that is not there."""
    with pytest.raises(pp.InputError, match="no walkable street within 250 m"):
        pp.with_gate(demo_area, "900001", 0.0, 51.0)
    with pytest.raises(pp.InputError, match="choose from: 900001"):
        pp.with_gate(demo_area, "1", 0.87, 51.53)


def test_what_cannot_change_is_not_touched(demo_area):
    """A ledger's password is masked on the way through the check, and must stay."""
    url = "postgresql://lead:s3cr3t@host/doses"
    settings = demo_area.settings
    ledger = settings.ledger.model_copy(update={"url": url})
    area = replace(demo_area, settings=settings.model_copy(update={"ledger": ledger}))
    changed = pp.with_settings(area, seed=5).settings
    assert (changed.seed, changed.ledger.url, changed.file) == (5, url, settings.file)
