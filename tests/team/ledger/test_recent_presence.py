"""Who was where in the last four weeks: counted by day, and never zero where it is not known."""

import dataclasses
import datetime as dt

import pytest

from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.monthly_return import (
    PRESENCE_WEEKS,
    load_recent_presence,
    read_recent_presence,
)

NEXT = dt.date(2026, 12, 28)
DAY = dt.timedelta(days=1)


@pytest.fixture
def made(due, visit):
    """A visit of a hotspot."""
    return visit(next(row for row, one in enumerate(due) if one["kind"] == "hotspot"), 15)


def test_days_are_counted_once_by_hotspot(ledger, plan, made):
    """Two visits to a hotspot on a day are one day; visits elsewhere are no day there."""
    first, spots = made, list(plan.hotspots["hotspot"])
    later = dataclasses.replace(first, date=first.date + 7 * DAY)
    again = dataclasses.replace(first, officer="SSO-12", urn="900012")
    ledger.record([first, again, later])
    found = read_recent_presence(ledger, NEXT, plan.hotspots)
    assert set(found.days) <= set(spots)
    assert found.find_days(spots) == {first.date, later.date}
    assert found.find_days([]) == frozenset()
    assert found.weeks == 2


@pytest.mark.parametrize(
    ("days", "weeks"),
    [(-1, None), (0, None), (1, 1), (7 * PRESENCE_WEEKS, 1), (7 * PRESENCE_WEEKS + 1, None)],
)
def test_the_weeks_end_on_the_day_before(ledger, plan, visit, days, weeks):
    """They are the 28 days before the week; of what lies outside nothing is known."""
    ledger.record([dataclasses.replace(visit(0, 15), date=NEXT - days * DAY)])
    found = read_recent_presence(ledger, NEXT, plan.hotspots)
    assert (found if found is None else found.weeks) == weeks


def _move(area, folder):
    """The area as if its settings lay in another folder."""
    settings = area.settings.model_copy()
    settings._folder = folder
    return dataclasses.replace(area, settings=settings)


def test_the_settings_ledger_is_read(demo_area, plan, made, tmp_path):
    """Where the settings name a ledger, its visits are those that papers know of."""
    area = _move(demo_area, tmp_path)
    with open_ledger(area.settings) as opened:
        opened.record([made])
    found = load_recent_presence(area, plan.hotspots, NEXT)
    assert found.find_days(plan.hotspots["hotspot"]) == {made.date}
    assert len(list(tmp_path.iterdir())) == 1
