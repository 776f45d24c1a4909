"""A week of the demo borough, and the same with names that try to be code."""

from dataclasses import replace

import pytest

from patrolplan.outputs.week.roster import Roster

NAME = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*]'
OFFICERS = ('=HYPERLINK("http://x")', "@SUM", "+1", "\tTAB", "\rCR", "-2", "../../up", "con")
URN = "900001"


@pytest.fixture(scope="session")
def week(demo_week):
    """A week of the demo borough."""
    return demo_week


@pytest.fixture(scope="session")
def roll(week):
    """That week, ready to be written down."""
    return Roster(week)


@pytest.fixture(scope="session")
def hostile(demo_area, demo_plan, week):
    """The week with officers and a school named so as to be run; two duties a name to print."""
    table = demo_area.officers["officer"]
    names = dict(zip(table, (*OFFICERS, *table[len(OFFICERS) :]), strict=True))
    schools = demo_area.schools["name"].where(demo_area.schools["urn"] != URN, NAME)
    schools = demo_area.schools.assign(name=schools)
    officers = demo_area.officers.assign(officer=table.map(names))
    area = replace(demo_area, schools=schools, officers=officers)
    patrols = tuple(_rename(patrol) for patrol in demo_plan.patrols)
    people = ((duty, [names[one] for one in duty.people]) for duty in week.duties)
    duties = tuple(
        replace(duty, officer=first, crew=tuple(crew), patrol=_rename(duty.patrol))
        for duty, (first, *crew) in people
    )
    plan = replace(demo_plan, area=area, patrols=patrols)
    return replace(week, plan=plan, duties=duties)


def _rename(patrol):
    return replace(patrol, school=NAME) if patrol.urn == URN else patrol
