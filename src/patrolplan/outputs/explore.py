"""A plan or week as a folium map for analysts to extend: layers to switch, facts on hovering.

It is an ordinary `folium.Map`, to which layers can be added. Leaflet is embedded in it, and without
`tiles` it requests nothing, so that no server learns where officers will be. The officer's map is a
different one, see `patrolplan.outputs.webmap`.
"""

from html import escape
from urllib.parse import urlsplit

import folium
import geopandas as gpd
import shapely
from branca.element import Element

from patrolplan.crs import DEGREES
from patrolplan.outputs.frames import frame_hotspots, frame_legs, frame_stops, get_plan
from patrolplan.outputs.webmap.map_page import read_leaflet_script, read_leaflet_style
from patrolplan.patrols.plan import Plan
from patrolplan.team.week import Week

STREETS_SHOWN = 0.1
"""Share of the pieces of street that are drawn: those with most risk per metre."""

DEGREES_STEP = 1e-6
"""About 0.1 m: finer coordinates would make the page larger without benefit."""

GROUND_STYLE = {"color": "#b0b0b0", "weight": 1, "opacity": 1.0, "interactive": False}
RISK_STYLE = {"color": "#6a3d9a", "weight": 3, "opacity": 0.9}
HOTSPOT_STYLE = {"color": "#e69f00", "weight": 9, "opacity": 0.6}
LEG_STYLE = {"color": "#0072b2", "weight": 3, "opacity": 0.9}
STOP_STYLE = {"color": "#000000", "weight": 1, "fillColor": "#0072b2", "fillOpacity": 0.9}
SCHOOL_STYLE = {"color": "#000000", "weight": 1, "fillColor": "#ffffff", "fillOpacity": 1.0}

SHOWN_DIGITS = 4
"""Significant digits of numbers in the facts."""

FACTS = {
    "Priority streets": ("name", "metres", "risk"),
    "Hotspots": ("hotspot", "place", "worth", "reasons", "how_sure"),
    "Legs": ("date", "officer", "urn", "leg", "metres", "minutes", "streets"),
    "Stops": ("date", "officer", "urn", "stop", "hotspot", "arrive", "leave", "place", "why"),
    "Schools": ("urn", "name", "finish_time"),
}
"""Columns that are shown for each layer, if it has them."""


def explore(plan: Plan | Week, *, tiles: str | None = None) -> folium.Map:
    """Draw a plan or week as a map to explore.

    Parameters
    ----------
    plan
        Its priority streets, hotspots, legs, stops and schools become layers.
    tiles
        Map images in the background, as for `folium.TileLayer`; the browser then requests those of
        the area from that server. By default there are none.

    Returns
    -------
    folium.Map
        The map; texts from data are escaped.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> hotspots = pp.find_hotspots(area, risk)
    >>> plan = pp.plan_patrols(area, risk, hotspots, urns=["900003"])
    >>> type(pp.explore(plan)).__name__
    'Map'
    """
    whole = get_plan(plan)
    streets = whole.risk.frame(whole.area.network)
    count = max(1, round(STREETS_SHOWN * len(streets)))
    layers = {
        "Priority streets": (streets.nlargest(count, "risk_per_metre"), RISK_STYLE, 0),
        "Hotspots": (frame_hotspots(whole.area, whole.risk, whole.hotspots), HOTSPOT_STYLE, 0),
        "Legs": (frame_legs(plan), LEG_STYLE, 0),
        "Stops": (frame_stops(plan), STOP_STYLE, 8),
        "Schools": (whole.area.schools, SCHOOL_STYLE, 6),
    }
    host = escape(urlsplit(tiles).netloc.removeprefix("{s}.")) if tiles else None
    chart = folium.Map(tiles=tiles, attr=host, prefer_canvas=True, control_scale=True)
    _write_leaflet_into(chart)
    _build_ground(streets).add_to(chart)
    for name, (frame, style, radius) in layers.items():
        if len(frame):
            _build_layer(name, frame, style, radius).add_to(chart)
    folium.LayerControl(collapsed=False).add_to(chart)
    west, south, east, north = whole.area.schools.to_crs(DEGREES).total_bounds.tolist()
    chart.fit_bounds([[south, west], [north, east]])
    return chart


def _write_leaflet_into(chart: folium.Map) -> None:
    """Embed Leaflet in a map's page, in place of links to servers."""
    chart.default_js = []
    chart.default_css = []
    for text in (
        f"<style>{read_leaflet_style()}</style>",
        f"<script>{read_leaflet_script()}</script>",
    ):
        # The page is a template: its own syntax is escaped.
        chart.get_root().header.add_child(Element("{% raw %}" + text + "{% endraw %}"))


def _build_ground(streets: gpd.GeoDataFrame) -> folium.GeoJson:
    """All streets as one thin grey shape, for orientation without map images."""
    degrees = streets.geometry.to_crs(DEGREES)
    shape = shapely.set_precision(shapely.MultiLineString(degrees.tolist()), DEGREES_STEP)
    return folium.GeoJson(shape, name="Streets", style_function=lambda _feature: GROUND_STYLE)


def _build_layer(
    name: str, frame: gpd.GeoDataFrame, style: dict[str, object], radius: int
) -> folium.GeoJson:
    """One layer to switch, with its facts; `radius` is for points, in pixels."""
    shown = [column for column in FACTS[name] if column in frame]
    table = frame[[*shown, "geometry"]].to_crs(DEGREES)
    table = table[~table.geometry.is_empty]
    for column in shown:
        table[column] = [_write_fact(value) for value in table[column]]
    return folium.GeoJson(
        table,
        name=name,
        style_function=lambda _feature: style,
        marker=folium.CircleMarker(radius=radius, **style) if radius else None,
        tooltip=folium.GeoJsonTooltip(
            shown, aliases=[column.replace("_", " ") for column in shown], sticky=True
        ),
    )


def _write_fact(value: object) -> str:
    """A value for display: numbers are rounded, and texts escaped, since folium does not do so.

    Braces are escaped as well: folium treats its layers as templates, and would run what is in
    them.
    """
    if isinstance(value, float):
        return f"{value:.{SHOWN_DIGITS}g}"
    return escape(str(value)).replace("{", "&#123;").replace("}", "&#125;")
