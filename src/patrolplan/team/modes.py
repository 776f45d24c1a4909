"""Officers who do not go the way of `[patrol] way`: by bicycle where that says on foot, or on foot.

With `[week] way_by_officer` their patrols are planned the way that they go, at their schools alone.
They stand in a plan of their own, beside the plan of all schools: `Plan.other_mode`. Without it all
patrols go the area's way, and a mode tells how an officer comes to the gate.
"""

from collections.abc import Iterable
from dataclasses import replace

from patrolplan.area import StudyArea
from patrolplan.errors import InputError

OTHER = {"walk": "bicycle", "bicycle": "walk"}
"""The other mode than each."""

SAID = {"walk": "on foot", "bicycle": "by bicycle"}
"""Each mode as people say it."""


def area_of_other_mode(area: StudyArea) -> StudyArea | None:
    """The area of the officers who do not go the area's way, under the way that they go.

    Parameters
    ----------
    area
        With officers.

    Returns
    -------
    StudyArea or None
        None where every officer goes the area's way, or all patrols are to go it.

    Raises
    ------
    InputError
        When they go by bicycle, and the settings have a bicycle slower than a walk.
    """
    way = OTHER[area.settings.patrol.way]
    officers = area.officers[area.officers["mode"] == way]
    if officers.empty or not area.settings.week.way_by_officer:
        return None
    patrol = area.settings.patrol
    if way == "bicycle" and patrol.cycling_speed_kmh < patrol.walking_speed_kmh:
        names = ", ".join(officers["officer"])
        what = (
            f"cycling_speed_kmh {patrol.cycling_speed_kmh:g} is below "
            f"walking_speed_kmh {patrol.walking_speed_kmh:g}, and {names} goes by bicycle"
        )
        where, remedy = "[patrol]", "make it faster, or write walk as their mode"
        raise InputError.one(where, what, remedy)
    patrol = patrol.model_copy(update={"way": way})
    settings = area.settings.model_copy(update={"patrol": patrol})
    return replace(area, settings=settings, officers=officers.reset_index(drop=True))


def schools_of_other_mode(area: StudyArea, lent: Iterable[tuple[str, str]] = ()) -> tuple[str, ...]:
    """Schools that are planned the other way, in the order of the schools table.

    Those of officers who do not go the area's way; none where all patrols are to go it.

    Parameters
    ----------
    area
        With officers.
    lent
        Officers and the schools that they are lent to beside their own.
    """
    if not area.settings.week.way_by_officer:
        return ()
    others = area.officers[area.officers["mode"] != area.settings.patrol.way]
    names = set(others["officer"])
    theirs = {urn for urns in others["school_urns"] for urn in urns}
    theirs |= {urn for officer, urn in lent if officer in names}
    return tuple(urn for urn in area.schools["urn"] if urn in theirs)


def note_on_modes(area: StudyArea) -> tuple[str, ...]:
    """Say where officers are given patrols of another way than the one that they go."""
    way = area.settings.patrol.way
    others = area.officers["officer"][area.officers["mode"] != way]
    if others.empty or area.settings.week.way_by_officer:
        return ()
    goes, patrols = ("goes", "patrols") if len(others) == 1 else ("go", "patrol")
    said = SAID[OTHER[way]]
    *first, last = others
    who = f"{', '.join(first)} and {last}" if first else last
    told = f"{who} {goes} {said} to the gate and between schools, and {patrols} {SAID[way]}. "
    return (f"{told}The settings can have their patrols planned {said} ([week] way_by_officer).",)
