"""Maps for analysts: risk, hotspots, where the voices disagree, and a patrol on its streets.

What all plots share: where they are drawn, their colours, and titles with the data's dates.

The phone map inside a notebook: one page with everything in it, which asks no server.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import geopandas as gpd
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, TwoSlopeNorm
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.network import StreetNetwork
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.patrols.plan import Patrol, Plan, format_time
from patrolplan.risk.estimate import Risk
from patrolplan.text import format_count

STREET = "0.82"
ROUTE_COLOUR = "#0b3c8c"
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


def get_axes(axes: Axes | None, size: tuple[float, float] = (6.5, 4.2)) -> Axes:
    """The axes given, or those of a new figure, which a notebook shows at the end of the cell."""
    if axes is not None:
        return axes
    from matplotlib import pyplot as plt  # noqa: PLC0415 - picks a window system when imported

    new: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return new


def format_data_dates(risk: Risk) -> str:
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


def set_map_extent(axes: Axes, xy: NDArray[np.float64] | Sequence[float], *, margin: float) -> None:
    """Show these places and so many metres around them, with a scale bar and no degrees."""
    x, y = np.asarray(xy, dtype=np.float64).reshape(-1, 2).T
    axes.set_xlim(x.min() - margin, x.max() + margin)
    axes.set_ylim(y.min() - margin, y.max() + margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
    _draw_scale_bar(axes)


def _draw_scale_bar(axes: Axes) -> None:
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


MAP_SIZE = (6.5, 6.0)
MARGIN_METRES = 120.0
ROUTE_MARGIN_METRES = 250.0
MAX_NAMED_HOTSPOTS = 12
"""Hotspots that are named on the map: the ones of most risk."""

VOICES = {
    "joined": "both voices",
    "crime": "recorded crime",
    "reports": "pupils' reports",
}


def risk(area: StudyArea, risk: Risk, *, voice: str = "joined", axes: Axes | None = None) -> Axes:
    """Draw the risk of every street, the darker the more.

    The scale ends at the 99th percentile, so that one street does not blacken all others.

    Parameters
    ----------
    area, risk
        The streets and their risk.
    voice
        "joined", "crime" or "reports".
    axes
        Where to draw; a new figure by default.

    Raises
    ------
    InputError
        When there is no such voice.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> axes = pp.plot.risk(area, pp.estimate_risk(area), voice="crime")
    >>> axes.get_title(loc="left").splitlines()[0]
    'Eastmere (fictional): risk by recorded crime'
    """
    if voice not in VOICES:
        what = f"'{voice}' is no voice"
        raise _error(what, f"choose from: {', '.join(VOICES)}", "voice")
    axes = get_axes(axes, MAP_SIZE)
    network = area.network
    density = getattr(risk, voice) / network.piece_metres
    top = max(float(np.quantile(density, 0.99)), float(np.finfo(float).tiny))
    order = np.argsort(density, kind="stable")
    draw_ground(axes, area.features)
    drawn = draw_streets(axes, network, pieces=order, width=1.6, colour=None)
    drawn.set(array=density[order] / top, cmap=SEQUENTIAL, norm=Normalize(0, 1))
    axes.figure.colorbar(
        drawn, ax=axes, shrink=0.5, label="risk per metre, share of the 99th percentile"
    )
    _finish_map(axes, area, f"{area.name}: risk by {VOICES[voice]}", format_data_dates(risk))
    return axes


def hotspots(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, *, axes: Axes | None = None
) -> Axes:
    """Draw the stretches: solid where they stand out from chance, the top ones named.

    Parameters
    ----------
    area, risk, hotspots
        See `patrolplan.find_hotspots`.
    axes
        Where to draw; a new figure by default.
    """
    axes = get_axes(axes, MAP_SIZE)
    draw_ground(axes, area.features)
    draw_streets(axes, area.network)
    for sure, style, label in (
        (True, {"color": SERIES[1], "linewidth": 3.2}, "stands out from chance"),
        (False, {"color": SERIES[5], "linewidth": 2.2}, "could be chance"),
    ):
        some = hotspots[hotspots["stands_out"] == sure]
        if len(some):
            some.plot(ax=axes, zorder=3, aspect=None, label=f"{label} ({len(some)})", **style)
    for row in hotspots.head(MAX_NAMED_HOTSPOTS).itertuples():
        axes.annotate(
            row.hotspot,
            (row.stop.x, row.stop.y),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
            fontweight="bold",
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
    _finish_map(
        axes,
        area,
        f"{area.name}: {format_count(len(hotspots), 'hotspot')}",
        format_data_dates(risk),
    )
    axes.legend(loc="lower right", fontsize=8, frameon=True)
    return axes


def disagreement(area: StudyArea, risk: Risk, *, axes: Axes | None = None) -> Axes:
    """Draw where the voices disagree: feared but unrecorded, recorded but unfeared.

    Parameters
    ----------
    area, risk
        See `patrolplan.risk.estimate.Risk.disagreement`.
    axes
        Where to draw; a new figure by default.
    """
    axes = get_axes(axes, MAP_SIZE)
    draw_ground(axes, area.features)
    value = risk.disagreement
    order = np.argsort(np.abs(value), kind="stable")
    drawn = draw_streets(
        axes, area.network, pieces=order, width=0.5 + 2.2 * np.abs(value[order]), colour=None
    )
    drawn.set(array=value[order], cmap=DIVERGING, norm=TwoSlopeNorm(0.0, -1.0, 1.0))
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.5, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["recorded,\nunfeared", "agree", "feared,\nunrecorded"])
    silent = "" if risk.reports.any() else " (no group of reports: nothing to compare)"
    _finish_map(
        axes, area, f"{area.name}: where the voices disagree{silent}", format_data_dates(risk)
    )
    return axes


def route(plan: Plan, urn: str, *, number: int = 1, axes: Axes | None = None) -> Axes:
    """Draw one patrol on its streets, with numbered stops and their times.

    Parameters
    ----------
    plan
        Patrols.
    urn
        School of the patrol.
    number
        1 for the first officer at the school, 2 for the second...
    axes
        Where to draw; a new figure by default.

    Raises
    ------
    InputError
        When the plan has no such patrol.
    """
    patrol = _find_patrol(plan, urn, number)
    axes = get_axes(axes, MAP_SIZE)
    draw_ground(axes, plan.area.features)
    draw_streets(axes, plan.area.network)
    mine = plan.hotspots[plan.hotspots["hotspot"].isin([stop.hotspot for stop in patrol.stops])]
    if len(mine):
        mine.plot(ax=axes, color=SERIES[4], linewidth=7, alpha=0.5, zorder=2, aspect=None)
    for leg in patrol.legs:
        axes.plot(*leg.line.T, color=ROUTE_COLOUR, linewidth=2, zorder=3)
    axes.plot(patrol.x, patrol.y, marker="s", markersize=11, color=GATE, zorder=5)
    for count, stop in enumerate(patrol.stops, start=1):
        axes.plot(
            stop.x,
            stop.y,
            "o",
            markersize=14,
            color="white",
            markeredgecolor=ROUTE_COLOUR,
            zorder=5,
        )
        axes.annotate(str(count), (stop.x, stop.y), ha="center", va="center", fontsize=9, zorder=6)
    gate = np.array([[patrol.x, patrol.y]])
    shown = np.concatenate([gate, *(leg.line for leg in patrol.legs)])
    set_map_extent(axes, shown, margin=ROUTE_MARGIN_METRES)
    hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
    good = "best possible" if patrol.proven else f"within {patrol.gap_percent:.1f} % of the best"
    _set_title(
        axes,
        f"{patrol.school}, {hours}: {format_count(len(patrol.stops), 'stop')}, {good}",
        plan.risk,
    )
    return axes


def _find_patrol(plan: Plan, urn: str, number: int) -> Patrol:
    for patrol in plan.patrols:
        if (patrol.urn, patrol.number) == (urn, number):
            return patrol
    known = ", ".join(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    what = f"no patrol {number} of URN '{urn}' is in the plan"
    raise _error(what, f"choose from: {known}", "urn")


def _finish_map(axes: Axes, area: StudyArea, title: str, dates: str) -> None:
    set_map_extent(axes, area.network.node_xy, margin=MARGIN_METRES)
    axes.set_title(f"{title}\n{dates}", loc="left", fontsize=10)


def _set_title(axes: Axes, title: str, risk: Risk) -> None:
    axes.set_title(f"{title}\n{format_data_dates(risk)}", loc="left", fontsize=10)


def _error(what: str, remedy: str, place: str) -> InputError:
    return InputError.one("plot", what, remedy, place)


@dataclass(frozen=True)
class OfflineMap:
    """A page that a notebook shows in a frame of its own; `save` writes it as a file.

    Parameters
    ----------
    html
        The whole page.
    height
        Of the frame, in pixels.
    """

    html: str
    height: int = 560

    def __repr__(self) -> str:
        return f"<OfflineMap: {len(self.html) / 1e6:.1f} MB; save('map.html') writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Map of the patrols" srcdoc="{escape(self.html)}" '
            f'style="width:100%;height:{self.height}px;border:1px solid #999"></iframe>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page as a file that opens in any browser."""
        path = Path(path)
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path


def web_map(plan: Plan, *, height: int = 560) -> OfflineMap:
    """The plan's map for a notebook: patrols, hotspots and both voices, with no network.

    Parameters
    ----------
    plan
        Patrols, hotspots and risk.
    height
        Of the frame, in pixels.
    """
    return OfflineMap(render_map(plan).decode("utf-8"), height)
