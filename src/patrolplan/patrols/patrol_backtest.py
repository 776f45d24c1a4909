"""What patrols would have met: harm recorded in months that nothing was learned from.

At each origin everything is made from the months before: risk, hotspots, patrols. Then the harm of
the month that came is counted in the stretches where a patrol dwells. Plain patrols are given the
same officers, window, dwell and presence at the gate. Only recorded crime is used: pupils' reports
carry no months here, so they could not be held out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.find import bare_hotspots
from patrolplan.network.names import street_labels
from patrolplan.patrols.school_problem import Ground, Ready, SchoolCase, school_case
from patrolplan.patrols.simple_patrols import ROTATIONS, Loops, greedy, stretch_around
from patrolplan.patrols.solver.solve import solve
from patrolplan.patrols.surroundings import Surroundings
from patrolplan.patrols.windows import window_of
from patrolplan.risk.estimate import LOOKED_AT_MONTHS, estimate_risk
from patrolplan.risk.history import History, history_of
from patrolplan.risk.models import PRIOR_COUNT
from patrolplan.risk.weights import harm_days

OURS = "patrolplan"
PLAIN = ("greedy by worth per minute", "greedy by prior count", "plain loop")
PLANNED = ("planned worth", "planned worth, greedy")
RESAMPLES = 2000

Routes = Sequence[Sequence[int]]
"""Of each officer the stops, as rows of the problem, in walking order."""

MOST_TIMES = 20
"""Beyond this the loop met next to nothing, and a larger number would say no more."""

HELD_OUT_MONTHS = 6
LEARNED_MONTHS = 9
"""With fewer months to learn from, no sentence is told."""


@dataclass(frozen=True, eq=False)
class PatrolBacktest:
    """Harm met by patrols in held-out months.

    Parameters
    ----------
    met
        One row an origin and school: `origin`, `urn`, and for `OURS` and each of `PLAIN` the harm
        (days) of the month in the stretches dwelt in, per officer-hour; and of `PLANNED` the
        worth before the month came, of ours and of greedy stops by worth per minute.
    seed
        Of the bootstrap.
    """

    met: pd.DataFrame
    seed: int

    def summary(self) -> pd.DataFrame:
        """How many times the harm of each plain way was met, with its 95 % interval.

        The interval resamples the months, all schools of a month together: it is about these
        schools, which are the ones that will be patrolled, and about other months.
        """
        by_month = self.met.groupby("origin")[[OURS, *PLAIN]].sum()
        ours = by_month[OURS].to_numpy()
        rng = np.random.default_rng(self.seed)
        drawn = rng.integers(0, len(ours), (RESAMPLES, len(ours)))
        rows = []
        for name in PLAIN:
            plain = by_month[name].to_numpy()
            ratios = ours[drawn].sum(axis=1) / plain[drawn].sum(axis=1)
            low, high = np.percentile(ratios, [2.5, 97.5])
            rows.append((name, ours.sum() / plain.sum(), low, high))
        columns = ["against", "harm_per_officer_hour_ratio", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def planned_ratio(self) -> float:
        """How many times the worth of greedy stops by worth per minute was planned.

        All that optimising can gain on them, if the risk is right.
        """
        ours, plain = self.met[list(PLANNED)].sum()
        return float(ours / plain)

    def __str__(self) -> str:
        lines = [
            f"{row.against}: {row.harm_per_officer_hour_ratio:.2f} times the harm an officer-hour "
            f"(95 % interval {row.low:.2f} to {row.high:.2f})"
            for row in self.summary().itertuples()
        ]
        lines.append(f"Planned against {PLAIN[0]}: {self.planned_ratio:.3f} times the worth.")
        return "\n".join(lines)


def backtest_patrols(
    area: StudyArea, *, origins: Sequence[pd.Timestamp], seed: int | None = None
) -> PatrolBacktest:
    """Count what patrols planned before each origin met in its month, against plain ways.

    Parameters
    ----------
    area
        With all months.
    origins
        First days of the months that are held out, one at a time.
    seed
        Of the bootstrap; default the settings'.

    Returns
    -------
    PatrolBacktest
        Against greedy stops by worth per minute on the same hotspots, greedy stops by the number
        of crimes of the last twelve months on the hotspots that these make, and the same dwells
        along a plain loop of the same length; each by as many officers, one after the other.
    """
    bench = _Bench(crime_alone(area))
    rows = [row for origin in origins for row in bench.rows(origin)]
    return PatrolBacktest(pd.DataFrame(rows), area.settings.seed if seed is None else seed)


def crime_alone(area: StudyArea) -> StudyArea:
    """The area with recorded crime as its only voice, and nothing tasked."""
    settings = area.settings.model_copy(
        update={"risk": area.settings.risk.model_copy(update={"crime_weight": 1.0})}
    )
    return replace(area, settings=settings, tasked_places=area.tasked_places.iloc[:0])


def counts_alone(area: StudyArea) -> StudyArea:
    """The area with every crime of the last twelve months counting one, whatever its harm."""
    alike = {"model": PRIOR_COUNT, "harm": dict.fromkeys(area.settings.crimes.counted, 1.0)}
    risk = area.settings.risk.model_copy(update=alike)
    return replace(area, settings=area.settings.model_copy(update={"risk": risk}))


def area_until(area: StudyArea, month: pd.Timestamp) -> StudyArea:
    """The area as it was known before a month."""
    known = (area.incidents["month"] < month).to_numpy()
    return replace(
        area,
        incidents=area.incidents[known].reset_index(drop=True),
        incident_catchment=area.incident_catchment[known],
    )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What each school's sentence on held-out months is worked out from.

    Parameters
    ----------
    ready
        Planned from the months before alone.
    harm
        (p,) days of harm recorded in the months from `first` on.
    first
        First day of the first month held out.
    """

    ready: Ready
    harm: NDArray[np.float64]
    first: pd.Timestamp

    def sentence(self, row: int, around: Surroundings | None = None) -> str:
        """What a school's patrol would have met; empty where nothing can be told.

        Parameters
        ----------
        row
            The school's row.
        around
            What lies around its gate, where it is known already.
        """
        case = self.ready.case(row, around)
        routes = _best_routes(case)
        if not any(routes):
            return ""
        plain = loop_harm(case, Loops(case), routes, self.harm)
        met = float(self.harm[dwelt(case, routes)].sum())
        return _sentence(met, plain, self.first, case.settings.officers)


def held_out_months(area: StudyArea, ground: Ground) -> HeldOut | None:
    """Hold the last months out together, and learn from the months before.

    The model is chosen on those of them that the plan's own choice looked at as well, so that
    nothing is fitted twice.

    Parameters
    ----------
    area
        With all months.
    ground
        What stays the same for every school.

    Returns
    -------
    HeldOut or None
        None where too little is left to learn from.
    """
    months = pd.date_range(area.incidents["month"].min(), area.incidents["month"].max(), freq="MS")
    if len(months) < LEARNED_MONTHS + HELD_OUT_MONTHS:
        return None
    held_out = months[-HELD_OUT_MONTHS:]
    area = crime_alone(area)
    cut = area_until(area, held_out[0])
    risk = estimate_risk(cut, looked_at_months=LOOKED_AT_MONTHS - HELD_OUT_MONTHS)
    ready = Ready(replace(ground, area=cut.for_schools()), risk, bare_hotspots(cut, risk))
    harm = recorded_harm(area, history_of(area), list(held_out))
    return HeldOut(ready, harm, held_out[0])


def _best_routes(case: SchoolCase) -> list[list[int]]:
    """Stops of the best patrols, of each officer."""
    solution = solve(case.problem(), seed=case.area.settings.seed)
    return [list(route.stops) for route in solution.routes]


def _sentence(met: float, plain: float, first: pd.Timestamp, officers: int) -> str:
    """What was tested is the way of planning: the printed patrol knows more months, and tasks."""
    who, loops = "a patrol from this gate (its stops may have been others)", "a plain loop"
    if officers > 1:
        who = f"{officers} patrols from this gate together (their stops may have been others)"
        loops = f"{officers} plain loops"
    start = f"Planned alike from crime up to {first - pd.DateOffset(months=1):%B %Y}, {who}"
    end = f"{loops} round the school in the {HELD_OUT_MONTHS} months after."
    if plain <= 0:
        return f"{start} would have met more recorded harm than {end}" if met > 0 else ""
    times = f"{met / plain:.1f}" if met <= MOST_TIMES * plain else f"more than {MOST_TIMES}"
    return f"{start} would have met {times} times the recorded harm of {end}"


class _Bench:
    """What stays the same at every origin."""

    def __init__(self, area: StudyArea) -> None:
        self.area = area
        self.labels = street_labels(area.network)
        self.window = window_of(area.settings.patrol)
        self.history = history_of(area)
        self.loops: dict[int, Loops] = {}

    def rows(self, origin: pd.Timestamp) -> list[dict[str, object]]:
        """One row a school."""
        harm = recorded_harm(self.area, self.history, [origin])
        ours = self._cases(area_until(self.area, origin))
        prior = self._cases(counts_alone(area_until(self.area, origin)))
        return [
            {"origin": origin, "urn": urn, **self._met(row, ours[row], prior[row], harm)}
            for row, urn in enumerate(self.area.schools["urn"])
        ]

    def _cases(self, cut: StudyArea) -> list[SchoolCase]:
        """Every school's case, from what was known."""
        risk = estimate_risk(cut)
        found = bare_hotspots(cut, risk)
        return [
            school_case(cut, risk, found, row, labels=self.labels, window=self.window)
            for row in range(len(cut.schools))
        ]

    def _met(
        self, row: int, case: SchoolCase, plain_case: SchoolCase, harm: NDArray[np.float64]
    ) -> dict[str, float]:
        problem = case.problem()
        best = _best_routes(case)
        by_minute = greedy(problem, by_minute=True)
        by_count = greedy(plain_case.problem(), by_minute=False)
        if row not in self.loops:
            self.loops[row] = Loops(case)
        hours = self.window.minutes / 60 * len(problem.officers)
        met = {
            OURS: harm[dwelt(case, best)].sum(),
            PLAIN[0]: harm[dwelt(case, by_minute)].sum(),
            PLAIN[1]: harm[dwelt(plain_case, by_count)].sum(),
            PLAIN[2]: loop_harm(case, self.loops[row], best, harm),
        }
        planned = [problem.prizes[_stops(routes)].sum() for routes in (best, by_minute)]
        return {
            **{name: float(value) / hours for name, value in met.items()},
            **dict(zip(PLANNED, map(float, planned), strict=True)),
        }


def recorded_harm(
    area: StudyArea, history: History, months: Sequence[pd.Timestamp]
) -> NDArray[np.float64]:
    """(p,) harm recorded in these months on each piece of street, in days."""
    days = harm_days(history.targets, area.settings.risk.harm)
    amounts = np.sum([history.month(month) for month in months], axis=0) @ days
    return area.catchments.spread(amounts)


def dwelt(case: SchoolCase, routes: Routes) -> NDArray[np.int64]:
    """Pieces of the stretches that patrols with these stops dwell in."""
    return _pieces(case.hotspots, case.reach.candidates[_stops(routes) - 1])


def _stops(routes: Routes) -> NDArray[np.int64]:
    """The stops of all officers, one after the other."""
    return np.array([stop for route in routes for stop in route], dtype=np.int64)


def _pieces(hotspots: gpd.GeoDataFrame, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    told = hotspots["pieces"]
    stretches = [np.array(told.iloc[row], dtype=np.int64) for row in rows if row >= 0]
    return np.unique(np.concatenate([*stretches, np.empty(0, dtype=np.int64)]))


def loop_harm(
    case: SchoolCase,
    loops: Loops,
    routes: Routes,
    harm: NDArray[np.float64],
) -> float:
    """Harm met by the same dwells along loops as long as the patrols' walks; mean of rotations.

    Each officer walks a loop of their own from the gate, turned on from the one before, or they
    would all walk the same one. Each dwell is given a stretch around it as long as those of the
    patrols are on average.
    """
    out = [route for route in routes if route]
    if not out:
        return 0.0
    network, walks = case.reach.network, case.reach.walks
    length = case.area.network.piece_metres[dwelt(case, out)].sum() / sum(map(len, out))
    around: list[list[NDArray[np.int64]]] = [[] for _ in range(ROTATIONS)]
    for number, route in enumerate(out):
        walked = sum(walks.metres[a, b] for a, b in pairwise([0, *route, case.reach.end]))
        for rotation, loop in enumerate(loops.nearest(float(walked))):
            around[(rotation + number) % ROTATIONS] += [
                stretch_around(network, piece, length) for piece in loop.dwells(len(route))
            ]
    pieces = [case.reach.pieces[np.unique(np.concatenate(one))] for one in around]
    return float(np.mean([harm[one].sum() for one in pieces]))
