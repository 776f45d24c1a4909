"""Locks and bans that name no officer, school, day or route that is there."""

import numpy as np

from patrolplan.errors import Problems
from patrolplan.team.options import Choice
from patrolplan.team.week import Ban
from patrolplan.team.week import Lock
from patrolplan.team.week import day_name


def check_hand(choice: Choice) -> None:
    """Raise for locks and bans that name no officer, school, day or variant that is there."""
    problems = Problems()
    days = choice.days
    for kind, rows in (("lock", choice.locks), ("ban", choice.bans)):
        for row in rows:
            place = f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"
            if row.officer is not None and row.officer not in choice.officers:
                problems.add(kind, f"there is no officer '{row.officer}'", "name one", place)
            highest = _highest(choice, row)
            if highest < 0:
                problems.add(kind, f"no patrol is planned for URN '{row.urn}'", "name one", place)
            elif row.variant is not None and not 0 <= row.variant <= highest:
                what = f"there is no variant {row.variant}"
                problems.add(kind, what, f"write 0 to {highest}", place)
            if row.date not in {*days, *([None] if kind == "ban" else [])}:
                span = f"{day_name(days[0])} to {day_name(days[-1])}"
                what = f"{row.date} is not among the days planned"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()


def _highest(choice: Choice, row: Lock | Ban) -> int:
    """The highest number of a route that a lock or ban may name; -1 where none is planned."""
    routes = np.array([row.urn in {None, urn} for urn in choice.urns], dtype=bool)
    routes = routes[choice.route_school]
    if row.officer in choice.officers:
        mine = routes & choice.goes[choice.officers.index(row.officer)]
        routes = mine if mine.any() else routes
    return int(choice.variant[:, routes].max(initial=-1))
