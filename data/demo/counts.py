"""Pupils counted at three corners near one school, from a hidden truth.

The truth differs from what is assumed of pupils' ways home in every factor. Counts have groups,
whose pupils come together, and days on which more or fewer come.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import special

import patrolplan as pp
from patrolplan.area.study_area import find_school
from patrolplan.inputs.small_tables import write_counts as format_counts
from patrolplan.pupils import destinations, flows
from patrolplan.pupils.corners import choose_corners
from patrolplan.pupils.counted import divide
from patrolplan.pupils.flows import SchoolPupils, follow_pupils
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, share_left
from patrolplan.pupils.model import JourneyModel

URN = "900003"

TRUTH = {
    "homes": 0.7,  # of the logarithm of how many live at a place, as alike as exp(-metres / 500)
    "stops": 0.7,  # of the logarithm of how many go to a stop, each by itself
    "decay": 0.3,  # of the logarithm of the length over which homes fall to a third
    "walk": 0.5,  # of the log odds of walking; of riding, by themselves, as much
    "leave": 0.35,  # of the logarithm of the mean minutes from bell to gate
    "late": 0.5,  # of the log odds of leaving later
    "late_minutes": 12.0,
    "spread": 0.3,  # of the logarithm of the detour that makes a way a third as likely
    "speed": 0.08,  # of the logarithm of the speed
    "day": 0.1,  # of the logarithm of how many come on the day of a count
}
"""Standard deviations of the truth around what is assumed."""

ALIKE_METRES, CELL_METRES = 500.0, 100.0
GROUP = 2.0  # variance of a count over its mean
ROWS = [(5 * row, 5 * row + 5) for row in range(6)]
CLUBS_AROUND = 15  # minutes before and after the time at which clubs are assumed to end
MOST_ON_FOOT = 0.97


class Truth(NamedTuple):
    """A school as it really is, pupils who pass each node of its tree, speed, and the odd day."""

    school: SchoolPupils
    node_flow: NDArray[np.float64]
    speed: float
    day: float

    def count(self, node: int, metres: float, begin: float, end: float, rng: Generator) -> int:
        """Pupils who pass a node between two times after the bell, on one day."""
        curve = (self.school.leave_minutes, *self.school.late)
        share = np.diff(share_left(np.array([begin, end]) - metres / self.speed, *curve))[0]
        mean = self.node_flow[node] * self.day * share
        return int(rng.negative_binomial(mean / (GROUP - 1), 1 / GROUP)) if mean > 0 else 0


def draw_field(xy: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """(n,) factors of places: neighbourhoods that send more pupils, and fewer."""
    cells, at = np.unique(np.floor(xy / CELL_METRES), axis=0, return_inverse=True)
    apart = CELL_METRES * np.hypot(*(cells[:, None] - cells[None]).transpose(2, 0, 1))
    root = np.linalg.cholesky(np.exp(-apart / ALIKE_METRES) + 1e-9 * np.eye(len(cells)))
    return np.exp(TRUTH["homes"] * (root @ rng.standard_normal(len(cells))))[at.ravel()]


def draw_truth(area: pp.StudyArea, number: int, rng: Generator) -> Truth:
    """A school whose every factor is another than the one that is assumed."""
    moved = {name: rng.normal(0, deviation) for name, deviation in TRUTH.items()}
    assumed = destinations.DECAY_METRES, flows.SPREAD_METRES
    destinations.DECAY_METRES = tuple(np.exp(moved["decay"]) * one for one in assumed[0])
    flows.SPREAD_METRES = float(np.exp(moved["spread"])) * assumed[1]
    try:
        model = JourneyModel(area)
        walk, ride = model.modes[:, 0], model.modes[:, 1:].sum(axis=1)
        shares = [_move(walk, moved["walk"]), _move(ride, rng.normal(0, TRUTH["walk"]))]
        shares /= np.maximum(np.sum(shares, axis=0) / MOST_ON_FOOT, 1.0)
        by_ride = model.modes[:, 1:] / np.maximum(ride, 1e-9)[:, None]
        model.modes = np.column_stack([shares[0], shares[1][:, None] * by_ride])
        journeys = model.trace(number)
        tree = journeys.tree
        exits = tree.network.node_xy[tree.nodes[journeys.walkers.exits]]
        homes = draw_field(np.r_[tree.network.piece_middle[tree.link_piece], exits], rng)
        stops = np.exp(rng.normal(0, TRUTH["stops"], len(journeys.stop_pupils)))
        drawn = journeys.scale(np.r_[homes, stops])
        # Who goes where is drawn; how many walk and ride in all is the share drawn above.
        homes = homes * journeys.walkers.total / drawn.walkers.total
        stops = stops * journeys.stop_pupils.sum() / max(drawn.stop_pupils.sum(), 1e-9)
        drawn = journeys.scale(np.r_[homes, stops])
        school, flow = follow_pupils(area, number, drawn), drawn.walk()[0]
    finally:
        destinations.DECAY_METRES, flows.SPREAD_METRES = assumed
    node_flow = np.bincount(tree.link_nodes[:, 1], flow, tree.root + 1)
    share, minutes = school.late
    late = float(_move(np.array(share), moved["late"])), max(minutes + moved["late_minutes"], 20.0)
    leave = area.settings.way_home.leave_minutes * float(np.exp(moved["leave"]))
    school = replace(school, leave_minutes=leave, late=late)
    speed = PUPIL_METRES_PER_MINUTE * float(np.exp(moved["speed"]))
    return Truth(school, node_flow, speed, float(np.exp(moved["day"])))


def _move(share: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """A share with its log odds moved; 0 and 1 stay."""
    return np.where((share > 0) & (share < 1), special.expit(special.logit(share) + by), share)


def count_school(area: pp.StudyArea, number: int, truth: Truth, rng: Generator) -> gpd.GeoDataFrame:
    """One afternoon at each of the corners that the program chooses, as a table."""
    journeys, late = JourneyModel(area).trace(number), area.settings.way_home.late_minutes
    nodes = choose_corners(journeys, divide(journeys), area.settings.way_home.late_share)
    tree, rows = journeys.tree, []
    for node in nodes:
        for begin, end in [*ROWS, (late - CLUBS_AROUND, late + CLUBS_AROUND)]:
            pupils = truth.count(node, tree.node_metres[node], begin, end, rng)
            hours = [truth.school.bell_minutes + minutes for minutes in (begin, end)]
            rows.append([truth.school.urn, *hours, pupils, *tree.network.node_xy[tree.nodes[node]]])
    table = pd.DataFrame(rows, columns=["urn", "from_minutes", "to_minutes", "pupils", "x", "y"])
    points = gpd.points_from_xy(table.pop("x"), table.pop("y"), crs=area.projection.crs)
    return gpd.GeoDataFrame(table.assign(date=pd.Timestamp("2026-12-03")), geometry=points)


def write_counts(folder: Path, rng: Generator) -> None:
    """Write one afternoon at each corner that the program chooses."""
    area = pp.load_area(folder / "patrolplan.toml")
    number = find_school(area, URN)
    counts = count_school(area, number, draw_truth(area, number, rng), rng)
    text = format_counts(counts, area.projection)
    (folder / "counts.csv").write_text(text, encoding="utf-8", newline="\n")
