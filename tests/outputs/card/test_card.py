"""The card: one page that an officer can read in the rain, and that data cannot break."""

import dataclasses
import datetime as dt
import io
import re

import pypdf
import pytest
import segno
from outputs.printed import find_words_off_page, read_pages, strip_spaces

from patrolplan.hotspots.reasons import ReportsReason, TrendReason, WayReason
from patrolplan.notes import Note
from patrolplan.outputs.card import card as card_module
from patrolplan.outputs.card.card import build_card_filename, render_cards
from patrolplan.outputs.card.card_text import list_cautions
from patrolplan.outputs.cartography.fonts import MIN_FONT_SIZE
from patrolplan.outputs.reason_words import describe_reason, list_reasons
from patrolplan.outputs.wording import describe_barred, describe_tasking
from patrolplan.patrols.legs import RoadCrossing
from patrolplan.patrols.plan import BarredPlace, Plan, Tasking
from patrolplan.times import format_time

HOSTILE = (
    'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*] $x$'
)
MOST_BYTES = 400_000


def pages_of(pdf: bytes) -> pypdf.PdfReader:
    """Open a PDF from its bytes."""
    return pypdf.PdfReader(io.BytesIO(pdf))


def words_of(pdf: bytes) -> str:
    """Text of all pages on one line, so that line breaks do not matter."""
    text = " ".join(page.extract_text() for page in pages_of(pdf).pages)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def altered(plan: Plan, **changes) -> Plan:
    """Plan of the first patrol alone, changed."""
    patrol = dataclasses.replace(plan.patrols[0], **changes)
    return dataclasses.replace(plan, patrols=(patrol,))


def _task(text: str) -> Tasking:
    """A tasking with this reason, requested by somebody of this name."""
    return Tasking("T-01", text, text, dt.date(2026, 12, 18))


def with_stops(plan: Plan, count: int) -> Plan:
    """First patrol with its stops and legs repeated or cut to `count` stops."""
    patrol = plan.patrols[0]
    stops = tuple(
        dataclasses.replace(
            patrol.stops[number % len(patrol.stops)],
            arrive_minutes=930 + 20 * number,
            leave_minutes=945 + 20 * number,
        )
        for number in range(count)
    )
    legs = tuple(patrol.legs[number % len(patrol.legs)] for number in range(count + 1))
    return altered(plan, stops=stops, legs=legs if count else ())


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
def cards(demo_plan):
    """Cards of the first two patrols of the demo borough."""
    return render_cards(demo_plan, patrols=demo_plan.patrols[:2])


@pytest.fixture(scope="module")
def card(demo_plan, cards):
    """Card of the first patrol."""
    return cards[build_card_filename(demo_plan.patrols[0])]


def test_busiest_stretch_stands_at_one_stop_and_raises_the_marking(demo_plan):
    """The stop with most pupils of the school on their way says so once; such a card is marked."""
    patrol = demo_plan.patrols[0]
    way = WayReason(school=patrol.school, share=0.15, start="15:12", end="15:30")
    trend = TrendReason(trend="new")
    fewer, other = (dataclasses.replace(way, **one) for one in ({"share": 0.1}, {"school": "Else"}))
    whys = [(fewer, trend), (way, trend), (other,)]
    stops = tuple(
        dataclasses.replace(
            patrol.stops[0], id=f"place {number}", why=why, arrive_minutes=915, leave_minutes=930
        )
        for number, why in enumerate(whys)
    )
    legs = (patrol.legs[0],) * 4
    plan = altered(demo_plan, stops=stops, legs=legs)
    words = words_of(render_cards(plan)["cards.pdf"])
    line = "Busiest stretch on the way home, 15:12 to 15:30: about one pupil in six."
    assert words.count("Busiest stretch") == 1
    assert f"{line} New in the last six months." in words
    assert describe_reason(dataclasses.replace(fewer, school="this school")) in words
    assert describe_reason(way) not in words
    assert describe_reason(other) in words
    assert words.startswith("OFFICIAL-SENSITIVE")
    bare = altered(
        demo_plan, stops=tuple(dataclasses.replace(stop, why=(trend,)) for stop in stops), legs=legs
    )
    words = words_of(render_cards(bare)["cards.pdf"])
    assert "Busiest stretch" not in words
    assert "SENSITIVE" not in words


def test_markup_in_names_arrives_as_text(demo_plan):
    """Markup of typst, HTML and mathematics in a name or reason is printed letter by letter."""
    stop = dataclasses.replace(demo_plan.patrols[0].stops[0], place=HOSTILE, tasking=_task(HOSTILE))
    plan = altered(
        demo_plan, school=HOSTILE, notes=(Note("tasked_place_outside", f"Tasked place {HOSTILE}."),)
    )
    patrol = dataclasses.replace(plan.patrols[0], stops=(stop, *plan.patrols[0].stops[1:]))
    plan = dataclasses.replace(plan, patrols=(patrol,))
    pdf = render_cards(plan)["cards.pdf"]
    # Lines may break anywhere in a name, so letters are compared without the spaces.
    assert words_of(pdf).replace(" ", "").count(HOSTILE.replace(" ", "")) >= 2
    assert HOSTILE in pages_of(pdf).metadata.title or "Patrol cards" in pages_of(pdf).metadata.title


def test_letters_that_no_typeface_here_has_do_not_stop_the_card(demo_plan):
    """Unknown letters and marks that turn text round are replaced, without a warning."""
    plan = altered(demo_plan, school="学校 \u202e\U0001f3eb Łódź\x00")
    words = words_of(render_cards(plan)["cards.pdf"])
    assert "[?] Łódź" in words


def test_equal_plans_give_equal_bytes(demo_plan, card):
    """Nothing of the moment of printing is in the file."""
    again = render_cards(demo_plan, patrols=demo_plan.patrols[:1])
    assert again[build_card_filename(demo_plan.patrols[0])] == card


def test_nothing_personal_is_in_the_metadata(card):
    """Metadata holds a title and the program, but no author and no moment."""
    metadata = pages_of(card).metadata
    assert metadata.title.startswith("Patrol card")
    assert metadata.author in {None, ""}
    assert {str(key) for key in metadata} <= {"/Title", "/Producer", "/Creator", "/Keywords"}


def test_card_can_be_read_by_a_screen_reader(demo_plan, card):
    """The PDF is tagged, in English, and the map has a text in its place."""
    root = pages_of(card).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    texts = alternatives(root["/StructTreeRoot"])
    assert any("stop 1, " + demo_plan.patrols[0].stops[0].place in text for text in texts)


def test_no_type_is_smaller_than_eight_points(card):
    """Every run of text, on the map too, is at least 8 pt high."""
    sizes = sizes_of(pages_of(card).pages[0])
    assert len(sizes) > 50
    assert min(sizes)[0] >= MIN_FONT_SIZE - 0.01, min(sizes)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "pages"), [(1, 1), (4, 2), (10, 3)])
def test_any_number_of_stops_fits(demo_plan, count, pages):
    """Many stops still fit on one page; only directions and details turn it."""
    pdf = render_cards(with_stops(demo_plan, count))["cards.pdf"]
    assert len(pages_of(pdf).pages) <= pages
    first = pages_of(pdf).pages[0].extract_text()
    assert format_time(945 + 20 * (count - 1)) in first
    assert "Member of staff" in first


LONG = "Saint Somebody the Great and All Angels " * 10


@pytest.mark.parametrize("count", [3, 10])
def test_very_long_texts_are_whole_somewhere_on_the_card(demo_plan, count):
    """Words for which the first page has no room go on over the page; none is lost."""
    why = (ReportsReason(time_band=None, factors=(LONG, LONG)), TrendReason(trend="new"))
    plan = with_stops(demo_plan, count)
    stops = tuple(
        dataclasses.replace(stop, place=LONG, why=why, tasking=_task(f"15:20 to 15:45, {LONG}"))
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
    phrases = [*list_reasons(dataclasses.replace(stops[0], tasking=None))]
    phrases += [f"T-01: {describe_tasking(stops[0].tasking)}.", describe_barred(barred), LONG]
    for phrase in phrases:
        assert strip_spaces(phrase) in text
    assert "Memberofstaff" in text
    assert find_words_off_page(pdf) == []


def test_a_text_of_absurd_length_says_how_much_is_missing(demo_plan):
    """What no form has room for is cut with the number of letters that are missing."""
    tasking = dataclasses.replace(_task("word " * 400), by="A")
    stop = dataclasses.replace(demo_plan.patrols[0].stops[0], tasking=tasking)
    stops = (stop, *demo_plan.patrols[0].stops[1:])
    words = words_of(render_cards(altered(demo_plan, stops=stops))["cards.pdf"])
    found = re.search(r"T-01: ((?:word )+)\[([0-9,]+) more letters: see the plan's file\]", words)
    assert len(found[1]) + int(found[2].replace(",", "")) == len("word " * 400)
    assert "requested by A, until 18 December 2026" in words


@pytest.mark.slow
def test_cautions_stand_only_where_the_map_shows_them(demo_plan):
    """A place to keep away from is named on the cards whose maps show it, and on no other."""
    patrols = [patrol for patrol in demo_plan.patrols if patrol.keep_away]
    with pytest.MonkeyPatch.context() as patch:
        seen = _spy_on_maps(patch)
        pdf = render_cards(demo_plan, patrols=patrols)["cards.pdf"]
    shown = ["Keepawayfrom" in page for page in read_pages(pdf)]
    assert shown == ["\N{MULTIPLICATION SIGN}" in picture.label_texts for picture in seen]
    assert {True, False} == set(shown)


def _spy_on_maps(patch):
    """The maps that are drawn, as they come."""
    seen, draw = [], card_module.draw_patrol_map
    patch.setattr(
        card_module, "draw_patrol_map", lambda *a, **how: seen.append(draw(*a, **how)) or seen[-1]
    )
    return seen


def test_roads_to_cross_with_care_are_named_with_their_legs(demo_plan):
    """Main roads without lights or priority are a caution, with where they are crossed."""
    patrol = demo_plan.patrols[0]
    crossings = (
        RoadCrossing("Long Road", "unmarked"),
        RoadCrossing("New Road", "unknown"),
        RoadCrossing("Safe Road", "signals"),
    )
    step = dataclasses.replace(patrol.legs[1].steps[0], crossings=crossings)
    legs = list(patrol.legs)
    legs[1] = dataclasses.replace(legs[1], steps=(step,))
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


@pytest.mark.slow
@pytest.mark.parametrize("area", ["demo_plan", "bloomsbury_plan"])
def test_card_of_every_patrol_fits(request, area):
    """Every school of the demo borough and of Bloomsbury gets one sheet, in type to be read."""
    plan = request.getfixturevalue(area)
    cards = render_cards(plan)
    pages = pages_of(cards["cards.pdf"]).pages
    assert len(plan.patrols) <= len(pages) <= 2 * len(plan.patrols)
    assert all(len(pages_of(pdf).pages) <= 2 for name, pdf in cards.items() if name != "cards.pdf")
    assert max(len(pdf) for name, pdf in cards.items() if name != "cards.pdf") < MOST_BYTES
    for page in pages:
        assert min(sizes_of(page))[0] >= MIN_FONT_SIZE - 0.01
