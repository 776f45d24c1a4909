"""Hotspots -> `Plan`: the best patrols of every school, timed and walked out.

A school's solved problem becomes patrols as they are walked: timed stops, legs, variants, and the
same stops the other way round, so that a patrol need not look the same two days running.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.daylight import Daylight
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.errors import InputError
from patrolplan.network.crossings import find_crossed_roads
from patrolplan.network.names import describe_positions
from patrolplan.network.paths import Walk
from patrolplan.notes import Note
from patrolplan.parallel import ProgressCallback, label_progress, map_parallel
from patrolplan.patrols.directions import PieceTraits, build_leg, reverse_directions
from patrolplan.patrols.plan import Leg, Patrol, Plan, Stop, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.posts import plan_posts
from patrolplan.patrols.school_problem import LEFT_OUT_WORDS, SchoolProblem, build_school_problem
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.solve import (
    OrienteeringProblem,
    Route,
    Solution,
    find_variants,
    solve,
)
from patrolplan.patrols.surroundings import (
    compute_speed,
    find_tasked_at_other_hours,
    find_tasked_out_of_reach,
)
from patrolplan.patrols.tasked_places import build_tasking
from patrolplan.patrols.way_home import measure_patrols
from patrolplan.risk.surface import Risk
from patrolplan.tables import LeftOut

VARIANT_COUNT = 3

ROUNDING_METRES = 1.0
"""Rounding may not carry a patrol over the end of its window."""

MAX_DETOUR_LOSS = 0.0005
"""Legs past more risk may cost this share of a patrol's worth, by arriving later at its stops."""

SAME_METRES = 1.0
"""A stop so near to a hotspot's stopping place is there."""

STANDING = ("place", "stand", "at")
"""What a stop says of where one stands at a hotspot."""

MIN_REVERSED_SHARE = 0.95
"""A patrol may go the other way round where that is worth this share of it."""


def plan_patrols(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    *,
    urns: Sequence[str] | None = None,
    window: Window | None = None,
    date: dt.date | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """Plan the patrols of every school in the area.

    From the gate at the bell: presence there first, for as long as it is worth more than to go,
    then the stops that are worth most together at the time that they are made within the window,
    each with its dwell, and back to the gate.

    With `[patrol] start = "base"` the officer comes from the base, and leaves it early enough to
    be at the gate for the presence there. A window without a presence (before school, or once
    the pupils have left) begins at the base instead, and need not pass the gate. With
    `end = "base"` the patrol ends there. With `way = "bicycle"` one-way streets are obeyed, and
    the bicycle is pushed where riding is not allowed. With `[way_home] posts` so many adults of
    each school stand at posts after the bell, in addition to the patrols.

    Parameters
    ----------
    area, risk, hotspots
        See `load_area`, `estimate_risk` and `find_hotspots`.
    urns
        Only these schools; default all.
    window
        See `patrolplan.area.patrol_window.resolve_window`; default the settings' minutes from
        the bell.
    date
        Day of the patrols: tasked places count on their days only. Without it all of them count.
    executor
        Shares the schools among its workers; by default they are planned here, one by one.
    report_progress
        Called with the schools done so far.

    Returns
    -------
    Plan
        With a bound on what is possible for every patrol, its variants, and what it meets of the
        way home.
        `patrolplan.patrols.past_months.compare_with_past` adds what patrols planned this way
        would have covered in past months.

    Raises
    ------
    InputError
        When one of `urns` is not in the area, or the presence at the gate does not
        fit into the window.
    """
    window = window or resolve_window(area.settings.patrol)
    check_request(area, window, urns)
    posts = area.settings.way_home.posts
    rows = [row for row, urn in enumerate(area.schools["urn"]) if urns is None or urn in urns]
    inputs = PlanningInputs.from_area(area, risk, hotspots, window, date, rows=rows)
    progress = label_progress("Planning schools", rows, report_progress)
    planned = map_parallel(plan_school, inputs, rows, executor=executor, report_progress=progress)
    left_out = LeftOut()
    for urn, (_, unvisited) in zip(area.schools["urn"].iloc[rows], planned, strict=True):
        for note in unvisited:
            why = LEFT_OUT_WORDS[note.kind].format(**note.values)
            left_out.add("tasked places", f"URN {urn}: {why}", 1, urn=urn)
    for place in find_tasked_at_other_hours(area, date, window):
        left_out.add("tasked places", f"{place} is for hours outside all patrols", 1)
    for place in find_tasked_out_of_reach(area, date) if urns is None else ():
        left_out.add("tasked places", f"{place} is not on any school's streets", 1)
    patrols = [patrol for school_patrols, _ in planned for patrol in school_patrols]
    return Plan(
        area,
        risk,
        hotspots,
        patrols=measure_patrols(area, risk, hotspots, window, patrols),
        left_out=(*area.left_out, *left_out.rows),
        date=date,
        window=window,
        posts=plan_posts(area, risk, count=posts, urns=urns) if posts else None,
    )


def check_request(area: StudyArea, window: Window, urns: Sequence[str] | None) -> None:
    """Refuse a window that is shorter than the presence at the gate, and unknown schools.

    Raises
    ------
    InputError
        With the value seen.
    """
    settings = area.settings.patrol
    is_plain = not window.at_gate and not window.is_about_opening
    if is_plain and settings.gate_minutes > window.minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"the window's {window.minutes:g} minutes"
        )
        where, remedy = "[patrol]", "lower gate_minutes, or make the window longer"
        raise InputError.one(where, what, remedy)
    known = list(area.schools["urn"])
    for urn in urns or ():
        if urn not in known:
            what = f"school '{urn}' is not in the area (its schools: {', '.join(known[:12])})"
            where, remedy = "--school", "name one of them, or see `patrolplan check`"
            raise InputError.one(where, what, remedy)


def plan_school(inputs: PlanningInputs, row: int) -> tuple[list[Patrol], list[Note]]:
    """The best patrol of each officer of a school, and which tasked places are not visited and why.

    `row` is that of the area's schools.
    """
    problem = build_school_problem(inputs, row)
    problem, orienteering, solution, unvisited = solve_school(problem)
    builder = _PatrolBuilder(problem, problem.build_notes(unvisited))
    others = find_variants(orienteering, solution, count=VARIANT_COUNT, seed=problem.seed)
    variants = tuple(builder.build_variant(other, solution) for other in others)
    return [builder.build_patrol(route, solution, variants) for route in solution.routes], unvisited


def solve_school(
    problem: SchoolProblem,
) -> tuple[SchoolProblem, OrienteeringProblem, Solution, list[Note]]:
    """The problem as it was solved, the best patrols, and which tasked places are not visited.

    Where not all tasked places fit, those that the solver names as unmet are dropped, or else one
    after the other, until the rest does. A hotspot among them is then one like all others, which
    may be visited at other hours.
    """
    mandatory, dropped = problem.must_visit_stops, set[int]()
    orienteering = problem.build_problem(mandatory)
    solution = solve(orienteering, seed=problem.seed)
    while solution.status == "infeasible" and mandatory - dropped:
        dropped |= set(solution.unmet) or {min(mandatory - dropped)}
        orienteering = problem.build_problem(mandatory - dropped)
        solution = solve(orienteering, seed=problem.seed)
    unvisited = problem.explain_unvisited(dropped)
    if dropped and orienteering.windows is not None:
        problem = problem.release_taskings(dropped)
        orienteering = problem.build_problem(mandatory - dropped)
        solution = solve(orienteering, seed=problem.seed)
    return problem, orienteering, solution, unvisited


def plan_avoiding_variant(
    problem: SchoolProblem, names: frozenset[str], best: Sequence[Patrol]
) -> Variant | None:
    """The best patrols that keep off some hotspots; None where they would stop nowhere.

    A hotspot that the school's best patrols visit because it must be visited is visited all the
    same.
    """
    visited = {stop.hotspot for patrol in best for stop in patrol.stops if stop.tasked}
    mandatory = frozenset(
        stop for stop in problem.must_visit_stops if problem.get_stop_name(stop) in visited
    )
    problem = problem.release_taskings(problem.must_visit_stops - mandatory)
    optional = set(range(1, len(problem.hotspot_rows) + 1)) - mandatory
    off = frozenset(stop for stop in optional if problem.get_stop_name(stop) in names)
    orienteering = problem.build_problem(mandatory)
    orienteering = replace(orienteering, barred=orienteering.barred | off)
    solution = solve(orienteering, seed=problem.seed)
    if solution.status == "infeasible" or not solution.stops:
        return None
    worth = sum(patrol.worth for patrol in best)
    whole = Solution(
        routes=(),
        worth=worth,
        bound=best[0].bound + worth - best[0].worth,
        status="proven" if best[0].proven else "feasible",
        iterations=0,
        seconds=0.0,
    )
    builder = _PatrolBuilder(problem, problem.build_notes(problem.explain_unvisited()))
    variant = builder.build_variant(solution, whole)
    return replace(variant, avoided_hotspots=tuple(sorted(names)))


class _PatrolBuilder:
    """Builds the patrols of one school; legs that variants share are walked once."""

    def __init__(self, problem: SchoolProblem, notes: Iterable[Note]) -> None:
        self.problem = problem
        self.notes = notes
        self.orienteering = problem.build_problem()
        self.hours = problem.surroundings.hours
        self.speed = compute_speed(problem.settings)
        pieces, network = problem.surroundings.pieces, problem.inputs.area.network.walkable
        self.piece_traits = PieceTraits.from_network(
            network,
            problem.inputs.piece_labels,
            pieces,
            by_bicycle=problem.settings.way == "bicycle",
        )
        self.piece_risk = problem.surroundings.take_values(problem.inputs.risk.joined)
        self._legs: dict[tuple[int, int, float], tuple[Leg, float]] = {}

    def build_variant(self, other: Solution, best: Solution) -> Variant:
        """Another solution than the best one, as patrols of their own."""
        patrols = tuple(
            replace(self.build_patrol(route, other), bound=best.bound, proven=best.proven)
            for route in other.routes
        )
        return Variant(
            worth_share=min(1.0, other.worth / best.worth) if best.worth > 0 else 1.0,
            hotspots=tuple(stop.hotspot for patrol in patrols for stop in patrol.stops),
            patrols=patrols,
        )

    def build_patrol(
        self, route: Route, solution: Solution, variants: tuple[Variant, ...] = ()
    ) -> Patrol:
        """One officer's route as it is walked."""
        problem, base = self.problem, self.problem.surroundings.base
        legs, walked = self._build_legs(route)
        gate_until_minutes, stops, end_minutes = self._build_stops(walked, legs)
        begins = self._list_reversed_begins(walked, stops, legs, gate_until_minutes)
        reversed_worths = self._compute_reversed_worths(walked, begins)
        start_minutes = self.hours.start_minutes
        if self.hours.gate_last_minutes:
            end_minutes = self.hours.latest_end_minutes
            if not stops:
                stay = max(self.hours.gate_last_minutes, problem.settings.dwell_minutes)
                gate_until_minutes = end_minutes
                start_minutes = max(start_minutes, end_minutes - stay)
        is_reversible = self._is_in_windows(walked, begins)
        if reversed_worths is not None:
            is_reversible &= (
                walked.gate_worth + sum(reversed_worths) >= MIN_REVERSED_SHARE * walked.worth
            )
            if is_reversible:
                stops = tuple(
                    replace(stop, reversed_worth=worth)
                    for stop, worth in zip(stops, reversed_worths, strict=True)
                )
        x, y = problem.surroundings.network.xy(problem.surroundings.gate)[0]
        starts_at_base = problem.settings.start == "base" and base is not None
        approach = None
        if starts_at_base and not problem.start_position:
            # From the base to be at the gate for the presence there, by the shortest way.
            approach = self._build_leg(problem.walks.find_shortest(len(problem.stops) + 1, 0))
        return Patrol(
            urn=problem.school["urn"],
            school=problem.school["name"],
            number=route.officer + 1,
            point=(float(x), float(y)),
            start_minutes=start_minutes,
            gate_until_minutes=gate_until_minutes,
            end_minutes=end_minutes,
            latest_end_minutes=self.hours.latest_end_minutes,
            window=problem.inputs.window.name,
            ends_at="base" if legs and problem.end_position else "gate",
            way=problem.settings.way,
            starts_at="base" if approach or (legs and problem.start_position) else "gate",
            approach=approach,
            worth=walked.worth,
            bound=solution.bound - (solution.worth - route.worth),
            proven=solution.proven,
            is_reversible=is_reversible,
            stops=stops,
            legs=legs,
            variants=variants,
            keep_away=problem.keep_away,
            notes=(*self.notes, *(() if stops else (problem.note_gate_card(),))),
            tested=None,
        )

    def _build_leg(self, walk: Walk) -> Leg:
        """A leg in pieces of the area's walkable network."""
        leg = build_leg(
            walk,
            self.piece_traits,
            self.speed,
            crossed=find_crossed_roads(walk),
            landmarks=self.problem.inputs.landmarks,
        )
        return replace(leg, pieces=self.problem.surroundings.pieces[leg.pieces])

    def _build_legs(self, route: Route) -> tuple[tuple[Leg, ...], Route]:
        """Walks from the start over the stops to the end, past more risk where it costs little.

        A leg may be longer than the shortest by the settings' `detour`, as far as the time that
        the window leaves over goes, and as far as arriving later costs next to nothing. The route
        is given back with the times and the worth that it has along these legs.
        """
        if not route.stops:
            return (), route
        problem = self.problem
        places = [problem.start_position, *route.stops, problem.end_position]
        shortest = [float(problem.walks.metres[pair]) for pair in pairwise(places)]
        orienteering = self.orienteering
        is_timed = orienteering.timed_prizes is not None or orienteering.windows is not None
        least = (1 - MAX_DETOUR_LOSS) * route.worth
        # The way that was chosen need not be the quickest: preferences count too. A leg past more
        # risk that is quicker takes the time that the problem was solved with, so the bound holds.
        minutes = quickest = [metres / self.speed for metres in shortest]
        spare = (self.hours.latest_back_minutes - route.end_minutes) * self.speed
        legs, walked = [], route
        for number, (start, end) in enumerate(pairwise(places)):
            more = problem.settings.detour * shortest[number]
            if not is_timed:
                more = min(more, spare - ROUNDING_METRES)
            leg, cost_metres = self._find_leg(start, end, shortest[number] + max(0.0, more))
            if is_timed:
                spent = max(leg.minutes, quickest[number])
                later = [*minutes[:number], spent, *minutes[number + 1 :]]
                slower = time_route(orienteering, route.officer, route.stops, later)
                if slower is None or slower.worth < least:
                    leg, cost_metres = self._find_leg(start, end, shortest[number])
                    spent = max(leg.minutes, quickest[number])
                    later = [*minutes[:number], spent, *minutes[number + 1 :]]
                    slower = time_route(orienteering, route.officer, route.stops, later)
                minutes, walked = later, slower or walked
            spare -= cost_metres - shortest[number]
            legs.append(leg)
        return tuple(legs), walked

    def _find_leg(self, start: int, end: int, longest_metres: float) -> tuple[Leg, float]:
        """The leg past most risk that is no longer, and what it costs in metres at full speed."""
        key = (start, end, longest_metres)
        if key not in self._legs:
            walk = self.problem.walks.find_richest(
                start, end, self.piece_risk, longest_metres=longest_metres
            )
            self._legs[key] = (self._build_leg(walk), walk.cost_metres)
        return self._legs[key]

    def _build_stops(
        self, route: Route, legs: Sequence[Leg]
    ) -> tuple[float, tuple[Stop, ...], float]:
        """The end of the presence at the gate, stops with their times, and the time at the end.

        Where a stop is worth more later, the officer stays at the gate for longer before the first
        stop, if there is a presence, and otherwise walks there slowly: a stop lasts no longer than
        its dwell, which is what counts towards the most minutes a day. Who makes no stop is at
        the gate for as long as a stop would last.
        """
        until = route.leave_start_minutes
        if not route.stops:
            least = self.hours.start_minutes + self.problem.settings.dwell_minutes
            until = min(max(until, least), self.hours.latest_end_minutes)
            return until, (), until
        if self.problem.gate_stay is not None:
            until = route.begin_minutes[0] - legs[0].minutes
        now, stops = until, []
        for number, (stop, leg) in enumerate(zip(route.stops, legs, strict=False)):
            arrive = now + leg.minutes
            worth = float(self.problem.worth[stop - 1])
            if route.stop_worths or self.orienteering.windows is not None:
                arrive = max(arrive, route.begin_minutes[number])
            if route.stop_worths:
                worth = route.stop_worths[number]
            now = arrive + self.problem.settings.dwell_minutes
            stops.append(self._build_stop(stop, arrive, now, worth))
        return until, tuple(stops), now + legs[-1].minutes

    def _list_reversed_begins(
        self, route: Route, stops: Sequence[Stop], legs: Sequence[Leg], gate_until_minutes: float
    ) -> list[float]:
        """When the dwell at each stop begins where the patrol goes the other way round."""
        now, begins = gate_until_minutes, []
        back = zip(reversed(route.stops), reversed(stops), reversed(legs), strict=False)
        for _, stop, leg in back:
            begins.append(now + leg.minutes)
            now += leg.minutes + stop.leave_minutes - stop.arrive_minutes
        return begins[::-1]

    def _compute_reversed_worths(self, route: Route, begins: Sequence[float]) -> list[float] | None:
        """What each stop is worth where its dwell begins then.

        None where worth does not depend on the time.
        """
        prizes, dwell = self.problem.timed_prizes, self.problem.settings.dwell_minutes
        if prizes is None:
            return None
        return [
            float(prizes.compute_worth(row, np.array([begin]), dwell)[0])
            for row, begin in zip(route.stops, begins, strict=True)
        ]

    def _is_in_windows(self, route: Route, begins: Sequence[float]) -> bool:
        """Whether the dwell at each stop may begin then."""
        windows = self.orienteering.windows
        if windows is None or not route.stops:
            return True
        opening, closing = windows[list(route.stops)].T
        return bool(((opening <= begins) & (begins <= closing)).all())

    def _build_stop(
        self, stop: int, arrive_minutes: float, leave_minutes: float, worth: float
    ) -> Stop:
        problem, network = self.problem, self.problem.surroundings.network
        position = problem.stops.take([stop - 1])
        row, is_tasked = problem.hotspot_rows[stop - 1], problem.tasked_rows[stop - 1] >= 0
        hotspot = problem.inputs.hotspots.iloc[row] if row >= 0 else None
        x, y = network.xy(position)[0]
        at: dict[str, Any] = {}
        if is_tasked:
            at["tasking"] = build_tasking(problem.get_tasked_place(stop))
            at["tasked_metres"] = float(position.moved_metres[0])
        if hotspot is not None and hotspot["stop"].distance(shapely.Point(x, y)) < SAME_METRES:
            at |= {name: hotspot[name if name == "place" else f"stop_{name}"] for name in STANDING}
        else:
            at["place"] = describe_positions(network, position)[0]
        daylight = problem.daylight
        return Stop(
            hotspot=problem.get_stop_name(stop),
            kind="tasked" if hotspot is None else "hotspot",
            arrive_minutes=arrive_minutes,
            leave_minutes=leave_minutes,
            why=() if hotspot is None else tuple(hotspot["reasons"]),
            street=str(self.piece_traits.labels[position.piece[0]]),
            lit=problem.stop_lit[stop - 1],
            is_dark=daylight is not None and daylight.is_dark(arrive_minutes, leave_minutes),
            worth=worth,
            point=(float(x), float(y)),
            beat=() if hotspot is None else hotspot["beat"],
            **at,
        )


def reverse_patrol(patrol: Patrol, daylight: Daylight | None = None) -> Patrol | None:
    """The patrol with its stops in reverse order, as long and over at the same minute.

    `daylight` is that of its week, by which stops are dark; without it they are as they were.

    None where there is one stop or none, where the patrol's legs begin or end at the base, since
    it could not be walked backwards from the gate, by bicycle, since one-way streets cannot be
    ridden back, and where that would be worth much less, see `Patrol.is_reversible`.
    """
    two = 2
    from_gate = patrol.ends_at == "gate" and not patrol.from_base
    if len(patrol.stops) < two or not from_gate or patrol.way != "walk":
        return None
    if not patrol.is_reversible:
        return None
    change = sum(
        stop.reversed_worth - stop.worth for stop in patrol.stops if stop.reversed_worth is not None
    )
    legs = []
    for leg in reversed(patrol.legs):
        line = leg.line[::-1]
        steps = reverse_directions(leg.steps, line)
        legs.append(replace(leg, steps=steps, line=line, pieces=leg.pieces[::-1]))
    now = patrol.gate_until_minutes
    stops = []
    for stop, leg in zip(reversed(patrol.stops), legs, strict=False):
        arrive = now + leg.minutes
        now = arrive + stop.leave_minutes - stop.arrive_minutes
        again = replace(stop, arrive_minutes=arrive, leave_minutes=now)
        if daylight is not None:
            again = replace(again, is_dark=daylight.is_dark(arrive, now))
        if stop.reversed_worth is not None:
            again = replace(again, worth=stop.reversed_worth, reversed_worth=stop.worth)
        stops.append(again)
    return replace(
        patrol,
        stops=tuple(stops),
        legs=tuple(legs),
        worth=patrol.worth + change,
        way_home=None,
    )
