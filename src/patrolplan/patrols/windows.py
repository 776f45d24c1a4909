"""Patrol windows: from the bell, by name, or at short notice.

The way that patrols go, on foot or by bicycle: how fast, and what a metre costs.
"""

from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.network.cycling import compute_cycling_effort
from patrolplan.settings import MAX_WINDOW_MINUTES, PatrolSettings
from patrolplan.times import minutes_after_midnight as minutes_after_midnight  # noqa: PLC0414 - callers still import it here


@dataclass(frozen=True)
class Window:
    """From when and for how long a patrol may last.

    Parameters
    ----------
    minutes
        Length.
    start_minutes
        Start after midnight; None is each school's bell.
    name
        Name in the settings, empty for others.
    """

    minutes: float
    start_minutes: float | None = None
    name: str = ""


def resolve_window(
    settings: PatrolSettings,
    *,
    name: str | None = None,
    start: time | None = None,
    minutes: float | None = None,
) -> Window:
    """The window that is asked for; by default the settings' minutes from each school's bell.

    Parameters
    ----------
    settings
        With the named windows.
    name
        A window of the settings.
    start
        Start at short notice.
    minutes
        Another length.

    Raises
    ------
    InputError
        When the settings have no window of that name, name and start are both given, or the
        minutes are none that a patrol can last.
    """
    length = settings.window_minutes if minutes is None else minutes
    if not 0 < length <= MAX_WINDOW_MINUTES:
        where, what = "minutes", f"{length:g} is no length of a patrol"
        raise InputError.one(where, what, f"give minutes above 0, up to {MAX_WINDOW_MINUTES}")
    if name is None:
        return Window(length, None if start is None else minutes_after_midnight(start))
    if start is not None:
        where = "--window, --from"
        what = f"window '{name}' and a start of {start:%H:%M} are both asked for"
        raise InputError.one(where, what, "give one of them")
    if name not in settings.windows:
        known = ", ".join(settings.windows) or "none"
        where, what = "[patrol.windows]", f"there is no window '{name}' (known: {known})"
        raise InputError.one(where, what, f"add [patrol.windows.{name}] with from and to")
    named = settings.windows[name]
    begin = minutes_after_midnight(named.from_)
    whole = minutes_after_midnight(named.to) - begin
    return Window(whole if minutes is None else min(minutes, whole), begin, name)


def compute_speed(settings: PatrolSettings) -> float:
    """Metres a minute at full speed, the way that patrols go."""
    by_bicycle = settings.way == "bicycle"
    return metres_per_minute(
        settings.cycling_speed_kmh if by_bicycle else settings.walking_speed_kmh
    )


def compute_effort(area: StudyArea, pieces: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """What a metre of these pieces costs the way that patrols go; None on foot, where all is 1."""
    settings = area.settings.patrol
    if settings.way == "walk":
        return None
    return compute_cycling_effort(
        area.network.bicycle_ways[pieces],
        riding_kmh=settings.cycling_speed_kmh,
        walking_kmh=settings.walking_speed_kmh,
    )


def build_way_notes(area: StudyArea) -> tuple[str, ...]:
    """What the streets file cannot say about riding; nothing where patrols go on foot."""
    if area.settings.patrol.way == "walk":
        return ()
    notes = []
    if area.walking_extract:
        notes.append(
            "The streets file seems to be an extract for walking: "
            "roads and tracks for bicycles may be missing from it."
        )
    if not (area.network.parts.ways["one_way"] != 0).any():
        notes.append("The streets file names no one-way street: look out for them.")
    return tuple(notes)


def metres_per_minute(speed_kmh: float) -> float:
    """Speed in metres a minute.

    Examples
    --------
    >>> metres_per_minute(4.8)
    80.0
    """
    return speed_kmh * 1000 / 60
