"""A town of a few streets, so small that a thousand plans of it take minutes; and its reports."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyproj import Transformer

from patrolplan.privacy import FACTORS

WEST, SOUTH = 530_000, 180_000
"""South-western corner of the town's first square, in metres of the British grid."""

SIDE = 5
BLOCK_METRES = 150

SCHOOL = 18
"""Junction that the school is at, in the middle square."""

_to_degrees = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


def to_degrees(x, y):
    """Longitude and latitude of places given in metres from the town's corner."""
    return _to_degrees.transform(np.asarray(x, float) + WEST, np.asarray(y, float) + SOUTH)


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


def write_reports(path, reports):
    """Write a file of reports; gives its path."""
    longitude, latitude = to_degrees([r.x for r in reports], [r.y for r in reports])
    frame = pd.DataFrame(
        {
            "report_id": [f"R{number}" for number in range(len(reports))],
            "reported_on": [report.reported_on for report in reports],
            **{column: [getattr(r, column) for r in reports] for column in FACTORS},
            "longitude": longitude,
            "latitude": latitude,
        }
    )
    frame.to_csv(path, index=False)
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
    schools = pd.DataFrame(
        {
            "URN": ["100001"],
            "EstablishmentName": ["Mill School"],
            "Longitude": longitude[SCHOOL],
            "Latitude": latitude[SCHOOL],
        }
    )
    schools.to_csv(folder / "schools.csv", index=False)
    random = np.random.default_rng(1)
    place = random.integers(0, SIDE * SIDE, 60)
    crimes = pd.DataFrame(
        {
            "Month": [f"2026-{month:02d}" for month in random.integers(1, 9, 60)],
            "Longitude": longitude[place],
            "Latitude": latitude[place],
            "Crime type": random.choice(["Robbery", "Violence and sexual offences"], 60),
        }
    )
    crimes.to_csv(folder / "crimes.csv", index=False)
    return name
