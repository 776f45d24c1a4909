"""Patrol windows: from the bell, by name, at short notice."""

from datetime import time

import pytest

from patrolplan.errors import InputError
from patrolplan.patrols.windows import Window, resolve_window
from patrolplan.settings.models import PatrolSettings, PatrolWindow

SETTINGS = PatrolSettings(
    window_minutes=75,
    windows={"early": PatrolWindow.model_validate({"from": "07:45", "to": "08:45"})},
)


def test_the_default_window_starts_at_each_bell():
    """Without a wish it is the settings' minutes from each school's bell."""
    assert resolve_window(SETTINGS) == Window(75)


def test_a_named_window_has_its_own_start_and_length():
    """A named window runs from its start to its end."""
    assert resolve_window(SETTINGS, name="early") == Window(60, 465, "early")


def test_short_notice_overrides_start_and_length():
    """A start and a length at short notice are taken as they are."""
    assert resolve_window(SETTINGS, start=time(15, 40), minutes=40) == Window(40, 940)


def test_minutes_shorten_a_named_window_but_never_lengthen_it():
    """A named window may be cut short, and ends no later than it says."""
    assert resolve_window(SETTINGS, name="early", minutes=30).minutes == 30
    assert resolve_window(SETTINGS, name="early", minutes=300).minutes == 60


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"name": "late"}, "there is no window 'late' (known: early)"),
        ({"name": "early", "start": time(15, 0)}, "give one of them"),
        ({"minutes": 0}, "0 is no length"),
    ],
)
def test_impossible_wishes_say_what_to_do(wish, told):
    """A window that cannot be is an error that names the wish and the remedy."""
    with pytest.raises(InputError) as error:
        resolve_window(SETTINGS, **wish)
    assert told in str(error.value)
