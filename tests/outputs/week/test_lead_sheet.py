"""The lead's sheet: what it says about the draw, demands, fairness, days and changes by hand."""

import dataclasses

import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces

from patrolplan.notes import Note
from patrolplan.outputs.week.lead_sheet import (
    build_lead_data,
    describe_draw,
    describe_foreseen,
    describe_hand,
    render_lead_sheet,
)
from patrolplan.outputs.week.roster import Roster
from patrolplan.team.free_time import Appointment, FreeTime
from patrolplan.team.week import Ban, DemandOutcome, Draw, Foreseen, Lock, PatrolShortfall, Visitor
from patrolplan.times import format_span

DRAW = Draw(number=1, commitment="ab12" * 16, give=0.02, best_worth=2.0, digest="")


@pytest.fixture
def drawn(week):
    """The week as if it had been drawn with a secret, at 1.5 % less than the best."""
    return dataclasses.replace(
        week, draw=DRAW, worth=1.97, foreseen=Foreseen(0.37, 0.37), history=(), absent={}
    )


def test_the_draw_is_said_in_plain_sentences(drawn):
    """The sentences have the loss of worth, the number of the draw, and the commitment."""
    first, lost, number = describe_draw(drawn)
    assert first == "One week was drawn of all that keep the rules and are at most 2 % less good."
    assert lost == "It is 1.5 % less good than the best week that was found."
    assert number.startswith("This is draw number 1. Write down the commitment below")
    again = dataclasses.replace(drawn, draw=dataclasses.replace(DRAW, number=3))
    assert "draw number 3 of the week, which was drawn more than once" in describe_draw(again)[2]


def test_a_draw_without_a_secret_says_so(drawn):
    """Anyone can draw such a week again, and there is nothing to write down."""
    week = dataclasses.replace(drawn, draw=dataclasses.replace(DRAW, commitment=""))
    sentences = describe_draw(week)
    assert "There was no secret" in sentences[-1]
    assert "commitment" not in " ".join(sentences)
    assert describe_draw(dataclasses.replace(week, draw=None))[0].startswith("This week was not")


def test_what_locks_cost_in_foreseeability_is_said_once():
    """Where nothing is set by hand there is one figure, else two."""
    (same,) = describe_foreseen(Foreseen(0.371, 0.374))
    assert same.endswith("of 37 % of the visits.")
    (more,) = describe_foreseen(Foreseen(0.37, 0.44))
    assert more.endswith("of 37 % of the visits; with what was set by hand, of 44 %.")
    assert describe_foreseen(None) == []


def test_demands_are_met_by_somebody_or_unmet_for_a_reason(drawn):
    """One row per place, who comes on which day, and for all others why no one does."""
    monday, tuesday = drawn.days[:2]
    duty = drawn.duties[0]
    visitor = Visitor(duty.officer, duty.urn, monday, "15:41")
    why = Note("demand_outside_hours", {"place": "T-01", "hours": "09:00-10:00"})
    week = dataclasses.replace(
        drawn,
        demands=(
            DemandOutcome("tasked", "T-01", monday, 1, (visitor,)),
            DemandOutcome("tasked", "T-01", tuesday, 1, (), why),
            DemandOutcome("watched", "H74", None, 1, (), None),
        ),
    )
    data = build_lead_data(Roster(week))
    (tasked,), (watched,) = data["demands"]["tasked"], data["demands"]["watched"]
    assert tasked["met"] == "1 of 2"
    assert tasked["cells"][0]["lines"] == [f"15:41 {duty.officer}"]
    assert [cell["is_unmet"] for cell in tasked["cells"]] == [False, True, False, False, False]
    assert watched["met"] == "NO"
    assert any(line.startswith("T-01, Tuesday: ") for line in data["unmet"])
    assert "H74: nobody goes there." in data["unmet"]


def test_officers_have_their_patrols_and_appointments_in_one_table(drawn, monkeypatch):
    """By day in order; an empty day says whether the officer is off duty or absent."""
    duty = drawn.duties[0]
    court = Appointment(duty.officer, duty.date, "court", 540, 570, 690, 720)
    monkeypatch.setattr(FreeTime, "appointments", (court,))
    week = dataclasses.replace(drawn, absent={"SSO-02": frozenset({drawn.days[0]})})
    week = dataclasses.replace(
        week,
        duties=tuple(
            one for one in week.duties if (one.officer, one.date) != ("SSO-02", week.days[0])
        ),
    )
    rows = {row["name"]: row for row in build_lead_data(Roster(week))["officers"]}
    (column,) = [number for number, day in enumerate(week.days) if day == duty.date]
    lines = rows[duty.officer]["cells"][column]["lines"]
    assert [line["time"] for line in lines] == [
        format_span(570, 690),
        format_span(duty.start_minutes, duty.end_minutes),
    ]
    assert lines[0]["what"] == "Court"
    assert rows["SSO-02"]["cells"][0]["none"] == "absent"
    assert rows["SSO-03"]["cells"][2]["none"] == "off duty"


def test_short_schools_and_missed_streets_are_named(drawn):
    """Less than the minimum stands at the school; heavy streets without a visit are counted."""
    week = dataclasses.replace(drawn, short=(PatrolShortfall("900003", 0, 1),), duties=())
    data = build_lead_data(Roster(week))
    short = {row["name"]: row["short"] for row in data["schools"] if row["short"]}
    assert list(short.values()) == ["short: 0 of 1"]
    assert data["doses"][0] == "No place gets more than 30 minutes on a day."
    assert "and 15 more are not visited." in data["doses"][1]


def test_what_was_set_by_hand_is_named(drawn):
    """Locks, bans, absences and changes, or that there were none."""
    assert describe_hand(Roster(drawn)) == ["Nothing was set, ruled out or changed by hand."]
    day = drawn.days[0]
    week = dataclasses.replace(
        drawn,
        locks=(Lock("SSO-01", "900001", day, 1),),
        bans=(Ban(urn="900002", date=day),),
        absent={"SSO-02": frozenset({day})},
        history=tuple((f"2026-11-27 15:{n:02d}", "moved") for n in range(14)),
    )
    lines = describe_hand(Roster(week))
    assert lines[:4] == [
        "Set: SSO-01 at Lanthorn Hill School on Monday 30 November, route 2.",
        "Ruled out: everybody at Tidewell Science & Arts Academy on Monday 30 November.",
        "Absent: SSO-02 on Monday 30 November.",
        "Earlier changes by hand, not listed: 2.",
    ]
    assert lines[-1] == "2026-11-27 15:13: moved."


def test_the_sheet_is_a_page_or_two_with_all_of_it(drawn, hostile):
    """All content is on the paper, markup in names is text, and equal weeks give equal bytes."""
    pdf = render_lead_sheet(Roster(drawn))
    assert pdf == render_lead_sheet(Roster(drawn))
    text = read_pages(pdf)
    assert len(text) <= 2
    assert strip_spaces("ab12ab12 " * 8) in "".join(text)
    for duty in drawn.duties:
        assert strip_spaces(format_span(duty.start_minutes, duty.end_minutes)) in "".join(text)
    assert find_words_off_page(pdf) == []
    assert strip_spaces("St. <script>alert(1)</script>") in "".join(
        read_pages(render_lead_sheet(Roster(hostile)))
    )
