"""What is said of a stop: the same on card, phone and GPX."""

import html

import pytest

from patrolplan.crs import BRITISH_GRID
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.webmap.map_page import render_map


@pytest.fixture(scope="module")
def page(demo_plan):
    """The words of the phone's page."""
    return html.unescape(render_map(demo_plan).decode("utf-8"))


def test_card_phone_and_gpx_say_the_same_of_a_stop(demo_plan, page):
    """Each has its place, times, grid reference and every reason; the card has them in short."""
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


def test_a_place_of_an_earlier_stop_has_its_reasons_there(demo_plan):
    """A repeated stop refers to the first, and no other line is said of it."""
    again = [
        stop
        for patrol in demo_plan.patrols
        for stop in list_stop_facts(patrol, BRITISH_GRID)
        if stop.earlier
    ]
    assert again
    assert all(stop.place.endswith(", again") for stop in again)
    assert all(
        [line.text for line in stop.list_why()] == [f"As at stop {stop.earlier}"] for stop in again
    )


def test_nothing_stands_twice(demo_plan):
    """What an earlier stop says of crime or pupils is referred to, not said a second time."""
    again = 0
    for patrol in demo_plan.patrols:
        lines = [
            f"{line.text}{line.end}"
            for stop in list_stop_facts(patrol, BRITISH_GRID)
            for line in stop.list_why()
        ]
        again += sum("as at stop" in line for line in lines)
        told = [line for line in lines if "s at stop" not in line and "way" not in line]
        assert len({*told}) == len(told)
        assert not any(line.count(": ") > 1 for line in lines)
        rows = build_card_data(demo_plan, patrol, "0")["stops"]
        factors = [why["text"] for row in rows for why in row["why"] if "unsafe: " in why["text"]]
        assert len({*factors}) == len(factors)
    assert again
