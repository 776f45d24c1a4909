"""The patrol card: one A4 page that an officer carries, typeset by typst."""

import io
import json
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import segno

from patrolplan.crew.share import Tell
from patrolplan.crew.share import shared_out
from patrolplan.crew.share import told_as
from patrolplan.outputs.card.lettering import SMALLEST
from patrolplan.outputs.card.lettering import printable
from patrolplan.outputs.card.names import shortened
from patrolplan.outputs.card.press import compiler
from patrolplan.outputs.card.press import lay_template
from patrolplan.outputs.card.press import typeset
from patrolplan.outputs.card.streetmap import draw_patrol_map
from patrolplan.outputs.wording import PURPOSE
from patrolplan.outputs.wording import after_dark
from patrolplan.outputs.wording import approximations
from patrolplan.outputs.wording import attributions
from patrolplan.outputs.wording import data_dates
from patrolplan.outputs.wording import gone
from patrolplan.outputs.wording import grid_reference
from patrolplan.outputs.wording import how_good
from patrolplan.outputs.wording import leg_name
from patrolplan.outputs.wording import metres
from patrolplan.outputs.wording import minutes
from patrolplan.outputs.wording import plan_id
from patrolplan.outputs.wording import turn_lines
from patrolplan.outputs.wording import why_sentences
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import Stop
from patrolplan.patrols.plans import clock

TEMPLATE = "card.typ"
APPROACH = "B→G"
"""Tag of the way from the base to the gate."""
COVER = "cover.typ"
POINTS_PER_MM = 72 / 25.4
BODY_WIDTH = 190 * POINTS_PER_MM
BODY_HEIGHT = (297 - 14) * POINTS_PER_MM
GAPS = 6 * 5.0
"""Points between the parts of a page, see the template."""
LOWEST_MAP = 95 * POINTS_PER_MM
"""A lower map would not show a route of a kilometre at a scale that can be read."""
GOOD_MAP = 125 * POINTS_PER_MM
TALLEST_MAP = 152 * POINTS_PER_MM
LEAST_NOTES = 70.0
"""Points of page that are left over for notes by hand; less goes to the map."""
NAME_SIZES = ((55, 15), (90, 12), (150, 10))
"""Most letters of a school's name, and the points that it is set in."""
LARGE = 9.5
"""Points; type of directions where there is room."""
LONGEST_TASK = 130
LONGEST_WHY = 230
"""Letters on why to stop somewhere, so that the table stays a table."""


@dataclass(frozen=True)
class Heights:
    """Points that the parts of a card take beside the map; directions in small and large type."""

    head: float
    stops: float
    notes: float
    directions: float
    large_directions: float
    foot: float

    def map_room(self, directions: float) -> float:
        """Points that are left for the map beside directions of this height."""
        beside = self.head + self.stops + self.notes + self.foot
        return BODY_HEIGHT - beside - directions - GAPS


def render_cards(
    plan: Plan,
    *,
    patrols: Sequence[Patrol] | None = None,
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> dict[str, bytes]:
    """Typeset the cards of a plan.

    Parameters
    ----------
    plan
        What the patrols belong to.
    patrols
        Those to typeset; all of the plan by default.
    executor
        Whose workers share the cards, see `patrolplan.crew`; default this process alone.
    tell
        Is told what is done, how many of the cards, and of how many.

    Returns
    -------
    dict
        File name to PDF: "cards/URN.pdf", "cards/URN-2.pdf" for the second officer..., and
        "cards.pdf" with all of them in order. Equal plans give equal bytes.
    """
    chosen = plan.patrols if patrols is None else tuple(patrols)
    if not chosen:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        press = _Press(Path(folder), executor, tell)
        cards = press.lay_out([(plan, patrol) for patrol in chosen])
        names = [card_name(patrol) for patrol in chosen]
        done = dict(zip(names, press.typeset_each(cards), strict=True))
        whole = f"Patrol cards: {printable(plan.area.name)}"
        return {**done, "cards.pdf": press.typeset(whole, cards)}


@dataclass(frozen=True, eq=False)
class Book:
    """Cards under one cover that lists them.

    Parameters
    ----------
    title
        Of the document.
    cover
        What the cover says, as strings, see `cover.typ`; `rows` holds one entry a card.
    cards
        Each patrol with its plan, dated, in the order of the cover's rows.
    """

    title: str
    cover: dict[str, Any]
    cards: tuple[tuple[Plan, Patrol], ...]


def render_books(
    books: Sequence[Book], *, executor: Executor | None = None, tell: Tell | None = None
) -> list[tuple[bytes, list[bytes]]]:
    """Typeset books of cards.

    Parameters
    ----------
    books
        Those to typeset.
    executor, tell
        As for `render_cards`.

    Returns
    -------
    list
        For each book the whole, its pages numbered and listed on the cover, and every card alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        press = _Press(Path(folder), executor, tell)
        cards = press.lay_out([card for book in books for card in book.cards])
        pages = iter(zip(cards, press.typeset_each(cards), strict=True))
        parts = [[next(pages) for _ in book.cards] for book in books]
        return [
            (
                press.typeset(book.title, [card for card, _ in part], cover=book.cover),
                [page for _, page in part],
            )
            for book, part in zip(books, parts, strict=True)
        ]


def card_name(patrol: Patrol) -> str:
    """File name of a patrol's card; a URN that is no plain word cannot lead out of the folder."""
    further = f"-{patrol.number}" if patrol.number > 1 else ""
    return f"cards/{re.sub('[^0-9A-Za-z_-]', '_', patrol.urn)}{further}.pdf"


@dataclass(frozen=True)
class Layout:
    """How a card shares out its page; points."""

    map_height: float
    notes_height: float
    directions_size: float
    second_page: bool


def fit_page(heights: Heights, *, directions: bool = True) -> Layout:
    """Give the map what the words leave; only when that is too low, directions turn the page.

    Large type is taken for the directions where the map stays large beside it.

    Examples
    --------
    >>> fit_page(Heights(60, 140, 0, directions=90, large_directions=110, foot=100))
    Layout(map_height=362.2, notes_height=0.0, directions_size=9.5, second_page=False)
    >>> fit_page(Heights(60, 300, 0, directions=210, large_directions=240, foot=100)).second_page
    True
    """
    large = heights.map_room(heights.large_directions)
    small = heights.map_room(heights.directions)
    second = directions and small < LOWEST_MAP
    room, size = (large, LARGE) if large >= GOOD_MAP else (small, SMALLEST)
    if second:
        room, size = heights.map_room(0.0), LARGE
    tallest = TALLEST_MAP if room > TALLEST_MAP + LEAST_NOTES else room
    height = round(max(tallest, LOWEST_MAP / 2), 1)
    return Layout(height, round(max(0.0, room - height), 1), size, second)


class _Press:
    """A folder with the template and the pictures, and typst working in it."""

    def __init__(
        self, root: Path, executor: Executor | None = None, tell: Tell | None = None
    ) -> None:
        self.root = root
        self.executor, self.tell = executor, tell
        for template in (TEMPLATE, COVER):
            lay_template("patrolplan.outputs.card", template, root)

    def lay_out(self, dated: Sequence[tuple[Plan, Patrol]]) -> list[dict[str, Any]]:
        """What each card says, with its code and map; a map that serves twice is drawn once."""
        if not dated:
            return []
        codes = {id(plan): plan_id(plan) for plan in {id(plan): plan for plan, _ in dated}.values()}
        cards = [
            card_data(plan, patrol, codes[id(plan)])
            | self.code(f"code-{number}.svg", plan, patrol, codes[id(plan)])
            for number, (plan, patrol) in enumerate(dated)
        ]
        crowded = [heights.map_room(0.0) < LOWEST_MAP for heights in self.measure(cards)]
        cards = [
            _tightened(card) if tight else card for card, tight in zip(cards, crowded, strict=True)
        ]
        layouts = [
            fit_page(heights, directions=bool(card["legs"]))
            for heights, card in zip(self.measure(cards), cards, strict=True)
        ]
        maps = self.draw([patrol for _, patrol in dated], layouts, dated[0][0])
        return [
            card | {"map": name} | asdict(layout)
            for card, name, layout in zip(cards, maps, layouts, strict=True)
        ]

    def draw(self, patrols: Sequence[Patrol], layouts: Sequence[Layout], plan: Plan) -> list[str]:
        """Lay every card's map where the template finds it; give back their names.

        Every card's plan is of one area and the same hotspots, so that any of them will do.
        """
        keys = [
            (id(patrol), layout.map_height) for patrol, layout in zip(patrols, layouts, strict=True)
        ]
        wanted = {key: (patrol, key[1]) for key, patrol in zip(keys, patrols, strict=True)}
        pictures = shared_out(
            _picture,
            replace(plan, area=plan.area.for_schools(), patrols=()),
            list(wanted.values()),
            executor=self.executor,
            tell=told_as("Drawing maps", wanted, self.tell),
        )
        names = {key: f"map-{number}.pdf" for number, key in enumerate(wanted)}
        for name, picture in zip(names.values(), pictures, strict=True):
            (self.root / name).write_bytes(picture)
        return [names[key] for key in keys]

    def typeset_each(self, cards: Sequence[dict[str, Any]]) -> list[bytes]:
        """Every card as a tagged PDF of its own."""
        names = [(card["map"], card["code"]) for card in cards]
        told = told_as("Typesetting cards", cards, self.tell)
        if self.executor is None:
            return shared_out(_typeset_here, self, cards, tell=told)
        parts = [
            (card, {name: (self.root / name).read_bytes() for name in pictures})
            for card, pictures in zip(cards, names, strict=True)
        ]
        return shared_out(_typeset_apart, None, parts, executor=self.executor, tell=told)

    def code(self, name: str, plan: Plan, patrol: Patrol, code: str) -> dict[str, str]:
        """Lay the QR code where the template finds it: area, plan and patrol, but no place."""
        text = f"patrolplan/{code}/{patrol.urn}-{patrol.number}/{plan.area.name}"
        picture = io.BytesIO()
        square = segno.make(printable(text)[:200], error="m", micro=False)
        square.save(picture, kind="svg", border=1, xmldecl=False, nl=False)
        (self.root / name).write_bytes(picture.getvalue())
        return {"code": name}

    def measure(self, cards: Sequence[dict[str, Any]]) -> list[Heights]:
        """How tall the words of each card are."""
        self._lay("Measuring", cards, measuring=True)
        found = json.loads(compiler(self.root, TEMPLATE).query("<heights>", field="value"))
        return [Heights(**heights) for heights in found]

    def typeset(
        self, title: str, cards: Sequence[dict[str, Any]], *, cover: dict[str, Any] | None = None
    ) -> bytes:
        """Cards as one tagged PDF, under a cover where one is given."""
        self._lay(title, cards, measuring=False, cover=cover)
        return typeset(self.root, TEMPLATE)

    def _lay(
        self,
        title: str,
        cards: Sequence[dict[str, Any]],
        *,
        measuring: bool,
        cover: dict[str, Any] | None = None,
    ) -> None:
        data = {"title": title, "cards": list(cards), "measuring": measuring, "cover": cover}
        text = json.dumps(data, ensure_ascii=False)
        (self.root / "cards.json").write_text(text, encoding="utf-8")


def _typeset_here(press: _Press, card: dict[str, Any]) -> bytes:
    """A card alone."""
    return press.typeset(card["title"], [card])


def _typeset_apart(_: None, part: tuple[dict[str, Any], dict[str, bytes]]) -> bytes:
    """A card alone, in a folder of its own, from its words and pictures."""
    card, pictures = part
    with tempfile.TemporaryDirectory() as folder:
        press = _Press(Path(folder))
        for name, picture in pictures.items():
            (press.root / name).write_bytes(picture)
        return _typeset_here(press, card)


def _picture(plan: Plan, asked: tuple[Patrol, float]) -> bytes:
    """The map of a patrol, so many points high."""
    patrol, height = asked
    return draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=height).pdf


def card_data(plan: Plan, patrol: Patrol, code: str) -> dict[str, Any]:
    """Everything that the card says, as strings for the template; `code` names the plan."""
    school = shortened(printable(patrol.school), NAME_SIZES[-1][0])
    area = printable(plan.area.name)
    title = f"Patrol card {patrol.urn}-{patrol.number}: {school}"
    mates = [other for other in plan.patrols if other.urn == patrol.urn]
    officer = f" · officer {patrol.number} of {len(mates)}" if len(mates) > 1 else ""
    gate_time = _span(patrol.start_minutes, patrol.gate_until_minutes)
    window = _span(patrol.start_minutes, patrol.latest_end_minutes)
    crs = plan.area.settings.area.crs
    return {
        "title": title,
        "school": school,
        "school_size": next(size for letters, size in NAME_SIZES if len(school) <= letters),
        "subtitle": f"URN {printable(patrol.urn)} · {area}{officer}{_day(plan)}",
        "purpose": PURPOSE,
        "marking": printable(plan.area.settings.output.marking),
        "window": window if patrol.stops else gate_time,
        "timing": _timing(patrol),
        **_first_row(patrol, gate_time, crs),
        "gate_only": "Presence at the gate; " + _lower(how_good(patrol)) + ".",
        "stops": [
            _stop_data(stop, number, crs) for number, stop in enumerate(patrol.stops, start=1)
        ],
        "notes": [shortened(printable(note), 200) for note in patrol.notes],
        "directions_title": f"Directions ({gone(patrol)})",
        "legs": _columns(_leg_data(patrol)),
        "dark": printable(after_dark(plan, patrol)),
        "honesty": _honesty(plan, patrol),
        "map_alt": _map_alt(patrol, school),
        "code_alt": f"Code with plan {code} and patrol {patrol.urn}-{patrol.number}",
        "id": f"{code} {patrol.urn}-{patrol.number}",
    }


def _first_row(patrol: Patrol, gate_time: str, crs: str) -> dict[str, str]:
    """The table's first row: the gate, or the base of a patrol that does not pass the gate."""
    if patrol.from_base:
        x, y = patrol.base_xy or (patrol.x, patrol.y)
        return {
            "first_mark": "B",
            "first_place": "Base",
            "gate_time": clock(patrol.start_minutes),
            "gate_grid": grid_reference(x, y, crs=crs),
            "gate_why": "Set out.",
        }
    before = patrol.approach is not None
    return {
        "first_mark": "G",
        "first_place": "School gate",
        "gate_time": gate_time,
        "gate_grid": grid_reference(patrol.x, patrol.y, crs=crs),
        "gate_why": (f"Leave the base at {clock(patrol.set_out_minutes)}. " if before else "")
        + "Be seen as pupils leave; meet the member of staff.",
    }


def _day(plan: Plan) -> str:
    """The day on the card's head, where one was asked for."""
    return "" if plan.date is None else f" · {plan.date:%A} {plan.date.day} {plan.date:%B %Y}"


def _timing(patrol: Patrol) -> str:
    if not patrol.stops:
        return "at the gate"
    stops = "1 stop" if len(patrol.stops) == 1 else f"{len(patrol.stops)} stops"
    back = "back at" if patrol.starts_at == "base" or patrol.ends_at == "gate" else "at"
    if patrol.from_base and patrol.ends_at == "gate":
        back = "at"
    end = f"{back} the {patrol.ends_at}"
    return f"{stops}, {end} {clock(patrol.end_minutes)}"


def _span(start: float, end: float) -> str:
    if start == end:
        return clock(start)
    return f"{clock(start)}\N{EN DASH}{clock(end)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _stop_data(stop: Stop, number: int, crs: str) -> dict[str, str]:
    why = " ".join(why_sentences(replace(stop, tasked="")))
    return {
        "mark": str(number),
        "time": _span(stop.arrive_minutes, stop.leave_minutes),
        "place": _capital(shortened(printable(stop.place), 70)),
        "grid": grid_reference(stop.x, stop.y, crs=crs),
        "why": shortened(printable(why), LONGEST_WHY),
        "tasked": shortened(printable(stop.tasked).rstrip(".;"), LONGEST_TASK),
    }


def _tightened(card: dict[str, Any]) -> dict[str, Any]:
    """The card with fewer words a stop: with very many stops, the map needs the room more."""
    most = {"why": 80, "place": 30, "tasked": 40}
    stops = [
        {key: shortened(text, most.get(key, len(text))) for key, text in stop.items()}
        for stop in card["stops"]
    ]
    return {**card, "stops": stops, "notes": [shortened(note, 60) for note in card["notes"]]}


def _leg_data(patrol: Patrol) -> list[dict[str, Any]]:
    before = [] if patrol.approach is None else [(APPROACH, patrol.approach)]
    legs = [(leg_name(patrol, number), leg) for number, leg in enumerate(patrol.legs)]
    return [
        {
            "tag": tag,
            "length": _unbroken(f"{metres(leg.metres)}, {minutes(leg.minutes)}:"),
            "steps": _step_lines(leg),
        }
        for tag, leg in [*before, *legs]
    ]


def _step_lines(leg: Leg) -> list[str]:
    """Directions of a leg, a phrase for each street."""
    said = []
    for step, begins in zip(leg.steps, turn_lines(leg.steps), strict=True):
        street = shortened(printable(step.street), 60)
        turn = printable(begins)
        said.append(f"{_begins(turn)} {street} {_unbroken(metres(step.metres))}")
    return said or ["stay where you are"]


def _begins(turn: str) -> str:
    """How a direction begins.

    Examples
    --------
    >>> [_begins(turn) for turn in ("head north", "straight on", "turn back", "bear left")]
    ['head north along', 'straight on,', 'turn back along', 'bear left into']
    >>> [_begins(turn) for turn in ("left, get off and push", "get on, straight on")]
    ['left, get off and push along', 'get on, straight on,']
    """
    if turn.endswith("straight on"):
        return f"{turn},"
    if turn == "start":
        return "along"
    if turn.endswith("carry"):
        return f"{turn} the bicycle:"
    along = turn.startswith(("head", "turn back", "get on, turn back")) or turn.endswith("push")
    return f"{turn} {'along' if along else 'into'}"


def _unbroken(text: str) -> str:
    """Text that does not break: a number stays with its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _columns(legs: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Legs in two columns of about the same number of letters, in their order."""
    sizes = [40 + sum(len(step) + 2 for step in leg["steps"]) for leg in legs]
    if len(legs) <= 1:
        return [legs] if legs else []
    total = sum(sizes)
    cut = min(range(1, len(legs)), key=lambda at: abs(2 * sum(sizes[:at]) - total))
    return [legs[:cut], legs[cut:]]


def _honesty(plan: Plan, patrol: Patrol) -> list[str]:
    """What the reader must know about the paper, in few lines."""
    dates = data_dates(plan.risk)
    lines = [
        f"{how_good(patrol)}. {dates}.",
        patrol.tested,
        " ".join(approximations(plan)),
        " ".join(attributions(plan)),
    ]
    return [shortened(printable(line), 330) for line in lines if line.strip()]


def _map_alt(patrol: Patrol, school: str) -> str:
    """The map in words, for those who cannot see it."""
    if not patrol.stops:
        return f"Street map around the gate of {school}."
    stops = "; ".join(
        f"stop {number}, {printable(stop.place)}" for number, stop in enumerate(patrol.stops, 1)
    )
    end = "and on to the base" if patrol.ends_at == "base" else "and back to the gate"
    if patrol.ends_at == patrol.starts_at == "base" and patrol.from_base:
        end = "and back to the base"
    way = "walk" if patrol.way == "walk" else "bicycle ride"
    start = "the base" if patrol.from_base else f"the gate of {school}"
    return f"Street map of the {way} from {start} to {stops}; {end}."
