"""Officers who do not go the way of `[patrol] way`: by bicycle where that says on foot, or on foot.

Their patrols are planned the way that they go, at their schools alone. They stand in a plan of
their own, beside the plan of all schools: `Plan.other_mode`.
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
        None where every officer goes the area's way.

    Raises
    ------
    InputError
        When they go by bicycle, and the settings have a bicycle slower than a walk.
    """
    way = OTHER[area.settings.patrol.way]
    officers = area.officers[area.officers["mode"] == way]
    if officers.empty:
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
    """Schools of officers who do not go the area's way, in the order of the schools table.

    Parameters
    ----------
    area
        With officers.
    lent
        Officers and the schools that they are lent to beside their own.
    """
    others = area.officers[area.officers["mode"] != area.settings.patrol.way]
    names = set(others["officer"])
    theirs = {urn for urns in others["school_urns"] for urn in urns}
    theirs |= {urn for officer, urn in lent if officer in names}
    return tuple(urn for urn in area.schools["urn"] if urn in theirs)
