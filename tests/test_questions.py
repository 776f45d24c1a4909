"""Twenty questions of an analyst, asked as a user of pandas, geopandas and osmnx would ask them.

Every public function takes what pandas gives: days, months, URNs, windows and single values.
Files and edits of hotspots are in `tests/hotspots/test_own_hotspots.py`.
"""

import datetime as dt

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.doors import list_urns, read_day, read_month

DAY = dt.date(2026, 11, 30)
DAYS = [DAY, "2026-11-30", pd.Timestamp(DAY), np.datetime64(DAY), dt.datetime(2026, 11, 30, 9, 30)]  # noqa: DTZ001
MONTHS = ["2026-08", pd.Period("2026-08"), dt.date(2026, 8, 3), pd.Timestamp("2026-08-01")]
URNS = ["900003", 900003, 900003.0, np.int64(900003), ["900003"], (900003,), pd.Series([900003])]


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_a_date(day):
    """As text, date or Timestamp, with or without a time."""
    assert read_day(day) == DAY


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_is_text_or_period(month):
    """Any day of it will do."""
    assert read_month(month) == pd.Timestamp("2026-08-01")


@pytest.mark.parametrize("wrong", ["30/11", "", None, 5, float("nan"), [], pd.NaT])
def test_what_is_no_day_or_month_is_refused_by_the_name_of_the_argument(wrong):
    """The error names the argument and the value, and says what to give."""
    with pytest.raises(pp.InputError, match=r"start: .* is not a date; give a date"):
        read_day(wrong, "start")
    with pytest.raises(pp.InputError, match=r"origins: .* is not a valid month; give a Period"):
        read_month(wrong, "origins")


@pytest.mark.parametrize("urns", URNS)
def test_schools_are_named_by_text_or_number(urns):
    """One URN or several, whichever type their column has."""
    assert list_urns(urns) == ["900003"]


def test_a_school_is_planned_by_its_number(demo_area, demo_risk, demo_hotspots):
    """Of an unknown one, or of none, no error speaks of an option of the command line."""
    plan = pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns=900003.0, for_week=False)
    assert {patrol.urn for patrol in plan.patrols} == {"900003"}
    with pytest.raises(pp.InputError, match=r"^urns: there is no school with URN '100036'"):
        pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns="100036")
    with pytest.raises(pp.InputError, match=r"^urns: names no school; give a URN, or leave it out"):
        pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns=[])


def test_a_window_has_a_name_or_a_time(demo_area):
    """As in the settings, as the time at which it begins, or as a Window."""
    named = pp.estimate_risk(demo_area, window="after_school", date="2026-11-30")
    assert named.window == pp.estimate_risk(demo_area, date=DAY).window
    early = pp.estimate_risk(demo_area, window="07:30", date=pd.Timestamp(DAY))
    assert early.window == pp.Window(90, start_minutes=450)
    with pytest.raises(pp.InputError, match="there is no window 'noon'"):
        pp.estimate_risk(demo_area, window="noon")


def test_a_week_starts_on_a_day_as_text(demo_area, demo_week, demo_plan):
    """Locks and bans name schools and days in the same ways."""
    first = demo_week.duties[0]
    lock = pp.Lock(first.officer, int(first.urn), f"{first.date}")
    assert lock == pp.Lock(first.officer, first.urn, first.date)
    assert lock.fits(first)
    assert pp.Ban(urn=900003.0, date=pd.Timestamp(DAY)) == pp.Ban(urn="900003", date=DAY)
    week = pp.plan_week(demo_area, demo_plan, start="2026-11-30", locks=[lock])
    assert week.days == demo_week.days
    assert any(lock.fits(duty) for duty in week.duties)


def test_who_is_away_is_given_as_text(demo_area, demo_week, demo_plan):
    """A repair takes days as text, and gives the week that dates give."""
    officer = demo_week.duties[0].officer
    absent = {officer: ["2026-12-01"]}
    how = {"absent": absent, "since": "2026-12-01", "max_moves": 0}
    repaired = pp.repair_week(demo_week, demo_area, demo_plan, **how)
    away = {(duty.officer, f"{duty.date}") for duty in repaired.week.duties}
    assert (officer, "2026-12-01") not in away
    with pytest.raises(pp.InputError, match=r"^absent: 2026-12-24 is not in the week"):
        pp.repair_week(demo_week, demo_area, demo_plan, absent={officer: ["2026-12-24"]})


@pytest.mark.parametrize("month", MONTHS[:2])
def test_spans_of_months_are_text_or_periods(demo_area, demo_hotspots, month):
    """The impact of doses, with hotspots in degrees and their dates as text."""
    doses = pd.DataFrame({"hotspot": ["H1"], "date": ["2026-08-05"], "minutes": [15.0]})
    spans = {"before": ("2026-06", pd.Period("2026-07")), "after": (month, month)}
    impact = pp.estimate_impact(demo_area, demo_hotspots.to_crs(4326), doses, **spans)
    assert impact.months == (2, 1)


def test_a_brief_takes_a_number_and_text(demo_area, demo_hotspots):
    """Errors name the argument."""
    assert pp.build_brief(demo_area, demo_hotspots, 900003, "2026-07-01").urn == "900003"
    with pytest.raises(pp.InputError, match=r"^since: "):
        pp.build_brief(demo_area, demo_hotspots, "900003", DAYS[2])


def test_the_streets_are_a_graph_of_osmnx(demo_area):
    """Nodes and lengths as it has them: a shortest way is the one that the planner walks."""
    graph = demo_area.network.to_networkx()
    nodes, edges = ox.graph_to_gdfs(graph)
    assert edges.geometry.length.to_numpy() == pytest.approx(edges["length"].to_numpy(), abs=0.1)
    assert edges["length"].sum() / 2 == pytest.approx(demo_area.network.metres)
    gates = demo_area.network.xy(demo_area.gates)
    start, end = ox.distance.nearest_nodes(graph, *gates[:2].T)
    metres = nx.shortest_path_length(graph, start, end, weight="length")
    assert metres >= np.hypot(*(gates[0] - gates[1])) - 60
    assert set(nx.shortest_path(graph, start, end)) <= set(nodes.index)


def test_area_risk_and_plan_are_drawn_by_geopandas(demo_area, demo_risk, demo_plan):
    """Each has a frame with one geometry, `plot` and `explore`."""
    for one in (demo_area, demo_risk, demo_plan):
        assert one.plot(figsize=(2, 2)).lines or one.plot().collections
        assert "leaflet" in one.explore().get_root().render()
    assert demo_plan.frame["urn"].tolist() == [patrol.urn for patrol in demo_plan.patrols]
    assert demo_plan.frame.crs == demo_area.projection.crs


def test_an_own_risk_surface_is_planned_with(demo_area):
    """Rates by polygon, in any CRS: the risk follows them, a metre of street at a time."""
    boxes = [shapely.box(0.80, 51.5, 0.87, 51.6), shapely.box(0.87, 51.5, 0.90, 51.6)]
    halves = gpd.GeoDataFrame({"rate": [1.0, 5.0]}, geometry=boxes, crs=4326)
    settings = {"way_home": {"exposure": {}, "clock": "flat"}, "risk": {"crime_weight": 1.0}}
    area = pp.with_settings(demo_area, **settings)
    risk = pp.estimate_risk(area, model=halves)
    per_metre = risk.joined / area.network.piece_metres
    x, y = area.network.piece_middle.T
    is_east = area.projection.to_degrees(x, y)[0] > 0.87
    assert per_metre[is_east].mean() == pytest.approx(5 * per_metre[~is_east].mean())
    assert [note.key for note in risk.notes if note.key.startswith("model")] == ["model_own"]
    assert pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=900003).patrols
    for wrong in (halves[["geometry"]], halves.assign(rate=-1.0), halves.translate(5.0)):
        with pytest.raises((pp.InputError, TypeError)):
            pp.estimate_risk(area, model=gpd.GeoDataFrame(wrong))


@pytest.mark.parametrize("window", ["after_school", "15:30", pp.Window(60)])
def test_a_back_test_takes_any_window_and_periods(demo_area, window):
    """Its own name for the default, and what lacks is said: hours of crimes."""
    months = pd.Period("2026-08"), pd.Period("2026-09")
    with pytest.raises(pp.InputError, match="times of day are not known"):
        pp.backtest_risk(demo_area, origins=months, window=window)


def test_old_data_are_said_and_very_old_ones_refused(demo_area, demo_plan):
    """As the commands do: the data end in September 2026."""
    given = (demo_area, demo_plan.risk, demo_plan.hotspots)
    late = pp.plan_patrols(*given, urns=900003, date="2027-05-03", for_week=False)
    assert "more than six months before 2027-05-03" in late.area.notes[0].text
    with pytest.raises(pp.InputError, match="more than two years before 2028-12-04"):
        pp.plan_patrols(*given, urns=900003, date="2028-12-04")
    with pytest.raises(pp.InputError, match="more than two years before 2028-12-04"):
        pp.plan_week(demo_area, demo_plan, start="2028-12-04")
