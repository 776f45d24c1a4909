"""Directions in words, short enough for a card and plain enough to be read aloud."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from patrolplan.inputs.osm_tags import CrossingKind, Passage
from patrolplan.network.names import KIND_LABELS
from patrolplan.outputs.wording import format_metres
from patrolplan.patrols.legs import Landmark, Step
from patrolplan.patrols.turns import HEADINGS
from patrolplan.text import join_words

CLOSE_METRES = 60.0
"""Turns within this distance of each other need a landmark to distinguish them."""

MAX_NAME_LETTERS = 24
"""Maximum length of a station entrance's name; a longer one, such as a list of exits, is left
out."""

PASSAGE_WORDS: Mapping[Passage, str] = {
    "bridge": "bridge",
    "tunnel": "tunnel",
    "underpass": "underpass",
    "covered": "covered passage",
}
"""Words for passages, in directions and in the legend of their map."""

CROSSING_WORDS: dict[CrossingKind, str] = {
    "signals": " at the lights",
    "zebra": " on the zebra crossing",
    "island": " by the island",
    "unmarked": " (no marked crossing)",
    "unknown": "",
}


class Direction(NamedTuple):
    """A direction in its parts, which follow each other in a sentence."""

    turn: str
    """With what joins it to the street."""
    street: str
    length: str
    passed: str
    """What it leads over, through and across."""


def describe_directions(steps: Sequence[Step]) -> list[Direction]:
    """A leg's directions, one for each street."""
    before = ["", *(step.street for step in steps)]
    return [
        Direction(
            turn + _join_street(step, goes_on=step.street == street),
            describe_street(step),
            format_metres(step.metres),
            describe_passed(step),
        )
        for step, turn, street in zip(steps, describe_turns(steps), before, strict=False)
    ]


def _join_street(step: Step, *, goes_on: bool) -> str:
    """The words between a direction's turn and its street, which may be that of the one before."""
    if step.way == "carry":
        return " the bicycle:"
    if step.flight:
        return ","
    if step.way == "push" or step.turn == "turn back" or step.turn in HEADINGS:
        return " along"
    if goes_on and step.street not in KIND_LABELS:
        return ", still"
    return "," if step.turn == "straight on" else " into"


def describe_turns(steps: Sequence[Step]) -> list[str]:
    """The beginning of each direction: a landmark, and where to get off and on a bicycle."""
    lines: list[str] = []
    previous_way = "ride"
    for step, landmark in zip(steps, _choose_landmarks(steps), strict=True):
        line: str = step.turn
        if step.way in {"push", "carry"}:
            line += f", get off and {step.way}" if previous_way == "ride" else f", {step.way}"
        if step.level:
            line += f", {step.level}"
        if step.way == "ride" and previous_way != "ride":
            line = f"get on, {line}"
        if landmark is not None:
            line = f"{describe_landmark(landmark)}, {line}"
        lines.append(line)
        previous_way = step.way
    return lines


def _choose_landmarks(steps: Sequence[Step]) -> list[Landmark | None]:
    """The landmarks that are named: at the first turn, and where a turn is unclear without one.

    A turn is unclear at a path without a name, and close to another turn. Each landmark is named
    once, and a park is not named at a turn into the street around it.
    """
    chosen: list[Landmark | None] = []
    for number, step in enumerate(steps):
        before = steps[number - 1]
        is_clear = step.street not in KIND_LABELS and (
            number != 1 and before.metres >= CLOSE_METRES
        )
        named = step.landmark is not None and step.landmark.name in {step.street, before.street}
        is_left_out = is_clear or (named and not _is_sign(step.landmark))
        landmark = None if is_left_out or step.landmark in chosen else step.landmark
        chosen.append(landmark if number else None)
    return chosen


def _is_sign(landmark: Landmark | None) -> bool:
    """Whether the landmark is a point on the map, which may have the name of its street."""
    return landmark is not None and landmark.kind in {"bus_stop", "station", "station_entrance"}


def describe_landmark(landmark: Landmark) -> str:
    """Where to turn, by the landmark on the map."""
    name = landmark.name
    if landmark.kind in {"park", "water"}:
        return f"by {name}"
    if landmark.kind == "station":
        return f"at {name}" if name.casefold().endswith("station") else f"at {name} station"
    if landmark.kind == "station_entrance":
        return f"at the station entrance {name if len(name) <= MAX_NAME_LETTERS else ''}".rstrip()
    return f"at the {'bus stop' if landmark.kind == 'bus_stop' else landmark.kind} {name}".rstrip()


def describe_street(step: Step) -> str:
    """What a direction follows: a street, or steps up or down."""
    if step.flight not in {"up", "down"}:
        return step.street
    return f"{step.flight} {'the steps' if step.street == 'steps' else step.street}"


def describe_passed(step: Step) -> str:
    """What a direction leads over, through and across, to follow its street and length."""
    words = ""
    if step.passage == "bridge":
        words = ", over the bridge"
    elif step.passage:
        words = f", through the {PASSAGE_WORDS[step.passage]}"
    if not step.crossings:
        return words
    return f"{words}, crossing {_describe_crossings(step)}"


def _describe_crossings(step: Step) -> str:
    """Each main road that is crossed; successive ones with the same kind of crossing are joined."""
    alone = len(step.crossings) == 1
    parts = []
    for kind, alike in groupby(step.crossings, key=lambda crossing: crossing.kind):
        roads = [
            "it" if alone and crossing.road == step.street else crossing.road or "the main road"
            for crossing in alike
        ]
        parts.append(join_words(roads) + CROSSING_WORDS[kind])
    return ", ".join(parts)
