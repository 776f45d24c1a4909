"""Who walks along on a patrol, in words; school staff are named by their role alone."""

from patrolplan.area import StudyArea
from patrolplan.outputs.reason_words import join_words
from patrolplan.tables import STAFF
from patrolplan.team.week import Duty

STAFF_WORDS = "a member of staff of the school"


def find_staff(area: StudyArea) -> frozenset[str]:
    """Names of the school staff in the officers table."""
    table = area.officers
    named = zip(table["officer"], table["role"], strict=True)
    return frozenset(name for name, role in named if role == STAFF)


def name_member(area: StudyArea, name: str) -> str:
    """Someone of the officers table as papers name them: school staff by their role alone."""
    return STAFF_WORDS if name in find_staff(area) else name


def describe_crew(area: StudyArea, duty: Duty) -> str:
    """Who walks along on a patrol, such as "SSO-02"; empty for nobody."""
    return join_words([name_member(area, name) for name in duty.crew])
