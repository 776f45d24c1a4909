"""An officer's day in order: ways, patrols and appointments."""

import dataclasses

import numpy as np
import pytest

from patrolplan.team.free_time import Appointment, FreeTime, compute_minutes_from_base
from patrolplan.team.where_when import build_officer_days


@pytest.fixture(scope="module")
def week(demo_week):
    """A week of the demo borough."""
    return demo_week


def _count_busy_twice(items):
    """Minutes in which somebody does two things at once, counted on a clock of seconds."""
    busy = np.zeros(24 * 3600, dtype=int)
    for item in items:
        busy[round(item.from_minutes * 60) : round(item.to_minutes * 60)] += 1
    return int((busy > 1).sum())


def test_nobody_does_two_things_at_once(week):
    """On no day of the week do ways, patrols and appointments of an officer overlap."""
    days = build_officer_days(week)
    assert days
    assert not any(_count_busy_twice(items) for items in days.values())


def test_every_patrol_is_between_its_ways(week):
    """Each patrol stands once in its officer's day, after the way there and before the way back."""
    days = build_officer_days(week)
    patrols = [item for items in days.values() for item in items if item.kind == "patrol"]
    assert sum(not item.is_companion for item in patrols) == len(week.duties)
    assert sum(item.is_companion for item in patrols) == sum(len(d.crew) for d in week.duties)
    for duty in week.duties:
        own = [item for item in days[duty.officer, duty.date] if item.duty is duty]
        assert [(item.kind, item.towards) for item in own] == [
            ("way", "gate"),
            ("patrol", "base"),
            ("way", "base"),
        ]
        assert (own[0].from_minutes, own[-1].to_minutes) == (duty.leave_minutes, duty.back_minutes)


def test_who_walks_along_has_the_patrol_in_their_day(week, demo_area):
    """A companion sets out from their own base, by the time that they need themselves."""
    duty = dataclasses.replace(week.duties[0], crew=("SSO-08",))
    days = build_officer_days(dataclasses.replace(week, duties=(duty,)))
    travel = compute_minutes_from_base(demo_area)
    row = list(demo_area.officers["officer"]).index("SSO-08")
    minutes = travel[row, list(demo_area.schools["urn"]).index(duty.urn)]
    way, patrol, back = days["SSO-08", duty.date]
    assert patrol.is_companion
    assert way.from_minutes == pytest.approx(duty.start_minutes - minutes)
    assert back.to_minutes == pytest.approx(duty.end_minutes + minutes)
    assert not any(item.is_companion for item in days[duty.officer, duty.date])


def test_appointments_stand_between_patrols_in_the_order_of_the_day(week, monkeypatch):
    """An appointment has its ways; one that fills the day has none."""
    duty = week.duties[0]
    court = Appointment(duty.officer, duty.date, "court", 540, 570, 690, 720)
    other = next(day for day in week.days if day != duty.date)
    leave = Appointment(duty.officer, other, "leave", 0, 0, 1439, 1439)
    monkeypatch.setattr(FreeTime, "appointments", (leave, court))
    days = build_officer_days(dataclasses.replace(week, duties=(duty,)))
    kinds = [item.kind for item in days[duty.officer, duty.date]]
    assert kinds == ["way", "appointment", "way", "way", "patrol", "way"]
    (whole,) = days[duty.officer, other]
    assert whole.is_whole_day
    assert whole.appointment is leave
