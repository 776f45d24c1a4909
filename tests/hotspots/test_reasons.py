"""Reasons: what carries a hotspot, by hour, by voice, and what is said of pupils."""

import dataclasses
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from pydantic import TypeAdapter

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.hotspots import carriers, reasons, significance
from patrolplan.hotspots.reasons import ReportsReason, WayReason, find_reasons, read_reasons
from patrolplan.outputs.reason_words import describe_certainty, describe_reason
from patrolplan.patrols.plan import StopReason
from patrolplan.privacy import FACTOR_NAMES, ReportGroups, ReportTable, group_reports
from patrolplan.risk.history import build_history
from patrolplan.risk.report_voice import build_report_voice
from patrolplan.times import SchoolTerm


def test_the_largest_part_carries():
    """Reports carry where they have most, the way where it doubles crime, crime elsewhere."""
    crime, reports = np.array([0.4, 0.3, 0.1, 0.2]), np.array([0.1, 0.0, 0.9, 0.0])
    exposed = np.array([0.4, 0.1, 0.1, 0.4])
    parts = {"reports_part": 0.2 * reports, "joined": 0.8 * exposed + 0.2 * reports}
    risk = SimpleNamespace(crime=crime, crime_weight=0.8, **parts)
    stretches = [np.array([piece]) for piece in range(4)]
    assert carriers.find_carriers(risk, stretches).tolist() == [
        "recorded",
        "recorded",
        "feared",
        "way",
    ]
    assert carriers.find_carriers(risk, []).tolist() == []


def test_ways_are_said_coarsely(demo_area, demo_risk, demo_hotspots):
    """Shares come in steps, of long stretches and long times alone."""
    stretches = [np.array(pieces) for pieces in demo_hotspots["pieces"]]
    found = carriers.find_ways_past(demo_area, demo_risk, stretches)
    assert any(found)
    for past, metres in zip(found, demo_hotspots["length_metres"], strict=True):
        if past is not None:
            assert metres >= 200
            assert past.end - past.start >= 10
            assert 0.1 <= past.share <= 1
            assert past.share / 0.05 == pytest.approx(round(past.share / 0.05))


@pytest.mark.parametrize("start", [None, 480.0])
def test_pupils_who_pass_are_those_present(demo_area, demo_pupils, start):
    """Pupil-metres walked along a stretch are the pupil-minutes spent there, times the speed."""
    window = Window(60, start)
    speed = 75.0
    for school in demo_pupils.schools[:3]:
        past = carriers._SchoolPast(school, window)
        quiet = np.setdiff1d(school.pieces, school.wait_pieces)  # nobody waits there
        quiet = quiet[quiet < len(demo_area.network)]
        stretch = quiet[:: max(1, len(quiet) // 40)]
        walked = past.spread_walked(demo_area)[stretch].sum()
        present = sum(
            demo_pupils.count_at(minute, urn=school.urn, unaccompanied=False)[stretch].sum()
            for minute in np.arange(past.start, past.end)
        )
        assert walked == pytest.approx(present * speed, rel=0.01)


@given(
    st.lists(st.floats(0, 5), min_size=10 + 1, max_size=60), st.integers(0, 10), st.floats(1e-3, 5)
)
def test_the_busiest_time_is_the_shortest(amounts, minute, some):
    """No shorter time of ten minutes or more has as large a share of those who pass."""
    amounts[minute] += some  # somebody passes
    passed = np.cumsum([0.0, *amounts])
    first, last = carriers._find_busiest(passed)
    assert last - first >= 10
    wanted = 0.6 * passed[-1]
    assert passed[last] - passed[first] >= wanted * (1 - 1e-6)
    for length in range(10, last - first):
        inside = passed[length:] - passed[:-length]
        assert inside.max() < wanted * (1 + 1e-6)


def test_worth_is_shown_coarsely(demo_risk, demo_hotspots, static_risk, static_hotspots):
    """Where presence counts, worth is rounded, and short stretches show none of it."""
    shown = carriers.compute_shown_worth(demo_risk, demo_hotspots)
    worth, is_long = demo_hotspots["worth"], demo_hotspots["length_metres"] >= 200
    assert shown[is_long] == pytest.approx(worth[is_long], rel=0.05 / 2 + 0.005)
    assert len(np.unique(shown[is_long])) < is_long.sum()
    weight = demo_risk.crime_weight
    plain = weight * demo_hotspots["crime_share"] + (1 - weight) * demo_hotspots["reports_share"]
    assert shown[~is_long] == pytest.approx(plain[~is_long].to_numpy())
    assert (
        carriers.compute_shown_worth(static_risk, static_hotspots) == static_hotspots["worth"]
    ).all()


@given(st.floats(1e-12, 1), st.floats(0.01, 0.2))
def test_steps_are_never_far(value, step):
    """A value moves by half a step at most, and by the three digits that are given."""
    assert carriers.round_to_steps(np.array([value]), step)[0] == pytest.approx(
        value, rel=step / 2 + 0.006
    )


def test_reasons_of_ways_go_to_a_file_and_back():
    """What is said of the way survives a file, and a share or time that cannot be is refused."""
    reason = WayReason(school="Hill School", share=0.15, start="15:12", end="15:30")
    adapter = TypeAdapter(StopReason)
    assert adapter.validate_python(adapter.dump_python(reason, mode="json")) == reason
    for wrong in ({"share": 0.0}, {"start": "25:00"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            adapter.validate_python(adapter.dump_python(reason, mode="json") | wrong)


def _weighed(area, crime_weight):
    """The area with other weights of the voices; prior counts are enough to see them."""
    return pp.with_settings(area, risk={"crime_weight": crime_weight, "model": "prior"})


def _reported(area, piece, count):
    """The area with so many equal reports on one piece of street and no others."""
    crs, middle = area.projection.crs, area.network.piece_middle
    gave = [count * (name in {"after_school", "poor_lighting"}) for name in FACTOR_NAMES]
    shown, counts = count // 5, np.array([count])[: count // 5]
    table = ReportTable(
        step=5, squares=find_squares(middle[[piece]], crs)[:shown], counts=counts,
        factor_counts=np.array([gave])[:shown], in_small_squares=0, refused={},
        by_year={2026: 5 * shown}, by_term={SchoolTerm(2026, 1): counts},
    )  # fmt: skip
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
    assert hotspots["worth"].tolist() == pytest.approx(joined.tolist(), abs=1e-9)


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


WITHIN = [None, Window(60, 15 * 60), Window(240, 12 * 60)]


@pytest.mark.parametrize("window", [*WITHIN, Window(60, 7 * 60), Window(60, 20 * 60)])
def test_a_fear_of_another_time_of_day_is_no_reason(demo_area, quiet, window):
    """A group that names after school is a reason in a window that meets that time alone."""
    area = _reported(demo_area, quiet, 5)
    risk = pp.estimate_risk(area)
    there = [np.flatnonzero(area.reports.group_of_piece == 0)]
    certainty = significance.assess_certainty(area, risk, there)
    risk = dataclasses.replace(risk, window=window or risk.window)
    (reasons,) = find_reasons(area, risk, there, certainty)
    assert any(isinstance(one, ReportsReason) for one in reasons) == (window in WITHIN)


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), max_size=12), st.integers(0, 6))
def test_widest_group_is_that_of_one_stretch_after_the_other(seed, sizes, groups):
    """The group named has most metres of the stretch, as when each is counted alone."""
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, groups, size=60) if groups else np.full(60, -1)
    metres = rng.integers(10, 13, size=60).astype(float)
    stretches = [rng.choice(60, size, replace=False) for size in sizes]
    found = reasons._find_widest_group(group, metres, stretches)
    for stretch, most in zip(stretches, found, strict=True):
        held = group[stretch] >= 0
        counted = np.bincount(group[stretch][held], metres[stretch][held])
        assert most == (np.argmax(counted) if held.any() else -1)


def test_reasons_of_reports_give_number_and_latest_term():
    """A group's reason has its range, the latest term shown, and whether there are others."""
    spring, autumn = SchoolTerm(2025, 0), SchoolTerm(2024, 2)
    gave = {"after_school": 10, "before_school": 75, "isolated": 5, "traffic": 10}
    by_factor = np.array([[gave.get(name, 0) for name in FACTOR_NAMES]] * 3)
    by_term = {spring: np.array([5, 10, 0]), autumn: np.array([70, 0, 0])}
    counts, terms = np.array([75, 10, 5]), {spring: 15, autumn: 70}
    groups = ReportGroups(5, np.arange(3), counts, np.ones(3), by_factor, by_term, terms)
    found = reasons._build_reports_reasons(groups, ["after_school"])
    assert [(one.reports, one.max_reports) for one in found] == [(75, 79), (10, 14), (5, 9)]
    assert [(one.term, one.year) for one in found] == [("spring", 2025)] * 2 + [(None, None)]
    assert [one.earlier for one in found] == [True, False, False]
    assert {one.time_band for one in found} == {"after_school"}
    assert found[0].factors == ("traffic", "isolated")
    (first, *_) = reasons._build_reports_reasons(groups, ["lunch", "before_school"])
    assert first.time_band == "before_school"


DAY_STREET, NIGHT_STREET = "Tidewell Road", "Arch Street"
COLUMNS = ("category", "occurred_at", "longitude", "latitude")


@pytest.fixture(scope="module")
def draw_area(demo, demo_area, tmp_path_factory):
    """Draws of the demo borough with a force's own extract, whose hours are planted."""
    folder, seeds = tmp_path_factory.mktemp("planted"), count()
    network, names = demo_area.network, demo_area.network.frame()["name"].to_numpy()
    middle = np.column_stack(demo_area.projection.to_degrees(*network.piece_middle.T))
    days = pd.date_range("2025-10-01", "2026-09-25")
    weekend, weekdays = days[days.day_of_week > 4], days[days.day_of_week < 5]
    by_night, by_day = (np.flatnonzero(names == name)[:8] for name in (NIGHT_STREET, DAY_STREET))
    heaps = [
        (by_night, 120, weekend, (60, 180)),
        (by_day, 60, weekdays, (15 * 60, 16 * 60)),
        (np.arange(len(names)), 400, days, (0, 24 * 60)),
    ]
    text = demo.read_text(encoding="utf-8").replace("crimes/*/*-street.csv", "own.csv")
    text = text.replace('reports = "reports.csv"\n', "")
    text += "\n[columns.crimes]\n" + "".join(f'{name} = "{name}"\n' for name in COLUMNS)
    for path in demo.parent.glob("*.*"):
        if path.suffix in {".csv", ".gz"}:
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "own.toml").write_text(text, encoding="utf-8")

    def build():
        """The area with so many crimes on these pieces, days and minutes."""
        rng, tables = np.random.default_rng(next(seeds)), []
        for rows, number, days, (start, end) in heaps:
            minutes = pd.to_timedelta(rng.integers(start, end, number), "min")
            at = pd.DatetimeIndex(rng.choice(days, number)) + minutes
            longitude, latitude = middle[rng.choice(rows, number)].T
            table = {"occurred_at": at.strftime("%Y-%m-%d %H:%M"), "longitude": longitude}
            tables.append(pd.DataFrame(table | {"latitude": latitude}))
        table = pd.concat(tables).assign(category="Violence and sexual offences")
        table.to_csv(folder / "own.csv", index=False)
        return pp.load_area(folder / "own.toml")

    return build


def _find_crime(hotspot):
    return next(one for one in read_reasons(hotspot["reasons"]) if one.kind == "recorded_crime")


@pytest.mark.parametrize("draws", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_each_hour_has_its_reason(monkeypatch, draw_area, draws):
    """What is said of a hotspot is what was recorded there in the hours and days of the window."""
    monkeypatch.setattr(significance, "WORLDS", 1)  # slow, and not asked for here
    for _ in range(draws):
        area = draw_area()
        risks = [pp.estimate_risk(area, window=Window(60, start)) for start in (920, 60)]
        day, night = (pp.find_hotspots(area, risk).iloc[0] for risk in risks)
        crime = _find_crime(day)
        assert (crime.hours, crime.days) == ("15:20-16:20", "weekdays")
        assert _find_crime(night).hours == "01:00-02:00"
        if day["place"].startswith(DAY_STREET):  # half of the sixty are from 15:20 on
            assert 15 <= crime.in_hours <= crime.incidents
            assert "on weekdays, 15:20 to 16:20" in describe_reason(crime)


def test_a_street_of_the_night_says_so_in_the_afternoon(draw_area):
    """Of what was recorded there all day, hardly any was in the hours of the window."""
    area = draw_area()
    names = area.network.frame()["name"].to_numpy()
    pieces, window = np.flatnonzero(names == NIGHT_STREET)[:8], (15 * 60, 17 * 60)
    history = build_history(area)
    recent = reasons.count_recent_crimes(area, history, [pieces], window, "weekdays")
    assert recent.expected.sum() > 100
    assert recent.timed.sum() == pytest.approx(recent.expected.sum())
    assert recent.in_hours.sum() < 3
    whole = reasons.count_recent_crimes(area, history, [pieces])
    assert whole.in_hours.sum() == pytest.approx(recent.expected.sum())
    past_midnight = reasons.count_recent_crimes(
        area, history, [pieces], (23 * 60, 27 * 60), "weekends"
    )
    from_one = reasons.count_recent_crimes(area, history, [pieces], (60, 180), "weekends")
    # A crime at 01:00 on Saturday belongs to Friday's night, and one on Monday to Sunday's.
    assert past_midnight.in_hours.sum() < 0.7 * from_one.in_hours.sum()


def test_no_number_under_the_threshold_follows_from_a_reason(draw_area):
    """In the hours, outside them, without a time, and in all: none, five or more, or not said."""
    area = draw_area()
    unknown = np.arange(len(area.incidents)) % 7 == 0
    area = dataclasses.replace(area, incidents=area.incidents.assign(timed=~unknown))
    privacy = area.settings.privacy.model_copy(update={"threshold_for_crime": True})
    settings = area.settings.model_copy(update={"privacy": privacy})
    area = dataclasses.replace(area, settings=settings)
    risk = pp.estimate_risk(area, window=Window(240, 14 * 60))
    stretches = [np.arange(start, start + 30) for start in range(0, len(area.network) - 30, 15)]
    sure = {"mainly_reports": False, "trend": "", "survived": 1.0}
    found = find_reasons(area, risk, stretches, pd.DataFrame(sure, range(len(stretches))))
    crimes = [one for why in found for one in why if one.kind == "recorded_crime"]
    shown = [one for one in crimes if one.in_hours is not None]
    assert shown
    for one in crimes:
        assert one.incidents is None or one.incidents >= 5
        assert one.incidents is not None or (one.in_hours, one.hours) == (None, "")
    for one in shown:
        timed = one.incidents if one.timed is None else one.timed
        parts = (one.in_hours, timed - one.in_hours, one.incidents - timed)
        assert all(part == 0 or part >= 5 for part in parts)
