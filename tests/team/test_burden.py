"""Who gets the patrols, by polygons: sums are those of slow counts; few people do not show."""

import datetime as dt
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from hexagons import make_hexagons, measure_slowly
from sklearn.linear_model import PoissonRegressor
from team.entries import POINTS, make_visit, make_week
from team.slow_counts import keep_incidents
from weeks_by_hand import build_week

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.inputs.polygons import read_limits
from patrolplan.inputs.table_reader import match_columns
from patrolplan.risk.history import HARM_DAYS
from patrolplan.risk.own_model import wrap_estimator
from patrolplan.tables import Column
from patrolplan.team.ledger import schema
from patrolplan.team.week import Duty


@pytest.fixture(scope="module")
def plan(demo_plan):
    """Patrols of two schools."""
    patrols = tuple(one for one in demo_plan.patrols if one.urn in {"900001", "900003"})
    return replace(demo_plan, patrols=patrols)


@pytest.fixture(scope="module")
def hexagons(demo_area):
    """Hexagons over the western half of the borough, so that some of it lies outside."""
    west, south, east, north = shapely.total_bounds(demo_area.network.piece_lines)
    return make_hexagons((west, south, (west + east) / 2, north), 300)


def test_street_and_risk_are_those_of_a_slow_loop(plan, hexagons):
    """Each piece is cut by each hexagon, one after another; the rest lies outside."""
    network = plan.area.network
    slow = np.array([measure_slowly(line, hexagons.geometry) for line in network.piece_lines])
    other = pp.shares_by(plan, hexagons.to_crs("EPSG:4326"))
    assert other.crs == "EPSG:4326"
    assert other.geometry.iloc[0].equals_exact(hexagons.to_crs(4326).geometry.iloc[0], 1e-9)
    shares = pp.shares_by(plan, hexagons)
    assert shares.index.tolist() == other.index.tolist() == [*hexagons["id"], "outside"]
    assert slow[:, -1].any()
    np.testing.assert_allclose(other["street_metres"], slow.sum(axis=0), atol=0.1)
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
            add(shapely.Point(patrol.point), patrol.end_minutes - patrol.back_minutes)
        assert patrol.legs
        left = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
        reached = [*(stop.arrive_minutes for stop in patrol.stops), patrol.back_minutes]
        for leg, leave, arrive in zip(patrol.legs, left, reached, strict=True):
            line = shapely.LineString(leg.line)
            metres = np.array(measure_slowly(line, shapes))
            expected += metres / metres.sum() * (arrive - leave)
    shares = pp.shares_by(plan, hexagons)
    np.testing.assert_allclose(shares["patrol_minutes"], expected, atol=0.02)


def test_a_week_counts_each_duty_and_each_person(plan, hexagons):
    """A duty counts as often as it is made; with a crew of two, officers' minutes are double."""
    one, other = plan.patrols
    days = [dt.date(2026, 11, 30), dt.date(2026, 12, 1)]
    duties = [(one, days[0], ()), (one, days[1], ("SSO-02",)), (other, days[0], ())]
    duties = tuple(
        Duty("SSO-01", walk.urn, day, walk.start_minutes, walk.end_minutes, 0, walk, 900, crew)
        for walk, day, crew in duties
    )
    week = build_week(plan, tuple(days), duties)
    shares = pp.shares_by(week, hexagons)
    minutes = sum(duty.end_minutes - duty.start_minutes for duty in week.duties)
    officers = minutes + one.end_minutes - one.start_minutes
    assert shares["patrol_minutes"].sum() == pytest.approx(minutes, abs=0.02 * len(week.duties))
    assert shares["officer_minutes"].sum() == pytest.approx(officers, abs=0.05 * len(week.duties))


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


MONDAY = dt.date(2026, 11, 30)
RESIDENTS = [1204.0, 998.0, np.nan]


@pytest.fixture(scope="module")
def thirds(demo_area):
    """West, middle and east of the borough's western part; the rest lies outside."""
    west, south, east, north = shapely.total_bounds(demo_area.network.piece_lines)
    edges = np.linspace(west, east - 400, 4)
    limits = read_limits(demo_area.settings, demo_area.network.node_xy)
    boxes = shapely.box(edges[:-1], south - 10, edges[1:], north + 10)
    table = {"area": ["west", "middle", "east"], "residents": RESIDENTS}
    return _frame(*shapely.intersection(boxes, limits), **table)


@pytest.fixture
def ledger(tmp_path, demo_area):
    """A week of five doses handed out, four visits recorded: two together, one cut short."""
    days = [MONDAY + dt.timedelta(days=day) for day in range(5)]
    week = make_week(
        days,
        ("SSO-01", "", days[0], 1, "H1", "15:30", 15.0),
        ("SSO-01", "", days[0], 2, "H2", "16:00", 20.0),
        ("SSO-02", "", days[1], 1, "H2", "15:40", 15.0),
        ("SSO-02", "", days[1], 2, "H3", "16:10", 10.0),
        ("SSO-01", "", days[2], 1, "H1", "15:30", 15.0),
    )
    visits = [
        make_visit("SSO-01", days[0], "H1", 15.0, arrive="15:30"),
        make_visit("SSO-01", days[0], "H2", 12.0, arrive="16:00"),
        make_visit("SSO-03", days[0], "H2", 12.0, arrive="16:06"),  # six of them with SSO-01
        make_visit("SSO-02", days[1], "H3", 25.0, arrive="16:10"),
    ]
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with pp.Ledger(url, demo_area.name, demo_area.projection) as opened:
        opened.hand_out(week)
        opened.record(visits)
        yield opened


def test_minutes_are_a_recount_of_the_ledger(demo_area, ledger, thirds):
    """Doses and visits in the database, place by place, are the table's minutes; so is a return."""
    burden = pp.measure_burden(demo_area, ledger, thirds)
    shapes = list(thirds.to_crs("EPSG:4326").geometry)
    with ledger._engine.connect() as connection:
        query = sa.select(schema.doses.c.id, schema.doses.c.minutes)
        rows = [(one.removeprefix("P1-"), each, 0.0) for one, each in connection.execute(query)]
    # Two officers at H2 for 12 minutes each, the second six minutes later: 18 minutes of presence.
    rows += [("H1", 0.0, 15.0), ("H2", 0.0, 18.0), ("H3", 0.0, 25.0)]
    expected = np.zeros((4, 2))
    for spot, promised, presence in rows:
        inside = [row for row, one in enumerate(shapes) if one.covers(shapely.Point(POINTS[spot]))]
        expected[inside[0] if inside else -1] += promised, presence
    columns = burden.by_area[["promised_minutes", "presence_minutes"]]
    np.testing.assert_allclose(columns, expected)
    assert (expected[:3].sum(axis=1) > 0).sum() > 1
    returned = pp.compare_doses(ledger, MONDAY, MONDAY + dt.timedelta(days=6))
    np.testing.assert_allclose(columns.sum(), returned[list(columns)].sum())
    per_1000 = burden.by_area["promised_per_1000_residents"]
    np.testing.assert_allclose(per_1000, 1000 * expected[:, 0] / [1200, 995, np.nan, np.nan])
    assert burden.days == (MONDAY, MONDAY + dt.timedelta(days=2))


def test_harm_is_that_of_a_slow_count(demo_area, ledger, thirds):
    """Each incident of the last year goes to the streets of its catchment, and from there on."""
    burden = pp.measure_burden(demo_area, ledger, thirds)
    network, catchments = demo_area.network, demo_area.catchments
    shares = np.zeros((len(catchments), 4))
    for piece, line in enumerate(network.piece_lines[: len(network)]):
        parts = np.array(measure_slowly(line, thirds.geometry)) / line.length
        shares[catchments.piece_catchment[piece]] += parts * catchments.piece_share[piece]
    first = demo_area.incidents["month"].max() - pd.DateOffset(months=11)
    counted = demo_area.settings.crimes.risk_categories
    harm = np.zeros(4)
    rows = demo_area.incidents.assign(catchment=demo_area.incident_catchment)
    for one in rows[rows["month"] >= first].itertuples():
        if one.category in counted:
            harm += HARM_DAYS[one.category] * shares[one.catchment]
    np.testing.assert_allclose(burden.by_area["harm_per_month"], harm / 12, rtol=1e-6)
    np.testing.assert_allclose(burden.by_area["harm_share"], harm / harm.sum(), rtol=1e-6)
    ratio = burden.by_area["promised_share"] / (harm / harm.sum())
    np.testing.assert_allclose(burden.by_area["promised_ratio"], ratio, rtol=1e-6)


def test_a_month_that_is_missing_is_unknown(demo_area, ledger, thirds):
    """Harm a month is no less for months that a force did not publish, which are emptied."""
    whole = pp.measure_burden(demo_area, ledger, thirds).by_area["harm_per_month"]
    months = demo_area.exposure.months
    gone = months[-6:]
    held = demo_area.exposure.held.copy()
    held[-6:] = False
    keep = ~demo_area.incidents["month"].isin(gone[:-1]).to_numpy()
    part = replace(demo_area, exposure=replace(demo_area.exposure, held=held))
    part = keep_incidents(part, keep)
    some = pp.measure_burden(part, ledger, thirds).by_area["harm_per_month"]
    assert (some > 0.8 * whole).all()


def test_groups_are_sums_of_their_areas(demo_area, ledger, thirds):
    """Minutes, pupils and harm of a group are those of its areas; some areas have no group."""
    audit = pp.AuditColumns(pd.DataFrame({"area": ["west", "middle"], "decile": [10.0, 2.0]}))
    burden = pp.measure_burden(demo_area, ledger, thirds, audit=audit)
    groups = burden.by_group["decile"]
    assert groups.index.tolist() == ["2", "10", "not known", "outside"]
    assert groups.index.name == "audit_only_decile"
    areas = burden.by_area.loc[["middle", "west", "east", "outside"]]
    for column in ("promised_minutes", "presence_minutes", "pupils", "harm_per_month", "residents"):
        np.testing.assert_allclose(groups[column], areas[column])
    one = pp.AuditColumns(pd.DataFrame({"area": thirds["area"], "half": ["a", "a", "b"]}))
    halves = pp.measure_burden(demo_area, ledger, thirds, audit=one).by_group["half"]
    west, middle = burden.by_area.loc["west"], burden.by_area.loc["middle"]
    assert halves.loc["a", "residents"] == 2200
    for column in ("promised_minutes", "harm_share"):
        assert halves.loc["a", column] == pytest.approx(west[column] + middle[column])
    none = pp.AuditColumns(one.to_frame().iloc[:0].reset_index())
    with pytest.raises(InputError, match="none of the polygons, such as 'west'"):
        pp.measure_burden(demo_area, ledger, thirds, audit=none)


def test_one_person_more_does_not_show(demo_area, ledger, thirds):
    """One resident or pupil more leaves every figure as it is, until a multiple of five."""

    def measure(residents, rolls):
        schools = demo_area.schools.assign(roll=rolls)
        polygons = thirds.assign(residents=residents)
        return pp.measure_burden(replace(demo_area, schools=schools), ledger, polygons).by_area

    rolls = np.full(len(demo_area.schools), 400.0)
    one_more = np.append(rolls[:-1], 401.0)
    plain = measure([1200.0, 995.0, 4.0], rolls)
    pd.testing.assert_frame_equal(measure([1201.0, 999.0, 3.0], one_more), plain)
    assert not measure([1205.0, 995.0, 4.0], rolls).equals(plain)
    assert not measure([1200.0, 995.0, 4.0], rolls + 5).equals(plain)
    few = measure([4.0, 0.0, 5.0], rolls)
    assert few["residents"].fillna(-1).tolist() == [-1, 0, 5, -1]
    assert few["promised_per_1000_residents"].isna().tolist() == [True, True, False, True]
    unknown = measure([1200.0, 995.0, 4.0], np.full(len(rolls), np.nan))
    assert not (unknown["pupils"] > 0).any()


ROOT = Path(__file__).parents[2]
TABLE = pd.DataFrame({"area": ["north", "south"], "decile": [1, 9], "ethnicity": ["a", "b"]})

SNIPPET = """\
import patrolplan as pp
from patrolplan.patrols.plan import Plan
from patrolplan.risk.surface import Risk

def use(area: pp.StudyArea, risk: Risk, audit: pp.AuditColumns, plan: Plan) -> None:
    pp.measure_burden(area, plan, audit=audit)
    pp.estimate_risk(audit)
    pp.build_area(crimes=audit)
    pp.build_area(areas=audit)
    pp.find_hotspots(area, audit)
    pp.plan_patrols(area, audit, None)
    pp.backtest_risk(audit)
"""


@pytest.fixture
def audit():
    """Two columns for audit."""
    return pp.AuditColumns(TABLE)


class _Carrier(PoissonRegressor):
    """A model that brings a table of its own along."""

    def __init__(self, extra=None, *, alpha=1.0):
        super().__init__(alpha=alpha)
        self.extra = extra


def test_offered_at_run_time_they_are_refused_by_name(audit):
    """Risk, models of one's own, areas and patrols name the column that they refuse."""
    both = "column 'decile' is for audit only.*column 'ethnicity' is for audit only"
    area = SimpleNamespace(incidents=pd.DataFrame({"audit_only_decile": [1]}))
    frame = audit.to_frame().reset_index()
    wide = pd.DataFrame({"Month": ["2024-05"], "area": ["north"]}).merge(frame, on="area")
    offers = [
        (pp.estimate_risk, (audit,), {}, both),
        (pp.estimate_risk, (area,), {}, "decile"),
        (pp.estimate_risk, (SimpleNamespace(),), {"model": audit}, both),
        (pp.build_area, (), {"crimes": audit}, both),
        (pp.build_area, (), {"crimes": wide}, both),
        (pp.build_area, (), {"schools": [TABLE, frame]}, both),
        (pp.plan_patrols, (None, None, gpd.GeoDataFrame(frame)), {}, both),
        (pp.snap_hotspots, (None, gpd.GeoDataFrame(frame)), {}, both),
        (wrap_estimator, ("mine", audit, 1), {}, both),
        (wrap_estimator, ("mine", _Carrier(frame), 1), {}, both),
        (wrap_estimator, ("mine", _Carrier({"more": [audit]}), 1), {}, both),
        (wrap_estimator, ("mine", _Carrier(frame["audit_only_decile"]), 1), {}, "decile"),
        (wrap_estimator, ("mine", _Carrier(pd.DataFrame({"IMDDecile": [1]})), 1), {}, "IMDDecile"),
    ]
    for call, arguments, options, match in offers:
        with pytest.raises(InputError, match=f"(?s){match}"):
            call(*arguments, **options)
    assert callable(wrap_estimator("mine", _Carrier(pd.DataFrame({"rain": [1]})), 1))


def test_they_are_no_table(audit):
    """Nothing that takes tables or arrays gets at the values."""
    for take in (np.asarray, pd.DataFrame, list, pd.Series):
        with pytest.raises((InputError, TypeError, ValueError)):
            np.asarray(take(audit), dtype=float)
    assert not hasattr(audit, "columns")
    assert repr(audit) == "<AuditColumns: decile, ethnicity; 2 areas>"


def test_a_file_that_maps_them_is_refused():
    """A mapping of settings cannot read a sensitive column as something else."""
    wanted = [Column("roll", "pupils", needed=False), Column("urn", "number")]
    header = ["urn", "PercentageFSM", "audit_only_decile"]
    assert match_columns("s.csv", header, wanted, {}, "schools") == {"urn": "urn"}
    for theirs in header[1:]:
        with pytest.raises(InputError, match=rf"s.csv: column '{theirs}' is for audit only"):
            match_columns("s.csv", header, wanted, {"roll": theirs}, "schools")


@pytest.mark.slow
def test_they_fail_by_type(tmp_path):
    """A type checker refuses every line that offers them to risk or patrols, and no other."""
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml"]
    command += ["--cache-dir", tmp_path / "cache", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    found = (row for row in done.stdout.splitlines() if "snippet.py:" in row and "error" in row)
    lines = {int(row.split(":")[1]) for row in found}
    first = SNIPPET.splitlines().index("    pp.estimate_risk(audit)") + 1
    assert lines == set(range(first, len(SNIPPET.splitlines()) + 1)), done.stdout
