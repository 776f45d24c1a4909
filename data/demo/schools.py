"""Schools in the columns of GIAS, their bells and gates, the officers, terms and tasked places."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from shapely.geometry import Point
from shapely.ops import nearest_points

from demo.frame import to_grid, to_lonlat
from demo.layout import Area, Plan

# fmt: off
GIAS_COLUMNS = (
    "URN", "LA (code)", "LA (name)", "EstablishmentNumber", "EstablishmentName",
    "TypeOfEstablishment (code)", "TypeOfEstablishment (name)",
    "EstablishmentTypeGroup (code)", "EstablishmentTypeGroup (name)",
    "EstablishmentStatus (code)", "EstablishmentStatus (name)", "OpenDate", "CloseDate",
    "PhaseOfEducation (code)", "PhaseOfEducation (name)", "StatutoryLowAge", "StatutoryHighAge",
    "Boarders (name)", "OfficialSixthForm (name)", "Gender (code)", "Gender (name)",
    "ReligiousCharacter (name)", "AdmissionsPolicy (name)", "SchoolCapacity", "CensusDate",
    "NumberOfPupils", "LastChangedDate", "Street", "Locality", "Address3", "Town",
    "County (name)", "Postcode", "GOR (name)", "DistrictAdministrative (name)",
    "AdministrativeWard (name)", "UrbanRural (name)", "GSSLACode (name)", "Easting", "Northing",
    "LSOA (name)",
)
TYPES = {
    "Community school": ("1", "4", "Local authority maintained schools"),
    "Voluntary aided school": ("2", "4", "Local authority maintained schools"),
    "Academy converter": ("34", "10", "Academies"),
    "Free schools": ("35", "11", "Free Schools"),
    "Community special school": ("7", "5", "Special schools"),
}
STATUS = {"Open": "1", "Closed": "2", "Open, but proposed to close": "3", "Proposed to open": "4"}
PHASES = {"Not applicable": "0", "Primary": "2", "Secondary": "4", "All-through": "7"}
GENDERS = {"Boys": "1", "Girls": "2", "Mixed": "3"}


@dataclass(frozen=True)
class School:
    """One row of the school table, as far as it is chosen by hand."""

    urn: int
    name: str
    kind: str
    status: str
    phase: str
    ages: tuple[int, int]
    gender: str
    capacity: int
    pupils: int
    opened: str = ""
    closed: str = ""
    religion: str = "Does not apply"


SCHOOLS = (
    School(900001, "Lanthorn Hill School", "Community school", "Open", "Secondary", (11, 18),
           "Mixed", 1200, 1164),
    School(900002, "Tidewell Science & Arts Academy", "Academy converter", "Open", "Secondary",
           (11, 18), "Mixed", 1050, 1012, "01-09-2012"),
    School(900003, "St Zo\u00e9\u2019s Catholic School for Girls", "Voluntary aided school", "Open",
           "Secondary", (11, 16), "Girls", 900, 871, religion="Roman Catholic"),
    School(900004, "Coldharrow Academy", "Academy converter", "Open", "Secondary", (11, 18),
           "Mixed", 1150, 998, "01-04-2014"),
    School(900005, "Mere Park School", "Community school", "Open, but proposed to close",
           "Secondary", (11, 16), "Mixed", 950, 702),
    School(900006, "Pepperfield Primary School", "Community school", "Open", "Primary", (3, 11),
           "Mixed", 420, 391),
    School(900007, "Eastmere Broadway High School", "Community school", "Open", "Secondary",
           (11, 18), "Mixed", 1300, 1287),
    School(900008, "Gibbet Hill School for Boys", "Academy converter", "Open", "Secondary",
           (11, 16), "Boys", 850, 815, "01-09-2011"),
    School(900009, "Coalyard Lane Primary School", "Community school", "Open", "Primary", (4, 11),
           "Mixed", 315, 288),
    School(900010, "The Ropewalk School", "Community special school", "Open", "Not applicable",
           (7, 19), "Mixed", 120, 108),
    School(900011, "Fletcher Community School", "Community school", "Open", "Secondary", (11, 16),
           "Mixed", 900, 846),
    School(900012, "Harrowgate Fields All-Through School", "Free schools", "Open", "All-through",
           (4, 18), "Mixed", 1260, 905, "01-09-2016"),
    School(900013, "Hartsmere Technical School", "Community school", "Closed", "Secondary",
           (11, 16), "Mixed", 700, 0, "", "31-08-2019"),
    School(900014, "Eastmere Wharf Academy", "Free schools", "Proposed to open", "Secondary",
           (11, 18), "Mixed", 1080, 0, "01-09-2027"),
    School(900015, "Saltmarsh Infant School", "Community school", "Closed", "Primary", (4, 7),
           "Mixed", 180, 0, "", "31-08-2022"),
)
BELLS = {900001: "15:10", 900002: "15:00", 900003: "15:20", 900004: "15:05", 900005: "15:15",
         900006: "15:20", 900007: "15:10", 900008: "14:55", 900009: "15:30", 900011: "15:00",
         900012: "15:25"}
"""No bell for 900010: the default finish time is shown there."""
OPENINGS = {900001: "08:35", 900002: "08:30", 900003: "08:40", 900004: "08:35", 900006: "08:50",
            900007: "08:30", 900008: "08:25", 900009: "08:55", 900011: "08:40", 900012: "08:45"}
"""No opening bell for 900005 and 900010: the default holds there."""
LAST_AGE_WITHOUT_SIXTH_FORM = 16
WITH_GATES = (900001, 900003, 900004, 900007, 900012)
BASES = {"north": (1400, 1560), "south": (1290, 500), "900003": (1759, 447)}
OFFICERS = (
    ("SSO-01", (900001, 900006), "14:00-18:00", "", 4, "walk", "north"),
    ("SSO-02", (900007,), "14:30-18:30", "", 3, "walk", "south"),
    ("SSO-03", (900002, 900009), "14:00-18:00", "wed", 4, "bicycle", "south"),
    ("SSO-04", (900003,), "14:30-18:00", "tue", 3, "walk", "south"),
    ("SSO-05", (900004, 900012), "14:30-18:30", "fri", 4, "bicycle", "north"),
    ("SSO-06", (900005, 900010), "14:30-18:30", "mon", 4, "walk", "north"),
    ("SSO-07", (900008,), "14:00-17:30", "thu", 3, "bicycle", "north"),
    ("SSO-08", (900011, 900009), "14:00-17:30", "", 3, "walk", "south"),
    ("STAFF-900003", (900003,), "14:30-17:30", "fri", 3, "walk", "900003"),
)
ROLES = {"SSO-07": "pcso", "STAFF-900003": "staff"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
TERMS = (
    ("*", "2025-09-01", "2025-12-19", "term"), ("*", "2025-10-27", "2025-10-31", "closed"),
    ("*", "2026-01-05", "2026-03-27", "term"), ("*", "2026-02-16", "2026-02-20", "closed"),
    ("*", "2026-04-13", "2026-07-21", "term"), ("*", "2026-05-04", "2026-05-04", "closed"),
    ("*", "2026-05-25", "2026-05-29", "closed"), ("*", "2026-09-01", "2026-12-18", "term"),
    ("*", "2026-10-26", "2026-10-30", "closed"), ("*", "2027-01-04", "2027-03-25", "term"),
    ("*", "2027-02-15", "2027-02-19", "closed"), ("*", "2027-04-12", "2027-07-21", "term"),
    ("*", "2027-05-03", "2027-05-03", "closed"), ("*", "2027-05-31", "2027-06-04", "closed"),
    ("900004", "2026-11-27", "2026-11-27", "closed"),
)
TASKED = (
    ("T-01", (1372, 1074), "true", "900007;900001", "2026-11-02", "2026-12-18",
     "Fictional tasking: robberies of pupils at the bus station, named by the local team"),
    ("T-02", (1170, 1230), "false", "*", "2026-11-16", "2026-12-11",
     "Fictional: another team works at Market Place, keep away"),
)
TASKED_BY = "Insp. Example (fictional)"
COURT = (760, 900)
VISIT = (1540, 820)
DUTIES = (
    ("SSO-03", "2026-12-07", "00:00", "23:59", "leave", None),
    ("SSO-03", "2026-12-08", "00:00", "23:59", "leave", None),
    ("SSO-03", "2026-12-10", "00:00", "23:59", "leave", None),
    ("SSO-02", "2026-12-08", "14:30", "16:00", "court", COURT),
    ("SSO-04", "2026-12-09", "14:30", "17:30", "training", None),
    ("SSO-06", "2026-12-09", "14:30", "17:30", "training", None),
    ("SSO-01", "2026-12-07", "14:15", "14:45", "assembly", 900001),
    ("SSO-05", "2026-12-10", "14:30", "14:50", "assembly", 900012),
    ("SSO-08", "2026-12-11", "14:05", "14:40", "assembly", 900011),
    ("SSO-07", "2026-12-09", "16:15", "17:00", "home_visit", VISIT),
    ("SSO-07", "2026-12-11", "14:10", "14:40", "interview", 900008),
    ("SSO-05", "2026-12-07", "17:15", "18:00", "meeting", None),
    ("SSO-02", "2026-12-10", "16:45", "18:15", "event", 900007),
)
"""At a school, at a place, or (None) at no place that matters for the way there."""
# fmt: on


def school_areas(plan: Plan) -> list[Area]:
    """School grounds for the map; a closed or planned school has none."""
    return [
        Area(
            plan.schools[s.urn].buffer(-6, join_style="mitre"),
            {"amenity": "school", "name": s.name},
        )
        for s in SCHOOLS
        if s.status.startswith("Open")
    ]


def _gias_row(school: School, plan: Plan) -> dict[str, object]:
    """One school in GIAS columns."""
    site = plan.schools[school.urn].centroid
    easting, northing = to_grid([(site.x, site.y)])[0].round().astype(int)
    named = [s for s in plan.streets if "name" in s.tags and s.tags["highway"] != "trunk"]
    street = min(named, key=lambda s: s.line.distance(site)).tags["name"]
    has_one = school.ages[1] > LAST_AGE_WITHOUT_SIXTH_FORM
    sixth_form = "Has" if has_one else "Does not have"
    kind_code, group_code, group = TYPES[school.kind]
    number = school.urn - 900000
    return {
        "URN": school.urn,
        "LA (code)": 999,
        "LA (name)": "Eastmere",
        "EstablishmentNumber": (2000 if school.phase == "Primary" else 4000) + number,
        "EstablishmentName": school.name,
        "TypeOfEstablishment (code)": kind_code,
        "TypeOfEstablishment (name)": school.kind,
        "EstablishmentTypeGroup (code)": group_code,
        "EstablishmentTypeGroup (name)": group,
        "EstablishmentStatus (code)": STATUS[school.status],
        "EstablishmentStatus (name)": school.status,
        "OpenDate": school.opened,
        "CloseDate": school.closed,
        "PhaseOfEducation (code)": PHASES[school.phase],
        "PhaseOfEducation (name)": school.phase,
        "StatutoryLowAge": school.ages[0],
        "StatutoryHighAge": school.ages[1],
        "Boarders (name)": "No boarders",
        "OfficialSixthForm (name)": f"{sixth_form} a sixth form",
        "Gender (code)": GENDERS[school.gender],
        "Gender (name)": school.gender,
        "ReligiousCharacter (name)": school.religion,
        "AdmissionsPolicy (name)": "Not applicable",
        "SchoolCapacity": school.capacity,
        "CensusDate": "15-01-2026",
        "NumberOfPupils": school.pupils or "",
        "LastChangedDate": "01-10-2026",
        "Street": street,
        "Town": "Eastmere (fictional)",
        "Postcode": f"XX{number} {1 + number % 9}ZZ",
        "GOR (name)": "London",
        "DistrictAdministrative (name)": "Eastmere",
        "UrbanRural (name)": "Urban major conurbation",
        "GSSLACode (name)": "E09900000",
        "Easting": easting,
        "Northing": northing,
    }


def _gate(urn: int, plan: Plan) -> tuple[float, float]:
    """The gate: on the edge of the grounds, towards the nearest named street."""
    ground = plan.schools[urn]
    named = [
        s.line
        for s in plan.streets
        if s.tags["highway"] in ("residential", "tertiary", "secondary")
    ]
    line = min(named, key=lambda s: (round(s.distance(ground)), s.distance(ground.centroid)))
    gate = nearest_points(ground.buffer(-5), line)[0]
    along = ground.buffer(-5).exterior
    return along.interpolate(along.project(Point(gate.x, gate.y))).coords[0]


def write_schools(plan: Plan, folder: Path) -> None:
    """Write schools.csv (Windows-1252, as GIAS is), bell_times.csv and gates.csv."""
    table = pd.DataFrame([_gias_row(s, plan) for s in SCHOOLS]).reindex(columns=GIAS_COLUMNS)
    table.to_csv(folder / "schools.csv", index=False, encoding="cp1252", lineterminator="\r\n")
    bells = pd.DataFrame(BELLS.items(), columns=["urn", "finish_time"])
    bells["start_time"] = bells["urn"].map(OPENINGS).fillna("")
    _write(bells, folder / "bell_times.csv")
    places = to_lonlat([_gate(urn, plan) for urn in WITH_GATES], digits=6)
    gates = pd.DataFrame({"urn": WITH_GATES, "longitude": places[:, 0], "latitude": places[:, 1]})
    _write(gates, folder / "gates.csv")


def write_team(folder: Path) -> None:
    """Write officers.csv, term_dates.csv, tasked_places.csv and duties.csv."""
    rows = []
    for officer, urns, hours, off, most, mode, base in OFFICERS:
        longitude, latitude = to_lonlat([BASES[base]], digits=6)[0]
        rows.append(
            {
                "officer": officer,
                "school_urns": ";".join(map(str, urns)),
                **{day: "" if day == off else hours for day in WEEKDAYS},
                "max_patrols_per_week": most,
                "mode": mode,
                "base_longitude": longitude,
                "base_latitude": latitude,
                "role": (role := ROLES.get(officer, "officer")),
                "alone": str(role != "staff").lower(),
            }
        )
    _write(pd.DataFrame(rows), folder / "officers.csv")
    _write(pd.DataFrame(TERMS, columns=["urn", "from", "to", "kind"]), folder / "term_dates.csv")
    tasked = []
    for place, xy, must, schools, first, last, reason in TASKED:
        longitude, latitude = to_lonlat([xy], digits=6)[0]
        tasked.append(
            {
                "place_id": place,
                "longitude": longitude,
                "latitude": latitude,
                "must_visit": must,
                "schools": schools,
                "from": first,
                "to": last,
                "reason": reason,
                "by": TASKED_BY,
            }
        )
    _write(pd.DataFrame(tasked), folder / "tasked_places.csv")
    _write(pd.DataFrame(map(_duty, DUTIES)), folder / "duties.csv")


def _duty(duty: tuple[str, str, str, str, str, object]) -> dict[str, object]:
    """A row of duties.csv."""
    *columns, where = duty
    row = dict(zip(("officer", "date", "from", "to", "kind"), columns, strict=True))
    if isinstance(where, tuple):
        longitude, latitude = to_lonlat([where], digits=6)[0]
        return row | {"urn": "", "longitude": longitude, "latitude": latitude}
    return row | {"urn": where or "", "longitude": "", "latitude": ""}


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table the same way on every system."""
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
