"""Plans and weeks as tables for analysts: one row a patrol, stop, leg or hotspot, on the map.

Each is a GeoDataFrame with one geometry, in the area's metric CRS, whose columns any file holds:
`to_file`, `to_parquet` and `explore` take it as it is. The layers of `plan.gpkg` are these tables.
"""

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.hotspots.carriers import compute_shown_worth
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.risk.surface import Risk
from patrolplan.team.week import Week
from patrolplan.times import format_time

Rows = list[dict[str, Any]]

DUTY_COLUMNS = ("date", "officer")
"""Which duty of a week a row belongs to; a plan's tables do without."""


def frame_patrols(plan: Plan | Week) -> gpd.GeoDataFrame:
    """One row a patrol, with all of its legs as one shape; empty where it stays at the gate.

    Columns `urn`, `school`, `number` (of the officer at the school), `start`, `end` (HH:MM),
    `worth`, `bound`, `proven`, `walked_metres`; of a week also `date` and `officer`, first.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> hotspots = pp.find_hotspots(area, risk)
    >>> plan = pp.plan_patrols(area, risk, hotspots, urns=["900003"])
    >>> pp.frame_patrols(plan)[["urn", "number", "start"]].to_string(index=False, header=False)
    '900003 1 15:20'
    """
    rows = [
        {
            **duty,
            "urn": patrol.urn,
            "school": patrol.school,
            "number": patrol.number,
            "start": format_time(patrol.start_minutes),
            "end": format_time(patrol.end_minutes),
            "worth": patrol.worth,
            "bound": patrol.bound,
            "proven": patrol.proven,
            "walked_metres": patrol.walked_metres,
            "geometry": shapely.MultiLineString(
                [leg.line for leg in patrol.legs if len(leg.line) > 1]
            ),
        }
        for duty, patrol in _list_walks(plan)
    ]
    return _build_frame(rows, plan)


def frame_stops(plan: Plan | Week) -> gpd.GeoDataFrame:
    """One row a stop, where the officer stands, with times and reasons in words.

    `stop` counts from 1 in the order of the walk; of a week with `date` and `officer`, first.
    """
    rows = [
        {
            **duty,
            "urn": patrol.urn,
            "number": patrol.number,
            "stop": order,
            "hotspot": stop.hotspot,
            "kind": stop.kind,
            "tasked": stop.tasked,
            "arrive": format_time(stop.arrive_minutes),
            "leave": format_time(stop.leave_minutes),
            "place": stop.place,
            "stand": stop.stand,
            "stands_at": stop.at,
            "lit": stop.lit,
            "tasked_metres": stop.tasked_metres,
            "why": "; ".join(describe_reasons(stop.why)),
            "geometry": shapely.Point(stop.x, stop.y),
        }
        for duty, patrol in _list_walks(plan)
        for order, stop in enumerate(patrol.stops, start=1)
    ]
    return _build_frame(rows, plan)


def frame_legs(plan: Plan | Week) -> gpd.GeoDataFrame:
    """One row a leg that is walked or ridden, with the streets on the way.

    `leg` 1 leads to the first stop, the last one back; of a week with `date` and `officer`, first.
    """
    rows = [
        {
            **duty,
            "urn": patrol.urn,
            "number": patrol.number,
            "leg": order,
            "metres": leg.metres,
            "minutes": leg.minutes,
            "streets": ", ".join(step.street for step in leg.steps),
            "geometry": shapely.LineString(leg.line),
        }
        for duty, patrol in _list_walks(plan)
        for order, leg in enumerate(patrol.legs, start=1)
        if len(leg.line) > 1
    ]
    return _build_frame(rows, plan)


def frame_hotspots(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Hotspots as any file holds them: reasons and how sure they are in words.

    The stretch is the geometry, the stopping place two columns, `stop_x` and `stop_y`, in metres.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> risk = pp.estimate_risk(area)
    >>> table = pp.frame_hotspots(area, risk, pp.find_hotspots(area, risk))
    >>> [name for name in table if str(table[name].dtype) == "geometry"]
    ['geometry']
    """
    stops = gpd.GeoSeries(hotspots["stop"])
    frame = hotspots.drop(columns=["pieces", "stop_piece", "stop_metres", "stop"])
    frame = frame.assign(
        worth=compute_shown_worth(risk, hotspots),
        reasons=["; ".join(describe_reasons(reasons)) for reasons in hotspots["reasons"]],
        how_sure=describe_certainty(area, risk, hotspots),
        stop_x=stops.x,
        stop_y=stops.y,
    )
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=hotspots.crs)


def get_plan(plan: Plan | Week) -> Plan:
    """The plan itself, or the one that a week was chosen from."""
    return plan.plan if isinstance(plan, Week) else plan


def _list_walks(plan: Plan | Week) -> list[tuple[dict[str, Any], Patrol]]:
    """Each patrol of a plan or week, with the columns that say whose duty it is."""
    if isinstance(plan, Week):
        return [
            (dict(zip(DUTY_COLUMNS, (f"{duty.date}", duty.officer), strict=True)), duty.patrol)
            for duty in plan.duties
        ]
    return [({}, patrol) for patrol in plan.patrols]


def _build_frame(rows: Rows, plan: Plan | Week) -> gpd.GeoDataFrame:
    crs = get_plan(plan).area.projection.crs
    if not rows:
        return gpd.GeoDataFrame({"urn": pd.Series(dtype="str")}, geometry=[], crs=crs)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
