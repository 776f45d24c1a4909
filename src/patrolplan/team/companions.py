"""Who may walk along with whom: the second person of a crew.

A companion joins a school's patrol on a day, whichever of its routes is chosen. So they must be
free for all routes that an officer could walk, from setting out for the earliest until returning
from the latest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.team.routes import list_routes_for_two

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from patrolplan.team.problem import Bools, Floats, Ints
    from patrolplan.team.rota_inputs import RotaInputs
    from patrolplan.team.week import Duty


@dataclass(frozen=True, eq=False)
class Companions:
    """Options of walking along with a school's patrol, whichever of its routes is chosen.

    Arrays have axes for the options (c) and for the places that they join (p): a school, a window
    and an officer there. A place is a route without visits, numbered on after all others.
    """

    officer: Ints
    """(c,) who."""
    day: Ints
    place: Ints
    """(c,) row of the place."""
    minutes: Floats
    """(c, 2) minutes of setting out and being back, over all of the school's routes."""
    held: Bools
    """(c,) whether it was handed out and is fixed."""
    school: Ints
    """(p,) of each place."""
    window: Ints
    """(p,) of each place."""
    after: Ints
    """(p,) number of the officer who is joined."""
    route: Ints
    """(r,) the route of whoever joins each route, -1 where nobody may."""


def find_companions(inputs: RotaInputs) -> Companions:
    """Everyone who may walk along with a patrol of a school in their care."""
    # Not those who stay at the gate. Where one officer patrols alone, companions are only those who
    # may not patrol alone, those who go with them, and those for a place that needs two.
    columns = [inputs.route_school, inputs.route_window, inputs.route_number]
    _, first, own = np.unique(
        np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True
    )
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
    held = _find_held(inputs, own)
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


def _find_held(inputs: RotaInputs, place: Ints) -> dict[tuple[int, int, int], tuple[float, float]]:
    """Officer, day and place of all who walk along on patrols handed out, with their minutes."""
    held = {}
    for (_, day, route), duty in inputs.held_rows.items():
        for name in duty.crew:
            if has_time_for(inputs, duty, name):
                officer = inputs.officers.index(name)
                span = inputs.set_out[officer, route], inputs.back[officer, route]
                held[officer, day, int(place[route])] = span
    return held


def has_time_for(inputs: RotaInputs, duty: Duty, name: str) -> bool:
    """Whether absences and appointments leave someone time for a patrol as it was handed out."""
    if duty.date in inputs.absent.get(name, ()):
        return False
    back = duty.end_minutes if np.isnan(duty.back_minutes) else duty.back_minutes
    leave = duty.start_minutes if np.isnan(duty.leave_minutes) else duty.leave_minutes
    return not inputs.free_time.find_clashes(name, duty.date, leave, back)


def find_crewed_options(inputs: RotaInputs) -> Bools:
    """(k, d, r) options that need a crew of two."""
    # Their officer may not patrol alone, or a place on the route needs two. Patrols handed out stay
    # as they are.
    needs = np.zeros((len(inputs.officers), len(inputs.days), len(inputs.routes)), dtype=bool)
    needs |= ~inputs.is_alone[:, None, None]
    needs |= list_routes_for_two(inputs.demands, inputs.routes)
    for place in inputs.held_rows:
        needs[place] = False
    return needs


def find_crews(inputs: RotaInputs, chosen: Ints) -> dict[tuple[int, int, int], tuple[str, ...]]:
    """Who walks along on each patrol of chosen (c, 3) officers, days and routes."""
    names: dict[tuple[int, int], list[str]] = {}
    for officer, day, route in chosen[chosen[:, 2] >= len(inputs.routes)].tolist():
        names.setdefault((day, route), []).append(inputs.officers[officer])
    return {
        (officer, day, route): tuple(
            sorted(names.get((day, int(inputs.companions.route[route])), ()))
        )
        for officer, day, route in chosen[chosen[:, 2] < len(inputs.routes)].tolist()
    }
