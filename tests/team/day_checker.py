"""An independent look at officers' days: patrols, appointments and ways that overlap.

Nothing of `patrolplan.team` is used: ways, hours and appointments are worked out again from the
area's tables, by the streets' own graph and plain arithmetic.
"""

import itertools
from collections import defaultdict

import networkx as nx
import numpy as np
from team.checker import parse_clock

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
        for piece in np.argsort(-self.network.piece_metres).tolist():  # of two the shorter stays
            metres = float(self.network.piece_metres[piece])
            self.graph.add_edge(*self.network.piece_nodes[piece].tolist(), metres=metres)
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
            point = None if row.geometry.is_empty else (row.geometry.x, row.geometry.y)
            at = None if row["kind"] in AT_HOME else gate.get(row["urn"], point)
            way = 0.0 if at is None else self.find_way(row["officer"], at)
            span = (row["from_minutes"] - way, row["to_minutes"] + way)
            spans[row["officer"], day].append((*span, row["kind"]))
        return spans

    def find_faults(self, week):
        """What is wrong with the days of a week, in words; nothing where all is well."""
        faults = []
        for (name, day), spans in self.list_spans(week).items():
            for one, other in itertools.combinations(spans, 2):
                both = min(one[1], other[1]) - max(one[0], other[0])
                if " " in one[2] + other[2] and both > TOLERANCE_MINUTES:  # one is a patrol
                    faults.append(f"{name} on {day}: {one} and {other} overlap")
            hours = self._find_hours(name, day)
            for begin, _, what in spans:
                is_early = not hours or begin < parse_clock(hours[:5]) - TOLERANCE_MINUTES
                if " " in what and is_early:
                    faults.append(f"{name} on {day}: {what} begins before {hours}")
        for duty in week.duties:
            hours = self._find_hours(duty.officer, duty.date)
            if duty.end_minutes > parse_clock(hours[6:]) + TOLERANCE_MINUTES:
                faults.append(f"{duty} ends after {hours}")
        return faults

    def _find_hours(self, name, day):
        return self.officers.loc[name][WEEKDAYS[day.weekday()]]
