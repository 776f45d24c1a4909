"""Patrol cards: one A4 page that an officer carries for each patrol; a week's under a cover."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import segno

from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.card.card_text import build_card_data
from patrolplan.outputs.cartography import fonts
from patrolplan.outputs.earlier_papers import hash_facts, hash_template
from patrolplan.outputs.webmap.map_layers import format_patrol_id
from patrolplan.outputs.wording import compute_plan_id
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.plan import Patrol, Plan

CARD_TEMPLATE = "card.typ"
COVER_TEMPLATE = "cover.typ"
BODY_WIDTH = 190 * fonts.POINTS_PER_MM
BODY_HEIGHT = (297 - 22) * fonts.POINTS_PER_MM
GAPS = 7 * 5.0  # Points between the parts of a page, see the template
MIN_MAP_HEIGHT = 60 * fonts.POINTS_PER_MM  # what then finds no room is on a further page
COMFORTABLE_MAP_HEIGHT = 138 * fonts.POINTS_PER_MM
MAX_MAP_HEIGHT = 152 * fonts.POINTS_PER_MM
MIN_NOTES_HEIGHT = 70.0  # Points; a smaller space for handwritten notes is given to the map instead
EMPTY_BOOK = {"title": "", "cards": [], "measuring": False, "cover": None}
LARGE_FONT_SIZE = 9.5  # Points; size of the directions if there is room for it


def render_cards(
    plan: Plan,
    *,
    patrols: Sequence[Patrol] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[str, bytes]:
    """PDFs by file name, a card an officer and "cards.pdf"; equal plans give equal bytes."""
    chosen = plan.patrols if patrols is None else tuple(patrols)
    if not chosen:
        return {}
    title = f"Patrol cards: {fonts.make_printable(plan.area.name)}"
    book = CardBook(title, None, tuple(PrintedPatrol(plan, patrol) for patrol in chosen))
    [(whole, pages)] = render_card_books([book], executor=executor, report_progress=report_progress)
    names = (f"cards/{format_patrol_id(patrol)}.pdf" for patrol in chosen)
    return dict(zip(names, pages, strict=True)) | {"cards.pdf": whole}


@dataclass(frozen=True, eq=False)
class PrintedPatrol:
    """A patrol for which a card is printed."""

    plan: Plan  # The plan, with a date if the card is for one day
    patrol: Patrol
    officer: str = ""  # Who patrols; if unknown, the card has a line to write on
    colleagues: tuple[str, ...] = ()  # Others who patrol from the same gate on that day

    def write(self, plan_id: str) -> dict[str, Any]:
        """The texts of its card."""
        return build_card_data(
            self.plan, self.patrol, plan_id, officer=self.officer, colleagues=self.colleagues
        )


def hash_card(printed: PrintedPatrol) -> str:
    """A digest of all that a card shows except the plan's hotspots, see `EarlierPapers`."""
    plan_id = compute_plan_id(printed.plan)
    templates = [hash_template(__package__, name) for name in (CARD_TEMPLATE, COVER_TEMPLATE)]
    return hash_facts(templates, plan_id, printed.patrol, printed.write(plan_id))


@dataclass(frozen=True, eq=False)
class CardBook:
    """Cards under one cover that lists them."""

    title: str
    cover: dict[str, Any] | None  # see `cover.typ`; `rows` has one entry per card
    cards: tuple[PrintedPatrol, ...]  # In the order of the cover's rows


def render_card_books(
    books: Sequence[CardBook],
    *,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> list[tuple[bytes, list[bytes]]]:
    """For each book the whole, its pages numbered and listed on the cover, and each card alone."""
    with fonts.open_template_folder() as folder:
        root = Path(folder)
        printed = [card for book in books for card in book.cards]
        cards = lay_out_cards(root, printed, executor, report_progress)
        report = label_progress("Typesetting cards", cards, report_progress)
        alone = map_parallel(_typeset_card, root, cards, report_progress=report)
        pages = iter(zip(cards, alone, strict=True))
        rendered = []
        for book in books:
            own = [next(pages) for _ in book.cards]
            data = EMPTY_BOOK | {"title": book.title, "cards": [card for card, _ in own]}
            whole = fonts.typeset(root, CARD_TEMPLATE, data | {"cover": book.cover})
            rendered.append((whole, [page for _, page in own]))
        return rendered


def fit_page(words: float, directions: float, large_directions: float) -> dict[str, float]:
    """Give the map what the words leave: its height, and the size of the directions, in points."""
    room = BODY_HEIGHT - GAPS - words
    size, height = fonts.MIN_FONT_SIZE, room - directions
    if room - large_directions >= COMFORTABLE_MAP_HEIGHT:
        size, height = LARGE_FONT_SIZE, room - large_directions
    height = MAX_MAP_HEIGHT if height > MAX_MAP_HEIGHT + MIN_NOTES_HEIGHT else height
    return {"map_height": round(max(height, MIN_MAP_HEIGHT), 1), "directions_size": size}


def lay_out_cards(
    root: Path,
    printed: Sequence[PrintedPatrol],
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> list[dict[str, Any]]:
    """The data of each card for the template, with its QR code, map and layout."""
    for template in (CARD_TEMPLATE, COVER_TEMPLATE):
        fonts.copy_template(__package__, template, root)
    if not printed:
        return []
    cards = [one.write(compute_plan_id(one.plan)) for one in printed]
    for number, (one, card) in enumerate(zip(printed, cards, strict=True)):
        # Area, plan and patrol, but no place.
        text = f"patrolplan/{card['id'].replace(' ', '/')}/{one.plan.area.name}"
        square = segno.make(fonts.make_printable(text)[:200], error="m", micro=False)
        card["code"] = f"code-{number}.svg"
        square.save(str(root / card["code"]), kind="svg", border=1, xmldecl=False, nl=False)
    data = EMPTY_BOOK | {"title": "Measuring", "cards": cards, "measuring": True}
    heights = fonts.query_template(root, CARD_TEMPLATE, data, "<heights>")
    cards = [card | fit_page(**own) for card, own in zip(cards, heights, strict=True)]
    # Each map is drawn once, also where several officers have it.
    jobs = [(one.patrol, card["map_height"]) for one, card in zip(printed, cards, strict=True)]
    needed = list(dict.fromkeys(jobs))
    plan = printed[0].plan
    area = plan.area.strip_for_workers()
    pictures = map_parallel(
        _draw_map,
        replace(plan, patrols=(), area=replace(area, tasked_places=area.tasked_places.iloc[:0])),
        needed,
        executor=executor,
        report_progress=label_progress("Drawing maps", needed, report_progress),
    )
    names = {job: f"map-{number}.svg" for number, job in enumerate(needed)}
    for name, picture in zip(names.values(), pictures, strict=True):
        (root / name).write_bytes(picture)
    return [card | {"map": names[job]} for card, job in zip(cards, jobs, strict=True)]


def _typeset_card(root: Path, card: dict[str, Any]) -> bytes:
    book = EMPTY_BOOK | {"title": card["title"], "cards": [card]}
    return fonts.typeset(root, CARD_TEMPLATE, book)


def _draw_map(plan: Plan, job: tuple[Patrol, float]) -> bytes:
    """A patrol's map of this height in points."""
    patrol, height = job
    return draw_patrol_map(plan, patrol, width=BODY_WIDTH, height=height).svg
