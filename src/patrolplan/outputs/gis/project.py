"""`plan.qgs`: a project for QGIS that shows `plan.gpkg` in the same folder, with two layouts.

Styles are the QML documents beside this module. Words of the legend are never from the data.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from markupsafe import Markup

from patrolplan.hotspots.reasons import list_reasons
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.basemap import LAND, STREETS
from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.frames import NO_DAY
from patrolplan.outputs.gis.geopackage_tables import LAYERS
from patrolplan.outputs.offline_page import load_template
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import Plan
from patrolplan.risk.priority import OTHER_STREETS, RISK_CLASSES

GEOPACKAGE = "plan.gpkg"

SHOWN = (
    # style, name, table, whether it is on the layouts' legend
    ("stops", "Stops", "stops", True),
    ("schools", "School gates", "schools", True),
    ("legs", "Direction", "legs", False),
    ("patrols", "Patrols", "patrols", True),
    ("risk", "Streets by risk", "risk", True),
    ("hotspots", "Priority streets", "hotspots", True),
    ("disagreement", "Crime and pupils' reports compared", "risk", False),
    ("streets", "Streets", "risk", False),
)  # Layers of the project from the top down: four of patrols, three of why there, and the ground

MAP_SIZE = (208.0, 170.0)  # Width and height of the layouts' map, in millimetres
MARGIN = 1.06  # The map's width over that of its content

CRS = Markup(
    '<spatialrefsys nativeFormat="Wkt"><wkt>{}</wkt><authid>{}</authid><description>{}'
    "</description><geographicflag>false</geographicflag></spatialrefsys>"
)

STARTS = {"patrols": "starts", "stops": "arrives", "schools": "opens"}  # Columns of times
STYLED = ("risk", "hotspots", "patrols", "legs", "stops", "schools")


def render_project(plan: Plan, layers: Mapping[str, gpd.GeoDataFrame]) -> bytes:
    """The project of a plan, for the layers in its GeoPackage."""
    crs = layers["risk"].crs
    sources = *wording.list_attributions(plan), *wording.list_approximations(plan)[:1]
    plan_id = wording.compute_plan_id(plan)
    texts = {
        "title": ", ".join(filter(None, ("School patrols", plan.area.name))),
        "subtitle": f"{wording.format_data_months(plan.risk)}. Plan {plan_id}",
        "marking": find_marking(plan.area, plan.patrols, list_reasons(plan.hotspots)),
        "sources": "\n".join(sources),
    }
    low, high = layers["risk"].total_bounds.reshape(2, 2)
    middle, size = (low + high) / 2, np.array(MAP_SIZE)  # in the aspect ratio of the layouts' map
    reach = size / 2 * ((high - low) / size).max() * MARGIN
    shown = [
        {
            "id": f"patrolplan_{key}",  # QGIS replaces one that is short
            "name": name,
            "source": f"./{GEOPACKAGE}|layername={table}",
            "about": LAYERS[table].about,
            "geometry": "Point" if LAYERS[table].shape == "Point" else "Line",
            # Without the element around it.
            "style_xml": Markup("\n".join(style.splitlines()[1:-1])),  # noqa: S704 - our own files
            "in_legend": in_legend,
        }
        for key, name, table, in_legend in SHOWN
        for style in [build_style(key, layers[table], over_streets=key == table)]
    ]
    text = load_template(Path(__file__).with_name("project.qgs.j2")).render(
        # Text without expressions that QGIS would evaluate, and without control characters.
        {name: re.sub(r"\[(?=%)", "[ ", make_printable(text)) for name, text in texts.items()},
        crs=CRS.format(crs.to_wkt("WKT2_2019"), ":".join(crs.to_authority() or ()), crs.name),
        layers=shown,
        groups={"Patrols": shown[:4], "Why there": shown[4:7], "Ground": shown[7:]},
        extent=[round(float(one), 1) for one in (*(middle - reach), *(middle + reach))],
        land=list(bytes.fromhex(LAND.removeprefix("#"))),
        map_size=MAP_SIZE,
    )
    return text.encode("utf-8")


def build_styles(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """QML of the layers that have a style, by name."""
    styled = [name for name in layers if name in STYLED]
    styled = [one for one in styled if one != "risk" or "risk_class" in layers[one]]
    return {name: build_style(name, layers[name]) for name in styled}


def build_style(name: str, frame: gpd.GeoDataFrame, *, over_streets: bool = False) -> str:
    """QML of a style; `over_streets` leaves out streets with little risk, which lie below it."""
    times = frame[STARTS[name]] if STARTS.get(name) in frame else pd.Series(dtype="datetime64[ns]")
    shown = "yyyy-MM-dd HH:mm" if (times.dt.date != NO_DAY).any() else "HH:mm"
    template, streets = load_template(Path(__file__).with_name(f"{name}.qml")), [*STREETS.values()]
    return template.render(
        classes=[*RISK_CLASSES, OTHER_STREETS],
        shown=shown,
        covers_streets=over_streets,
        streets=streets,
    )
