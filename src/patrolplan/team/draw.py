"""The draw: of all feasible weeks that are nearly the best, one that cannot be foreseen.

A random walk starts at the best week and goes through the weeks that keep every rule and the floor
and are worth at least (1 - give) of the best (`patrolplan.team.rota_search.walk_weeks`); its last
week is the week that is drawn. After `MOVES_PER_OFFICER_DAY` moves it hardly depends on its start.
The moves of the walk are not exactly symmetric, so weeks are never called equally likely.

All that is random follows from a key (`patrolplan.team.secret`), so that those who hold the secret
can draw the same week again and show that no other was chosen in its place.

How well a week is foreseen is counted, over weeks on long walks of this kind, and over all orders
of stops and start minutes of each patrol in them. An insider, who has the tool and the data but not
the secret, can compute the same chances, and the best guess is the most probable cells.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.arrays import Floats, Ints
from patrolplan.parallel import map_in_threads
from patrolplan.team.objective import compute_worth
from patrolplan.team.problem import RotaProblem
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.rota_search import anneal_week, walk_weeks
from patrolplan.team.secret import DrawKey, make_open_key, read_secret
from patrolplan.team.solve import RotaSolution, find_floor
from patrolplan.team.walks import DwellMiddles, list_dwell_middles
from patrolplan.team.week import Duty
from patrolplan.team.week_records import Foreseen
from patrolplan.times import format_time

MOVES_PER_OFFICER_DAY = 500  # small changes on the way from the best week to the one that is drawn

WALKS = 2  # each from the best week, with the moves of a draw before its first state
STATES = 150  # weeks that are counted, over all walks
MOVES_BETWEEN = 500
"""Small changes from one week that is counted to the next: with four times as many, chances come no
nearer to those of weeks drawn one by one, see `tests/team/test_draw.py`."""
MOVES_PER_SCHOOL = 30_000  # small changes on the way to a week that is nearly the best one

QUARTER_MINUTES = 15
QUARTERS = 24 * 60 // QUARTER_MINUTES
FORESEEN_DIGITS = 4
DIGEST_BYTES = 32
SEEDS = 2**64

VisitTimes = Sequence[tuple[Ints, Floats]]
"""(r,) of each route the cells, of a hotspot and a quarter of an hour from midnight, in which it
may dwell, and how likely it does, over all orders of its stops and start minutes."""


def make_draw_key(area: StudyArea, day: dt.date, number: int = 1) -> DrawKey:
    """The key of the `number`-th draw of a week, by any of its days."""
    # Without the secret that the settings name it is made of their seed, and has no commitment.
    monday = day - dt.timedelta(days=day.weekday())
    secret = read_secret(area.settings)
    if secret is None:
        return make_open_key(area.settings.seed, area.name, monday, number)
    return secret.make_key(area.name, monday, number)


def draw_week(problem: RotaProblem, best: RotaSolution, give: float, key: DrawKey) -> RotaSolution:
    """The week that a key draws: one worth at least (1 - `give`) of a solution with its floor."""
    # Bound and proof remain those of the best week; `give` 0 is the best week itself.
    if not len(best.chosen) or give <= 0:
        return best
    (chosen,) = walk_from(problem, best, give, seed=key.derive("week").draw(SEEDS))
    return replace(best, chosen=chosen, worth=compute_worth(problem, chosen))


def walk_from(
    problem: RotaProblem,
    solution: RotaSolution,
    give: float,
    *,
    seed: int,
    moves: int | None = None,
    states: int = 1,
) -> list[Ints]:
    """Weeks on a walk, by default one after the moves of a draw from a solution."""
    assert solution.floor is not None  # noqa: S101 - of every solved week
    moves = moves or MOVES_PER_OFFICER_DAY * len(problem.max_patrols) * len(problem.dates)
    limit = solution.worth - give * abs(solution.worth)
    options = {"moves": moves, "states": states, "seed": seed}
    return walk_weeks(problem, solution.floor, solution.chosen, limit=limit, **options)


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


def list_visit_times(inputs: RotaInputs) -> VisitTimes:
    """When each route of a week may visit its hotspots."""
    row, times = {name: number for number, name in enumerate(inputs.hotspots)}, []
    for route in inputs.routes:
        hotspots = np.array([row.get(stop.hotspot, -1) for stop in route.stops], dtype=np.int64)
        times.append(count_visit_times(hotspots, list_dwell_middles(route)))
    return times


def count_visit_times(hotspots: Ints, middles: DwellMiddles) -> tuple[Ints, Floats]:
    """Cells and chances of a route with (n,) hotspots, -1 for none."""
    # A dwell is in the quarter of its middle.
    hotspot = hotspots[middles.stop]
    cell = hotspot * QUARTERS + (middles.minutes // QUARTER_MINUTES).astype(np.int64)
    chance = np.broadcast_to(middles.chance[:, None], cell.shape)
    cells, which = np.unique(cell[hotspot >= 0], return_inverse=True)
    return cells, np.minimum(1.0, np.bincount(which, chance[hotspot >= 0], len(cells)))


def sample_weeks(problem: RotaProblem, best: RotaSolution, give: float, *, seed: int) -> list[Ints]:
    """Weeks as they might be drawn, without the secret."""
    if give <= 0 or not len(best.chosen):
        return [best.chosen]

    # Each walk begins as a draw does, so that its first week is as far from the best one, and its
    # second part has other numbers. The golden ratio's odd fraction of 2^64 sets seeds far apart.
    def walk(number: int) -> list[Ints]:
        own = (seed * WALKS + number) * 0x9E3779B97F4A7C15 % 2**64
        (first,) = walk_from(problem, best, give, seed=own)
        more = {"seed": own ^ 1 << 63, "moves": MOVES_BETWEEN, "states": STATES // WALKS}
        return walk_from(problem, replace(best, chosen=first), give, **more)

    runs = [one.result() for one in map_in_threads(walk, range(WALKS))]
    return [week for run in runs for week in run]


def compute_chances(problem: RotaProblem, times: VisitTimes, weeks: list[Ints]) -> Floats:
    """(h, d, q) chance of a visit to each hotspot on each day in each quarter of an hour."""
    # Patrols are drawn independently: nobody comes if each of them comes at another time.
    days, hotspots = len(problem.dates), len(problem.weight)
    total = np.zeros((days, hotspots * QUARTERS))
    for chosen in weeks:
        missed = np.ones_like(total)
        for option in chosen[~problem.is_along[chosen]].tolist():
            cells, chance = times[problem.route[option]]
            missed[problem.day[option], cells] *= 1 - chance
        total += 1 - missed
    chances = total / max(1, len(weeks))
    return np.asarray(chances.reshape(days, hotspots, QUARTERS).swapaxes(0, 1))


def find_foreseen(inputs: RotaInputs, best: RotaSolution) -> Foreseen:
    """How well a week is foreseen with its locks and bans, and without."""
    with_locks = _foresee(inputs, best)
    if not (inputs.locks or inputs.bans):
        return Foreseen(with_locks, with_locks)
    # Without them, a week to start from needs no bound, which takes most of the time of a solution.
    free, seed = inputs.with_locks_and_bans(locks=(), bans=()), inputs.area.settings.seed
    problem, floor = free.problem, find_floor(free.problem)
    moves = MOVES_PER_SCHOOL * problem.schools
    chosen = anneal_week(problem, floor, floor.chosen, moves=moves, seed=seed)
    nearly = replace(RotaSolution.rate(problem, chosen, 0.0), floor=floor)
    return Foreseen(_foresee(free, nearly), with_locks)


def _foresee(inputs: RotaInputs, best: RotaSolution) -> float:
    """Share of visits that an insider is expected to name, of weeks drawn from the best one."""
    settings, problem = inputs.area.settings, inputs.problem
    weeks = sample_weeks(problem, best, settings.week.give, seed=settings.seed)
    chances = compute_chances(problem, list_visit_times(inputs), weeks)
    # As many cells as there are visits in a week on average, the most probable ones.
    visits = float(chances.sum())
    if visits <= 0:
        return 0.0
    probable = np.sort(chances[chances > 0])[::-1]
    return round(float(probable[: max(1, round(visits))].sum() / visits), FORESEEN_DIGITS)
