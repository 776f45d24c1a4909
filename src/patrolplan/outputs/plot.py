"""Plots for analysts: each draws on `axes`, by default of a new figure, and returns them.

Colours suit colour-blind readers and grey prints. Without `tiles`, `explore` requests nothing.
"""

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.patches import Patch
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.crs import DEGREES
from patrolplan.errors import InputError
from patrolplan.outputs.cartography.basemap import PARK, ROUTE_COLOUR, WATER
from patrolplan.outputs.cartography.viewport import choose_scale_bar_metres
from patrolplan.outputs.frames import frame_hotspots, frame_legs, frame_stops, get_plan
from patrolplan.outputs.webmap.map_page import read_leaflet_script, read_leaflet_style
from patrolplan.outputs.wording import describe_worth, format_data_months
from patrolplan.patrols.patrol_state import find_patrol_state
from patrolplan.patrols.plan import Plan
from patrolplan.risk.backtest import Backtest
from patrolplan.risk.priority import SHOWN_CLASSES
from patrolplan.risk.surface import Risk
from patrolplan.team.impact import Impact
from patrolplan.team.not_met import list_missing
from patrolplan.team.stays import group_stays
from patrolplan.team.week import Week
from patrolplan.text import format_count
from patrolplan.times import format_time

if TYPE_CHECKING:
    import folium

__all__ = ["coverage", "disagreement", "doses", "hotspots", "impact", "months"]
__all__ += ["risk", "route", "shares"]

SEQUENTIAL = "YlGnBu"  # Suits colour-blind readers and grey prints; darker is more
DIVERGING = "PuOr"  # Purple and orange, for colour-blind readers; both ends are dark
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours for lines."""
MARGIN_METRES, ROUTE_MARGIN_METRES = 120.0, 250.0
MAX_NAMED_HOTSPOTS = 12  # Maximum of hotspots named on the map: those with most risk
MAX_ROWS = 30  # Maximum number of hotspots in a calendar: those with the largest dose
WHITE_TEXT_SHARE = 0.55  # Share of the scale above which numbers are written in white
VOICES = {"joined": "both voices", "crime": "recorded crime", "reports": "pupils' reports"}


def _get_axes(
    axes: Axes | None, title: str, size: tuple[float, float] = (6.5, 4.2), pad: float | None = None
) -> Axes:
    """The axes given, or those of a new figure, with their title flush with the left edge."""
    if axes is None:
        from matplotlib import pyplot as plt  # noqa: PLC0415 - picks a window system when imported

        axes = plt.subplots(figsize=size, layout="constrained")[1]
    axes.set_title(title, loc="left", fontsize=10, pad=pad)
    return axes


def _draw_map(
    area: StudyArea,
    axes: Axes | None,
    title: str,
    values: NDArray[np.float64] | None = None,
    width: NDArray[np.float64] | float = 0.6,
    **style: Any,  # noqa: ANN401 - of geopandas
) -> Axes:
    """Draw water, parks and streets: grey, or by their (n,) values, the largest on top."""
    axes = _get_axes(axes, title, (6.5, 6.0))
    for kind, colour in (("water", WATER), ("park", PARK)):
        shapes = area.features[area.features["kind"] == kind]
        shapes = shapes[shapes.geom_type != "Point"]
        if len(shapes):
            shapes.plot(ax=axes, color=colour, zorder=0, aspect=None)
    streets = gpd.GeoDataFrame(geometry=area.network.piece_lines).assign(width=width)
    if values is None:
        style = {"color": "0.82"}
    else:
        streets = streets.assign(value=values).iloc[np.argsort(np.abs(values), kind="stable")]
        style |= {"column": "value", "legend": True}
    streets.plot(ax=axes, linewidth=streets["width"], capstyle="round", aspect=None, **style)
    _set_extent(axes, area.network.node_xy, margin=MARGIN_METRES)
    return axes


def _set_extent(axes: Axes, xy: NDArray[np.float64], *, margin: float) -> None:
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


def _write_title(area: StudyArea, title: str, risk: Risk) -> str:
    return f"{area.name}: {title}\n{format_data_months(risk)}"


def risk(area: StudyArea, risk: Risk, *, voice: str = "joined", axes: Axes | None = None) -> Axes:
    """Draw the risk of every street; darker is more.

    The scale ends at the 99th percentile, so that one extreme street does not hide differences.

    Parameters
    ----------
    voice
        "joined", "crime" or "reports".
    """
    if voice not in VOICES:
        where, what = "plot", f"unknown voice '{voice}'"
        raise InputError.one(where, what, f"choose from: {', '.join(VOICES)}", "voice")
    values = risk.without_exposure if voice == "joined" else getattr(risk, voice)
    density = values / area.network.piece_metres
    top = max(float(np.quantile(density, 0.99)), float(np.finfo(float).tiny))
    bar = {"shrink": 0.5, "label": "risk per metre, share of the 99th percentile"}
    scale = {"cmap": SEQUENTIAL, "norm": Normalize(0, 1), "legend_kwds": bar}
    title = _write_title(area, f"risk by {VOICES[voice]}", risk)
    return _draw_map(area, axes, title, density / top, 1.6, **scale)


def hotspots(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, *, axes: Axes | None = None
) -> Axes:
    """Draw the stretches by whether they have more than by chance, with names of the top ones."""
    title = _write_title(area, format_count(len(hotspots), "hotspot"), risk)
    axes = _draw_map(area, axes, title)
    for sure, colour, width, label in (
        (True, SERIES[1], 3.2, "more than chance would give"),
        (False, SERIES[5], 2.2, "could be chance"),
    ):
        some = hotspots[hotspots["stands_out"] == sure]
        if len(some):
            text = f"{label} ({len(some)})"
            some.plot(ax=axes, zorder=3, aspect=None, color=colour, linewidth=width, label=text)
    plate = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    style: dict[str, Any] = {"fontsize": 8, "fontweight": "bold", "zorder": 5, "bbox": plate}
    for row in hotspots.head(MAX_NAMED_HOTSPOTS).itertuples():
        place = row.stop_x, row.stop_y
        axes.annotate(row.hotspot, place, xytext=(4, 4), textcoords="offset points", **style)
    axes.legend(loc="lower right", fontsize=8, frameon=True)
    return axes


def disagreement(area: StudyArea, risk: Risk, *, axes: Axes | None = None) -> Axes:
    """Draw where the voices disagree: feared but unrecorded, recorded but unfeared.

    See `patrolplan.risk.surface.Risk.disagreement`.
    """
    value = risk.disagreement
    bar = {"shrink": 0.5, "ticks": [-1, 0, 1]}
    scale = {"cmap": DIVERGING, "norm": TwoSlopeNorm(0.0, -1.0, 1.0), "legend_kwds": bar}
    silent = "" if risk.reports.any() else " (no group of reports to compare with)"
    title = _write_title(area, f"where the voices disagree{silent}", risk)
    axes = _draw_map(area, axes, title, value, 0.5 + 2.2 * np.abs(value), **scale)
    labels = ["recorded,\nnot feared", "agree", "feared,\nnot recorded"]
    axes.figure.axes[-1].set_yticklabels(labels)
    return axes


def route(plan: Plan, urn: str, *, axes: Axes | None = None) -> Axes:
    """Draw the patrol of a school's first officer, with numbered stops and times.

    Raises
    ------
    InputError
        When the plan has no patrol of the school.
    """
    found = [patrol for patrol in plan.patrols if patrol.urn == urn]
    if not found:
        urns = ", ".join(dict.fromkeys(patrol.urn for patrol in plan.patrols))
        where, what = "plot", f"the plan has no patrol for URN '{urn}'"
        raise InputError.one(where, what, f"choose from: {urns}", "urn")
    patrol = found[0]
    hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
    head = f"{patrol.school}, {hours}: {format_count(len(patrol.stops), 'stop')}"
    worth = describe_worth(find_patrol_state(plan, patrol)).rstrip(".")
    lines = (head, worth, format_data_months(plan.risk))
    axes = _draw_map(plan.area, axes, "\n".join(lines))
    covered = plan.hotspots[plan.hotspots["hotspot"].isin(patrol.covered)]
    if len(covered):
        covered.plot(ax=axes, aspect=None, color=SERIES[4], linewidth=7, alpha=0.5, zorder=2)
    for leg in patrol.legs:
        axes.plot(*leg.line.T, color=ROUTE_COLOUR, linewidth=2, zorder=3)
    axes.plot(patrol.x, patrol.y, marker="s", markersize=11, color="#111111", zorder=5)
    circle: dict[str, Any] = {"markersize": 14, "color": "white", "zorder": 5}
    for count, stop in enumerate(patrol.stops, start=1):
        axes.plot(stop.x, stop.y, "o", markeredgecolor=ROUTE_COLOUR, **circle)
        axes.annotate(str(count), (stop.x, stop.y), ha="center", va="center", fontsize=9, zorder=6)
    shown = np.concatenate([np.array([patrol.point]), *(leg.line for leg in patrol.legs)])
    _set_extent(axes, shown, margin=ROUTE_MARGIN_METRES)
    return axes


def coverage(backtest: Backtest, category: str = "all", *, axes: Axes | None = None) -> Axes:
    """Draw how much crime the streets with most risk captured, by their share of street length.

    The line is the chosen model on hold-out months, the band its 95 % interval over months; the
    dashed line is the prior count; the grey band is the 95 % interval, by chance alone, of a model
    that knew the true rates.

    Parameters
    ----------
    category
        One of its categories, or "all".

    Raises
    ------
    KeyError
        When the back-test has no such category.
    """
    results = backtest.results.sort_values("coverage")
    here = results[results["category"] == category]
    curve, prior = here[here["chosen"]], here[here["model"] == "prior"]
    if curve.empty:
        names = ", ".join(backtest.categories)
        message = f"this back-test has no category '{category}'; choose from: {names}"
        raise KeyError(message)
    months = backtest.origins
    title = f"{category}, months {months[0]:%B %Y} to {months[-1]:%B %Y}"
    axes, share = _get_axes(axes, title), 100 * curve["coverage"]
    captured = share.to_numpy()[:, None] * curve.select_dtypes("number")
    reference = captured["reference_low"], captured["reference_high"]
    label = "if the true rates were known (95 % range of chance)"
    axes.fill_between(share, *reference, color="0.85", label=label)
    axes.fill_between(share, captured["pai_low"], captured["pai_high"], color=SERIES[0], alpha=0.3)
    label = "chosen model (95 % interval)"
    axes.plot(share, captured["pai"], color=SERIES[0], marker="o", label=label)
    label = "prior count of twelve months"
    axes.plot(share, share.to_numpy() * prior["pai"].to_numpy(), "k--", label=label)
    captured_label = "crime captured in the following month, %"
    axes.set(xlabel="streets with most risk, % of street length", ylabel=captured_label)
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.legend(loc="lower right", frameon=False)
    return axes


def months(area: StudyArea, *, axes: Axes | None = None) -> Axes:
    """Draw incidents by month: those that count for the risk, and those that do not.

    A month that is missing is a gap.
    """
    counted = area.incidents["category"].isin(area.settings.crimes.risk_categories)
    table = pd.crosstab(area.incidents["month"], counted)
    table = table.reindex(columns=[True, False], fill_value=0)
    table = table.reindex(pd.date_range(table.index[0], table.index[-1], freq="MS"))
    title = f"{area.name}: recorded {table.index[0]:%B %Y} to {table.index[-1]:%B %Y}"
    axes, at = _get_axes(axes, title, pad=24), range(len(table))
    axes.bar(at, table[True], color=SERIES[0], label="counted in the risk")
    axes.bar(at, table[False], bottom=table[True], color="0.75", label="not counted")
    every = max(1, len(table) // 8)
    axes.set_xticks(at[::every], [f"{month:%b %Y}" for month in table.index[::every]], fontsize=8)
    axes.set(ylabel="incidents", ylim=(0, None))
    # Above the bars, which fill the axes: a legend over them would not be legible.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, frameon=False)
    return axes


def doses(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw the minutes of presence that a week promises, by hotspot in view and day."""
    places = week.plan.hotspots.set_index("hotspot")["place"]
    rows = [
        (f"{name}  {places[name]}", stay.date, stay.minutes)
        for name, stays in group_stays(week.stays).items()
        for stay in stays
        if name in places.index
    ]
    minutes = pd.DataFrame(rows, columns=["hotspot", "date", "minutes"])
    table = minutes.pivot_table(index="hotspot", columns="date", values="minutes", aggfunc="sum")
    table = table.reindex(columns=list(week.days)).fillna(0.0).astype(float)
    order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    shown = table.loc[order].head(MAX_ROWS)
    more = f", the first {len(shown)} of {len(table)} hotspots" if len(table) > len(shown) else ""
    title = f"Week from {week.start:%d %B %Y}: minutes promised{more}"
    axes = _get_axes(axes, title, (6.5, 1.2 + 0.22 * len(shown)))
    values = shown.to_numpy(dtype=np.float64)
    top = float(values.max(initial=1.0))
    drawn = np.where(values > 0, values, np.nan)
    axes.imshow(drawn, cmap=SEQUENTIAL, vmin=0, vmax=1.2 * top, aspect="auto")
    for row, column in np.argwhere(values > 0):
        value = float(values[row, column])
        colour = "white" if value > WHITE_TEXT_SHARE * top else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(week.days)), [f"{day:%a} {day.day}" for day in week.days])
    axes.set_yticks(range(len(shown)), shown.index, fontsize=8)
    return axes


def shares(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw how many patrols each school gets; those below its minimum are hatched."""
    first = [duty for duty in week.duties if duty.patrol.number == 1]
    counts = pd.Series([duty.urn for duty in first], dtype=str).value_counts()
    counts = counts.reindex(
        sorted({*counts.index, *(row.urn for row in week.unmet if row.urn)}), fill_value=0
    )
    short = {row.urn for row in list_missing(week.unmet, "minimum")}
    title = f"Week from {week.start:%d %B %Y}: patrols by school"
    axes = _get_axes(axes, title, (6.5, 1.2 + 0.22 * max(1, len(counts))))
    colours = [SERIES[1] if urn in short else SERIES[0] for urn in counts.index]
    hatches = ["//" if urn in short else "" for urn in counts.index]
    axes.barh(counts.index, counts, color=colours, hatch=hatches)
    axes.invert_yaxis()
    axes.set(xlabel="patrols in the week", xlim=(0, len(week.days)))
    if short:
        axes.legend(handles=[Patch(facecolor=SERIES[1], hatch="//", label="below its minimum")])
    return axes


def impact(impact: Impact, *, axes: Axes | None = None) -> Axes:
    """Draw incidents as expected from the months before, and as recorded, by group of streets."""
    axes = _get_axes(axes, impact.summary)
    at = np.arange(len(impact.counts))
    axes.bar(at - 0.2, impact.counts["expected"], 0.38, color="0.7", label="expected, as before")
    axes.bar(at + 0.2, impact.counts["after"], 0.38, color=SERIES[0], label="recorded after")
    axes.set_xticks(at, [name.replace(" ", "\n") for name in impact.counts.index])
    axes.set(ylabel=f"incidents in {impact.months[1]} months", ylim=(0, None))
    axes.legend(frameon=False)
    return axes


FACTS = {
    "Streets": (),
    "Streets with most risk": ("name", "metres", "risk"),
    "Priority streets": ("hotspot", "place", "worth", "reasons", "how_sure"),
    "Legs": ("date", "officer", "urn", "leg", "metres", "minutes", "streets"),
    "Stops": ("date", "officer", "urn", "stop", "hotspot", "arrive", "leave", "place", "why"),
    "Schools": ("urn", "name", "finish_time"),
}  # Columns that are shown for each layer, if it has them


def explore(plan: Plan | Week, *, tiles: str | None = None) -> "folium.Map":
    """Draw a plan or week as a map to explore.

    Parameters
    ----------
    plan
        Streets with most risk, priority streets, legs, stops and schools become layers.
    tiles
        Map images in the background, as for `folium.TileLayer`; the browser then requests those of
        the area from that server. By default there are none.

    Returns
    -------
    folium.Map
        The map; texts from data are escaped.
    """
    import folium  # noqa: PLC0415 - heavy, as the next
    from branca.element import Element  # noqa: PLC0415

    whole = get_plan(plan)
    streets = whole.risk.frame(whole.area.network)
    most = streets[streets["risk_class"] >= SHOWN_CLASSES[-1].level]
    hotspots = frame_hotspots(whole.area, whole.risk, whole.hotspots)
    layers = {
        "Streets": (streets.dissolve(), {"color": "#b0b0b0", "weight": 1}),
        "Streets with most risk": (most, {"color": "#6a3d9a"}),
        "Priority streets": (hotspots, {"color": "#e69f00", "weight": 9, "opacity": 0.6}),
        "Legs": (frame_legs(plan), {"color": "#0072b2"}),
        "Stops": (frame_stops(plan), {"color": "#0072b2", "radius": 8}),
        "Schools": (whole.area.schools, {"color": "#000000", "radius": 6}),
    }
    host = escape(urlsplit(tiles).netloc.removeprefix("{s}.")) if tiles else None
    chart = folium.Map(tiles=tiles, attr=host, prefer_canvas=True, control_scale=True)
    # Leaflet is in the page itself, in place of links to servers. The page is a template, too: its
    # own syntax is escaped.
    chart.default_js, chart.default_css = [], []
    for kind, text in (("style", read_leaflet_style()), ("script", read_leaflet_script())):
        words = f"{{% raw %}}<{kind}>{text}</{kind}>{{% endraw %}}"
        chart.get_root().header.add_child(Element(words))
    for name, (frame, style) in layers.items():
        if len(frame):
            shown = [column for column in FACTS[name] if column in frame]
            table = frame[[*shown, "geometry"]].to_crs(DEGREES)
            table = table[~table.geometry.is_empty]
            table = table.set_geometry(table.geometry.set_precision(1e-6))  # a small page: 0.1 m
            table = table.assign(**{one: table[one].map(_write_fact) for one in shown})
            table.explore(m=chart, name=name, tooltip=shown or False, style_kwds=style)
    folium.LayerControl(collapsed=False).add_to(chart)
    west, south, east, north = whole.area.schools.to_crs(DEGREES).total_bounds.tolist()
    chart.fit_bounds([[south, west], [north, east]])
    return chart


def _write_fact(value: object) -> str:
    """A number rounded, or a text escaped, with its braces: folium treats layers as templates."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(str(value)).replace("{", "&#123;").replace("}", "&#125;")
