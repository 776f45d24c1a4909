"""Texts that continue on, or move to, a card's next page if the first has no room for them."""

from collections.abc import Mapping
from typing import Any

from patrolplan.text import shorten

OVERLEAF = "(more overleaf)"

FrontLetters = Mapping[str, int]
"""Maximum letters of a text on the first page, if the whole text is on the next one."""

FRONT_LETTERS: tuple[FrontLetters, ...] = (
    {"place": 70, "tasked": 260, "why": 240, "text": 200},
    {"place": 60, "tasked": 160, "why": 130, "text": 120},
    {"place": 36, "tasked": 70, "why": 50, "text": 50},
)
"""Steps to try in turn for a card whose words leave no room for a map; "why" is a stop's total."""

MAX_BASIS_LETTERS = 1000
"""Longer lines on the basis of the card go overleaf as well."""


def move_overleaf(card: dict[str, Any], letters: FrontLetters) -> dict[str, Any]:
    """The card with long texts overleaf: each page refers to the rest, and no text is lost.

    A tasking's hours and place are at its beginning, which stays.
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
    """A row of the table with the beginning of its text: as many whole sentences as fit."""
    front = _keep_front(_keep_front(stop, "place", letters), "tasked", letters)
    first, *others = stop["reasons"] or [None]
    if first is None:
        return front
    reasons = [_keep_front(first, "text", {"text": letters["why"]})]
    for number, reason in enumerate(others, 1):
        if sum(len(one["text"]) for one in stop["reasons"][: number + 1]) > letters["why"]:
            break
        reasons.append(reason)
    if len(reasons) < len(stop["reasons"]) and not reasons[-1]["text"].endswith(OVERLEAF):
        reasons[-1] = reasons[-1] | {"text": f"{reasons[-1]['text']} {OVERLEAF}"}
    return front | {"reasons": reasons}


def _keep_front(row: dict[str, Any], name: str, letters: FrontLetters) -> dict[str, Any]:
    """A row in which one text is cut to its maximum length."""
    text = row[name]
    if len(text) <= letters[name]:
        return dict(row)
    return row | {name: f"{shorten(text, letters[name]).removesuffix('…')} {OVERLEAF}"}
