"""Why no one visits a tasked place: the reason of the school that is closest to a visit."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.notes import Note, NoteValue
from patrolplan.patrols.plan import Plan, Unserved
from patrolplan.patrols.surroundings import is_in_force
from patrolplan.patrols.tasked_places import select_tasked
from patrolplan.tables import LeftOut, LeftOutRow

NEARNESS = (
    *("demand_hours_unmet", "demand_unfit", "demand_near_barred", "demand_outside_hours"),
    *("demand_out_of_reach", "demand_no_school"),
)
"""Kinds of reasons, the nearest miss first."""

LEFT_OUT_WORDS = {
    "demand_hours_unmet": (
        "{place} is for {hours}; the earliest arrival is {earliest}, from {school}"
    ),
    "demand_unfit": "{place} does not fit into the window of {school}",
    "demand_near_barred": "{place} cannot be visited: barred place {barred} is too near",
    "demand_outside_hours": "{place} is for hours outside all patrols",
    "demand_out_of_reach": (
        "{place} is not on any school's streets; the nearest is {school}, {metres:,.0f} m away"
    ),
    "demand_no_school": "{place} is for none of these schools",
}
"""Words for a place in the list of what is left out, by the kind of its note."""


def find_nearest_miss(
    area: StudyArea, place: pd.Series, urns: Sequence[str], unserved: Sequence[Unserved]
) -> Note:
    """Why no patrol of these schools visits a tasked place, for the school closest to a visit.

    `unserved` are places that schools may serve but cannot, with reasons.
    """
    name = str(place["place_id"])
    rows = (row for row in unserved if row.place == name and not row.is_watched)
    nearest = choose_nearest_miss([row.why for row in rows if row.urn in urns])
    if nearest is not None:
        return nearest
    may_serve = [urn for urn in urns if ALL_SCHOOLS in place["schools"] or urn in place["schools"]]
    if not may_serve:
        return Note("demand_no_school", {"place": name})
    return measure_nearest_school(area, name, place.geometry, may_serve)


def choose_nearest_miss(notes: Sequence[Note]) -> Note | None:
    """The reason that is closest to a visit; None if there are no reasons."""
    return min(notes, key=_rank, default=None)


def measure_nearest_school(
    area: StudyArea, name: str, point: shapely.Point, urns: Sequence[str]
) -> Note:
    """Distance of a place from the nearest gate of some schools, in a straight line."""
    rows = np.flatnonzero(area.schools["urn"].isin(urns))
    metres = shapely.distance(shapely.points(area.network.xy(area.gates.take(rows))), point)
    nearest = int(np.argmin(metres))
    school = str(area.schools["name"].iloc[rows[nearest]])
    values: dict[str, NoteValue] = {"place": name, "school": school}
    return Note("demand_out_of_reach", {**values, "metres": float(metres[nearest])})


def _rank(note: Note) -> tuple[int, str, float]:
    """Sort key of a reason: kind, then earliest arrival or distance."""
    values = dict(note.values)
    metres = values.get("metres", 0.0)
    away = float(metres) if isinstance(metres, (int, float)) else 0.0
    return NEARNESS.index(note.kind), str(values.get("earliest", "")), away


def list_left_out(
    plan: Plan,
    urns: Sequence[str],
    unserved: Sequence[Unserved],
    visits: Mapping[str, int],
    *,
    all_schools: bool = True,
) -> Iterator[LeftOutRow]:
    """A row for each place to visit on a plan's day that no one can visit.

    `visits` is how many can visit each place, by its name; 0 if it is missing. If these are not all
    schools of the area, places that others may serve are not listed.
    """
    places = select_tasked(plan.area.tasked_places, must_visit=True)
    left_out = LeftOut()
    for _, place in places[is_in_force(places, plan.date)].iterrows():
        name = str(place["place_id"])
        if visits.get(name):
            continue
        note = find_nearest_miss(plan.area, place, urns, unserved)
        if all_schools or any(row.place == name for row in unserved):
            words = LEFT_OUT_WORDS[note.kind].format(**note.values)
            left_out.add("tasked places", words, 1)
    yield from left_out.rows
