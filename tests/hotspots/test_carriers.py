"""What carries a hotspot, and what is said of the pupils who pass it."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter

from patrolplan.area.patrol_window import Window
from patrolplan.hotspots.carriers import (
    BUSIEST_SHARE,
    MIN_SHARE,
    MIN_SPAN_MINUTES,
    MIN_STRETCH_METRES,
    SHARE_STEP,
    _find_busiest,
    _SchoolPast,
    compute_shown_worth,
    find_carriers,
    find_ways_past,
    round_to_steps,
)
from patrolplan.hotspots.reasons import WayReason
from patrolplan.patrols.plan import StopReason
from patrolplan.pupils.presence import find_presence


def test_the_largest_part_carries():
    """Reports carry where they have most, the way where it doubles crime, crime elsewhere."""
    crime, reports = np.array([0.4, 0.3, 0.1, 0.2]), np.array([0.1, 0.0, 0.9, 0.0])
    exposed = np.array([0.4, 0.1, 0.1, 0.4])
    risk = SimpleNamespace(
        crime=crime,
        crime_weight=0.8,
        reports_part=0.2 * reports,
        joined=0.8 * exposed + 0.2 * reports,
    )
    stretches = [np.array([piece]) for piece in range(4)]
    assert find_carriers(risk, stretches).tolist() == ["recorded", "recorded", "feared", "way"]
    assert find_carriers(risk, []).tolist() == []


def test_ways_are_said_coarsely(demo_area, demo_risk, demo_hotspots):
    """Shares come in steps, of long stretches and long times alone."""
    stretches = [np.array(pieces) for pieces in demo_hotspots["pieces"]]
    found = find_ways_past(demo_area, demo_risk, stretches)
    assert any(found)
    for past, metres in zip(found, demo_hotspots["length_metres"], strict=True):
        if past is not None:
            assert metres >= MIN_STRETCH_METRES
            assert past.end - past.start >= MIN_SPAN_MINUTES
            assert MIN_SHARE <= past.share <= 1
            assert past.share / SHARE_STEP == pytest.approx(round(past.share / SHARE_STEP))


@pytest.mark.parametrize("start", [None, 480.0])
def test_pupils_who_pass_are_those_present(demo_area, start):
    """Pupil-metres walked along a stretch are the pupil-minutes spent there, times the speed."""
    ways, presence = find_presence(demo_area)
    window = Window(60, start)
    speed = 75.0
    for school in ways.schools[:3]:
        past = _SchoolPast(demo_area, school, window)
        quiet = np.setdiff1d(school.pieces, school.wait_pieces)  # nobody waits there
        quiet = quiet[quiet < len(demo_area.network)]
        stretch = quiet[:: max(1, len(quiet) // 40)]
        walked = past.spread_walked(demo_area)[stretch].sum()
        minutes = np.arange(past.start, past.end)
        present = sum(
            presence.count_at(minute, urn=school.urn, unaccompanied=False)[stretch].sum()
            for minute in minutes
        )
        assert walked == pytest.approx(present * speed, rel=0.01)


@given(
    st.lists(st.floats(0, 5), min_size=MIN_SPAN_MINUTES + 1, max_size=60),
    st.integers(0, MIN_SPAN_MINUTES),
    st.floats(1e-3, 5),
)
def test_the_busiest_time_is_the_shortest(amounts, minute, some):
    """No shorter time of ten minutes or more has as large a share of those who pass."""
    amounts[minute] += some  # somebody passes
    passed = np.cumsum([0.0, *amounts])
    first, last = _find_busiest(passed)
    assert last - first >= MIN_SPAN_MINUTES
    wanted = BUSIEST_SHARE * passed[-1]
    assert passed[last] - passed[first] >= wanted * (1 - 1e-6)
    for length in range(MIN_SPAN_MINUTES, last - first):
        inside = passed[length:] - passed[:-length]
        assert inside.max() < wanted * (1 + 1e-6)


def test_worth_is_shown_coarsely(demo_risk, demo_hotspots, static_risk, static_hotspots):
    """Where presence counts, worth is rounded, and short stretches show none of it."""
    shown = compute_shown_worth(demo_risk, demo_hotspots)
    worth, is_long = demo_hotspots["worth"], demo_hotspots["length_metres"] >= MIN_STRETCH_METRES
    assert shown[is_long] == pytest.approx(worth[is_long], rel=SHARE_STEP / 2 + 0.005)
    assert len(np.unique(shown[is_long])) < is_long.sum()
    weight = demo_risk.crime_weight
    plain = weight * demo_hotspots["crime_share"] + (1 - weight) * demo_hotspots["reports_share"]
    assert shown[~is_long] == pytest.approx(plain[~is_long].to_numpy())
    assert (compute_shown_worth(static_risk, static_hotspots) == static_hotspots["worth"]).all()


@given(st.floats(1e-12, 1), st.floats(0.01, 0.2))
def test_steps_are_never_far(value, step):
    """A value moves by half a step at most, and by the three digits that are given."""
    assert round_to_steps(np.array([value]), step)[0] == pytest.approx(value, rel=step / 2 + 0.006)


def test_reasons_of_ways_go_to_a_file_and_back():
    """What is said of the way survives a file, and a share or time that cannot be is refused."""
    reason = WayReason(school="Hill School", share=0.15, start="15:12", end="15:30")
    adapter = TypeAdapter(StopReason)
    assert adapter.validate_python(adapter.dump_python(reason, mode="json")) == reason
    for wrong in ({"share": 0.0}, {"start": "25:00"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            adapter.validate_python(adapter.dump_python(reason, mode="json") | wrong)
