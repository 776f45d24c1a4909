"""Cards: texts, marking and map, and all pages as a printer renders them: nothing hidden or cut."""

import datetime as dt
import html
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pypdf
import pytest
import segno
import shapely
from outputs import printed

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.hotspots.reasons import ReportsReason, TrendReason, WayReason
from patrolplan.notes import Note
from patrolplan.outputs.card import card as card_module
from patrolplan.outputs.card.card import PrintedPatrol, render_cards
from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.card.card_text import build_card_data, list_cautions
from patrolplan.outputs.cartography.fonts import MIN_FONT_SIZE
from patrolplan.outputs.cartography.map_content import MapContent, fit_patrol_viewport
from patrolplan.outputs.cartography.symbols import FEARED_TEXT, STOP_RADIUS, TASKED_RADIUS
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.routes import KEEP_AWAY_MARK
from patrolplan.outputs.webmap.map_layers import format_patrol_id
from patrolplan.outputs.wording import compute_plan_id, describe_barred, describe_tasking
from patrolplan.patrols.legs import RoadCrossing
from patrolplan.patrols.plan import BarredPlace, Tasking

TREND = TrendReason(trend="new")
LONG = "Saint Somebody the Great and All Angels " * 10
INK = 160
"""A dot darker than this is ink; lighter greys are ground."""
OTHER_PLANS = ("riding_plan", "bloomsbury_plan")
SLOW_PLANS = (pytest.param(one, marks=pytest.mark.slow) for one in OTHER_PLANS)


def _open(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


def _task(text):
    """A tasking with this reason, requested by somebody of this name."""
    return Tasking("T-01", text, text, dt.date(2026, 12, 18))


def _change_stop(patrol, **changes):
    """Stops of the patrol, the first one changed."""
    return replace(patrol.stops[0], **changes), *patrol.stops[1:]


def test_busiest_way_stands_at_one_stop_and_raises_the_marking(demo_plan):
    """The stop with most pupils of the school on their way says so once; such a card is marked."""
    patrol = replace(demo_plan.patrols[0], barred=())
    way = WayReason(school=patrol.school, share=0.15, start="15:12", end="15:30")
    fewer, other = (replace(way, **one) for one in ({"share": 0.1}, {"school": "Else"}))
    stop = replace(patrol.stops[0], arrive_minutes=915, leave_minutes=930, tasking=None)
    words = "Busiest way home, 15:12\N{EN DASH}15:30"
    ways = [(fewer, TREND), (way, TREND), (other,)]
    for whys, marking in ((ways, "OFFICIAL-SENSITIVE"), ([(TREND,)] * 3, "OFFICIAL")):
        stops = tuple(replace(stop, id=f"place {row}", why=why) for row, why in enumerate(whys))
        legs = patrol.legs[:1] * (len(stops) + 1)
        card = build_card_data(demo_plan, replace(patrol, stops=stops, legs=legs), "x")
        busy = [words in str(row["why"]) for row in card["stops"]]
        assert busy == [False, way in whys[1], False]
        assert str(card["stops"]).count("Busiest") == sum(busy)
        assert card["marking"] == marking


def test_a_card_has_at_most_120_words_beside_map_and_directions(demo_plan):
    """Who, where, when and why is read in ten seconds; times, numbers and signs are no words."""
    apart = {"title", "map_alt", "code_alt", "directions_title", "legs"}
    cards = [PrintedPatrol(demo_plan, patrol).write("x") for patrol in demo_plan.patrols]
    counts = []
    for card in cards:
        texts = _list_texts({key: card[key] for key in card.keys() - apart})
        counts.append(sum(len(re.findall(r"\S*[^\W\d_]\S*", text)) for text in texts))
    assert 60 < max(counts) <= 118  # two name the map and the code


def test_markup_in_names_arrives_as_text(demo_plan):
    """Markup of typst, HTML and mathematics in a name or reason is printed letter by letter."""
    patrol = demo_plan.patrols[0]
    stops = _change_stop(patrol, place=printed.HOSTILE, tasking=_task(printed.HOSTILE))
    notes = (Note("tasked_place_outside", f"Tasked place {printed.HOSTILE}."),)
    hostile = replace(patrol, school=printed.HOSTILE, stops=stops, notes=notes)
    pdf = render_cards(demo_plan, patrols=[hostile])[f"cards/{patrol.urn}.pdf"]
    # Lines may break anywhere in a name, so letters are compared without the spaces.
    assert "".join(printed.read_pages(pdf)).count(printed.strip_spaces(printed.HOSTILE)) >= 2
    assert _open(pdf).metadata.title.endswith(printed.HOSTILE)


@pytest.mark.parametrize("count", [3, 10])
def test_very_long_texts_are_whole_somewhere_on_the_card(demo_plan, count):
    """Words for which the first page has no room go on over the page; none is lost."""
    patrol, tasking = demo_plan.patrols[0], _task(f"15:20 to 15:45, {LONG}")
    why = (ReportsReason(time_band=None, factors=(LONG, LONG)), TREND)
    words = {"place": LONG, "why": why, "tasking": tasking}
    stops = tuple(
        replace(stop, arrive_minutes=930 + 20 * row, leave_minutes=945 + 20 * row, **words)
        for row, stop in enumerate((count * patrol.stops)[:count])
    )
    barred = BarredPlace(point=patrol.point, place=LONG, tasking=_task(LONG))
    notes = (Note("tasked_place_outside", f"Tasked place {LONG}."),) * 2
    more = {"legs": (count * patrol.legs)[: count + 1], "barred": (barred,), "notes": notes}
    long = replace(patrol, school=LONG, stops=stops, **more)
    pdf = render_cards(demo_plan, patrols=[long])["cards.pdf"]
    text = "".join(printed.read_pages(pdf)).replace("OFFICIAL", "")  # a text may go on over a page
    first = list_stop_facts(long, demo_plan.area.projection.crs)[0]
    phrases = [line.text for line in first.list_why("short")]
    phrases += [f"T-01: {describe_tasking(tasking)}.", describe_barred(barred), LONG]
    for phrase in (*phrases, "Member of staff"):
        assert printed.strip_spaces(phrase) in text
    assert printed.find_words_off_page(pdf) == []


def test_a_text_of_absurd_length_says_how_much_is_missing(demo_plan):
    """What no form has room for is cut with the number of letters that are missing."""
    patrol = demo_plan.patrols[0]
    stops = _change_stop(patrol, tasking=replace(_task("word " * 400), by="A"))
    words = build_card_data(demo_plan, replace(patrol, stops=stops), "x")["stops"][0]["tasked"]
    found = re.search(r"T-01: ((?:word )+)\[([0-9,]+) more letters: see the plan's file\]", words)
    assert len(found[1]) + int(found[2].replace(",", "")) == len("word " * 400)
    assert "requested by A, until 18 December 2026" in words


def test_roads_to_cross_with_care_are_named_with_their_legs(demo_plan):
    """Main roads without lights or priority are a caution, with where they are crossed."""
    patrol = demo_plan.patrols[0]
    roads = {"Long Road": "unmarked", "New Road": "unknown", "Safe Road": "signals"}
    first, second, *others = patrol.legs
    step = replace(second.steps[0], crossings=tuple(RoadCrossing(*road) for road in roads.items()))
    patrol = replace(patrol, legs=(first, replace(second, steps=(step,)), *others))
    cautions = {line["label"]: line["text"] for line in list_cautions(demo_plan, patrol)}
    assert cautions["Main roads without a marked crossing:"] == "Long Road (1→2)."
    assert cautions["Main roads, no crossing known:"] == "New Road (1→2)."
    assert "Safe Road" not in str(cautions)


def _read_words(picture):
    found = re.findall(r"<text[^>]*>(.*?)</text>", picture.svg.decode())
    return " ".join(map(html.unescape, found))


@pytest.fixture(scope="module", params=[0, 1], ids=["plain", "signs"])
def signs(request, demo_plan):
    """A patrol's map with so many of each sign: a tasked stop, a feared one, a barred place."""
    count, patrol = request.param, demo_plan.patrols[7]
    first, second, *others = (replace(one, tasking=None, sees=(), why=()) for one in patrol.stops)
    line = np.vstack([patrol.point, *(leg.line for leg in patrol.legs)])
    x, y = line[np.argmax(line[:, 0])]
    barred = BarredPlace(point=(x + 240.0, y), place="Mill Lane", tasking=_task("crime scene"))
    if count:
        first = replace(first, tasking=_task("robbery"))
        second = replace(second, why=(ReportsReason(time_band=None, factors=()),))
    is_feared = demo_plan.hotspots["hotspot"].isin(count * [second.hotspot])
    plan = replace(demo_plan, hotspots=demo_plan.hotspots.assign(mainly_reports=is_feared))
    patrol = replace(patrol, stops=(first, second, *others), barred=count * (barred,))
    picture = draw_patrol_map(plan, patrol, width=538.0, height=380.0)
    return SimpleNamespace(count=count, plan=plan, patrol=patrol, picture=picture)


def test_tasked_stops_and_places_to_keep_away_from_have_their_signs(signs):
    """Each has its own on the map and in the legend, and no words touch a cross."""
    content = MapContent(signs.picture.viewport, signs.plan, signs.patrol)
    assert content.markers.kinds.count("tasked") == signs.count
    assert ("tasked stop" in _read_words(signs.picture)) == bool(signs.count)
    crosses = [text == KEEP_AWAY_MARK for text in signs.picture.label_texts]
    assert sum(crosses) == signs.count
    printed.assert_on_map(signs.picture.viewport, signs.picture.label_boxes[crosses])
    printed.assert_labels_apart(signs.picture)
    assert ("keep away" in _read_words(signs.picture)) == bool(signs.count)


def test_feared_places_have_their_sign(signs):
    """If reports are a reason of a stop, a bubble is at its stretch; otherwise there is none."""
    picture, stop = signs.picture, signs.patrol.stops[1]
    bubbles = picture.label_boxes[[text == FEARED_TEXT for text in picture.label_texts], :2]
    assert len(bubbles) == signs.count
    assert ("pupils feel unsafe" in _read_words(picture)) == bool(signs.count)
    stretch = signs.plan.hotspots.set_index("hotspot").geometry[stop.hotspot]
    for bubble in picture.viewport.to_metres(bubbles):
        assert stretch.distance(shapely.Point(bubble)) < 30 * picture.viewport.metres_per_point


def test_map_is_vector_and_small_and_its_words_stay_text(signs):
    """A map holds no picture of dots, stays under 400 kB, and its names can be searched."""
    pdf = printed.typeset_pictures(signs.picture.svg)
    assert len(pdf) < 400_000
    page = _open(pdf).pages[0]
    assert not page.images
    assert all(words in page.extract_text() for words in ("last leg", "priority street"))
    assert float(page.mediabox.height) == pytest.approx(380.0, abs=0.1)


def test_a_cross_and_a_stop_do_not_hide_each_other(demo_plan):
    """A place to keep away from at a stop's own corner stays in place; the stop's sign moves."""
    patrol = demo_plan.patrols[2]
    x, y = patrol.stops[0].point
    barred = BarredPlace(point=(x + 1.0, y), place="Mill Lane", tasking=_task("crime scene"))
    patrol = replace(patrol, barred=(barred,))
    frame = fit_patrol_viewport(demo_plan, patrol, 538.0, 360.0)
    markers = MapContent(frame, demo_plan, patrol).markers
    assert markers.texts[:3] == ["G", KEEP_AWAY_MARK, "1"]
    assert markers.centres[1].tolist() == markers.true_points[1].tolist()
    assert np.hypot(*(markers.centres[2] - markers.centres[1])) > 2 * STOP_RADIUS


def _list_texts(value):
    """Every string in a card's data."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _list_texts(item)]


def _list_alternatives(node):
    """Alternative texts in a PDF's structure tree."""
    node = node.get_object()
    if isinstance(node, list):
        return [text for child in node for text in _list_alternatives(child)]
    if not isinstance(node, dict):
        return []
    return [str(node.get("/Alt", "")), *(_list_alternatives(node["/K"]) if "/K" in node else ())]


@pytest.fixture(scope="module")
def riding_plan(demo_area, demo_plan):
    """Patrols by bicycle, from the bell and before school."""
    area = pp.with_settings(demo_area, patrol={"way": "bicycle"})
    risk = replace(demo_plan.risk, window=None)
    basis = {"risk": risk, "hotspots": demo_plan.hotspots}
    day = pp.plan_patrols(area, **basis, urns=["900001", "900002", "900005"])
    early = pp.plan_patrols(area, **basis, urns=["900003", "900006"], window=Window(70, 450.0))
    return replace(day, patrols=(*day.patrols, *early.patrols))


@pytest.fixture(scope="module", params=["demo_plan", *SLOW_PLANS])
def plan(request):
    """Plans whose cards are looked at."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def drawn(plan):
    """All cards as one PDF, in grey, and each alone, with the maps and the codes on them."""
    maps, codes = [], []
    draw, make = card_module.draw_patrol_map, segno.make

    def draw_and_keep(*args, **how):
        maps.append(draw(*args, **how))
        return maps[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card_module, "draw_patrol_map", draw_and_keep)
        patch.setattr(segno, "make", lambda text, **how: codes.append(text) or make(text, **how))
        cards = render_cards(plan)
    whole = cards.pop("cards.pdf")
    assert len(maps) == len(codes) == len(cards) == len(plan.patrols)
    grey = printed.rendered(whole, "-gray")
    return SimpleNamespace(maps=maps, codes=codes, whole=whole, grey=grey, alone=[*cards.values()])


def test_equal_plans_give_equal_bytes(plan, drawn):
    """Nothing of the moment of printing, or of the cards printed with it, is in a card's file."""
    again = render_cards(plan, patrols=plan.patrols[:1])
    assert again[f"cards/{format_patrol_id(plan.patrols[0])}.pdf"] == drawn.alone[0]


def test_card_can_be_read_by_a_screen_reader(plan, drawn):
    """The PDF is tagged, in English, and the map has a text in its place; nobody is its author."""
    pdf = _open(drawn.alone[0])
    root, metadata = pdf.trailer["/Root"], pdf.metadata
    assert metadata.title.startswith("Patrol card")
    assert metadata.author in {None, ""}
    assert {str(key) for key in metadata} <= {"/Title", "/Producer", "/Creator", "/Keywords"}
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    place = list_stop_facts(plan.patrols[0], plan.area.projection.crs)[0].place
    assert any(f"stop 1, {place}" in text for text in _list_alternatives(root["/StructTreeRoot"]))


def test_no_type_is_smaller_than_eight_points(drawn):
    """Every run of text, on the map too, is at least 8 pt high, turned text included."""
    sizes = []

    def visit(text, outer, inner, _font, size):
        areas = [one[0] * one[3] - one[1] * one[2] for one in (outer, inner)]
        sizes.extend([(size * abs(np.prod(areas)) ** 0.5, text)] if text.strip() else ())

    _open(drawn.alone[0]).pages[0].extract_text(visitor_text=visit)
    assert len(sizes) > 50
    assert min(sizes)[0] >= MIN_FONT_SIZE - 0.01, min(sizes)


def test_code_holds_no_place(plan, drawn):
    """The square code names area, plan and patrol, but neither a place nor a person."""
    for patrol, code in zip(plan.patrols, drawn.codes, strict=True):
        name = re.escape(f"{patrol.urn}-{patrol.number}/{plan.area.name}")
        assert re.fullmatch(rf"patrolplan/{compute_plan_id(plan)}/{name}", code)
        assert str(round(patrol.x)) not in code


def test_stops_legs_and_streets_of_the_words_are_on_the_map(plan, drawn):
    """Each map shows the gate, every stop's number, a tag on each leg, and named streets."""
    streets = set(plan.area.network.walkable.piece_name) - {""}
    for patrol, picture in zip(plan.patrols, drawn.maps, strict=True):
        shown, words = {*picture.label_texts}, _read_words(picture)
        assert {"G", *(str(row + 1) for row in range(len(patrol.stops)))} <= shown
        assert sum("\u2192" in text for text in picture.label_texts) >= len(patrol.legs) - 1
        said = {step.street for leg in patrol.legs for step in leg.steps}
        said |= {part for stop in patrol.stops for part in stop.place.split(" near ")}
        for name in said & streets:
            assert name in shown
            assert name in words


def test_no_label_lies_on_another_or_off_the_map(drawn):
    """At the size of the map on each card, no words overlap, and all are within it."""
    for picture in drawn.maps:
        printed.assert_labels_apart(picture, round_signs=True)
        printed.assert_on_map(picture.viewport, picture.label_boxes)


def test_no_stop_is_hidden(plan, drawn):
    """Every stop's circle is there as black ink, with nothing drawn over it."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    drawn_maps = printed.typeset_pictures(*(picture.svg for picture in drawn.maps))
    pages = printed.rendered(drawn_maps, "-gray")
    for patrol, picture, page in zip(plan.patrols, drawn.maps, pages, strict=True):
        for number, stop in enumerate(patrol.stops, 1):
            radius = 0.8 * STOP_RADIUS if stop.tasking is None else 0.85 * TASKED_RADIUS
            x, y = picture.label_boxes[picture.label_texts.index(str(number)), :2]
            across = x + radius * np.cos(turns)
            down = picture.viewport.height - y + radius * np.sin(turns)
            ring = page[down.astype(int), across.astype(int)]
            assert np.mean(ring < INK) > 0.75, (patrol.urn, number)  # edges may fall between pixels


def test_no_text_is_cut(plan, drawn):
    """Every word that a card has to say stands on its page or the next, whole."""
    unprinted, plan_id = {"title", "map_alt", "code_alt"}, compute_plan_id(plan)
    for card, patrol, picture in zip(drawn.alone, plan.patrols, drawn.maps, strict=True):
        barred = patrol.keep_away if KEEP_AWAY_MARK in picture.label_texts else ()
        data = build_card_data(plan, replace(patrol, barred=barred), plan_id)
        text = "".join(printed.read_pages(card))
        for phrase in _list_texts({key: data[key] for key in data.keys() - unprinted}):
            assert printed.strip_spaces(phrase) in text, (patrol.urn, phrase)


def test_pages_are_used_in_colour_and_in_grey(drawn):
    """Two thirds of each first page hold ink, and a print in grey has the ink of a coloured one."""
    for plain, page in zip(drawn.grey, printed.rendered(drawn.whole), strict=True):
        light = page @ np.array([0.299, 0.587, 0.114])
        assert np.abs(light - plain).max() < 4
        assert np.mean((plain < INK).any(axis=1)) > 2 / 3
        assert np.mean((light < INK).any(axis=1)) > 2 / 3


def test_each_is_one_page_with_free_margins(plan, drawn):
    """Nothing runs over the page, or into the margin that printers leave white."""
    edge = int(5 / 25.4 * printed.DOTS)
    assert len(drawn.grey) == len(plan.patrols)
    for page in drawn.grey:
        assert (page < INK).sum() == (page[edge:-edge, edge:-edge] < INK).sum()
