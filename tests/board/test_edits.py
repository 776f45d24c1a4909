"""Changes by hand: what they do, and every reason why one cannot be."""

import datetime as dt
from contextlib import suppress

import numpy as np
import pytest
from board.speech import get_slot, parse_change
from hypothesis import example, given, settings, strategies as st
from team import checker

from patrolplan.board.edits import apply_change, list_differences
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_records import Ban, Lock


@pytest.fixture(scope="module")
def hand(ground, chosen):
    """The optimiser's week in hand."""
    return WeekEditor.from_week(chosen, ground.area, ground.plans)


def after(hand, week, **change):
    """The hand and the week after a change."""
    made = apply_change(parse_change(**change), hand, week)
    return made.editor, made.week


def why_not(hand, week, **change):
    """Why a change cannot be."""
    with pytest.raises(InvalidEditError) as raised:
        apply_change(parse_change(**change), hand, week)
    return str(raised.value)


def of(week, officer):
    """An officer's patrols."""
    return [duty for duty in week.duties if duty.officer == officer]


def test_an_officer_who_is_lent_is_locked_and_named(hand, chosen):
    """A patrol at a school not in the officer's care is a loan: locked, noted, removed as one."""
    gaps = [
        (who, gap)
        for gap in chosen.unmet
        for who in hand.inputs.officers
        if not hand.inputs.cares[hand.inputs.officers.index(who), hand.inputs.urns.index(gap.urn)]
    ]
    for who, gap in gaps:
        lent = {"officer": who, "urn": gap.urn, "date": f"{gap.date}"}
        with suppress(InvalidEditError):
            new_hand, week = after(hand, chosen, kind="add", **lent, variant=None)
            break
    assert Lock(who, gap.urn, gap.date) in week.locks
    assert any(note.key == "officer_lent" for note in week.notes)
    _, back = after(new_hand, week, kind="remove", **lent)
    assert back.locks == ()


def test_every_refusal_names_its_reason(hand, chosen):
    """Off duty, closed, taken, elsewhere, unknown: each refusal names its own reason."""
    duty = of(chosen, "SSO-02")[0]
    day = f"{duty.date}"
    base = {"kind": "add", "variant": None}
    assert "patrols URN 900007 that day" in why_not(
        hand, chosen, **base, officer="SSO-02", urn="900001", date=day
    )
    other = next(
        name
        for name in ("SSO-04", "SSO-05", "SSO-06")
        if not np.isnan(
            hand.inputs.free_time.hours[
                hand.inputs.officers.index(name), chosen.days.index(duty.date), 0
            ]
        )
    )
    assert "already" in why_not(hand, chosen, **base, officer=other, urn="900007", date=day)
    assert "SSO-06 is off" in why_not(
        hand, chosen, **base, officer="SSO-06", urn="900001", date="2026-11-30"
    )
    assert "no officer" in why_not(hand, chosen, **base, officer="X", urn="900001", date=day)
    assert "no patrol is planned" in why_not(
        hand, chosen, **base, officer="SSO-01", urn="1", date=day
    )
    assert "not a day" in why_not(
        hand, chosen, **base, officer="SSO-01", urn="900001", date="2026-12-25"
    )
    assert "no longer exists" in why_not(
        hand, chosen, kind="remove", officer="SSO-01", urn="900007", date=day
    )
    full = next(d for d in chosen.days if d not in {x.date for x in of(chosen, "SSO-02")})
    assert len(of(chosen, "SSO-02")) == 3
    assert "has reached the maximum of 3 patrols" in why_not(
        hand, chosen, **base, officer="SSO-02", urn="900007", date=f"{full}"
    )


def test_a_lock_holds_until_it_is_taken_off(hand, chosen):
    """A locked patrol cannot be moved, swapped, banned, rerouted or taken back."""
    duty = chosen.duties[0]
    locked, week = after(hand, chosen, kind="lock", **get_slot(duty))
    assert week.locks == (Lock(duty.officer, duty.urn, duty.date, duty.variant),)
    other = {**get_slot(duty), "date": "2026-12-04"}
    for change in (
        {"kind": "remove", **get_slot(duty)},
        {"kind": "move", "from": get_slot(duty), "to": other},
        {"kind": "swap", "a": get_slot(duty), "b": get_slot(chosen.duties[1])},
        {"kind": "variant", **get_slot(duty), "variant": duty.variant + 1},
        {"kind": "ban", "officer": duty.officer},
        {"kind": "lock", **get_slot(duty)},
    ):
        assert "locked" in why_not(locked, week, **change)
    _, free = after(locked, week, kind="unlock", **get_slot(duty))
    assert free.locks == ()
    assert list_differences(chosen, free) == []


def test_a_ban_takes_back_what_it_rules_out(hand, chosen):
    """A ban on an officer's day takes that patrol back and keeps others off; lifted, it is free."""
    duty = chosen.duties[0]
    banned, week = after(hand, chosen, kind="ban", officer=duty.officer, date=f"{duty.date}")
    assert duty not in week.duties
    assert week.bans == (Ban(duty.officer, None, duty.date),)
    assert "is ruled out by a ban" in why_not(
        banned, week, kind="add", **get_slot(duty), variant=None
    )
    freed, again = after(banned, week, kind="unban", officer=duty.officer, date=f"{duty.date}")
    assert again.bans == ()
    assert after(freed, again, kind="add", **get_slot(duty), variant=None)[1].duties


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            ["move", "swap", "add", "remove", "variant", "lock", "unlock", "ban", "unban"]
        ),
        st.integers(0, 40),
        st.integers(0, 40),
        st.integers(0, 4),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(changes=CHANGES)
@example(changes=[("swap", 0, 2, 0, 0)])  # a tasked place would have a second visit
@example(changes=[("move", 10, 0, 1, 0)])  # lent where two others stop already
@settings(max_examples=max(6, settings.default.max_examples // 4))  # each takes seconds
def test_no_changes_by_hand_break_a_rule(ground, chosen, changes):
    """However a week is changed, no rule is broken and its worth is that of the slow way."""
    hand, week = WeekEditor.from_week(chosen, ground.area, ground.plans), chosen
    officers = ["SSO-01", "SSO-02", "SSO-03", "SSO-08"]
    urns = list(ground.area.schools["urn"])
    for kind, one, two, day, variant in changes:
        there = get_slot(week.duties[one % len(week.duties)]) if week.duties else None
        also = get_slot(week.duties[two % len(week.duties)]) if week.duties else None
        free = {"officer": officers[one % 4], "urn": urns[two % 4], "date": f"{week.days[day]}"}
        forms = {
            "move": {"from": there, "to": free},
            "swap": {"a": there, "b": also},
            "add": {**free, "variant": None if variant == 3 else variant},
            "variant": {**(there or free), "variant": variant},
            "ban": {"officer": free["officer"], "date": free["date"]},
            "unban": {"officer": free["officer"], "date": free["date"]},
        }
        form = forms.get(kind, there or free)
        if None in form.values() and kind in {"move", "swap"}:
            continue
        with suppress(InvalidEditError):
            hand, week = after(hand, week, kind=kind, **form)
    rows = hand.find_rows(week.duties)
    assert checker.find_broken_rules(hand.problem, rows) == []
    assert week.worth == pytest.approx(checker.compute_worth(hand.problem, rows))
    lent = {(lock.officer, lock.urn) for lock in week.locks}
    promises = [
        row
        for row in checker.find_broken_duties(week, ground.area)
        if "not their school" not in row
    ]
    assert promises == []
    for duty in week.duties:
        cares = hand.inputs.cares[
            hand.inputs.officers.index(duty.officer), hand.inputs.urns.index(duty.urn)
        ]
        assert cares or (duty.officer, duty.urn) in lent
        assert not any(ban.officer == duty.officer and ban.date == duty.date for ban in week.bans)
    assert week.bound >= week.worth - 1e-9
    assert all(isinstance(day, dt.date) for day in week.days)
