"""An attacker holds two outputs and subtracts them: what comes back is never under the steps."""

import hashlib
import json
import os
import shutil
import tomllib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, strategies as st

import patrolplan as pp
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import build_brief_document
from patrolplan.outputs.output_folder import format_json
from patrolplan.privacy import (
    FACTORS,
    ROUNDING_STEP,
    SQUARE_METRES,
    group_reports,
    suppress_and_round,
)
from patrolplan.settings import parse_settings
from patrolplan.tables import LeftOut, list_left_out

PIECES = np.array([(x, y) for x in range(20, 900, 60) for y in range(20, 900, 60)], dtype=float)
EVERYWHERE = shapely.box(-1000, -1000, 2000, 2000)
REPORT = st.tuples(
    st.floats(-100, 1000),
    st.floats(-100, 1000),
    st.sampled_from(["lunch", "after_school"]),
    st.sampled_from(["isolated", "poor_lighting", "none"]),
    st.sampled_from(["followed", "none"]),
)
# So few places that squares fill up.
CROWD = st.lists(REPORT.map(lambda r: (r[0] // 300 * 300 + 5, r[1] // 300 * 300 + 5, *r[2:])))


def _table(rows):
    table = pd.DataFrame(rows, columns=["x", "y", *FACTORS])
    return table.astype({"x": float, "y": float})


def _seen(rows, *, pieces=PIECES, limits=EVERYWHERE, threshold=ROUNDING_STEP):
    """Everything that leaves the door: the groups by the squares' places, and what is left out."""
    left_out = LeftOut()
    groups = group_reports(_table(rows), pieces, limits, left_out, threshold=threshold)
    squares = {
        group: tuple(np.floor(xy / SQUARE_METRES))
        for xy, group in zip(pieces, groups.group_of_piece, strict=True)
        if group >= 0
    }
    shown = {
        squares[group]: (int(groups.counts[group]), groups.reasons[group]) for group in squares
    }
    return shown, list_left_out(left_out.rows), groups.digest


def _square(row):
    return tuple(np.floor(np.array(row[:2]) / SQUARE_METRES))


@given(CROWD, REPORT)
def test_one_report_more_shows_only_where_a_step_is_passed(rows, more):
    """One report more changes nothing but its own square, and that only at a multiple of five."""
    before, _, _ = _seen(rows)
    after, _, _ = _seen([*rows, more])
    here = _square(more)
    assert {k: v for k, v in before.items() if k != here} == {
        k: v for k, v in after.items() if k != here
    }
    held = [row for row in rows if _square(row) == here]
    gave = [sum(factor in row[2:] for row in held) + 1 for factor in more[2:] if factor != "none"]
    if all(count % ROUNDING_STEP for count in (len(held) + 1, *gave)):
        assert before.get(here) == after.get(here)


@given(CROWD, st.data())
def test_reports_that_agree_in_steps_cannot_be_told_apart(rows, data):
    """Reports added below the next step, wherever in their squares, change nothing at all."""
    more = data.draw(st.lists(REPORT, max_size=8))
    both = [*rows, *more]
    squares = {_square(row) for row in both}
    for square in squares:
        old = [row for row in rows if _square(row) == square]
        new = [row for row in both if _square(row) == square]
        assume(len(old) // ROUNDING_STEP == len(new) // ROUNDING_STEP)
        for factor in ("lunch", "after_school", "isolated", "poor_lighting", "followed"):
            counts = [
                sum(factor in row[2:] for row in held) // ROUNDING_STEP for held in (old, new)
            ]
            assume(counts[0] == counts[1])
    (shown, said, digest), (shown_too, said_too, digest_too) = _seen(rows), _seen(both)
    assert shown == shown_too
    assert digest == digest_too
    lost = [{row["reason"]: row["count"] for row in rows_} for rows_ in (said, said_too)]
    assert lost[0].keys() == lost[1].keys()
    assert all(
        count.startswith("fewer") or int(count) % ROUNDING_STEP == 0 for count in lost[1].values()
    )


@given(CROWD, st.lists(st.tuples(st.floats(0, 249), st.floats(0, 249)), min_size=1, max_size=40))
def test_where_in_its_square_a_report_lies_is_lost(rows, moves):
    """Reports moved within their squares give the same, byte for byte."""
    moved = [
        (*(np.array(_square(row)) * SQUARE_METRES + moves[k % len(moves)]), *row[2:])
        for k, row in enumerate(rows)
    ]
    assert _seen(rows) == _seen(moved)


BOX = st.tuples(*[st.integers(0, 400)] * 2, *[st.integers(410, 900)] * 2)


@given(CROWD, BOX, BOX)
def test_zooming_never_cuts_a_group(rows, one, other):
    """Whatever limits are drawn, a square that shows in both shows the same."""
    views = []
    for box in (one, other):
        limits = shapely.box(*box)
        within = PIECES[shapely.contains_xy(limits, PIECES[:, 0], PIECES[:, 1])]
        assume(len(within))
        views.append((_seen(rows, pieces=within, limits=limits)[0], within))
    squares = [{tuple(np.floor(xy / SQUARE_METRES)) for xy in within} for _, within in views]
    for square in squares[0] & squares[1]:
        assert views[0][0].get(square) == views[1][0].get(square)


@given(CROWD, st.sets(st.integers(0, len(PIECES) - 1), min_size=1))
def test_other_streets_never_cut_a_group(rows, kept):
    """With streets taken away, each square that still has one shows what it showed before."""
    fewer = PIECES[sorted(kept)]
    before, after = _seen(rows)[0], _seen(rows, pieces=fewer)[0]
    squares = {tuple(np.floor(xy / SQUARE_METRES)) for xy in fewer}
    assert after == {square: shown for square, shown in before.items() if square in squares}


@given(st.integers(0, 300), st.integers(ROUNDING_STEP, 80), st.integers(ROUNDING_STEP, 80))
def test_two_thresholds_tell_no_more_than_the_steps(count, one, other):
    """Counts told at any thresholds depend on the count in steps alone."""
    rounded = count // ROUNDING_STEP * ROUNDING_STEP
    for threshold in (one, other):
        assert suppress_and_round(count, threshold) == suppress_and_round(rounded, threshold)


@given(CROWD)
def test_no_street_shows_that_a_report_lies_on_it(rows):
    """Pieces of one square share its group, whichever of them the reports lie on."""
    groups = group_reports(_table(rows), PIECES, EVERYWHERE, LeftOut(), threshold=ROUNDING_STEP)
    for square in {tuple(row) for row in np.floor(PIECES / SQUARE_METRES)}:
        here = (np.floor(PIECES / SQUARE_METRES) == square).all(axis=1)
        assert len(set(groups.group_of_piece[here])) == 1


# The same through the whole program: what people hold, as bytes.


@pytest.fixture(scope="module")
def folder(demo, tmp_path_factory):
    """A copy of the demo borough whose reports may be changed."""
    copy = tmp_path_factory.mktemp("attack") / "demo"
    shutil.copytree(demo.parent, copy, ignore=shutil.ignore_patterns("*.py*", "demo"))
    return copy


def _area(folder, rows, **sections):
    rows.to_csv(folder / "reports.csv", index=False)
    text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text) | {"risk": {"model": "prior count"}} | sections
    return pp.load_area(parse_settings(data, folder=folder))


def _everything(area, out):
    """Hash of every file of a pack, and of the brief and the area's own words."""
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    urn = area.schools["urn"].iloc[0]
    plan = pp.plan_patrols(area, risk, hotspots, urns=[urn])
    pp.write_pack(pp.compare_with_past(plan), out)
    brief = build_brief_document(
        build_brief(area, hotspots, urn, pd.Timestamp("2026-07-01").date())
    )
    files = {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file()
    }
    return files, format_json(brief), repr(area), [str(row) for row in area.left_out], risk.notes


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
        ]
        if len(held) > ROUNDING_STEP and all(
            count % ROUNDING_STEP < ROUNDING_STEP - 1 for count in counts
        ):
            return held.iloc[[0]].assign(report_id="NEW", comment="planted")
    return pytest.fail("the demo has no square with room")


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
    sources = tomllib.loads(text)["sources"]
    months = sorted(path.name for path in (folder / "crimes").iterdir())
    fewer = [f"crimes/{month}/*-street.csv" for month in months[: len(months) // 2]]
    for sections in (
        {"schools": {"urns": urns}},
        {"patrol": {"window_minutes": 45}, "week": {"max_dose_minutes_per_day": 5}},
        {"sources": sources | {"crimes": fewer}},
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
        held.append({path: path.read_bytes() for path in cache.rglob("*") if path.is_file()})
    assert held[0] == held[1]
    folders = {path.relative_to(cache).parts[0] for path in held[1]}
    assert folders <= {"streets", "crimes", "arrays", "trials", "rates"}
    for path in (cache / "crimes").iterdir():
        table = pd.read_parquet(BytesIO(path.read_bytes().partition(b"\n")[2]))
        assert set(table.columns).isdisjoint(rows.columns)
