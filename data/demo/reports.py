"""Pupils' reports: invented, untidy as a real return is, a third around three feared places."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from demo.crimes import SnapPoints
from demo.frame import to_lonlat
from demo.layout import Plan
from demo.schools import SCHOOLS, TERMS

COUNT = 700
FIRST, LAST = "2025-09-01", "2026-09-30"
FEARED = {  # street, share of all reports, its place factors
    "Tinder Alley": (0.13, ("poor_lighting", "poor_lighting", "isolated", "litter_or_damage")),
    "The Long Walk": (0.11, ("isolated", "overgrown", "poor_lighting", "isolated")),
    "Fletcher Arch": (0.10, ("poor_lighting", "isolated", "litter_or_damage", "poor_lighting")),
}
NEAR_SCHOOL = 0.33
BANDS = {"before_school": 0.17, "lunch": 0.09, "after_school": 0.53, "evening": 0.21}
PLACE = {
    "poor_lighting": 0.2,
    "isolated": 0.15,
    "overgrown": 0.07,
    "litter_or_damage": 0.16,
    "blocked_pavement": 0.09,
    "none": 0.33,
}
BEHAVIOUR = {
    "groups_loitering": 0.29,
    "followed": 0.08,
    "verbal_abuse": 0.13,
    "robbery_or_threat": 0.08,
    "drug_use": 0.08,
    "traffic": 0.12,
    "none": 0.22,
}
COMMENTS = (
    "it is so dark here in winter",
    "<b>please</b> put a light up",
    "the lamp has been out for weeks",
    "my friend A. Nonymous (made up) was shouted at",
    "call me on 07700 900123 (made-up number)",
    "boys from another school wait here",
    "cars go too fast",
    "bins everywhere, rats =(",
    "<script>alert('fictional')</script>",
    "I go the long way round now",
    "=1+1 not a formula",
)
COMMENTED = 0.22
COLUMNS = (
    "report_id",
    "school_urn",
    "reported_on",
    "time_band",
    "place_factor",
    "behaviour_factor",
    "longitude",
    "latitude",
    "comment",
)

Floats = NDArray[np.float64]


def _drawn(shares: dict[str, float], count: int, rng: Generator) -> NDArray[np.str_]:
    """Values drawn by their shares."""
    weights = np.array(list(shares.values()))
    return rng.choice(list(shares), count, p=weights / weights.sum())


def _school_days() -> NDArray[np.str_]:
    """Weekdays in term."""
    days = pd.bdate_range(FIRST, LAST)
    spans = [(kind, pd.Timestamp(a), pd.Timestamp(b)) for urn, a, b, kind in TERMS if urn == "*"]
    term = np.zeros(len(days), dtype=bool)
    for wanted in ("term", "closed"):
        for kind, first, last in spans:
            if kind == wanted:
                term[(days >= first) & (days <= last)] = kind == "term"
    return days[term].strftime("%Y-%m-%d").to_numpy(dtype=str)


def _street_points(plan: Plan) -> Floats:
    """Points every 20 m or so along the streets that are open on foot."""
    shut = {"trunk", "corridor", "elevator", "construction"}
    points = [
        (p.x, p.y)
        for s in plan.streets
        if s.tags["highway"] not in shut and s.tags.get("access") != "private"
        for p in (s.line.interpolate(a) for a in np.arange(5, s.line.length, 20))
    ]
    return np.array(points)


def _onto_streets(targets: Floats, streets: Floats, rng: Generator) -> Floats:
    """Each target moved to the nearest street, with a pupil's careless finger."""
    away = ((targets[:, None, :] - streets[None]) ** 2).sum(axis=2)
    return streets[away.argmin(axis=1)] + rng.normal(0, 5, targets.shape)


def _feared_points(plan: Plan, name: str, count: int, rng: Generator) -> Floats:
    """Points in and around a feared place."""
    line = next(s.line for s in plan.streets if s.tags.get("name") == name)
    along = rng.uniform(0.2, 0.8, count) * line.length
    points = np.array([line.interpolate(a).coords[0] for a in along])
    return points + rng.normal(0, 14, (count, 2))


def _rows(plan: Plan, points: SnapPoints, rng: Generator) -> pd.DataFrame:
    """Tidy reports with plan coordinates x, y."""
    open_schools = [s.urn for s in SCHOOLS if s.status.startswith("Open")]
    sites = np.array([plan.schools[u].centroid.coords[0] for u in open_schools])
    size = np.array([s.pupils for s in SCHOOLS if s.status.startswith("Open")], dtype=float)
    streets = _street_points(plan)
    near = round(COUNT * NEAR_SCHOOL)
    feared = {name: round(COUNT * share) for name, (share, _) in FEARED.items()}
    rest = COUNT - near - sum(feared.values())
    at_school = sites[rng.choice(len(sites), near, p=size / size.sum())]
    around = _onto_streets(at_school + rng.normal(0, 230, (near, 2)), streets, rng)
    weight = np.sqrt(points.table["weight"].to_numpy())
    busy = points.plan[rng.choice(len(weight), rest, p=weight / weight.sum())]
    parts = [around, _onto_streets(busy + rng.normal(0, 45, (rest, 2)), streets, rng)]
    place = [_drawn(PLACE, near + rest, rng)]
    for name, count in feared.items():
        parts.append(_feared_points(plan, name, count, rng))
        place.append(rng.choice(FEARED[name][1], count))
    xy = np.vstack(parts)
    away = np.hypot(*(xy[:, None, :] - sites[None]).T).T
    away *= rng.uniform(0.6, 1.4, away.shape)
    rows = pd.DataFrame(
        {
            "school_urn": np.array(open_schools)[away.argmin(axis=1)].astype(str),
            "reported_on": rng.choice(_school_days(), COUNT),
            "time_band": _drawn(BANDS, COUNT, rng),
            "place_factor": np.concatenate(place),
            "behaviour_factor": _drawn(BEHAVIOUR, COUNT, rng),
            "comment": np.where(rng.random(COUNT) < COMMENTED, rng.choice(COMMENTS, COUNT), ""),
        }
    )
    lonlat = to_lonlat(xy, digits=6)
    rows["longitude"] = [f"{v:.6f}" for v in lonlat[:, 0]]
    rows["latitude"] = [f"{v:.6f}" for v in lonlat[:, 1]]
    rows = rows.sort_values("reported_on", kind="stable").reset_index(drop=True)
    rows["report_id"] = [f"R{i + 1:05d}" for i in range(COUNT)]
    return rows.reindex(columns=COLUMNS)


def _untidy(rows: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Spoil some rows in the ways that real returns are spoilt."""
    bad = rng.choice(len(rows), 31, replace=False)
    place = ["longitude", "latitude"]
    rows.loc[bad[:10], place] = ""
    rows.loc[bad[10:16], place] = rows.loc[bad[10:16], place[::-1]].to_numpy()
    rows.loc[bad[16:20], place] = "0"
    rows.loc[bad[20:22], "reported_on"] = "2026-02-30"
    rows.loc[bad[22:24], "reported_on"] = "31/11/2025"
    rows.loc[bad[24:29], "time_band"] = [
        "afterschool",
        "After School",
        "evenning",
        "lunch time",
        "befor_school",
    ]
    rows.loc[bad[29], "place_factor"] = "no lights"
    again = rows.loc[[bad[30], (bad[30] + 40) % len(rows)]]
    return pd.concat([rows, again], ignore_index=True)


def write_reports(plan: Plan, points: SnapPoints, path: Path, rng: Generator) -> None:
    """Write reports.csv."""
    rows = _untidy(_rows(plan, points, rng), rng)
    rows.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
