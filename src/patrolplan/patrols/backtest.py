"""What patrols would have met: harm recorded in months that nothing was learned from.

At each origin everything is made from the months before: risk, hotspots, patrols. Then the harm of
the month that came is counted in the stretches where a patrol dwells. Plain patrols are given the
same window, dwell and presence at the gate. Only recorded crime is used: pupils' reports carry no
months here, so they could not be held out.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.crew.share import Tell
from patrolplan.crew.share import shared_out
from patrolplan.crew.share import told_as
from patrolplan.hotspots.find import bare_hotspots
from patrolplan.patrols.case import SchoolCase
from patrolplan.patrols.case import school_case
from patrolplan.patrols.orienteering import solve
from patrolplan.patrols.plain import Loop
from patrolplan.patrols.plain import greedy
from patrolplan.patrols.plain import loops_round
from patrolplan.patrols.plain import stretch_around
from patrolplan.patrols.ready import Ground
from patrolplan.patrols.ready import Ready
from patrolplan.patrols.windows import window_of
from patrolplan.places import street_labels
from patrolplan.risk.estimate import LOOKED_AT_MONTHS
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.history import History
from patrolplan.risk.history import history_of
from patrolplan.risk.models import PRIOR_COUNT
from patrolplan.risk.weights import harm_days

OURS = "patrolplan"
PLAIN = ("greedy by worth per minute", "greedy by prior count", "plain loop")
PLANNED = ("planned worth", "planned worth, greedy")
RESAMPLES = 2000

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
        along a plain loop of the same length.
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
class _HeldOut:
    """What each school's sentence is worked out from.

    `harm` is (p,) days of recorded harm in the months from `first` on, which `ready` knows nothing
    of.
    """

    ready: Ready
    harm: NDArray[np.float64]
    first: pd.Timestamp


def held_out_sentences(
    area: StudyArea,
    ground: Ground,
    rows: Sequence[int],
    *,
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> dict[str, str]:
    """For each school one plain sentence on what its patrol would have met in held-out months.

    The last months are held out together; everything is planned anew from the months before. The
    model is chosen on those of them that the plan's own choice looked at as well, so that nothing
    is fitted twice.
    There is no sentence where that leaves too little to learn from.

    Parameters
    ----------
    area
        With all months.
    ground
        What stays the same for every school.
    rows
        The schools' rows.
    executor, tell
        As for `patrolplan.patrols.planner.plan_patrols`.

    Returns
    -------
    dict
        Sentences by URN.
    """
    months = pd.date_range(area.incidents["month"].min(), area.incidents["month"].max(), freq="MS")
    if len(months) < LEARNED_MONTHS + HELD_OUT_MONTHS:
        return {}
    held_out = months[-HELD_OUT_MONTHS:]
    area = crime_alone(area)
    cut = area_until(area, held_out[0])
    risk = estimate_risk(cut, looked_at_months=LOOKED_AT_MONTHS - HELD_OUT_MONTHS)
    found = bare_hotspots(cut, risk)
    ready = Ready(replace(ground, area=cut.for_schools()), risk, found)
    harm = recorded_harm(area, history_of(area), list(held_out))
    sentences = shared_out(
        _held_out_sentence,
        _HeldOut(ready, harm, held_out[0]),
        rows,
        executor=executor,
        tell=told_as("Testing schools on held-out months", rows, tell),
    )
    urns = area.schools["urn"].iloc[list(rows)]
    return {urn: told for urn, told in zip(urns, sentences, strict=True) if told}


def _held_out_sentence(held_out: _HeldOut, row: int) -> str:
    """The sentence of one school; empty where nothing can be told."""
    case, harm = held_out.ready.case(row), held_out.harm
    stops = _best_stops(case)
    if not stops:
        return ""
    plain = loop_harm(case, loops_round(case), stops, harm)
    return _sentence(harm[dwelt(case, stops)].sum(), plain, held_out.first)


def _best_stops(case: SchoolCase) -> list[int]:
    """Stops of the best patrols of all officers."""
    solution = solve(case.problem(), seed=case.area.settings.seed)
    return [stop for route in solution.routes for stop in route.stops]


def _sentence(met: float, plain: float, first: pd.Timestamp) -> str:
    start = f"Planned with crime up to {first - pd.DateOffset(months=1):%B %Y}, this patrol"
    end = f"a plain loop round the school in the {HELD_OUT_MONTHS} months after."
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
        self.loops: dict[int, list[list[Loop]]] = {}

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
        best = _best_stops(case)
        by_minute = greedy(problem, by_minute=True)
        by_count = greedy(plain_case.problem(), by_minute=False)
        if row not in self.loops:
            self.loops[row] = loops_round(case)
        hours = self.window.minutes / 60
        met = {
            OURS: harm[dwelt(case, best)].sum(),
            PLAIN[0]: harm[dwelt(case, by_minute)].sum(),
            PLAIN[1]: harm[dwelt(plain_case, by_count)].sum(),
            PLAIN[2]: loop_harm(case, self.loops[row], best, harm),
        }
        planned = (problem.prizes[best].sum(), problem.prizes[by_minute].sum())
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


def dwelt(case: SchoolCase, stops: Sequence[int]) -> NDArray[np.int64]:
    """Pieces of the stretches that a patrol with these stops dwells in."""
    rows = case.reach.candidates[np.array(stops, dtype=np.int64) - 1]
    return _pieces(case.hotspots, rows)


def _pieces(hotspots: gpd.GeoDataFrame, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    stretches = [np.array(hotspots["pieces"].iloc[row], dtype=np.int64) for row in rows if row >= 0]
    return np.unique(np.concatenate([*stretches, np.empty(0, dtype=np.int64)]))


def loop_harm(
    case: SchoolCase,
    loops: list[list[Loop]],
    stops: Sequence[int],
    harm: NDArray[np.float64],
) -> float:
    """Harm met by the same dwells along a loop as long as the patrol's walk; mean of rotations.

    Each dwell is given a stretch around it as long as those of the patrol are on average.
    """
    if not stops:
        return 0.0
    network, walks = case.reach.network, case.reach.walks
    order = [0, *stops, case.reach.end]
    walked = sum(walks.metres[a, b] for a, b in pairwise(order))
    length = case.area.network.piece_metres[dwelt(case, stops)].sum() / len(stops)
    met = []
    for sizes in loops:
        loop = min(sizes, key=lambda one: abs(one.walk.metres - walked))
        around = [stretch_around(network, piece, length) for piece in loop.dwells(len(stops))]
        met.append(harm[case.reach.pieces[np.unique(np.concatenate(around))]].sum())
    return float(np.mean(met))
