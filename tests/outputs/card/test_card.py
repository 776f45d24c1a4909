"""Cards: texts and marking, and all pages as a printer renders them: nothing hidden or cut."""

import datetime as dt
import io
import re
from dataclasses import replace

import numpy as np
import pypdf
import pytest
import segno
from outputs.printed import (
    DOTS,
    assert_labels_apart,
    assert_on_map,
    find_words_off_page,
    read_pages,
    rendered,
    strip_spaces,
    typeset_picture,
)

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.hotspots.reasons import ReportsReason, TrendReason, WayReason
from patrolplan.notes import Note
from patrolplan.outputs.card import card as card_module
from patrolplan.outputs.card.card import PrintedPatrol, render_cards
from patrolplan.outputs.card.card_text import build_card_data, list_cautions
from patrolplan.outputs.cartography.fonts import MIN_FONT_SIZE
from patrolplan.outputs.cartography.symbols import KEEP_AWAY_TEXT, STOP_RADIUS, TASKED_RADIUS
from patrolplan.outputs.reason_words import list_reasons
from patrolplan.outputs.webmap.map_layers import format_patrol_id
from patrolplan.outputs.wording import compute_plan_id, describe_barred, describe_tasking
from patrolplan.patrols.legs import RoadCrossing
from patrolplan.patrols.plan import BarredPlace, Plan, Tasking

HOSTILE = (
    'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*] $x$'
)


def pages_of(pdf: bytes) -> pypdf.PdfReader:
    """Open a PDF from its bytes."""
    return pypdf.PdfReader(io.BytesIO(pdf))


def words_of(pdf: bytes) -> str:
    """Text of all pages on one line, so that line breaks do not matter."""
    text = " ".join(page.extract_text() for page in pages_of(pdf).pages)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def altered(plan: Plan, **changes) -> Plan:
    """Plan of the first patrol alone, changed."""
    patrol = replace(plan.patrols[0], **changes)
    return replace(plan, patrols=(patrol,))


def _task(text: str) -> Tasking:
    """A tasking with this reason, requested by somebody of this name."""
    return Tasking("T-01", text, text, dt.date(2026, 12, 18))


def with_stops(plan: Plan, count: int) -> Plan:
    """First patrol with its stops and legs repeated or cut to `count` stops."""
    patrol = plan.patrols[0]
    times = [{"arrive_minutes": 930 + 20 * n, "leave_minutes": 945 + 20 * n} for n in range(count)]
    stops = tuple(
        replace(patrol.stops[number % len(patrol.stops)], **time)
        for number, time in enumerate(times)
    )
    legs = tuple(patrol.legs[number % len(patrol.legs)] for number in range(count + 1))
    return altered(plan, stops=stops, legs=legs)


def alternatives(node) -> list[str]:
    """Alternative texts in a PDF's structure tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [text for child in node for text in alternatives(child)]
    if not isinstance(node, dict):
        return []
    own = [str(node["/Alt"])] if "/Alt" in node else []
    return own + (alternatives(node["/K"]) if "/K" in node else [])


def sizes_of(page: pypdf.PageObject) -> list[tuple[float, str]]:
    """Height of type on paper of every run of text, turned text included."""
    sizes = []

    def visit(text, outer, inner, _font, size):
        if text.strip():
            a, b, c, d = (
                inner[0] * outer[0] + inner[1] * outer[2],
                inner[0] * outer[1] + inner[1] * outer[3],
                inner[2] * outer[0] + inner[3] * outer[2],
                inner[2] * outer[1] + inner[3] * outer[3],
            )
            sizes.append((size * abs(a * d - b * c) ** 0.5, text))

    page.extract_text(visitor_text=visit)
    return sizes


@pytest.fixture(scope="module")
def card(demo_plan):
    """Card of the first patrol of the demo borough, written with the second."""
    cards = render_cards(demo_plan, patrols=demo_plan.patrols[:2])
    return cards[f"cards/{format_patrol_id(demo_plan.patrols[0])}.pdf"]


def test_busiest_way_stands_at_one_stop_and_raises_the_marking(demo_plan):
    """The stop with most pupils of the school on their way says so once; such a card is marked."""
    patrol = demo_plan.patrols[0]
    way = WayReason(school=patrol.school, share=0.15, start="15:12", end="15:30")
    trend = TrendReason(trend="new")
    fewer, other = (replace(way, **one) for one in ({"share": 0.1}, {"school": "Else"}))
    whys = [(fewer, trend), (way, trend), (other,)]
    stops = tuple(
        replace(
            patrol.stops[0], id=f"place {number}", why=why, arrive_minutes=915, leave_minutes=930
        )
        for number, why in enumerate(whys)
    )
    card = build_card_data(demo_plan, replace(patrol, stops=stops), "x")
    told = ["Busiest way home, 15:12\N{EN DASH}15:30" in str(row["why"]) for row in card["stops"]]
    assert told == [False, True, False]
    assert card["marking"] == "OFFICIAL-SENSITIVE"
    bare = tuple(replace(stop, why=(trend,)) for stop in stops)
    card = build_card_data(demo_plan, replace(patrol, stops=bare), "x")
    assert "Busiest" not in str(card["stops"])
    assert card["marking"] == "OFFICIAL"


def test_a_card_has_at_most_120_words_beside_map_and_directions(demo_plan):
    """Who, where, when and why is read in ten seconds; times, numbers and signs are no words."""
    apart = {"title", "map_alt", "code_alt", "directions_title", "legs"}

    def count(value):
        if isinstance(value, dict):
            return sum(count(value[key]) for key in value if key not in apart)
        if isinstance(value, list):
            return sum(map(count, value))
        return len(re.findall(r"\S*[^\W\d_]\S*", value)) if isinstance(value, str) else 0

    cards = [PrintedPatrol(demo_plan, patrol).write("x") for patrol in demo_plan.patrols]
    assert 60 < max(count(card) for card in cards) <= 118  # two name the map and the code


def test_markup_in_names_arrives_as_text(demo_plan):
    """Markup of typst, HTML and mathematics in a name or reason is printed letter by letter."""
    stop = replace(demo_plan.patrols[0].stops[0], place=HOSTILE, tasking=_task(HOSTILE))
    plan = altered(
        demo_plan, school=HOSTILE, notes=(Note("tasked_place_outside", f"Tasked place {HOSTILE}."),)
    )
    patrol = replace(plan.patrols[0], stops=(stop, *plan.patrols[0].stops[1:]))
    plan = replace(plan, patrols=(patrol,))
    pdf = render_cards(plan)["cards.pdf"]
    # Lines may break anywhere in a name, so letters are compared without the spaces.
    assert words_of(pdf).replace(" ", "").count(HOSTILE.replace(" ", "")) >= 2
    assert HOSTILE in pages_of(pdf).metadata.title or "Patrol cards" in pages_of(pdf).metadata.title


def test_equal_plans_give_equal_bytes(demo_plan, card):
    """Nothing of the moment of printing is in the file."""
    again = render_cards(demo_plan, patrols=demo_plan.patrols[:1])
    assert again[f"cards/{format_patrol_id(demo_plan.patrols[0])}.pdf"] == card


def test_card_can_be_read_by_a_screen_reader(demo_plan, card):
    """The PDF is tagged, in English, and the map has a text in its place; nobody is its author."""
    root, metadata = pages_of(card).trailer["/Root"], pages_of(card).metadata
    assert metadata.title.startswith("Patrol card")
    assert metadata.author in {None, ""}
    assert {str(key) for key in metadata} <= {"/Title", "/Producer", "/Creator", "/Keywords"}
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    texts = alternatives(root["/StructTreeRoot"])
    assert any("stop 1, " + demo_plan.patrols[0].stops[0].place in text for text in texts)


def test_no_type_is_smaller_than_eight_points(card):
    """Every run of text, on the map too, is at least 8 pt high."""
    sizes = sizes_of(pages_of(card).pages[0])
    assert len(sizes) > 50
    assert min(sizes)[0] >= MIN_FONT_SIZE - 0.01, min(sizes)


LONG = "Saint Somebody the Great and All Angels " * 10


@pytest.mark.parametrize("count", [3, 10])
def test_very_long_texts_are_whole_somewhere_on_the_card(demo_plan, count):
    """Words for which the first page has no room go on over the page; none is lost."""
    why = (ReportsReason(time_band=None, factors=(LONG, LONG)), TrendReason(trend="new"))
    plan = with_stops(demo_plan, count)
    stops = tuple(
        replace(stop, place=LONG, why=why, tasking=_task(f"15:20 to 15:45, {LONG}"))
        for stop in plan.patrols[0].stops
    )
    barred = BarredPlace(point=plan.patrols[0].point, place=LONG, tasking=_task(LONG))
    plan = altered(
        plan,
        school=LONG,
        stops=stops,
        keep_away=(barred,),
        notes=(Note("tasked_place_outside", f"Tasked place {LONG}."),) * 2,
    )
    pdf = render_cards(plan)["cards.pdf"]
    text = "".join(read_pages(pdf)).replace("OFFICIAL", "")  # a text may go on over a page
    phrases = [*list_reasons(replace(stops[0], tasking=None), "short")]
    phrases += [f"T-01: {describe_tasking(stops[0].tasking)}.", describe_barred(barred), LONG]
    for phrase in phrases:
        assert strip_spaces(phrase) in text
    assert "Memberofstaff" in text
    assert find_words_off_page(pdf) == []


def test_a_text_of_absurd_length_says_how_much_is_missing(demo_plan):
    """What no form has room for is cut with the number of letters that are missing."""
    tasking = replace(_task("word " * 400), by="A")
    stop = replace(demo_plan.patrols[0].stops[0], tasking=tasking)
    stops = (stop, *demo_plan.patrols[0].stops[1:])
    words = words_of(render_cards(altered(demo_plan, stops=stops))["cards.pdf"])
    found = re.search(r"T-01: ((?:word )+)\[([0-9,]+) more letters: see the plan's file\]", words)
    assert len(found[1]) + int(found[2].replace(",", "")) == len("word " * 400)
    assert "requested by A, until 18 December 2026" in words


def test_roads_to_cross_with_care_are_named_with_their_legs(demo_plan):
    """Main roads without lights or priority are a caution, with where they are crossed."""
    patrol = demo_plan.patrols[0]
    crossings = (
        RoadCrossing("Long Road", "unmarked"),
        RoadCrossing("New Road", "unknown"),
        RoadCrossing("Safe Road", "signals"),
    )
    step = replace(patrol.legs[1].steps[0], crossings=crossings)
    legs = list(patrol.legs)
    legs[1] = replace(legs[1], steps=(step,))
    plan = altered(demo_plan, legs=tuple(legs))
    words = words_of(render_cards(plan)["cards.pdf"])
    assert "Main roads without a marked crossing: Long Road (1→2)." in words
    assert "Main roads, no crossing known: New Road (1→2)." in words
    cautions = list_cautions(plan, plan.patrols[0])
    assert not any("Safe Road" in line["text"] for line in cautions)


def test_code_holds_no_place(demo_plan, monkeypatch):
    """The square code names area, plan and patrol, but neither a place nor a person."""
    seen = []
    make = segno.make
    monkeypatch.setattr(segno, "make", lambda text, **how: seen.append(text) or make(text, **how))
    render_cards(demo_plan, patrols=demo_plan.patrols[:1])
    patrol = demo_plan.patrols[0]
    assert len(seen) == 1
    assert seen[0].startswith("patrolplan/")
    assert seen[0].endswith(f"/{patrol.urn}-1/{demo_plan.area.name}")
    assert str(round(patrol.x)) not in seen[0]


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
    risk = replace(demo_plan.risk, window=None)
    basis = {"risk": risk, "hotspots": demo_plan.hotspots}
    day = pp.plan_patrols(area, **basis, urns=["900001", "900002", "900005"])
    early = pp.plan_patrols(area, **basis, urns=["900003", "900006"], window=Window(70, 450.0))
    return replace(day, patrols=(*day.patrols, *early.patrols))


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


def test_no_text_is_cut(plan, drawn):
    """Every word that a card has to say stands on its page or the next, whole."""
    texts = ["".join(read_pages(card)) for card in drawn[2]]
    code = compute_plan_id(plan)
    unprinted = {"title", "map_alt", "code_alt"}
    for text, patrol, picture in zip(texts, plan.patrols, drawn[0], strict=True):
        barred = patrol.keep_away if KEEP_AWAY_TEXT in picture.label_texts else ()
        data = build_card_data(plan, replace(patrol, keep_away=barred), code)
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
