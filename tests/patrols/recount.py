"""What a card promises, counted again from plan.json, plan.gpkg and the pupils of each minute."""

import json

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from pyproj import Transformer


def read_minutes(clock):
    """HH:MM as minutes after midnight."""
    return int(clock[:2]) * 60 + int(clock[3:])


class Papers:
    """A plan's folder, and the risk and the pupils that it was made from."""

    def __init__(self, folder, risk):
        self.plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        self.streets = gpd.read_file(folder / "plan.gpkg", layer="risk")
        legs = gpd.read_file(folder / "plan.gpkg", layer="legs")
        self.leg_metres = legs.groupby("urn")["geometry"].apply(lambda one: one.length.sum())
        self.to_metres = Transformer.from_crs("EPSG:4326", self.streets.crs, always_xy=True)
        self.risk, self.sight_metres = risk, 75
        self.pupils = risk.pupils
        self.graph = nx.Graph()
        for line in self.streets.geometry:
            ends = [tuple(np.round(line.coords[k], 2)) for k in (0, -1)]
            if not self.graph.has_edge(*ends) or self.graph.edges[ends]["metres"] > line.length:
                self.graph.add_edge(*ends, metres=line.length)

    def find_seen(self, lon_lat):
        """Streets with an end in walked sight of a place, and its own."""
        here = shapely.Point(self.to_metres.transform(*lon_lat))
        own = int(np.argmin(self.streets.distance(here)))
        line = self.streets.geometry.iloc[own]
        along = line.project(here)
        graph = self.graph.copy()
        for k, metres in ((0, along), (-1, line.length - along)):
            graph.add_edge("here", tuple(np.round(line.coords[k], 2)), metres=metres)
        away = nx.single_source_dijkstra_path_length(
            graph, "here", cutoff=self.sight_metres, weight="metres"
        )
        seen = [
            number
            for number, line in enumerate(self.streets.geometry)
            if any(tuple(np.round(line.coords[k], 2)) in away for k in (0, -1))
        ]
        return np.union1d(seen, [own])

    def weigh(self, urn, lon_lat, begin, end):
        """Worth of standing at a place between two clock times: risk by the share of own pupils."""
        seen, worth = self.find_seen(lon_lat), 0.0
        for minute in range(read_minutes(begin), read_minutes(end)):
            own = self.pupils.count_at(minute, urn=urn)[seen]
            everybody = np.maximum(self.pupils.count_at(minute)[seen], own)
            share = np.divide(own, everybody, out=np.zeros_like(own), where=own > 0)
            worth += float(self.risk.in_time.compute_rate(minute)[seen] @ share)
        return worth

    def check(self, patrol):
        """Arrivals, waiting, distance and worth of a card, as written to the minute and by 5 %."""
        stops, legs, urn = patrol["stops"], patrol["legs"], patrol["urn"]
        now = read_minutes(patrol["gate_until"])
        stays = [(patrol["gate"]["point"], patrol["start"], patrol["gate_until"])]
        for stop, leg in zip(stops, legs, strict=False):
            arrive, leave = read_minutes(stop["arrive"]), read_minutes(stop["leave"])
            # Who would be early waits at the place before, so that nobody waits on arrival.
            assert abs(now + leg["minutes"] + leg.get("waiting_minutes", 0.0) - arrive) <= 1.01
            assert leave - arrive >= 14
            stays.append((stop["point"], stop["arrive"], stop["leave"]))
            now = leave
        if legs:
            now += legs[-1]["minutes"] + legs[-1].get("waiting_minutes", 0.0)
            assert abs(self.leg_metres[urn] - patrol["walked_metres"]) <= 2
            back = f"{round(now) // 60:02}:{round(now) % 60:02}"
            stays.append((patrol["gate"]["point"], back, patrol["end"]))
        assert patrol["end"] == patrol["latest_end"]
        assert now <= read_minutes(patrol["end"]) + 1.01
        worths = [self.weigh(urn, *stay) for stay in stays]
        plain = self.weigh(urn, patrol["gate"]["point"], patrol["start"], patrol["latest_end"])
        for stop, worth in zip(stops, worths[1:], strict=False):
            assert abs(stop["worth"] - worth / sum(worths)) <= 0.025 + 0.03
        ratio = patrol["reference"]["worth_ratio"]
        assert ratio <= sum(worths) / plain * 1.05 + 0.025
        return ratio / (sum(worths) / plain)
