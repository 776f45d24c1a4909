"""When a dwell at a stop may begin: in its hours, in the light, while it is worth it.

Whatever is tasked is bound by its own hours alone.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.patrols.designated import NEVER, find_begin_spans
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.patrols.school_problem import SchoolProblem


def build_stop_windows(
    problem: "SchoolProblem", *, is_choosing: bool = True
) -> NDArray[np.float64] | None:
    """(n, 2) earliest and latest minute at which the dwell at each position may begin.

    None where all may begin at any time. Where stops are chosen, one that is worth little late is
    not made then; where a patrol's stops are chosen already, `is_choosing` is False, and what they
    are worth together decides when they may be made.
    """
    windows = np.tile([-np.inf, np.inf], (len(problem.walks.metres), 1))
    of_stops = windows[1 : len(problem.worth) + 1]  # a view: other positions are no stops
    is_tasked = problem.tasked_rows >= 0
    for row in np.flatnonzero(is_tasked):
        place = problem.must_visit.iloc[problem.tasked_rows[row]]
        of_stops[row] = find_hours_of_begin(place, float(problem.stop_minutes[row]))
    free = np.flatnonzero(~is_tasked)
    last = _find_last_light(problem)
    if is_choosing:
        last = np.minimum(last, _find_last_worthwhile(problem))
    of_stops[free, 1] = last[free]
    of_stops[free, 0] = np.minimum(_find_first_light(problem)[free], of_stops[free, 1])
    _limit_to_hours(problem, of_stops, free)
    return windows if np.isfinite(windows).any() else None


def _limit_to_hours(
    problem: "SchoolProblem", of_stops: NDArray[np.float64], free: NDArray[np.int64]
) -> None:
    """Narrow the spans of the hotspots that the force designates for some hours.

    Their hours come before what a late stop is worth: the force says when it is to be made.
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
    """Between which minutes a dwell at a tasked place may begin, so as to be over in its hours.

    Where the hours are shorter than the dwell, it begins with them; without hours, at any time.
    """
    if np.isnan(place["from_minutes"]):
        return -np.inf, np.inf
    begin = float(place["from_minutes"])
    return begin, max(begin, float(place["to_minutes"]) - dwell_minutes)


def format_hours(place: pd.Series) -> str:
    """The hours of a tasked place as HH:MM-HH:MM; empty where it has none."""
    if np.isnan(place["from_minutes"]):
        return ""
    return f"{format_time(place['from_minutes'])}-{format_time(place['to_minutes'])}"


def _find_last_worthwhile(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k,) last minute at which a dwell at each candidate is worth beginning.

    Late, when most pupils are home, a stop is made only while it is worth `[patrol]
    min_late_share` of what the best one is worth at its best time: what adds next to nothing does
    not hold the officer up.
    """
    last = np.full(len(problem.worth), np.inf)
    if problem.timed_prizes is None or problem.gate_stay is None:
        return last
    hours, settings = problem.surroundings.hours, problem.settings
    dwell = settings.dwell_minutes
    begin = problem.timed_prizes.list_breaks(dwell)
    begin = begin[begin >= hours.gate_until_minutes]
    begin = begin[begin <= hours.latest_end_minutes - dwell]
    worth = [
        problem.timed_prizes.compute_worth(stop, begin, dwell) for stop in range(1, len(last) + 1)
    ]
    least = settings.min_late_share * max((one.max(initial=0.0) for one in worth), default=0.0)
    late = hours.start_minutes + problem.inputs.window.before_minutes + settings.late_minutes
    for row, one in enumerate(worth):
        last[row] = max(late, begin[one >= least].max(initial=-np.inf))
    return last


def _find_last_light(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k,) last minute at which a dwell at each candidate may begin so as to be over by sunset.

    Stops with street lighting, or of which it is not known, are free; all are where the settings
    allow unlit ones, or the day is not known.
    """
    last = np.full(len(problem.worth), np.inf)
    if problem.daylight is not None:
        last[_is_to_avoid(problem)] = (
            problem.daylight.sunset_minutes - problem.settings.dwell_minutes
        )
    return last


def _find_first_light(problem: "SchoolProblem") -> NDArray[np.float64]:
    """(k,) first minute at which a dwell at each candidate may begin, see `_find_last_light`."""
    first = np.full(len(problem.worth), -np.inf)
    if problem.daylight is not None:
        first[_is_to_avoid(problem)] = problem.daylight.sunrise_minutes
    return first


def _is_to_avoid(problem: "SchoolProblem") -> NDArray[np.bool_]:
    """(k,) candidates that are unlit, where the settings avoid them after dark."""
    return np.asarray((problem.stop_lit == "no") & (problem.settings.after_dark == "avoid"))
