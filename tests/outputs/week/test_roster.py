"""Who is who in a week, and names that are safe as files."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, strategies as st

from patrolplan.errors import InputError
from patrolplan.outputs.week.roster import (
    RESERVED_FILE_NAMES,
    Roster,
    check_officer_and_date,
    make_file_names,
)

NASTY = st.text(st.sampled_from('aA1/\\.:*?"<>| \t\r\n-_éÉß\u202e'), max_size=80)


@given(st.lists(st.one_of(NASTY, st.text(max_size=90)), max_size=12))
def test_file_names_are_plain_and_all_different(texts):
    """Any texts get names of letters and digits that differ even where case does not count."""
    names = make_file_names(texts)
    assert set(names) == set(texts)
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(folded)
    for name in names.values():
        assert name
        assert len(name) < 80
        assert all(sign.isalnum() or sign in "-_" for sign in name)
        assert name.casefold() not in RESERVED_FILE_NAMES


def test_every_duty_is_found_by_school_and_by_officer(roll):
    """Each duty is found once at its school and once with its officer, and nowhere else."""
    week = roll.week
    at_school = [
        duty
        for s in roll.schools
        for day in week.days
        for duty in roll.select_duties(None, day, s.urn)
    ]
    of_officer = [
        duty for o in roll.officers for day in week.days for duty in roll.select_duties(o.name, day)
    ]
    keys = sorted(duty.key for duty in week.duties)
    assert sorted(duty.key for duty in at_school) == keys
    walked = [duty.key for duty in roll.week.duties for _ in (duty.officer, *duty.crew)]
    assert sorted(duty.key for duty in of_officer) == sorted(walked)


def test_a_school_that_left_the_plan_stays_with_its_patrols(week):
    """A published duty at a school that no longer exists is still shown."""
    duty = week.duties[0]
    area = week.plan.area
    there = (area.schools["urn"] != duty.urn).to_numpy()
    less = dataclasses.replace(
        area, schools=area.schools[there].reset_index(drop=True), gates=area.gates.take(there)
    )
    patrols = tuple(patrol for patrol in week.plan.patrols if patrol.urn != duty.urn)
    plan = dataclasses.replace(week.plan, area=less, patrols=patrols)
    roll = Roster(dataclasses.replace(week, plan=plan))
    last = roll.schools[-1]
    assert (last.urn, last.name, (last.x, last.y)) == (
        duty.urn,
        duty.patrol.school,
        (duty.patrol.x, duty.patrol.y),
    )
    assert roll.card_path(duty).endswith(f"-{duty.urn}.pdf")
    assert duty in roll.select_duties(None, duty.date, duty.urn)


def test_unknown_officer_and_day_are_told_together(week):
    """An officer and a day that are not of the week are both named, with those that are."""
    with pytest.raises(InputError) as error:
        check_officer_and_date(["SSO-01", "SSO-02"], week.days, "SSO-99", dt.date(2026, 12, 5))
    assert "no officer 'SSO-99' in this week (officers: SSO-01, SSO-02)" in str(error.value)
    assert "name a day from Monday 30 November to Friday 4 December" in str(error.value)
