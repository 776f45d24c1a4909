"""Made-up schools, crimes and reports on a street file of any place; nothing but streets is real.

Three schools stand on streets with names, far apart. Crime gathers on a few streets and lies
thinly on all others; pupils feel unsafe at two places.
"""

import numpy as np
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.inputs.streets import read_osm_streets
from patrolplan.network import build_network
from patrolplan.tables import LeftOut

SCHOOLS = {"200001": "Drawn Primary School", "200002": "Drawn Academy", "200003": "Drawn College"}
"""By their URN."""

MONTHS = pd.period_range("2024-09", "2026-08", freq="M").astype(str)
KINDS = ("Violence and sexual offences", "Robbery", "Anti-social behaviour")
MIN_APART_METRES = 250.0
HOT_STREETS, CRIMES, REPORTS = 25, 1500, 12
"""Pieces of street that crime gathers on, crimes in all, and reports at each of two places."""


def write_seeded_area(folder, streets, *, seed=1, settings=""):
    """Write schools, crimes and reports on this street file; gives the settings file."""
    rng, projection = np.random.default_rng(seed), Projection()
    network = build_network(
        read_osm_streets(streets, projection, LeftOut()), projection, LeftOut()
    ).walkable
    low, high = np.percentile(network.piece_middle, (10, 90), axis=0)
    inner = ((network.piece_middle >= low) & (network.piece_middle <= high)).all(axis=1)
    named = np.flatnonzero(inner & (network.piece_name != ""))
    hot = rng.choice(named, HOT_STREETS, replace=False)
    gathered = rng.choice(hot, int(0.7 * CRIMES), p=rng.dirichlet(np.full(HOT_STREETS, 0.6)))
    crimes = np.r_[gathered, rng.choice(np.flatnonzero(inner), CRIMES - len(gathered))]
    _write_table(
        folder / "crimes.csv",
        projection,
        network.piece_middle[crimes],
        {"Month": rng.choice(MONTHS, CRIMES), "Crime type": rng.choice(KINDS, CRIMES)},
    )
    gates = network.piece_middle[_choose_apart(network.piece_middle, rng.permutation(named))]
    _write_table(
        folder / "schools.csv",
        projection,
        gates,
        {"URN": list(SCHOOLS), "EstablishmentName": list(SCHOOLS.values())},
    )
    feared = np.repeat(rng.choice(named, 2, replace=False), REPORTS)
    _write_table(
        folder / "reports.csv",
        projection,
        network.piece_middle[feared],
        {
            "report_id": [f"R{number}" for number in range(len(feared))],
            "reported_on": "2026-05-04",
            "time_band": "after_school",
            "place_factor": "isolated",
            "behaviour_factor": "groups_loitering",
        },
    )
    path = folder / "patrolplan.toml"
    path.write_text(
        '[area]\nname = "Drawn on real streets"\n[sources]\ncrimes = "crimes.csv"\n'
        f'reports = "reports.csv"\nschools = "schools.csv"\nstreets = "{streets}"\n{settings}',
        encoding="utf-8",
    )
    return path


def _choose_apart(xy, order):
    """The first of these rows that lie far enough from each other, one for each school."""
    chosen = []
    for row in order:
        if all(np.hypot(*(xy[row] - xy[other])) >= MIN_APART_METRES for other in chosen):
            chosen.append(row)
    return np.array(chosen[: len(SCHOOLS)])


def _write_table(path, projection, xy, columns):
    longitude, latitude = projection.to_degrees(*xy.T)
    table = pd.DataFrame(columns, index=range(len(xy)))
    table.assign(Longitude=longitude, Latitude=latitude).to_csv(path, index=False)
