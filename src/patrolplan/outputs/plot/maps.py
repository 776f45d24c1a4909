"""Maps for analysts: risk, hotspots, where the voices disagree, and a patrol on its streets.

Also what all plots share (axes, colours, titles), and the phone map inside a notebook.
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
from patrolplan.outputs.cartography.basemap import PARK, ROUTE_COLOUR, WATER
from patrolplan.outputs.cartography.viewport import choose_scale_bar_metres
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.outputs.wording import describe_reference, format_data_months
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.risk.surface import Risk
from patrolplan.text import format_count
from patrolplan.times import format_time

STREET = "0.82"
GATE = "#111111"
SEQUENTIAL = "YlGnBu"
"""Suits colour-blind readers and grey prints; darker is more."""
DIVERGING = "PuOr"
"""Purple and orange, which colour-blind readers can distinguish; both ends are dark."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours for lines."""
MAP_SIZE = (6.5, 6.0)
MARGIN_METRES = 120.0
ROUTE_MARGIN_METRES = 250.0
MAX_NAMED_HOTSPOTS = 12
"""Maximum number of hotspots that are named on the map: those with most risk."""
PROBLEM_SOURCE = "plot"
"""Name in errors in place of a file."""
VOICES = {"joined": "both voices", "crime": "recorded crime", "reports": "pupils' reports"}


def get_axes(axes: Axes | None, size: tuple[float, float] = (6.5, 4.2)) -> Axes:
    """The axes given, or those of a new figure, which a notebook shows at the end of the cell."""
    if axes is not None:
        return axes
    from matplotlib import pyplot as plt  # noqa: PLC0415 - picks a window system when imported

    new: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return new


def set_title(axes: Axes, *lines: str) -> None:
    """Write the title, flush with the left edge of the plot."""
    axes.set_title("\n".join(lines), loc="left", fontsize=10)


def _draw_ground(axes: Axes | None, features: gpd.GeoDataFrame) -> Axes:
    """Fill water and parks, if the streets file has them; on a new map if no axes are given."""
    axes = get_axes(axes, MAP_SIZE)
    for kind, colour in (("water", WATER), ("park", PARK)):
        shapes = features[(features["kind"] == kind) & (features.geom_type != "Point")]
        if len(shapes):
            shapes.plot(ax=axes, color=colour, zorder=0, aspect=None)
    return axes


def _draw_streets(
    axes: Axes,
    network: StreetNetwork,
    *,
    values: NDArray[np.float64] | None = None,
    width: float | NDArray[np.float64] = 0.6,
) -> LineCollection:
    """Draw pieces of street, in grey or by their (n,) values, the largest magnitudes on top."""
    order = slice(None) if values is None else np.argsort(np.abs(values), kind="stable")
    streets = LineCollection(
        [np.asarray(line.coords) for line in network.piece_lines[order]],
        colors=STREET if values is None else None,
        linewidths=width if isinstance(width, float) else width[order],
        zorder=1.0,
        capstyle="round",
    )
    if values is not None:
        streets.set_array(values[order])
    axes.add_collection(streets)
    return streets


def _set_extent(axes: Axes, xy: NDArray[np.float64] | Sequence[float], *, margin: float) -> None:
    """Show these places with a margin in metres, and a scale bar instead of coordinates."""
    x, y = np.asarray(xy, dtype=np.float64).reshape(-1, 2).T
    left, right = x.min() - margin, x.max() + margin
    low, high = y.min() - margin, y.max() + margin
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    axes.set_axis_off()
    metres = choose_scale_bar_metres(1.0, (right - left) / 4)
    x, y = left + 0.03 * (right - left), low + 0.03 * (high - low)
    axes.plot([x, x + metres], [y, y], color="black", linewidth=2, solid_capstyle="butt", zorder=9)
    label = axes.annotate(f"{metres} m", (x, y), xytext=(0, 4), textcoords="offset points")
    label.set(fontsize=8, zorder=9)


def _finish_map(axes: Axes, area: StudyArea, title: str, risk: Risk) -> None:
    _set_extent(axes, area.network.node_xy, margin=MARGIN_METRES)
    set_title(axes, f"{area.name}: {title}", format_data_months(risk))


def risk(area: StudyArea, risk: Risk, *, voice: str = "joined", axes: Axes | None = None) -> Axes:
    """Draw the risk of every street; darker is more.

    The scale ends at the 99th percentile, so that one extreme street does not hide differences.

    Parameters
    ----------
    voice
        "joined", "crime" or "reports".

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
        problem = f"unknown voice '{voice}'"
        raise InputError.one(PROBLEM_SOURCE, problem, f"choose from: {', '.join(VOICES)}", "voice")
    values = risk.without_exposure if voice == "joined" else getattr(risk, voice)
    density = values / area.network.piece_metres
    top = max(float(np.quantile(density, 0.99)), float(np.finfo(float).tiny))
    axes = _draw_ground(axes, area.features)
    streets = _draw_streets(axes, area.network, values=density / top, width=1.6)
    streets.set(cmap=SEQUENTIAL, norm=Normalize(0, 1))
    label = "risk per metre, share of the 99th percentile"
    axes.figure.colorbar(streets, ax=axes, shrink=0.5, label=label)
    _finish_map(axes, area, f"risk by {VOICES[voice]}", risk)
    return axes


def hotspots(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, *, axes: Axes | None = None
) -> Axes:
    """Draw the stretches by whether they have more than by chance, with names of the top ones."""
    axes = _draw_ground(axes, area.features)
    _draw_streets(axes, area.network)
    for sure, colour, width, label in (
        (True, SERIES[1], 3.2, "more than chance would give"),
        (False, SERIES[5], 2.2, "could be chance"),
    ):
        some = hotspots[hotspots["stands_out"] == sure]
        if len(some):
            text = f"{label} ({len(some)})"
            some.plot(ax=axes, zorder=3, aspect=None, color=colour, linewidth=width, label=text)
    for row in hotspots.head(MAX_NAMED_HOTSPOTS).itertuples():
        axes.annotate(
            row.hotspot,
            (row.stop_x, row.stop_y),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
            fontweight="bold",
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
    _finish_map(axes, area, format_count(len(hotspots), "hotspot"), risk)
    axes.legend(loc="lower right", fontsize=8, frameon=True)
    return axes


def disagreement(area: StudyArea, risk: Risk, *, axes: Axes | None = None) -> Axes:
    """Draw where the voices disagree: feared but unrecorded, recorded but unfeared.

    See `patrolplan.risk.surface.Risk.disagreement`.
    """
    axes = _draw_ground(axes, area.features)
    value = risk.disagreement
    streets = _draw_streets(axes, area.network, values=value, width=0.5 + 2.2 * np.abs(value))
    streets.set(cmap=DIVERGING, norm=TwoSlopeNorm(0.0, -1.0, 1.0))
    bar = axes.figure.colorbar(streets, ax=axes, shrink=0.5, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["recorded,\nnot feared", "agree", "feared,\nnot recorded"])
    silent = "" if risk.reports.any() else " (no group of reports to compare with)"
    _finish_map(axes, area, f"where the voices disagree{silent}", risk)
    return axes


def route(plan: Plan, urn: str, *, axes: Axes | None = None) -> Axes:
    """Draw the patrol of a school's first officer, with numbered stops and times.

    Raises
    ------
    InputError
        When the plan has no patrol of the school.
    """
    patrol = _find_patrol(plan, urn)
    axes = _draw_ground(axes, plan.area.features)
    _draw_streets(axes, plan.area.network)
    stretches = plan.hotspots["hotspot"].isin(patrol.covered)
    if stretches.any():
        style = {"color": SERIES[4], "linewidth": 7, "alpha": 0.5, "zorder": 2}
        plan.hotspots[stretches].plot(ax=axes, aspect=None, **style)
    for leg in patrol.legs:
        axes.plot(*leg.line.T, color=ROUTE_COLOUR, linewidth=2, zorder=3)
    axes.plot(patrol.x, patrol.y, marker="s", markersize=11, color=GATE, zorder=5)
    for count, stop in enumerate(patrol.stops, start=1):
        [circle] = axes.plot(stop.x, stop.y, "o", markersize=14, color="white", zorder=5)
        circle.set_markeredgecolor(ROUTE_COLOUR)
        axes.annotate(str(count), (stop.x, stop.y), ha="center", va="center", fontsize=9, zorder=6)
    gate = np.array([[patrol.x, patrol.y]])
    shown = np.concatenate([gate, *(leg.line for leg in patrol.legs)])
    _set_extent(axes, shown, margin=ROUTE_MARGIN_METRES)
    hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
    stops = format_count(len(patrol.stops), "stop")
    set_title(
        axes,
        f"{patrol.school}, {hours}: {stops}",
        describe_reference(patrol).rstrip("."),
        format_data_months(plan.risk),
    )
    return axes


def _find_patrol(plan: Plan, urn: str) -> Patrol:
    for patrol in plan.patrols:
        if patrol.urn == urn:
            return patrol
    urns = ", ".join(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    problem = f"the plan has no patrol for URN '{urn}'"
    raise InputError.one(PROBLEM_SOURCE, problem, f"choose from: {urns}", "urn")


@dataclass(frozen=True)
class OfflineMap:
    """A page that a notebook shows in a frame; `save` writes it as a file."""

    html: str

    def __repr__(self) -> str:
        return f"<OfflineMap: {len(self.html) / 1e6:.1f} MB; save('map.html') writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Map of the patrols" srcdoc="{escape(self.html)}" '
            f'style="width:100%;height:560px;border:1px solid #999"></iframe>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page as a file that opens in any browser."""
        path = Path(path)
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path


def web_map(plan: Plan) -> OfflineMap:
    """The plan's map for a notebook: patrols, hotspots and both voices, without a network."""
    return OfflineMap(render_map(plan).decode("utf-8"))
