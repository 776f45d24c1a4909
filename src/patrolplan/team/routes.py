"""Plans -> the routes that a week can be built from, the demands they meet, and who may join them.

A companion, the second person of a crew, joins a school's patrol on a day, whichever of its routes
is chosen. So they must be free for all routes that an officer could walk, from setting out for the
earliest until returning from the latest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.network.graph import SIGHT_METRES
from patrolplan.patrols.demands import Demand, find_demands
from patrolplan.team.stays import list_visited
from patrolplan.times import format_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from patrolplan.arrays import Bools, Floats, Ints
    from patrolplan.patrols.plan import Patrol, Plan, Stop
    from patrolplan.team.rota_inputs import RotaInputs
    from patrolplan.team.week import Duty

RouteKey = tuple[object, ...]
"""What makes two patrols the same route, in any order of stops and at any minutes."""
OwnPlace = tuple[str, str, str, bool]
"""School, window, ID of the place, and whether it is for the clubs."""

HOME_MINUTES = 45.0
"""Until so long after the bell a stop is for those who go home at once, then for the clubs."""


@dataclass(frozen=True, eq=False)
class WeekRoutes:
    """Every route that a week can be built from."""

    routes: tuple[Patrol, ...]  # (r,) every school's best patrols and their variants, of all days
    variant: Ints  # (d, r) 0 for the best patrol of the day of a school and window, 1...; -1: none
    row_by_key: dict[RouteKey, int]  # row of the route of each walk

    @cached_property
    def own_places(self) -> dict[OwnPlace, float]:
        """What standing at each place is worth to a school's pupils, by part of the afternoon."""
        # It is the worth of the best of the school's stops there. The gate is nobody's choice.
        worth: dict[OwnPlace, float] = {}
        for route in self.routes:
            for stop in list_away(route):
                place = find_own_place(route, stop)
                worth[place] = max(worth.get(place, 0.0), stop.worth * route.worth)
        return worth

    def list_places_in_view(self, stop: Stop) -> tuple[str, ...]:
        """The places that count as visited by a stop, since they are in sight of each other."""
        near = () if stop.kind == "gate" else self._corners_near.get(stop.hotspot, ())
        return tuple(dict.fromkeys((*list_visited(stop), *near)))

    @cached_property
    def _corners_near(self) -> dict[str, tuple[str, ...]]:
        """The corners in sight of each stopping place, by name."""
        stops = {stop.hotspot: stop for route in self.routes for stop in list_away(route)}
        corners = [stop for stop in stops.values() if stop.kind == "corner"]
        xy = np.array([stop.point for stop in corners]).reshape(-1, 2)

        def list_near(stop: Stop) -> tuple[str, ...]:
            apart = np.hypot(*(xy - stop.point).T)
            return tuple(corners[row].hotspot for row in np.flatnonzero(apart <= SIGHT_METRES))

        return {name: list_near(stop) for name, stop in stops.items()}

    def list_asked_places(self, route: int) -> set[str]:
        """The places that a route must visit, with those in sight of them."""
        tasked = (stop for stop in self.routes[route].stops if stop.is_sent)
        return {name for stop in tasked for name in self.list_places_in_view(stop)}


def list_away(route: Patrol) -> list[Stop]:
    """The stops that are not at the gate."""
    return [stop for stop in route.stops if stop.kind != "gate"]


def find_own_place(route: Patrol, stop: Stop) -> OwnPlace:
    """School, window, place, and whether those who leave with the bell have gone by then."""
    is_late = stop.arrive_minutes >= route.start_minutes + HOME_MINUTES
    return route.urn, route.window, stop.id, is_late


def list_patrols(plan: Plan) -> Iterator[tuple[int, Patrol]]:
    """Every patrol of a plan with 0 for its school's best, 1 for its first variant..."""
    # Those of further windows come after all of the first one, and are numbered separately.
    for patrol in (patrol for part in plan.parts for patrol in part.patrols):
        yield 0, patrol
        for number, variant in enumerate(patrol.variants, 1):
            for other in variant.patrols:
                if other.number == patrol.number:
                    yield number, other


def build_route_key(patrol: Patrol) -> RouteKey:
    """School, officer, mode, window, its stops in any order, and the places to keep away from."""
    # It is the same for a patrol as planned, as drawn in another order and at other minutes, and as
    # read from a file with whole minutes. Without a presence at the gate the start of a patrol is
    # drawn, and its window is identified by its end.
    each = ((stop.hotspot, round(stop.stood_minutes, 2), stop.sent_for) for stop in patrol.stops)
    stops = frozenset(Counter(each).items())
    start = format_time(patrol.start_minutes) if patrol.has_presence else ""
    hours = start, format_time(patrol.latest_end_minutes)
    barred = frozenset(place.tasking for place in patrol.barred)
    return (patrol.urn, patrol.number, patrol.way, patrol.window, *hours, stops, barred)


def collect_routes(
    plans: Sequence[Plan], days: Sequence[dt.date], held: Sequence[Duty] = ()
) -> WeekRoutes:
    """Every walk of the (d,) plans of these days, and of duties that stay, each once."""
    row_by_key: dict[RouteKey, int] = {}
    routes: list[Patrol] = []
    variant_at: dict[tuple[int, int], int] = {}

    def find_row(patrol: Patrol) -> int:
        row = row_by_key.setdefault(build_route_key(patrol), len(routes))
        if row == len(routes):
            routes.append(patrol)
        return row

    for day, plan in enumerate(plans):
        for variant, patrol in list_patrols(plan):
            variant_at.setdefault((day, find_row(patrol)), variant)
    for duty in held:
        variant_at[days.index(duty.date), find_row(duty.patrol)] = duty.variant
    variants = np.full((len(days), len(routes)), -1)
    for place, variant in variant_at.items():
        variants[place] = variant
    return WeekRoutes(tuple(routes), variants, row_by_key)


def list_demands(
    plan: Plan,
    days: Sequence[dt.date],
    urns: Sequence[str],
    is_open: Bools,
    delivered: Mapping[str, Collection[dt.date]],
) -> tuple[Demand, ...]:
    """Every demand of a week: of each tasked place by day, then of hotspots, then of squares."""
    # `plan` is that of any day: where its area bars a place, that demands nothing. Hotspots and
    # squares count near schools (s,) `urns` that (s, d) `is_open` on some day. A feared place that
    # `delivered` has in the week before needs no visit: so each has one in a fortnight.
    attended = [urns[row] for row in np.flatnonzero(is_open.any(axis=1)).tolist()]
    found = []
    for demand in find_demands(plan, days, attended):
        is_met = demand.kind == "feared" and any(map(delivered.get, demand.hotspots))
        found.append(replace(demand, visits=0) if is_met else demand)
    return tuple(found)


def find_meeting_routes(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Ints:
    """(m, 2) demand, and a route with a stop that meets it."""
    tasked: defaultdict[str, set[int]] = defaultdict(set)
    covering: defaultdict[str, set[int]] = defaultdict(set)
    for row, route in enumerate(routes):
        for stop in route.stops:
            if stop.sent_for is not None:
                tasked[stop.sent_for.place_id].add(row)
            for name in list_visited(stop):
                covering[name].add(row)
    pairs = []
    for number, demand in enumerate(demands):
        rows = tasked[demand.place] if demand.is_tasked else set[int]()
        rows = rows.union(*(covering[name] for name in demand.hotspots))
        pairs += [(number, row) for row in sorted(rows)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def list_routes_for_two(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Bools:
    """(r,) which routes meet a demand that needs two people together."""
    meeting = find_meeting_routes(demands, routes)
    for_two = np.array([demand.officers > 1 for demand in demands], dtype=bool)
    needs = np.zeros(len(routes), dtype=bool)
    needs[meeting[for_two[meeting[:, 0]], 1]] = True
    return needs


@dataclass(frozen=True, eq=False)
class Companions:
    """Options (c) of walking along with a school's patrol, whichever of its routes is chosen."""

    # A place (p) that they join is a school, a window and an officer there: a route without visits,
    # numbered on after all others.
    officer: Ints  # (c,) who
    day: Ints
    place: Ints  # (c,) row of the place
    minutes: Floats  # (c, 2) minutes of setting out and being back, over all of the school's routes
    held: Bools  # (c,) whether it was handed out and is fixed
    school: Ints  # (p,) of each place
    window: Ints  # (p,) of each place
    after: Ints  # (p,) number of the officer who is joined
    route: Ints  # (r,) the route of whoever joins each route, -1 where nobody may


def find_companions(inputs: RotaInputs) -> Companions:
    """Everyone who may walk along with a patrol of a school in their care."""
    # Not those who stay at the gate. Where one officer patrols alone, companions are only those who
    # may not patrol alone, those who go with them, and those for a place that needs two.
    places = np.stack([inputs.route_school, inputs.route_window, inputs.route_number], axis=1)
    _, first, own = np.unique(places, axis=0, return_index=True, return_inverse=True)
    own = own.ravel()  # before numpy 2.1 it has two dimensions
    found: dict[tuple[int, int, int], tuple[float, float]] = {}
    for number in range(len(first)):
        routes = np.flatnonzero(own == number)
        for day in range(len(inputs.days)):
            walked = inputs.possible[:, day, routes]
            at = routes[walked.any(axis=0)]
            if len(at):
                for officer in np.flatnonzero(_may_join(inputs, day, at)).tolist():
                    span = inputs.set_out[officer, at].min(), inputs.back[officer, at].max()
                    found[officer, day, number] = span
    held: dict[tuple[int, int, int], tuple[float, float]] = {}
    for (_, day, route), duty in inputs.held_rows.items():
        for name in duty.crew:
            if has_time_for(inputs, duty, name):
                officer = inputs.officers.index(name)
                span = inputs.set_out[officer, route], inputs.back[officer, route]
                held[officer, day, int(own[route])] = span
    found |= held
    who, days, place = np.array(list(found), dtype=np.int64).reshape(-1, 3).T
    if not found:
        first, own = first[:0], np.full(len(own), -1 - len(own))
    return Companions(
        officer=who,
        day=days,
        place=place,
        minutes=np.array(list(found.values()), dtype=np.float64).reshape(-1, 2),
        held=np.array([key in held for key in found], dtype=bool),
        school=inputs.route_school[first],
        window=inputs.route_window[first],
        after=inputs.route_number[first],
        route=len(own) + own,
    )


def _may_join(inputs: RotaInputs, day: int, routes: Ints) -> Bools:
    """(k,) whether someone may walk along on any of a place's routes on a day."""
    school = int(inputs.route_school[routes[0]])
    free = inputs.cares[:, school] & ~inputs.is_absent[:, day] & inputs.is_open[school, day]
    free &= inputs.in_time[:, day, routes].all(axis=1)
    free &= ~inputs.stays_at_gate
    free &= ~inputs.banned[:, day, routes].all(axis=1)
    leads = inputs.possible[:, day, routes]
    if inputs.area.settings.week.crew > 1:
        return np.asarray(free & _is_any_other(leads.any(axis=1)))
    needy = (leads & inputs.needs_companion[:, day, routes]).any(axis=1)
    others = np.where(inputs.is_alone, _is_any_other(needy), _is_any_other(leads.any(axis=1)))
    return np.asarray(free & others)


def _is_any_other(leads: ArrayLike) -> Bools:
    """(k,) whether anyone other than the officer is among these (k,)."""
    leads = np.asarray(leads, dtype=bool)
    return np.asarray(leads.sum() - leads > 0)


def has_time_for(inputs: RotaInputs, duty: Duty, name: str) -> bool:
    """Whether absences and appointments leave someone time for a patrol as it was handed out."""
    if duty.date in inputs.absent.get(name, ()):
        return False
    back = duty.end_minutes if np.isnan(duty.back_minutes) else duty.back_minutes
    leave = duty.start_minutes if np.isnan(duty.leave_minutes) else duty.leave_minutes
    return not inputs.free_time.find_clashes(name, duty.date, leave, back)


def find_crews(inputs: RotaInputs, chosen: Ints) -> dict[tuple[int, int, int], tuple[str, ...]]:
    """Every patrol of chosen (c, 3) officers, days and routes, and who walks along on it."""
    names: dict[tuple[int, int], list[str]] = {}
    for officer, day, route in chosen.tolist():
        names.setdefault((day, route), []).append(inputs.officers[officer])
    along = inputs.companions.route
    return {
        (officer, day, route): tuple(sorted(names.get((day, int(along[route])), ())))
        for officer, day, route in chosen.tolist()
        if route < len(inputs.routes)
    }
