"""A plan or week as a folium map for analysts to extend: layers to switch, facts on hovering.

It is an ordinary `folium.Map`, to which layers can be added. Leaflet is embedded in it, and without
`tiles` it requests nothing, so that no server learns where officers will be.
"""

from html import escape
from urllib.parse import urlsplit

import folium
from branca.element import Element

from patrolplan.crs import DEGREES
from patrolplan.outputs.frames import frame_hotspots, frame_legs, frame_stops, get_plan
from patrolplan.outputs.webmap.map_page import read_leaflet_script, read_leaflet_style
from patrolplan.patrols.plan import Plan
from patrolplan.team.week import Week

STREETS_SHOWN = 0.1  # Share of the pieces of street that are drawn: those with most risk per metre

FACTS = {
    "Streets": (),
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
    """
    whole = get_plan(plan)
    streets = whole.risk.frame(whole.area.network)
    count = max(1, round(STREETS_SHOWN * len(streets)))
    hotspots = frame_hotspots(whole.area, whole.risk, whole.hotspots)
    layers = {
        "Streets": (streets.dissolve(), {"color": "#b0b0b0", "weight": 1}),
        "Priority streets": (streets.nlargest(count, "risk_per_metre"), {"color": "#6a3d9a"}),
        "Hotspots": (hotspots, {"color": "#e69f00", "weight": 9, "opacity": 0.6}),
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
