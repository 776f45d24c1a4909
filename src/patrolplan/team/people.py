"""How papers and pages name people: officers as in their table, school staff only by their role."""

from collections.abc import Sequence

from patrolplan.area import StudyArea
from patrolplan.tables import STAFF
from patrolplan.text import join_words

STAFF_WORDS = "a member of staff of the school"


def find_staff(area: StudyArea) -> frozenset[str]:
    """Names of the school staff in the officers table."""
    table = area.officers
    named = zip(table["officer"], table["role"], strict=True)
    return frozenset(name for name, role in named if role == STAFF)


def name_member(area: StudyArea, name: str) -> str:
    """The name on papers of someone in the officers table: school staff only by their role."""
    return STAFF_WORDS if name in find_staff(area) else name


def describe_crew(area: StudyArea, crew: Sequence[str]) -> str:
    """Who accompanies a patrol, such as "SSO-02"; empty if there is no one."""
    return join_words([name_member(area, name) for name in crew])
