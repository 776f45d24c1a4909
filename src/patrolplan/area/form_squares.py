"""The lettered squares around a school on a paper form, taken from the fixed grid."""

import string
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.area.square_names import name_squares
from patrolplan.area.study_area import StudyArea, find_school
from patrolplan.crs import find_squares, locate_in_squares, number_squares

MAX_ACROSS, MAX_DOWN = 9, 11
"""Maximum squares of a form: with the gate's in the middle it shows at least 1,000 m to each side
and 1,250 m up and down, and a square is 18 mm wide on A4."""


@dataclass(frozen=True)
class FormCell:
    """A square of the form that has streets, so that it has a label and can be chosen."""

    across: int
    down: int  # Squares from the left and from the top of the form
    square: tuple[int, int, int]  # See `patrolplan.crs.find_squares`
    streets: tuple[str, ...]  # See `patrolplan.area.square_names.name_squares`

    @property
    def letter(self) -> str:
        """Its letter."""
        return string.ascii_uppercase[self.across]

    @property
    def label(self) -> str:
        """Letter and number, such as "C4"."""
        return f"{self.letter}{self.down + 1}"


@dataclass(frozen=True, eq=False)
class FormGrid:
    """The square of the fixed grid, in `code`, for each letter and number; numbers go down."""

    code: int
    first_column: int
    first_row: int
    across: int
    down: int
    cells: tuple[FormCell, ...]

    @property
    def letters(self) -> str:
        """Letters across."""
        return string.ascii_uppercase[: self.across]

    def locate_corners(self, crs: str) -> NDArray[np.float64]:
        """(down + 1, across + 1, 2) corners of all squares in `crs`, from the top left one."""
        columns = self.first_column + np.arange(self.across + 1)
        rows = self.first_row + 1 - np.arange(self.down + 1)
        codes = np.full((len(rows), len(columns)), self.code)
        squares = np.stack([codes, *np.meshgrid(columns, rows)], axis=2)
        corners = locate_in_squares(squares.reshape(-1, 3), 0.0, 0.0, crs)
        return corners.reshape(len(rows), len(columns), 2)


def build_form_grid(area: StudyArea, urn: str) -> FormGrid:
    """The squares around a school's gate, moved towards the streets where the area ends nearby."""
    gate = area.gates.take([find_school(area, urn)])
    crs, network = area.projection.crs, area.network
    [home] = find_squares(network.xy(gate), crs)
    squares, _ = number_squares(find_squares(network.piece_middle, crs))
    squares = squares[squares[:, 0] == home[0]]
    west, across = _choose_window(home[1], squares[:, 1], MAX_ACROSS)
    south, down = _choose_window(home[2], squares[:, 2], MAX_DOWN)
    first_row = south + down - 1
    across_of, down_of = squares[:, 1] - west, first_row - squares[:, 2]
    inside = (across_of >= 0) & (across_of < across) & (down_of >= 0) & (down_of < down)
    inside = np.flatnonzero(inside)
    inside = inside[np.lexsort((across_of[inside], down_of[inside]))]
    names = name_squares(network, squares[inside])
    cells = tuple(
        FormCell(int(across_of[row]), int(down_of[row]), tuple(squares[row].tolist()), streets)
        for row, streets in zip(inside, names, strict=True)
    )
    return FormGrid(int(home[0]), west, first_row, across, down, cells)


def _choose_window(home: int, used: NDArray[np.int64], most: int) -> tuple[int, int]:
    """First number and count of at most `most` squares in a row, with `home` among them."""
    # In the middle, unless squares with streets end on one side: then more of the other is shown.
    held = np.append(used, home)
    low, high = int(held.min()), int(held.max())
    count = min(most, high - low + 1)
    return min(max(int(home) - count // 2, low), high - count + 1), count
