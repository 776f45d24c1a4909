"""`plan.qgs`: a project for QGIS that shows `plan.gpkg` in the same folder.

Layers are in groups, drawn as on the cards, over streets of our own network: nothing is loaded from
a server. Two layouts print it on A4: the whole area, and an atlas with one page per patrol. It is
plain XML rather than a `.qgz`, so that equal plans give equal bytes with any compressor.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from markupsafe import Markup

from patrolplan.outputs import wording
from patrolplan.outputs.cartography.basemap import LAND
from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.facts import find_marking
from patrolplan.outputs.gis.meanings import LAYERS
from patrolplan.outputs.gis.styles import RISK_SHARES, build_style
from patrolplan.outputs.offline_page import load_template
from patrolplan.patrols.plan import Plan

GEOPACKAGE = "plan.gpkg"

QGIS_VERSION = "3.22.0-Białowieża"
"""The minimum version of QGIS for the styles; later ones convert them silently."""

STOP_KINDS = ("hotspot", "corner", "gate", "tasked", "designated")
CARRIERS = ("recorded", "feared", "way", "designated")
"""Kinds of stop and of hotspot, in the order of their classes in the styles."""

PATROLS, REASONS = "Patrols", "Why there"
"""Names of groups of layers."""

SCALE_STEP = 500
"""The scale of the area's map is 1 to a multiple of this."""

MAP_SIZE = (208.0, 170.0)
"""Width and height of the layouts' map, in millimetres."""

MARGIN_SHARE = 0.06
"""Margin around the content, as a share of its width."""

LEAST_EXTENT_METRES = 800.0

LEGS_SCALE = 30_000
"""The direction of legs is shown only at a scale of 1 to this or larger."""

PATROL_TITLE = (
    '[% "school" || \', patrol \' || "number" || \', \' || "start" || \' to \' || "end" %]'
)
"""Title of a patrol's page, an expression of QGIS."""

LEGEND_STYLES = (
    ("title", 10, True, 0, 0),
    ("group", 9, True, 2, 0),
    ("subgroup", 9, True, 3, 0),
    ("symbol", 8, False, 1.2, 0),
    ("symbolLabel", 8, False, 1.2, 3),
)
"""Name, points, whether bold, and millimetres above and to the left."""


def render_project(plan: Plan, layers: Mapping[str, gpd.GeoDataFrame]) -> bytes:
    """The project of a plan, for the layers in its GeoPackage."""
    return render_layers(
        layers,
        area=plan.area.name,
        subtitle=f"{wording.format_data_months(plan.risk)}. Plan {wording.compute_plan_id(plan)}",
        marking=find_marking(plan.area, plan.patrols, plan.hotspots["reasons"]),
        sources=(*wording.list_attributions(plan), *wording.list_approximations(plan)[:1]),
    )


def render_layers(
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    area: str,
    subtitle: str,
    marking: str,
    sources: Sequence[str],
) -> bytes:
    """The project of these layers, under the name of their area."""
    shown = _list_layers(layers)
    title = _defuse(f"School patrols, {area}") if area else "School patrols"
    text = load_template(Path(__file__).with_name("project.qgs.j2")).render(
        version=QGIS_VERSION,
        title=title,
        marking=_defuse(marking),
        sources=[_defuse(source) for source in sources],
        crs=_describe_crs(layers["risk"]),
        layers=shown,
        groups=[(name, list(rows)) for name, rows in groupby(shown, key=itemgetter("group"))],
        extent=_find_extent(layers),
        land=list(bytes.fromhex(LAND.removeprefix("#"))),
        map_size=MAP_SIZE,
        pages=[
            {"id": "area", "name": "Area, A4", "title": title, "subtitle": _defuse(subtitle)},
            {
                "id": "patrol",
                "name": "A page a patrol, A4",
                "title": PATROL_TITLE,
                "subtitle": f"{title}. {_defuse(subtitle)}",
                "coverage": "patrolplan_patrols",
            },
        ],
        legend_styles=LEGEND_STYLES,
    )
    return text.encode("utf-8")


def _list_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> list[dict[str, Any]]:
    """What the template needs of each layer, from the top down."""
    kinds, hotspots = {*layers["stops"].get("kind", ())}, layers["hotspots"]
    found = {*hotspots["carried_by"], *hotspots.get("kind", ())}
    rows = [
        # key, name, group, table, numbers of the classes on the layouts' legend
        ("stops", "Stops", PATROLS, "stops", _find_rows(STOP_KINDS, kinds)),
        ("schools", "School gates", PATROLS, "schools", [0]),
        ("legs", "Direction", PATROLS, "legs", []),
        ("patrols", "Patrols", PATROLS, "patrols", [0]),
        ("risk", "Priority streets", REASONS, "risk", range(len(RISK_SHARES))),
        ("hotspots", "Hotspots", REASONS, "hotspots", _find_rows(CARRIERS, found)),
    ]
    if (layers["risk"]["disagreement"] != 0).any():
        name = "Crime and pupils' reports compared"
        rows.append(("disagreement", name, REASONS, "risk", []))
    rows.append(("streets", "Streets", "Ground", "risk", []))
    shown = []
    for key, name, group, table, nodes in rows:
        style = build_style(key, layers[table], over_streets=key == table)
        inner = "\n".join(style.splitlines()[1:-1])  # without the element around it
        shown.append(
            {
                "id": f"patrolplan_{key}",  # QGIS replaces one that is short
                "name": name,
                "group": group,
                "source": f"./{GEOPACKAGE}|layername={table}",
                "about": LAYERS[table].about,
                "geometry": "Point" if LAYERS[table].shape == "Point" else "Line",
                "style_xml": Markup(inner),  # noqa: S704 - our own files
                "shown": key != "disagreement",
                "legend_nodes": ",".join(map(str, nodes)),
                "most_scale": LEGS_SCALE if key == "legs" else 0,
            }
        )
    return shown


def _find_rows(kinds: Sequence[str], found: Collection[str]) -> list[int]:
    return [row for row, kind in enumerate(kinds) if kind in found]


def _defuse(text: str) -> str:
    """Text without expressions that QGIS would evaluate, and without control characters."""
    return re.sub(r"\[(?=%)", "[ ", make_printable(text))


def _describe_crs(frame: gpd.GeoDataFrame) -> Markup:
    """The layers' CRS, with its authority's code if it has one."""
    crs = frame.crs
    element = ET.Element("spatialrefsys", {"nativeFormat": "Wkt"})
    ET.SubElement(element, "wkt").text = crs.to_wkt("WKT2_2019")
    code = crs.to_authority()
    if code is not None:
        ET.SubElement(element, "authid").text = ":".join(code)
    ET.SubElement(element, "description").text = crs.name
    ET.SubElement(element, "geographicflag").text = "false"
    return Markup(ET.tostring(element, encoding="unicode"))  # noqa: S704 - ElementTree has escaped


def _find_extent(layers: Mapping[str, gpd.GeoDataFrame]) -> list[float]:
    """The extent of the patrols and their schools, in the aspect ratio of the layouts' map."""
    frames = [layers[name] for name in ("schools", "patrols", "stops") if len(layers[name])]
    bounds = np.array([frame.total_bounds for frame in frames or [layers["risk"]]])
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    middle, size = (low + high) / 2, np.maximum(high - low, LEAST_EXTENT_METRES)
    scale = 1000 * (size * (1 + 2 * MARGIN_SHARE) / MAP_SIZE).max()
    scale = SCALE_STEP * np.ceil(scale / SCALE_STEP)
    reach = scale * np.array(MAP_SIZE) / 2000
    return [round(float(one), 1) for one in (*(middle - reach), *(middle + reach))]
