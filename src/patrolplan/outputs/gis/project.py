"""`plan.qgs`: a project for QGIS that shows `plan.gpkg` in the same folder.

Layers are in groups, drawn as on the cards, over streets of our own network: nothing is loaded from
a server. Two layouts print it on A4: the whole area, and an atlas with one page per patrol. It is
plain XML rather than a `.qgz`, so that equal plans give equal bytes with any compressor.

A style is a QML document beside this module, legible in black and white: with the least and the
most risk of each class, and the form of times filled in, it is in the GeoPackage, so that a layer
always has it, and in the project. Words of the legend are fixed, and never from the data.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from markupsafe import Markup

from patrolplan.hotspots.reasons import list_reasons
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.basemap import LAND, STREETS
from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.facts import find_marking
from patrolplan.outputs.frames import NO_DAY
from patrolplan.outputs.gis.geopackage_tables import LAYERS
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


RISK_SHARES = (0.02, 0.05, 0.10, 0.25)
"""Share of street length with at least the risk a metre of each class but the last, cumulative."""

STARTS = {"patrols": "starts", "stops": "arrives", "schools": "opens"}
"""Columns with the beginning of times."""

STYLED = ("risk", "hotspots", "patrols", "legs", "stops", "schools")


def render_project(plan: Plan, layers: Mapping[str, gpd.GeoDataFrame]) -> bytes:
    """The project of a plan, for the layers in its GeoPackage."""
    return render_layers(
        layers,
        area=plan.area.name,
        subtitle=f"{wording.format_data_months(plan.risk)}. Plan {wording.compute_plan_id(plan)}",
        marking=find_marking(plan.area, plan.patrols, list_reasons(plan.hotspots)),
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
    stops = [row for row, kind in enumerate(STOP_KINDS) if kind in kinds]
    carriers = [row for row, kind in enumerate(CARRIERS) if kind in found]
    rows = [
        # key, name, group, table, numbers of the classes on the layouts' legend
        ("stops", "Stops", PATROLS, "stops", stops),
        ("schools", "School gates", PATROLS, "schools", [0]),
        ("legs", "Direction", PATROLS, "legs", []),
        ("patrols", "Patrols", PATROLS, "patrols", [0]),
        ("risk", "Priority streets", REASONS, "risk", range(len(RISK_SHARES))),
        ("hotspots", "Hotspots", REASONS, "hotspots", carriers),
        ("disagreement", "Crime and pupils' reports compared", REASONS, "risk", []),
        ("streets", "Streets", "Ground", "risk", []),
    ]
    differ = (layers["risk"]["disagreement"] != 0).any()
    shown = []
    for key, name, group, table, nodes in rows:
        if key == "disagreement" and not differ:
            continue
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


def build_styles(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """QML of the layers that have a style, by name."""
    return {
        name: build_style(name, frame)
        for name, frame in layers.items()
        if name in STYLED and (name != "risk" or "risk_per_metre" in frame)
    }


def build_style(name: str, frame: gpd.GeoDataFrame, *, over_streets: bool = False) -> str:
    """QML of a style; `over_streets` leaves out streets with little risk, which lie below it."""
    limits = find_breaks(frame["risk_per_metre"], frame["metres"]) if name == "risk" else []
    times = frame[STARTS[name]] if STARTS.get(name) in frame else pd.Series(dtype="datetime64[ns]")
    shown = "yyyy-MM-dd HH:mm" if (times.dt.date != NO_DAY).any() else "HH:mm"
    template = load_template(Path(__file__).with_name(f"{name}.qml"))
    return template.render(
        limits=limits, shown=shown, covers_streets=over_streets, streets=[*STREETS.values()]
    )


def find_breaks(values: pd.Series, metres: pd.Series) -> list[float]:
    """Limits of the classes of risk by length of street, from the highest value to the lowest.

    Examples
    --------
    >>> find_breaks(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([90.0, 5.0, 3.0, 2.0]))
    [4.0, 4.0, 3.0, 2.0, 1.0, 1.0]
    """
    amounts = values.to_numpy(dtype=np.float64)
    if not len(amounts):
        return [0.0] * (len(RISK_SHARES) + 2)
    order = np.argsort(-amounts, kind="stable")
    share = np.cumsum(metres.to_numpy()[order]) / metres.sum()
    limits = [amounts[order][np.searchsorted(share, one - 1e-9)] for one in RISK_SHARES]
    return [float(one) for one in (amounts.max(), *limits, amounts.min())]
