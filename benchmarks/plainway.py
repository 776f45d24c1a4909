"""Plain ways to plan patrols: osmnx, networkx, DBSCAN, a greedy walk and folium.

There are two. The *short* one counts twelve months, finds clusters and walks greedily: it only
shows where to go. The *whole* one computes the same as `patrolplan plan`, each part with the plain
tool: which way to estimate risk was best in each category on twelve past months (rolling origins,
kernels over networkx), whether clusters are stable when snap points are moved (DBSCAN forty times),
and what the patrols would have met in hold-out months. It still has no bound, no variants and no
detours. Both are written carefully, as by somebody who knows the libraries: points are weighted
instead of repeated, walks are searched only within a cutoff, and nearest nodes once.
"""

from __future__ import annotations

import csv
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import folium
import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pandas as pd
from pyproj import Transformer
from sklearn.cluster import DBSCAN

import patrolplan as pp
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem

EPS_METRES, MIN_CLUSTER_CRIMES = 60.0, 30
SIGHT_METRES = 75.0
BANDWIDTHS_METRES = (100.0, 200.0)
"""Bandwidths of kernels that are compared with the plain count."""

TRAINING_MONTHS, VALIDATION_MONTHS, HELD_OUT_MONTHS = 12, 12, 6
COVERAGE = 0.05
JITTERS, JITTER_METRES = 40, 60.0
NEAR_STOP_METRES = 50.0
"""A crime within this distance of a stop, in a straight line, counts as met."""

METRES = Transformer.from_crs(4326, 27700, always_xy=True)


def compare_with_baselines(folder: Path, to_plans: float) -> dict[str, Any]:
    """Both plain ways on the same files, as ratios to ours, and the worth of their patrols.

    `to_plans` are the processor seconds of ours from a warm load to all plans.
    """
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        streets = Path(work) / "streets.osm"
        write_xml(folder / "streets.osm.pbf", streets)  # osmnx reads no .pbf; this is not counted
        for name, whole in (("short", False), ("whole", True)):
            begun, processor = time.perf_counter(), time.process_time()
            stops, seen = plan_baseline(folder, streets, Path(work) / "map.html", whole=whole)
            seconds = time.perf_counter() - begun
            processor = time.process_time() - processor
            figures[name] = {
                "seconds": round(seconds, 1),
                "processor_seconds": round(processor, 1),
                "times_ours": round(processor / to_plans, 2),
            } | seen
    worth, plain_worth = _compute_mean_worths(folder, stops)
    return figures | {
        "schools": len(stops),
        "our_processor_seconds": to_plans,
        "mean_worth": round(plain_worth, 4),
        "our_mean_worth": round(worth, 4),
    }


def write_xml(source: Path, target: Path) -> None:
    """Ways of a street file for osmnx, which would treat buildings as streets."""
    with osmium.SimpleWriter(str(target)) as writer:
        for item in osmium.FileProcessor(str(source)):
            if item.is_node() or (item.is_way() and "highway" in item.tags):
                writer.add(item)


Stops = dict[str, list[tuple[float, float]]]
"""Metres of each school's stops, in their order."""


def plan_baseline(
    folder: Path, streets: Path, page: Path, *, whole: bool
) -> tuple[Stops, dict[str, Any]]:
    """Stops of every school, and intermediate results of the whole way."""
    graph = ox.graph_from_xml(streets, bidirectional=True, retain_all=False)
    graph = ox.convert.to_undirected(ox.project_graph(graph, to_crs="EPSG:27700"))
    crimes = _read_crimes(folder)
    seen: dict[str, Any] = {}
    if whole:
        seen["chosen"] = _choose_models(graph, crimes)
        seen["holds_when_moved"] = round(
            _measure_stability(crimes.select_last_months(TRAINING_MONTHS)), 2
        )
    schools = _Schools.read(folder)
    routes = schools.plan_routes(graph, *_find_clusters(crimes.select_last_months(TRAINING_MONTHS)))
    if whole:
        seen["met_in_held_out_months"] = _count_crimes_near_stops(graph, schools, crimes)
    chart = folium.Map(tiles=None)
    for route in routes.values():
        _draw_route(chart, graph, route)
    chart.save(page)
    return {urn: [xy for xy, _ in route[1:-1]] for urn, route in routes.items()}, seen


@dataclass(frozen=True)
class _Crimes:
    """Incidents of the categories that count: one row each, with month, category and metres."""

    table: pd.DataFrame

    @property
    def months(self) -> list[str]:
        return sorted(self.table["Month"].unique())

    def select_months(self, months: list[str]) -> _Crimes:
        return _Crimes(self.table[self.table["Month"].isin(months)])

    def select_last_months(self, count: int) -> _Crimes:
        return self.select_months(self.months[-count:])

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Metres of every distinct point, and its incidents."""
        rows = self.table.groupby(["x", "y"]).size().reset_index(name="crimes")
        return rows[["x", "y"]].to_numpy(), rows["crimes"].to_numpy()


def _read_crimes(folder: Path) -> _Crimes:
    files = sorted((folder / "crimes").glob("*/*-street.csv"))
    table = pd.concat([pd.read_csv(path) for path in files])
    wanted = pp.load_settings(folder / "patrolplan.toml").crimes.risk_categories
    table = table[table["Crime type"].isin(wanted)].dropna(subset=["Longitude", "Latitude"])
    x, y = METRES.transform(table["Longitude"], table["Latitude"])
    return _Crimes(table[["Month", "Crime type"]].assign(x=x, y=y))


def _find_clusters(crimes: _Crimes) -> tuple[np.ndarray, np.ndarray]:
    """Middle and crimes of every cluster."""
    xy, weight = crimes.points()
    label = DBSCAN(eps=EPS_METRES, min_samples=MIN_CLUSTER_CRIMES).fit_predict(
        xy, sample_weight=weight
    )
    chosen = label >= 0
    crimes_in = np.bincount(label[chosen], weight[chosen])
    sums = [np.bincount(label[chosen], weight[chosen] * xy[chosen, axis]) for axis in (0, 1)]
    return np.column_stack(sums) / crimes_in[:, None], crimes_in


def _choose_models(graph: nx.MultiGraph, crimes: _Crimes) -> dict[str, str]:
    """In each category, the count or kernel that captured most in the test months."""
    points = crimes.table[["x", "y"]].drop_duplicates()
    nearest = ox.nearest_nodes(graph, points["x"].to_numpy(), points["y"].to_numpy())
    table = crimes.table.merge(points.assign(node=nearest), on=["x", "y"])
    months = crimes.months
    chosen = {}
    for category, rows in table.groupby("Crime type"):
        caught = dict.fromkeys((0.0, *BANDWIDTHS_METRES), 0.0)
        for at in range(len(months) - VALIDATION_MONTHS, len(months)):
            learned = rows[rows["Month"].isin(months[at - TRAINING_MONTHS : at])]
            came = rows[rows["Month"] == months[at]].groupby("node").size()
            for bandwidth in caught:
                risk = _compute_kernel(graph, learned.groupby("node").size(), bandwidth)
                caught[bandwidth] += _count_captured(graph, risk, came)
        best = max(caught, key=lambda bandwidth: caught[bandwidth])
        chosen[str(category)] = f"kernel {best:g} m" if best else "count"
    return chosen


def _compute_kernel(graph: nx.MultiGraph, counts: pd.Series, bandwidth: float) -> dict[int, float]:
    """Risk of nodes: biweight kernel over walking distance, or the count without a bandwidth."""
    if not bandwidth:
        return dict(counts.items())
    risk: dict[int, float] = {}
    for node, count in counts.items():
        near = nx.single_source_dijkstra_path_length(graph, node, cutoff=bandwidth, weight="length")
        for other, metres in near.items():
            share = (1 - (metres / bandwidth) ** 2) ** 2
            risk[other] = risk.get(other, 0.0) + count * share
    return risk


def _count_captured(graph: nx.MultiGraph, risk: dict[int, float], came: pd.Series) -> float:
    """Incidents of the following month at the nodes of most risk, up to a share of all nodes."""
    top = sorted(risk, key=lambda node: -risk[node])[: int(COVERAGE * len(graph))]
    return float(came.reindex(top).sum())


def _measure_stability(crimes: _Crimes) -> float:
    """How often a cluster is found again when every snap point is moved slightly."""
    centres, _ = _find_clusters(crimes)
    xy, weight = crimes.points()
    rng = np.random.default_rng(1)
    again = 0
    for _ in range(JITTERS):
        moved = xy + rng.normal(0, JITTER_METRES / 2, xy.shape)
        label = DBSCAN(eps=EPS_METRES, min_samples=MIN_CLUSTER_CRIMES).fit_predict(
            moved, sample_weight=weight
        )
        found = moved[label >= 0]
        apart = [np.hypot(*(found - centre).T).min(initial=np.inf) for centre in centres]
        again += sum(metres <= EPS_METRES for metres in apart)
    return again / (JITTERS * max(1, len(centres)))


def _count_crimes_near_stops(graph: nx.MultiGraph, schools: _Schools, crimes: _Crimes) -> int:
    """Crimes of the hold-out months near the stops of patrols planned from the months before."""
    months = crimes.months
    before = crimes.select_months(months[:-HELD_OUT_MONTHS]).select_last_months(TRAINING_MONTHS)
    routes = schools.plan_routes(graph, *_find_clusters(before))
    came = crimes.select_months(months[-HELD_OUT_MONTHS:]).table[["x", "y"]].to_numpy()
    met = 0
    for route in routes.values():
        for xy, _ in route[1:-1]:
            met += int((np.hypot(*(came - xy).T) <= NEAR_STOP_METRES).sum())
    return met


Route = list[tuple[tuple[float, float], int]]
"""Metres and node of the gate, of every stop, and of the gate again."""


@dataclass(frozen=True)
class _Schools:
    """Open secondary schools, and the limits of a patrol."""

    rows: list[tuple[str, float, float]]
    budget_metres: float
    dwell_metres: float
    radius_metres: float

    @classmethod
    def read(cls, folder: Path) -> _Schools:
        settings = pp.load_settings(folder / "patrolplan.toml").patrol
        metres_a_minute = settings.walking_speed_kmh / 0.06
        with (folder / "schools.csv").open(encoding="cp1252") as stream:
            rows = [
                (row["URN"], float(row["Easting"]), float(row["Northing"]))
                for row in csv.DictReader(stream)
                if row["EstablishmentStatus (name)"] == "Open"
                and row["PhaseOfEducation (name)"] == "Secondary"
            ]
        return cls(
            rows,
            (settings.window_minutes - settings.gate_minutes) * metres_a_minute,
            settings.dwell_minutes * metres_a_minute,
            settings.radius_metres,
        )

    def plan_routes(
        self, graph: nx.MultiGraph, centres: np.ndarray, crimes: np.ndarray
    ) -> dict[str, Route]:
        """A greedy walk for every school."""
        node = ox.nearest_nodes(graph, centres[:, 0], centres[:, 1])
        found = {}
        for urn, x, y in self.rows:
            gate = ox.nearest_nodes(graph, x, y)
            stops = self._plan_greedily(graph, gate, node, crimes)
            at_gate = ((x, y), gate)
            found[urn] = [at_gate, *((tuple(centres[at]), node[at]) for at in stops), at_gate]
        return found

    def _plan_greedily(
        self, graph: nx.MultiGraph, gate: int, node: list[int], crimes: np.ndarray
    ) -> list[int]:
        """Clusters in the order of visits: always the feasible one with most crimes per metre."""
        radius, dwell = self.radius_metres, self.dwell_metres
        home = nx.single_source_dijkstra_path_length(graph, gate, cutoff=radius, weight="length")
        left = {at for at, there in enumerate(node) if there in home}
        here, spent, route = gate, 0.0, []
        while left:
            away = nx.single_source_dijkstra_path_length(
                graph, here, cutoff=2 * radius, weight="length"
            )
            fits = [
                at
                for at in left
                if node[at] in away
                and spent + away[node[at]] + dwell + home[node[at]] <= self.budget_metres
            ]
            if not fits:
                break
            best = max(fits, key=lambda at: crimes[at] / (away[node[at]] + dwell))
            spent += away[node[best]] + dwell
            here = node[best]
            route.append(best)
            left.remove(best)
        return route


def _draw_route(chart: folium.Map, graph: nx.MultiGraph, route: Route) -> None:
    back = Transformer.from_crs(27700, 4326, always_xy=True)
    for (_, start), (_, end) in pairwise(route):
        walk = nx.shortest_path(graph, start, end, weight="length")
        x, y = back.transform(
            [graph.nodes[at]["x"] for at in walk], [graph.nodes[at]["y"] for at in walk]
        )
        folium.PolyLine(list(zip(y, x, strict=True))).add_to(chart)
        folium.Marker((y[-1], x[-1])).add_to(chart)


def _compute_mean_worths(folder: Path, stops: Stops) -> tuple[float, float]:
    """Mean worth of our stops, and of the plain stops with a full stretch around each.

    Both use the mean risk of the window, so that the time of a stop does not matter.
    """
    area = pp.load_area(folder / "patrolplan.toml")
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots)
    inputs = PlanningInputs.from_area(area, risk, hotspots)
    worths = dict(zip(hotspots["hotspot"], hotspots["worth"], strict=True))
    radius = area.settings.patrol.radius_metres
    ours, plain = [], []
    for row, urn in enumerate(area.schools["urn"]):
        problem = build_school_problem(inputs, row)
        network, own_pieces = problem.surroundings.network, problem.surroundings.pieces
        around_gate = problem.surroundings.gate_metres <= radius
        within = problem.surroundings.take_values(risk.joined)[around_gate].sum()
        stops_of_ours = (s for patrol in plan.patrols if patrol.urn == urn for s in patrol.stops)
        ours.append(sum(worths.get(stop.hotspot, 0.0) for stop in stops_of_ours) / within)
        at = network.snap(np.array(stops[urn]).reshape(-1, 2)).piece
        middle = network.piece_middle[at]
        around = [network.find_pieces_within(xy, SIGHT_METRES) for xy in middle]
        pieces = np.unique(np.concatenate([*around, np.empty(0, dtype=np.int64)]))
        plain.append(float(risk.joined[own_pieces[pieces]].sum() / within))
    return float(np.mean(ours)), float(np.mean(plain))
