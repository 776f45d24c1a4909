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
    for row in np.flatnonzero(is_tasked).tolist():
        place = problem.tasked.must_visit.iloc[problem.found.tasked_rows[row]]
        of_stops[row] = find_hours_of_begin(place, float(problem.stop_minutes[row]))
    free, light = np.flatnonzero(~is_tasked), _find_light(problem)
    last = np.minimum(light[:, 1], problem.found.begins[:, 1])
    first = np.minimum(np.maximum(light[:, 0], problem.found.begins[:, 0]), last)
    of_stops[free] = np.column_stack([first, last])[free]
    # Hours that a force designates override the worth of late stops: it decides when they are made.
    names = [problem.get_stop_name(row + 1) for row in free.tolist()]
    hours, dwell = problem.surroundings.hours, problem.settings.dwell_minutes
    spans = find_begin_spans(problem.inputs.area, names, hours, dwell)
    for row, span in zip(free.tolist(), spans, strict=True):
        if np.isfinite(span).any():
            lit = max(span[0], light[row, 0]), min(span[1], light[row, 1])
            of_stops[row] = lit if lit[0] <= lit[1] else NEVER
    return windows if np.isfinite(windows).any() else None


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


def _find_light(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k, 2) between when a dwell at each candidate may begin, so that it is in daylight.

    Stops with street lighting, or if it is unknown, have no limit; nor has any stop if the settings
    allow unlit ones, or without a date.
    """
    light = np.tile([-np.inf, np.inf], (len(problem.found.places), 1))
    if problem.daylight is not None and problem.settings.after_dark == "avoid":
        latest = problem.daylight.sunset_minutes - problem.settings.dwell_minutes
        light[problem.stop_lit == "no"] = problem.daylight.sunrise_minutes, latest
    return light
