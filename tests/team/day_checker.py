"""An independent look at officers' days: patrols, appointments and ways that overlap.

Nothing of `patrolplan.team` is used: ways, hours and appointments are worked out again from the
area's tables, by the streets' own graph and plain arithmetic.
"""

import datetime as dt
from collections import defaultdict

import networkx as nx
import numpy as np
import shapely

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
AT_HOME = {"leave", "sick"}
TOLERANCE_MINUTES = 0.02
"""What a sum of many steps may round to."""


class DayChecker:
    """The days of an area's officers, by its tables of officers and duties."""

    def __init__(self, area):
        self.area = area
        self.officers = area.officers.set_index("officer")
        self.network = area.network.walkable
        self.graph = nx.Graph()
        for (a, b), metres in zip(
            self.network.piece_nodes.tolist(), self.network.piece_metres.tolist(), strict=True
        ):
            if not self.graph.has_edge(a, b) or self.graph[a][b]["metres"] > metres:
                self.graph.add_edge(a, b, metres=metres)
        self._reach = {}

    def find_way(self, officer, xy):
        """Minutes from an officer's base to a point, door to door."""
        row = self.officers.loc[officer]
        base = (row.geometry.x, row.geometry.y)
        straight = float(np.hypot(base[0] - xy[0], base[1] - xy[1]))
        if row["mode"] in {"transport", "car"}:
            if straight == 0:
                return 0.0
            speed, overhead = {"transport": (14, 8), "car": (18, 6)}[row["mode"]]
            return overhead + straight * 0.06 / speed
        patrol = self.area.settings.patrol
        is_bicycle = row["mode"] == "bicycle"
        speed = 12 if is_bicycle else patrol.walking_speed_kmh
        return self._walk(base, tuple(xy)) * 0.06 / speed

    def _walk(self, base, xy):
        """Metres along the streets, and 1.3 times the straight lines to them."""
        ends = [self._snap(base), self._snap(xy)]
        off_street = sum(1.3 * away for *_, away in ends)
        (one, from_one, _), (other, from_other, _) = ends
        best = np.inf
        if one == other:
            best = abs(from_one - from_other)
        reach = self._find_reach(base)
        metres = self.network.piece_metres
        a, b = self.network.piece_nodes[other].tolist()
        for node, more in ((a, from_other), (b, metres[other] - from_other)):
            best = min(best, reach.get(node, np.inf) + more)
        return best + off_street

    def _snap(self, xy):
        position = self.network.snap([xy])
        away = float(np.hypot(*(self.network.xy(position)[0] - np.array(xy))))
        return int(position.piece[0]), float(position.offset_metres[0]), away

    def _find_reach(self, base):
        if base not in self._reach:
            piece, offset, _ = self._snap(base)
            a, b = self.network.piece_nodes[piece].tolist()
            whole = float(self.network.piece_metres[piece])
            ways = {b: max(0.0, whole - offset), a: max(0.0, offset)}
            ways = {a: min(ways[a], whole - offset)} if a == b else ways
            for node, metres in ways.items():
                self.graph.add_edge("base", node, metres=max(0.0, metres))
            found = nx.single_source_dijkstra_path_length(self.graph, "base", weight="metres")
            self.graph.remove_node("base")
            self._reach[base] = found
        return self._reach[base]

    def list_spans(self, week):
        """Of each officer and day: when they are away from the base, and what for."""
        spans = defaultdict(list)
        gates = self.area.network.xy(self.area.gates)
        gate = dict(zip(self.area.schools["urn"], gates, strict=True))
        for duty in week.duties:
            for name in (duty.officer, *duty.crew):
                way = self.find_way(name, gate[duty.urn])
                span = (duty.start_minutes - way, duty.end_minutes + way)
                spans[name, duty.date].append((*span, f"{duty.urn} {duty.patrol.window}"))
        for _, row in self.area.duties.iterrows():
            day = row["date"].date()
            if day not in week.days or row["officer"] not in self.officers.index:
                continue
            way = 0.0
            if row["kind"] not in AT_HOME and row["urn"] in gate:
                way = self.find_way(row["officer"], gate[row["urn"]])
            elif row["kind"] not in AT_HOME and not shapely.is_empty(row.geometry):
                way = self.find_way(row["officer"], (row.geometry.x, row.geometry.y))
            span = (row["from_minutes"] - way, row["to_minutes"] + way)
            spans[row["officer"], day].append((*span, row["kind"]))
        return spans

    def find_faults(self, week):
        """What is wrong with the days of a week, in words; nothing where all is well."""
        faults = []
        for (name, day), spans in self.list_spans(week).items():
            patrols = [span for span in spans if " " in span[2]]
            for number, one in enumerate(spans):
                for other in spans[number + 1 :]:
                    both = min(one[1], other[1]) - max(one[0], other[0])
                    is_patrol = one in patrols or other in patrols
                    if is_patrol and both > TOLERANCE_MINUTES:
                        faults.append(f"{name} on {day}: {one} and {other} overlap")
            hours = self.officers.loc[name][WEEKDAYS[day.weekday()]]
            for begin, _, what in patrols:
                if not hours or begin < _minutes(hours[:5]) - TOLERANCE_MINUTES:
                    faults.append(f"{name} on {day}: {what} begins before {hours}")
        late = [
            f"{duty} ends after {self._hours(duty)}"
            for duty in week.duties
            if duty.end_minutes > _minutes(self._hours(duty)[6:]) + TOLERANCE_MINUTES
        ]
        return faults + late

    def _hours(self, duty):
        return self.officers.loc[duty.officer][WEEKDAYS[duty.date.weekday()]]


def _minutes(text):
    time = dt.time.fromisoformat(text)
    return 60 * time.hour + time.minute
