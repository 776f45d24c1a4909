"""Patrol cards: one A4 page that an officer carries for each patrol, typeset by typst.

`render_cards` gives the cards of a plan, `render_card_books` those of a week under a cover that
lists them. Both use a `CardTypesetter`, which lays out and typesets cards in a folder, and
`fit_page`, which divides a page between the map and the words.
"""

import io
import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import segno

from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography.fonts import (
    MIN_FONT_SIZE,
    POINTS_PER_MM,
    copy_template,
    make_printable,
    open_template_folder,
    query_template,
    typeset,
)
from patrolplan.outputs.earlier_papers import hash_facts, hash_template
from patrolplan.outputs.wording import compute_plan_id
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan

CARD_TEMPLATE = "card.typ"
COVER_TEMPLATE = "cover.typ"

BODY_WIDTH = 190 * POINTS_PER_MM
BODY_HEIGHT = (297 - 14) * POINTS_PER_MM
GAPS = 6 * 5.0
"""Points between the parts of a page, see the template."""
MIN_MAP_HEIGHT = 60 * POINTS_PER_MM
"""Minimum height of a map beside directions: those are overleaf only if nothing else helps."""
COMFORTABLE_MAP_HEIGHT = 138 * POINTS_PER_MM
MAX_MAP_HEIGHT = 152 * POINTS_PER_MM
MIN_NOTES_HEIGHT = 70.0
"""Points; a smaller space for handwritten notes is given to the map instead."""
LARGE_FONT_SIZE = 9.5
"""Points; size of the directions if there is room for it..."""
OVERLEAF_FONT_SIZE = 11.0
"""...and on a separate page."""


def render_cards(
    plan: Plan,
    *,
    patrols: Sequence[Patrol] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[str, bytes]:
    """Typeset the cards of a plan: PDFs by file name; equal plans give equal bytes.

    There is one for each officer at a school, and "cards.pdf" with all of them in order.
    """
    chosen = plan.patrols if patrols is None else tuple(patrols)
    if not chosen:
        return {}
    with open_template_folder() as folder:
        typesetter = CardTypesetter(Path(folder), executor, report_progress)
        cards = typesetter.lay_out_cards([PrintedPatrol(plan, patrol) for patrol in chosen])
        names = [build_card_filename(patrol) for patrol in chosen]
        pages = dict(zip(names, typesetter.typeset_each(cards), strict=True))
        title = f"Patrol cards: {make_printable(plan.area.name)}"
        return pages | {"cards.pdf": typesetter.typeset(title, cards)}


def build_card_filename(patrol: Patrol) -> str:
    """File name of a patrol's card; URNs are plain, see `patrolplan.inputs.schools`."""
    further = f"-{patrol.number}" if patrol.number > 1 else ""
    return f"cards/{patrol.urn}{further}.pdf"


@dataclass(frozen=True, eq=False)
class PrintedPatrol:
    """A patrol for which a card is printed."""

    plan: Plan
    """The plan, with a date if the card is for one day."""
    patrol: Patrol
    officer: str = ""
    """Who patrols; if unknown, the card has a line to write on."""
    colleagues: tuple[str, ...] = ()
    """Others who patrol from the same gate on that day."""


def hash_card(printed: PrintedPatrol) -> str:
    """A digest of all that a card shows except the plan's hotspots, see `EarlierPapers`."""
    plan, patrol, plan_id = printed.plan, printed.patrol, compute_plan_id(printed.plan)
    officer, colleagues = printed.officer, printed.colleagues
    words = build_card_data(plan, patrol, plan_id, officer=officer, colleagues=colleagues)
    templates = [hash_template(__package__, name) for name in (CARD_TEMPLATE, COVER_TEMPLATE)]
    return hash_facts(templates, plan_id, patrol, officer, colleagues, words)


@dataclass(frozen=True, eq=False)
class CardBook:
    """Cards under one cover that lists them."""

    title: str
    cover: dict[str, Any]
    """Texts of the cover, see `cover.typ`; `rows` has one entry per card."""
    cards: tuple[PrintedPatrol, ...]
    """In the order of the cover's rows."""


def render_card_books(
    books: Sequence[CardBook],
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> list[tuple[bytes, list[bytes]]]:
    """For each book the whole, its pages numbered and listed on the cover, and each card alone."""
    with open_template_folder() as folder:
        typesetter = CardTypesetter(Path(folder), executor, report_progress)
        cards = typesetter.lay_out_cards([card for book in books for card in book.cards])
        pages = iter(zip(cards, typesetter.typeset_each(cards), strict=True))
        rendered = []
        for book in books:
            own = [next(pages) for _ in book.cards]
            whole = typesetter.typeset(book.title, [card for card, _ in own], cover=book.cover)
            rendered.append((whole, [page for _, page in own]))
        return rendered


@dataclass(frozen=True)
class PartHeights:
    """Heights in points of a card's parts except the map; directions in small and large type."""

    head: float
    stops: float
    notes: float
    directions: float
    large_directions: float
    foot: float

    def compute_map_height(self, directions_height: float) -> float:
        """Points that remain for the map with directions of this height."""
        others = self.head + self.stops + self.notes + self.foot
        return BODY_HEIGHT - others - directions_height - GAPS


PARTS = ["head", "stops", "directions", "large_directions", "foot"]
"""All parts except the notes."""


@dataclass(frozen=True)
class PageLayout:
    """How a card divides its page; points."""

    map_height: float
    notes_height: float
    directions_size: float
    second_page: bool


def fit_page(heights: PartHeights, *, has_directions: bool = True) -> PageLayout:
    """Give the map what the words leave; only if that is too low, directions go overleaf.

    Directions are in large type if the map still stays large. Words that leave no room even then go
    on over the page, below a low map.

    Examples
    --------
    >>> fit_page(PartHeights(60, 140, 0, directions=60, large_directions=70, foot=100))
    PageLayout(map_height=402.2, notes_height=0.0, directions_size=9.5, second_page=False)
    >>> crowded = PartHeights(60, 300, 0, directions=210, large_directions=240, foot=100)
    >>> fit_page(crowded).second_page
    True
    >>> fit_page(replace(crowded, directions=130, large_directions=150)).second_page
    False
    """
    room = heights.compute_map_height(heights.directions)
    room_with_large_type = heights.compute_map_height(heights.large_directions)
    second_page, size = has_directions and room < MIN_MAP_HEIGHT, MIN_FONT_SIZE
    if second_page:
        room, size = heights.compute_map_height(0.0), OVERLEAF_FONT_SIZE
    elif room_with_large_type >= COMFORTABLE_MAP_HEIGHT:
        room, size = room_with_large_type, LARGE_FONT_SIZE
    height = MAX_MAP_HEIGHT if room > MAX_MAP_HEIGHT + MIN_NOTES_HEIGHT else room
    height = round(max(height, MIN_MAP_HEIGHT), 1)
    return PageLayout(height, round(max(0.0, room - height), 1), size, second_page)


def refit_words(layout: PageLayout, heights: PartHeights) -> PageLayout:
    """The layout of a card whose map is drawn already, if it has fewer words than planned.

    Examples
    --------
    >>> heights = PartHeights(60, 140, 0, directions=90, large_directions=110, foot=100)
    >>> refit_words(PageLayout(340.0, 0.0, 11.0, second_page=True), heights)
    PageLayout(map_height=340.0, notes_height=22.2, directions_size=9.5, second_page=False)
    """
    sizes = {LARGE_FONT_SIZE: heights.large_directions, MIN_FONT_SIZE: heights.directions}
    for size, height in sizes.items():
        spare = heights.compute_map_height(height) - layout.map_height
        if spare >= 0:
            spare = round(spare, 1)
            return replace(layout, notes_height=spare, directions_size=size, second_page=False)
    return layout


class CardTypesetter:
    """A folder with the templates and the pictures, and typst working in it."""

    def __init__(
        self,
        root: Path,
        executor: Executor | None = None,
        report_progress: ProgressCallback | None = None,
    ) -> None:
        self.root = root
        self.executor, self.report_progress = executor, report_progress
        self._heights: dict[str, dict[str, float]] = {}
        for template in (CARD_TEMPLATE, COVER_TEMPLATE):
            copy_template("patrolplan.outputs.card", template, root)

    def lay_out_cards(self, printed: Sequence[PrintedPatrol]) -> list[dict[str, Any]]:
        """The data of each card for the template, with its QR code, map and layout."""
        if not printed:
            return []
        plans = {id(one.plan): one.plan for one in printed}
        plan_ids = {key: compute_plan_id(plan) for key, plan in plans.items()}

        codes = [
            self._write_qr_code(f"code-{number}.svg", one, plan_ids[id(one.plan)])
            for number, one in enumerate(printed)
        ]

        def write(patrols: Sequence[Patrol]) -> list[dict[str, Any]]:
            return [
                {
                    **build_card_data(
                        one.plan,
                        patrol,
                        plan_ids[id(one.plan)],
                        officer=one.officer,
                        colleagues=one.colleagues,
                    ),
                    "code": code,
                }
                for one, patrol, code in zip(printed, patrols, codes, strict=True)
            ]

        cards = write([one.patrol for one in printed])
        layouts = [
            fit_page(heights, has_directions=bool(card["legs"]))
            for card, heights in zip(cards, self._measure_heights(cards), strict=True)
        ]
        maps, shown = self._draw_maps(printed, layouts)
        # A caution is printed only for places on the map; the map's height does not change.
        patrols = [
            replace(one.patrol, keep_away=barred)
            for one, barred in zip(printed, shown, strict=True)
        ]
        cards = write(patrols)
        return [
            card | {"map": name} | asdict(refit_words(layout, heights))
            for card, name, layout, heights in zip(
                cards, maps, layouts, self._measure_heights(cards), strict=True
            )
        ]

    def typeset_each(self, cards: Sequence[dict[str, Any]]) -> list[bytes]:
        """Every card as a separate tagged PDF."""
        report = label_progress("Typesetting cards", cards, self.report_progress)
        return map_parallel(_typeset_card, self, cards, report_progress=report)

    def typeset(
        self, title: str, cards: Sequence[dict[str, Any]], *, cover: dict[str, Any] | None = None
    ) -> bytes:
        """Cards as one tagged PDF, behind a cover if one is given."""
        data = {"title": title, "cards": list(cards), "measuring": False, "cover": cover}
        return typeset(self.root, CARD_TEMPLATE, data)

    def _write_qr_code(self, name: str, printed: PrintedPatrol, plan_id: str) -> str:
        """Write the QR code to the template's folder: area, plan and patrol, but no place."""
        patrol, area = printed.patrol, printed.plan.area
        text = f"patrolplan/{plan_id}/{patrol.urn}-{patrol.number}/{area.name}"
        picture = io.BytesIO()
        square = segno.make(make_printable(text)[:200], error="m", micro=False)
        square.save(picture, kind="svg", border=1, xmldecl=False, nl=False)
        (self.root / name).write_bytes(picture.getvalue())
        return name

    def _draw_maps(
        self, printed: Sequence[PrintedPatrol], layouts: Sequence[PageLayout]
    ) -> tuple[list[str], list[tuple[BarredPlace, ...]]]:
        """Write every card's map to the template's folder, without duplicates.

        Returns their names, and which places to keep away from they show.

        All plans have the same area and hotspots, so the first is used for all. Without its
        incidents, tasked places and patrols it is small to send to workers.
        """
        plan = printed[0].plan
        area = plan.area.strip_for_workers()
        area = replace(area, tasked_places=area.tasked_places.iloc[:0])
        plan = replace(plan, area=area, patrols=())
        jobs = [
            (one.patrol, layout.map_height) for one, layout in zip(printed, layouts, strict=True)
        ]
        keys = [(id(patrol), height) for patrol, height in jobs]
        needed = dict(zip(keys, jobs, strict=True))
        pictures = map_parallel(
            _draw_map,
            plan,
            list(needed.values()),
            executor=self.executor,
            report_progress=label_progress("Drawing maps", needed, self.report_progress),
        )
        names = {key: f"map-{number}.svg" for number, key in enumerate(needed)}
        for name, (picture, _) in zip(names.values(), pictures, strict=True):
            (self.root / name).write_bytes(picture)
        shown = {key: barred for key, (_, barred) in zip(needed, pictures, strict=True)}
        return [names[key] for key in keys], [shown[key] for key in keys]

    def _measure_heights(self, cards: Sequence[dict[str, Any]]) -> list[PartHeights]:
        """Heights of the words of each card; equal words are measured once.

        Cautions are measured separately, since some are dropped once the map is drawn.
        """
        keys = [
            (json.dumps(card | {"cautions": []}), json.dumps(card["cautions"])) for card in cards
        ]
        new: dict[str, dict[str, Any]] = {}
        for card, (others, cautions) in zip(cards, keys, strict=True):
            new |= {others: card | {"measured": PARTS}, cautions: card | {"measured": ["notes"]}}
        new = {key: card for key, card in new.items() if key not in self._heights}
        if new:
            data = {"title": "Measuring", "cards": [*new.values()], "measuring": True}
            rows = query_template(self.root, CARD_TEMPLATE, data | {"cover": None}, "<heights>")
            self._heights |= dict(zip(new, rows, strict=True))
        return [
            PartHeights(**self._heights[others], **self._heights[cautions])
            for others, cautions in keys
        ]


def _typeset_card(typesetter: CardTypesetter, card: dict[str, Any]) -> bytes:
    """A single card."""
    return typesetter.typeset(card["title"], [card])


def _draw_map(plan: Plan, job: tuple[Patrol, float]) -> tuple[bytes, tuple[BarredPlace, ...]]:
    """A patrol's map of this height in points, and the places to keep away from on it."""
    patrol, height = job
    drawn = draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=height)
    return drawn.svg, drawn.keep_away
