"""Words on papers: honest about what is approximate, never more exact than the data, said once."""

import datetime as dt
import html
import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings, strategies as st
from outputs.printed import change_settings
from pydantic import TypeAdapter

from patrolplan.area.square_names import format_grid_reference
from patrolplan.crs import BRITISH_GRID
from patrolplan.hotspots import reasons
from patrolplan.outputs import wording
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.direction_words import describe_directions
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.reason_words import describe_certainty, describe_reason
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.patrols.legs import Landmark, RoadCrossing, Step
from patrolplan.patrols.patrol_state import find_danger
from patrolplan.patrols.plan import StopReason, Tasking
from patrolplan.patrols.stop_reasons import is_way_met
from patrolplan.risk.report_voice import TimeBand
from patrolplan.times import Season, format_time, minutes_after_midnight

KINDS = ("Violence and sexual offences", "Robbery")
CRIME = reasons.CrimeReason(incidents=12, months=12, last_month="2026-10", categories=KINDS)
HOURS = {"in_hours": 9, "hours": "15:00-17:30", "days": "weekdays"}
TASKING = Tasking("T-01", " phones;", "A", dt.date(2026, 5, 4))
COUNTS = st.none() | st.integers(0, 10**6)
NAMES = st.lists(st.text(max_size=30), max_size=3).map(tuple)
REASONS = st.one_of(
    st.builds(
        reasons.CrimeReason,
        **dict.fromkeys(("incidents", "fewer_than", "in_hours", "timed"), COUNTS),
        hours=st.just("15:00-17:30"),
        days=st.sampled_from(get_args(reasons.Days)),
        months=st.integers(1, 99),
        last_month=st.dates().map(lambda day: f"{day.year:04d}-{day.month:02d}"),
        categories=NAMES,
    ),
    st.builds(
        reasons.ReportsReason,
        time_band=st.none() | st.sampled_from(get_args(TimeBand)),
        factors=NAMES,
        **dict.fromkeys(("reports", "max_reports"), COUNTS),
        term=st.none() | st.sampled_from(get_args(Season)),
        year=st.none() | st.integers(2000, 2199),
        earlier=st.booleans(),
    ),
    st.builds(reasons.TrendReason, trend=st.sampled_from(get_args(reasons.Change))),
    st.just(reasons.UnsurePlaceReason()),
)
STOP = Landmark("bus_stop", "Dalby Road")


@pytest.mark.parametrize(("x", "y", "expected"), [
    (651409, 313177, "TG 5140 1317"),  # the Ordnance Survey's own worked example
    (530034, 180381, "TQ 3003 8038"),
    (0, 0, "SV 0000 0000"),
    (439668, 1175316, "HU 3966 7531"),
    *((x, y, "") for x, y in ((-1, 0), (0, 1_300_000), (float("nan"), 0))),
])  # fmt: skip
def test_grid_references_of_known_places(x, y, expected):
    """Places from the Scillies to Shetland have those of maps; others, and other CRS, none."""
    assert format_grid_reference(x, y) == expected
    assert format_grid_reference(x, y, crs="EPSG:32630") == ""


@given(st.floats(0, 699_999), st.floats(0, 1_299_999))
def test_grid_reference_has_always_two_letters_and_eight_figures(x, y):
    """Every point of the grid has a reference that can be read out on the radio."""
    assert re.fullmatch(r"[A-HJ-Z]{2} \d{4} \d{4}", format_grid_reference(x, y))


@given(st.floats(0, 20_000))
def test_metres_are_near_what_they_stand_for(length):
    """Lengths in words are never off by more than a tenth, or 5 m."""
    number, unit = wording.format_metres(length).split()
    printed = float(number) * (1000 if unit == "km" else 1)
    assert abs(printed - length) <= max(5.0, 0.1 * length)


def test_what_is_switched_off_is_printed_with_its_reason(demo_plan):
    """Discovered offences in the risk, or groups of under five, are named on every paper."""
    for words, section, key, value in (
        ("Offences that patrols discover", "crimes", "include_discovered", True),
        ("is 3, under 5", "privacy", "threshold", 3),
    ):
        area = change_settings(demo_plan.area, **{section: {key: value, "reason": "as agreed"}})
        lines = wording.list_approximations(replace(demo_plan, area=area))
        assert any(words in line and "as agreed" in line for line in lines)
        assert not any(words in line for line in wording.list_approximations(demo_plan))


def _walk(plan, times, metres, lit="yes", **changes):
    """What is said of light on the shortest day, of stops from these times and unlit legs."""
    first = plan.patrols[0]
    stop = replace(first.stops[0], lit=lit)
    stops = tuple(replace(stop, arrive_minutes=at, leave_minutes=at + 15) for at in times)
    leg = replace(first.legs[0], lighting_unknown_metres=0.0)
    legs = tuple(replace(leg, **{kind: length}) for kind, length in metres)
    patrol = replace(first, stops=stops, legs=legs, **changes)
    plan = replace(plan, date=dt.date(2026, 12, 21), patrols=(patrol,))
    undated = wording.describe_lighting(replace(plan, date=None), patrol)
    return wording.describe_lighting(plan, patrol), undated


def test_only_what_is_after_sunset_is_named_unlit(demo_plan):
    """A leg or stop that ends in daylight is not called dark, nor a lit one, nor an unknown one."""
    end = {"end_minutes": 985.0}
    legs = [("unlit_metres", length) for length in (120.0, 0.0, 68.0)]
    text, undated = _walk(demo_plan, (930.0, 960.0), legs, **end)
    assert text.startswith("Sunset 15:4")
    assert text.endswith("No street lighting then on part of 2→G (70 m).")
    assert undated.startswith("No street lighting after dark on part of G→1 (120 m), 2→G (70 m).")
    paths = [("secluded_metres", 60.0)] * 3
    text, undated = _walk(demo_plan, (930.0, 960.0), paths, **end)
    assert text.endswith("No way then but by footpath or passage on 1→2 (60 m), 2→G (60 m).")
    assert "passage" not in undated
    for lit, words in (("no", "No street lighting then at stop 2."), ("unknown", ""), ("yes", "")):
        text, undated = _walk(demo_plan, (925.0, 965.0), [("unlit_metres", 0.0)] * 3, lit, **end)
        assert (text.partition("Sunset ")[2][6:].strip(), undated) == (words, "")


def test_a_patrol_before_school_is_told_of_sunrise(demo_plan):
    """For a patrol that ends by noon, parts before sunrise count, and sunset does not."""
    times = {"start_minutes": 450.0, "gate_until_minutes": 450.0, "end_minutes": 500.0}
    legs = [("unlit_metres", length) for length in (120.0, 68.0)]
    text, _ = _walk(demo_plan, (470.0,), legs, **times)
    assert text == "Sunrise 07:59. No street lighting then on part of G→1 (120 m)."


def test_minutes_of_a_leg_are_those_between_the_printed_times(demo_plan):
    """The difference of two printed times is the minutes printed next to the leg."""
    for patrol in demo_plan.patrols:
        leaves = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
        arrives = [*(stop.arrive_minutes for stop in patrol.stops), patrol.back_minutes]
        for leg in range(len(patrol.legs)):
            leave, arrive = (format_time(times[leg]) for times in (leaves, arrives))
            length = minutes_after_midnight(arrive) - minutes_after_midnight(leave)
            assert wording.format_leg_minutes(patrol, leg) == wording.format_minutes(length)


def test_what_could_be_chance_is_said_first_and_at_each_place(demo_plan):
    """Where nothing within reach stands out, card and phone say so; other places are not named."""
    spots = demo_plan.hotspots
    even = spots.assign(stands_out=False, trend="", mainly_reports=False)
    plan = replace(demo_plan, hotspots=even)
    words = wording.NOTHING_STANDS_OUT.removesuffix(".")
    page = render_map(plan).decode()
    feared = [patrol for patrol in plan.patrols if _is_feared(patrol)]
    assert len(feared) < len(plan.patrols)
    assert page.count(words) == len(plan.patrols) - len(feared)
    for patrol in plan.patrols:
        card = build_card_data(plan, patrol, "plan")
        assert card["aim"].startswith(words) == (patrol not in feared)
        for stop, row in zip(patrol.stops, card["stops"], strict=True):
            own = stop.hotspot in {*even["hotspot"]}  # none is mainly of reports
            is_again = row["place"].endswith(" again") and not row["why"]
            assert is_again or row["place"].endswith("(could be chance)") == own
    sure = render_map(replace(demo_plan, hotspots=spots.assign(stands_out=True))).decode()
    assert words not in sure
    assert "could be chance)" not in sure
    rising = replace(demo_plan, hotspots=even.assign(trend="rising"))
    patrol = replace(demo_plan.patrols[0], stops=())
    radius = plan.area.settings.patrol.radius_metres
    assert not find_danger(rising.hotspots, patrol, radius)
    assert find_danger(even, patrol, radius) == "nothing stands out"
    quiet = replace(patrol, nothing_recorded=True)
    assert find_danger(even, quiet, radius) == "nothing recorded"


def _is_feared(patrol):
    """Whether a patrol has a reason other than recorded crime to be where it is."""
    is_tasked = any(stop.tasking for stop in patrol.stops)
    told = [reason for stop in patrol.stops for reason in stop.why]
    kinds = reasons.ReportsReason | reasons.TrendReason
    return is_tasked or any(isinstance(reason, kinds) for reason in told)


@given(REASONS)
@settings(max_examples=60, deadline=None)
def test_every_reason_has_words_and_is_the_same_after_a_file(reason):
    """A phrase starts with a capital letter or a number of pupils; JSON has kind and values."""
    adapter = TypeAdapter(StopReason)
    assert adapter.validate_json(adapter.dump_json(reason)) == reason
    words = describe_reason(reason)
    assert words[0].isupper() or (isinstance(reason, reasons.ReportsReason) and words[0].isdigit())
    assert describe_reason(reason, "short")[0].isupper()


@pytest.mark.parametrize(("values", "words"), [
    ({"incidents": 1}, "hardly any at any hour in the 12 months to October 2026, "),
    ({"incidents": 0} | HOURS, "hardly any at any hour in the 12 months to October 2026, "),
    ({"incidents": None, "fewer_than": 5}, "fewer than 5 at any hour in the 12 months to "),
    (HOURS | {"in_hours": 0, "days": ""}, "none of about 12 from 15:00 to 17:30, in the 12 "),
    (HOURS | {"timed": 10}, "about 12 (9 of 10 with a known time on weekdays, 15:00 to 17:30)"),
])  # fmt: skip
def test_recorded_crime_says_how_much_until_when(values, words):
    """The number is rounded, and one below the threshold for crime is not given."""
    reason = replace(CRIME, **values)
    assert describe_reason(reason).startswith(f"Recorded crime: {words}")


def test_how_sure_follows_the_data(demo_plan):
    """Chance, trend and place of a hotspot are in its line; based on reports it has neither."""
    table = demo_plan.hotspots.iloc[:1].assign(survived=0.1)
    for reports, stands_out, trend, words in (
        (False, False, "fading", "could be chance; fading; may lie a street or two away; placed"),
        (True, True, "new", "based on pupils' reports; placed to within"),
    ):
        spot = table.assign(mainly_reports=reports, stands_out=stands_out, trend=trend)
        (line,) = describe_certainty(demo_plan.area, demo_plan.risk, spot)
        assert line.startswith(words)


@given(st.text(max_size=3000), st.text(max_size=200))
def test_a_tasking_is_never_cut(reason, by):
    """However long the reason, all of it stands before who requests it and until when."""
    words = wording.describe_tasking(Tasking("T-01", reason, by, dt.date(2026, 12, 18)))
    assert words == f"{reason.strip().rstrip('.;')} (requested by {by}, until 18 December 2026)"


@pytest.mark.parametrize(
    ("arrive", "leave", "is_met"),
    [(905, 920, False), (905, 921, True), (921, 940, True), (922, 940, False), (931, 950, False)],
)
def test_a_way_is_met_by_who_is_there_for_half_of_its_time(arrive, leave, is_met):
    """Of the 18 minutes from 15:12 to 15:30 a stop must meet nine."""
    way = reasons.WayReason(school="Hill School", share=0.15, start="15:12", end="15:30")
    assert is_way_met(way, arrive, leave) == is_met


@pytest.mark.parametrize("area", ["demo_plan", "bloomsbury_plan"])
def test_pupils_who_pass_at_another_time_are_not_promised(area, request):
    """No stop names a way of which it meets under half, or minutes that are not its own."""
    plan = request.getfixturevalue(area)
    seen = 0
    for patrol in plan.patrols:
        for stop in patrol.stops:
            for reason in stop.why:
                if isinstance(reason, reasons.WayReason):
                    assert is_way_met(reason, stop.arrive_minutes, stop.leave_minutes)
                elif isinstance(reason, reasons.PassingReason):
                    seen += 1
                    until = minutes_after_midnight(reason.until)
                    assert stop.arrive_minutes < until <= stop.leave_minutes + 1
    assert seen > 2


def _at(turn, street, metres, **more):
    return Step(turn, street, metres, landmark=STOP, **more)


def test_a_landmark_is_named_where_the_turn_is_not_clear_without():
    """At the first turn, at a path without a name and after a short bit; each once in a row."""
    head, by_bus = Step("head east", "A", 200), "at the bus stop Dalby Road, right into"
    for steps, turn in (
        ([head, _at("left", "B", 90)], "at the bus stop Dalby Road, left into"),
        ([head, Step("left", "B", 90), _at("right", "C", 90)], "right into"),
        ([head, Step("left", "B", 90), _at("right", "footpath", 90)], by_bus),
        ([head, Step("left", "B", 50), _at("right", "C", 90)], by_bus),
        ([head, _at("left", "B", 20), _at("right", "C", 90)], "right into"),
    ):
        assert describe_directions(steps)[-1].turn == turn


def test_card_and_phone_say_all_of_a_direction():
    """Landmark, turn, level, street, length, passage and crossings, in the order they are met."""
    steps = (
        Step("head east", "A", 200, crossings=(RoadCrossing("", "island"),)),
        _at("right", "walkway", 60, level="up", passage="bridge"),
        Step("left", "A", 20, crossings=(RoadCrossing("B", "unknown"),)),
        Step("right", "A", 50),
    )
    assert [" ".join(one[:3]) + one.passed for one in describe_directions(steps)] == [
        "head east along A 200 m, crossing the main road by the island",
        "at the bus stop Dalby Road, right, up into walkway 60 m, over the bridge",
        "left into A 20 m, crossing B",
        "right, still A 50 m",
    ]


def test_card_phone_and_gpx_say_the_same_of_a_stop(demo_plan):
    """Each has its place, times, grid reference and every reason; the card has them in short."""
    page = html.unescape(render_map(demo_plan).decode("utf-8"))
    for patrol in demo_plan.patrols:
        card = build_card_data(demo_plan, patrol, "0")
        gpx = html.unescape(render_gpx(demo_plan, patrol.urn).decode("utf-8"))
        for row, stop in zip(card["stops"], list_stop_facts(patrol, BRITISH_GRID), strict=True):
            assert row["time"] == f"{stop.arrive}\N{EN DASH}{stop.leave}"
            if stop.earlier is None:
                assert row["place"].startswith(stop.place)
                assert row["grid"] == stop.grid
                printed = [why["text"] for why in row["why"]]
                assert printed == [f"{line.text}{line.end}" for line in stop.list_why("short")]
            for text in (page, gpx):
                assert all(words in text for words in (stop.place, stop.arrive, stop.grid))
                assert all(line.text in text for line in stop.list_why())


def test_nothing_stands_twice(demo_plan):
    """What an earlier stop says, or all of it at the same place, is referred to, not repeated."""
    again, returns = 0, 0
    variants = [variant for patrol in demo_plan.patrols for variant in patrol.variants]
    others = [walk for variant in variants for walk in variant.patrols]
    for patrol in (*demo_plan.patrols, *others):
        stops = list_stop_facts(patrol, BRITISH_GRID)
        for stop in (stop for stop in stops if stop.earlier):
            assert stop.place.endswith(", again")
            assert [line.text for line in stop.list_why()] == [f"As at stop {stop.earlier}"]
            returns += 1
        lines = [f"{line.text}{line.end}" for stop in stops for line in stop.list_why()]
        again += sum("as at stop" in line for line in lines)
        told = [line for line in lines if "s at stop" not in line and "way" not in line]
        assert len({*told}) == len(told)
        assert not any(line.count(": ") > 1 for line in lines)
        rows = build_card_data(demo_plan, patrol, "0")["stops"]
        factors = [why["text"] for row in rows for why in row["why"] if "unsafe: " in why["text"]]
        assert len({*factors}) == len(factors)
    assert again
    assert returns
