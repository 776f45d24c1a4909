"""The lead's sheet: what it says about the draw, demands, fairness, days and changes by hand."""

import dataclasses
from typing import get_args

import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces

from patrolplan.outputs.week.lead_sheet import build_lead_data, render_lead_sheet
from patrolplan.outputs.week.roster import DEMANDS, Roster
from patrolplan.patrols.demands import DemandKind
from patrolplan.team.week_records import DemandOutcome, Draw, Foreseen
from patrolplan.times import format_span

DRAW = Draw(number=1, commitment="ab12" * 16, give=0.02, best_worth=2.0, digest="")


@pytest.fixture
def drawn(week):
    """The week as if it had been drawn with a secret, at 1.5 % less than the best."""
    return dataclasses.replace(
        week, draw=DRAW, worth=1.97, foreseen=Foreseen(0.37, 0.37), history=(), absent={}
    )


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


@pytest.mark.parametrize("kind", get_args(DemandKind))
def test_a_demand_of_every_kind_is_on_the_sheet(week, kind):
    """Under the heading of its kind stands who goes there, or that nobody does."""
    place = week.plan.hotspots["hotspot"].iloc[0]
    lacking = dataclasses.replace(week, demands=(DemandOutcome(kind, place, None, 1),))
    (group,) = build_lead_data(Roster(lacking))["demands"]
    assert group["title"].startswith(DEMANDS[kind].lead.partition("{")[0])
    assert len(group["rows"]) == 1
