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

    @classmethod
    def none(cls) -> Companions:
        """No companions."""
        empty = np.zeros(0, dtype=np.int64)
        held = np.zeros(0, dtype=bool)
        return cls(empty, empty, empty, np.zeros((0, 2)), held, empty, empty, empty)


def find_companions(inputs: RotaInputs) -> Companions:
    """Everyone who may walk along with a patrol of a school in their care."""
    # Not those who stay at the gate. Where one officer patrols alone, companions are only those who
    # may not patrol alone, those who go with them, and those for a place that needs two.
    places = list_places(inputs)
    found: dict[tuple[int, int, int], tuple[float, float]] = {}
    for place, routes in enumerate(places):
        for day in range(len(inputs.days)):
            walked = inputs.possible[:, day, routes]
            at = routes[walked.any(axis=0)]
            if len(at):
                for officer in np.flatnonzero(_may_join(inputs, day, at)).tolist():
                    span = inputs.set_out[officer, at].min(), inputs.back[officer, at].max()
                    found[officer, day, place] = span
    held = _find_held(inputs, places)
    found |= held
    if not found:
        return Companions.none()
    officer, day, place = np.array(list(found), dtype=np.int64).T
    first = np.array([routes[0] for routes in places], dtype=np.int64)
    return Companions(
        officer=officer,
        day=day,
        place=place,
        minutes=np.array(list(found.values()), dtype=np.float64),
        held=np.array([key in held for key in found], dtype=bool),
        school=inputs.route_school[first],
        window=inputs.route_window[first],
        after=inputs.route_number[first],
    )


def list_places(inputs: RotaInputs) -> list[Ints]:
    """(p,) the routes of each place: of one school, window and number of the officer there."""
    columns = [inputs.route_school, inputs.route_window, inputs.route_number]
    _, place = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return [np.flatnonzero(place.ravel() == row) for row in range(1 + int(place.max(initial=-1)))]


def _may_join(inputs: RotaInputs, day: int, routes: Ints) -> Bools:
    """(k,) whether someone may walk along on any of a place's routes on a day."""
    school = int(inputs.route_school[routes[0]])
    free = inputs.cares[:, school] & ~inputs.is_absent[:, day] & inputs.is_open[school, day]
    free &= inputs.in_time[:, day, routes].all(axis=1)
    free &= ~inputs.stays_at_gate
    window = inputs.routes[routes[0]].window
    for ban in inputs.bans:
        if (
            ban.variant is None
            and ban.urn in {None, inputs.urns[school]}
            and ban.date in {None, inputs.days[day]}
            and ban.window in {None, window}
        ):
            free &= [ban.officer not in {None, name} for name in inputs.officers]
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


def _find_held(
    inputs: RotaInputs, places: list[Ints]
) -> dict[tuple[int, int, int], tuple[float, float]]:
    """Officer, day and place of all who walk along on patrols handed out, with their minutes."""
    held = {}
    place_of = {int(row): place for place, routes in enumerate(places) for row in routes}
    for (_, day, route), duty in inputs.held_rows.items():
        for name in duty.crew:
            if has_time_for(inputs, duty, name):
                officer = inputs.officers.index(name)
                span = inputs.set_out[officer, route], inputs.back[officer, route]
                held[officer, day, place_of[route]] = span
    return held


def has_time_for(inputs: RotaInputs, duty: Duty, name: str) -> bool:
    """Whether absences and appointments leave someone time for a patrol as it was handed out."""
    if duty.date in inputs.absent.get(name, ()):
        return False
    back = duty.end_minutes if np.isnan(duty.back_minutes) else duty.back_minutes
    leave = duty.start_minutes if np.isnan(duty.leave_minutes) else duty.leave_minutes
    return not any(
        (one.officer, one.date) == (name, duty.date)
        and one.leave_minutes < back
        and leave < one.back_minutes
        for one in inputs.free_time.appointments
    )


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
            sorted(names.get((day, int(inputs.companion_route[route])), ()))
        )
        for officer, day, route in chosen[chosen[:, 2] < len(inputs.routes)].tolist()
    }
