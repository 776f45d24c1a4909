"""Why a patrol stops where it does, decided once: papers only put it into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from patrolplan.hotspots.reasons import Reason, ReportsReason, WayReason
from patrolplan.times import minutes_after_midnight

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol, Stop

MET_SHARE = 0.5  # least share of the time of a way for which a stop must last to meet it
OWN_SCHOOL = "this school"  # name of a patrol's own school among its reasons


@dataclass(frozen=True, kw_only=True)
class StopReasons:
    """Why a patrol stops at a place, apart from a tasking."""

    earlier: int | None  # number of an earlier stop at the same place, where the reasons stand
    reasons: tuple[Reason, ...]  # the most important first, but for `busiest`
    busiest: WayReason | None  # the way home, at the stop that most of the own pupils pass
    told: Mapping[Reason, int]  # number of the earlier stop that has a reason, too
    is_feared: bool  # whether a group of pupils reports that they feel unsafe there


def find_stop_reasons(patrol: "Patrol") -> tuple[StopReasons, ...]:
    """The reasons of each stop of a patrol."""
    busiest_row, busiest = find_busiest_stop(patrol)
    ids = [stop.id for stop in patrol.stops]
    found: list[StopReasons] = []
    for row, stop in enumerate(patrol.stops):
        first = ids.index(stop.id)
        is_again = stop.kind != "gate" and first < row
        found.append(
            StopReasons(
                earlier=first + 1 if is_again else None,
                reasons=_name_own_school(stop, patrol.school, leave_out=row == busiest_row),
                busiest=busiest if row == busiest_row else None,
                told=_number_reasons(found),
                is_feared=is_feared(stop.why),
            )
        )
    return tuple(found)


def _number_reasons(stops: Sequence[StopReasons]) -> dict[Reason, int]:
    """Number of the first stop that has each reason."""
    numbers: dict[Reason, int] = {}
    for number, stop in enumerate(stops, start=1):
        for reason in stop.reasons:
            numbers.setdefault(reason, number)
    return numbers


def _name_own_school(stop: "Stop", school: str, *, leave_out: bool) -> tuple[Reason, ...]:
    """A stop's reasons, with the way of the patrol's own school left out or not named again."""
    reasons: list[Reason] = []
    for reason in () if stop.kind == "gate" else stop.why:
        if not (isinstance(reason, WayReason) and reason.school == school):
            reasons.append(reason)
        elif not leave_out:
            reasons.append(replace(reason, school=OWN_SCHOOL))
    return tuple(reasons)


def find_busiest_stop(patrol: "Patrol") -> tuple[int, WayReason | None]:
    """Row of the stop where most of the own pupils pass meanwhile, and the reason; -1 for none."""
    ways = [
        (row, reason)
        for row, stop in enumerate(patrol.stops)
        for reason in stop.why
        if isinstance(reason, WayReason) and reason.school == patrol.school
    ]
    return max(ways, key=lambda way: (way[1].share, -way[0]), default=(-1, None))


def is_way_met(reason: WayReason, arrive_minutes: float, leave_minutes: float) -> bool:
    """Whether somebody is there for half of the time or more in which most of the pupils pass."""
    start, end = minutes_after_midnight(reason.start), minutes_after_midnight(reason.end)
    together = min(end, leave_minutes) - max(start, arrive_minutes)
    return together >= MET_SHARE * (end - start)


def is_feared(reasons: Iterable[Reason]) -> bool:
    """Whether a group of pupils reports that they feel unsafe at a place."""
    return any(isinstance(reason, ReportsReason) for reason in reasons)
