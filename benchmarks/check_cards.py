"""Check that cards can be walked: names on maps; turns, steps, levels and passages in words.

    python benchmarks/check_cards.py --plan DIR --config FILE --json

It reads the officer's files, `plan.json` and the cards, and the streets file, and uses no code that
makes directions. It prints the number of findings of each kind, and the first ones.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import shapely
from numpy.typing import NDArray

import patrolplan as pp
from patrolplan.area import StudyArea
from patrolplan.network import StreetNetwork
from patrolplan.network.names import KIND_LABELS

LOOK_METRES = 12.0
"""Distance before and after a place at which directions are measured."""

CORNER_DEGREES = 60.0
"""Minimum turn that must be in the directions."""

ROUNDING_DEGREES = 2.0
"""Lines in files are rounded, so a corner may look this much sharper than it is."""

END_METRES = 9.0
"""The last metres before a stop or the gate, which is then visible."""

NAME_METRES = 20.0
"""A street within this distance of the line is walked along, on its pavement."""

SAME_PLACE_METRES = 1.0
"""Ends of pieces within this distance of a place meet there."""

MIN_SHARE_ALONG = 0.7
"""Minimum share of a part of the line near a street that runs along it."""

MIN_PASSAGE_METRES = 6.0
"""Minimum length of a bridge or passage that is searched for."""

KINDS = ("names", "turns", "flights", "levels", "passages")

SIDES = {"left": -1, "bear left": -1, "right": 1, "bear right": 1, "turn back": 0}


@dataclass(frozen=True)
class Finding:
    """Something that is missing on a card."""

    kind: str
    """One of `KINDS`."""
    card: str
    leg: int
    """Number of the leg from 0; -1 for the way to the gate, and for the whole card."""
    at_metres: float
    """Metres from the leg's beginning."""
    what: str


@dataclass(frozen=True)
class WalkedLine:
    """A leg from `plan.json`, matched to the streets file.

    Parameters
    ----------
    xy, along
        (v, 2) points in metres, and (v,) the metres along the line at each.
    pieces, backwards
        (v - 1,) piece of street of each segment, and whether it is walked against its direction.
    opens
        (d,) metres at which each direction begins.
    """

    xy: NDArray[np.float64]
    along: NDArray[np.float64]
    pieces: NDArray[np.int64]
    backwards: NDArray[np.bool_]
    opens: NDArray[np.float64]
    steps: Sequence[dict[str, Any]]

    def find_steps(self, begin: float, end: float) -> list[dict[str, Any]]:
        """The directions that apply somewhere between two places, within rounding."""
        closes = np.r_[self.opens[1:], np.inf]
        slack = LOOK_METRES
        held = (self.opens <= end + slack) & (closes >= begin - slack)
        return [step for step, holds in zip(self.steps, held, strict=True) if holds]

    def point(self, at_metres: float) -> NDArray[np.float64]:
        """(2,) the place at this distance along the line."""
        return np.array([np.interp(at_metres, self.along, axis) for axis in self.xy.T])


def read_lines(area: StudyArea, patrol: dict[str, Any]) -> Iterator[tuple[int, WalkedLine]]:
    """Number and line of each leg with a length of a patrol in `plan.json`.

    The way from the base to the gate has the number -1.
    """
    approach = [(-1, patrol["approach"])] if patrol.get("approach") else []
    for number, leg in [*approach, *enumerate(patrol["legs"])]:
        degrees = np.array(leg["line"]).reshape(-1, 2)
        if len(degrees) > 1:
            xy = np.column_stack(area.projection.to_metres(*degrees.T))
            yield number, match_line(area.network.walkable, xy, leg["directions"])


def match_line(
    network: StreetNetwork, xy: NDArray[np.float64], steps: Sequence[dict[str, Any]]
) -> WalkedLine:
    """A line with the nearest parallel piece of street of each of its segments."""
    xy = xy[np.r_[True, np.hypot(*np.diff(xy, axis=0).T) > 0]]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    tree = shapely.STRtree(network.piece_lines)
    segment, piece = tree.query(segments, predicate="dwithin", distance=2.0)
    apart = shapely.hausdorff_distance(
        segments[segment], _cut_beside(network.piece_lines[piece], segments[segment])
    )
    order = np.lexsort((piece, apart.round(1), segment))
    first = np.unique(segment[order], return_index=True)[1]
    pieces = piece[order][first]
    ends = np.stack([xy[:-1], xy[1:]], axis=1)
    where = shapely.line_locate_point(network.piece_lines[pieces][:, None], shapely.points(ends))
    opens = np.cumsum([0.0, *(step["metres"] for step in steps)])[:-1]
    return WalkedLine(xy, along, pieces, where[:, 1] < where[:, 0], opens, steps)


def _cut_beside(lines: NDArray[np.object_], segments: NDArray[np.object_]) -> NDArray[np.object_]:
    """The chord of each line between the places nearest to both ends of a segment."""
    ends = [shapely.get_point(segments, end) for end in (0, 1)]
    feet = [
        shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, e)) for e in ends
    ]
    return shapely.linestrings(np.stack([shapely.get_coordinates(foot) for foot in feet], axis=1))


def find_hidden_turns(network: StreetNetwork, line: WalkedLine) -> list[tuple[float, str]]:
    """Corners at which no direction begins, or one with the wrong side.

    A street that bends is followed by its name: such a turn needs no direction.
    """
    hidden = []
    for at, degrees in find_corners(line):
        near = np.abs(line.opens - at) <= LOOK_METRES + 0.5 * len(line.steps)
        words = [line.steps[number]["turn"] for number in np.flatnonzero(near)]
        side = int(np.sign(degrees))
        sharp = abs(degrees) > 120  # noqa: PLR2004 - nearly back: either side will do
        if any(SIDES.get(word) in {side, 0} or (sharp and word in SIDES) for word in words):
            continue
        if not goes_on(network, line, at):
            hidden.append((at, f"{degrees:+.0f} degrees, directions near: {words}"))
    return hidden


def find_corners(line: WalkedLine) -> list[tuple[float, float]]:
    """Metres along the line and degrees, right positive, of the sharpest turns."""
    low, high = END_METRES, line.along[-1] - END_METRES
    places = line.along[(line.along > low) & (line.along < high)]
    turns = np.array([_measure_turn(line, at) for at in places])
    corners: list[tuple[float, float]] = []
    for row in np.argsort(-np.abs(turns), kind="stable"):
        at, degrees = float(places[row]), float(turns[row])
        near = (abs(at - other) < LOOK_METRES and degrees * turn > 0 for other, turn in corners)
        if abs(degrees) >= CORNER_DEGREES + ROUNDING_DEGREES and not any(near):
            corners.append((at, degrees))
    return sorted(corners)


def _measure_turn(line: WalkedLine, at: float) -> float:
    """Degrees between the way in and the way out of a place."""
    before, here, after = (line.point(at + shift) for shift in (-LOOK_METRES, 0, LOOK_METRES))
    way_in, way_out = (np.arctan2(*(here - before)), np.arctan2(*(after - here)))
    return float((np.degrees(way_out - way_in) + 180) % 360 - 180)


def goes_on(network: StreetNetwork, line: WalkedLine, at: float) -> bool:
    """Whether the street of the direction at a place continues before and after it.

    Only names in the streets file count, not words of the directions for a path.
    """
    number = int(np.searchsorted(line.opens, at, side="right")) - 1
    street = line.steps[number]["street"]
    is_named = network.piece_name == street
    arms = network.node_xy[network.piece_nodes[is_named]].reshape(-1, 2) - line.point(at)
    named = shapely.union_all(network.piece_lines[is_named])
    if named.is_empty or (np.hypot(*arms.T) < SAME_PLACE_METRES).sum() > 2:  # noqa: PLR2004
        return False  # no street of that name, or one that forks here
    return all(
        _runs_along(named, line.point(at + near * side), line.point(at + far * side))
        for side in (-1, 1)
        for near, far in ((0.0, LOOK_METRES), (LOOK_METRES / 2, LOOK_METRES))
    )


def _runs_along(
    street: shapely.Geometry, begin: NDArray[np.float64], end: NDArray[np.float64]
) -> bool:
    """Whether the way from one place to another makes the same progress along a nearby street."""
    feet = [shapely.shortest_line(street, shapely.Point(place)) for place in (begin, end)]
    if any(foot.length > NAME_METRES for foot in feet):
        return False
    gone = np.subtract(feet[1].coords[0], feet[0].coords[0])
    walked = end - begin
    return float(np.hypot(*gone)) >= MIN_SHARE_ALONG * float(np.hypot(*walked))


def _list_runs(values: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """First and last segment of each run of equal values."""
    opens = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    yield from zip(opens.tolist(), [*(opens[1:] - 1).tolist(), len(values) - 1], strict=True)


def find_untold_flights(network: StreetNetwork, line: WalkedLine) -> list[tuple[float, str]]:
    """Flights of steps without a direction up or down, or with the wrong one."""
    is_flight = network.piece_highway[line.pieces] == "steps"
    untold = []
    for first, last in _list_runs(is_flight):
        if not is_flight[first]:
            continue
        begin, end = line.along[first], line.along[last + 1]
        flights = network.piece_flight[line.pieces[first : last + 1]]
        up = {"up": "down", "down": "up"}
        walked = {
            up.get(flight, flight) if back else flight
            for flight, back in zip(flights, line.backwards[first : last + 1], strict=True)
        }
        words = {step.get("flight", "") for step in line.find_steps(begin, end)} - {""}
        if not walked & words:
            untold.append((float(begin), f"steps {sorted(walked)}, directions say {sorted(words)}"))
    return untold


def find_untold_levels(network: StreetNetwork, line: WalkedLine) -> list[tuple[float, str]]:
    """Changes of level without steps, bridge or tunnel at which no direction begins.

    A street above or below the ground that has a name is followed by it, as round a bend.
    """
    layer, untold = network.piece_layer[line.pieces], []
    names = network.piece_name[line.pieces]
    for row in np.flatnonzero(layer[1:] != layer[:-1]):
        at = float(line.along[row + 1])
        near = (line.along[1:] >= at - LOOK_METRES) & (line.along[:-1] <= at + LOOK_METRES)
        is_explained = (network.piece_highway[line.pieces[near]] == "steps").any()
        is_explained |= (network.piece_passage[line.pieces[row : row + 2]] != "").any()
        farther = row + (abs(layer[row + 1]) > abs(layer[row]))
        is_explained |= names[farther] != ""
        word = "up" if layer[row + 1] > layer[row] else "down"
        begun = np.abs(line.opens - at) <= LOOK_METRES + 0.5 * len(line.steps)
        words = [line.steps[number].get("level", "") for number in np.flatnonzero(begun)]
        if not is_explained and word not in words:
            untold.append((at, f"{word} from {layer[row]:g} to {layer[row + 1]:g}"))
    return untold


def find_untold_passages(network: StreetNetwork, line: WalkedLine) -> list[tuple[float, str]]:
    """Bridges, tunnels and covered ways that no direction leads over or through."""
    passage, untold = network.piece_passage[line.pieces], []
    for first, last in _list_runs(passage):
        begin, end = float(line.along[first]), float(line.along[last + 1])
        if not passage[first] or end - begin < MIN_PASSAGE_METRES:
            continue
        if not any(step.get("passage") == passage[first] for step in line.find_steps(begin, end)):
            untold.append((begin, f"{passage[first]} of {end - begin:.0f} m"))
    return untold


def list_named_streets(patrol: dict[str, Any]) -> list[str]:
    """Every street that a patrol's directions or stops name, once."""
    names = [street for leg in patrol["legs"] for street in leg["streets"]]
    names += [name for stop in patrol["stops"] for name in stop["place"].split(" near ")]
    for leg in patrol["legs"]:
        for step in leg["directions"]:
            names += [crossing["road"] for crossing in step.get("crossings", ())]
    return [name for name in dict.fromkeys(names) if name and name not in KIND_LABELS]


def find_missing_names(patrol: dict[str, Any], map_text: str) -> list[str]:
    """Streets that a card names, and its map does not."""
    shown = "".join(map_text.split())
    return [name for name in list_named_streets(patrol) if "".join(name.split()) not in shown]


def read_map_text(card: Path) -> str:
    """The words on a card's map and in the key below it, a form of its own in the PDF."""
    texts = []
    for page in pypdf.PdfReader(card).pages:
        forms = [form.get_object() for form in page["/Resources"].get("/XObject", {}).values()]
        texts += [
            page.extract_xform_text(form, (0, 90, 180, 270))
            for form in forms
            if form.get("/Subtype") == "/Form"
        ]
    return "\n".join(texts)


LINE_CHECKS = {
    "turns": find_hidden_turns,
    "flights": find_untold_flights,
    "levels": find_untold_levels,
    "passages": find_untold_passages,
}


def check_lines(area: StudyArea, patrols: Sequence[dict[str, Any]]) -> list[Finding]:
    """What the directions of patrols, as `plan.json` has them, do not say."""
    return [
        Finding(kind, name_card(patrol), number, round(at), what)
        for patrol in patrols
        for number, line in read_lines(area, patrol)
        for kind, find in LINE_CHECKS.items()
        for at, what in find(area.network.walkable, line)
    ]


def name_card(patrol: dict[str, Any]) -> str:
    """Name of a patrol's card, as its file has it."""
    return patrol["urn"] + (f"-{patrol['number']}" if patrol["number"] > 1 else "")


def check_names(folder: Path, patrols: Sequence[dict[str, Any]]) -> list[Finding]:
    """Street names that the cards in a plan's folder do not show on their maps."""
    return [
        Finding("names", name_card(patrol), -1, 0.0, name)
        for patrol in patrols
        for name in find_missing_names(
            patrol, read_map_text(folder / "cards" / f"{name_card(patrol)}.pdf")
        )
    ]


def check_folder(folder: Path, area: StudyArea) -> dict[str, Any]:
    """Counts and findings of a plan's folder."""
    patrols = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["patrols"]
    findings = check_names(folder, patrols) + check_lines(area, patrols)
    lines = [line for patrol in patrols for _, line in read_lines(area, patrol)]
    return {
        "cards": len(patrols),
        "legs": len(lines),
        "directions": sum(len(line.steps) for line in lines),
        "named_streets": sum(len(list_named_streets(patrol)) for patrol in patrols),
        "corners": sum(len(find_corners(line)) for line in lines),
        "found": {kind: sum(one.kind == kind for one in findings) for kind in KINDS},
        "findings": [asdict(one) for one in findings],
    }


def main() -> None:
    """Check and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--plan", type=Path, required=True, help="folder that `plan` wrote")
    parser.add_argument("--config", type=Path, required=True, help="settings file of that plan")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    wish = parser.parse_args()
    result = check_folder(wish.plan, pp.load_area(wish.config))
    if wish.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        if name != "findings":
            print(f"{name.replace('_', ' ')}: {value}")
    for one in result["findings"]:
        where = f"{one['card']} leg {one['leg']} at {one['at_metres']:.0f} m"
        print(f"{where}, {one['kind']}: {one['what']}")


if __name__ == "__main__":
    main()
