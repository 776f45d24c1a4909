"""The way that patrols go, on foot or by bicycle: how fast, and what a metre costs."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network.riding import effort
from patrolplan.settings import PatrolSettings


def speed_of(settings: PatrolSettings) -> float:
    """Metres a minute at full speed, the way that patrols go."""
    by_bicycle = settings.way == "bicycle"
    return metres_per_minute(
        settings.cycling_speed_kmh if by_bicycle else settings.walking_speed_kmh
    )


def effort_of(area: StudyArea, pieces: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """What a metre of these pieces costs the way that patrols go; None on foot, where all is 1."""
    settings = area.settings.patrol
    if settings.way == "walk":
        return None
    return effort(
        area.network.bicycle_ways[pieces],
        riding_kmh=settings.cycling_speed_kmh,
        walking_kmh=settings.walking_speed_kmh,
    )


def way_notes(area: StudyArea) -> tuple[str, ...]:
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
