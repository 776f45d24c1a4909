"""An attacker holds two outputs and subtracts them: what comes back is never under the steps.

What two files must agree in is counted here by hand, apart from the program's own table.
"""

import dataclasses
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from attacks import small_town as town
from hypothesis import assume, event, given, settings, strategies as st

import patrolplan as pp
from patrolplan.atomic import format_json
from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.inputs.reports import read_reports
from patrolplan.outputs.brief.brief_render import build_brief_document
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.privacy import FACTORS, ROUNDING_STEP, group_reports
from patrolplan.settings import parse_settings
from patrolplan.tables import list_left_out
from patrolplan.team.brief import build_brief

BNG = "EPSG:27700"
CORNER = np.array([town.WEST, town.SOUTH])
PIECES = CORNER + np.array(
    [(x, y) for x in range(20, 900, 60) for y in range(20, 900, 60)], dtype=float
)
EVERYWHERE = shapely.box(0, 0, 1e6, 1e6)
IN_SQUARE = st.floats(1, 249)
GAVE = (
    st.sampled_from(["lunch", "after_school"]),
    st.sampled_from(["isolated", "poor_lighting", "none"]),
    st.sampled_from(["followed", "none"]),
    st.sampled_from(["2026-05-04", "2026-05-04", "2026-02-04", "2024-11-04"]),
)


def _lie_in(columns, rows, *gave):
    """Reports that lie anywhere in a square drawn from these."""
    return st.builds(
        lambda column, row, x, y, *gave: town.Report(250 * column + x, 250 * row + y, *gave),
        *(columns, rows, IN_SQUARE, IN_SQUARE, *gave),
    )


REPORT = _lie_in(st.integers(-1, 2), st.integers(-1, 2), *GAVE)
# So few squares that they fill up.
CROWD = st.lists(_lie_in(st.integers(0, 1), st.integers(0, 1), *GAVE), max_size=40)


@pytest.fixture(scope="module")
def see(tmp_path_factory):
    """What shows everything that leaves the door: groups by square, what is left out, digest."""
    path = tmp_path_factory.mktemp("door") / "reports.csv"

    def look(reports, *, pieces=PIECES, limits=EVERYWHERE, threshold=ROUNDING_STEP):
        table = read_reports([town.write_reports(path, reports)])
        groups, rows = group_reports(table, pieces, limits, crs=BNG, threshold=threshold)
        squares = [tuple(xy) for xy in np.floor((pieces - CORNER) / SQUARE_METRES).astype(int)]
        terms = {term: counts.tolist() for term, counts in groups.by_term.items()}
        shown = {
            square: (
                int(groups.counts[group]),
                groups.reasons[group],
                {term: counts[group] for term, counts in terms.items() if counts[group]},
            )
            for square, group in zip(squares, groups.group_of_piece, strict=True)
            if group >= 0
        }
        return shown, list_left_out(rows), groups.all_by_term, groups.digest

    return look


def count_by_hand(reports, step=ROUNDING_STEP):
    """What may be known of reports: counts by square, factor and term, in steps; and of refusals.

    Years of all squares are known in steps as well, but together no more than squares are: the year
    that shows most beyond its terms gives way.
    """
    good = [report for report in reports if report.reported_on[0] == "2"]
    held = Counter(report.square for report in good)
    gave = Counter((r.square, factor) for r in good for factor in r.factors if factor != "none")
    made = Counter((r.square, *_find_term(r)) for r in good)
    few = sum(count for count in held.values() if count < step)
    counts = {what: count // step for what, count in (held + gave + made).items() if count >= step}
    refused = len(reports) - len(good)
    in_years = Counter(_find_term(r)[0] for r in good)
    years = {year: n // step for year, n in sorted(in_years.items()) if n >= step}
    beyond = {
        year: steps - sum(counts.get((s, year, term), 0) for s in held for term in range(3))
        for year, steps in years.items()
    }
    most = sum(counts.get(square, 0) for square in held) + few // step
    while sum(years.values()) > most:
        year = max(years, key=lambda year: beyond[year])
        years[year] -= 1
        beyond[year] -= 1
    years = {year: steps for year, steps in years.items() if steps}
    return counts, few // step, (refused > 0, refused // step), years


def _find_term(report):
    """Year, and which third of it."""
    return int(report.reported_on[:4]), (int(report.reported_on[5:7]) - 1) // 4


@given(CROWD, REPORT)
def test_one_report_more_shows_only_where_a_step_is_passed(see, rows, more):
    """One report more changes nothing but its own square, and that only at a multiple of five."""
    before, *_ = see(rows)
    after, *_ = see([*rows, more])
    assert {k: v for k, v in before.items() if k != more.square} == {
        k: v for k, v in after.items() if k != more.square
    }
    if count_by_hand(rows)[0] == count_by_hand([*rows, more])[0]:
        assert before == after


@given(CROWD, st.lists(REPORT, max_size=8))
def test_reports_that_agree_in_steps_cannot_be_distinguished(see, rows, more):
    """Reports added below the next step, wherever in their squares, change nothing at all."""
    assume(count_by_hand(rows) == count_by_hand([*rows, *more]))
    assert see(rows) == see([*rows, *more])


@given(CROWD, st.lists(st.tuples(IN_SQUARE, IN_SQUARE), min_size=1, max_size=40))
def test_where_in_its_square_a_report_lies_is_lost(see, rows, moves):
    """Reports moved within their squares give the same, byte for byte."""
    moved = []
    for k, row in enumerate(rows):
        (column, line), (x, y) = row.square, moves[k % len(moves)]
        moved.append(dataclasses.replace(row, x=250 * column + x, y=250 * line + y))
    assert see(rows) == see(moved)


BOX = st.tuples(*[st.integers(0, 400)] * 2, *[st.integers(410, 900)] * 2)


@given(CROWD, BOX, BOX)
def test_zooming_never_cuts_a_group(see, rows, one, other):
    """Whatever limits are drawn, a square that shows in both shows the same."""
    views, squares = [], []
    for box in (one, other):
        limits = shapely.affinity.translate(shapely.box(*box), *CORNER)
        within = PIECES[shapely.contains_xy(limits, PIECES[:, 0], PIECES[:, 1])]
        assume(len(within))
        views.append(see(rows, pieces=within, limits=limits)[0])
        squares.append({tuple(xy) for xy in np.floor((within - CORNER) / 250).astype(int)})
    for square in squares[0] & squares[1]:
        assert views[0].get(square) == views[1].get(square)


@given(CROWD, st.sets(st.integers(0, len(PIECES) - 1), min_size=1))
def test_other_streets_never_cut_a_group(see, rows, some):
    """With streets taken away, each square that still has one shows what it showed before."""
    fewer = PIECES[sorted(some)]
    before, after = see(rows)[0], see(rows, pieces=fewer)[0]
    squares = {tuple(xy) for xy in np.floor((fewer - CORNER) / SQUARE_METRES).astype(int)}
    assert after == {square: shown for square, shown in before.items() if square in squares}


@given(CROWD)
def test_no_street_shows_that_a_report_lies_on_it(tmp_path_factory, rows):
    """Pieces of one square share its group, whichever of them the reports lie on."""
    path = tmp_path_factory.mktemp("street") / "reports.csv"
    table = read_reports([town.write_reports(path, rows)])
    groups, _ = group_reports(table, PIECES, EVERYWHERE, crs=BNG, threshold=ROUNDING_STEP)
    squares = map(tuple, PIECES // SQUARE_METRES)
    shown = {*zip(squares, groups.group_of_piece.tolist(), strict=True)}
    assert len(shown) == len({square for square, _ in shown})


# Two attacks that found single reports, and any others of their kind, on a town of a few streets.


@pytest.fixture(scope="module")
def build_town(tmp_path_factory):
    """What loads the town with some reports under some settings."""
    folder = tmp_path_factory.mktemp("town")
    streets = {without: town.write_town(folder, without=without) for without in STREETS}

    def load(reports, *, without=(), boundary=None, crs=BNG, **sections):
        town.write_reports(folder / "reports.csv", reports)
        area = {"crs": crs}
        if boundary is not None:
            shape = gpd.GeoSeries([shapely.affinity.translate(boundary, *CORNER)], crs=BNG)
            (folder / "area.geojson").write_text(shape.to_crs(4326).to_json(), encoding="utf-8")
            area["boundary"] = "area.geojson"
        data = town.describe_settings(streets[without], area=area, **sections)
        return pp.load_area(parse_settings(data, folder=folder))

    return load


STREETS = ((), (0,), (2, 7))
WHOLE = shapely.box(-20, -20, 700, 700)
TMERC = (
    "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0={} +y_0={} +ellps=airy "
    "+towgs84=446.448,-125.157,542.06,0.15,0.247,0.842,-20.489 +units=m"
)


def _square(column, row):
    return shapely.box(250 * column, 250 * row, 250 * column + 250, 250 * row + 250)


def test_cutting_squares_out_of_the_area_counts_no_report(build_town):
    """Counts of what is left out do not change with a hole where there is a single report.

    A square of 14 reports without a street, and then a single one: 14 and 15 are not the same in
    steps, so refused reports counted within the limits would show the single one.
    """
    reports = [*town.scatter(0, 0, 14), *town.scatter(2, 0, 1), *town.scatter(0, 1, 9)]
    seen = []
    for holes in ([], [(2, 0)], [(2, 1)], [(2, 0), (2, 1)]):
        limits = shapely.difference(WHOLE, shapely.union_all([_square(0, 0)]))
        for hole in holes:
            limits = shapely.difference(limits, _square(*hole))
        area = build_town(reports, boundary=limits)
        rows = [row for row in list_left_out(area.left_out) if row["source"] == "reports"]
        seen.append((rows, area.reports.counts.tolist()))
    assert seen[0][0] == [
        {"source": "reports", "reason": "no walkable street near", "count": "10"},
        {"source": "reports", "reason": "in a group under the threshold", "count": "fewer than 5"},
    ]
    assert all(one == seen[0] for one in seen[1:])


def test_sliding_the_crs_finds_no_report(build_town):
    """In no CRS do other reports form a group: four and a single one next door never meet."""
    reports = [*town.scatter(0, 0, 4), town.Report(251, 40), *town.scatter(1, 1, 8)]
    for shift in (0, 1.8, 125, 231, 249):
        area = build_town(reports, crs=TMERC.format(400_000 + shift, -100_000 + shift / 2))
        grouped = area.reports.group_of_piece >= 0
        squares = find_squares(area.network.piece_middle[grouped], area.projection.crs)
        corner = CORNER // 250
        assert {tuple(square - corner) for square in squares[:, 1:]} == {(1, 1)}
        assert area.reports.counts.tolist() == [5]


HOLES = st.lists(
    st.builds(_square, st.integers(0, 2), st.integers(0, 2))
    | st.builds(
        lambda x, y, side: shapely.box(x, y, x + side, y + side), *[st.integers(9, 400)] * 3
    ),
    max_size=3,
)
BOUNDARY = st.none() | st.builds(
    lambda west, south, holes: shapely.difference(
        shapely.box(west, south, 700, 590), shapely.union_all(holes)
    ),
    *(st.integers(-20, 200), st.integers(-20, 200), HOLES),
)
SLID = st.builds(TMERC.format, st.integers(400_000, 400_500), st.floats(-100_500, -100_000))
CRS = st.sampled_from([BNG, "EPSG:32631", TMERC.format(400_123, -100_077)])
"""A few, so that their streets are cached; long forms draw any."""

WORLD = {
    "without": st.sampled_from(STREETS),
    "boundary": BOUNDARY,
    "privacy": st.fixed_dictionaries(
        {"threshold": st.sampled_from([5, 5, 6, 8, 10, 3]), "reason": st.just("a test")}
    ),
    "patrol": st.fixed_dictionaries(
        {"window_minutes": st.sampled_from([20, 45]), "dwell_minutes": st.just(5)}
    ),
    "seed": st.integers(1, 3),
}
FAR = _lie_in(st.just(360), st.just(0), *GAVE)
REFUSED = st.builds(lambda x: town.Report(x, 40, reported_on="no date"), IN_SQUARE)
ANY_REPORT = REPORT | FAR | REFUSED


@st.composite
def twins(draw, crs):
    """Settings, and two files of reports that agree in what may be known of them."""
    world = draw(st.fixed_dictionaries(WORLD | {"crs": crs}))
    step = min(world["privacy"]["threshold"], ROUNDING_STEP)
    one = draw(st.lists(ANY_REPORT, max_size=6)) + draw(CROWD)
    other, facts = list(one), count_by_hand(one, step)
    for report, pick in draw(st.lists(st.tuples(ANY_REPORT, st.integers(0, 99)), max_size=9)):
        at = pick % (len(other) + 1)
        added = [*other[:at], report, *other[at:]]
        moved = [*other[:at], *other[at + 1 :]]
        for changed in ([*moved, report], added, moved):
            if count_by_hand(changed, step) == facts:
                other = changed
                break
    assume(other != one)
    return world, one, other


def _observe(load, reports, world, cache):
    """All that can be seen of a town: area, risk, hotspots, plan, messages, cache."""
    os.environ["PATROLPLAN_CACHE"] = str(cache)
    try:
        area = load(reports, **world)
        plan = town.plan(area)
    except pp.InputError as error:
        event(str(error)[:40])
        return [str(error)], None
    groups = area.reports
    seen = [repr(area), list_left_out(area.left_out), area.notes, area.tables, area.alarms]
    seen += [area.inputs, groups.digest, groups.all_by_term]
    seen += [(term, counts.tobytes()) for term, counts in groups.by_term.items()]
    arrays = (plan.risk.crime, plan.risk.reports, plan.risk.joined, groups.group_of_piece)
    arrays += groups.counts, groups.share_inside, groups.factor_counts
    seen += [array.tobytes() for array in arrays]
    seen += [plan.hotspots.to_csv(), format_json(build_plan_document(plan)), plan.risk.notes]
    return seen, plan


def _check_twins(load, folder, twin, *, with_pack):
    """Two files that agree give the same: bytes of outputs, messages and caches."""
    world, one, other = twin
    before = os.environ["PATROLPLAN_CACHE"]
    try:
        seen = [_observe(load, one, world, folder / "cache1")]
        seen.append(_observe(load, other, world, folder / "cache2"))
        assert seen[0][0] == seen[1][0]
        if with_pack and seen[0][1] is not None:
            for name, (_, plan) in zip(("out1", "out2"), seen, strict=True):
                shutil.rmtree(folder / name, ignore_errors=True)
                pp.write_pack(plan, folder / name)
            assert town.read_tree(folder / "out1") == town.read_tree(folder / "out2")
    finally:
        os.environ["PATROLPLAN_CACHE"] = before


@pytest.mark.slow
@settings(max_examples=1000)
@given(twins(CRS | SLID), st.integers(0, 19))
def test_a_thousand_files_that_agree_give_the_same(build_town, twin_folder, twin, pick):
    """Under drawn CRS, limits with holes, streets and settings, equal tables give equal bytes.

    Of one in twenty every file of the whole pack is compared.
    """
    _check_twins(build_town, twin_folder, twin, with_pack=pick == 0)


@pytest.fixture(scope="module")
def twin_folder(build_town, tmp_path_factory):
    """A folder whose two caches must be equal, byte for byte, at the end."""
    # Templates of pages are compiled once a process, for the cache that asks first: before.
    folder = tmp_path_factory.mktemp("twins")
    for name in ("cache1", "cache2"):
        (folder / name).mkdir()
    pp.write_pack(town.plan(build_town(town.scatter(0, 0, 9))), folder / "before")
    yield folder
    assert town.read_tree(folder / "cache1") == town.read_tree(folder / "cache2")


# The same through the whole program: what people hold, as bytes.


@pytest.fixture(scope="module")
def folder(copy_demo, tmp_path_factory):
    """A copy of the demo borough with the crimes of a quarter, whose reports may be changed."""
    return copy_demo(tmp_path_factory.mktemp("demo"), "2026-07", "2026-08", "2026-09").parent


def _area(folder, rows, **sections):
    rows.to_csv(folder / "reports.csv", index=False)
    text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text) | {"risk": {"model": "prior"}} | sections
    return pp.load_area(parse_settings(data, folder=folder))


def _everything(area, out):
    """Every file of a pack, the brief, and the area's own words."""
    urn = area.schools["urn"].iloc[0]
    plan = town.plan(area, urns=[urn])
    pp.write_pack(plan, out)
    brief = build_brief_document(build_brief(area, plan.hotspots, urn, dt.date(2026, 7, 1)))
    left_out = [str(row) for row in area.left_out]
    return town.read_tree(out), format_json(brief), repr(area), left_out, plan.risk.notes


def _unseen(rows, area):
    """Reports that pass no step: one more in a square, each of whose numbers has room."""
    x, y = area.projection.to_metres(
        pd.to_numeric(rows["longitude"], errors="coerce").to_numpy(),
        pd.to_numeric(rows["latitude"], errors="coerce").to_numpy(),
    )
    good = np.isfinite(x) & rows["reported_on"].str.match(r"\d{4}-(0[1-9]|1[0-2])-[0-2]\d$")
    square = pd.Series(list(zip(x // SQUARE_METRES, y // SQUARE_METRES, strict=True)))
    for _, held in rows[good].groupby(square[good]):
        counts = [
            len(held),
            *(held[name].value_counts().get(held[name].iloc[0]) for name in FACTORS),
            (_name_term(held["reported_on"]) == _name_term(held["reported_on"]).iloc[0]).sum(),
        ]
        if len(held) > ROUNDING_STEP and all(
            count % ROUNDING_STEP < ROUNDING_STEP - 1 for count in counts
        ):
            return held.iloc[[0]].assign(report_id="NEW", comment="planted")
    return pytest.fail("the demo has no square with room")


def _name_term(days):
    """Year and season of dates as text."""
    return days.str[:4] + ((days.str[5:7].astype(int) - 1) // 4).astype(str)


def test_one_report_more_leaves_every_byte_as_it_was(folder, demo_area, tmp_path):
    """Plan, layers, map, card, GPX, manifest and brief are the same bytes with one report more."""
    rows = pd.read_csv(folder / "reports.csv", dtype=str, keep_default_na=False)
    more = pd.concat([rows, _unseen(rows, demo_area)], ignore_index=True)
    before = _everything(_area(folder, rows), tmp_path / "before")
    after = _everything(_area(folder, more), tmp_path / "after")
    assert before == after
    manifest = json.loads((tmp_path / "after" / "manifest.json").read_text(encoding="utf-8"))
    raw = hashlib.sha256((folder / "reports.csv").read_bytes()).hexdigest()
    assert raw not in json.dumps(manifest)


def test_schools_windows_and_crime_do_not_regroup(folder, demo_area):
    """Other schools, windows, officers or crimes leave every group as it is."""
    rows = pd.read_csv(folder / "reports.csv", dtype=str, keep_default_na=False)
    urns = list(demo_area.schools["urn"][:2])
    text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    fewer = tomllib.loads(text)["sources"] | {"crimes": "crimes/2026-07/*-street.csv"}
    for sections in (
        {"schools": {"urns": urns}},
        {"patrol": {"window_minutes": 45}, "week": {"max_dose_minutes_per_day": 5}},
        {"sources": fewer},
    ):
        area = _area(folder, rows, **sections)
        assert area.reports.digest == demo_area.reports.digest


def test_the_cache_holds_nothing_of_reports(folder, demo_area):
    """The caches hold streets, open crimes, and what is made of them: reports change no byte."""
    assert len(demo_area.reports)
    cache = Path(os.environ["PATROLPLAN_CACHE"])
    rows = pd.read_csv(folder / "reports.csv", dtype=str)
    held = []
    for some in (rows, rows.head(300)):
        area = _area(folder, some)
        assert len(area.reports)
        pp.estimate_risk(area)
        held.append(town.read_tree(cache))
    assert held[0] == held[1]
    folders = {name.partition("/")[0] for name in held[1]}
    assert folders <= {"streets", "crimes", "arrays", "templates"}
    for path in (cache / "crimes").iterdir():
        _, accounts, table = path.read_bytes().split(b"\n", 2)
        assert not {*rows.columns} & {*pd.read_feather(io.BytesIO(table))}
        assert not any(name in accounts.decode() for name in rows.columns)
