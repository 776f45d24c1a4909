"""Recorded crime in the native columns of data.police.uk, on anonymised snap points."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from demo import skeleton
from demo.frame import to_lonlat
from demo.layout import Plan, Street

MONTHS = pd.period_range("2024-10", "2026-09", freq="M")
ROWS_A_MONTH = 520.0
BTP_ROWS_A_MONTH = 21.0
FORCE, TRANSPORT = "Eastmere Police (fictional)", "British Transport Police"
COLUMNS = (
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Crime type",
    "Last outcome category",
    "Context",
)
ASB = "Anti-social behaviour"

# Written out, not imported: a demo borough made from the package's own names could not show that
# the package reads those of the real files. `benchmarks/world.py` stands apart for the same reason.
SHARES = {  # share of all rows, swing over the year (positive: more in summer)
    ASB: (0.215, 0.25),
    "Violence and sexual offences": (0.225, 0.08),
    "Theft from the person": (0.075, -0.05),
    "Other theft": (0.105, 0.02),
    "Shoplifting": (0.085, -0.06),
    "Vehicle crime": (0.075, -0.04),
    "Burglary": (0.045, -0.22),
    "Criminal damage and arson": (0.050, 0.05),
    "Public order": (0.045, 0.08),
    "Drugs": (0.030, 0.0),
    "Robbery": (0.032, -0.12),
    "Bicycle theft": (0.020, 0.3),
    "Other crime": (0.012, 0.0),
    "Possession of weapons": (0.006, 0.0),
}
CATEGORIES = tuple(SHARES)
BTP_SHARES = {
    "Theft from the person": 0.24,
    "Violence and sexual offences": 0.22,
    "Other theft": 0.2,
    "Public order": 0.2,
    "Bicycle theft": 0.06,
    "Drugs": 0.04,
    "Robbery": 0.04,
}
STREET = (ASB, "Theft from the person", "Robbery", "Violence and sexual offences", "Public order")
SHOPS = ("Shoplifting", "Other theft", "Theft from the person", "Public order", "Bicycle theft")
ESTATE = (
    ASB,
    "Drugs",
    "Violence and sexual offences",
    "Criminal damage and arson",
    "Possession of weapons",
    "Robbery",
)
SNATCH = ("Robbery", "Theft from the person", ASB)


@dataclass(frozen=True)
class Magnet:
    """A place that draws some crimes: how strongly, how far, and in which months."""

    name: str
    place: tuple[float, float]
    reach: float
    gain: float
    categories: tuple[str, ...]
    course: str = "steady"


MAGNETS = (
    Magnet("high street at the station", (1362, 1040), 120, 9, STREET + SHOPS),
    Magnet("bus station", (1450, 1025), 90, 9, STREET),
    Magnet("Market Place", (1232, 1236), 120, 9, SHOPS + STREET),
    Magnet("High Street, middle", (1350, 1420), 170, 5, STREET + SHOPS),
    Magnet("Pallister Walk", (1050, 440), 110, 22, ESTATE, "fading"),
    Magnet("Tressell Estate", (2300, 1870), 150, 7, ESTATE),
    Magnet("Staithe Wharf", (800, 180), 150, 5, ESTATE),
    Magnet("Tidewell corner", (520, 565), 110, 9, STREET),
    Magnet("Lanthorn Hill top", (1420, 1850), 130, 7, STREET),
    Magnet("Larkmoor corner", (545, 1592), 100, 7, STREET),
    Magnet("Park gate", (1640, 1032), 90, 6, SNATCH),
    Magnet("Hartsmere Parade", (2088, 700), 150, 28, SNATCH, "emerging"),
)
CLASS_WEIGHT = {
    "primary": 3.4,
    "secondary": 2.1,
    "tertiary": 1.3,
    "pedestrian": 4.0,
    "unclassified": 1.0,
    "residential": 1.0,
    "footway": 0.8,
    "path": 0.35,
    "service": 0.4,
    "steps": 0.5,
}
SPREAD = 0.75
EMERGING = {"2026-05": 0.35, "2026-06": 0.6, "2026-07": 0.85, "2026-08": 1.0, "2026-09": 1.0}
"""How strong the new place is in the months since it showed."""
SPACING, LEAST_APART, SHORTEST = 190.0, 78.0, 62.0
UNNAMED = {"footway": "Parking Area", "steps": "Pedestrian Subway", "path": "Park/open Space"}
KINDS_OF_PLACE = {
    "Market Place": "Shopping Area",
    "Station Approach": "Bus/coach Station",
    "Bakehouse Street": "Supermarket",
    "Mere Path": "Park/open Space",
}
LSOAS = 20
UNLOCATED, SHARED_ID, REPEATED_LATER = 0.02, 0.025, 0.0018
OUTCOMES = {
    "Investigation complete; no suspect identified": 0.44,
    "Unable to prosecute suspect": 0.27,
    "Status update unavailable": 0.07,
    "Awaiting court outcome": 0.06,
    "Local resolution": 0.05,
    "Offender given a caution": 0.04,
    "Court result unavailable": 0.04,
    "Further investigation is not in the public interest": 0.03,
}
OPEN_CASE = "Under investigation"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SnapPoints:
    """The fixed points that crimes are moved to."""

    plan: Floats
    table: pd.DataFrame


def _candidates(street: Street) -> list[tuple[float, float]]:
    """Points at even distances along a street, or its middle."""
    length = street.line.length
    count = max(1, round(length / SPACING))
    points = [street.line.interpolate((i + 0.5) * length / count) for i in range(count)]
    return [(p.x, p.y) for p in points]


def _location(street: Street) -> str:
    """What the Location column says."""
    name = street.tags.get("name", "")
    kind = KINDS_OF_PLACE.get(name) or name or UNNAMED.get(street.tags["highway"], "Parking Area")
    return f"On or near {kind}"


def snap_points(plan: Plan, rng: Generator) -> SnapPoints:
    """Choose the snap points: street by street, never two close together."""
    chosen: list[tuple[float, float]] = []
    rows = []
    order = sorted(plan.streets, key=lambda s: -CLASS_WEIGHT.get(s.tags["highway"], 0))
    for street in order:
        highway = street.tags["highway"]
        if highway not in CLASS_WEIGHT or street.tags.get("access") == "private":
            continue
        if street.line.length < SHORTEST:
            continue
        for x, y in _candidates(street):
            near = np.array(chosen or [(-1e6, -1e6)]) - (x, y)
            if np.hypot(near[:, 0], near[:, 1]).min() < LEAST_APART:
                continue
            chosen.append((x, y))
            rows.append((_location(street), CLASS_WEIGHT[highway]))
    places = np.array(chosen)
    lonlat = to_lonlat(places, digits=6)
    seats = places[rng.choice(len(places), LSOAS, replace=False)]
    seats = seats[np.argsort(seats[:, 1] * 10 + seats[:, 0])]
    lsoa = np.hypot(*(places[:, None, :] - seats[None]).T).T.argmin(axis=1)
    table = pd.DataFrame(rows, columns=["Location", "weight"])
    table["Longitude"], table["Latitude"] = lonlat[:, 0], lonlat[:, 1]
    table["LSOA code"] = [f"E09900{i + 1:03d}" for i in lsoa]
    table["LSOA name"] = [f"Eastmere {i // 4 + 1:03d}{'ABCD'[i % 4]}" for i in lsoa]
    table["weight"] *= np.exp(rng.normal(0, SPREAD, len(table)))
    return SnapPoints(places, table)


def _course(course: str, month: int) -> float:
    """How strong a magnet is in a month, 0 to 1."""
    if course == "emerging":
        return EMERGING.get(str(MONTHS[month]), 0.02)
    if course == "fading":
        return float(1 / (1 + np.exp((month - 12) / 2.2))) + 0.03
    return 1.0


def _rates(points: SnapPoints, month: int) -> Floats:
    """Expected rows by point and category in one month."""
    base = points.table["weight"].to_numpy()
    pull = np.ones((len(base), len(CATEGORIES)))
    steady = pull.copy()
    for magnet in MAGNETS:
        away = np.hypot(*(points.plan - magnet.place).T)
        near = magnet.gain * np.exp(-((away / magnet.reach) ** 2))
        for i, category in enumerate(CATEGORIES):
            if category in magnet.categories:
                pull[:, i] += near * _course(magnet.course, month)
                steady[:, i] += near * (magnet.course == "steady")
    shares = np.array([share for share, _ in SHARES.values()])
    swings = np.array([swing for _, swing in SHARES.values()])
    calendar = MONTHS[month].month
    season = 1 + swings * np.cos(2 * np.pi * (calendar - 7) / 12)
    total = (base[:, None] * steady).sum(axis=0)
    return ROWS_A_MONTH * shares * season * base[:, None] * pull / total


def _hex(rng: Generator, count: int) -> list[str]:
    """Crime IDs: 64 hexadecimal digits."""
    return [rng.bytes(32).hex() for _ in range(count)]


def _outcomes(crime_type: pd.Series, month: int, rng: Generator) -> NDArray[np.object_]:
    """Last outcomes; the newest months are still under investigation."""
    shares = np.array(list(OUTCOMES.values()))
    drawn = rng.choice(list(OUTCOMES), len(crime_type), p=shares / shares.sum()).astype(object)
    still_open = 0.85 * np.exp(-(len(MONTHS) - 1 - month) / 3.0) + 0.03
    drawn[rng.random(len(drawn)) < still_open] = OPEN_CASE
    drawn[(crime_type == ASB).to_numpy()] = ""
    return drawn


def _month(points: SnapPoints, month: int, rng: Generator) -> pd.DataFrame:
    """The force's rows of one month."""
    counts = rng.poisson(_rates(points, month))
    at, category = np.nonzero(counts)
    times = counts[at, category]
    rows = points.table.iloc[np.repeat(at, times)].reset_index(drop=True)
    rows["Crime type"] = np.array(CATEGORIES)[np.repeat(category, times)]
    rows["Month"] = str(MONTHS[month])
    rows["Reported by"] = rows["Falls within"] = FORCE
    rows["Crime ID"] = _hex(rng, len(rows))
    same = np.flatnonzero(rng.random(len(rows)) < SHARED_ID)
    same = same[same > 0]
    here = rows["Longitude"].to_numpy()
    same = same[here[same] == here[same - 1]]
    rows.loc[same, "Crime ID"] = rows["Crime ID"].to_numpy()[same - 1]
    rows.loc[rows["Crime type"] == ASB, "Crime ID"] = ""
    rows["Last outcome category"] = _outcomes(rows["Crime type"], month, rng)
    lost = rng.random(len(rows)) < UNLOCATED
    rows[["Longitude", "Latitude"]] = rows[["Longitude", "Latitude"]].map("{:.6f}".format)
    rows.loc[lost, ["Longitude", "Latitude", "LSOA code", "LSOA name"]] = ""
    rows.loc[lost, "Location"] = "No Location"
    return _in_order(rows)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Native columns, in the native order of rows."""
    ordered = rows.sort_values(["LSOA code", "Crime type", "Location", "Crime ID"], kind="stable")
    return ordered.reindex(columns=COLUMNS)


def _transport_month(month: int, rng: Generator) -> pd.DataFrame:
    """British Transport Police rows: all at the station."""
    count = rng.poisson(BTP_ROWS_A_MONTH)
    longitude, latitude = to_lonlat([skeleton.STATION], digits=6)[0]
    kinds = rng.choice(list(BTP_SHARES), count, p=list(BTP_SHARES.values()))
    rows = pd.DataFrame({"Crime type": kinds})
    rows["Crime ID"] = ""
    rows["Month"] = str(MONTHS[month])
    rows["Reported by"] = rows["Falls within"] = TRANSPORT
    rows["Longitude"], rows["Latitude"] = f"{longitude:.6f}", f"{latitude:.6f}"
    rows["Location"] = f"{skeleton.STATION_NAME} (station)"
    rows["LSOA code"], rows["LSOA name"] = "E09900010", "Eastmere 003B"
    rows["Last outcome category"] = "Status update unavailable"
    return _in_order(rows)


def _repeats(rows: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Rows that the archive will show again in the next month's file."""
    candidates = rows[(rows["Crime ID"] != "") & (rows["Longitude"] != "")]
    return candidates[rng.random(len(candidates)) < REPEATED_LATER]


def write_crimes(plan: Plan, folder: Path, rng: Generator) -> SnapPoints:
    """Write two files a month, as the archive has them."""
    points = snap_points(plan, rng)
    again = pd.DataFrame(columns=COLUMNS)
    for month, period in enumerate(MONTHS):
        inside = folder / str(period)
        inside.mkdir(parents=True, exist_ok=True)
        own = _month(points, month, rng)
        _write(pd.concat([own, again]), inside / f"{period}-eastmere-street.csv")
        _write(_transport_month(month, rng), inside / f"{period}-btp-street.csv")
        again = _repeats(own, rng)
    return points


def _write(rows: pd.DataFrame, path: Path) -> None:
    """Write one monthly file."""
    rows.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
