"""The patrol card: one A4 page that an officer carries, typeset by typst.

Books of cards: a cover that lists them, and the cards behind it.

A folder in which cards are laid out and typeset.

How a card shares out its page between the map and the words.
"""

import io
import json
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import segno

from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.card.card_text import build_card_data, shorten_card
from patrolplan.outputs.cartography.fonts import (
    MIN_FONT_SIZE,
    copy_template,
    create_compiler,
    make_printable,
    typeset,
)
from patrolplan.outputs.wording import compute_plan_id
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.plan import Patrol, Plan

POINTS_PER_MM = 72 / 25.4
BODY_WIDTH = 190 * POINTS_PER_MM
BODY_HEIGHT = (297 - 14) * POINTS_PER_MM
GAPS = 6 * 5.0
"""Points between the parts of a page, see the template."""
MIN_MAP_HEIGHT = 95 * POINTS_PER_MM
"""A lower map would not show a route of a kilometre at a scale that can be read."""
COMFORTABLE_MAP_HEIGHT = 125 * POINTS_PER_MM
MAX_MAP_HEIGHT = 152 * POINTS_PER_MM
MIN_NOTES_HEIGHT = 70.0
"""Points of page that are left over for notes by hand; less goes to the map."""
LARGE_FONT_SIZE = 9.5
"""Points; type of directions where there is room."""


@dataclass(frozen=True)
class PartHeights:
    """Points that the parts of a card take beside the map; directions in small and large type."""

    head: float
    stops: float
    notes: float
    directions: float
    large_directions: float
    foot: float

    def compute_map_height(self, directions_height: float) -> float:
        """Points that are left for the map beside directions of this height."""
        beside = self.head + self.stops + self.notes + self.foot
        return BODY_HEIGHT - beside - directions_height - GAPS


@dataclass(frozen=True)
class PageLayout:
    """How a card shares out its page; points."""

    map_height: float
    notes_height: float
    directions_size: float
    second_page: bool


def fit_page(heights: PartHeights, *, has_directions: bool = True) -> PageLayout:
    """Give the map what the words leave; only when that is too low, directions turn the page.

    Large type is taken for the directions where the map stays large beside it.

    Examples
    --------
    >>> fit_page(PartHeights(60, 140, 0, directions=90, large_directions=110, foot=100))
    PageLayout(map_height=362.2, notes_height=0.0, directions_size=9.5, second_page=False)
    >>> fit_page(PartHeights(60, 300, 0, directions=210, large_directions=240,
    foot=100)).second_page True
    """
    large = heights.compute_map_height(heights.large_directions)
    small = heights.compute_map_height(heights.directions)
    second = has_directions and small < MIN_MAP_HEIGHT
    room, size = (
        (large, LARGE_FONT_SIZE) if large >= COMFORTABLE_MAP_HEIGHT else (small, MIN_FONT_SIZE)
    )
    if second:
        room, size = heights.compute_map_height(0.0), LARGE_FONT_SIZE
    tallest = MAX_MAP_HEIGHT if room > MAX_MAP_HEIGHT + MIN_NOTES_HEIGHT else room
    height = round(max(tallest, MIN_MAP_HEIGHT / 2), 1)
    return PageLayout(height, round(max(0.0, room - height), 1), size, second)


TEMPLATE = "card.typ"
COVER = "cover.typ"


class CardTypesetter:
    """A folder with the template and the pictures, and typst working in it."""

    def __init__(
        self,
        root: Path,
        executor: Executor | None = None,
        report_progress: ProgressCallback | None = None,
    ) -> None:
        self.root = root
        self.executor, self.tell = executor, report_progress
        for template in (TEMPLATE, COVER):
            copy_template("patrolplan.outputs.card", template, root)

    def lay_out_cards(self, dated_patrols: Sequence[tuple[Plan, Patrol]]) -> list[dict[str, Any]]:
        """What each card says, with its code and map; a map that serves twice is drawn once."""
        if not dated_patrols:
            return []
        codes = {
            id(plan): compute_plan_id(plan)
            for plan in {id(plan): plan for plan, _ in dated_patrols}.values()
        }
        cards = [
            build_card_data(plan, patrol, codes[id(plan)])
            | self.write_qr_code(f"code-{number}.svg", plan, patrol, codes[id(plan)])
            for number, (plan, patrol) in enumerate(dated_patrols)
        ]
        crowded = [
            heights.compute_map_height(0.0) < MIN_MAP_HEIGHT
            for heights in self.measure_heights(cards)
        ]
        cards = [
            shorten_card(card) if tight else card
            for card, tight in zip(cards, crowded, strict=True)
        ]
        layouts = [
            fit_page(heights, has_directions=bool(card["legs"]))
            for heights, card in zip(self.measure_heights(cards), cards, strict=True)
        ]
        maps = self.draw_maps([patrol for _, patrol in dated_patrols], layouts, dated_patrols[0][0])
        return [
            card | {"map": name} | asdict(layout)
            for card, name, layout in zip(cards, maps, layouts, strict=True)
        ]

    def draw_maps(
        self, patrols: Sequence[Patrol], layouts: Sequence[PageLayout], plan: Plan
    ) -> list[str]:
        """Lay every card's map where the template finds it; give back their names.

        Every card's plan is of one area and the same hotspots, so that any of them will do.
        """
        keys = [
            (id(patrol), layout.map_height) for patrol, layout in zip(patrols, layouts, strict=True)
        ]
        wanted = {key: (patrol, key[1]) for key, patrol in zip(keys, patrols, strict=True)}
        pictures = map_parallel(
            _draw_map_pdf,
            replace(plan, area=plan.area.without_incidents(), patrols=()),
            list(wanted.values()),
            executor=self.executor,
            report_progress=label_progress("Drawing maps", wanted, self.tell),
        )
        names = {key: f"map-{number}.pdf" for number, key in enumerate(wanted)}
        for name, picture in zip(names.values(), pictures, strict=True):
            (self.root / name).write_bytes(picture)
        return [names[key] for key in keys]

    def typeset_each(self, cards: Sequence[dict[str, Any]]) -> list[bytes]:
        """Every card as a tagged PDF of its own."""
        names = [(card["map"], card["code"]) for card in cards]
        told = label_progress("Typesetting cards", cards, self.tell)
        if self.executor is None:
            return map_parallel(_typeset_one, self, cards, report_progress=told)
        parts = [
            (card, {name: (self.root / name).read_bytes() for name in pictures})
            for card, pictures in zip(cards, names, strict=True)
        ]
        return map_parallel(
            _typeset_in_worker, None, parts, executor=self.executor, report_progress=told
        )

    def write_qr_code(
        self, name: str, plan: Plan, patrol: Patrol, plan_code: str
    ) -> dict[str, str]:
        """Lay the QR code where the template finds it: area, plan and patrol, but no place."""
        text = f"patrolplan/{plan_code}/{patrol.urn}-{patrol.number}/{plan.area.name}"
        picture = io.BytesIO()
        square = segno.make(make_printable(text)[:200], error="m", micro=False)
        square.save(picture, kind="svg", border=1, xmldecl=False, nl=False)
        (self.root / name).write_bytes(picture.getvalue())
        return {"code": name}

    def measure_heights(self, cards: Sequence[dict[str, Any]]) -> list[PartHeights]:
        """How tall the words of each card are."""
        self._write_card_data("Measuring", cards, measuring=True)
        found = json.loads(create_compiler(self.root, TEMPLATE).query("<heights>", field="value"))
        return [PartHeights(**heights) for heights in found]

    def typeset(
        self, title: str, cards: Sequence[dict[str, Any]], *, cover: dict[str, Any] | None = None
    ) -> bytes:
        """Cards as one tagged PDF, under a cover where one is given."""
        self._write_card_data(title, cards, measuring=False, cover=cover)
        return typeset(self.root, TEMPLATE)

    def _write_card_data(
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


def _typeset_one(typesetter: CardTypesetter, card: dict[str, Any]) -> bytes:
    """A card alone."""
    return typesetter.typeset(card["title"], [card])


def _typeset_in_worker(_: None, part: tuple[dict[str, Any], dict[str, bytes]]) -> bytes:
    """A card alone, in a folder of its own, from its words and pictures."""
    card, pictures = part
    with tempfile.TemporaryDirectory() as folder:
        press = CardTypesetter(Path(folder))
        for name, picture in pictures.items():
            (press.root / name).write_bytes(picture)
        return _typeset_one(press, card)


def _draw_map_pdf(plan: Plan, job: tuple[Patrol, float]) -> bytes:
    """The map of a patrol, so many points high."""
    patrol, height = job
    return draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=height).pdf


def render_cards(
    plan: Plan,
    *,
    patrols: Sequence[Patrol] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
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
        press = CardTypesetter(Path(folder), executor, report_progress)
        cards = press.lay_out_cards([(plan, patrol) for patrol in chosen])
        names = [build_card_filename(patrol) for patrol in chosen]
        done = dict(zip(names, press.typeset_each(cards), strict=True))
        whole = f"Patrol cards: {make_printable(plan.area.name)}"
        return {**done, "cards.pdf": press.typeset(whole, cards)}


def build_card_filename(patrol: Patrol) -> str:
    """File name of a patrol's card; a URN that is no plain word cannot lead out of the folder."""
    further = f"-{patrol.number}" if patrol.number > 1 else ""
    return f"cards/{re.sub('[^0-9A-Za-z_-]', '_', patrol.urn)}{further}.pdf"


@dataclass(frozen=True, eq=False)
class CardBook:
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


def render_card_books(
    books: Sequence[CardBook],
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
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
        press = CardTypesetter(Path(folder), executor, report_progress)
        cards = press.lay_out_cards([card for book in books for card in book.cards])
        pages = iter(zip(cards, press.typeset_each(cards), strict=True))
        parts = [[next(pages) for _ in book.cards] for book in books]
        return [
            (
                press.typeset(book.title, [card for card, _ in part], cover=book.cover),
                [page for _, page in part],
            )
            for book, part in zip(books, parts, strict=True)
        ]
