"""A week that was handed out: read back as it was written, or refused; and repaired."""

import copy
import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from team import checker
from team.slow_counts import list_stops

import patrolplan as pp
from patrolplan.team.not_met import list_missing
from patrolplan.team.repair import MAX_CARDS_OUT, Gap, repair_week, suggest_swaps
from patrolplan.team.rota import plan_week
from patrolplan.team.solve import SearchLimits
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_file import build_week_document, read_week
from patrolplan.team.week_records import Ban, Lock

MONDAY = dt.date(2026, 11, 30)
QUICK = SearchLimits(nodes=1, moves_per_school=1000)


@pytest.fixture(scope="module")
def handed_out(demo_area, plan):
    """A week with a lock, a ban and an earlier dose."""
    last = pd.DataFrame({"hotspot": ["H1"], "date": ["2026-11-27"], "minutes": [15.0]})
    locks, bans = [Lock("SSO-01", "900006", MONDAY, 1)], [Ban(officer="SSO-03", date=MONDAY)]
    given = {"locks": locks, "bans": bans, "delivered": last, "stop": QUICK}
    return plan_week(demo_area, plan, start=MONDAY, **given)


@pytest.fixture(scope="module")
def document(handed_out):
    """The week as a document."""
    return json.loads(json.dumps(build_week_document(handed_out), allow_nan=False))


def _written(document, folder):
    (folder / "week.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_percentages_come_back_equal(handed_out, demo_area, plan, tmp_path, seed):
    """What a file says of gap and give follows from the rounded worths that it holds."""
    best, share, bound = np.random.default_rng(seed).uniform([1, 0.98, 1], [2, 1, 1.01])
    drawn = replace(handed_out.draw, best_worth=best)
    changed = replace(handed_out, worth=best * share, bound=best * bound, draw=drawn, duties=())
    document = json.loads(json.dumps(build_week_document(changed)))
    again = read_week(_written(document, tmp_path), demo_area, plan)
    assert build_week_document(again) == document


def test_a_week_comes_back_as_it_was_written(document, demo_area, plan, tmp_path):
    """Written, read and written again, the document is the same, and nothing is noted."""
    again = read_week(_written(document, tmp_path), demo_area, plan)
    assert build_week_document(again) == document
    assert again.locks == (Lock("SSO-01", "900006", MONDAY, 1),)
    there = {(d.officer, d.urn, d.variant) for d in again.duties if d.date == MONDAY}
    assert ("SSO-01", "900006", 1) in there
    assert "SSO-03" not in {officer for officer, *_ in there}
    assert again.delivered == {"H1": frozenset({dt.date(2026, 11, 27)})}


def test_a_week_keeps_its_stops_when_the_plan_has_changed(document, demo_area, plan, tmp_path):
    """The note names what changed; stops, times and routes are those handed out."""
    settings_now = demo_area.settings.model_copy(update={"seed": 99})
    area = replace(demo_area, settings=settings_now)
    other = replace(plan, patrols=plan.patrols[1:])
    read = read_week(_written(document, tmp_path), area, other)
    assert build_week_document(read)["patrols"] == document["patrols"]
    assert build_week_document(read)["created_from"] == document["created_from"]
    assert read.notes[-1].key == "data_changed"
    urn = plan.patrols[0].urn
    gone = next(duty for duty in read.duties if duty.urn != urn)
    repair = repair_week(read, area, other, absent={gone.officer: {gone.date}})
    away = (gone.officer, gone.date)
    stay = {(d.officer, d.urn, d.date) for d in read.duties if (d.officer, d.date) != away}
    assert stay <= {(d.officer, d.urn, d.date) for d in repair.week.duties}
    withdrawn = [str(one) for one in repair.changes if one.kind == "withdrawn"]
    assert withdrawn == [f"withdraw the card of {gone}"]


def test_an_earlier_absence_still_counts(handed_out, demo_area, plan):
    """After a first repair, a second one does not send officers who were away already."""
    first = next(duty for duty in handed_out.duties if duty.officer == "SSO-01")
    basis = {"area": demo_area, "plan": plan, "max_moves": 0}
    once = repair_week(handed_out, absent={"SSO-01": {first.date}}, **basis).week
    other = next(duty for duty in once.duties if duty.date == first.date)
    twice = repair_week(once, absent={other.officer: {other.date}}, **basis).week
    away = {"SSO-01": frozenset({first.date}), other.officer: frozenset({other.date})}
    assert not any(duty.date in away.get(duty.officer, ()) for duty in twice.duties)
    assert twice.absent == away


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("patrols"), r"patrols: Field required"),
        (lambda d: d.update(schema=4), r"schema 4 is not 3.*plan the week again"),
        (lambda d: d.update(days=[]), r"days: Tuple should have at least 1 item"),
        (lambda d: d["patrols"][0].update(start="25:00"), r"not a valid time.*seen: '25:00'"),
        (lambda d: d["patrols"][0].update(date="1.12.26"), r"not a date.*seen: '1.12.26'"),
        (lambda d: d["patrols"][0].update(route=len(d["routes"])), r"there is no route \d+"),
        (lambda d: d["patrols"][0].update(urn="1"), r"not those of its route"),
        (lambda d: d["patrols"].append(d["patrols"][0]), r"has 2 patrols on"),
        (lambda d: d["routes"][0]["legs"].pop(), r"legs do not join"),
        (lambda d: d["routes"][0].update(gate=[500, 0]), r"routes.0.gate.0"),
    ],
)
def test_a_file_that_is_not_a_week_is_refused(document, demo_area, plan, tmp_path, change, message):
    """Every contradiction is named with its place and the value seen."""
    wrong = copy.deepcopy(document)
    change(wrong)
    with pytest.raises(pp.InputError, match=message):
        read_week(_written(wrong, tmp_path), demo_area, plan)


def _places(node, path=()):
    """Every place in a document."""
    yield path
    if isinstance(node, dict):
        for key in node:
            yield from _places(node[key], (*path, key))
    elif isinstance(node, list):
        for number in range(min(len(node), 2)):
            yield from _places(node[number], (*path, number))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["15:30", "2026-12-01", "*", [], {}, [0, 0], [["a"]]]),
)


@pytest.mark.slow
@settings(max_examples=80)
@given(data=st.data())
def test_a_changed_file_is_read_or_refused_but_never_breaks(
    data, document, demo_area, plan, tmp_path_factory
):
    """Whatever one value becomes, the week is read and can be written, or refused with an error."""
    changed = {"whole": copy.deepcopy(document)}
    path = ("whole", *data.draw(st.sampled_from(list(_places(document)))))
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = data.draw(VALUES)
    folder = _written(changed["whole"], tmp_path_factory.mktemp("week"))
    try:
        week = read_week(folder, demo_area, plan)
    except pp.InputError:
        return
    again = build_week_document(week)
    assert len(json.loads(json.dumps(again, allow_nan=False))["patrols"]) == len(week.duties)


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))]
)
def test_what_stands_keeps_its_card(week, demo_area, plan, seed):
    """No patrol of an officer who is there changes, and no more come than were lost."""
    rng = np.random.default_rng(seed)
    officer = str(rng.choice(sorted({duty.officer for duty in week.duties})))
    first = int(rng.integers(4))
    days = set(week.days[first : first + int(rng.integers(1, 4))])
    repair = repair_week(week, demo_area, plan, absent={officer: days})
    lost = [d for d in week.duties if d.officer == officer and d.date in days]
    stands = {(duty.slot, duty.variant): duty.patrol for duty in week.duties if duty not in lost}
    after = {(duty.slot, duty.variant): duty.patrol for duty in repair.week.duties}
    assert stands.items() <= after.items()
    assert len(after) <= len(week.duties)
    assert not any(d.officer == officer and d.date in days for d in repair.week.duties)
    changes = (one for move in (repair, *repair.moves) for one in move.changes)
    assert all(one.duty.date >= min(days) for one in changes)  # days that are over stay
    assert checker.find_broken_duties(repair.week, demo_area) == []


ABSENT = {"SSO-03": {MONDAY + dt.timedelta(days=n) for n in range(3)}}


@pytest.fixture(scope="module")
def repair(week, demo_area, plan):
    """The week without an officer on its first three days."""
    return repair_week(week, demo_area, plan, absent=ABSENT)


def test_offered_moves_change_as_many_cards_as_they_say_and_gain(demo_area, repair):
    """Each move withdraws one or two cards that could stay, and is worth more than the repair."""
    assert repair.moves
    for count, move in enumerate(repair.moves, 3 - len(repair.moves)):
        withdrawn = [one for one in move.changes if one.kind == "withdrawn"]
        assert 1 <= len(withdrawn) <= count
        assert move.gain == pytest.approx(move.week.worth - repair.week.worth)
        assert move.gain > 0
        assert checker.find_broken_duties(move.week, demo_area) == []


def test_a_locked_patrol_is_not_moved(week, demo_area, plan, repair):
    """No offered move touches a patrol that was locked by hand."""
    moved = {one.duty.officer for one in repair.moves[0].changes if one.kind == "withdrawn"}
    locks = tuple(Lock(d.officer, d.urn, d.date) for d in week.duties if d.officer in moved)
    for move in repair_week(replace(week, locks=locks), demo_area, plan, absent=ABSENT).moves:
        gone = {one.duty.officer for one in move.changes if one.kind == "withdrawn"}
        assert not gone & moved


@pytest.fixture(scope="module")
def editor(week, demo_area, plan):
    """What it may become by hand."""
    return WeekEditor.from_week(week, demo_area, plan)


def test_every_suggestion_fills_the_gap(week, editor, demo_area):
    """A school's free day gets a patrol, and no more than two cards are withdrawn."""
    filled = 0
    for gap in list_missing(week.unmet, "day")[::25]:
        found = suggest_swaps(editor, week, Gap(urn=gap.urn, date=gap.date))
        assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
        for one in found:
            assert any((d.urn, d.date) == (gap.urn, gap.date) for d in one.week.duties)
            withdrawn = [change for change in one.changes if change.kind == "withdrawn"]
            assert len(withdrawn) <= MAX_CARDS_OUT
            assert one.gain == pytest.approx(one.week.worth - week.worth)
            assert checker.find_broken_duties(one.week, demo_area) == []
            filled += 1
        assert len({tuple(map(str, one.changes)) for one in found}) == len(found)
    assert filled


def test_a_place_can_be_a_gap(week, editor):
    """A hotspot is visited on the day that was asked for."""

    def list_visited(week):
        return {(name, duty.date) for duty, stop in list_stops(week) for name in stop.covered}

    visited = list_visited(week)
    places = sorted({name for name, _ in visited})
    gap = next((p, day) for p in places for day in week.days if (p, day) not in visited)
    for one in suggest_swaps(editor, week, Gap(place=gap[0], date=gap[1])):
        assert gap in list_visited(one.week)


@pytest.mark.parametrize(
    "gap", [Gap(urn="no such"), Gap(place="no such"), Gap(date=dt.date(2020, 1, 6))]
)
def test_a_gap_that_the_week_does_not_have_is_refused(week, editor, gap):
    """Unknown schools, places and days are named."""
    with pytest.raises(InvalidEditError):
        suggest_swaps(editor, week, gap)
