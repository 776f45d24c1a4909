"""Keys of a day's tasked places for a school's patrols, which are reused if keys are equal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.patrols.designated import find_resting
from patrolplan.patrols.surroundings import is_in_force

TaskedKey = tuple[object, ...]
"""All properties of some tasked places, except their days, schools and number of visits."""

KEY_COLUMNS = (
    "place_id",
    "must_visit",
    "reason",
    "by",
    "to",
    "from_minutes",
    "to_minutes",
    "minutes",
)


@dataclass(frozen=True, eq=False)
class TaskedKeys:
    """Keys of tasked places; one may be barred and visited on different days."""

    place_key: dict[str, TaskedKey]
    """Key of every place, by name."""
    barred: tuple[tuple[frozenset[str], str], ...]
    """Schools (or "*") and name of each place that is barred on the day."""
    resting: frozenset[str] = frozenset()
    """Hotspots that the force designates for other days."""

    @classmethod
    def from_area(cls, area: StudyArea, date: dt.date | None) -> Self:
        """Keys of an area's places on a day; without a date, on any day."""
        places = area.tasked_places
        numbers = places[["from_minutes", "to_minutes", "minutes"]].fillna(-1.0)
        table = places[list(KEY_COLUMNS)].assign(**{name: numbers[name] for name in numbers})
        points = zip(places.geometry.x, places.geometry.y, strict=True)
        keys = [
            (*row, *xy)
            for row, xy in zip(table.itertuples(index=False, name=None), points, strict=True)
        ]
        names = places["place_id"].astype(str).tolist()
        is_barred = ~places["must_visit"].to_numpy(dtype=bool) & is_in_force(places, date)
        barred = np.flatnonzero(is_barred).tolist()
        schools = places["schools"].tolist()
        return cls(
            dict(zip(names, keys, strict=True)),
            tuple((frozenset(schools[row]), names[row]) for row in barred),
            find_resting(area, date),
        )

    def build_barred_key(self, urn: str) -> TaskedKey:
        """Key for a school of the day's barred places, and of hotspots for other days."""
        barred = tuple(
            self.place_key[name]
            for schools, name in self.barred
            if urn in schools or ALL_SCHOOLS in schools
        )
        return (*barred, self.resting) if self.resting else barred

    def build_visit_key(self, urn: str, names: Sequence[str]) -> TaskedKey:
        """Key for a school of some places to visit, and of the day's barred ones."""
        return (*(self.place_key.get(name) for name in names), self.build_barred_key(urn))
