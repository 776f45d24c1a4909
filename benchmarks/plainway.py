"""The plain way to plan patrols: osmnx, networkx, DBSCAN, a greedy walk and folium.

It does less: no back-tested risk, no harm, no bound, no variants, no held-out sentence. Points of
DBSCAN are weighed instead of repeated, and walks are looked for within the radius only; without
that care it would be slower still.
"""

from __future__ import annotations

import csv
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import folium
import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pandas as pd
from sklearn.cluster import DBSCAN

import patrolplan as pp
from patrolplan.patrols.case import school_case
from patrolplan.patrols.plain import stretch_around
from patrolplan.patrols.windows import window_of
from patrolplan.places import street_labels

EPS_METRES, LEAST_CRIMES = 60.0, 30
STRETCH_METRES = 300.0


def beside(folder: Path, ours: dict[str, Any]) -> dict[str, Any]:
    """The plain way on the same files, as a ratio to ours, and what its patrols are worth."""
    with tempfile.TemporaryDirectory() as work:
        streets = Path(work) / "streets.osm"
        _as_xml(folder / "streets.osm.pbf", streets)  # osmnx reads no .pbf; this is not counted
        begun, processor = time.perf_counter(), time.process_time()
        stops = plan_plainly(folder, streets, Path(work) / "map.html")
        seconds = time.perf_counter() - begun
        processor = time.process_time() - processor
    to_plans = ours["warm load to all plans"]
    worth, plain_worth = _worths(folder, stops)
    return {
        "schools": len(stops),
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "times_ours": round(processor / to_plans["processor_seconds"], 2),
        "times_ours_with_cold_import": round(
            processor
            / (
                ours["cold import"]["processor_seconds"]
                - ours["warm load"]["processor_seconds"]
                + to_plans["processor_seconds"]
            ),
            2,
        ),
        "mean_worth": round(plain_worth, 4),
        "our_mean_worth": round(worth, 4),
    }


def _as_xml(source: Path, target: Path) -> None:
    """Ways of a street file for osmnx, which would take buildings for streets."""
    with osmium.SimpleWriter(str(target)) as writer:
        for item in osmium.FileProcessor(str(source)):
            if item.is_node() or (item.is_way() and "highway" in item.tags):
                writer.add(item)


def plan_plainly(folder: Path, streets: Path, page: Path) -> dict[str, list[tuple[float, float]]]:
    """Stops of every school in longitude and latitude, in their order."""
    graph = ox.graph_from_xml(streets, bidirectional=True, retain_all=False)
    graph = ox.convert.to_undirected(ox.project_graph(graph, to_crs="EPSG:27700"))
    centres, crimes = _clusters(folder)
    node = ox.nearest_nodes(graph, centres[:, 0], centres[:, 1])
    settings = pp.load_settings(folder / "patrolplan.toml").patrol
    budget = (settings.window_minutes - settings.gate_minutes) * settings.walking_speed_kmh / 0.06
    dwell = settings.dwell_minutes * settings.walking_speed_kmh / 0.06
    chart = folium.Map(tiles=None)
    stops = {}
    for urn, x, y in _schools(folder):
        gate = ox.nearest_nodes(graph, x, y)
        route = _greedy(graph, gate, node, crimes, (budget, dwell, settings.radius_metres))
        stops[urn] = [tuple(centres[at]) for at in route]
        _draw(chart, graph, [gate, *(node[at] for at in route), gate])
    chart.save(page)
    return stops


def _clusters(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Middle and crimes of every cluster of the last twelve months."""
    files = sorted((folder / "crimes").glob("*/*-street.csv"))
    table = pd.concat([pd.read_csv(path) for path in files])
    wanted = pp.load_settings(folder / "patrolplan.toml").crimes.counted
    last = sorted(table["Month"].unique())[-12:]
    table = table[table["Month"].isin(last) & table["Crime type"].isin(wanted)]
    points = table.groupby(["Longitude", "Latitude"]).size().reset_index(name="crimes")
    xy = np.column_stack(_metres(points["Longitude"], points["Latitude"]))
    weight = points["crimes"].to_numpy()
    label = DBSCAN(eps=EPS_METRES, min_samples=LEAST_CRIMES).fit_predict(xy, sample_weight=weight)
    kept = label >= 0
    crimes = np.bincount(label[kept], weight[kept])
    sums = [np.bincount(label[kept], weight[kept] * xy[kept, axis]) for axis in (0, 1)]
    return np.column_stack(sums) / crimes[:, None], crimes


def _metres(longitude: pd.Series, latitude: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    from pyproj import Transformer  # noqa: PLC0415

    return Transformer.from_crs(4326, 27700, always_xy=True).transform(longitude, latitude)


def _schools(folder: Path) -> list[tuple[str, float, float]]:
    with (folder / "schools.csv").open(encoding="cp1252") as stream:
        return [
            (row["URN"], float(row["Easting"]), float(row["Northing"]))
            for row in csv.DictReader(stream)
            if row["EstablishmentStatus (name)"] == "Open"
            and row["PhaseOfEducation (name)"] == "Secondary"
        ]


def _greedy(
    graph: nx.MultiGraph,
    gate: int,
    node: list[int],
    crimes: np.ndarray,
    limits: tuple[float, float, float],
) -> list[int]:
    """Clusters in the order of the visits: always most crimes a metre of what still fits."""
    budget, dwell, radius = limits
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
            if node[at] in away and spent + away[node[at]] + dwell + home[node[at]] <= budget
        ]
        if not fits:
            break
        best = max(fits, key=lambda at: crimes[at] / (away[node[at]] + dwell))
        spent += away[node[best]] + dwell
        here = node[best]
        route.append(best)
        left.remove(best)
    return route


def _draw(chart: folium.Map, graph: nx.MultiGraph, order: list[int]) -> None:
    from pyproj import Transformer  # noqa: PLC0415

    back = Transformer.from_crs(27700, 4326, always_xy=True)
    for start, end in pairwise(order):
        walk = nx.shortest_path(graph, start, end, weight="length")
        x, y = back.transform(
            [graph.nodes[at]["x"] for at in walk], [graph.nodes[at]["y"] for at in walk]
        )
        folium.PolyLine(list(zip(y, x, strict=True))).add_to(chart)
        folium.Marker((y[-1], x[-1])).add_to(chart)


def _worths(folder: Path, stops: dict[str, list[tuple[float, float]]]) -> tuple[float, float]:
    """Mean worth of our patrols, and of the plain stops with a full stretch around each."""
    area = pp.load_area(folder / "patrolplan.toml")
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots, held_out=False)
    ours = [patrol.worth for patrol in plan.patrols]
    labels, window = street_labels(area.network), window_of(area.settings.patrol)
    plain = []
    for row, urn in enumerate(area.schools["urn"]):
        case = school_case(area, risk, hotspots, row, labels=labels, window=window)
        reach = case.reach
        within = hotspots["worth"].to_numpy()[reach.candidates[0]] / reach.worth[0]
        at = reach.network.snap(np.array(stops[urn]).reshape(-1, 2)).piece
        around = [stretch_around(reach.network, int(piece), STRETCH_METRES) for piece in at]
        pieces = np.unique(np.concatenate([*around, np.empty(0, dtype=np.int64)]))
        plain.append(float(risk.joined[reach.pieces[pieces]].sum() / within))
    return float(np.mean(ours)), float(np.mean(plain))
