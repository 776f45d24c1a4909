"""All cards, rendered as a printer would: nothing hidden, cut or wasted."""

import dataclasses

import numpy as np
import pytest
from outputs.map_checks import assert_labels_apart, assert_on_map
from outputs.printed import DOTS, read_pages, rendered, strip_spaces, typeset_picture

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.outputs.card import card as card_module
from patrolplan.outputs.card.card import render_cards
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography.symbols import KEEP_AWAY_TEXT, STOP_RADIUS, TASKED_RADIUS
from patrolplan.outputs.wording import compute_plan_id

INK = 160
"""A dot darker than this is ink; lighter greys are ground."""


def list_strings(value: object) -> list[str]:
    """Every string in a card's data."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in list_strings(item)]


@pytest.fixture(scope="module")
def riding_plan(demo_area, demo_plan):
    """Patrols by bicycle, from the bell and before school."""
    area = pp.with_settings(demo_area, patrol={"way": "bicycle"})
    risk = dataclasses.replace(demo_plan.risk, window=None)
    basis = {"risk": risk, "hotspots": demo_plan.hotspots}
    day = pp.plan_patrols(area, **basis, urns=["900001", "900002", "900005"])
    early = pp.plan_patrols(area, **basis, urns=["900003", "900006"], window=Window(70, 450.0))
    return dataclasses.replace(day, patrols=(*day.patrols, *early.patrols))


@pytest.fixture(
    scope="module",
    params=[
        "demo_plan",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("riding_plan", "bloomsbury_plan")),
    ],
)
def plan(request):
    """Plans whose cards are looked at."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def drawn(plan):
    """Maps as they stand on the cards, all cards of a plan as one PDF, and each alone."""
    maps, draw = [], card_module.draw_patrol_map

    def spy(*args, **how):
        maps.append(draw(*args, **how))
        return maps[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card_module, "draw_patrol_map", spy)
        cards = render_cards(plan)
    whole = cards.pop("cards.pdf")
    return maps, whole, list(cards.values())


@pytest.fixture(scope="module")
def texts(drawn):
    """Letters of each card, of its next page too."""
    return ["".join(read_pages(card)) for card in drawn[2]]


def test_no_label_lies_on_another_or_off_the_map(plan, drawn):
    """At the size of the map on each card, no words overlap, and all are within it."""
    maps = drawn[0]
    assert len(maps) == len(plan.patrols)
    for picture in maps:
        assert_labels_apart(picture, round_signs=True)
        assert_on_map(picture.viewport, picture.label_boxes)


def test_no_stop_is_hidden(plan, drawn):
    """Every stop's circle is there as black ink, with nothing drawn over it."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    for patrol, picture in zip(plan.patrols, drawn[0], strict=True):
        page = rendered(typeset_picture(picture.svg), "-gray")[0]
        for number, stop in enumerate(patrol.stops, 1):
            radius = 0.8 * STOP_RADIUS if stop.tasking is None else 0.85 * TASKED_RADIUS
            x, y = picture.label_boxes[picture.label_texts.index(str(number)), :2]
            across = x + radius * np.cos(turns)
            down = picture.viewport.height - y + radius * np.sin(turns)
            ring = page[down.astype(int), across.astype(int)]
            assert np.mean(ring < INK) > 0.75, (patrol.urn, number)  # edges may fall between pixels


def test_no_text_is_cut(plan, drawn, texts):
    """Every word that a card has to say stands on its page, whole."""
    code = compute_plan_id(plan)
    unprinted = {"title", "map_alt", "code_alt"}
    for text, patrol, picture in zip(texts, plan.patrols, drawn[0], strict=True):
        barred = patrol.keep_away if KEEP_AWAY_TEXT in picture.label_texts else ()
        data = build_card_data(plan, dataclasses.replace(patrol, keep_away=barred), code)
        for key, value in data.items():
            for phrase in list_strings(value) if key not in unprinted else ():
                assert strip_spaces(phrase) in text, (patrol.urn, key, phrase)


def test_pages_are_used_in_colour_and_in_grey(plan, drawn):
    """Two thirds of each first page hold ink, and a print in grey has the ink of a coloured one."""
    grey, colour = ([rendered(card, *gray)[0] for card in drawn[2]] for gray in (("-gray",), ()))
    assert len(grey) == len(colour) == len(plan.patrols)
    for plain, page in zip(grey, colour, strict=True):
        light = page @ np.array([0.299, 0.587, 0.114])
        assert np.abs(light - plain).max() < 4
        assert np.mean((plain < INK).any(axis=1)) > 2 / 3
        assert np.mean((light < INK).any(axis=1)) > 2 / 3


def test_each_is_one_page_with_free_margins(plan, drawn):
    """Nothing runs over the page, or into the margin that printers leave white."""
    edge, pages = int(5 / 25.4 * DOTS), rendered(drawn[1], "-gray")
    assert len(pages) == len(plan.patrols)
    for page in pages:
        inside = page[edge:-edge, edge:-edge]
        assert (page < INK).sum() == (inside < INK).sum()
