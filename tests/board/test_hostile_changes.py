"""Leave, appointments, taskings, swaps and searches with values that try to be more than that."""

import csv
import io

import pytest

HOSTILE = '<img src=x onerror=alert(1)>"; DROP TABLE duties;'
FORMULAS = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0")

AWAY = {"kind": "away", "officer": "SSO-01", "from": "2026-11-30", "to": "2026-12-01"}
APPOINT = {
    "kind": "appoint", "officer": "SSO-01", "date": "2026-11-30", "from": "14:30", "to": "17:30",
    "what": "court", "urn": None,
}  # fmt: skip
UNAPPOINT = {"kind": "unappoint", "officer": "SSO-01", "date": "2026-11-30", "from": "14:30"}
CREW = {"kind": "crew", "officer": "SSO-01", "urn": "900001", "date": "2026-11-30", "crew": []}
TASK = {
    "kind": "task", "place_id": "T-9", "longitude": 0.87, "latitude": 51.53, "must_visit": True,
    "schools": ["*"], "from": "2026-11-30", "to": "2026-12-04", "reason": "why", "by": "who",
}  # fmt: skip


def post(client, **change):
    """Ask for a change."""
    return client.post("/api/change", json={"version": 1, "change": change})


@pytest.mark.parametrize(
    "change",
    [
        {**AWAY, "officer": ["SSO-01"]},
        {**AWAY, "from": 20261130},
        {**AWAY, "to": "2026-12-01T00:00"},
        {**AWAY, "days": 3},
        {**APPOINT, "from": "24:00"},
        {**APPOINT, "from": "9:00"},
        {**APPOINT, "to": "17:30\n"},
        {**APPOINT, "to": "17:30-18:00"},
        {**APPOINT, "what": "holiday"},
        {**APPOINT, "what": ["court"]},
        {**APPOINT, "note": "of a pupil"},
        {**UNAPPOINT, "from": None},
        {**CREW, "crew": ["SSO-02", "SSO-03"]},
        {**CREW, "crew": "SSO-02"},
        {**CREW, "crew": [{"name": "SSO-02"}]},
        {**TASK, "hours": "15:00"},
        {**TASK, "hours": "15:00-17:00;x"},
        {**TASK, "minutes": 0},
        {**TASK, "minutes": "10"},
        {**TASK, "visits": 10},
        {**TASK, "visits": True},
        {**TASK, "officers": 3},
        {**TASK, "weekdays": ["sat"]},
        {**TASK, "weekdays": "mon"},
        {**TASK, "longitude": "NaN"},
    ],
)
def test_wrong_types_are_refused_before_anything_is_done(still_board, still_client, change):
    """A value of another type or range is refused in plain words; nothing is written."""
    files = {
        table.path: table.path.read_bytes() for table in still_board.shared.state.tables.values()
    }
    answer = post(still_client, **change)
    assert answer.status_code == 400
    assert set(answer.json()) == {"problem"}
    assert ".py" not in answer.text
    assert still_board.shared.version == 1
    assert {path: path.read_bytes() for path in files} == files


@pytest.mark.parametrize("field", ["place_id", "reason", "by"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_becomes_a_formula(still_board, still_client, field, formula):
    """What a spreadsheet would work out is not written into a table."""
    sheet = still_board.shared.state.tables["tasked_places"].path
    before = sheet.read_bytes()
    assert post(still_client, **{**TASK, field: formula}).status_code == 422
    assert sheet.read_bytes() == before


@pytest.mark.parametrize("officer", [*FORMULAS, HOSTILE, "SSO-01,2026-11-30", "SSO-01\r\nX"])
def test_only_officers_of_the_table_are_written(still_board, still_client, officer):
    """No name but an officer's reaches the table of duties, or a week's absences."""
    sheet = still_board.shared.state.tables["duties"].path
    before = sheet.read_bytes()
    assert post(still_client, **{**APPOINT, "officer": officer}).status_code == 422
    assert post(still_client, **{**UNAPPOINT, "officer": officer}).status_code == 422
    assert post(still_client, **{**AWAY, "officer": officer}).status_code == 422
    assert sheet.read_bytes() == before
    assert still_board.shared.state.week.absent == {}


def test_hostile_text_is_one_cell_and_stays_text(board, client):
    """Quotes, delimiters and markup stay in the cell that they were written into."""
    [gate] = [row["at"][::-1] for row in client.get("/api/map").json()["schools"]][:1]
    there = {"longitude": gate[0], "latitude": gate[1], "must_visit": False}
    assert post(client, **{**TASK, **there, "reason": HOSTILE, "by": 'a","b'}).status_code == 200
    board.planning_job.wait(60)
    assert board.planning_job.document()["problem"] == ""
    text = board.shared.state.tables["tasked_places"].path.read_text(encoding="utf-8")
    row = next(row for row in csv.DictReader(io.StringIO(text)) if row["place_id"] == "T-9")
    assert (row["reason"], row["by"]) == (HOSTILE, 'a","b')
    [shown] = [r for r in client.get("/api/state").json()["tasked"] if r["place_id"] == "T-9"]
    assert shown["reason"] == HOSTILE


@pytest.mark.parametrize(
    "text", [HOSTILE, "' OR 1=1", "../../etc/passwd", "(((((" * 30, "\u0000", "🚨" * 50, "TQ" * 90]
)
def test_a_search_for_anything_finds_nothing_or_places(still_client, text):
    """Whatever is searched for, the answer is a list of places; what is too long is refused."""
    answer = still_client.get("/api/places", params={"text": text[:200]})
    assert answer.status_code == 200
    assert set(answer.json()) == {"looks_like", "places"}
    assert still_client.get("/api/places", params={"text": "x" * 201}).status_code == 400
    assert still_client.get("/api/places", params={"text": ""}).status_code == 400
    assert still_client.get("/api/places").status_code == 400


def test_swaps_of_nowhere_are_refused(still_board, still_client):
    """Unknown schools, places and days have no swaps, and offers that nobody made are not taken."""
    for gap in ({"urn": HOSTILE}, {"place": HOSTILE}, {"urn": "900001", "date": "2026-12-25"}):
        answer = still_client.post("/api/offers", json={"version": 1, **gap})
        assert answer.status_code == 422
    for number, status in ((0, 422), (10**9, 422), (-1, 400)):
        take = {"version": 1, "id": number}
        assert still_client.post("/api/offers/take", json=take).status_code == status
    assert still_client.post("/api/offers", json={"version": 1, "urn": ["x"]}).status_code == 400
    assert still_board.shared.version == 1
