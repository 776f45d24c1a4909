"""The draw: of all feasible weeks that are nearly the best, one that cannot be foreseen.

A random walk starts at the best week and goes through the weeks that keep every rule and the floor
and are worth at least (1 - give) of the best (`patrolplan.team.rota_search.walk_weeks`); its last
week is the week that is drawn. After `MOVES_PER_OFFICER_DAY` moves it hardly depends on its start.
The moves of the walk are not exactly symmetric, so some weeks are drawn more often than others: how
often is counted (`patrolplan.team.chances`), and weeks are never called equally likely.

All that is random follows from a key (`patrolplan.team.secret`), so that those who hold the secret
can draw the same week again and show that no other was chosen in its place.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from patrolplan.area import StudyArea
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import Ints, RotaProblem
from patrolplan.team.rota_search import walk_weeks
from patrolplan.team.secret import Secret, WeekKey, make_open_key, read_secret
from patrolplan.team.solve import RotaSolution
from patrolplan.team.week import Duty
from patrolplan.times import format_time

MOVES_PER_OFFICER_DAY = 500
"""Small changes on the way from the best week to the one that is drawn."""

DIGEST_BYTES = 32
SEEDS = 2**64


def make_draw_key(
    area: StudyArea, day: dt.date, number: int = 1, *, secret: Secret | None = None
) -> WeekKey:
    """The key of the `number`-th draw of a week, by any of its days."""
    # By default the secret is the one that the settings name. Without one, the settings' seed is
    # used, and the key has no commitment.
    monday = day - dt.timedelta(days=day.weekday())
    secret = read_secret(area.settings) if secret is None else secret
    if secret is None:
        return make_open_key(area.settings.seed, area.name, monday, number)
    return secret.make_key(area.name, monday, number)


def draw_week(
    problem: RotaProblem, solution: RotaSolution, give: float, key: WeekKey
) -> RotaSolution:
    """The week that a key draws: one worth at least (1 - `give`) of a solution with its floor."""
    # Bound and proof remain those of the best week; `give` 0 is the best week itself.
    if not len(solution.chosen) or give <= 0:
        return solution
    (chosen,) = walk_from(problem, solution, give, seed=key.derive("week").draw(SEEDS))
    return replace(solution, chosen=chosen, worth=compute_worth(problem, chosen).total)


def walk_from(
    problem: RotaProblem,
    solution: RotaSolution,
    give: float,
    *,
    seed: int,
    start: Ints | None = None,
    moves: int | None = None,
    states: int = 1,
) -> list[Ints]:
    """Weeks on a walk, by default one after the moves of a draw from a solution."""
    if solution.floor is None:
        message = "a solution without its floor cannot be walked from"
        raise ValueError(message)
    if moves is None:
        moves = MOVES_PER_OFFICER_DAY * len(problem.max_patrols) * len(problem.dates)
    return walk_weeks(
        replace(problem, locks_first=solution.locks_first),
        solution.floor,
        solution.chosen if start is None else start,
        limit=compute_limit(solution.worth, give),
        moves=moves,
        states=states,
        seed=seed,
    )


def compute_limit(best_worth: float, give: float) -> float:
    """Minimum worth of a drawn week."""
    return best_worth - give * abs(best_worth)


def compute_digest(duties: Iterable[Duty]) -> str:
    """A digest of who goes where and when, the same for duties as drawn and as read from a file."""
    rows = sorted(map(list_facts, duties))
    content = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()


def list_facts(duty: Duty) -> list[str]:
    """What is drawn of a duty, as plain text."""
    patrol = duty.patrol
    times = (format_time(duty.start_minutes), format_time(duty.end_minutes))
    stops = ((stop.hotspot, format_time(stop.arrive_minutes)) for stop in patrol.stops)
    return [
        *(f"{duty.date}", duty.officer, *sorted(duty.crew), duty.urn, f"{patrol.number}"),
        *(patrol.window, *times, *(text for stop in stops for text in stop)),
    ]
