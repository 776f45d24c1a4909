"""What a week does not reach, and why: one table, which screen, board, papers and file print.

Its rows are in the order in which a lead should see to them: visits that intelligence, pupils or
rising crime demand, schools below their minimum, streets with most risk, then days.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.area.square_names import format_grid_reference
from patrolplan.patrols.feared_places import name_feared_places
from patrolplan.patrols.obstacles import ASK_LOCAL_TEAM, SWAP
from patrolplan.team.routes import list_patrols
from patrolplan.team.stays import group_stays, list_stays
from patrolplan.team.week_records import DemandOutcome, Unmet, UnmetKind
from patrolplan.text import capitalise, format_count

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Plan
    from patrolplan.team.obstacle_finder import ObstacleFinder
    from patrolplan.team.rota_inputs import RotaInputs
    from patrolplan.team.week import Duty

HEAVIEST = 20  # priority streets with most risk, which should not be without a visit
COUNTED: dict[UnmetKind, str] = {
    "visit": "place",
    "minimum": "school",
    "street": "street",
    "day": "school day",
}
LACKS: dict[UnmetKind, str] = {
    "visit": "short of visits",
    "minimum": "below the minimum of patrols",
    "street": "with most risk but no stop",
    "day": "without a patrol",
}


def list_unmet(
    finder: "ObstacleFinder", duties: Sequence["Duty"], demands: Sequence[DemandOutcome]
) -> Iterator[Unmet]:
    """Every row of a week with these patrols."""
    plan = finder.inputs.plans[0]
    words = name_places(plan, duties)
    yield from (_describe_demand(demand, words) for demand in demands if not demand.is_met)
    yield from _list_schools_below_minimum(finder)
    yield from _list_heavy_streets(plan, duties)
    yield from _list_days(finder, duties)


def count_unmet(unmet: Sequence[Unmet]) -> str:
    """How much is not met, by what it is; empty where all is."""
    counts = Counter(row.kind for row in unmet)
    parts = (
        f"{format_count(counts[kind], noun)} {LACKS[kind]}"
        for kind, noun in COUNTED.items()
        if counts[kind]
    )
    return ", ".join(parts)


def list_missing(unmet: Sequence[Unmet], *kinds: UnmetKind) -> list[Unmet]:
    """The rows of some kinds."""
    return [row for row in unmet if row.kind in kinds]


def name_places(plan: "Plan", duties: Sequence["Duty"]) -> dict[str, str]:
    """Where each hotspot, tasked and feared place is: its streets, else its grid reference."""
    area = plan.area
    crs, places = area.settings.area.crs, area.tasked_places
    points = zip(places["place_id"], places.geometry, strict=True)
    words = {name: format_grid_reference(point.x, point.y, crs=crs) for name, point in points}
    words |= dict(zip(plan.hotspots["hotspot"], plan.hotspots["place"], strict=True))
    words |= name_feared_places(area)
    stops = (stop for duty in duties for stop in duty.patrol.stops)
    return words | {stop.tasked: stop.place for stop in stops if stop.tasked}


def _describe_demand(demand: DemandOutcome, words: dict[str, str]) -> Unmet:
    """A demand without all its visits: the place, how many it has, and the nearest miss."""
    where = capitalise(words.get(demand.place, ""))
    what = f"{demand.place} ({where})" if where else demand.place
    if where and demand.kind == "feared":
        what = where
    made = f"{len(demand.met_by)} of {demand.visits} visits; " if demand.met_by else ""
    why, fix = "nobody goes there", SWAP
    if demand.why is not None:
        why, fix = demand.why.tell_lead(), demand.why.fix
    return Unmet("visit", what, f"{made}{why}", fix, place=demand.place, date=demand.date)


def _list_schools_below_minimum(finder: "ObstacleFinder") -> Iterator[Unmet]:
    """Schools with fewer patrols than the minimum, or than the days on which they are open."""
    inputs, routes = finder.inputs, finder.chosen[:, 2]
    # Several officers at once are one patrol, and only the first window counts.
    is_first = (inputs.route_number[routes] == 1) & (inputs.route_window[routes] == 0)
    patrols = np.bincount(inputs.route_school[routes[is_first]], minlength=len(inputs.urns))
    least, names = inputs.problem.min_patrols, _name_schools(inputs)
    targets = np.minimum(least, inputs.is_open.sum(axis=1))
    for school in np.flatnonzero(patrols < targets).tolist():
        urn, count = inputs.urns[school], patrols[school]
        why = f"{count} of at least {format_count(least, 'patrol')}" if count else "no patrol"
        yield Unmet("minimum", names[urn], f"{why} this week", SWAP, urn=urn)


def _list_heavy_streets(plan: "Plan", duties: Sequence["Duty"]) -> Iterator[Unmet]:
    """The priority streets with most risk in which no patrol stops."""
    visited = group_stays(list_stays(duties))
    stops = (stop for _, patrol in list_patrols(plan) for stop in patrol.stops)
    in_reach = {name for stop in stops for name in stop.covered}
    table = plan.hotspots.sort_values("worth", ascending=False, kind="stable")[:HEAVIEST]
    for name, place in zip(table["hotspot"], table["place"], strict=True):
        if name in visited:
            continue
        why, fix = "most risk, and no school's patrol reaches it", ASK_LOCAL_TEAM
        if name in in_reach:
            why, fix = "most risk, and no patrol of this week stops there", SWAP
        yield Unmet("street", f"{name} ({place})", why, fix, place=name)


def _list_days(finder: "ObstacleFinder", duties: Sequence["Duty"]) -> Iterator[Unmet]:
    """Every day of a school without a patrol."""
    inputs, names = finder.inputs, _name_schools(finder.inputs)
    served = {(duty.urn, duty.date) for duty in duties}
    for day, date in enumerate(inputs.days):
        for school, urn in enumerate(inputs.urns):
            if (urn, date) not in served:
                kind: UnmetKind = "day" if inputs.is_open[school, day] else "closed"
                why = finder.explain_day(school, day)
                yield Unmet(kind, names[urn], why, urn=urn, date=date)


def _name_schools(inputs: "RotaInputs") -> dict[str, str]:
    """What papers call each school, by URN."""
    return {route.urn: route.school for route in inputs.routes}
