"""A town of a few streets, so small that a thousand plans of it take minutes; and its reports."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

import patrolplan as pp
from patrolplan.crs import Projection
from patrolplan.privacy import FACTORS

WEST, SOUTH = 530_000, 180_000
"""South-western corner of the town's first square, in metres of the British grid."""
SIDE = 5
BLOCK_METRES = 150
URN, SCHOOL = "100001", 18
"""The school, and the junction that it is at, in the middle square."""


def to_degrees(x, y):
    """Longitude and latitude of places given in metres from the town's corner."""
    places = np.asarray(x, float) + WEST, np.asarray(y, float) + SOUTH
    return Projection("EPSG:27700").to_degrees(*places)


@dataclass(frozen=True)
class Report:
    """A row of a file of reports; its place is in metres from the town's corner."""

    x: float
    y: float
    time_band: str = "after_school"
    place_factor: str = "none"
    behaviour_factor: str = "none"
    reported_on: str = "2026-05-04"

    @property
    def square(self):
        """Column and row of its square, counted from the town's corner."""
        return int(self.x // 250), int(self.y // 250)

    @property
    def factors(self):
        """What it gave."""
        return tuple(getattr(self, column) for column in FACTORS)


def scatter(column, row, count, **gave):
    """Reports in a square, counted from the town's corner."""
    return [Report(250 * column + 20 + 7 * k, 250 * row + 30 + 5 * k, **gave) for k in range(count)]


def write_reports(path, reports):
    """Write a file of reports; gives its path."""
    columns = {name: [getattr(r, name) for r in reports] for name in (*FACTORS, "reported_on")}
    longitude, latitude = to_degrees([r.x for r in reports], [r.y for r in reports])
    columns |= {"report_id": [f"R{k}" for k in range(len(reports))]}
    pd.DataFrame(columns | {"longitude": longitude, "latitude": latitude}).to_csv(path, index=False)
    return path


def write_town(folder, *, without=()):
    """Write streets but those numbered, schools and crimes; gives the name of the streets' file."""
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    x, y = number % SIDE * BLOCK_METRES + 15.0, number // SIDE * BLOCK_METRES + 15.0
    longitude, latitude = to_degrees(x.ravel(), y.ravel())
    nodes = "".join(
        f"<node id='{k + 1}' version='1' lon='{longitude[k]}' lat='{latitude[k]}'/>"
        for k in range(SIDE * SIDE)
    )
    ways = "".join(
        f"<way id='{k + 1}' version='1'>"
        + "".join(f"<nd ref='{node + 1}'/>" for node in line)
        + f"<tag k='highway' v='residential'/><tag k='name' v='Street {k}'/></way>"
        for k, line in enumerate([*number, *number.T])
        if k not in without
    )
    name = f"streets{''.join(map(str, without))}.osm"
    (folder / name).write_text(f"<osm version='0.6'>{nodes}{ways}</osm>", encoding="utf-8")
    schools = {"URN": [URN], "EstablishmentName": ["Mill School"]}
    random = np.random.default_rng(1)
    place = random.integers(0, SIDE * SIDE, 60)
    crimes = {
        "Month": [f"2026-{month:02d}" for month in random.integers(1, 9, 60)],
        "Crime type": random.choice(["Robbery", "Violence and sexual offences"], 60),
    }
    for file, table, at in (("schools", schools, [SCHOOL]), ("crimes", crimes, place)):
        frame = pd.DataFrame(table | {"Longitude": longitude[at], "Latitude": latitude[at]})
        frame.to_csv(folder / f"{file}.csv", index=False)
    return name


def describe_settings(streets, **sections):
    """Settings of the town with this file of streets, as a document."""
    files = {name: f"{name}.csv" for name in ("crimes", "schools", "reports")}
    patrol = {"window_minutes": 45, "dwell_minutes": 5}
    town = {"sources": files | {"streets": streets}, "patrol": patrol, "risk": {"model": "prior"}}
    return town | sections


def plan(area, **options):
    """Risk, hotspots and plan of an area."""
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    return pp.plan_patrols(area, risk, hotspots, **options)


def read_tree(folder):
    """Every file of a folder by its name there, as bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
