"""The demo borough's week: its promises, reasons, locks and bans."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest
from team import checker

import patrolplan as pp
from patrolplan.notes import list_texts
from patrolplan.team.free_time import find_open_days
from patrolplan.team.rota import plan_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week_records import Ban, Lock

MONDAY = dt.date(2026, 11, 30)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + dt.timedelta(days=n) for n in range(1, 5))


def _with_officers(area, **changes):
    """The area with one officer's row changed: officer=..., and columns."""
    officers = area.officers.copy()
    row = officers.index[officers["officer"] == changes.pop("officer")][0]
    for column, value in changes.items():
        officers[column] = [*officers[column][:row], value, *officers[column][row + 1 :]]
    return replace(area, officers=officers)


def _why(week, urn, date):
    return next(gap.why for gap in week.unmet if (gap.urn, gap.date) == (urn, date))


def test_the_demo_week_is_as_good_as_proven_best_and_keeps_every_promise(week, demo_area):
    """Officers are on duty from base to the end, at their own open schools, never twice a day."""
    assert week.gap_percent < 0.01
    assert checker.find_broken_duties(week, demo_area) == []
    days = [(duty.officer, duty.date) for duty in week.duties]
    assert len(set(days)) == len(days)
    most = demo_area.officers.set_index("officer")["max_patrols_per_week"]
    for officer, count in pd.Series([duty.officer for duty in week.duties]).value_counts().items():
        assert count <= most[officer]
    assert {duty.urn for duty in week.duties} == set(demo_area.schools["urn"])
    assert week.short == ()


def test_every_school_day_is_either_patrolled_or_explained(week, demo_area):
    """Duties and reasons together cover every school on every day once."""
    there = [(duty.urn, duty.date) for duty in week.duties]
    there += [(gap.urn, gap.date) for gap in week.unmet]
    assert sorted(there) == sorted((u, d) for u in demo_area.schools["urn"] for d in week.days)


@pytest.mark.slow
def test_reasons_are_exact(demo_area, plan, week):
    """Off, elsewhere, at the maximum, closed, hours too short, nobody: each has its sentence."""
    why = "SSO-03 is off duty, no other officer covers this school"
    assert _why(week, "900002", WEDNESDAY) == why
    served = {(duty.officer, duty.date): duty.urn for duty in week.duties}
    count = pd.Series([duty.officer for duty in week.duties]).value_counts()
    for gap in week.unmet:
        if gap.urn == "900001":
            elsewhere = served.get(("SSO-01", gap.date))
            reason = (
                f"SSO-01 patrols URN {elsewhere} that day" if elsewhere else "SSO-01 has reached"
            )
            assert gap.why.startswith(reason)
    assert count["SSO-01"] == 4
    closing = plan_week(demo_area, plan, start=dt.date(2026, 11, 23))
    assert _why(closing, "900004", dt.date(2026, 11, 27)) == "school closed (term dates)"
    short = _with_officers(demo_area, officer="SSO-02", wed="14:00-16:00")
    found = _why(plan_week(short, plan, start=MONDAY), "900007", WEDNESDAY)
    assert found.startswith("no patrol fits SSO-02's hours 14:00-16:00: the first needs ")
    late = _with_officers(demo_area, officer="SSO-02", wed="15:08-18:00")
    found = _why(plan_week(late, plan, start=MONDAY), "900007", WEDNESDAY)
    assert "no patrol fits SSO-02's hours 15:08-18:00: the first needs " in found
    alone = _with_officers(demo_area, officer="SSO-02", school_urns=[])
    assert _why(plan_week(alone, plan, start=MONDAY), "900007", MONDAY).startswith("no officer")


@pytest.mark.slow
def test_locks_and_bans_are_respected(demo_area, plan):
    """What is set by hand is in the week, what is ruled out is not, also a lent officer."""
    locks = (
        Lock("SSO-01", "900006", FRIDAY, 3),
        Lock("SSO-02", "900007", THURSDAY),
        Lock("SSO-07", "900001", WEDNESDAY),
    )
    bans = (Ban(officer="SSO-03", date=MONDAY), Ban(urn="900005", variant=0), Ban(urn="900012"))
    week = plan_week(demo_area, plan, start=MONDAY, locks=locks, bans=bans)
    held = {(duty.officer, duty.urn, duty.date): duty.variant for duty in week.duties}
    assert held["SSO-01", "900006", FRIDAY] == 3
    assert ("SSO-02", "900007", THURSDAY) in held
    assert ("SSO-07", "900001", WEDNESDAY) in held
    assert any("SSO-07 is lent to URN 900001" in note for note in list_texts(week.notes))
    assert not any(o == "SSO-03" and d == MONDAY for o, _, d in held)
    assert not any(u == "900012" for _, u, _ in held)
    assert not any(u == "900005" and v == 0 for (_, u, _), v in held.items())
    assert "SSO-03 is ruled out by a ban" in _why(week, "900002", MONDAY)


@pytest.mark.parametrize(
    ("locks", "message"),
    [
        ([Lock("SSO-03", "900002", WEDNESDAY)], "SSO-03 is off"),
        ([Lock("SSO-99", "900002", WEDNESDAY)], "there is no officer 'SSO-99'"),
        ([Lock("SSO-03", "1", TUESDAY)], "there is no urn '1'"),
        ([Lock("SSO-03", "900002", MONDAY, 99)], "there is no variant '99'"),
        ([Lock("SSO-03", "900002", dt.date(2026, 12, 8))], "there is no date '2026-12-08'"),
        ([Lock("SSO-01", urn, MONDAY) for urn in ("900001", "900006")], "all be fulfilled"),
        (
            [Lock("SSO-07", "900008", day) for day in (MONDAY, TUESDAY, WEDNESDAY, FRIDAY)],
            "all be fulfilled",
        ),
    ],
)
def test_locks_that_cannot_be_are_refused_with_the_reason(demo_area, plan, locks, message):
    """A lock that nobody could fulfil is an error that says why."""
    with pytest.raises(pp.InputError, match=message):
        plan_week(demo_area, plan, start=MONDAY, locks=locks)


def test_doses_already_delivered_change_the_week(demo_area, plan, week):
    """A hotspot that had its dose all last week is worth less now."""
    last = [MONDAY - dt.timedelta(days=n) for n in range(3, 8)]
    delivered = pd.DataFrame({"hotspot": "H1", "date": last, "minutes": 15.0})
    after = plan_week(demo_area, plan, start=MONDAY, delivered=delivered)
    assert after.worth < week.worth
    assert after.delivered == {"H1": frozenset(last)}
    with pytest.raises(TypeError, match="lacks the columns"):
        plan_week(demo_area, plan, start=MONDAY, delivered=delivered[["hotspot"]])


def test_which_doses_count(demo_area, plan):
    """From half a dwell a visit is a dose; those of seven days count, and runs up to day one."""
    dates = [MONDAY - dt.timedelta(days=n) for n in (1, 2, 4)]
    delivered = pd.DataFrame({"hotspot": "H1", "date": dates, "minutes": [7.5, 7.5, 7.4]})
    week = plan_week(demo_area, plan, start=MONDAY, delivered=delivered, bans=[Ban()])
    assert week.delivered == {"H1": frozenset(dates[:2])}
    days = frozenset(MONDAY - dt.timedelta(days=n) for n in (0, 1, 2, 4, 7, 8))
    inputs = RotaInputs(demo_area, (plan,), (MONDAY,), delivered={"H1": days})
    row = list(inputs.hotspots).index("H1")
    assert (inputs.problem.dosed_before[row], inputs.problem.run_before[row]) == (4, 2)


@pytest.mark.parametrize("start", [dt.date(2026, 10, 26), dt.date(2026, 12, 19)])
def test_a_week_of_holidays_is_empty_and_explained(start, demo_area, plan):
    """Where every school is closed, nobody patrols, each day says why, and no school is short."""
    week = plan_week(demo_area, plan, start=start)
    assert (week.duties, week.worth, week.gap_percent, week.status) == ((), 0.0, 0.0, "optimal")
    assert len(week.unmet) == 5 * demo_area.schools["urn"].nunique()
    assert {gap.why for gap in week.unmet} == {"school closed (term dates)"}
    assert week.short == ()


def test_a_schools_own_dates_outrank_those_for_all():
    """Own closed day in term, own term in a general holiday, no term rows at all."""
    rows = [
        ("*", "2026-11-02", "2026-12-18", "term"),
        ("*", "2026-12-02", "2026-12-02", "closed"),
        ("A", "2026-12-01", "2026-12-01", "closed"),
        ("B", "2026-12-02", "2026-12-02", "term"),
    ]
    terms = pd.DataFrame(rows, columns=["urn", "from", "to", "kind"])
    terms = terms.assign(**{name: pd.to_datetime(terms[name]) for name in ("from", "to")})
    days = [dt.date(2026, 12, 1), dt.date(2026, 12, 2), dt.date(2026, 12, 21)]
    found = find_open_days(terms, ["A", "B", "C"], days)
    assert found.tolist() == [[False, False, False], [True, True, False], [True, False, False]]
    assert find_open_days(terms[1:3], ["A", "C"], days).tolist() == [
        [False, False, True],
        [True, False, True],
    ]
