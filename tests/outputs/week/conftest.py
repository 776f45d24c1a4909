"""A week of the demo borough, and the same with names that try to be code."""

import dataclasses
import datetime as dt

import pytest

from patrolplan.outputs.week.roster import Roster
from patrolplan.team.rota import plan_week

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
def hostile(demo_area, demo_plan):
    """The week with officers and a school named so as to be run; two duties a name to print."""
    names = demo_area.schools["name"].where(demo_area.schools["urn"] != URN, NAME)
    area = dataclasses.replace(
        demo_area,
        schools=demo_area.schools.assign(name=names),
        officers=demo_area.officers[: len(OFFICERS)].assign(officer=list(OFFICERS)),
    )
    plan = dataclasses.replace(
        demo_plan, area=area, patrols=tuple(_renamed(patrol) for patrol in demo_plan.patrols)
    )
    return plan_week(area, plan, start=dt.date(2026, 11, 30))


def _renamed(patrol):
    if patrol.urn != URN:
        return patrol
    variants = tuple(
        dataclasses.replace(
            variant,
            patrols=tuple(dataclasses.replace(other, school=NAME) for other in variant.patrols),
        )
        for variant in patrol.variants
    )
    return dataclasses.replace(patrol, school=NAME, variants=variants)
