"""What a patrol's stops held, counted again from the papers and the crime files alone."""

import csv
import json

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.spatial import cKDTree

from patrolplan.risk.day_kinds import DAY_KINDS
from patrolplan.risk.declared_clock import build_declared_profile
from patrolplan.risk.history import get_harm_days

NO_STREET_METRES = 250.0


class Papers:
    """A plan's folder and the crime files that it was made from, read by hand."""

    def __init__(self, folder, crime_files, pubs, categories, radius_metres):
        self.plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        self.streets = gpd.read_file(folder / "plan.gpkg", layer="risk")
        self.hotspots = gpd.read_file(folder / "plan.gpkg", layer="hotspots")
        self.categories, self.radius_metres = categories, radius_metres
        self.to_metres = Transformer.from_crs("EPSG:4326", self.streets.crs, always_xy=True)
        self.middle = self.streets.geometry.interpolate(0.5, normalized=True)
        self.metres = self.streets.length.to_numpy()
        self.graph = self._join_streets()
        crimes = self._read(crime_files)
        near = cKDTree(pubs).query_ball_point(shapely.get_coordinates(self.middle.values), 150)
        self.kind = np.digitize([len(found) for found in near], [1, 3, 6, 12])
        self.months = sorted(crimes["month"].unique())[-6:]
        self.harm = self._spread(crimes)

    def _read(self, files):
        rows, seen = [], set()
        for file in files:
            here = set()
            with file.open(encoding="utf-8") as text:
                for row in csv.DictReader(text):
                    if not row["Longitude"] or "Transport" in row["Reported by"]:
                        continue
                    key = tuple(row[k] for k in ("Crime ID", "Month", "Crime type", "Longitude",
                                                 "Latitude"))  # fmt: skip
                    if row["Crime ID"] and key in seen:
                        continue
                    here.add(key)
                    rows.append((row["Month"], row["Crime type"], float(row["Longitude"]),
                                 float(row["Latitude"])))  # fmt: skip
            seen |= here
        crimes = pd.DataFrame(rows, columns=["month", "category", "lon", "lat"])
        crimes["x"], crimes["y"] = self.to_metres.transform(crimes["lon"], crimes["lat"])
        near = shapely.STRtree(self.streets.geometry.values).query_nearest(
            shapely.points(crimes["x"], crimes["y"]), max_distance=NO_STREET_METRES
        )[0]
        return crimes.iloc[np.unique(near)]

    def _spread(self, crimes):
        """Days of harm by category, month and street, each crime on the streets nearest to it."""
        points, at = np.unique(crimes[["x", "y"]].round(2), axis=0, return_inverse=True)
        middle = shapely.get_coordinates(self.middle.values)
        owner = cKDTree(points).query(middle)[1]
        length = np.bincount(owner, self.metres, len(points))
        # A point that no street's middle is nearest to counts where the nearest street does.
        nearest = shapely.STRtree(self.streets.geometry.values).nearest(shapely.points(points))
        home = np.where(length > 0, np.arange(len(points)), owner[nearest])
        harm = {}
        for category, days in zip(self.categories, get_harm_days(self.categories), strict=True):
            for month in self.months:
                chosen = ((crimes["category"] == category) & (crimes["month"] == month)).to_numpy()
                counts = np.bincount(home[at.ravel()[chosen]], minlength=len(points))
                harm[category, month] = days * counts[owner] * self.metres / length[owner]
        return harm

    def _join_streets(self):
        """Streets that meet at their ends."""
        graph = nx.Graph()
        for number, line in enumerate(self.streets.geometry):
            ends = [tuple(np.round(line.coords[k], 2)) for k in (0, -1)]
            if not graph.has_edge(*ends) or graph.edges[ends]["metres"] > line.length:
                graph.add_edge(*ends, metres=line.length, number=number)
        return graph

    def find_reach(self, patrol):
        """Streets whose nearer end is within the radius of the gate, on foot."""
        gate = shapely.Point(self.to_metres.transform(*patrol["gate"]))
        line = self.streets.geometry.iloc[int(np.argmin(self.streets.distance(gate)))]
        along = line.project(gate)
        self.graph.add_edge("gate", tuple(np.round(line.coords[0], 2)), metres=along)
        self.graph.add_edge("gate", tuple(np.round(line.coords[-1], 2)), metres=line.length - along)
        away = nx.single_source_dijkstra_path_length(
            self.graph, "gate", cutoff=self.radius_metres, weight="metres"
        )
        self.graph.remove_node("gate")
        return np.array(
            [any(tuple(np.round(one.coords[k], 2)) in away for k in (0, -1))
             for one in self.streets.geometry]
        )  # fmt: skip

    def find_stretches(self, patrol):
        """Streets in the stretches of the stops, as the layer of hotspots draws them."""
        names = {name for stop in patrol["stops"] for name in (stop["hotspot"],
                                                              *stop.get("beat", ()))}  # fmt: skip
        drawn = self.hotspots[self.hotspots["hotspot"].isin(names)].union_all()
        return (self.middle.distance(drawn) < 0.01).to_numpy()

    def weigh(self, patrol):
        """How much of each category falls into the patrol's window on each street."""
        first, end = (
            60 * int(time[:2]) + int(time[3:]) for time in (patrol["start"], patrol["latest_end"])
        )
        day = DAY_KINDS.index(self.plan["risk"]["day"])
        return {
            name: np.mean([of_kind[:, day, at // 30 % 48] for at in range(first, end)], axis=0)[
                self.kind
            ]
            for name, of_kind in zip(
                self.categories, build_declared_profile(self.categories), strict=True
            )
        }

    def count_own_stops(self, patrol):
        """Harm a metre along the stops over that of all street within reach."""
        shares = self.weigh(patrol)
        harm = sum(amount * shares[name] for (name, _), amount in self.harm.items())
        here, within = self.find_stretches(patrol), self.find_reach(patrol)
        rates = [harm[where].sum() / self.metres[where].sum() for where in (here, within)]
        return rates[0] / rates[1]
