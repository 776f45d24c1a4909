"""The signs of the patrol itself: gate, stops and base."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from patrolplan.outputs.card.lettering import Lettering
from patrolplan.outputs.card.lettering import write
from patrolplan.outputs.card.signs import cross_sign

STOP_RADIUS = 9.0
GATE_SIDE = 17.0
MARK_SIZE = 12.0
CROSS = "\N{MULTIPLICATION SIGN}"
"""The card's words mark places to keep away from with the same."""
MOVED = 3.0
"""A sign farther from its place than so many points gets a line that leads there."""


def draw_marks(
    axes: Axes, marks: NDArray[np.float64], true: NDArray[np.float64], names: Sequence[str]
) -> None:
    """Draw the signs of the patrol; a line leads to the place of one that had to move aside.

    Parameters
    ----------
    axes
        In points of the page.
    marks, true
        (n, 2) where the signs stand, and the places they stand for.
    names
        What stands in them: a stop's number in a black circle, "G" and "B" in white squares;
        `CROSS` is a place to keep away from.
    """
    for at, real, name in zip(marks, true, names, strict=True):
        if np.hypot(*(at - real)) > MOVED:
            axes.plot(*np.stack([at, real]).T, color="black", lw=1.2, zorder=7.0)
            axes.add_artist(Circle(tuple(real), 2.2, facecolor="black", zorder=7.0))
        if name == CROSS:
            cross_sign(axes, (float(at[0]), float(at[1])), level=10.9)
        else:
            _draw_mark(axes, at, name)


def _draw_mark(axes: Axes, at: NDArray[np.float64], mark: str) -> None:
    """Draw a stop as a black circle with its number, gate and base as white squares."""
    x, y = (float(value) for value in at)
    gate = mark in {"G", "B"}
    fill, ink = ("white", "black") if gate else ("black", "white")
    shape = (
        Rectangle((x - GATE_SIDE / 2, y - GATE_SIDE / 2), GATE_SIDE, GATE_SIDE)
        if gate
        else Circle((x, y), STOP_RADIUS)
    )
    shape.set(facecolor=fill, edgecolor=ink, linewidth=2.2 if gate else 1.4, zorder=11.0)
    axes.add_artist(shape)
    size = MARK_SIZE if len(mark) == 1 else MARK_SIZE - 2.0
    write(axes, mark, (x, y, 0.0), Lettering(size, bold=True, colour=ink, level=12.0))
