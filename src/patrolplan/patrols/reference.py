"""What an experienced officer would do without a plan: the comparator of every patrol.

Stay at the gate throughout; or stay there for `gate_minutes`, go to the busiest corner of the own
way for half an hour, and stand at the gate again. The better of the two by the patrol's own prize
is the reference. A patrol that gains less than `MIN_GAIN` over it gives way to it, unless it meets
a demand: the gain would not be worth what is harder to remember.
"""

from collections.abc import Iterable
from dataclasses import replace

from patrolplan.patrols.patrol_builder import PatrolBuilder, Visit
from patrolplan.patrols.plan import Patrol, Reference

MIN_GAIN = 1.05
CORNER_MINUTES, LONG_WINDOW_MINUTES = 30.0, 70.0  # in shorter windows less in proportion


def plan_reference(builder: PatrolBuilder) -> Patrol | None:
    """The better of the two, for schools whose pupils are out; None where a window has no gate."""
    plans = plan_references(builder)
    return max(plans, key=lambda patrol: patrol.worth) if plans else None


def plan_references(builder: PatrolBuilder) -> list[Patrol]:
    """The plain gate, and the gate with the busiest corner where there is one."""
    problem, hours = builder.problem, builder.hours
    if not (problem.standing.has_pupils and (hours.gate_minutes or hours.gate_last_minutes)):
        return []
    plain = builder.build_visits(hours.latest_end_minutes, [], kind="reference")
    corner = _find_corner(builder)
    if corner is None:
        return [plain]
    return [plain, builder.build_visits(hours.gate_until_minutes, [corner], kind="reference")]


def _find_corner(builder: PatrolBuilder) -> Visit | None:
    """The stay at the busiest corner of the own way, if open and lit; before school a late one."""
    problem, hours = builder.problem, builder.hours
    orienteering, travel = builder.orienteering, builder.orienteering.travel_minutes
    minutes = CORNER_MINUTES * min(1.0, hours.total_minutes / LONG_WINDOW_MINUTES)
    best, most = None, 0.0
    for stop, place in enumerate(problem.visits, start=1):
        if place.kind == "gate":
            continue
        begin = hours.gate_until_minutes + float(travel[0, stop])
        latest = hours.latest_back_minutes - minutes - float(travel[stop, 0])
        if begin > latest:
            continue
        begin = latest if hours.gate_last_minutes else begin
        first, last = orienteering.list_windows([stop])[0]
        last -= minutes - place.dwell_minutes  # windows are those of one dwell
        if first <= begin <= last and place.flow > most:
            best, most = Visit(stop, begin, begin + minutes, minutes), place.flow
    return best


def compare_with_reference(
    builder: PatrolBuilder, patrols: Iterable[Patrol], reference: Patrol | None
) -> tuple[Patrol, ...]:
    """Patrols with their ratios to the reference."""
    if reference is None:
        return tuple(patrols)
    passing = count_passing(builder, reference)
    return tuple(
        replace(
            patrol,
            reference=Reference(
                _divide(patrol.worth, reference.worth),
                _divide(count_passing(builder, patrol), passing),
            ),
        )
        for patrol in patrols
    )


def _divide(one: float, other: float) -> float | None:
    return one / other if other > 0 else None


def count_passing(builder: PatrolBuilder, patrol: Patrol) -> float:
    """Share of own pupils who pass while the officer stands, summed over stays."""
    standing = builder.problem.standing
    stays = [(standing.gate, patrol.start_minutes, patrol.gate_until_minutes)]
    for stop in patrol.stops:
        place = builder.problem.find_place(stop.hotspot)
        stays.append((place, stop.arrive_minutes, stop.leave_minutes))
    if patrol.stops:
        stays.append((standing.gate, patrol.back_minutes, patrol.end_minutes))
    return sum(standing.gather_passing(*stay) for stay in stays)
