"""Suggestions for a gap: each fills it, none breaks a rule, the best comes first."""

import datetime as dt

import pytest
from team import checker

from patrolplan.team.repair import MAX_CARDS_OUT, Gap, suggest_swaps
from patrolplan.team.week_editor import InvalidEditError, WeekEditor

MONDAY = dt.date(2026, 11, 30)


@pytest.fixture(scope="module")
def editor(week, demo_area, plan):
    """What it may become by hand."""
    return WeekEditor.from_week(week, demo_area, plan)


def test_every_suggestion_fills_the_gap(week, editor, demo_area):
    """A school's free day gets a patrol, and no more than two cards are withdrawn."""
    filled = 0
    for gap in week.unmet[::4]:
        found = suggest_swaps(editor, week, Gap(urn=gap.urn, date=gap.date))
        assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
        for one in found:
            assert any((d.urn, d.date) == (gap.urn, gap.date) for d in one.week.duties)
            withdrawn = [change for change in one.changes if change.kind == "withdrawn"]
            assert len(withdrawn) <= MAX_CARDS_OUT
            assert one.gain == pytest.approx(one.week.worth - week.worth)
            assert checker.find_broken_duties(one.week, demo_area) == []
            filled += 1
        assert len({tuple(map(str, one.changes)) for one in found}) == len(found)
    assert filled


def test_a_place_can_be_a_gap(week, editor):
    """A hotspot is visited on the day that was asked for."""
    visited = {
        (name, duty.date)
        for duty in week.duties
        for stop in duty.patrol.stops
        for name in stop.covered
    }
    places = sorted({name for name, _ in visited})
    place, day = next((p, day) for p in places for day in week.days if (p, day) not in visited)
    for one in suggest_swaps(editor, week, Gap(place=place, date=day)):
        assert any(
            place in stop.covered
            for duty in one.week.duties
            if duty.date == day
            for stop in duty.patrol.stops
        )


@pytest.mark.parametrize(
    "gap", [Gap(urn="no such"), Gap(place="no such"), Gap(date=dt.date(2020, 1, 6))]
)
def test_a_gap_that_the_week_does_not_have_is_refused(week, editor, gap):
    """Unknown schools, places and days are named."""
    with pytest.raises(InvalidEditError):
        suggest_swaps(editor, week, gap)
