"""A week as a folder: table and cards by officer and day."""

import csv
import dataclasses
import datetime as dt
import io
import json

import pypdf
import pytest

from patrolplan.outputs.weekpack import plain_cell
from patrolplan.outputs.weekpack import write_week
from patrolplan.patrols.plans import clock
from patrolplan.team.rota import plan_week
from patrolplan.team.week import week_document


@pytest.fixture(scope="module")
def week(demo_area, demo_plan):
    """A week of the demo borough."""
    return plan_week(demo_area, demo_plan, start=dt.date(2026, 11, 30))


@pytest.fixture(scope="module")
def folder(week, demo_plan, tmp_path_factory):
    """That week, written with the duties of its first day only, to be quick."""
    first = [duty for duty in week.duties if duty.date == week.start]
    short = dataclasses.replace(week, duties=tuple(first))
    return write_week(short, demo_plan, tmp_path_factory.mktemp("week") / "out")


def test_the_table_has_a_row_and_a_card_for_each_duty(folder, week):
    """Every duty is a row with its officer, day and hours, and names a card that is there."""
    text = (folder / "week.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    duties = [duty for duty in week.duties if duty.date == week.start]
    assert [(r["officer"], r["date"], r["urn"], r["start"]) for r in rows] == [
        (d.officer, str(d.date), d.urn, clock(d.start_minutes)) for d in duties
    ]
    for row in rows:
        page = pypdf.PdfReader(folder / row["card"]).pages[0].extract_text()
        assert row["school"][:12] in page
        assert "30 November 2026" in page


def test_the_document_is_the_contracts_form(folder, week):
    """The JSON holds status, gap, worth, patrols and what could not be met, with why."""
    document = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    assert set(document) == {"status", "gap_percent", "worth", "patrols", "unmet"}
    assert document["unmet"] == week_document(week)["unmet"]
    assert set(document["patrols"][0]) == {"officer", "urn", "date", "start", "end", "variant"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1"])
def test_no_cell_runs_as_a_formula(cell):
    """A cell that a spreadsheet would run is written as text."""
    assert plain_cell(cell) == f"'{cell}"
