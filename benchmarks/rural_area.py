"""Three villages on one long lane, far apart: little is recorded, and next to nothing at the first.

Nothing in it is real. Each village has a school on its main street. At Ashby a few crimes are
recorded, one here and one there. Brookend has a bus stop where twenty are recorded a year. At
Coldwell as few are recorded as at Ashby, but pupils feel unsafe at the end of the main street.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

# By the URN of their school
VILLAGES = {"100001": "Ashby", "100002": "Brookend", "100003": "Coldwell"}
APART_METRES = 6000
WEST, SOUTH = 430_000, 280_000
MAIN_STREET = np.arange(-360, 361, 60)  # Metres of its junctions from the school, from west to east
MONTHS = pd.period_range("2024-09", "2026-08", freq="M")

_to_degrees = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


def write_rural_area(folder: Path, *, reports: int = 8, settings: str = "") -> Path:
    """Write streets, schools, crimes and so many reports; gives the settings file."""
    _write_streets(folder / "streets.osm")
    east = APART_METRES * np.arange(len(VILLAGES))
    names = [f"{village} School" for village in VILLAGES.values()]
    _write_table(folder / "schools.csv", east, 0 * east, URN=[*VILLAGES], EstablishmentName=names)
    _write_crimes(folder / "crimes.csv")
    columns = {"report_id": [f"R{number}" for number in range(reports)]}
    columns |= {"reported_on": "2026-05-04", "time_band": "after_school"}
    columns |= {"place_factor": "isolated", "behaviour_factor": "groups_loitering"}
    x, y = np.full((2, reports), [[2 * APART_METRES + 330.0], [2.0]])
    _write_table(folder / "reports.csv", x, y, **columns)
    path = folder / "patrolplan.toml"
    path.write_text(
        '[area]\nname = "Three villages"\n[sources]\ncrimes = "crimes.csv"\n'
        f'reports = "reports.csv"\nschools = "schools.csv"\nstreets = "streets.osm"\n{settings}',
        encoding="utf-8",
    )
    return path


def _write_streets(path: Path) -> None:
    """A main street with side lanes in each village, and the lane that joins the villages."""
    places: dict[tuple[int, int], int] = {}
    ways: list[tuple[str, str, list[int]]] = []

    def add_way(name: str, kind: str, points: Iterable[tuple[int, int]]) -> None:
        ways.append((name, kind, [places.setdefault(point, len(places) + 1) for point in points]))

    for number, village in enumerate(VILLAGES.values()):
        x = number * APART_METRES
        add_way(f"{village} Street", "residential", [(x + along, 0) for along in MAIN_STREET])
        for name, at in ("Church Lane", -120), ("Mill Lane", 180):
            add_way(name, "unclassified", [(x + at, up) for up in range(0, 1000, 150)])
        if number:
            before = x - APART_METRES + MAIN_STREET[-1]
            between = range(int(before), x + int(MAIN_STREET[0]) + 1, 240)
            add_way("Long Lane", "unclassified", [(along, 0) for along in between])
    longitude, latitude = _place(*np.array(list(places), dtype=float).T)
    nodes = "".join(
        f"<node id='{node}' version='1' lon='{longitude[node - 1]}' lat='{latitude[node - 1]}'/>"
        for node in places.values()
    )
    lines = "".join(
        f"<way id='{number}' version='1'>"
        + "".join(f"<nd ref='{node}'/>" for node in nodes_of_way)
        + f"<tag k='highway' v='{kind}'/><tag k='name' v='{name}'/></way>"
        for number, (name, kind, nodes_of_way) in enumerate(ways, 1)
    )
    path.write_text(f"<osm version='0.6'>{nodes}{lines}</osm>", encoding="utf-8")


def _write_crimes(path: Path) -> None:
    """Four a year in each village, all in different places, and twenty a year at one bus stop."""
    rng = np.random.default_rng(1)
    spots = [(along, 0) for along in MAIN_STREET] + [(-120, 450), (180, 450)]
    x, y, months = [], [], []
    for number in range(len(VILLAGES)):
        for month in MONTHS[:: 12 // 4]:
            along, up = spots[rng.integers(len(spots))]
            x.append(number * APART_METRES + along)
            y.append(up)
            months.append(str(month))
    stop = rng.choice(MONTHS.astype(str), 40)
    x += [APART_METRES + 240] * len(stop)
    y += [0] * len(stop)
    kinds = rng.choice(["Violence and sexual offences", "Anti-social behaviour"], len(x))
    _write_table(path, np.array(x), np.array(y), **{"Month": [*months, *stop], "Crime type": kinds})


def _write_table(path: Path, x: ArrayLike, y: ArrayLike, **columns: Any) -> None:  # noqa: ANN401
    longitude, latitude = _place(x, y)
    table = pd.DataFrame(columns, index=range(len(x)))
    table.assign(Longitude=longitude, Latitude=latitude).to_csv(path, index=False)


def _place(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _to_degrees.transform(np.asarray(x, float) + WEST, np.asarray(y, float) + SOUTH)
