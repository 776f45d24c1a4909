"""A check whose bound is passed stops a command, or is accepted for a written reason."""

import pytest

from patrolplan.errors import Problem
from patrolplan.plausibility import ALLOWED_ROWS, Alarm, Alarms, exceeds_bound


@pytest.mark.parametrize(
    ("count", "total", "share", "passed"),
    [
        (ALLOWED_ROWS, 11, 0.01, False),
        (ALLOWED_ROWS + 1, 11, 0.01, True),
        (100, 10_000, 0.01, False),
        (101, 10_000, 0.01, True),
        (101, 10_000, 0.5, False),
    ],
)
def test_a_bound_allows_a_few_rows_and_a_share(count, total, share, passed):
    """A number of rows, or a share of all, may be wrong; more are not typing errors."""
    assert exceeds_bound(count, total, share) is passed


def test_an_alarm_is_a_problem_that_says_how_to_accept_it():
    """The problem has the remedy, and the line that accepts the check in the settings."""
    alarms = Alarms()
    alarms.add("no_hours", "officers.csv", "none has hours", "write hours", "row 2")
    (problem,) = alarms.take_problems()
    remedy = 'write hours, or accept it under [accept] with no_hours = "why"'
    assert problem == Problem("officers.csv", "none has hours", remedy, "row 2")
    assert alarms.list_alarms() == ()
    assert alarms.take_problems() == []


def test_an_accepted_alarm_has_its_reason_and_no_folder():
    """An accepted check is no problem; its message is the same on every machine."""
    alarms = Alarms({"no_hours": "they come on Monday"})
    alarms.add("no_hours", "/home/me/officers.csv", "none has hours", "write hours", "row 2")
    assert alarms.take_problems() == []
    message = "officers.csv, row 2: none has hours"
    assert alarms.list_alarms() == (Alarm("no_hours", message, "they come on Monday"),)
