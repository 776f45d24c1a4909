"""`plan.qgs`: a project for QGIS that shows `plan.gpkg` in the same folder.

Layers are in groups, drawn as on the cards, over streets of our own network: nothing is loaded from
a server. Two layouts print it on A4: the whole area, and an atlas with one page per patrol. It is
plain XML rather than a `.qgz`, so that equal plans give equal bytes with any compressor.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

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

LEGEND_STYLES = (
    ("title", 10, True, 0, 0),
    ("group", 9, True, 2, 0),
    ("subgroup", 9, True, 3, 0),
    ("symbol", 8, False, 1.2, 0),
    ("symbolLabel", 8, False, 1.2, 3),
)
"""Name, points, whether bold, and millimetres above and to the left."""


@dataclass(frozen=True)
class ProjectLayer:
    """A layer of the project: its table, its group, and its style."""

    key: str
    name: str
    group: str
    table: str
    style: str
    """Its QML."""
    shown: bool = True
    legend_nodes: str = ""
    """Numbers of its classes that are on the layouts' legend."""
    most_scale: int = 0
    """Shown only at a scale of 1 to this or larger; 0 means always."""

    @property
    def id(self) -> str:
        """Its ID in the project; QGIS replaces one that is short."""
        return f"patrolplan_{self.key}"

    @property
    def source(self) -> str:
        """Path of the table, relative to the project's folder."""
        return f"./{GEOPACKAGE}|layername={self.table}"

    @property
    def about(self) -> str:
        """Its meaning, in a sentence."""
        return LAYERS[self.table].about

    @property
    def geometry(self) -> str:
        """Its geometry type."""
        return "Point" if LAYERS[self.table].shape == "Point" else "Line"

    @property
    def style_xml(self) -> Markup:
        """Its style, without the element around it, for the project."""
        text = "\n".join(self.style.splitlines()[1:-1])
        return Markup(text)  # noqa: S704 - our own files


@dataclass(frozen=True)
class LayoutPage:
    """A layout; with a coverage layer it is an atlas with one page per row."""

    id: str
    name: str
    title: str
    subtitle: str
    coverage: str = ""


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
        groups=[(name, list(rows)) for name, rows in groupby(shown, key=lambda one: one.group)],
        extent=_find_extent(layers),
        land=list(bytes.fromhex(LAND.removeprefix("#"))),
        map_size=MAP_SIZE,
        pages=_list_pages(title, _defuse(subtitle)),
        legend_styles=LEGEND_STYLES,
    )
    return text.encode("utf-8")


def _list_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> list[ProjectLayer]:
    """Layers of the project from the top down."""
    risk, classes = layers["risk"], range(len(RISK_SHARES))
    met = {*layers["stops"].get("kind", ())}
    stops = [row for row, kind in enumerate(STOP_KINDS) if kind in met]
    hotspots = layers["hotspots"]
    found = {*hotspots["carried_by"], *hotspots.get("kind", ())}
    spots = [row for row, carrier in enumerate(CARRIERS) if carrier in found]
    rows = [
        _build_layer("stops", "Stops", PATROLS, layers, stops),
        _build_layer("schools", "School gates", PATROLS, layers, [0]),
        replace(_build_layer("legs", "Direction", PATROLS, layers), most_scale=30000),
        _build_layer("patrols", "Patrols", PATROLS, layers, [0]),
        _build_layer("risk", "Priority streets", REASONS, layers, classes),
        _build_layer("hotspots", "Hotspots", REASONS, layers, spots),
    ]
    if (risk["disagreement"] != 0).any():
        name, style = "Crime and pupils' reports compared", build_style("disagreement", risk)
        rows.append(ProjectLayer("disagreement", name, REASONS, "risk", style, shown=False))
    streets = build_style("streets", risk)
    return [*rows, ProjectLayer("streets", "Streets", "Ground", "risk", streets)]


def _build_layer(
    table: str,
    name: str,
    group: str,
    layers: Mapping[str, gpd.GeoDataFrame],
    nodes: Iterable[int] = (),
) -> ProjectLayer:
    style = build_style(table, layers[table], over_streets=True)
    return ProjectLayer(
        table, name, group, table, style, legend_nodes=",".join(str(node) for node in nodes)
    )


def _list_pages(title: str, subtitle: str) -> list[LayoutPage]:
    patrol = '[% "school" || \', patrol \' || "number" || \', \' || "start" || \' to \' || "end" %]'
    return [
        LayoutPage("area", "Area, A4", title, subtitle),
        LayoutPage(
            "patrol", "A page a patrol, A4", patrol, f"{title}. {subtitle}", "patrolplan_patrols"
        ),
    ]


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
