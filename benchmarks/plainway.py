"""The plain way to plan patrols: osmnx, networkx, DBSCAN, a greedy walk and folium.

It counts twelve months, finds clusters and walks greedily: it only shows where to go. It is written
carefully, as by somebody who knows the libraries: points are weighted instead of repeated, walks
are searched only within a cutoff, and nearest nodes once.
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

EPS_METRES, MIN_CLUSTER_CRIMES = 60.0, 30
TRAINING_MONTHS = 12

METRES = Transformer.from_crs(4326, 27700, always_xy=True)


def compare_with_baseline(folder: Path, to_plans: float) -> dict[str, Any]:
    """The plain way on the same files, and its processor seconds as a ratio to ours.

    `to_plans` are the processor seconds of ours from a warm load to all plans.
    """
    with tempfile.TemporaryDirectory() as work:
        streets = Path(work) / "streets.osm"
        write_xml(folder / "streets.osm.pbf", streets)  # osmnx reads no .pbf; this is not counted
        begun = time.process_time()
        schools = plan_baseline(folder, streets, Path(work) / "map.html")
        processor = time.process_time() - begun
    return {
        "schools": schools,
        "short": {
            "processor_seconds": round(processor, 1),
            "times_ours": round(processor / to_plans, 2),
        },
        "our_processor_seconds": to_plans,
    }


def write_xml(source: Path, target: Path) -> None:
    """Ways of a street file for osmnx, which would treat buildings as streets."""
    with osmium.SimpleWriter(str(target)) as writer:
        for item in osmium.FileProcessor(str(source)):
            if item.is_node() or (item.is_way() and "highway" in item.tags):
                writer.add(item)


def plan_baseline(folder: Path, streets: Path, page: Path) -> int:
    """Patrols of every school on a map; gives how many schools there are."""
    graph = ox.graph_from_xml(streets, bidirectional=True, retain_all=False)
    graph = ox.convert.to_undirected(ox.project_graph(graph, to_crs="EPSG:27700"))
    crimes = _read_crimes(folder).select_last_months(TRAINING_MONTHS)
    routes = _Schools.read(folder).plan_routes(graph, *_find_clusters(crimes))
    chart = folium.Map(tiles=None)
    for route in routes.values():
        _draw_route(chart, graph, route)
    chart.save(page)
    return len(routes)


@dataclass(frozen=True)
class _Crimes:
    """Incidents of the categories that count: one row each, with month, category and metres."""

    table: pd.DataFrame

    def select_last_months(self, count: int) -> _Crimes:
        months = sorted(self.table["Month"].unique())[-count:]
        return _Crimes(self.table[self.table["Month"].isin(months)])

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
