"""Locks and bans that cannot be: of what does not exist, or that nobody could fulfil."""

from collections import Counter

import numpy as np

from patrolplan.errors import Problems
from patrolplan.team.obstacle_finder import ObstacleFinder
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week import Ban, Lock, format_day


def check_locks_and_bans(inputs: RotaInputs) -> None:
    """Raise for locks and bans that name an officer, school, day or variant that does not exist."""
    problems = Problems()
    days = inputs.days
    for kind, rows in (("lock", inputs.locks), ("ban", inputs.bans)):
        for row in rows:
            place = f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"
            if row.officer is not None and row.officer not in inputs.officers:
                names = ", ".join(list(inputs.officers)[:12])
                what = f"there is no officer '{row.officer}' (known: {names})"
                problems.add(kind, what, "name one of them", place)
            highest = _find_highest_variant(inputs, row)
            if highest < 0:
                what = f"no patrol is planned for URN '{row.urn}'"
                problems.add(kind, what, "name a school of the plan", place)
            elif row.variant is not None and not 0 <= row.variant <= highest:
                what = f"there is no variant {row.variant}"
                problems.add(kind, what, f"write 0 to {highest}", place)
            if row.window not in {None, *inputs.area.settings.week.windows}:
                what = f"there is no window '{row.window}' in the week"
                remedy = f"name one of them: {', '.join(inputs.area.settings.week.windows)}"
                problems.add(kind, what, remedy, place)
            if row.date not in {*days, *([None] if kind == "ban" else [])}:
                span = f"{format_day(days[0])} to {format_day(days[-1])}"
                what = f"{row.date} is not one of the planned days"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()


def _find_highest_variant(inputs: RotaInputs, row: Lock | Ban) -> int:
    """The highest number of a route that a lock or ban may name; -1 where none is planned."""
    urns = np.array([row.urn in {None, urn} for urn in inputs.urns], dtype=bool)
    routes = urns[inputs.route_school]
    return int(inputs.variant[:, routes].max(initial=-1))


def check_locks(inputs: RotaInputs) -> None:
    """Raise for locks that cannot be fulfilled, separately or together."""
    problems = Problems()
    finder = ObstacleFinder(inputs, np.zeros((0, 3), dtype=np.int64))
    for number, lock in enumerate(inputs.locks):
        if not (inputs.problem.lock == number).any():
            row, school = inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)
            what = finder.explain(row, school, inputs.days.index(lock.date))
            what = what or "a ban rules it out, or the variant does not fit the hours"
            place = f"{lock.officer} at {lock.urn} on {lock.date}"
            problems.add("lock", what, "remove the lock", place)
    officer_days = Counter((lock.officer, lock.date, lock.window or "") for lock in inputs.locks)
    for (officer, date, _), count in sorted(officer_days.items()):
        if count > 1:
            problems.add("lock", f"{officer} has two patrols on {date}", "keep one of the locks")
    limits = dict(zip(inputs.officers, inputs.max_patrols.tolist(), strict=True))
    for officer, count in sorted(Counter(lock.officer for lock in inputs.locks).items()):
        if count > limits[officer]:
            what = f"{officer} has {count} patrols, more than the maximum of {limits[officer]}"
            problems.add("lock", what, "remove some locks, or raise max_patrols_per_week")
    together = inputs.area.settings.patrol.officers
    school_days = Counter((lock.urn, lock.date, lock.window or "") for lock in inputs.locks)
    for (urn, date, _), count in sorted(school_days.items()):
        if count > together:
            what = f"URN {urn} has more than {together} officers on {date}"
            problems.add("lock", what, "remove some locks")
    problems.raise_if_any()
