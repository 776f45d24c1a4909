"""Back-test of patrols: harm recorded in hold-out months where they would have been.

At each origin patrols are made from the months before; baselines have the same officers, window,
dwell and presence at the gate. Pupils' reports have no months, so they cannot be held out. A month
has too few crimes for hours: if times are known, a category counts by its share in the window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window, weigh_minutes
from patrolplan.area.selection import place_again
from patrolplan.area.study_area import with_settings
from patrolplan.arrays import Floats, Ints
from patrolplan.doors import Origins
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.hotspots.reasons import write_reasons
from patrolplan.hotspots.stretches import describe_stops
from patrolplan.patrols.planner import Occasion, Planner
from patrolplan.patrols.school_problem import SchoolProblem, build_school_problem
from patrolplan.patrols.solver.problem import time_route
from patrolplan.patrols.solver.solve import OrienteeringProblem, solve
from patrolplan.pupils.model import model_pupils
from patrolplan.pupils.pupils import Pupils
from patrolplan.risk.backtest import build_checked_history, select_origins
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import DayKind
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.history import History, get_harm_days
from patrolplan.risk.intervals import compute_interval, draw_months
from patrolplan.risk.models import PRIOR
from patrolplan.risk.scores import divide

OURS = "patrolplan"
BASELINES = ("greedy by worth per minute", "greedy by prior count")
# Settings under which crime is spread evenly over the day, without pupils' presence.
AT_ANY_TIME: dict[str, object] = {"exposure": {}, "clock": "flat"}
PLANNED_COLUMNS = ("planned worth", "planned worth, greedy")
Routes = Sequence[Sequence[int]]  # stops of each officer, as rows of the problem, in walking order


@dataclass(frozen=True)
class HarmRatio:
    """A row of `PatrolBacktest.summary`, see there; in files null means unknown."""

    against: str
    harm_per_officer_hour_ratio: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class PatrolBacktest:
    """Harm recorded in hold-out months where patrols would have dwelt."""

    results: pd.DataFrame
    """One row per origin and school: `origin`, `urn`, and for `OURS` and each of `BASELINES` the
    harm (days) of the month in their dwells' stretches, per officer-hour; in `PLANNED_COLUMNS` the
    worth as planned, of ours and of greedy stops by worth per minute."""
    seed: int  # seed of the bootstrap

    def summary(self) -> pd.DataFrame:
        """Ratio of the harm that ours covered to that of each baseline, with its 95 % interval.

        The interval resamples the months, all schools of a month together: it is for the same
        schools, which are the ones that will be patrolled, in other months. It is computed on the
        ratio's logarithm, so that it stays above 0, and unknown with fewer than six months.
        """
        by_month = self.results.groupby("origin")[[OURS, *BASELINES]].sum()
        ours = by_month[OURS].to_numpy()
        weights = draw_months(len(ours), seed=self.seed)
        rows = []
        for name in BASELINES:
            plain = by_month[name].to_numpy()
            ratio = divide(ours.sum(), plain.sum())
            low, high = compute_interval(
                np.log(ratio), np.log(divide(weights @ ours, weights @ plain)), len(ours)
            )
            rows.append((name, float(ratio), float(np.exp(low)), float(np.exp(high))))
        return pd.DataFrame(rows, columns=[one.name for one in fields(HarmRatio)])

    @property
    def planned_worth_ratio(self) -> float:
        """Ratio of the planned worth to that of greedy stops by worth per minute."""
        ours, plain = self.results[list(PLANNED_COLUMNS)].sum()
        return float(ours / plain)

    def __str__(self) -> str:
        lines = [
            f"{row.against}: {row.harm_per_officer_hour_ratio:.2f} times the harm an officer-hour "
            f"(95 % interval {row.low:.2f} to {row.high:.2f})"
            for row in self.summary().itertuples()
        ]
        ratio = self.planned_worth_ratio
        planned = f"Planned against {BASELINES[0]}: {ratio:.3f} times the worth."
        return "\n".join([*lines, planned])


def backtest_patrols(
    area: StudyArea, *, origins: Origins, seed: int | None = None
) -> PatrolBacktest:
    """Compare the harm covered by patrols planned before each origin with that of baselines.

    The baselines are greedy stops by worth per minute on the same hotspots, and greedy stops by the
    number of crimes of the last twelve months on hotspots made from these; each for as many
    officers, planned one after the other.

    The routes that are tested are those of `solve` within its limit of work, proven best or not.
    Those of one officer are nearly always proven. Of several officers in a long window some are
    not: in the demo, with three officers and 120 minutes, a month takes about 8 seconds, and what
    is not proven is worth within 3 % of its bound.

    Parameters
    ----------
    area
        The area with all months.
    origins
        The hold-out months, as `backtest_risk` takes them: one, the first and last of a span in a
        tuple, or a list of months. Each is tested by itself.
    seed
        Seed of the bootstrap; by default that of the settings.

    Raises
    ------
    InputError
        When the months of crime are too few, or a month is not in the data or has too few before
        it.
    """
    area = use_crime_only(area)
    pupils = model_pupils(area)
    history = build_checked_history(area)
    months = select_origins(history, origins)
    rows = [row for month in months for row in _score_origin(area, pupils, history, month)]
    return PatrolBacktest(pd.DataFrame(rows), area.settings.seed if seed is None else seed)


def use_crime_only(area: StudyArea) -> StudyArea:
    """The area with recorded crime alone, nothing tasked, and of all hours if none are known."""
    area = with_settings(area, risk={"crime_weight": 1.0})
    if not area.times_known:
        area = with_settings(area, way_home=AT_ANY_TIME)
    return replace(area, tasked_places=area.tasked_places.iloc[:0])


def cut_area(area: StudyArea, month: pd.Timestamp) -> StudyArea:
    """The area with only the data from before a month."""
    earlier = (area.incidents["month"] < month).to_numpy()
    cut = replace(
        area,
        incidents=area.incidents[earlier].reset_index(drop=True),
        incident_catchment=area.incident_catchment[earlier],
    )
    # Where snap points were replaced within the data, those of later months were not known then.
    return cut if area.catchments.first_month is None else place_again(cut)


def _score_origin(
    area: StudyArea, pupils: Pupils, history: History, origin: pd.Timestamp
) -> Iterator[dict[str, object]]:
    """Harm per officer-hour of ours and the baselines, and planned worth: a row a school."""
    cut = cut_area(area, origin)
    # Places are chosen by hand by the counts of twelve months, in which each crime counts one.
    each_one = {"model": PRIOR, "harm": dict.fromkeys(area.settings.crimes.risk_categories, 1.0)}
    by_hand = with_settings(cut, risk=each_one, way_home=AT_ANY_TIME)
    ours, counts = (_build_problems(each, pupils) for each in (cut, by_hand))
    window = ours[0].occasion.window
    shares = compute_window_shares(area, history, window, ours[0].planner.risk.day)
    harm = compute_recorded_harm(area, history, [origin], shares)
    for urn, school, by_count in zip(area.schools["urn"], ours, counts, strict=True):
        problem = school.plain_problem
        best = [route.stops for route in solve(problem).routes]
        greedy = plan_greedy_routes(problem, per_minute=True)
        plain = plan_greedy_routes(by_count.plain_problem, per_minute=False)
        hours = window.minutes / 60 * problem.officer_count
        covered = [
            float(harm[find_dwell_pieces(*each)].sum()) / hours
            for each in ((school, best), (school, greedy), (by_count, plain))
        ]
        walks = [[time_route(problem, *one) for one in enumerate(each)] for each in (best, greedy)]
        planned = [sum(walk.worth for walk in each if walk is not None) for each in walks]
        names = (OURS, *BASELINES, *PLANNED_COLUMNS)
        yield {"origin": origin, "urn": urn, **dict(zip(names, [*covered, *planned], strict=True))}


def _build_problems(area: StudyArea, pupils: Pupils) -> list[SchoolProblem]:
    """Every school's problem, from the data of an area."""
    risk = estimate_risk(area, pupils)
    hotspots = describe_stops(area, locate_hotspots(area, risk)).assign(reasons=write_reasons(()))
    planner = Planner(area, risk, hotspots)
    occasion = Occasion(resolve_window(area.settings.patrol))
    rows = range(len(area.schools))
    planner.prepare_all(rows, occasion.window)
    return [build_school_problem(planner, row, occasion) for row in rows]


def plan_greedy_routes(problem: OrienteeringProblem, *, per_minute: bool) -> list[list[int]]:
    """Stops of each officer, one by one that with most worth, or most a minute, in time."""
    travel, dwell = problem.travel_minutes, problem.dwell_minutes
    gathered = problem.timed_prizes.cumulative
    worth = gathered[:, -1] / max(1, gathered.shape[1] - 1) * dwell
    left = [row for row in np.flatnonzero(worth > 0).tolist() if row not in problem.barred]
    routes = []
    for _ in range(problem.officer_count):
        route, at, now = list[int](), 0, problem.earliest_minutes
        while left:
            minutes = travel[at, left] + dwell[left]
            fits = now + minutes + travel[left, 0] <= problem.latest_minutes + 1e-9
            if not fits.any():
                break
            rate = worth[left] / (np.maximum(minutes, 1e-9) if per_minute else 1.0)
            best = int(np.argmax(np.where(fits, rate, -1.0)))
            now += float(minutes[best])
            at = left.pop(best)
            route.append(at)
        routes.append(route)
    return routes


def compute_recorded_harm(
    area: StudyArea, history: History, months: Sequence[pd.Timestamp], shares: Floats | None = None
) -> Floats:
    """(p,) days of harm recorded in these months on each piece, in a window by its `shares`."""
    days = get_harm_days(history.targets, area.settings.risk.harm)
    counts = np.sum([history.get_month_counts(month) for month in months], axis=0)
    if shares is None:
        return area.catchments.spread(counts @ days)
    harm = np.zeros(len(area.catchments.piece_catchment))
    for number, day in enumerate(days):
        harm += shares[:, number] * area.catchments.spread(counts[:, number] * day)
    return harm


def compute_window_shares(
    area: StudyArea, history: History, window: Window, day: DayKind | None
) -> Floats | None:
    """(p, j) rate of categories in a window over their mean; None if times are unknown."""
    clock = build_clock(area, history)
    if clock.source != "learned":
        return None
    minutes, weights = weigh_minutes(window, window.list_bells(area.schools))
    return clock.average_factor(minutes, weights, day)


def find_dwell_pieces(problem: SchoolProblem, routes: Routes) -> Ints:
    """Pieces in sight of the stops of these patrols, without duplicates."""
    seen = [problem.get_visit(stop).seen_pieces for route in routes for stop in route]
    return np.unique(np.concatenate([*seen, np.empty(0, dtype=np.int64)]))
