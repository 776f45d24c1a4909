"""Directions in words, short enough for a card and plain enough to be read aloud."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from patrolplan.inputs.osm_tags import CrossingKind, Passage
from patrolplan.network.names import KIND_LABELS
from patrolplan.outputs.wording import format_metres
from patrolplan.patrols.legs import Landmark, Step
from patrolplan.patrols.runs import HEADINGS
from patrolplan.text import join_words

CLOSE_METRES = 60.0  # Turns within this distance of each other need a landmark to distinguish them
MAX_NAME_LETTERS = 24  # of a station entrance: a longer name may be a list of exits

PASSAGE_WORDS: Mapping[Passage, str] = {
    "bridge": "bridge",
    "tunnel": "tunnel",
    "underpass": "underpass",
    "covered": "covered passage",
}  # Words for passages, in directions and in the legend of their map

SIGNS = {"bus_stop", "station", "station_entrance"}  # may have the name of their street

CROSSING_WORDS: dict[CrossingKind, str] = {
    "signals": " at the lights",
    "zebra": " on the zebra crossing",
    "island": " by the island",
    "unmarked": " (no marked crossing)",
    "unknown": "",
}


class Direction(NamedTuple):
    """A direction in its parts, which follow each other in a sentence."""

    turn: str  # With what joins it to the street
    street: str
    length: str
    passed: str  # What it leads over, through and across


def describe_directions(steps: Sequence[Step]) -> list[Direction]:
    """A leg's directions, one for each street."""
    directions: list[Direction] = []
    named: list[Landmark] = []
    before, previous_way = None, "ride"
    for step in steps:
        turn: str = step.turn
        if step.way in {"push", "carry"}:
            turn += f", get off and {step.way}" if previous_way == "ride" else f", {step.way}"
        if step.level:
            turn += f", {step.level}"
        if step.way == "ride" and previous_way != "ride":
            turn = f"get on, {turn}"
        is_first_turn = len(directions) == 1
        landmark = before and _choose_landmark(step, before, named, is_first_turn=is_first_turn)
        if landmark:
            named.append(landmark)
            turn = f"{_describe_landmark(landmark)}, {turn}"
        joined = _join_street(step, goes_on=before is not None and before.street == step.street)
        street = step.street
        if step.flight in {"up", "down"}:
            street = f"{step.flight} {'the steps' if street == 'steps' else street}"
        length, passed = format_metres(step.metres), _describe_passed(step)
        directions.append(Direction(turn + joined, street, length, passed))
        before, previous_way = step, step.way
    return directions


def _choose_landmark(
    step: Step, before: Step, named: Sequence[Landmark], *, is_first_turn: bool
) -> Landmark | None:
    """The landmark that names the first turn, one at a path without a name, or near another."""
    # Each landmark is named once, and a park is not named at a turn into the street around it.
    landmark = step.landmark
    if landmark is None or landmark in named:
        return None
    is_clear = step.street not in KIND_LABELS and before.metres >= CLOSE_METRES
    is_street = landmark.name in {step.street, before.street} and landmark.kind not in SIGNS
    return None if is_street or (is_clear and not is_first_turn) else landmark


def _describe_landmark(landmark: Landmark) -> str:
    """Where to turn, by the landmark on the map."""
    kind, name = landmark.kind, landmark.name
    if kind in {"park", "water"}:
        return f"by {name}"
    if kind == "station":
        return f"at {name}" if name.casefold().endswith("station") else f"at {name} station"
    if kind == "station_entrance":
        name = name if len(name) <= MAX_NAME_LETTERS else ""
    return f"at the {kind.replace('_', ' ')} {name}".rstrip()


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


def _describe_passed(step: Step) -> str:
    """What a direction leads over, through and across; crossings of one kind are joined."""
    over = "over" if step.passage == "bridge" else "through"
    words = f", {over} the {PASSAGE_WORDS[step.passage]}" if step.passage else ""
    parts = []
    for kind, alike in groupby(step.crossings, key=lambda crossing: crossing.kind):
        own = step.street if len(step.crossings) == 1 else None
        roads = ["it" if one.road == own else one.road or "the main road" for one in alike]
        parts.append(join_words(roads) + CROSSING_WORDS[kind])
    return f"{words}, crossing {', '.join(parts)}" if parts else words
