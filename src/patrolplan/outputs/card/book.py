"""Books of cards: a cover that lists them, and the cards behind it."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patrolplan.crew.share import Tell
from patrolplan.outputs.card.workshop import Workshop
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan


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
        press = Workshop(Path(folder), executor, tell)
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
