"""The brief: what independent code counts, what rises, one page, one object, and the threshold."""

import datetime as dt
import json
import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces
from outputs.printed import HOSTILE, change_settings, read_pages
from weeks_by_hand import build_week

from patrolplan.errors import InputError
from patrolplan.hotspots import crime_counts as counts
from patrolplan.hotspots.reasons import ReportsReason
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.outputs.brief import brief_render as render
from patrolplan.outputs.output_folder import write_files
from patrolplan.outputs.week.week_pack import format_week_documents
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.tables import STAFF
from patrolplan.team.brief import build_brief, read_week_visits
from patrolplan.team.people import STAFF_WORDS
from patrolplan.team.week import Duty
from patrolplan.team.week_records import DemandOutcome
from patrolplan.times import format_time

URN = "900003"
SINCE = dt.date(2026, 6, 1)
MONDAY = dt.date(2026, 11, 30)
TWO_YEARS = [f"{month:%Y-%m}" for month in pd.date_range("2024-10-01", "2026-09-01", freq="MS")]
DAYS = [f"{day:%Y-%m-%d} 16:30" for day in pd.date_range("2024-10-01", "2026-09-17")]
FORCE = "Eastmere Police (fictional)"
AUGUST = dt.date(2026, 8, 1)


@pytest.fixture(scope="module")
def brief(demo_area, demo_hotspots):
    """Brief of a school with rising crime near it."""
    return build_brief(demo_area, demo_hotspots, "900010", SINCE)


def test_changed_hotspots_are_within_the_walk(demo_area, demo_hotspots, brief):
    """Only new or rising hotspots are listed, nearest first, none beyond the radius."""
    trend = demo_hotspots.set_index("hotspot")["trend"]
    assert brief.hotspots
    for spot in brief.hotspots:
        assert trend[spot.hotspot] == spot.trend
        assert spot.trend in {"new", "rising"}
        assert spot.walk_metres <= demo_area.settings.patrol.radius_metres
    walks = [spot.walk_metres for spot in brief.hotspots]
    assert walks == sorted(walks)


def test_reports_come_as_bands_of_whole_groups(demo_area, brief):
    """Groups have multiples of the threshold, and are never dated since a day."""
    threshold = demo_area.reports.threshold
    assert brief.reports
    for group in brief.reports:
        low, high = map(int, group.number.split(" to "))
        assert low >= threshold
        assert low % threshold == 0
        assert high == low + threshold - 1
    assert "of all dates, not only of this period" in "\n".join(render.format_brief_lines(brief))


def test_crime_under_the_threshold_is_held_back_where_asked(demo_area, demo_hotspots):
    """With crime held to the threshold, no small count is shown, nor a sum that tells it."""
    near = change_settings(demo_area, patrol={"radius_metres": 300.0})
    held = change_settings(near, privacy={"threshold_for_crime": True})
    areas, since = (held, near), dt.date(2026, 9, 1)
    small_brief, plain = (build_brief(one, demo_hotspots, "900001", since) for one in areas)
    small = [one.name for one in plain.categories if round(one.now.value) < 5]
    assert small
    for one in small_brief.categories:
        assert (one.now.value is None) == (one.name in small)
        if one.now.value is None:
            assert one.now.text == "fewer than 5"
            assert one.p_value is None
            assert not one.rising
    assert small_brief.total.now.value is None
    assert all(round(one.now.value) >= 5 for one in small_brief.streets)
    assert "fewerthan5" in read_pages(render.render_brief(small_brief))[0]
    assert "not shown" in "\n".join(render.format_brief_lines(small_brief))


def test_days_are_counted_where_they_are_known(demo_area, demo_hotspots):
    """A force's own extract counts from the very day, and names the latest day."""
    incidents = demo_area.incidents.copy()
    day = np.arange(len(incidents)) % 28
    incidents["occurred_at"] = incidents["month"] + pd.to_timedelta(day * 24 + 16, unit="h")
    area = replace(demo_area, incidents=incidents, times_known=True, snapped=False)
    small_brief = build_brief(area, demo_hotspots, "900001", dt.date(2026, 9, 10))
    around = build_brief(area, demo_hotspots, "900001", dt.date(2026, 9, 1))
    text = "\n".join(render.format_brief_lines(small_brief))
    assert "10 to 28 September 2026 (19 days)" in text
    assert "The latest day in the data is 28 September 2026." in text
    assert "Open data" not in text
    assert 0 < small_brief.total.now.value < around.total.now.value


def test_names_arrive_as_text(demo_area, brief):
    """Markup of typst or HTML in names, reasons and the area is printed letter by letter."""
    named = change_settings(demo_area, area={"name": HOSTILE})
    spots = tuple(
        replace(spot, place=HOSTILE, reasons=(ReportsReason(time_band=None, factors=(HOSTILE,)),))
        for spot in brief.hotspots
    )
    streets = tuple(replace(one, name=HOSTILE) for one in brief.streets)
    mean = replace(brief, area=named, school=HOSTILE, hotspots=spots, streets=streets)
    (page,) = read_pages(render.render_brief(mean))
    assert page.count("".join(HOSTILE.split())) >= 3
    assert json.loads(json.dumps(render.build_brief_document(mean)))["school"] == HOSTILE


def test_longest_brief_stays_on_one_page(brief):
    """Any number of hotspots and groups with long names, and many categories, fit the page."""
    long = "Saint Somebody the Great and All Angels " * 10
    why = (ReportsReason(time_band=None, factors=(long, long)),)
    spots = tuple(replace(spot, place=long, reasons=why) for spot in brief.hotspots * 5)
    groups = tuple(replace(group, place=long) for group in brief.reports * 5)
    rows = tuple(replace(one, name=long) for one in brief.categories * 3)
    full = replace(brief, school=long, hotspots=spots, reports=groups, categories=rows)
    assert len(read_pages(render.render_brief(full))) == 1


@pytest.fixture(scope="module")
def changed(demo_plan):
    """New and rising hotspots of the demo borough."""
    table = demo_plan.hotspots
    return list(table["hotspot"][table["trend"].isin(CHANGED_TRENDS)])


def _build_week(plan, names, demands=()):
    """A week of one patrol, by an officer of the school's, whose one stop is at some hotspots."""
    patrol = next(one for one in plan.patrols if one.urn == URN and one.stops)
    spots = plan.hotspots.set_index("hotspot")
    stop = replace(patrol.stops[0], hotspot="H999", sees=())
    if names:
        at = spots.loc[names[0], ["stop_x", "stop_y"]]
        stop = replace(stop, hotspot=names[0], point=tuple(at), sees=tuple(names))
    legs = (patrol.legs[0], patrol.legs[-1])
    patrol = replace(patrol, stops=(stop,), legs=legs, variants=())
    start, end = patrol.start_minutes, patrol.end_minutes
    duty = Duty("SSO-04", URN, MONDAY, start, end, 0, patrol, leave_minutes=start - 5)
    days = tuple(MONDAY + dt.timedelta(days=n) for n in range(5))
    return build_week(plan, days, (duty,), demands=demands)


def _brief(area, plan, folder, week, urn=URN):
    write_files(folder, format_week_documents(week))
    return build_brief(area, plan.hotspots, urn, SINCE, week=read_week_visits(folder, area))


def test_a_patrol_that_stops_there_is_the_answer(demo_area, demo_plan, changed, tmp_path):
    """Day, time and officer stand with the hotspot; those in view are met as well."""
    week = _build_week(demo_plan, changed[:2])
    brief = _brief(demo_area, demo_plan, tmp_path, week)
    arrive = format_time(week.duties[0].patrol.stops[0].arrive_minutes)
    answers = {spot.hotspot: render.describe_answer(brief, spot) for spot in brief.hotspots}
    for name in changed[:2]:
        assert answers[name] == f"In the week of 30 November: Monday {arrive}, SSO-04."
    assert "The week of 30 November goes to 2 of them." in render.summarise_changes(brief)
    lines = [line.strip() for line in render.format_brief_lines(brief)]
    assert all(answer in lines for answer in answers.values())
    assert render.render_brief(brief)
    rows = {row["hotspot"]: row["answer"] for row in render.build_brief_document(brief)["hotspots"]}
    visit = {"officer": "SSO-04", "urn": URN, "date": "2026-11-30", "arrive": arrive}
    assert (rows[changed[0]]["visits"], rows[changed[0]]["why"]) == ([visit], None)


def test_school_staff_are_named_only_by_their_role(demo_area, demo_plan, changed, tmp_path):
    """Neither the document nor the sentences have the name of a member of staff."""
    roles = demo_area.officers["role"].where(demo_area.officers["officer"] != "SSO-04", STAFF)
    area = replace(demo_area, officers=demo_area.officers.assign(role=roles))
    brief = _brief(area, demo_plan, tmp_path, _build_week(demo_plan, changed[:1]))
    lines = render.format_brief_lines(brief)
    for text in (json.dumps(render.build_brief_document(brief)), "\n".join(lines)):
        assert STAFF_WORDS in text
        assert "SSO-04" not in text


def test_what_nobody_goes_to_has_the_weeks_reason(demo_area, demo_plan, changed, tmp_path):
    """If the week has a reason for an unmet hotspot, so has the brief; else that no one comes."""
    why = Obstacle("out_of_reach", changed[0], "S", metres=1700.0)
    unmet = DemandOutcome("watched", changed[0], None, 1, (), why)
    brief = _brief(demo_area, demo_plan, tmp_path, _build_week(demo_plan, [], (unmet,)))
    answers = {spot.hotspot: render.describe_answer(brief, spot) for spot in brief.hotspots}
    assert answers[changed[0]].startswith("Not in the week of 30 November: ")
    assert "no patrol goes there" not in answers[changed[0]]
    assert answers[changed[1]] == "Not in the week of 30 November: no patrol goes there."
    assert "The week of 30 November goes to none of them." in render.summarise_changes(brief)
    rows = render.build_brief_document(brief)["hotspots"]
    row = next(one for one in rows if one["answer"]["why"])
    assert (row["hotspot"], row["answer"]["visits"]) == (changed[0], [])
    assert row["answer"]["why"]["kind"] == "out_of_reach"


def test_after_a_change_of_data_places_count_and_not_names(demo_area, demo_plan, changed, tmp_path):
    """A week of other data may call the place otherwise: a stop on the stretch counts."""
    week = _build_week(demo_plan, changed[:1])
    patrol = week.duties[0].patrol
    stop = replace(patrol.stops[0], hotspot="H999", sees=())
    duty = replace(week.duties[0], patrol=replace(patrol, stops=(stop, *patrol.stops[1:])))
    other = dict(week.created_from) | {"seed": 123}
    for origin, officers in ((other, ["SSO-04"]), (week.created_from, [])):
        again = replace(week, duties=(duty,), created_from=origin)
        brief = _brief(demo_area, demo_plan, tmp_path, again)
        (spot,) = [one for one in brief.hotspots if one.hotspot == changed[0]]
        assert [visit.officer for visit in spot.answer.visits] == officers


def walked(area, row):
    """(p,) whether the nearer end of each piece is within the radius, by networkx."""
    network, radius = area.network.walkable, area.settings.patrol.radius_metres
    graph = nx.Graph()
    for (a, b), metres in zip(network.piece_nodes.tolist(), network.piece_metres, strict=True):
        if not graph.has_edge(a, b) or graph[a][b]["weight"] > metres:
            graph.add_edge(a, b, weight=float(metres))
    piece, offset = int(area.gates.piece[row]), float(area.gates.offset_metres[row])
    first, last = network.piece_nodes[piece].tolist()
    graph.add_edge("gate", first, weight=offset)
    graph.add_edge("gate", last, weight=float(network.piece_metres[piece]) - offset)
    reached = nx.single_source_dijkstra_path_length(graph, "gate", cutoff=radius)
    within = [a in reached or b in reached for a, b in network.piece_nodes.tolist()]
    within[piece] = True
    return np.array(within)[: len(area.network)]


def counted(area, row, points, nearest):
    """Months by categories: incidents around a gate, each crime spread over its catchment."""
    within = walked(area, row)
    metres = pd.Series(area.network.piece_metres).groupby(nearest).sum()
    inside = pd.Series(area.network.piece_metres * within).groupby(nearest).sum()
    share = {tuple(points[key]): value for key, value in (inside / metres).items()}
    places = [(point.x, point.y) for point in area.incidents.geometry]
    for place in set(places) - set(share):  # a point that no piece is nearest to
        lines = area.network.piece_lines
        on = int(np.argmin(shapely.distance(lines, shapely.Point(place))))
        share[place] = share[tuple(points[nearest[on]])]
    amounts = pd.Series([share[place] for place in places])
    month = area.incidents["month"].dt.strftime("%Y-%m").to_numpy()
    category = area.incidents["category"].astype(str).to_numpy()
    return pd.DataFrame({"month": month, "category": category, "amount": amounts}).pivot_table(
        index="month", columns="category", values="amount", aggfunc="sum", fill_value=0.0
    )


def sum_months(table, first, count):
    """Incidents by category in a number of months from one."""
    months = pd.date_range(first, periods=count, freq="MS")
    return table.reindex(months.strftime("%Y-%m")).sum()


def test_brief_agrees_with_independent_counts(demo_area, demo_hotspots):
    """A brief for three schools of the demo borough says what separate code counts."""
    points = np.unique(shapely.get_coordinates(demo_area.incidents.geometry.values), axis=0)
    middles = demo_area.network.piece_middle
    nearest = np.array([((points - middle) ** 2).sum(axis=1).argmin() for middle in middles])
    for row, urn in enumerate(demo_area.schools["urn"][:3]):
        table = counted(demo_area, row, points, nearest)
        for start, length in (("2025-10-01", 12), ("2026-03-01", 7), ("2026-09-01", 1)):
            year = pd.Timestamp(start) - pd.DateOffset(months=12)
            brief = build_brief(demo_area, demo_hotspots.iloc[:0], urn, start)
            now, before = (sum_months(table, first, length) for first in (start, year))
            usual = sum_months(table, year, 12) / 12 * length
            wanted = {"now": now, "usual": usual, "year_before": before}
            assert len(brief.categories) >= 6
            for one in brief.categories:
                for name, numbers in wanted.items():
                    value = numbers.get(one.name, 0.0)
                    assert getattr(one, name).value == pytest.approx(value, abs=1e-6)
            names = [one.name for one in brief.categories]
            assert brief.total.now.value == pytest.approx(now[names].sum(), abs=1e-6)


def test_chance_is_the_textbook_binomial():
    """Twelve since, where a year before holds forty in four times as long: by hand."""
    chance = counts.compute_p_values(np.array([12.0]), np.array([40.0]), 0.25, np.ones(1))
    exact = 1.0 - sum(math.comb(52, k) * 0.2**k * 0.8 ** (52 - k) for k in range(12))
    assert chance[0] == pytest.approx(exact, rel=1e-9)


@given(st.integers(0, 1000))
def test_chance_alone_rarely_rises(seed):
    """Where nothing changed, some category is called rising in far fewer than one in five areas."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(5, 200, size=7)
    called = 0
    for _ in range(40):
        now, before = rng.poisson(mean), rng.poisson(mean * 4)
        chance = counts.compute_p_values(now, before, 0.25, np.ones(7))
        called += bool(counts.find_rising(chance, now, None).any())
    assert called <= 9


def incidents(months, days=()):
    """Incidents of these months, and of these days."""
    at = [*(pd.NaT for _ in months), *(pd.Timestamp(day) for day in days)]
    month = [*months, *(f"{pd.Timestamp(day):%Y-%m}" for day in days)]
    when = pd.to_datetime(pd.Series(at))
    return pd.DataFrame({"month": pd.to_datetime(month), "occurred_at": when})


def test_whole_months_are_compared_and_days_where_they_are_known():
    """A day within a month asks for that whole month; with days, counting starts on that day."""
    dates = counts.find_incident_dates(incidents(TWO_YEARS))
    periods = counts.choose_periods(dates, dt.date(2026, 7, 20))
    july = [pd.Timestamp(f"{year}-07-01") for year in (2025, 2026)]
    assert periods.current == counts.Period(july[1], pd.Timestamp("2026-10-01"))
    assert periods.year_before == counts.Period(july[0], pd.Timestamp("2025-10-01"))
    assert (periods.baseline, periods.exposure) == (counts.Period(*july), pytest.approx(3 / 12))
    assert len(periods.baseline_blocks) == 13
    dates = counts.find_incident_dates(incidents([], DAYS))
    periods = counts.choose_periods(dates, dt.date(2026, 9, 10))
    end = pd.Timestamp("2026-09-18")
    assert periods.current == counts.Period(pd.Timestamp("2026-09-10"), end, by_day=True)
    assert periods.year_before.start == pd.Timestamp("2025-09-10")
    assert periods.exposure == pytest.approx(8 / 365)


def test_a_month_counts_only_where_it_lies_in_whole():
    """Among dated incidents, one with only a month is not assigned to a day."""
    when = counts.find_incident_dates(incidents(["2026-09"], DAYS))
    inside = when.is_inside(counts.Period(pd.Timestamp("2026-09-10"), pd.Timestamp("2026-10-01")))
    assert not inside[0]
    assert inside.sum() == 8
    assert when.is_inside(counts.Period(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01")))[0]


@pytest.mark.parametrize(("since", "message"), [
    (dt.date(2026, 10, 1), "is after the latest month in the data, 2026-09"),
    (dt.date(2024, 10, 30), "has no data before it: the data starts in 2024-10"),
])  # fmt: skip
def test_a_day_out_of_the_data_is_refused(since, message):
    """A day after the data, or at its start, is refused with the available months."""
    with pytest.raises(InputError, match=message):
        counts.choose_periods(counts.find_incident_dates(incidents(TWO_YEARS)), since)


@pytest.fixture(scope="module")
def full(demo_area, demo_hotspots):
    """The brief of full months."""
    return build_brief(demo_area, demo_hotspots, URN, AUGUST)


def of(area, hotspots, *months, force=FORCE):
    """The brief of a school where these months are missing."""
    return build_brief(drop_months(area, [(force, m) for m in months]), hotspots, URN, AUGUST)


@pytest.mark.parametrize("gone", ["2026-08", "2025-11", "2025-09"])
def test_a_gap_leaves_nothing_to_compare(demo_area, demo_hotspots, full, gone):
    """With a month missing now, before or a year before, counts stand alone and nothing rises."""
    found = of(demo_area, demo_hotspots, gone)
    assert found.held == pytest.approx((2.0 - (gone == "2026-08"), 12.0 - (gone < "2026")))
    for one in (*found.categories, found.total, *found.streets):
        assert one.usual.text == one.year_before.text == "not comparable"
        assert not one.rising
        assert one.p_value is None
    text = "\n".join(render.format_brief_lines(found))
    assert "Counts cover only these and are not compared." in text
    if gone != "2026-08":
        assert found.total.now.value == full.total.now.value
    document = json.loads(json.dumps(render.build_brief_document(found)))
    assert document["held"] == pytest.approx(found.held)
    assert document["total"]["usual"]["value"] is None
    assert render.render_brief(found).startswith(b"%PDF")


def test_a_gap_of_a_few_streets_is_made_up_for(demo_area, demo_hotspots, full):
    """Where under a twentieth of a period is missing, counts are compared by the time held."""
    forces = split_forces(demo_area, share=0.05)
    found = of(forces, demo_hotspots, "2025-11", force="West")
    assert found.held is None
    assert found.total.usual.value == pytest.approx(full.total.usual.value, rel=0.03)


def test_nothing_to_compare_is_an_error(demo_area, demo_hotspots):
    """Where no month since then is held around the school, the command says what to do."""
    forces = split_forces(demo_area, share=1.0, names=("East", "West"))
    added = forces.incidents["force"].cat.add_categories("Far").copy()
    last = (forces.incidents["month"] >= "2026-08-01").to_numpy()
    row = list(forces.schools["urn"]).index(URN)
    farthest = np.argmin(counts.find_walking_area(forces, row).catchment_shares)
    there = forces.incident_catchment == farthest
    added[last & there] = "Far"
    forces = replace(forces, incidents=forces.incidents.assign(force=added))
    area = drop_months(forces, [("West", "2026-08"), ("West", "2026-09")])
    assert area.incidents["month"].max() >= pd.Timestamp("2026-08-01")  # crime far away
    with pytest.raises(InputError, match="are missing around this school"):
        build_brief(area, demo_hotspots, URN, AUGUST)
