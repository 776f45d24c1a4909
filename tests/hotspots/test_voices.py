"""Two voices, recorded crime and pupils' reports, and the reasons that they give."""

import dataclasses

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.hotspots.reasons import (
    ReportsReason,
    _build_reports_reasons,
    _find_widest_group,
    find_reasons,
    read_reasons,
)
from patrolplan.hotspots.significance import assess_certainty
from patrolplan.outputs.reason_words import describe_certainty, describe_reason
from patrolplan.privacy import FACTOR_NAMES, ReportGroups, ReportTable, group_reports
from patrolplan.risk.report_voice import build_report_voice
from patrolplan.times import SchoolTerm


def _weighed(area, crime_weight):
    """The area with other weights of the voices; prior counts are enough to see them."""
    wanted = {"crime_weight": crime_weight, "model": "prior"}
    risk = area.settings.risk.model_copy(update=wanted)
    settings = area.settings.model_copy(update={"risk": risk})
    return dataclasses.replace(area, settings=settings)


def _reported(area, piece, count):
    """The area with so many equal reports on one piece of street and no others."""
    crs, middle = area.projection.crs, area.network.piece_middle
    gave = [count * (name in {"after_school", "poor_lighting"}) for name in FACTOR_NAMES]
    table = ReportTable(
        step=5,
        squares=find_squares(middle[[piece]], crs)[: count // 5],
        counts=np.array([count])[: count // 5],
        factor_counts=np.array([gave])[: count // 5],
        in_small_squares=0,
        refused={},
        by_year={2026: count // 5 * 5},
        by_term={SchoolTerm(2026, 1): np.array([count])[: count // 5]},
    )
    everywhere = shapely.box(0, 0, 1e6, 1e6)
    groups, _ = group_reports(table, middle, everywhere, crs=crs, threshold=5)
    return dataclasses.replace(_weighed(area, 0.7), reports=groups)


@pytest.fixture(scope="module")
def quiet(demo_area):
    """A piece of street in a square of ordinary street length with next to no recorded crime."""
    network = demo_area.network
    square = np.floor(network.piece_middle / SQUARE_METRES)
    of_piece = np.unique(square, axis=0, return_inverse=True)[1].reshape(-1)
    crimes = np.bincount(demo_area.incident_catchment, minlength=len(demo_area.catchments))
    here = np.bincount(of_piece, weights=demo_area.catchments.spread(crimes))
    metres = np.bincount(of_piece, weights=network.piece_metres)
    chosen = np.argmin(here + 1e6 * (metres < 500))
    return int(np.flatnonzero(of_piece == chosen)[0])


@pytest.mark.parametrize("reports_weight", [0.0, 0.3, 0.6])
def test_voices_count_as_declared(static_demo_area, reports_weight):
    """The joined risk of every hotspot is its two shares, at weights within the declared ones."""
    area = _weighed(static_demo_area, 1 - reports_weight)
    risk = pp.estimate_risk(area)
    voice = build_report_voice(area, area.incidents["month"].max())
    weight = voice.compute_share("after_school")
    assert weight <= reports_weight
    assert 1 - risk.crime_weight == pytest.approx(weight)
    hotspots = pp.find_hotspots(area, risk)
    joined = (1 - weight) * hotspots["crime_share"] + weight * hotspots["reports_share"]
    assert hotspots["worth"].to_numpy() == pytest.approx(joined.to_numpy(), abs=1e-9)


def test_a_place_of_reports_below_the_threshold_shows_nothing(demo_area, quiet):
    """Four reports alone on a quiet place leave no trace: the risk is as if there were none."""
    few = pp.estimate_risk(_reported(demo_area, quiet, 4))
    none = pp.estimate_risk(_reported(demo_area, quiet, 0))
    assert not few.reports.any()
    assert np.array_equal(few.joined, none.joined)


def test_a_place_of_reports_at_the_threshold_shows_its_group(demo_area, quiet):
    """Five reports make the place a hotspot that says what pupils named, when and a range."""
    area = _reported(demo_area, quiet, 5)
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    there = np.flatnonzero(area.reports.group_of_piece == 0)
    assert risk.reports[there].sum() == pytest.approx(1)
    mine = [bool(set(pieces) & set(there.tolist())) for pieces in hotspots["pieces"]]
    first = hotspots[mine].iloc[0]
    reason = next(one for one in read_reasons(first["reasons"]) if isinstance(one, ReportsReason))
    assert "poor_lighting" in reason.factors
    assert describe_reason(reason) == (
        "5 to 9 pupils feel unsafe here after school (summer term 2026): poor lighting"
    )
    assert describe_certainty(area, risk, hotspots[mine])[0].startswith("based on pupils' reports")


@pytest.mark.parametrize(
    ("window", "is_named"),
    [
        (None, True),
        (Window(60, 15 * 60), True),
        (Window(240, 12 * 60), True),
        (Window(60, 7 * 60), False),
        (Window(60, 20 * 60), False),
    ],
)
def test_a_fear_of_another_time_of_day_is_no_reason(demo_area, quiet, window, is_named):
    """A group that names after school is a reason in a window that meets that time alone."""
    area = _reported(demo_area, quiet, 5)
    risk = pp.estimate_risk(area)
    there = [np.flatnonzero(area.reports.group_of_piece == 0)]
    certainty = assess_certainty(area, risk, there)
    risk = dataclasses.replace(risk, window=window or risk.window)
    (reasons,) = find_reasons(area, risk, there, certainty)
    assert any(isinstance(one, ReportsReason) for one in reasons) == is_named


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), max_size=12), st.integers(0, 6))
def test_widest_group_is_that_of_one_stretch_after_the_other(seed, sizes, groups):
    """The group named has most metres of the stretch, as when each is counted alone."""
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, groups, size=60) if groups else np.full(60, -1)
    metres = rng.integers(10, 13, size=60).astype(float)
    stretches = [rng.choice(60, size, replace=False) for size in sizes]
    found = _find_widest_group(group, metres, stretches)
    for stretch, most in zip(stretches, found, strict=True):
        held = group[stretch] >= 0
        counted = np.bincount(group[stretch][held], metres[stretch][held])
        assert most == (np.argmax(counted) if held.any() else -1)


def test_reasons_of_reports_give_number_and_latest_term():
    """A group's reason has its range, the latest term shown, and whether there are others."""
    spring, autumn = SchoolTerm(2025, 0), SchoolTerm(2024, 2)
    gave = {"after_school": 10, "before_school": 75, "isolated": 5, "traffic": 10}
    by_factor = np.array([[gave.get(name, 0) for name in FACTOR_NAMES]] * 3)
    groups = ReportGroups(
        5,
        np.arange(3),
        np.array([75, 10, 5]),
        np.ones(3),
        by_factor,
        {spring: np.array([5, 10, 0]), autumn: np.array([70, 0, 0])},
        {spring: 15, autumn: 70},
    )
    found = _build_reports_reasons(groups, ["after_school"])
    assert [(one.reports, one.max_reports) for one in found] == [(75, 79), (10, 14), (5, 9)]
    assert [(one.term, one.year) for one in found] == [("spring", 2025)] * 2 + [(None, None)]
    assert [one.earlier for one in found] == [True, False, False]
    assert {one.time_band for one in found} == {"after_school"}
    assert found[0].factors == ("traffic", "isolated")
    assert (
        _build_reports_reasons(groups, ["lunch", "before_school"])[0].time_band == "before_school"
    )
