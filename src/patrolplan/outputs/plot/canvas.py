"""What all plots share: where they are drawn, their colours, and titles with the data's dates."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.risk.surface import Risk

STREET = "0.82"
ROUTE = "#0b3c8c"
"""Dark blue: the darkest line in grey as well."""
GATE = "#111111"
WATER = "#d6e6f2"
GREEN = "#e3ecd9"
SEQUENTIAL = "YlGnBu"
"""Holds for colour-blind readers and in grey; darker is more."""
DIVERGING = "PuOr"
"""Purple and orange: told apart by colour-blind readers; both ends are dark."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours for lines."""


def axes_or_new(axes: Axes | None, size: tuple[float, float] = (6.5, 4.2)) -> Axes:
    """The axes given, or those of a new figure, which a notebook shows at the end of the cell."""
    if axes is not None:
        return axes
    from matplotlib import pyplot as plt  # noqa: PLC0415 - picks a window system when imported

    new: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return new


def data_dates(risk: Risk) -> str:
    """The months that a surface rests on, in words."""
    first, last = risk.months
    return f"recorded {first:%B %Y} to {last:%B %Y}"


def draw_streets(
    axes: Axes,
    network: StreetNetwork,
    *,
    colour: str | None = STREET,
    width: float | NDArray[np.float64] = 0.6,
    zorder: float = 1.0,
    pieces: NDArray[np.int64] | None = None,
) -> LineCollection:
    """Draw pieces of street as lines, all by default; without a colour, values can be mapped."""
    lines = network.piece_lines if pieces is None else network.piece_lines[pieces]
    drawn = LineCollection(
        [np.asarray(line.coords) for line in lines],
        colors=colour,
        linewidths=width,
        zorder=zorder,
        capstyle="round",
    )
    axes.add_collection(drawn)
    return drawn


def draw_ground(axes: Axes, features: gpd.GeoDataFrame) -> None:
    """Fill water and parks, where the streets file has them."""
    for kind, colour in (("water", WATER), ("park", GREEN)):
        shapes = features[(features["kind"] == kind) & (features.geom_type != "Point")]
        if len(shapes):
            shapes.plot(ax=axes, color=colour, zorder=0, aspect=None)


def frame_map(axes: Axes, xy: NDArray[np.float64] | Sequence[float], *, margin: float) -> None:
    """Show these places and so many metres around them, with a scale bar and no degrees."""
    x, y = np.asarray(xy, dtype=np.float64).reshape(-1, 2).T
    axes.set_xlim(x.min() - margin, x.max() + margin)
    axes.set_ylim(y.min() - margin, y.max() + margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
    _scale_bar(axes)


def _scale_bar(axes: Axes) -> None:
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    metres = _round_length((right - left) / 4)
    x, y = left + 0.03 * (right - left), low + 0.03 * (high - low)
    axes.plot([x, x + metres], [y, y], color="black", linewidth=2, solid_capstyle="butt", zorder=9)
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"  # noqa: PLR2004
    axes.annotate(label, (x, y), xytext=(0, 4), textcoords="offset points", fontsize=8, zorder=9)


def _round_length(metres: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten that is not above `metres`.

    Examples
    --------
    >>> _round_length(730.0), _round_length(130.0)
    (500.0, 100.0)
    """
    power = 10.0 ** np.floor(np.log10(metres))
    return float(max(step for step in (1, 2, 5) if step * power <= metres) * power)
