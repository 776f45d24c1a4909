"""Words on papers: honest about what is approximate, and never more exact than the data."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, strategies as st

from patrolplan.outputs import wording
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.settings.models import CrimeSettings, PrivacySettings
from patrolplan.times import format_time


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (651409, 313177, "TG 5140 1317"),  # the Ordnance Survey's own worked example
        (530034, 180381, "TQ 3003 8038"),
        (216600, 771200, "NN 1660 7120"),
        (0, 0, "SV 0000 0000"),
        (439668, 1175316, "HU 3966 7531"),
    ],
)
def test_grid_references_of_known_places(x, y, expected):
    """Places from the Scillies to Shetland get the references that maps give them."""
    assert wording.format_grid_reference(x, y) == expected


@given(st.floats(0, 699_999), st.floats(0, 1_299_999))
def test_grid_reference_has_always_two_letters_and_eight_figures(x, y):
    """Every point of the grid has a reference that can be read out on the radio."""
    letters, east, north = wording.format_grid_reference(x, y).split()
    assert letters.isalpha()
    assert "I" not in letters
    assert len(letters) == 2
    assert (east + north).isdigit()
    assert len(east) == len(north) == 4


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, 1_300_000), (float("nan"), 0)])
def test_there_is_no_reference_off_the_grid(x, y):
    """Points outside the grid, or in another CRS, have no reference rather than a wrong one."""
    assert wording.format_grid_reference(x, y) == ""
    assert wording.format_grid_reference(530034, 180381, crs="EPSG:32630") == ""


@given(st.floats(0, 20_000))
def test_metres_are_near_what_they_stand_for(length):
    """Lengths in words are never off by more than a tenth, or 5 m."""
    number, unit = wording.format_metres(length).split()
    printed = float(number) * (1000 if unit == "km" else 1)
    assert abs(printed - length) <= max(5.0, 0.1 * length)


def test_switched_off_guard_is_printed_with_its_reason(demo_plan):
    """Discovered offences that feed the risk are named on every paper, with the reason given."""
    crimes = CrimeSettings(include_discovered=True, reason="joint operation")
    settings = demo_plan.area.settings.model_copy(update={"crimes": crimes})
    plan = dataclasses.replace(
        demo_plan, area=dataclasses.replace(demo_plan.area, settings=settings)
    )
    assert any("joint operation" in line for line in wording.list_approximations(plan))


def test_a_low_threshold_is_printed_with_its_reason(demo_plan):
    """Groups of fewer than five are announced on every paper, with the reason given."""
    privacy = PrivacySettings(threshold=3, reason="agreed with the school")
    settings = demo_plan.area.settings.model_copy(update={"privacy": privacy})
    area = dataclasses.replace(demo_plan.area, settings=settings)
    lines = wording.list_approximations(dataclasses.replace(demo_plan, area=area))
    assert any("is 3, under 5" in line and "agreed with the school" in line for line in lines)
    assert not any("under 5" in line for line in wording.list_approximations(demo_plan))


def _evening(plan, unlit, unknown=0.0, **changes):
    """First patrol with these metres without lighting on each leg."""
    patrol = plan.patrols[0]
    legs = tuple(
        dataclasses.replace(leg, unlit_metres=metres, lighting_unknown_metres=unknown)
        for leg, metres in zip(patrol.legs, unlit, strict=True)
    )
    return dataclasses.replace(patrol, legs=legs, **changes)


JUNE, DECEMBER = dt.date(2026, 6, 22), dt.date(2026, 12, 21)


def test_only_legs_walked_after_sunset_are_named_unlit(demo_plan):
    """With a day, a leg that ends in daylight is not called dark, and a lit one never is."""
    plan = dataclasses.replace(demo_plan, date=dt.date(2026, 12, 21))
    stops = tuple(
        dataclasses.replace(demo_plan.patrols[0].stops[0], arrive_minutes=at, leave_minutes=at + 15)
        for at in (930.0, 960.0)
    )
    legs = (demo_plan.patrols[0].legs[0],) * 3
    first = dataclasses.replace(demo_plan.patrols[0], legs=legs, stops=stops, end_minutes=985.0)
    plan = dataclasses.replace(plan, patrols=(first,))
    text = wording.describe_lighting(plan, _evening(plan, (120.0, 0.0, 68.0)))
    assert text.startswith("Sunset 15:4")
    assert text.endswith("No street lighting then on part of 2→G (70 m).")
    paths = tuple(dataclasses.replace(leg, secluded_metres=60.0) for leg in legs)
    text = wording.describe_lighting(plan, dataclasses.replace(first, legs=paths))
    assert text.endswith("No way then but by footpath or passage on 1→2 (60 m), 2→G (60 m).")
    undated = dataclasses.replace(plan, date=None)
    assert "passage" not in wording.describe_lighting(undated, plan.patrols[0])


def test_stops_without_lighting_after_sunset_are_named(demo_plan):
    """Those that last beyond it; unknown lighting is not dark, and without a day nothing is."""
    plan = dataclasses.replace(demo_plan, date=dt.date(2026, 12, 21))
    patrol = next(patrol for patrol in plan.patrols if len(patrol.stops) > 1)
    first, second, *_ = patrol.stops
    first = dataclasses.replace(first, lit="no", leave_minutes=15 * 60 + 40.0)
    second = dataclasses.replace(second, lit="no", leave_minutes=16 * 60 + 20.0)
    two = dataclasses.replace(patrol, stops=(first, second), legs=patrol.legs[:2] + patrol.legs[:1])
    assert "No street lighting then at stop 2." in wording.describe_lighting(plan, two)
    unknown = dataclasses.replace(two, stops=(first, dataclasses.replace(second, lit="unknown")))
    assert "at stop" not in wording.describe_lighting(plan, unknown)
    assert "at stop" not in wording.describe_lighting(demo_plan, two)


def test_a_patrol_before_school_is_told_of_sunrise(demo_plan):
    """For a patrol that ends by noon, parts before sunrise count, and sunset does not."""
    plan = dataclasses.replace(demo_plan, date=dt.date(2026, 12, 21))
    stop = demo_plan.patrols[0].stops[0]
    first = dataclasses.replace(
        demo_plan.patrols[0],
        legs=(demo_plan.patrols[0].legs[0],) * 2,
        stops=(dataclasses.replace(stop, arrive_minutes=470.0, leave_minutes=485.0),),
        start_minutes=450.0,
        gate_until_minutes=450.0,
        end_minutes=500.0,
    )
    plan = dataclasses.replace(plan, patrols=(first,))
    text = wording.describe_lighting(plan, _evening(plan, (120.0, 68.0)))
    assert text == "Sunrise 07:59. No street lighting then on part of G→1 (120 m)."


def test_minutes_of_a_leg_are_those_between_the_printed_times(demo_plan):
    """The difference of two printed times is the minutes printed next to the leg."""
    for patrol in demo_plan.patrols:
        leaves = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
        arrives = [*(stop.arrive_minutes for stop in patrol.stops), patrol.back_minutes]
        for leg in range(len(patrol.legs)):
            apart = _after_midnight(format_time(arrives[leg])) - _after_midnight(
                format_time(leaves[leg])
            )
            assert wording.format_leg_minutes(patrol, leg) == wording.format_minutes(apart)


def _after_midnight(text):
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def test_what_could_be_chance_is_said_first_and_at_each_place(demo_plan):
    """Where nothing within reach stands out, card and phone say so; other places are not named."""
    spots = demo_plan.hotspots
    even = spots.assign(stands_out=False, trend="", mainly_reports=False)
    plan = dataclasses.replace(demo_plan, hotspots=even)
    page = render_map(plan).decode()
    assert page.count(wording.NOTHING_STANDS_OUT) == len(plan.patrols)
    for patrol in plan.patrols:
        card = build_card_data(plan, patrol, "plan")
        assert card["want_of_danger"] == wording.NOTHING_STANDS_OUT
        for stop, row in zip(patrol.stops, card["stops"], strict=True):
            told = even[(even["hotspot"] == stop.hotspot) & ~even["mainly_reports"]]
            is_again = row["place"].endswith(" again") and not row["why"]
            assert is_again or row["place"].endswith("(could be chance)") == bool(len(told))
    sure = dataclasses.replace(demo_plan, hotspots=spots.assign(stands_out=True))
    assert wording.NOTHING_STANDS_OUT not in render_map(sure).decode()
    rising = dataclasses.replace(demo_plan, hotspots=even.assign(trend="rising"))
    assert not wording.describe_want_of_danger(rising, demo_plan.patrols[0])
    assert "could be chance)" not in render_map(sure).decode()
    quiet = dataclasses.replace(plan.patrols[0], nothing_recorded=True)
    assert wording.describe_want_of_danger(plan, quiet) == wording.NOTHING_RECORDED
