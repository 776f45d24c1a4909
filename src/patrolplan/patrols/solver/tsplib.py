"""TSPLIB's form of a file, and its integer distances (Reinelt 1995), which OPLib has taken over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.patrols.solver.instance_rows import Row, at, parse_number, parse_rows

POINT_NUMBERS = 3
"""Node, x and y."""

PI = 3.141592
"""TSPLIB's own, which its distances on the globe are defined with."""

EARTH_KILOMETRES = 6378.388

MAX_NODES = 20_000


@dataclass(frozen=True)
class Sections:
    """Header and sections of a file of OPLib."""

    path: Path
    head: dict[str, Row]
    sections: dict[str, list[Row]]

    def get(self, key: str) -> str:
        """What the header says after a key."""
        if key not in self.head:
            what = f"it has no {key}"
            raise InputError.one(self.path, what, f"give a row '{key} : ...'")
        return self.head[key].text.split(":", 1)[1].strip()

    def parse(self, section: str, least: int, what: str) -> list[NDArray[np.float64]]:
        """Numbers of each row of a section, at least so many."""
        if section not in self.sections:
            missing = f"it has no {section}"
            raise InputError.one(self.path, missing, f"give the section with {what}")
        return parse_rows(self.path, self.sections[section], least, what)

    def number(self, key: str, least: float) -> float:
        """The number that the header says after a key, `least` or more."""
        word = self.get(key)
        return parse_number(self.path, self.head[key], word, least, f"a number for {key}")

    def count_nodes(self) -> int:
        """How many nodes there are, by DIMENSION."""
        size = self.number("DIMENSION", 1)
        if size > MAX_NODES or size != int(size):
            what = f"DIMENSION is {size:g}"
            remedy = f"give a whole number up to {MAX_NODES:,}: all distances are held at once"
            raise InputError.one(self.path, what, remedy, at(self.head["DIMENSION"]))
        return int(size)


def split_sections(path: Path, rows: Sequence[Row]) -> Sections:
    """Sort the rows of a file into header and sections, up to EOF."""
    parts = Sections(path, {}, {})
    section = ""
    for row in rows:
        word = row.text.split(":")[0].strip()
        if word == "EOF":
            break
        if word.endswith("_SECTION"):
            section = word
            parts.sections[section] = []
        elif ":" in row.text:
            parts.head[word] = row
        elif section:
            parts.sections[section].append(row)
        else:
            what = f"'{row.text[:60]}' stands before any section"
            raise InputError.one(path, what, "correct the row", at(row))
    return parts


def find_node(path: Path, number: float, size: int) -> int:
    """Row of a node, which files number from 1."""
    if not (1 <= number <= size and number == int(number)):
        what = f"there is no node {number:g}"
        raise InputError.one(path, what, f"give nodes from 1 to {size}, as DIMENSION says")
    return int(number) - 1


def compute_distances(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) straight-line distances between points (n, 2)."""
    apart = xy[:, None] - xy[None]
    return np.asarray(np.hypot(apart[..., 0], apart[..., 1]))


def compute_tsplib_distances(
    parts: Sections, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """(n, n) integer distances by TSPLIB's rules, and (n, 2) coordinates where there are any."""
    kind = parts.get("EDGE_WEIGHT_TYPE")
    if kind == "EXPLICIT":
        rows = parts.parse("EDGE_WEIGHT_SECTION", 1, "distances")
        return _unpack(parts, np.concatenate(rows), size), None
    if kind not in PLANE_RULES and kind != "GEO":
        what, kinds = f"distances of type '{kind}' are unknown", (*PLANE_RULES, "GEO", "EXPLICIT")
        raise InputError.one(parts.path, what, f"choose from: {', '.join(kinds)}")
    points = parts.parse("NODE_COORD_SECTION", POINT_NUMBERS, "node, x and y")
    if len(points) != size:
        what = f"it has {len(points)} coordinates, and DIMENSION says {size}"
        raise InputError.one(parts.path, what, "correct DIMENSION, or give every node")
    xy = np.array([row[1:3] for row in points])
    found = _compute_geo(xy) if kind == "GEO" else PLANE_RULES[kind](compute_distances(xy))
    np.fill_diagonal(found, 0.0)
    return found, xy


def _round_pseudo(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """TSPLIB's ATT: a tenth of the squared distance, its root rounded up where that is nearer."""
    exact = np.sqrt(distances**2 / 10.0)
    rounded = np.floor(exact + 0.5)
    return np.asarray(rounded + (rounded < exact))


PLANE_RULES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "EUC_2D": lambda distances: np.floor(distances + 0.5),
    "CEIL_2D": np.ceil,
    "ATT": _round_pseudo,
}
"""How TSPLIB rounds straight-line distances, by their type."""


def _compute_geo(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) kilometres on the globe from degrees and minutes, as DDD.MM, by TSPLIB's rule."""
    degrees = np.trunc(xy)
    latitude, longitude = (PI * (degrees + 5.0 * (xy - degrees) / 3.0) / 180.0).T
    east = np.cos(longitude[:, None] - longitude)
    south = np.cos(latitude[:, None] - latitude)
    both = np.cos(latitude[:, None] + latitude)
    angle = np.arccos(np.clip(0.5 * ((1.0 + east) * south - (1.0 - east) * both), -1.0, 1.0))
    return np.asarray(np.trunc(EARTH_KILOMETRES * angle + 1.0))


def _unpack(parts: Sections, flat: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(n, n) from the numbers of a whole matrix or of half of one, row by row."""
    form = parts.get("EDGE_WEIGHT_FORMAT")
    offset = 0 if "DIAG" in form else 1
    if form == "FULL_MATRIX":
        rows, columns = np.indices((size, size)).reshape(2, -1)
    elif form in {"LOWER_ROW", "LOWER_DIAG_ROW"}:
        rows, columns = np.tril_indices(size, -offset)
    elif form in {"UPPER_ROW", "UPPER_DIAG_ROW"}:
        rows, columns = np.triu_indices(size, offset)
    else:
        what = f"a matrix of form '{form}' is unknown"
        raise InputError.one(parts.path, what, "give FULL_MATRIX, or a LOWER or UPPER one by rows")
    if len(flat) != len(rows):
        what = f"it has {len(flat)} distances, and {form} of {size} nodes needs {len(rows)}"
        raise InputError.one(parts.path, what, "give all of them")
    matrix = np.zeros((size, size))
    matrix[rows, columns] = flat
    if form != "FULL_MATRIX":
        matrix[columns, rows] = flat
    return matrix
