"""Free text -> places in an area: its streets, junctions, grid references, degrees."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from itertools import product
from typing import Literal

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from patrolplan.area import StudyArea
from patrolplan.arrays import Ints
from patrolplan.crs import BRITISH_GRID
from patrolplan.network import StreetNetwork
from patrolplan.network.names import describe_positions

PlaceKind = Literal["street", "junction", "grid_reference", "coordinates"]

MOST_PLACES = 8  # Maximum number of places in an answer
SAME_STREET_METRES = 100.0  # Pieces with one name within this distance are one street
JUNCTION_METRES = 60.0  # Streets this near meet, as at a roundabout or across a wide road
MIN_LIKENESS = 0.8  # Minimum likeness of a street's name to the text, from 0 to 1
ABBREVIATIONS = (
    "road rd, street st, avenue ave av, lane ln, drive dr, square sq, place pl, crescent cres, "
    "court ct, gardens gdns, garden gdn, green grn, grove gr, terrace terr ter, park pk, "
    "house hse, broadway bdy bway, roundabout rbt"
)
"""Words in names of streets, each with its short forms."""
SHORT_FORMS = {
    short: word for word, *forms in map(str.split, ABBREVIATIONS.split(", ")) for short in forms
}

GRID_REFERENCE = re.compile(r"([A-HJ-Z])([A-HJ-Z])([0-9]{6}|[0-9]{8}|[0-9]{10})")
NUMBER = r"([+-]?[0-9]{1,3}(?:\.[0-9]+)?)"
DEGREES_PAIR = re.compile(
    rf"{NUMBER}\s*°?\s*([NS]?)\s*[,; ]\s*{NUMBER}\s*°?\s*([EW]?)", re.IGNORECASE
)
BETWEEN_STREETS = re.compile(
    r"\s*(?:/|&|\bx\b|\band\b|\bat\b|\bcorner of\b|\bjunction with\b)\s*", re.IGNORECASE
)

GRID_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # of squares of the British grid
GRID_ORIGIN_SQUARES = (10, 19)  # west and north edge of AA, in squares of 100 km from the origin


@dataclass(frozen=True)
class FoundPlace:
    """A place that a text may mean."""

    label: str  # Its name
    kind: PlaceKind
    xy: tuple[float, float]  # Metres in the area's CRS
    street_metres: float = 0.0  # Distance to the nearest street that is patrolled


def find_places(area: StudyArea, text: str) -> tuple[FoundPlace, ...]:
    """The places in an area that a text may mean, the most likely first; empty where none is."""
    text = " ".join(text.split())
    found = list(_list_places(area, text))[:MOST_PLACES] if text else []
    moved = area.network.snap([one.xy for one in found]).moved_metres if found else ()
    pairs = zip(found, moved, strict=True)
    return tuple(replace(place, street_metres=float(metres)) for place, metres in pairs)


def _list_places(area: StudyArea, text: str) -> Iterator[FoundPlace]:
    """Those of the kind that a text looks like, whether or not there are any."""
    if match := GRID_REFERENCE.fullmatch("".join(text.split()).upper()):
        yield from _find_grid_reference(area, match)
    elif match := DEGREES_PAIR.fullmatch(text.strip()):
        yield from _find_degrees(area, match)
    else:
        yield from _find_junctions(area.network, text)
        yield from () if "/" in text else _find_streets(area.network, text)


def _find_grid_reference(area: StudyArea, match: re.Match[str]) -> Iterator[FoundPlace]:
    """The middle of the square that a reference names, where the area's CRS is that grid."""
    if area.projection.crs != BRITISH_GRID:
        return
    large, small, figures = match.groups()
    half = len(figures) // 2
    # Squares of 500 km, in each squares of 100 km, both by letters, row by row from the north-west.
    row, column = divmod(GRID_LETTERS.index(large), 5)
    inner_row, inner_column = divmod(GRID_LETTERS.index(small), 5)
    west, north = GRID_ORIGIN_SQUARES
    corner = 5 * column + inner_column - west, north - (5 * row + inner_row)
    parts, unit = (figures[:half], figures[half:]), 10.0 ** (5 - half)
    x, y = (100_000 * at + (int(own) + 0.5) * unit for at, own in zip(corner, parts, strict=True))
    yield FoundPlace(f"{large}{small} {parts[0]} {parts[1]}", "grid_reference", (x, y))


def _find_degrees(area: StudyArea, match: re.Match[str]) -> Iterator[FoundPlace]:
    """Latitude and longitude; swapped if only that is near the area's streets."""
    first, south, second, west = match.groups()
    latitude = float(first) * (-1 if south.upper() == "S" else 1)
    longitude = float(second) * (-1 if west.upper() == "W" else 1)
    pairs = [(latitude, longitude)]
    if not (south or west):
        pairs.append((longitude, latitude))
    places = []
    for north, east in pairs:
        x, y = (float(one[0]) for one in area.projection.to_metres([east], [north]))
        exists = abs(north) <= 90 and abs(east) <= 180  # noqa: PLR2004 - degrees there are
        if exists and np.isfinite([x, y]).all():
            metres = float(area.network.snap([(x, y)]).moved_metres[0])
            places.append((metres, f"{round(north, 6)}, {round(east, 6)}", (x, y)))
    if places:
        _, label, xy = min(places)
        yield FoundPlace(label, "coordinates", xy)


def _find_streets(network: StreetNetwork, text: str) -> Iterator[FoundPlace]:
    """The middle of each street of a name like this."""
    for name in _match_names(network, text):
        middles = []
        for pieces in _split_streets(network, name):
            places = network.piece_middle[pieces]
            middles.append(int(pieces[np.argmin(np.hypot(*(places - places.mean(axis=0)).T))]))
        positions = network.middles(middles)
        labels = describe_positions(network, positions) if len(middles) > 1 else [name]
        for label, (x, y) in zip(labels, network.xy(positions), strict=True):
            yield FoundPlace(label, "street", (float(x), float(y)))


def _find_junctions(network: StreetNetwork, text: str) -> Iterator[FoundPlace]:
    """Where two streets meet whose names are like the two in a text."""
    parts = [part for part in BETWEEN_STREETS.split(text) if part]
    if len(parts) != 2:  # noqa: PLR2004 - a junction is of two streets
        return
    few = 3
    seen: list[tuple[float, float]] = []
    for one, other in product(*(_match_names(network, part)[:few] for part in parts)):
        if one == other:
            continue
        for xy in _find_crossings(network, one, other):
            if all(np.hypot(*np.subtract(xy, place)) > JUNCTION_METRES for place in seen):
                seen.append(xy)
                yield FoundPlace(f"{one} / {other}", "junction", xy)


def _find_crossings(network: StreetNetwork, one: str, other: str) -> list[tuple[float, float]]:
    """Points where two streets meet, or come next to each other."""
    lines = [network.lines(np.flatnonzero(network.piece_name == name)) for name in (one, other)]
    first, second = (shapely.union_all(of_street) for of_street in lines)
    meeting = shapely.get_coordinates(shapely.intersection(first, second))
    if len(meeting):
        return [(float(x), float(y)) for x, y in meeting]
    if shapely.distance(first, second) > JUNCTION_METRES:
        return []
    x, y = shapely.get_coordinates(shapely.shortest_line(first, second)).mean(axis=0)
    return [(float(x), float(y))]


def _match_names(network: StreetNetwork, text: str) -> Sequence[str]:
    """Names of streets that a text may mean, the most likely first."""
    wanted = _normalise(text)
    every = np.unique(network.piece_name.astype(str)).tolist()
    names = {_normalise(name): str(name) for name in every if name}
    if not wanted:
        return []
    if wanted in names:
        return [names[wanted]]
    words = wanted.split()
    holding = [
        name
        for name in names
        if all(any(own.startswith(word) for own in name.split()) for word in words)
    ]
    holding.sort(key=lambda name: (-SequenceMatcher(None, wanted, name).ratio(), name))
    close = get_close_matches(wanted, list(names), n=MOST_PLACES, cutoff=MIN_LIKENESS)
    return [names[name] for name in dict.fromkeys([*holding, *close])][:MOST_PLACES]


def _normalise(name: str) -> str:
    """A name in lower case without punctuation, with abbreviations expanded.

    >>> _normalise("St. Mary's Rd"), _normalise("High  St")
    ('st marys road', 'high street')
    """
    words = re.sub(r"[^\w\s]", "", name.replace("-", " ").casefold()).split()
    # At the beginning, "St" is a saint.
    return " ".join([*words[:1], *(SHORT_FORMS.get(word, word) for word in words[1:])])


def _split_streets(network: StreetNetwork, name: str) -> list[Ints]:
    """Pieces of each street of a name, the longest street first."""
    pieces = np.flatnonzero(network.piece_name == name)
    tree = cKDTree(network.piece_middle[pieces])
    pairs = tree.query_pairs(SAME_STREET_METRES, output_type="ndarray")
    links = sparse.coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(pieces),) * 2)
    count, street = csgraph.connected_components(links, directed=False)
    metres = np.bincount(street, network.piece_metres[pieces], minlength=count)
    return [pieces[street == number] for number in np.argsort(-metres, kind="stable").tolist()]
