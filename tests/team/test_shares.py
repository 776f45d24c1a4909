"""Patrol minutes, risk and street by polygons: each column sums to the whole."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hexagons import make_hexagons, measure_slowly

import patrolplan as pp
from patrolplan.team.week import Duty


@pytest.fixture(scope="module")
def plan(demo_area):
    """Patrols of two schools, with risk by a model that needs no comparison."""
    area = pp.with_settings(demo_area, risk={"model": "shrunk"})
    risk = pp.estimate_risk(area)
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=["900001", "900003"])


@pytest.fixture(scope="module")
def hexagons(demo_area):
    """Hexagons over the western half of the borough, so that some of it lies outside."""
    west, south, east, north = shapely.total_bounds(demo_area.network.piece_lines)
    return make_hexagons((west, south, (west + east) / 2, north), 300)


def test_columns_sum_to_the_whole(plan, hexagons):
    """What is in hexagons and outside together is the plan's minutes, all risk and all street."""
    shares = pp.shares_by(plan, hexagons.to_crs("EPSG:4326"))
    assert shares.index.tolist() == [*hexagons["id"], "outside"]
    minutes = sum(one.end_minutes - one.start_minutes for one in plan.patrols)
    assert shares["patrol_minutes"].sum() == pytest.approx(minutes, abs=0.02 * len(plan.patrols))
    assert shares["risk"].sum() == pytest.approx(1)
    assert shares["street_metres"].sum() == pytest.approx(plan.area.network.metres)
    assert (shares.loc["outside", ["risk", "street_metres"]] > 0).all()
    assert shares.crs == "EPSG:4326"
    assert shares.geometry.iloc[0].equals_exact(hexagons.to_crs(4326).geometry.iloc[0], 1e-9)


def test_street_and_risk_are_those_of_a_slow_loop(plan, hexagons):
    """Each piece is cut by each hexagon, one after another, with the same sums."""
    network = plan.area.network
    slow = np.array([measure_slowly(line, hexagons.geometry) for line in network.piece_lines])
    shares = pp.shares_by(plan, hexagons)
    np.testing.assert_allclose(shares["street_metres"], slow.sum(axis=0), atol=1e-3)
    risk = (slow / slow.sum(axis=1, keepdims=True) * plan.risk.joined[:, None]).sum(axis=0)
    np.testing.assert_allclose(shares["risk"], risk, atol=1e-9)


def test_minutes_are_those_of_a_slow_loop(plan, hexagons):
    """Presence and stops count at their points, walks by the length of their line."""
    shapes = list(hexagons.geometry)
    expected = np.zeros(len(shapes) + 1)

    def add(point, minutes):
        inside = [row for row, shape in enumerate(shapes) if shape.intersects(point)]
        expected[inside[0] if inside else -1] += minutes

    for patrol in plan.patrols:
        add(shapely.Point(patrol.point), patrol.gate_until_minutes - patrol.start_minutes)
        for stop in patrol.stops:
            add(shapely.Point(stop.point), stop.leave_minutes - stop.arrive_minutes)
        if patrol.stops:
            back = patrol.stops[-1].leave_minutes + patrol.legs[-1].minutes
            add(shapely.Point(patrol.point), patrol.end_minutes - back)
        for leg in patrol.legs:
            line = shapely.LineString(leg.line)
            metres = np.array(measure_slowly(line, shapes))
            expected += metres / metres.sum() * leg.minutes
    shares = pp.shares_by(plan, hexagons)
    np.testing.assert_allclose(shares["patrol_minutes"], expected, atol=0.02)


def test_a_week_counts_each_duty_and_each_person(plan, hexagons):
    """A duty counts as often as it is made; with a crew of two, officers' minutes are double."""
    one, other = plan.patrols
    days = [dt.date(2026, 11, 30), dt.date(2026, 12, 1)]
    duties = [(one, days[0], ()), (one, days[1], ("SSO-02",)), (other, days[0], ())]
    week = pp.Week(
        plan=plan,
        days=tuple(days),
        duties=tuple(
            Duty("SSO-01", walk.urn, day, walk.start_minutes, walk.end_minutes, 0, walk, 900, crew)
            for walk, day, crew in duties
        ),
        **dict.fromkeys(("unmet", "short", "notes", "locks", "bans"), ()),
        **{key: {} for key in ("delivered", "absent", "created_from")},
        status="feasible",
        worth=0.0,
        bound=0.0,
    )
    shares = pp.shares_by(week, hexagons)
    minutes = sum(duty.end_minutes - duty.start_minutes for duty in week.duties)
    officers = minutes + one.end_minutes - one.start_minutes
    assert shares["patrol_minutes"].sum() == pytest.approx(minutes, abs=0.02 * len(week.duties))
    assert shares["officer_minutes"].sum() == pytest.approx(officers, abs=0.05 * len(week.duties))
    assert shares["risk"].sum() == pytest.approx(1)


def _frame(*shapes, crs="EPSG:27700", **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


BOX, NEXT = shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)


@pytest.mark.parametrize(
    ("polygons", "options", "match"),
    [
        (_frame(BOX, shapely.box(5, 0, 20, 10)), {}, "rows 0 and 1 overlap by 50 square metres"),
        (_frame(BOX, crs=None), {}, "has polygons without a CRS; set it with set_crs"),
        (_frame(BOX, shapely.Point(1, 1)), {}, "row 1: has a Point, not a polygon"),
        (_frame(BOX, None), {}, "row 1: has a row without a shape, not a polygon"),
        (_frame(BOX, NEXT, id=["a", "a"]), {}, "row 1, column 'id': 'a' is missing, there twice"),
        (_frame(BOX, NEXT, id=["a", "outside"]), {}, "'outside' is missing, there twice, or"),
        (_frame(BOX, id=["a"]), {"name": "ward"}, "has no column 'ward'"),
        (_frame(), {}, "has no polygon"),
    ],
)
def test_polygons_that_cannot_be_counted_are_refused(plan, polygons, options, match):
    """The message says which row, what is wrong with it, and what to do."""
    with pytest.raises(pp.InputError, match=match):
        pp.shares_by(plan, polygons, **options)
