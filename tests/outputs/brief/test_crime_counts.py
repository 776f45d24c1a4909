"""Periods and counts of a brief: independent code counts the same, and chance is not rising."""

import dataclasses
import datetime as dt
import json
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces

from patrolplan.errors import InputError
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    format_brief_lines,
    render_brief,
)
from patrolplan.outputs.brief.crime_counts import compute_p_values, find_rising, find_walking_area
from patrolplan.outputs.brief.periods import (
    Period,
    choose_periods,
    find_incident_dates,
    measure_months,
)
from patrolplan.tables import HOTSPOTS


def no_hotspots(area):
    """A table of hotspots without a row, for briefs that are only about crime."""
    columns = {name: [] for name in HOTSPOTS.columns if name != "geometry"}
    columns["stop_piece"] = np.empty(0, dtype=np.int64)
    return gpd.GeoDataFrame(columns, geometry=[], crs=area.projection.crs)


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


def nearest_point(area):
    """Points where crimes stand, and the one nearest to each piece's middle, by brute force."""
    points = np.unique(shapely.get_coordinates(area.incidents.geometry.values), axis=0)
    nearest = [
        int(np.argmin(((points - middle) ** 2).sum(axis=1))) for middle in area.network.piece_middle
    ]
    return points, np.array(nearest)


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


def months_of(first, count):
    """A number of months from one, as text."""
    return [f"{month:%Y-%m}" for month in pd.date_range(first, periods=count, freq="MS")]


def agree(area, sinces):
    """Briefs of every school since these months are what the code above counts."""
    points, nearest = nearest_point(area)
    last = area.incidents["month"].max()
    for row, urn in enumerate(area.schools["urn"]):
        table = counted(area, row, points, nearest)
        for since in sinces:
            start = pd.Timestamp(since)
            length = (last.year - start.year) * 12 + last.month - start.month + 1
            year = start - pd.DateOffset(months=12)
            brief = build_brief(area, no_hotspots(area), urn, dt.date.fromisoformat(since))
            now = table.reindex(months_of(start, length)).sum()
            usual = table.reindex(months_of(year, 12)).sum() / 12 * length
            before = table.reindex(months_of(year, length)).sum()
            assert len(brief.categories) >= 6
            for one in brief.categories:
                assert one.now.value == pytest.approx(now.get(one.name, 0.0), abs=1e-6)
                assert one.usual.value == pytest.approx(usual.get(one.name, 0.0), abs=1e-6)
                assert one.year_before.value == pytest.approx(before.get(one.name, 0.0), abs=1e-6)
            names = [one.name for one in brief.categories]
            assert brief.total.now.value == pytest.approx(now[names].sum(), abs=1e-6)


def test_brief_agrees_with_independent_counts(demo_area):
    """A brief for three schools of the demo borough says what separate code counts."""
    few = dataclasses.replace(
        demo_area, schools=demo_area.schools.iloc[:3], gates=demo_area.gates.take(range(3))
    )
    agree(few, ["2025-10-01", "2026-03-01", "2026-09-01"])


def test_brief_agrees_with_independent_counts_in_central_london(bloomsbury_area):
    """A brief for each Bloomsbury school over three different months says the same."""
    agree(bloomsbury_area, ["2017-06-01", "2018-01-01", "2018-06-01"])


def test_walk_to_pieces_is_never_longer_than_the_radius(demo_area):
    """Counted streets are within the radius, and catchments at its edge count in part."""
    around = find_walking_area(demo_area, 0)
    radius = demo_area.settings.patrol.radius_metres
    assert around.walk_metres[around.within].max() <= radius
    assert around.catchment_shares.min() >= 0
    assert around.catchment_shares.max() <= 1 + 1e-9
    assert ((around.catchment_shares > 0.01) & (around.catchment_shares < 0.99)).any()


def test_chance_is_the_textbook_binomial():
    """Twelve since, where a year before holds forty in four times as long: by hand."""
    chance = compute_p_values(np.array([12.0]), np.array([40.0]), 0.25, np.ones(1))
    n, q = 52, 0.2
    exact = 1.0 - sum(
        np.prod([(n - i) / (k - i) for i in range(k)]) * q**k * (1 - q) ** (n - k)
        for k in range(12)
    )
    assert chance[0] == pytest.approx(exact, rel=1e-9)


@given(st.integers(0, 1000))
def test_chance_alone_rarely_rises(seed):
    """Where nothing changed, some category is called rising in far fewer than one in five areas."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(5, 200, size=7)
    called = 0
    for _ in range(40):
        now, before = rng.poisson(mean), rng.poisson(mean * 4)
        called += bool(
            find_rising(compute_p_values(now, before, 0.25, np.ones(7)), now, None).any()
        )
    assert called <= 9


def incidents(months, days=()):
    """Incidents of these months, and of these days."""
    at = [*(pd.NaT for _ in months), *(pd.Timestamp(day) for day in days)]
    month = [*months, *(f"{pd.Timestamp(day):%Y-%m}" for day in days)]
    return pd.DataFrame(
        {"month": pd.to_datetime(month), "occurred_at": pd.to_datetime(pd.Series(at))}
    )


TWO_YEARS = [f"{month:%Y-%m}" for month in pd.date_range("2024-10-01", "2026-09-01", freq="MS")]
DAYS = [f"{day:%Y-%m-%d} 16:30" for day in pd.date_range("2024-10-01", "2026-09-17")]


def test_months_alone_give_whole_months():
    """A day within a month asks for that whole month, up to the end of the latest one."""
    periods = choose_periods(find_incident_dates(incidents(TWO_YEARS)), dt.date(2026, 7, 20))
    assert not periods.current.by_day
    assert periods.current == Period(pd.Timestamp("2026-07-01"), pd.Timestamp("2026-10-01"))
    assert periods.year_before == Period(pd.Timestamp("2025-07-01"), pd.Timestamp("2025-10-01"))
    assert periods.baseline == Period(pd.Timestamp("2025-07-01"), pd.Timestamp("2026-07-01"))
    assert periods.exposure == pytest.approx(3 / 12)
    assert len(periods.baseline_blocks) == 13


def test_days_count_from_that_day():
    """With days, counting starts on the requested day and ends on the latest day in the data."""
    periods = choose_periods(find_incident_dates(incidents([], DAYS)), dt.date(2026, 9, 10))
    assert periods.current.by_day
    assert (periods.current.start, periods.current.last) == (
        pd.Timestamp("2026-09-10"),
        pd.Timestamp("2026-09-17"),
    )
    assert periods.year_before.start == pd.Timestamp("2025-09-10")
    assert periods.exposure == pytest.approx(8 / 365)


def test_a_month_counts_only_where_it_lies_in_whole():
    """Among dated incidents, one with only a month is not assigned to a day."""
    when = find_incident_dates(incidents(["2026-09"], DAYS))
    inside = when.is_inside(Period(pd.Timestamp("2026-09-10"), pd.Timestamp("2026-10-01")))
    assert not inside[0]
    assert inside.sum() == 8
    assert when.is_inside(Period(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01")))[0]


@pytest.mark.parametrize(
    ("since", "message"),
    [
        (dt.date(2026, 10, 1), "is after the latest month in the data, 2026-09"),
        (dt.date(2024, 10, 30), "has no data before it: the data starts in 2024-10"),
    ],
)
def test_a_day_out_of_the_data_is_refused(since, message):
    """A day after the data, or at its start, is refused with the available months."""
    with pytest.raises(InputError, match=message):
        choose_periods(find_incident_dates(incidents(TWO_YEARS)), since)


FORCE = "Eastmere Police (fictional)"
URN = "900003"


@pytest.fixture(scope="module")
def hotspots(demo_plan):
    """Hotspots of the demo borough."""
    return demo_plan.hotspots


@pytest.fixture(scope="module")
def full(demo_area, hotspots):
    """The brief of full months."""
    return build_brief(demo_area, hotspots, URN, dt.date(2026, 8, 1))


def of(area, hotspots, *months, force=FORCE, since=dt.date(2026, 8, 1)):
    """The brief of a school where these months are missing."""
    return build_brief(drop_months(area, [(force, m) for m in months]), hotspots, URN, since)


def _walk_shares(area):
    row = list(area.schools["urn"]).index(URN)
    return find_walking_area(area, row).catchment_shares


@pytest.mark.parametrize("gone", ["2026-08", "2025-11", "2025-09"])
def test_a_gap_leaves_nothing_to_compare(demo_area, hotspots, full, gone):
    """With a month missing now, before or a year before, counts stand alone and nothing rises."""
    found = of(demo_area, hotspots, gone)
    assert found.held == pytest.approx((2.0 - (gone == "2026-08"), 12.0 - (gone < "2026")))
    for one in (*found.categories, found.total, *found.streets):
        assert one.usual.text == one.year_before.text == "not comparable"
        assert not one.rising
        assert one.p_value is None
    text = "\n".join(format_brief_lines(found))
    assert "Counts cover only these and are not compared." in text
    if gone != "2026-08":
        assert found.total.now.value == full.total.now.value
    document = json.loads(json.dumps(build_brief_document(found)))
    assert document["held"] == pytest.approx(found.held)
    assert document["total"]["usual"]["value"] is None
    assert render_brief(found).startswith(b"%PDF")


def test_a_gap_of_a_few_streets_is_made_up_for(demo_area, hotspots, full):
    """Where under a twentieth of a period is missing, counts are compared by the time held."""
    forces = split_forces(demo_area, share=0.05)
    found = of(forces, hotspots, "2025-11", force="West")
    assert found.held is None
    assert found.total.usual.value == pytest.approx(full.total.usual.value, rel=0.03)


def test_nothing_to_compare_is_an_error(demo_area, hotspots):
    """Where no month since then is held around the school, the command says what to do."""
    forces = split_forces(demo_area, share=1.0, names=("East", "West"))
    added = forces.incidents["force"].cat.add_categories("Far").copy()
    last = (forces.incidents["month"] >= "2026-08-01").to_numpy()
    farthest = np.argmin(_walk_shares(forces))
    there = forces.incident_catchment == farthest
    added[last & there] = "Far"
    area = drop_months(_with_forces(forces, added), [("West", "2026-08"), ("West", "2026-09")])
    if area.incidents["month"].max() < pd.Timestamp("2026-08-01"):
        pytest.skip("no crime far away in the last months")
    with pytest.raises(InputError, match="are missing around this school"):
        build_brief(area, hotspots, URN, dt.date(2026, 8, 1))


def _with_forces(area, force):
    return replace(area, incidents=area.incidents.assign(force=force))


def test_months_are_measured_in_days_where_days_are_known():
    """The parts of months in a period add up to its days, or to its whole months."""
    period = Period(pd.Timestamp("2026-02-10"), pd.Timestamp("2026-04-03"), by_day=True)
    months, lengths = measure_months(period)
    assert months.strftime("%Y-%m").tolist() == ["2026-02", "2026-03", "2026-04"]
    assert lengths.tolist() == [19.0, 31.0, 2.0]
    whole = Period(pd.Timestamp("2026-02-01"), pd.Timestamp("2026-04-01"))
    assert measure_months(whole)[1].tolist() == [1.0, 1.0]
