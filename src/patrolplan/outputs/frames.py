"""Plans and weeks as tables for analysts: one row per patrol, stop, leg or hotspot.

One geometry, in the area's metric CRS; they are layers of `plan.gpkg`, see `gis.geopackage_tables`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.hotspots.carriers import compute_shown_worth
from patrolplan.hotspots.reasons import CrimeReason, Reason, ReportsReason, list_reasons
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.patrols.file_forms import round_share
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.risk.surface import Risk
from patrolplan.text import pick_fields
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.team.week import Week

Rows = list[dict[str, Any]]
NO_DAY = dt.date(2000, 1, 1)  # of the times of a plan that has none: files store no time alone
COUNT_COLUMNS = ("incidents", "incident_months", "reports_low", "reports_high")
"""Numbers behind a hotspot's reasons; missing where they must not be shown."""


def frame_patrols(plan: "Plan | Week") -> gpd.GeoDataFrame:
    """One row per patrol, with all of its legs as one shape; empty where it stays at the gate.

    Columns are those of the layer `patrols`; for a week also `date` and `officer`, first.

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
        duty
        | {
            **pick_fields(patrol, "urn", "school", "number"),
            "start": format_time(patrol.start_minutes),
            "end": format_time(patrol.end_minutes),
            "starts": build_time(day, patrol.start_minutes),
            "ends": build_time(day, patrol.end_minutes),
            "stops": len(patrol.stops),
            "worth": round_share(patrol.worth),
            "bound": round_share(patrol.bound),
            **pick_fields(patrol, "proven", "walked_metres", "kind"),
            "geometry": shapely.MultiLineString(lines),
        }
        for duty, day, patrol in _list_walks(plan)
        for lines in [[leg.line for leg in patrol.legs if len(leg.line) > 1]]
    ]
    return _build_frame(rows, plan)


def frame_stops(plan: "Plan | Week") -> gpd.GeoDataFrame:
    """One row per stop, where the officer stands, with times and reasons in words.

    `stop` counts from 1 in the order of the walk; for a week also `date` and `officer`, first.
    """
    crs = get_plan(plan).area.projection.crs
    rows = [
        duty
        | {
            **pick_fields(patrol, "urn", "number"),
            "stop": order,
            **pick_fields(stop, "id", "hotspot", "kind", "tasked"),
            "arrive": format_time(stop.arrive_minutes),
            "leave": format_time(stop.leave_minutes),
            "arrives": build_time(day, stop.arrive_minutes),
            "leaves": build_time(day, stop.leave_minutes),
            **pick_fields(stop, "place", "stand"),
            "stands_at": stop.at,
            **pick_fields(stop, "lit", "tasked_metres"),
            "why": " ".join(facts.list_sentences()),
            "geometry": shapely.Point(stop.point),
        }
        for duty, day, patrol in _list_walks(plan)
        for order, facts in enumerate(list_stop_facts(patrol, crs), start=1)
        for stop in [facts.stop]
    ]
    return _build_frame(rows, plan)


def frame_legs(plan: "Plan | Week") -> gpd.GeoDataFrame:
    """One row per leg that is walked or ridden, with the streets on the way.

    `leg` 1 leads to the first stop, the last one back; for a week also `date` and `officer`, first.
    """
    rows = [
        duty
        | {
            **pick_fields(patrol, "urn", "number"),
            "leg": order,
            **pick_fields(leg, "metres", "minutes"),
            "streets": ", ".join(step.street for step in leg.steps),
            "geometry": shapely.LineString(leg.line),
        }
        for duty, _, patrol in _list_walks(plan)
        for order, leg in enumerate(patrol.legs, start=1)
        if len(leg.line) > 1
    ]
    return _build_frame(rows, plan)


def frame_hotspots(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Hotspots with column types that all file formats support: reasons and certainty are in words.

    The stretch is the geometry, the stopping place two columns, `stop_x` and `stop_y`, in metres.
    The numbers behind the reasons are `incidents` recorded in `incident_months`, and from
    `reports_low` to `reports_high` pupils' reports; missing where they must not be shown.
    """
    reasons = list_reasons(hotspots)
    frame = hotspots.drop(columns=["pieces", "stop_piece", "stop_metres"]).assign(
        worth=compute_shown_worth(risk, hotspots),
        reasons=["; ".join(describe_reasons(one)) for one in reasons],
        how_sure=describe_certainty(area, risk, hotspots),
    )
    counts = pd.DataFrame(map(_list_counts, reasons), frame.index, COUNT_COLUMNS)
    return frame.join(counts.astype("Int64"))


def get_plan(plan: "Plan | Week") -> Plan:
    """The plan itself, or the one that a week was chosen from."""
    return plan if isinstance(plan, Plan) else plan.plan


def build_time(day: dt.date | None, minutes: float) -> pd.Timestamp:
    """A local time, to the nearest minute; on `NO_DAY` if there is no day."""
    start = pd.Timestamp(NO_DAY if day is None else day)
    return (start + pd.Timedelta(minutes=round(minutes))).as_unit("s")


def _list_counts(reasons: Sequence[Reason]) -> tuple[int | None, ...]:
    """Values of `COUNT_COLUMNS`."""
    crime: tuple[int | None, int | None] = (None, None)
    reports = crime
    for one in reasons:
        if isinstance(one, CrimeReason):
            crime = one.incidents, one.months if one.held is None else one.held
        elif isinstance(one, ReportsReason):
            reports = one.reports, one.max_reports or one.reports
    return (*crime, *reports)


def _list_walks(plan: "Plan | Week") -> list[tuple[dict[str, Any], dt.date | None, Patrol]]:
    """Each patrol of a plan or week, with the columns of its duty, and its day."""
    if isinstance(plan, Plan):
        return [({}, plan.date, patrol) for patrol in plan.patrols]
    return [(pick_fields(duty, "date", "officer"), duty.date, duty.patrol) for duty in plan.duties]


def _build_frame(rows: Rows, plan: "Plan | Week") -> gpd.GeoDataFrame:
    crs = get_plan(plan).area.projection.crs
    if not rows:
        return gpd.GeoDataFrame({"urn": pd.Series(dtype="str")}, geometry=[], crs=crs)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
