"""A week under a trial."""

import datetime as dt
from dataclasses import replace

import pytest
import shapely
from trial_cases import PATH, SECRET

import patrolplan as pp
from patrolplan.team.ledger.promised import build_promised_week
from patrolplan.team.trial.delivery import AT_HOTSPOT_METRES
from patrolplan.team.trial.trial_week import draw_trial_week, mark_trial_week, plan_trial_days
from patrolplan.team.week import list_school_days
from patrolplan.team.week_file import build_week_document

DAYS = list_school_days(dt.date(2026, 7, 6))


@pytest.fixture(scope="module")
def drawn(by_pairs, demo_area):
    """What the trial of pairs draws for a week: the same on all its days."""
    return draw_trial_week(PATH, by_pairs[0], demo_area, SECRET, DAYS)


@pytest.fixture(scope="module")
def plans(by_pairs, demo_area, found, drawn):
    """Plans under the trial."""

    def plan_days(some, days):
        return dict.fromkeys(days, pp.plan_patrols(demo_area, found[0], some))

    return plan_trial_days(demo_area, found[1], DAYS, by_pairs[0], drawn, plan_days)


@pytest.fixture(scope="module")
def week(by_pairs, demo_area, plans, drawn):
    """A week under the trial."""
    return mark_trial_week(pp.plan_week(demo_area, plans, start=DAYS[0]), by_pairs[0], drawn)


def _list_near(week, trial, drawn, *, treated):
    """Stops at hotspots of one arm."""
    stretches = {
        one.hotspot: one.build_stretch(week.plan.area.projection) for one in trial.seal.hotspots
    }
    return [
        (duty.date, cell.hotspot)
        for duty in week.duties
        for stop in duty.patrol.stops
        for cell in drawn.drawn
        if cell.date == duty.date and cell.treated == treated
        and stretches[cell.hotspot].distance(shapely.Point(stop.x, stop.y)) <= AT_HOTSPOT_METRES
    ]  # fmt: skip


def test_no_patrol_stops_where_none_is_drawn(week, by_pairs, drawn):
    """Hotspots without patrols have none on any day; of those with patrols some have."""
    assert not _list_near(week, by_pairs[0], drawn, treated=False)
    assert _list_near(week, by_pairs[0], drawn, treated=True)
    assert [note.kind for note in week.notes if note.kind.startswith("trial")] == ["trial_week"]


def test_all_hotspots_are_weighed_again(plans, found):
    """The plans of a trial name all hotspots, and what they share of the risk."""
    for plan in plans.values():
        assert list(plan.hotspots["hotspot"]) == list(found[1]["hotspot"])
        assert (plan.hotspots["worth"] == found[1]["worth"]).all()


def test_days_with_the_same_draw_are_planned_together(by_days, demo_area, found):
    """Each day is planned once, and with the hotspots that have patrols or are in no trial."""
    trial = by_days[0]
    drawn = draw_trial_week(PATH, trial, demo_area, SECRET, DAYS)
    base = pp.plan_patrols(demo_area, found[0], found[1])
    seen = []

    def plan_days(some, days):
        seen.append((set(some["hotspot"]), tuple(days)))
        return dict.fromkeys(days, base)

    plans = plan_trial_days(demo_area, found[1], DAYS, trial, drawn, plan_days)
    assert list(plans) == list(DAYS)
    assert sorted(day for _, days in seen for day in days) == sorted(DAYS)
    names = set(found[1]["hotspot"])
    for hotspots, days in seen:
        for day in days:
            none = {c.hotspot for c in drawn.drawn if c.date == day and not c.treated}
            some = {c.hotspot for c in drawn.drawn if c.date == day and c.treated}
            assert not hotspots & none & names
            assert some & names <= hotspots


def test_a_tasked_stop_comes_before_the_trial_and_is_noted(week, by_pairs, drawn):
    """A patrol that stops where none is drawn is named in a note."""
    trial = by_pairs[0]
    duty = next(one for one in week.duties if one.patrol.stops)
    none = next(c for c in drawn.drawn if c.date == duty.date and not c.treated)
    stretch = next(
        one.build_stretch(week.plan.area.projection)
        for one in trial.seal.hotspots
        if one.hotspot == none.hotspot
    )
    x, y = shapely.get_coordinates(stretch)[0]
    first, *others = duty.patrol.stops
    patrol = replace(duty.patrol, stops=(replace(first, point=(float(x), float(y))), *others))
    changed = replace(
        week, duties=tuple(replace(d, patrol=patrol) if d is duty else d for d in week.duties)
    )
    marked = mark_trial_week(changed, trial, drawn)
    (note,) = [note for note in marked.notes if note.kind == "trial_overridden"]
    assert note.values["places"] == [f"{none.hotspot} on {duty.date}"]


def test_a_week_keeps_its_trial_in_its_file(week, drawn):
    """What was drawn stands in the week's file, and is handed out to the ledger with it."""
    document = build_week_document(week)
    assert document["trial"]["commitment"] == drawn.commitment
    assert len(document["trial"]["drawn"]) == len(drawn.drawn)
    promised = build_promised_week(week)
    assert len(promised.assignments) == len(drawn.drawn)
    assert {row["treated"] for row in promised.assignments} == {True, False}
    assert "trial" not in build_week_document(replace(week, trial=None))


def test_another_week_is_not_drawn(by_days, demo_area):
    """Days are drawn when their week is planned: nothing of other weeks is in what is drawn."""
    drawn = draw_trial_week(PATH, by_days[0], demo_area, SECRET, DAYS)
    assert {cell.date for cell in drawn.drawn} == set(DAYS)
    shorter = draw_trial_week(PATH, by_days[0], demo_area, SECRET, DAYS[:2])
    assert shorter.drawn == tuple(cell for cell in drawn.drawn if cell.date in DAYS[:2])


def test_a_week_outside_the_trial_is_refused(by_days, demo_area):
    """A week of which no day is one of the trial's is planned without it."""
    days = list_school_days(dt.date(2026, 8, 10))
    with pytest.raises(pp.InputError, match="no day from 2026-08-10 to 2026-08-14 is a school day"):
        draw_trial_week(PATH, by_days[0], demo_area, SECRET, days)
