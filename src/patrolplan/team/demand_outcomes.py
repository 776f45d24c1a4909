"""The outcome of a week's demands: who meets each, or the nearest miss.

A place that no patrol can reach in its hours has the reason of the school that comes nearest. If a
patrol could, each officer is checked for what prevents it, on the day with the smallest obstacle.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import get_args

import numpy as np

from patrolplan.patrols.demands import Demand
from patrolplan.patrols.designated import get_place
from patrolplan.patrols.errands import (
    choose_nearest_miss,
    find_nearest_miss,
    measure_nearest_school,
)
from patrolplan.patrols.obstacles import Obstacle, OfficerObstacle
from patrolplan.patrols.tasked_places import find_tasking
from patrolplan.team.obstacle_finder import ObstacleFinder
from patrolplan.team.problem import Bools
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import find_meeting_routes
from patrolplan.team.week import Duty
from patrolplan.team.week_records import DemandOutcome, Visitor
from patrolplan.team.where_when import Stay, list_stays
from patrolplan.times import format_time


def build_demand_outcomes(inputs: RotaInputs, duties: Sequence[Duty]) -> tuple[DemandOutcome, ...]:
    """The outcome of every demand of a week with these duties, in the order of the demands."""
    return _Outcomes(inputs, duties).build()


class _Outcomes:
    """Finds the visits of a week, and what keeps officers from further ones."""

    def __init__(self, inputs: RotaInputs, duties: Sequence[Duty]) -> None:
        self.inputs = inputs
        self.duties = duties

    @cached_property
    def stays(self) -> list[tuple[Stay, str | None]]:
        """Every stay, and the tasked place at which it is in its hours."""
        return [(stay, self._find_tasked(stay)) for stay in list_stays(self.duties)]

    def build(self) -> tuple[DemandOutcome, ...]:
        inputs, demands = self.inputs, self.inputs.demands
        meets = np.zeros((len(demands), len(inputs.routes)), dtype=bool)
        meets[tuple(find_meeting_routes(demands, inputs.routes).T)] = True
        return tuple(map(self._build_outcome, demands, meets))

    def _build_outcome(self, demand: Demand, meets: Bools) -> DemandOutcome:
        met_by = self._find_visitors(demand)
        return DemandOutcome(
            kind=demand.kind,
            place=demand.place,
            date=self.inputs.days[demand.days[0]] if demand.kind == "tasked" else None,
            visits=demand.visits,
            met_by=met_by,
            why=None if len(met_by) >= demand.visits else self._explain(demand, meets),
        )

    def _find_visitors(self, demand: Demand) -> tuple[Visitor, ...]:
        """Who comes to the place on days that count, in order of time."""
        visits = [
            (duty.date, stay.from_minutes, duty)
            for duty, stay in self._find_stays(demand).items()
            if self.inputs.days.index(duty.date) in demand.days
            and 1 + len(duty.crew) >= demand.officers
        ]
        visits.sort(key=lambda visit: visit[:2])
        return tuple(
            Visitor(duty.officer, duty.urn, date, format_time(arrive))
            for date, arrive, duty in visits
        )

    def _find_stays(self, demand: Demand) -> dict[Duty, Stay]:
        """Every duty that comes to the place, and its first stay there."""
        first: dict[Duty, Stay] = {}
        for stay, tasked in self.stays:
            is_there = demand.kind == "tasked" and tasked == demand.place
            if is_there or not set(demand.hotspots).isdisjoint(stay.names):
                first.setdefault(stay.duty, stay)
        return first

    def _find_tasked(self, stay: Stay) -> str | None:
        """The tasked place at which somebody stands in its hours, whatever they were sent for."""
        if stay.stop is None:
            return None
        tasking = find_tasking(self.inputs.area, stay.date, stay.stop)
        return None if tasking is None else tasking.place_id

    def _explain(self, demand: Demand, meets: Bools) -> Obstacle:
        """Why a place has fewer visits than it should."""
        inputs = self.inputs
        days = list(demand.days)
        if not days:
            return Obstacle("other_days", demand.place)
        planned = meets & (inputs.variant[days] >= 0)
        if not planned.any():
            return self._explain_unplanned(demand)
        if not (planned & inputs.is_open[inputs.route_school][:, days].T).any():
            return Obstacle("schools_closed", demand.place)
        found = {
            officer: min(each, key=get_args(OfficerObstacle).index)
            for officer in range(len(inputs.officers))
            if (each := list(self._list_obstacles(demand, meets, officer)))
        }
        schools = [inputs.routes[row].school for row in np.flatnonzero(planned.any(axis=0))]
        officers: dict[OfficerObstacle, tuple[str, ...]] = {}
        for officer, why in found.items():
            officers[why] = (*officers.get(why, ()), inputs.officers[officer])
        named = tuple(dict.fromkeys(schools))
        return Obstacle("officers_short", demand.place, schools=named, officers=officers)

    def _explain_unplanned(self, demand: Demand) -> Obstacle:
        """Why no patrol of any school goes to a place."""
        inputs = self.inputs
        parts = [part for day in demand.days for part in inputs.plans[day].parts]
        unserved = [row for part in parts for row in part.unserved]
        if demand.kind != "tasked":
            if not demand.hotspots:
                return Obstacle("no_hotspot", demand.place)
            sought = set(demand.hotspots)
            found = [row.why for row in unserved if row.is_watched and row.place in sought]
            place = get_place(inputs.area, demand.place) if demand.kind == "designated" else None
            if missed := choose_nearest_miss(found):
                return missed
            if place is not None:
                point = place.geometry.centroid
                return measure_nearest_school(inputs.area, demand.place, point, inputs.urns)
            is_feared = demand.kind == "feared"
            return Obstacle("beyond_schools" if is_feared else "no_school", demand.place)
        places = inputs.area.tasked_places
        place = places[places["place_id"] == demand.place].iloc[0]
        return find_nearest_miss(inputs.area, place, inputs.urns, unserved)

    def _list_obstacles(
        self, demand: Demand, meets: Bools, officer: int
    ) -> Iterator[OfficerObstacle]:
        """What keeps an officer from the place, by each day and school of theirs."""
        inputs = self.inputs
        own = self._finder.chosen[self._finder.chosen[:, 0] == officer]
        for day in demand.days:
            routes = meets & (inputs.variant[day] >= 0)
            routes &= inputs.is_open[inputs.route_school, day]
            routes &= inputs.cares[officer, inputs.route_school] | (
                inputs.locked[officer, day] >= 0
            )
            is_there = bool(routes[own[own[:, 1] == day, 2]].any())
            if not routes.any() or (is_there and demand.kind == "designated"):
                continue
            obstacle, _ = self._finder.find_obstacle(officer, day, np.flatnonzero(routes))
            if is_there or (demand.officers > 1 and obstacle in {"free", "over_maximum"}):
                obstacle = "without_second"  # who is there alone does not count
            yield obstacle

    @cached_property
    def _finder(self) -> ObstacleFinder:
        """What keeps officers, given every duty whose route is known."""
        inputs, rows = self.inputs, []
        for duty in self.duties:
            route = inputs.find_route(duty.patrol)
            if route is not None:
                day, along = inputs.days.index(duty.date), int(inputs.companions.route[route])
                rows.append((inputs.officers.index(duty.officer), day, route))
                rows += [(inputs.officers.index(name), day, along) for name in duty.crew]
        return ObstacleFinder(inputs, np.array(rows, dtype=np.int64).reshape(-1, 3))
