"""Texts that go on, or over to, a card's next page where the first has no room for them."""

from collections.abc import Mapping
from typing import Any

from patrolplan.text import shorten

OVERLEAF = "(more overleaf)"

FrontLetters = Mapping[str, int]
"""Letters of a text that stay on the first page where the next one has to hold the whole."""

FRONT_LETTERS: tuple[FrontLetters, ...] = (
    {"place": 60, "tasked": 260, "text": 120},
    {"place": 36, "tasked": 70, "text": 50},
)
"""First for a card whose words leave no room for a map, then for one that still has none."""

MAX_BASIS_LETTERS = 1000
"""Longer lines on what the card rests on go overleaf as well."""


def move_overleaf(card: dict[str, Any], letters: FrontLetters) -> dict[str, Any]:
    """The card with long texts overleaf: each page says where the rest is, and none is lost.

    A tasking's hours and place stand at its beginning, which stays.
    """
    stops = [_keep_front_of_stop(stop, letters) for stop in card["stops"]]
    cautions = [_keep_front(line, "text", letters) for line in card["cautions"]]
    pairs = {"stops": stops, "cautions": cautions}
    moved: dict[str, Any] = {
        name: [whole for whole, front in zip(card[name], fronts, strict=True) if whole != front]
        for name, fronts in pairs.items()
    }
    is_long = sum(map(len, card["basis"])) > MAX_BASIS_LETTERS
    moved["basis"] = card["basis"] if is_long else []
    basis = ["What this card rests on stands overleaf."] if is_long else card["basis"]
    return card | pairs | {"basis": basis, "overleaf": moved}


def _keep_front_of_stop(stop: dict[str, Any], letters: FrontLetters) -> dict[str, Any]:
    """A row of the table with the beginning of what it says."""
    front = _keep_front(_keep_front(stop, "place", letters), "tasked", letters)
    reasons = [_keep_front(reason, "text", letters) for reason in stop["reasons"][:1]]
    if len(stop["reasons"]) > 1 and not reasons[0]["text"].endswith(OVERLEAF):
        reasons[0]["text"] += f" {OVERLEAF}"
    return front | {"reasons": reasons}


def _keep_front(row: dict[str, Any], name: str, letters: FrontLetters) -> dict[str, Any]:
    """A row in which one text ends where there is no more room for it."""
    text = row[name]
    if len(text) <= letters[name]:
        return dict(row)
    return row | {name: f"{shorten(text, letters[name]).removesuffix('…')} {OVERLEAF}"}
