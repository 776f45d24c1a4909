"""How the patrols of a week are walked: an order of stops and a start minute for each.

Each chosen patrol is walked in an order and at minutes drawn by its own key, among those that are
worth nearly as much and that its officers have time for; its legs are built only then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np

from patrolplan.arrays import Floats, Ints
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.planner import get_occasion, get_planner
from patrolplan.patrols.timings import Timing, Timings
from patrolplan.team.free_time import find_set_out
from patrolplan.team.problem import MINUTES_TOLERANCE
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.secret import DrawKey
from patrolplan.team.week import Duty

MINUTES_A_DAY = 1440.0


@dataclass(frozen=True, eq=False)
class DwellMiddles:
    """When a route may be at its stops (n), by each of its timings (t)."""

    stop: Ints  # (t, n) rows of the patrol's stops
    minutes: Floats  # (t, n) the middle of each dwell, after midnight
    chance: Floats  # (t,) how likely each timing is drawn; together 1


def list_dwell_middles(patrol: Patrol) -> DwellMiddles:
    """The middles of a patrol's dwells, by every timing that the draw chooses from."""
    timings = patrol.timings
    if timings is None or not len(timings):
        middles = [(stop.arrive_minutes + stop.leave_minutes) / 2 for stop in patrol.stops]
        stops = np.arange(len(middles), dtype=np.int64)[None]
        return DwellMiddles(stops, np.array([middles]), np.ones(1))
    stops = timings.orders[timings.order]
    stood = np.array([stop.stood_minutes for stop in patrol.stops])
    return DwellMiddles(stops, timings.begin_minutes + stood[stops] / 2, timings.chances)


def draw_walks(
    inputs: RotaInputs, duties: Sequence[Duty], key: DrawKey, *, rows: Iterable[int] | None = None
) -> tuple[Duty, ...]:
    """The duties of a week as they are walked; those that are fixed stay as they are."""
    # Each of these rows, by default of all, is drawn by its own key, derived from that of the
    # week's draw. Its officers' other duties of the day limit its walk.
    held = {duty.slot for duty in inputs.held}
    drawn, walked = list(duties), list(duties)
    chosen: list[tuple[tuple[int, str, str], int, int, Timing, float]] = []
    rows = range(len(drawn)) if rows is None else rows
    for row in sorted(rows, key=lambda row: (drawn[row].date, drawn[row].leave_minutes)):
        duty = drawn[row]
        route = None if duty.slot in held else inputs.find_route(duty.patrol)
        if route is None:
            continue
        planned = inputs.routes[route]
        begin, end = find_time_limits(inputs, drawn, row)
        timings = _select_in_time(planned, begin, end, leave_minutes=duty.leave_minutes)
        own = key.derive("patrol", duty.officer, duty.date, duty.urn, duty.window)
        timing = timings.draw(own.pick)
        if timing is not None:
            drawn[row] = _shift_duty(duty, planned, timing)
            by = _find_day(inputs, route), planned.window, planned.urn
            chosen.append((by, row, route, timing, end))
    # By day, window and school: neighbours in this order share what is built once.
    for _, row, route, timing, end in sorted(chosen, key=itemgetter(0)):
        walked[row] = _walk(inputs, duties[row], route, timing, end)
    return tuple(walked)


def draw_new_walks(
    inputs: RotaInputs, before: Sequence[Duty], duties: Sequence[Duty], key: DrawKey
) -> tuple[Duty, ...]:
    """The duties of a changed week, with walks drawn for those that were not in it before."""
    # An officer with the same route of the same school on the same day as before keeps the walk.
    earlier = {inputs.find_option(duty): duty for duty in before}
    new, standing = [], list(duties)
    for row, duty in enumerate(duties):
        if (old := earlier.get(inputs.find_option(duty))) is None:
            new.append(row)
        else:
            same = old if old.variant == duty.variant else replace(old, variant=duty.variant)
            standing[row] = same.with_crew(duty.crew)
    return draw_walks(inputs, standing, key, rows=new)


def find_time_limits(inputs: RotaInputs, duties: Sequence[Duty], row: int) -> tuple[float, float]:
    """When the officers of a duty may leave their bases for it, and when it must be over."""
    duty, free = duties[row], inputs.free_time
    day = inputs.days.index(duty.date)
    begin, end = 0.0, MINUTES_A_DAY
    for name in (duty.officer, *duty.crew):
        officer = inputs.officers.index(name)
        _, back = _find_span(inputs, name, duty)
        way_back = max(0.0, back - duty.end_minutes)
        if not np.isnan(free.hours[officer, day, 1]):
            end = min(end, float(free.hours[officer, day, 1]))
        own = [one for one in free.appointments if (one.officer, one.date) == (name, duty.date)]
        others = [(one.leave_minutes, one.back_minutes) for one in own]
        beside = [one for one in duties if one is not duty and one.date == duty.date]
        others += [_find_span(inputs, name, one) for one in beside if name in one.people]
        for sets_out, is_back in others:
            if sets_out >= duty.start_minutes:
                end = min(end, sets_out - way_back)
            else:
                begin = max(begin, is_back)
    return begin, end


def _find_span(inputs: RotaInputs, name: str, duty: Duty) -> tuple[float, float]:
    """When someone of a duty sets out and is back; where that is not known, its start and end."""
    if name == duty.officer:
        leave, back = duty.leave_minutes, duty.back_minutes
    else:
        way = inputs.travel[inputs.officers.index(name), inputs.urns.index(duty.urn)]
        leave, back = float(find_set_out(duty.start_minutes, way)), duty.end_minutes + way
    return (
        duty.start_minutes if np.isnan(leave) else float(leave),
        duty.end_minutes if np.isnan(back) else float(back),
    )


def _select_in_time(patrol: Patrol, begin: float, end: float, *, leave_minutes: float) -> Timings:
    """The timings of a patrol that begin and end within limits."""
    # Who is present at the gate sets out at a fixed time, to be there at the start; without a
    # presence one sets out later where one leaves later.
    timings = patrol.timings
    if timings is None:
        return Timings.none(len(patrol.stops))
    is_in_time = timings.end_minutes <= end + MINUTES_TOLERANCE
    if not patrol.has_presence:
        way = patrol.start_minutes - leave_minutes
        is_in_time &= timings.gate_until_minutes - way >= begin - MINUTES_TOLERANCE
    return timings.select(is_in_time)


def _shift_duty(duty: Duty, planned: Patrol, timing: Timing) -> Duty:
    """The duty with the times that a timing gives it."""
    later = 0.0 if planned.has_presence else timing.gate_until_minutes - planned.start_minutes
    return replace(
        duty,
        start_minutes=planned.start_minutes + later,
        end_minutes=timing.end_minutes,
        leave_minutes=duty.leave_minutes + later,
        back_minutes=duty.back_minutes + timing.end_minutes - duty.end_minutes,
    )


def _walk(inputs: RotaInputs, duty: Duty, route: int, timing: Timing, end: float) -> Duty:
    """The duty as it is walked, with legs and directions."""
    planned = inputs.routes[route]
    whole = inputs.plans[_find_day(inputs, route)]
    plan = {part.window_name: part for part in whole.parts}.get(planned.window, whole)
    planner = get_planner(plan)
    row = planner.find_row(planned.urn)
    visit = tuple(stop.sent_for.place_id for stop in planned.stops if stop.sent_for)
    names = tuple(name for stop in planned.stops for name in stop.covered)
    walk = None
    for watch in ((), names):  # most patrols share the school's own candidates
        builder = planner.get_builder(row, get_occasion(plan), visit, watch)
        if walk := builder.walk_patrol(planned, timing, latest_end_minutes=end):
            break
    walk = walk or planned
    moved = _shift_duty(duty, planned, replace(timing, end_minutes=walk.end_minutes))
    return replace(moved, patrol=walk, start_minutes=walk.start_minutes)


def _find_day(inputs: RotaInputs, route: int) -> int:
    """The first day on which a route is planned."""
    return int(np.argmax(inputs.variant[:, route] >= 0))
