"""Check that plans are practical: stops, light, beats, hours and the bell.

    python benchmarks/check_stops.py --plan DIR --config FILE --json
    python benchmarks/check_stops.py --week DIR --config FILE --json

It reads the officer's files, `plan.json` or `week.json` and the cards, and the streets file, and
uses no code that chooses stops. It prints the number of findings of each kind, the findings, and
for a week the share of stops that begin soon after the bell.
"""

import argparse
import datetime as dt
import json
import re
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
from patrolplan.area.daylight import find_sunset_minutes
from patrolplan.times import minutes_after_midnight

SMALLER_WAYS = {"service", "footway", "path", "cycleway", "bridleway", "track", "steps", "busway"}
"""Values of `highway` where no stop should be if a street with a name is near."""

NEAR_STREET_METRES = 25.0
ON_STREET_METRES = 1.0
"""A stop within this distance of a street is on it: plans round places to 1e-6 degrees."""

MIN_LEG_METRES = 200.0
"""Minimum walk between two stops; nearer ones should be one beat."""

BELL_MINUTES = 45.0
"""Duration after the bell while pupils are on their way."""

KINDS = ("smaller_ways", "unlit_stops", "short_legs", "task_hours")


@dataclass(frozen=True)
class Finding:
    """A stop, a leg or a tasking that an officer would object to."""

    kind: str
    """One of `KINDS`."""
    card: str
    """URN and, in a week, the date."""
    what: str


@dataclass(frozen=True, eq=False)
class Outing:
    """A patrol on a day, from a file.

    Parameters
    ----------
    patrol
        With its stops and legs.
    date
        None in a plan without one.
    words
        The words of its card, without line breaks.
    """

    patrol: dict[str, Any]
    date: dt.date | None
    words: str

    @property
    def name(self) -> str:
        """URN and date."""
        return " ".join([self.patrol["urn"], *([str(self.date)] if self.date else [])])

    @property
    def xy_degrees(self) -> NDArray[np.float64]:
        """(k, 2) longitude and latitude of the stops."""
        return np.array([stop["point"] for stop in self.patrol["stops"]]).reshape(-1, 2)


def read_plan(folder: Path) -> list[Outing]:
    """The patrols of a plan's folder with their cards."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    date = dt.date.fromisoformat(plan["date"]) if plan["date"] else None
    outings = []
    for patrol in plan["patrols"]:
        number = f"-{patrol['number']}" if patrol["number"] > 1 else ""
        words = read_words(folder / "cards" / f"{patrol['urn']}{number}.pdf")
        outings.append(Outing(patrol, date, words))
    return outings


def read_week(folder: Path) -> list[Outing]:
    """The patrols of a week's folder with their cards, each on its day."""
    week = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    outings = []
    for one in week["patrols"]:
        cards = folder / "cards" / one["officer"]
        [card] = cards.glob(f"{one['date']}-{one['urn']}*.pdf")
        route = week["routes"][one["route"]]
        outings.append(Outing(route, dt.date.fromisoformat(one["date"]), read_words(card)))
    return outings


def read_words(card: Path) -> str:
    """All words of a card, without line breaks."""
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(card).pages)
    return " ".join(text.split())


def find_smaller_ways(area: StudyArea, outing: Outing) -> Iterator[str]:
    """Stops in a service road or on a footway with a street that has a name beside it."""
    network = area.network.walkable
    is_smaller = np.isin(network.piece_highway, list(SMALLER_WAYS))
    is_street = ~is_smaller & (network.piece_name != "")
    x, y = area.projection.to_metres(*outing.xy_degrees.T)
    for stop, place in zip(outing.patrol["stops"], shapely.points(x, y), strict=True):
        metres = shapely.distance(network.piece_lines, place)
        nearest = metres[is_street].min(initial=np.inf)
        if metres.min() < nearest - ON_STREET_METRES and nearest <= NEAR_STREET_METRES:
            own = network.piece_highway[int(np.argmin(metres))]
            yield f"{stop['place']}: on {own}, {nearest:.0f} m from a street with a name"


def find_unlit_stops(area: StudyArea, outing: Outing) -> Iterator[str]:
    """Stops without street lighting that end after sunset, if the card does not mention it."""
    sunset = find_sunset_minutes(area, outing.date)
    if sunset is None:
        return
    network = area.network.walkable
    x, y = area.projection.to_metres(*outing.xy_degrees.T)
    pairs = zip(outing.patrol["stops"], shapely.points(x, y), strict=True)
    for number, (stop, place) in enumerate(pairs, 1):
        lit = network.piece_lit[int(np.argmin(shapely.distance(network.piece_lines, place)))]
        is_dark = minutes_after_midnight(stop["leave"]) > sunset
        says = outing.words.partition("No street lighting then at stop")[2].partition(".")[0]
        if is_dark and lit == "no" and str(number) not in re.findall(r"\d+", says):
            yield f"stop {number}, {stop['place']}: until {stop['leave']}"


def find_short_legs(area: StudyArea, outing: Outing) -> Iterator[str]:
    """Walks between two stops that are near enough to be one beat."""
    del area
    stops = outing.patrol["stops"]
    between = outing.patrol["legs"][1 : len(stops)]
    for number, leg in enumerate(between, 1):
        if leg["metres"] < MIN_LEG_METRES:
            yield f"{number} to {number + 1}: {leg['metres']:.0f} m"


def find_task_hours(area: StudyArea, outing: Outing) -> Iterator[str]:
    """Tasked places that this patrol visits outside of their hours without a remark.

    Which school goes to a place depends on all of them together.
    """
    patrol, places = outing.patrol, area.tasked_places
    visited = {stop["tasked"]: stop for stop in patrol["stops"] if stop["tasked"]}
    for place in places[places["must_visit"]].to_dict("records"):
        stop = visited.get(place["place_id"])
        if stop is None or np.isnan(place["from_minutes"]):
            continue
        is_met = (
            minutes_after_midnight(stop["arrive"]) < place["to_minutes"]
            and minutes_after_midnight(stop["leave"]) > place["from_minutes"]
        )
        if not is_met and place["place_id"] not in outing.words:
            yield f"{place['place_id']}: not met in its hours"


CHECKS = {
    "smaller_ways": find_smaller_ways,
    "unlit_stops": find_unlit_stops,
    "short_legs": find_short_legs,
    "task_hours": find_task_hours,
}


def check_outings(area: StudyArea, outings: Sequence[Outing]) -> list[Finding]:
    """All findings of patrols."""
    return [
        Finding(kind, outing.name, what)
        for outing in outings
        for kind, find in CHECKS.items()
        for what in find(area, outing)
    ]


def compute_bell_share(area: StudyArea, outings: Sequence[Outing]) -> float:
    """Share of stops that begin within `BELL_MINUTES` of the bell; NaN without stops."""
    bells = area.schools.set_index("urn")["finish_time"]
    after = [
        minutes_after_midnight(stop["arrive"]) - minutes_after_midnight(bells[one.patrol["urn"]])
        for one in outings
        for stop in one.patrol["stops"]
    ]
    return float(np.mean([0 <= minutes <= BELL_MINUTES for minutes in after] or [np.nan]))


def summarise(area: StudyArea, outings: Sequence[Outing]) -> dict[str, Any]:
    """Counts and findings."""
    findings = check_outings(area, outings)
    stops = [len(one.patrol["stops"]) for one in outings]
    return {
        "patrols": len(outings),
        "stops": sum(stops),
        "legs_between_stops": sum(max(0, count - 1) for count in stops),
        "share_within_45_minutes_of_bell": round(compute_bell_share(area, outings), 4),
        "found": {kind: sum(one.kind == kind for one in findings) for kind in KINDS},
        "findings": [asdict(one) for one in findings],
    }


def main() -> None:
    """Check and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--plan", type=Path, help="folder that `plan` wrote")
    source.add_argument("--week", type=Path, help="folder that `week` wrote")
    parser.add_argument("--config", type=Path, required=True, help="settings file of it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    wish = parser.parse_args()
    outings = read_plan(wish.plan) if wish.plan else read_week(wish.week)
    result = summarise(pp.load_area(wish.config), outings)
    if wish.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        if name != "findings":
            print(f"{name.replace('_', ' ')}: {value}")
    for one in result["findings"]:
        print(f"{one['card']}, {one['kind']}: {one['what']}")


if __name__ == "__main__":
    main()
