"""Changes by hand, and those that repair the week: what they do, and why one cannot be."""

from contextlib import suppress

import numpy as np
import pytest
from board.speech import TASK, ask_change, get_slot, parse_change, pick_slot, without_history
from hypothesis import example, given, settings, strategies as st
from team import checker

from patrolplan.board.edits import apply_change, list_differences
from patrolplan.team.not_met import list_missing
from patrolplan.team.repair import list_changes, repair_week
from patrolplan.team.routes import build_route_key
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_records import Ban, Lock

KINDS = ("move", "swap", "add", "remove", "variant", "lock", "unlock", "ban", "unban")
NUMBERS = (st.integers(0, 40), st.integers(0, 40), st.integers(0, 4), st.integers(0, 3))
CHANGES = st.lists(st.tuples(st.sampled_from(KINDS), *NUMBERS), max_size=8)
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def hand(ground, chosen):
    """The optimiser's week in hand."""
    return WeekEditor.from_week(chosen, ground.area, ground.plans)


def after(hand, week, **change):
    """The hand and the week after a change."""
    return apply_change(parse_change(**change), hand, week)[:2]


def why_not(hand, week, **change):
    """Why a change cannot be."""
    with pytest.raises(InvalidEditError) as raised:
        apply_change(parse_change(**change), hand, week)
    return str(raised.value)


def has_in_care(hand, officer, urn):
    """Whether a school is in an officer's care."""
    return hand.inputs.cares[hand.inputs.officers.index(officer), hand.inputs.urns.index(urn)]


def test_an_officer_who_is_lent_is_locked_and_named(hand, chosen):
    """A patrol at a school not in the officer's care is a loan: locked, noted, removed as one."""
    gaps = [(who, gap) for gap in list_missing(chosen.unmet, "day") for who in hand.inputs.officers]
    for who, gap in (one for one in gaps if not has_in_care(hand, one[0], one[1].urn)):
        lent = {"officer": who, "urn": gap.urn, "date": f"{gap.date}"}
        with suppress(InvalidEditError):
            new_hand, week = after(hand, chosen, kind="add", **lent, variant=None)
            break
    assert Lock(who, gap.urn, gap.date) in week.locks
    assert any(note.key == "officer_lent" for note in week.notes)
    assert after(new_hand, week, kind="remove", **lent)[1].locks == ()


def test_every_refusal_names_its_reason(hand, chosen):
    """Off duty, closed, taken, elsewhere, unknown: each refusal names its own reason."""
    mine, inputs = [duty for duty in chosen.duties if duty.officer == "SSO-02"], hand.inputs
    day, number = f"{mine[0].date}", chosen.days.index(mine[0].date)
    hours = dict(zip(inputs.officers, inputs.free_time.hours[:, number, 0], strict=True))
    other = next(name for name in ("SSO-04", "SSO-05", "SSO-06") if not np.isnan(hours[name]))
    full = next(d for d in chosen.days if d not in {duty.date for duty in mine})
    assert len(mine) == 3
    for officer, urn, date, why in (
        ("SSO-02", "900001", day, "patrols URN 900007 that day"),
        (other, "900007", day, "already"),
        ("SSO-06", "900001", "2026-11-30", "SSO-06 is off"),
        ("X", "900001", day, "no officer"),
        ("SSO-01", "1", day, "no patrol is planned"),
        ("SSO-01", "900001", "2026-12-25", "not a day"),
        ("SSO-02", "900007", f"{full}", "has reached the maximum of 3 patrols"),
    ):
        slot = {"officer": officer, "urn": urn, "date": date}
        assert why in why_not(hand, chosen, kind="add", variant=None, **slot)
    gone = {"officer": "SSO-01", "urn": "900007", "date": day}
    assert "no longer exists" in why_not(hand, chosen, kind="remove", **gone)


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
    assert (free.locks, list_differences(chosen, free)) == ((), [])


def test_a_ban_takes_back_what_it_rules_out(hand, chosen):
    """A ban on an officer's day takes that patrol back and keeps others off; lifted, it is free."""
    duty = chosen.duties[0]
    banned, week = after(hand, chosen, kind="ban", officer=duty.officer, date=f"{duty.date}")
    assert duty not in week.duties
    assert week.bans == (Ban(duty.officer, None, duty.date),)
    add = {"kind": "add", **get_slot(duty), "variant": None}
    assert "is ruled out by a ban" in why_not(banned, week, **add)
    freed, again = after(banned, week, kind="unban", officer=duty.officer, date=f"{duty.date}")
    assert again.bans == ()
    assert after(freed, again, **add)[1].duties


@pytest.fixture(scope="module")
def begin(ground, hand, chosen):
    """Those three, as a call: an example prints its arguments first, and theirs take seconds."""
    return lambda: (ground, hand, chosen)


@given(changes=CHANGES)
@example(changes=[("swap", 0, 2, 0, 0)])  # a tasked place would have a second visit
@example(changes=[("move", 10, 0, 1, 0)])  # lent where two others stop already
@settings(max_examples=max(6, settings.default.max_examples // 4))  # each takes seconds
def test_no_changes_by_hand_break_a_rule(begin, changes):
    """However a week is changed, no rule is broken and its worth is that of the slow way."""
    ground, hand, week = begin()
    officers = ["SSO-01", "SSO-02", "SSO-03", "SSO-08"]
    urns = list(ground.area.schools["urn"])
    for kind, one, two, day, variant in changes:
        slots = [get_slot(duty) for duty in week.duties] or [None]
        there, also = slots[one % len(slots)], slots[two % len(slots)]
        free = {"officer": officers[one % 4], "urn": urns[two % 4], "date": f"{week.days[day]}"}
        forms = {"move": {"from": there, "to": free}, "swap": {"a": there, "b": also}}
        forms["add"] = {**free, "variant": None if variant == 3 else variant}
        forms["variant"] = {**(there or free), "variant": variant}
        forms["ban"] = {"officer": free["officer"], "date": free["date"]}
        form = forms.get(kind.removeprefix("un"), there or free)
        if None in form.values() and kind in {"move", "swap"}:
            continue
        with suppress(InvalidEditError):
            hand, week = after(hand, week, kind=kind, **form)
    rows = hand.find_rows(week.duties)
    assert checker.find_broken_rules(hand.problem, rows) == []
    assert week.worth == pytest.approx(checker.compute_worth(hand.problem, rows))
    lent = {(lock.officer, lock.urn) for lock in week.locks}
    assert all("not their school" in why for why in checker.find_broken_duties(week, ground.area))
    for duty in week.duties:
        assert has_in_care(hand, duty.officer, duty.urn) or (duty.officer, duty.urn) in lent
        assert not any(ban.officer == duty.officer and ban.date == duty.date for ban in week.bans)
    assert week.bound >= week.worth - 1e-9


def change(board, client, **what):
    """Make a change with a repair, and wait for it; gives how it ended."""
    answer = ask_change(client, board.shared.version, **what)
    if answer.status_code != 200:
        return answer.json()["problem"]
    board.planning_job.wait(PATIENCE_SECONDS)
    return board.planning_job.document()["problem"]


def away(duty, **further):
    """The officer of a patrol is away on its day."""
    day = f"{duty.date}"
    return {"kind": "away", "officer": duty.officer, "from": day, "to": day, **further}


def walks(week):
    """Who walks where, when and how."""
    return {(*get_slot(duty).values(), build_route_key(duty.patrol)) for duty in week.duties}


def test_who_is_away_has_no_patrol_and_nothing_else_moves(board, client):
    """All other cards stay; the week is that which the command line repairs; it can be undone."""
    shared = board.shared
    before, planned = shared.state.week, shared.state.planned_area
    duty = before.duties[2]
    assert change(board, client, **away(duty)) == ""
    assert "away on" in change(board, client, **away(duty))  # already
    week = shared.state.week
    assert week.absent == {duty.officer: frozenset({duty.date})}
    lost = walks(before) - walks(week)
    assert {(officer, date) for officer, _, date, _ in lost} == {(duty.officer, f"{duty.date}")}
    again = repair_week(before, planned.area, planned.plans, absent={duty.officer: {duty.date}})
    assert walks(week) == walks(again.week)
    outcome = client.get("/api/state").json()["outcome"]
    assert outcome["message"].startswith(f"{duty.officer} is away on ")
    assert outcome["cards"][0]["kind"] == "withdrawn"
    assert len(outcome["cards"]) == len(list_changes(before, week))
    assert checker.find_broken_duties(week, planned.area) == []
    versions = [before.calendar.version, week.calendar.version]
    for version, action, there in ((2, "undo", before), (3, "redo", week)):
        shared.step_back(version, action)
        assert without_history(shared.state.week) == without_history(there)
        versions.append(shared.state.week.calendar.version)
        withdrawn = {
            (patrol.officer, patrol.date) for patrol in shared.state.week.calendar.withdrawn
        }
        assert withdrawn == ({(duty.officer, duty.date)} if there is week else set())
    assert versions == sorted({*versions}), "a calendar's version fell, or stayed over a change"


def test_who_comes_back_fills_the_free_days(board, client):
    """Back again, the officer is no longer away; the others' cards stay as they are."""
    shared = board.shared
    duty = shared.state.week.duties[0]
    change(board, client, **away(duty, to="2026-12-04"))
    others = walks(shared.state.week)
    assert change(board, client, **away(duty, to="2026-12-04", kind="back")) == ""
    week = shared.state.week
    assert week.absent == {}
    assert not any(note.key == "officer_away" for note in week.notes)
    assert others < walks(week)
    assert {officer for officer, *_ in walks(week) - others} == {duty.officer}


def appointment(duty, **further):
    """Something else to do at the time of a patrol."""
    return {
        "kind": "appoint", "officer": duty.officer, "date": f"{duty.date}", "from": "14:30",
        "to": "17:30", "what": "court", "urn": None, **further,
    }  # fmt: skip


def test_an_appointment_is_written_and_the_patrol_repaired(board, client):
    """The table has one row more; the patrol that no longer fits is gone, the others stay."""
    shared = board.shared
    sheet = shared.state.tables["duties"].path
    before, content = shared.state.week, sheet.read_bytes()
    duty = before.duties[1]
    assert change(board, client, **appointment(duty)) == ""
    row = f"{duty.officer},{duty.date},14:30,17:30,court,\n".encode()
    assert sheet.read_bytes() == content + row
    week = shared.state.week
    assert not any((d.officer, d.date) == (duty.officer, duty.date) for d in week.duties)
    stayed = {slot for slot in walks(before) if slot[:3:2] != (duty.officer, f"{duty.date}")}
    assert stayed <= walks(week)
    officers = {row["officer"]: row for row in client.get("/api/state").json()["officers"]}
    entered = {"what": "Court", "from": "14:30", "to": "17:30", "urn": "", "removable": True}
    assert officers[duty.officer]["appointments"] == {f"{duty.date}": [entered]}
    assert "already" in change(board, client, **appointment(duty))
    gone = {key: appointment(duty)[key] for key in ("officer", "date", "from")}
    assert (change(board, client, kind="unappoint", **gone), sheet.read_bytes()) == ("", content)
    assert any((d.officer, d.date) == (duty.officer, duty.date) for d in shared.state.week.duties)
    assert "holds no appointment" in change(board, client, kind="unappoint", **gone)


def task(board):
    """A place at the gate of a school, to be visited on every day."""
    planned = board.shared.state.planned_area
    x, y = planned.area.network.xy(planned.area.gates)[0]
    longitude, latitude = planned.area.projection.to_degrees([x], [y])
    return TASK | {"longitude": float(longitude[0]), "latitude": float(latitude[0])}


@pytest.mark.parametrize(
    ("kind", "wrong", "why"),
    [("away", {"officer": "X"}, "no officer"), ("away", {"kind": "back"}, "is not away"),
     ("away", {"from": "2026-12-07", "to": "2026-12-08"}, "no day of this week"),
     ("appoint", {"officer": "X"}, "no officer"), ("appoint", {"date": "2026-12-07"}, "not a day"),
     ("appoint", {"to": "14:00"}, "do not end after"), ("appoint", {"urn": "1"}, "no school"),
     ("task", {"reason": "two\nlines"}, "cannot be printed"),
     ("task", {"reason": "a\u2028b"}, "cannot be printed"), ("task", {"by": " "}, "is empty"),
     ("task", {"by": "a\x1b[1m"}, "cannot be printed"), ("task", {"schools": ["1"]}, "no school"),
     ("task", {"longitude": 2.0}, "no walkable street"),
     ("task", {"to": "2026-11-01"}, "before the first")],
)  # fmt: skip
def test_what_cannot_be_is_not_written(still_board, still_client, kind, wrong, why):
    """Unknown names, days of another week, line breaks and far places: the reason is named."""
    state = still_board.shared.state
    paths, duty = [table.path for table in state.tables.values()], state.week.duties[0]
    before = [path.read_bytes() for path in paths]
    right = {"away": away(duty), "appoint": appointment(duty), "task": task(still_board)}[kind]
    answer = ask_change(still_client, **right | wrong)
    assert answer.status_code == 422
    assert why in answer.json()["problem"]
    assert ([path.read_bytes() for path in paths], still_board.shared.version) == (before, 1)


def test_a_tasked_place_is_met_by_few_changes(board, client):
    """Every day is met or says why not; on no day do more than two cards go."""
    before = board.shared.state.week
    assert change(board, client, **task(board)) == ""
    state = client.get("/api/state").json()
    mine = [row for row in state["demands"] if row["place"] == TASK["place_id"]]
    assert [row["date"] for row in mine] == [f"{day}" for day in before.days]
    assert all(row["met_by"] or row["why"] for row in mine)
    assert any(row["met_by"] for row in mine)
    gone = [card["date"] for card in state["outcome"]["cards"] if card["kind"] == "withdrawn"]
    assert all(gone.count(f"{day}") <= 2 for day in before.days)
    duties = board.shared.state.week.duties
    for visitor in (visitor for row in mine for visitor in row["met_by"]):
        duty = next(duty for duty in duties if get_slot(duty) == pick_slot(visitor))
        assert TASK["place_id"] in [stop.tasked for stop in duty.patrol.stops]


def test_swaps_for_a_gap_are_taken_by_one_request(board, client):
    """The best swap is what it says: the gap is filled, the worth changes as announced."""
    gap = list_missing(board.shared.state.week.unmet, "day")[0]
    wish = {"version": 1, "urn": gap.urn, "date": f"{gap.date}"}
    found = client.post("/api/offers", json=wish).json()
    gains = [offer["gain_percent"] for offer in found["offers"]]
    assert [] != gains == sorted(gains, reverse=True)
    before, best = board.shared.state.week.worth, found["offers"][0]["id"]
    taken = client.post("/api/offers/take", json={"version": 1, "id": best})
    assert taken.status_code == 200
    week = board.shared.state.week
    assert any((d.urn, d.date) == (gap.urn, gap.date) for d in week.duties)
    assert 100 * (week.worth - before) / before == pytest.approx(gains[0], abs=1e-9)
    for version, status, why in ((1, 409, "changed"), (2, 422, "earlier week")):
        late = client.post("/api/offers/take", json={"version": version, "id": best})
        assert (late.status_code, why in late.json()["problem"]) == (status, True)


def test_a_move_that_is_offered_adds_what_it_says(board, client):
    """Moves after a repair change as many cards as they say, and gain what they say."""
    shared = board.shared
    for duty in shared.state.week.duties:
        change(board, client, **away(duty, to="2026-12-04"))
        outcome = client.get("/api/state").json()["outcome"]
        if outcome["offers"]:
            break
        client.post("/api/undo", json={"version": shared.version})
    assert outcome["offers"], "no absence of this week leaves a move that is worth it"
    before = shared.state.week
    take = {"version": shared.version, "id": outcome["offers"][0]["id"]}
    assert client.post("/api/offers/take", json=take).status_code == 200
    gain = 100 * (shared.state.week.worth - before.worth) / before.worth
    assert gain == pytest.approx(outcome["offers"][0]["gain_percent"], abs=1e-9)
    assert len(list_changes(before, shared.state.week)) == len(outcome["offers"][0]["changes"])
    assert shared.state.week.absent == before.absent
