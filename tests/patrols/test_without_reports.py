"""How a plan would differ without pupils' reports: plan with another planning, by hand."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from patrolplan.outputs.without_reports_words import describe_without_reports

import patrolplan as pp
from patrolplan.outputs.geopackage import build_plan_document
from patrolplan.outputs.note_words import describe_notes
from patrolplan.outputs.output_folder import format_json
from patrolplan.patrols.reports_change import SchoolWithoutReports, WithoutReports
from patrolplan.patrols.without_reports import compare_without_reports, remove_reports
from patrolplan.privacy import ReportGroups


@pytest.fixture(scope="module")
def plan(demo_plan):
    """The demo's plan with how it would differ."""
    return compare_without_reports(demo_plan)


@pytest.fixture(scope="module")
def other(demo_area):
    """The demo's plan as it is where no pupil has reported anything."""
    area = remove_reports(demo_area)
    risk = pp.estimate_risk(area)
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))


def _list_dwells(plan):
    """Pieces and place of each stop, by school."""
    pieces = dict(zip(plan.hotspots["hotspot"], plan.hotspots["pieces"], strict=True))
    found = {patrol.urn: [] for patrol in plan.patrols}
    for patrol in plan.patrols:
        for stop in patrol.stops:
            on = {piece for name in stop.covered for piece in pieces.get(name, ())}
            found[patrol.urn].append((stop, on))
    return found


def _is_made(stop, on, others, metres):
    """Whether a stop is among others: piece by piece."""
    for there, pieces in others:
        shared = sum(metres[piece] for piece in on & pieces)
        shorter = min(sum(metres[one] for one in on), sum(metres[one] for one in pieces))
        if (
            stop.place == there.place
            or (stop.tasked and stop.tasked == there.tasked)
            or (shared and shared >= shorter / 2)
        ):
            return True
    return False


def test_changes_are_those_found_stop_by_stop(plan, other):
    """Both plans' stops, compared one by one, give the same changes; some schools have none."""
    metres = plan.area.network.piece_metres
    ours, theirs = _list_dwells(plan), _list_dwells(other)
    expected = {}
    for urn, stops in ours.items():
        gained = [stop.hotspot for stop, on in stops if not _is_made(stop, on, theirs[urn], metres)]
        lost = [stop.place for stop, on in theirs[urn] if not _is_made(stop, on, stops, metres)]
        if gained or lost:
            expected[urn] = (gained, lost)
    found = {
        one.urn: (list(one.only_with), list(one.only_without))
        for one in plan.without_reports.changes
    }
    assert found == expected
    assert 0 < len(found) < len(ours)
    assert plan.without_reports.schools == len(ours)


def test_the_harm_met_is_that_of_both_plans_by_crime_alone(plan, other):
    """Recorded harm on the stretches while the stops last, added up stop by stop, has the ratio."""
    rates = other.risk.in_time.remove_exposure()
    sums = []
    for one in (plan, other):
        pieces = dict(zip(one.hotspots["hotspot"], one.hotspots["pieces"], strict=True))
        sums.append(
            sum(
                rates.average(stop.arrive_minutes, stop.leave_minutes)[pieces[name]].sum()
                * (stop.leave_minutes - stop.arrive_minutes)
                for patrol in one.patrols
                for stop in patrol.stops
                for name in stop.covered
                if name in pieces
            )
        )
    with_reports, without = sums
    assert plan.without_reports.crime_share == pytest.approx(with_reports / without, rel=1e-6)


def test_one_school_is_compared_as_it_is_with_all(demo_area, demo_plan, plan):
    """A plan of one school has the change that it has in the plan of all."""
    change = plan.without_reports.changes[0]
    alone = pp.plan_patrols(demo_area, demo_plan.risk, demo_plan.hotspots, urns=[change.urn])
    found = compare_without_reports(alone).without_reports
    assert found.schools == 1
    assert found.changes == (change,)


def test_without_reports_that_count_nothing_is_compared(demo_area, demo_plan):
    """No group, or no weight of reports: the comparison stays empty and the plan as it is."""
    for area in (remove_reports(demo_area), pp.with_settings(demo_area, risk={"crime_weight": 1})):
        risk = pp.estimate_risk(area)
        plan = pp.plan_patrols(area, risk, demo_plan.hotspots, urns=["900001"])
        assert compare_without_reports(plan) is plan
        assert plan.reports_notes == ()
        assert build_plan_document(plan)["without_reports"] is None


def test_where_nothing_is_recorded_every_stop_is_made_by_reports(demo_area):
    """Without any crime that counts, all stops go with the reports, and no share can be given."""
    crimes = demo_area.incidents.iloc[:1]
    area = dataclasses.replace(
        demo_area, incidents=crimes, incident_catchment=demo_area.incident_catchment[:1]
    )
    area = pp.with_settings(area, risk={"harm": dict.fromkeys(_list_categories(area), 0.0)})
    risk = pp.estimate_risk(area)
    assert not risk.crime.any()
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=["900012"])
    found = compare_without_reports(plan).without_reports
    (change,) = found.changes
    assert change.only_with == tuple(stop.hotspot for stop in plan.patrols[0].stops)
    assert change.only_with
    assert (change.only_without, found.crime_share) == ((), None)


def _list_categories(area):
    return list(area.settings.crimes.risk_categories)


def test_the_document_has_the_changes_and_equal_plans_equal_bytes(demo_plan, plan):
    """`plan.json` names the schools that would differ, byte for byte again; None elsewhere."""
    document = build_plan_document(plan)
    found = document["without_reports"]
    assert set(found) == {"schools", "crime_share", "changes"}
    names = {row["id"] for row in document["hotspots"]}
    tasked = {stop["tasked"] for row in document["patrols"] for stop in row["stops"]}
    for change in found["changes"]:
        assert set(change) == {"urn", "only_with", "only_without"}
        assert set(change["only_with"]) <= names | tasked
    again = compare_without_reports(demo_plan)
    assert format_json(build_plan_document(again)) == format_json(document)
    assert build_plan_document(demo_plan)["without_reports"] is None


def test_notes_say_how_many_schools_would_differ(plan):
    """The plan says it in two sentences; one where nothing would differ."""
    found = plan.without_reports
    percent = round(100 * found.crime_share)
    assert describe_notes(plan.reports_notes) == [
        (
            f"Without pupils' reports the best patrols of {len(found.changes)} of 12 schools "
            "would have other stops."
        ),
        (
            f"With pupils' reports the best patrols meet {percent} % of the recorded harm that "
            "they would meet without them."
        ),
    ]
    same = dataclasses.replace(plan, without_reports=WithoutReports(12, (), 1.0))
    assert describe_notes(same.reports_notes) == [
        "Without pupils' reports the best patrols would have the same stops."
    ]


@pytest.mark.parametrize(
    ("own", "others", "words"),
    [
        ([0], ["Mill Lane"], "Without pupils' reports: Mill Lane instead of stop 1."),
        (
            [0, 2],
            ["Mill Lane", "Hill Road"],
            "Without pupils' reports: Mill Lane and Hill Road instead of stops 1 and 3.",
        ),
        ([1], [], "Without pupils' reports: no stop 2."),
        ([], ["Mill Lane"], "Without pupils' reports: Mill Lane as well."),
    ],
)
def test_a_patrol_calls_its_stops_by_their_numbers(demo_plan, own, others, words):
    """The sentence names the places instead of numbered stops; other schools have none."""
    patrol = next(one for one in demo_plan.patrols if len(one.stops) >= 3)
    elsewhere = next(one for one in demo_plan.patrols if one.urn != patrol.urn)
    only_with = tuple(patrol.stops[row].hotspot for row in own)
    change = SchoolWithoutReports(patrol.urn, only_with, tuple(others))
    plan = dataclasses.replace(demo_plan, without_reports=WithoutReports(12, (change,), 0.9))
    assert describe_without_reports(plan, patrol) == words
    assert describe_without_reports(plan, elsewhere) == ""
    assert describe_without_reports(demo_plan, patrol) == ""


def test_a_colleague_s_changes_are_not_one_s_own(demo_plan):
    """A second officer with unchanged stops has no sentence, even if the first one's change."""
    patrol = dataclasses.replace(demo_plan.patrols[0], number=2)
    for change in (
        SchoolWithoutReports(patrol.urn, ("H999",), ("Mill Lane",)),
        SchoolWithoutReports(patrol.urn, (), ("Mill Lane",)),
    ):
        found = WithoutReports(12, (change,), 0.9)
        plan = dataclasses.replace(demo_plan, patrols=(patrol,), without_reports=found)
        assert describe_without_reports(plan, patrol) == ""


def test_another_route_of_a_week_has_no_sentence(demo_plan):
    """What a variant would be without reports is not known; the best patrol in another order is."""
    patrol = next(one for one in demo_plan.patrols if len(one.stops) >= 2)
    change = SchoolWithoutReports(patrol.urn, (patrol.stops[0].hotspot,), ())
    plan = dataclasses.replace(demo_plan, without_reports=WithoutReports(12, (change,), 0.9))
    turned, shorter = (
        dataclasses.replace(patrol, stops=stops) for stops in (patrol.stops[::-1], patrol.stops[:1])
    )
    last = len(patrol.stops)
    assert describe_without_reports(plan, turned) == f"Without pupils' reports: no stop {last}."
    assert describe_without_reports(plan, shorter) == ""


def test_a_week_says_what_its_plan_would_be_without_reports(demo_area, plan):
    """The plan's sentences are among the notes of a week that is chosen from it."""
    area = dataclasses.replace(demo_area, officers=demo_area.officers.iloc[:1])
    week = pp.plan_week(area, plan, start=dt.date(2026, 11, 30))
    assert plan.reports_notes
    assert set(describe_notes(plan.reports_notes)) <= set(describe_notes(week.notes))


def test_reports_removed_leave_no_group(demo_area):
    """The area without reports has the groups of an area without a file of them."""
    area = remove_reports(demo_area)
    none = ReportGroups.empty(len(area.network.piece_metres), 5)
    assert area.reports.digest == none.digest
    assert not np.any(area.reports.group_of_piece >= 0)
    assert len(demo_area.reports) > 0
