"""When a dwell at a stop may begin: within its hours, in daylight, while enough own pupils pass.

Tasked places are limited only by their own hours.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.patrols.designated import NEVER, find_begin_spans
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.patrols.school_problem import SchoolProblem


def build_stop_windows(problem: "SchoolProblem") -> NDArray[np.float64] | None:
    """(n, 2) earliest and latest minute at which the dwell at each position may begin.

    None if all may begin at any time.
    """
    windows = np.tile([-np.inf, np.inf], (len(problem.walks.metres), 1))
    of_stops = windows[1 : len(problem.found.places) + 1]  # a view: other positions have no stop
    is_tasked = problem.found.tasked_rows >= 0
    for row in np.flatnonzero(is_tasked):
        place = problem.must_visit.iloc[problem.found.tasked_rows[row]]
        of_stops[row] = find_hours_of_begin(place, float(problem.stop_minutes[row]))
    free = np.flatnonzero(~is_tasked)
    first, last = problem.found.begins.T
    of_stops[free, 1] = np.minimum(_find_last_light(problem), last)[free]
    first = np.maximum(_find_first_light(problem), first)
    of_stops[free, 0] = np.minimum(first[free], of_stops[free, 1])
    _limit_to_hours(problem, of_stops, free)
    return windows if np.isfinite(windows).any() else None


def _limit_to_hours(
    problem: "SchoolProblem", of_stops: NDArray[np.float64], free: NDArray[np.int64]
) -> None:
    """Narrow the spans of designated hotspots to their hours.

    Their hours override the worth of late stops: the force decides when they are made.
    """
    if problem.inputs.area.designated is None:
        return
    names = [problem.get_stop_name(row + 1) for row in free.tolist()]
    hours, dwell = problem.surroundings.hours, problem.settings.dwell_minutes
    spans = find_begin_spans(problem.inputs.area, names, hours, dwell)
    light = np.stack([_find_first_light(problem), _find_last_light(problem)], axis=1)[free]
    for row, span, lit in zip(free.tolist(), spans, light, strict=True):
        if np.isfinite(span).any():
            first, last = max(span[0], lit[0]), min(span[1], lit[1])
            of_stops[row] = (first, last) if first <= last else NEVER


def find_hours_of_begin(place: pd.Series, dwell_minutes: float) -> tuple[float, float]:
    """Earliest and latest begin of a dwell at a tasked place, so that it ends within its hours.

    If the hours are shorter than the dwell, it begins with them; without hours, at any time.
    """
    if np.isnan(place["from_minutes"]):
        return -np.inf, np.inf
    begin = float(place["from_minutes"])
    return begin, max(begin, float(place["to_minutes"]) - dwell_minutes)


def format_hours(place: pd.Series) -> str:
    """The hours of a tasked place as HH:MM-HH:MM; empty if it has none."""
    if np.isnan(place["from_minutes"]):
        return ""
    return f"{format_time(place['from_minutes'])}-{format_time(place['to_minutes'])}"


def _find_last_light(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k,) latest minute at which a dwell at each candidate may begin and end by sunset.

    Stops with street lighting, or if it is unknown, have no limit; nor has any stop if the settings
    allow unlit ones, or without a date.
    """
    last = np.full(len(problem.found.places), np.inf)
    if problem.daylight is not None:
        last[_is_to_avoid(problem)] = (
            problem.daylight.sunset_minutes - problem.settings.dwell_minutes
        )
    return last


def _find_first_light(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k,) earliest minute at which a dwell at each candidate may begin, see `_find_last_light`."""
    first = np.full(len(problem.found.places), -np.inf)
    if problem.daylight is not None:
        first[_is_to_avoid(problem)] = problem.daylight.sunrise_minutes
    return first


def _is_to_avoid(problem: "SchoolProblem") -> NDArray[np.bool_]:
    """(k,) which candidates are unlit, if the settings avoid them after dark."""
    return np.asarray((problem.stop_lit == "no") & (problem.settings.after_dark == "avoid"))
