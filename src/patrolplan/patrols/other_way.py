"""The same stops the other way round, so that a patrol need not look the same two days running."""

from dataclasses import replace

from patrolplan.patrols.itinerary import turned_back
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.written import BY_TIME


def other_way(patrol: Patrol) -> Patrol | None:
    """The patrol with its stops in reverse order, as long and over at the same minute.

    Parameters
    ----------
    patrol
        From the gate and back to it.

    Returns
    -------
    Patrol or None
        None where the other way is no other order (one stop), where the patrol begins or ends at
        the base without a way back, since the ways there would be others, and by bicycle, since
        one-way streets cannot be ridden back.
    """
    two = 2
    from_gate = patrol.ends_at == "gate" and not patrol.from_base
    if len(patrol.stops) < two or not from_gate or patrol.way != "walk":
        return None
    legs = tuple(_back(leg) for leg in reversed(patrol.legs))
    now = patrol.gate_until_minutes
    stops = []
    for stop, leg in zip(reversed(patrol.stops), legs, strict=False):
        arrive = now + leg.minutes
        now = arrive + stop.leave_minutes - stop.arrive_minutes
        stops.append(replace(stop, arrive_minutes=arrive, leave_minutes=now))
    notes = tuple(note for note in patrol.notes if note != BY_TIME)
    return replace(patrol, stops=tuple(stops), legs=legs, notes=notes)


def _back(leg: Leg) -> Leg:
    line = leg.line[::-1]
    return replace(leg, steps=turned_back(leg.steps, line), line=line, pieces=leg.pieces[::-1])
