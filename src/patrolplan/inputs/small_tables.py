"""The small optional tables: bell times, gates, officers, terms, tasked places, duties, visits."""

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.arrays import Bools
from patrolplan.crs import Projection
from patrolplan.inputs.declared import (
    DATE,
    DEGREES,
    LIST,
    NO_POINT,
    OPTIONAL_TIME,
    SPAN,
    TIME,
    Made,
    Rule,
    Table,
    flag,
    is_degrees,
    number,
    one_of,
    parse_dates,
    parse_times,
    reach,
    some_of,
    whole,
)
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.formats import Columns, Files, TableSource
from patrolplan.inputs.table_reader import parse_numbers
from patrolplan.tables import INTEGER, NUMBER, REASONS, Column, Form
from patrolplan.text import MAX_NAMED
from patrolplan.times import TIME_OF_DAY, format_time
from patrolplan.travel import TRAVEL

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MAX_LATE_MINUTES = 240  # longest time after the bell at which pupils leave a club, on average
LEAVING_COLUMNS = ("late_share", "late_minutes", "walk_share", "bus_share")
"""Columns of bell times that say when and how pupils leave; NaN where a cell is empty."""

MAX_VISIT_MINUTES = 720  # Maximum minutes in one place on one day: more are a typing error
ROLES_ALONE = ("officer", "pcso", "")  # Roles that patrol alone by default; empty: an officer


def _is_whole_point(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a point has both its coordinates, each in degrees, or neither."""
    return (table["longitude"] == "") & (table["latitude"] == "") | is_degrees(table, column)


def _is_after_start(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a time is after `from`; times that are none fail another rule."""
    times = table[[column, "from"]].apply(lambda cells: cells.str.fullmatch(TIME_OF_DAY))
    is_good: pd.Series = (table[column] > table["from"]) | ~times.all(axis=1)
    return is_good


def _is_counted_once(table: pd.DataFrame, _column: str) -> pd.Series:
    """Whether no earlier row of the corner and day goes on at the start of this one."""
    at = [table[name] for name in ("urn", "longitude", "latitude", "date")]
    hours = table[["from", "to"]].apply(lambda times: parse_numbers(times.str.replace(":", "")))
    in_order = hours.sort_values(["from", "to"], kind="stable")
    latest = in_order.groupby([one[in_order.index] for one in at])["to"].cummax()
    before = latest.groupby([one[in_order.index] for one in at]).shift()
    return ~(before > in_order["from"]).reindex(table.index)


def _is_part(table: pd.DataFrame, _column: str) -> Bools:
    """Whether those who walk and ride are no more than all; shares over 1 fail another rule."""
    walk, ride = (parse_numbers(table[name]) for name in ("walk_share", "bus_share"))
    return np.asarray(~((walk + ride > 1 + 1e-9) & (walk <= 1) & (ride <= 1)))


# fmt: off
URN = Column("urn", "URN of the school", once=True,
             missing=("the URN is missing", "write the school's URN"))
OFFICER = Column("officer", "who",
                 missing=("the officer's name is missing", "write one, such as SSO-01"))
POINT = tuple(Column(name, "degrees", DEGREES, kept=False) for name in ("longitude", "latitude"))
DAYS = (Column("from", "first day", DATE), Column("to", "last day", DATE))
IN_ORDER = Rule("to", lambda t, c: ~(parse_dates(t[c]) < parse_dates(t["from"])),
                "{value} is before the first day", "swap the two dates")
SHARE = number("a share of pupils", "write a number from 0 to 1, such as 0.25, or nothing", most=1)
LATE = number("a number of minutes after the bell", f"write 0 to {MAX_LATE_MINUTES}, or nothing",
              most=MAX_LATE_MINUTES)
WHOLE = "write a whole number, or nothing"

BELL_TIMES = Table("bell_times", (
    URN,
    Column("finish_time", "end of the school day, HH:MM", TIME, "write HH:MM, such as 15:10"),
    Column("start_time", "beginning of the school day, HH:MM", OPTIONAL_TIME,
           "write HH:MM, such as 08:45, or nothing", needed=False),
    Column("late_share", "share of pupils who leave later, for clubs", SHARE, needed=False),
    Column("late_minutes", "when those leave, in minutes after the bell", LATE, needed=False),
    Column("walk_share", "share of all pupils who walk", SHARE, needed=False),
    Column("bus_share", "share of all pupils who take bus or train", SHARE, needed=False),
), (Rule("bus_share", _is_part, "{value} and walk_share are more than 1 together",
         "write shares of all pupils of the school; those left over are driven"),))

GATES = Table("gates", (URN, *POINT))

OFFICERS = Table("officers", (
    replace(OFFICER, once=True),
    Column("school_urns", "schools in their care", LIST),
    *(Column(day, f"hours on {day}, HH:MM-HH:MM or empty", SPAN,
             "write HH:MM-HH:MM, or nothing for a day off") for day in WEEKDAYS),
    Column("max_patrols_per_week", "most patrols a week",
           whole(r"[0-9]{1,2}", "a number of patrols", "write a whole number")),
    Column("mode", "walk, bicycle, transport or car",
           one_of(tuple(TRAVEL), "a mode",
                  "write walk, bicycle, transport or car")),
    Column("role", "officer, pcso, warden or staff",
           one_of(("officer", "pcso", "warden", "staff"), "a role",
                  "write officer, pcso, warden or staff, or nothing for an officer",
                  default="officer"), needed=False),
    Column("alone", "may patrol alone",
           flag("write true (may patrol alone) or false, or nothing: officers and PCSOs may, "
                "others may not"), needed=False),
    Column("gate_only", "stays at the gate: neither leads nor joins a patrol",
           flag("write true (stays at the gate) or false, or nothing for false"), needed=False),
    Column("base_longitude", "where their day begins, degrees", DEGREES, kept=False),
    Column("base_latitude", "where their day begins, degrees", DEGREES, kept=False),
), place="base, in the area's CRS", point=("base_longitude", "base_latitude"))

TERM_DATES = Table("term_dates", (
    Column("urn", "school, or * for all", known_names=("urn or *",),
           missing=("the school is missing", "write a URN, or * for all schools")),
    *DAYS,
    Column("kind", "term or closed", one_of(("term", "closed"), "a kind", "write term or closed")),
), (IN_ORDER,))

TASKED_PLACES = Table("tasked_places", (
    Column("place_id", "short name of the place",
           Form(r"(?i)(?!H[0-9]+$|P-?[0-9]+--?[0-9]+[a-z]?$).*",
                "{value} is how patrolplan itself names hotspots and squares",
                "write another name, such as T1"), once=True,
           missing=("the place's name is missing", "write a short one, such as T1")),
    *POINT,
    Column("must_visit", "true: must be visited, false: barred",
           flag("write true (a place to visit) or false (a place to keep away from)", empty=False)),
    Column("schools", "URNs of the schools it is for, or *", LIST,
           missing=("the schools are missing", "separate URNs by ;, or write * for all")),
    *DAYS,
    Column("reason", "why", missing=("the reason is missing", "write why")),
    Column("by", "who asks for it", missing=("the requester is missing", "write who asks for it")),
    Column("hours", "from and to when, HH:MM-HH:MM", SPAN,
           "write HH:MM-HH:MM, the earlier time first, or nothing for any time",
           needed=False, kept=False),
    Column("minutes", "dwell at each visit; NaN: [patrol] dwell_minutes",
           Form(r"([1-9][0-9]{0,2})?", "{value} is not a number of minutes", "write 1 to 999",
                parse_numbers, "float64"), needed=False),
    Column("visits", "visits a day",
           whole("[1-9]?", "a number of visits a day", "write 1 to 9", empty="1"), needed=False),
    Column("officers", "people needed there together",
           whole("[12]?", "a number of people", "write 1 or 2", empty="1"), needed=False),
    Column("weekdays", "days of the week on which it holds, of mon to fri",
           some_of(WEEKDAYS, "weekdays", "write such as mon;wed, or nothing for every day"),
           needed=False),
), (IN_ORDER,), (
    Made(Column("from_minutes", "start of its hours after midnight; NaN: any time", NUMBER),
         lambda text: parse_times(text["hours"].str[:5])),
    Made(Column("to_minutes", "end of its hours after midnight; NaN: any time", NUMBER),
         lambda text: parse_times(text["hours"].str[6:])),
), "the place, in the area's CRS")

SPAN_OF_DAY = (
    Column("date", "day", DATE), Column("from", "start, HH:MM", TIME, kept=False),
    Column("to", "end, HH:MM", TIME, kept=False))
MINUTES = (
    Made(Column("from_minutes", "start after midnight", NUMBER),
         lambda text: parse_times(text["from"])),
    Made(Column("to_minutes", "end after midnight", NUMBER), lambda text: parse_times(text["to"])),
)

DUTIES = Table("duties", (
    OFFICER,
    *SPAN_OF_DAY,
    Column("kind", "leave, sick, court, training, assembly, meeting, interview, home_visit, event "
           "or away", one_of(tuple(DUTY_KINDS), "a kind")),
    Column("urn", "school where it is; empty where it is at none", needed=False),
    *(Column(name, "where it is, degrees",
             Form(_is_whole_point, NO_POINT, "write decimal degrees in both columns, or neither"),
             needed=False, kept=False) for name in ("longitude", "latitude")),
), (
    Rule("to", _is_after_start, "{value} is not after the start",
         "write the later time; what goes on past midnight has a row for each day"),
    Rule("urn", lambda t, c: (t[c] == "") | (t["longitude"] + t["latitude"] == ""),
         "a duty at {value} has coordinates as well",
         "write the school's URN, or longitude and latitude, or neither"),
), MINUTES, "where it is, in the area's CRS; empty where not known")

COUNTS = Table("counts", (
    replace(URN, once=False),
    *POINT,
    *SPAN_OF_DAY,
    Column("pupils", "pupils who passed the corner, each time that one did",
           whole("[0-9]{1,4}", "a number of pupils", "write a whole number, 0 for none")),
), (
    Rule("to", _is_after_start, "{value} is not after the start", "write the later time"),
    Rule("from", _is_counted_once, "{value}: the corner is counted twice at this time",
         "keep one of the rows"),
), (
    *MINUTES,
    Made(Column("file", "where it was read"), lambda text: text["file"]),
    Made(Column("row", "row there", INTEGER), lambda text: text["row"].astype("int64")),
), "the corner, in the area's CRS", "corner")

VISITS = Table("--csv", (
    replace(OFFICER, missing=("the officer is missing", "write who it was, such as SSO-01")),
    Column("date", "day", DATE),
    Column("urn", "school", needed=False),
    Column("hotspot", "place by its name", needed=False),
    Column("stop", "place by its number on the card",
           Form(r"([0-9]{1,3})?", "{value} is not the number of a stop", WHOLE), needed=False),
    Column("minutes", "how long",
           Form(lambda t, c: pd.Series(parse_numbers(t[c])).between(0, MAX_VISIT_MINUTES),
                "{value} is not a valid number of minutes",
                f"write 0 to {MAX_VISIT_MINUTES} minutes, and 0 where the place was not visited")),
    Column("engagements", "people spoken to",
           Form(r"([0-9]{1,3})?", "{value} is not a number of engagements", WHOLE), needed=False),
    Column("with", "officers who came along", known_names=("together",), needed=False),
    Column("people", "how many came",
           Form(r"([1-9][0-9]?)?", "{value} is not a number of people, 1 to 99", WHOLE),
           needed=False),
    Column("arrive", "time, HH:MM", OPTIONAL_TIME, needed=False),
    Column("reason", "why a visit was not made, or not wholly",
           Form(f"({'|'.join(REASONS)})?", "{value} is not a reason",
                f"write {', '.join(REASONS)}, or nothing"),
           known_names=("not_made",), needed=False),
    Column("window", "patrol window, where a school has several a day", needed=False),
), (Rule("hotspot", lambda t, c: t[c] + t["stop"] != "", "the place is missing",
         "write the stop's number or the hotspot's name"),))
# fmt: on


def read_bell_times(paths: Files, *, columns: Columns = None) -> pd.DataFrame:
    """Bells "HH:MM" by URN ("" if not known), and the numbers of `LEAVING_COLUMNS` (NaN)."""
    return BELL_TIMES.store(BELL_TIMES.read(paths, columns)).set_index("urn")


def read_gates(
    paths: Files, projection: Projection, *, columns: Columns = None
) -> gpd.GeoDataFrame:
    """Gates by URN: `file`, `row` and `value` (the cells' text) for messages, and the point."""
    text = GATES.read(paths, columns, [reach("gate", projection)]).set_index("urn")
    text["value"] = text["longitude"] + ", " + text["latitude"]
    return gpd.GeoDataFrame(text[["file", "row", "value"]], geometry=GATES.locate(text, projection))


def read_officers(
    paths: Files, projection: Projection, *, columns: Columns = None
) -> gpd.GeoDataFrame:
    """Officers, see `OFFICERS`; who may patrol alone by the role where the table does not say."""
    text = OFFICERS.read(paths, columns)
    by_role = text["role"].isin(ROLES_ALONE)
    text["alone"] = text["alone"].mask((text["alone"] == "") & by_role, "true")
    return OFFICERS.build(text, OFFICERS.locate(text, projection))


read_term_dates, read_tasked_places = TERM_DATES.load, TASKED_PLACES.load_places


def read_duties(
    paths: Files,
    projection: Projection,
    *,
    columns: Columns = None,
    officers: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Officers' duties besides patrols, see `DUTIES`; of any name where `officers` is None."""
    rules = [reach("duty", projection)]
    if officers is not None:
        some = ", ".join(officers[:MAX_NAMED])
        remedy = f"write a name of the officers table, such as {some}"
        remedy = remedy if some else "name officers there"
        what, names = "there is no officer {value}", [*officers, ""]
        rules.append(Rule("officer", lambda t, c: t[c].isin(names), what, remedy))
    text = DUTIES.read(paths, columns, rules)
    points = coarsen_visits(DUTIES.locate(text, projection), text["kind"])
    points[np.isnan(points.x)] = shapely.Point()
    return DUTIES.build(text, points)


read_counts = COUNTS.load_places


def write_counts(counts: gpd.GeoDataFrame, projection: Projection) -> str:
    """Counts as a file that `read_counts` reads."""
    longitude, latitude = projection.to_degrees(counts.geometry.x, counts.geometry.y)
    hours = {name: counts[f"{name}_minutes"].map(format_time).to_numpy() for name in ("from", "to")}
    table = counts.assign(longitude=longitude.round(6), latitude=latitude.round(6), **hours)
    return str(table[[one.name for one in COUNTS.columns]].to_csv(index=False, lineterminator="\n"))


VISIT_METRES = 500.0  # Side of the squares at whose middle home visits are


def coarsen_visits(points: gpd.array.GeometryArray, kinds: pd.Series) -> gpd.array.GeometryArray:
    """The points of duties, those of home visits at the middle of a square: no home is held."""
    middles = (np.floor(shapely.get_coordinates(points) / VISIT_METRES) + 0.5) * VISIT_METRES
    private = [name for name, kind in DUTY_KINDS.items() if kind.is_at_home_of_pupil]
    is_visit = kinds.isin(private).to_numpy()
    points = points.copy()
    points[is_visit] = gpd.points_from_xy(*middles[is_visit].T, crs=points.crs)
    return points


def read_visits(path: TableSource) -> pd.DataFrame:
    """Visits recorded on paper, see `VISITS`, by row: what is not given is NA."""
    text = VISITS.read([path], None).set_index("row").drop(columns="file")
    rows = text.astype(object).mask(text == "", pd.NA)
    for name in ("stop", "engagements", "people"):
        rows[name] = pd.to_numeric(text[name], errors="coerce").astype("Int64")
    date, minutes = parse_dates(text["date"]).dt.date, parse_numbers(text["minutes"])
    return rows.assign(date=date, minutes=minutes)
