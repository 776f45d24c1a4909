"""The ledger records each entry once, with its history, whatever happens to the machine."""

import concurrent.futures
import datetime as dt
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, strategies as st
from team.entries import make_visit
from team.slow_counts import list_stops

import patrolplan as pp
from patrolplan.crs import Projection
from patrolplan.settings import Settings, parse_settings
from patrolplan.team.ledger import address as addresses, schema

MONDAY, FRIDAY = dt.date(2026, 11, 30), dt.date(2026, 12, 4)


def test_a_week_handed_out_promises_every_stop_of_its_cards(ledger, promised_week, week):
    """A dose for each stop, with all minutes from arriving to leaving, as its card shows them."""
    assert ledger.hand_out(promised_week)
    promised = ledger.read_promised(MONDAY, FRIDAY)
    stops = []
    for duty, stop in list_stops(week):
        minutes = round(stop.leave_minutes) - round(stop.arrive_minutes)
        stops.append((duty.officer, duty.date, duty.urn, stop.id, minutes))
    columns = ["officer", "date", "urn", "id", "minutes"]
    assert sorted(promised[columns].itertuples(index=False, name=None)) == sorted(stops)
    assert (promised["minutes"] >= 15).all()
    assert {15, 30} <= set(promised["minutes"])
    assert not ledger.hand_out(promised_week)  # the same once more changes nothing
    assert ledger.read_promised(MONDAY, FRIDAY).equals(promised)


def test_a_week_handed_out_again_stands_for_its_days(ledger, promised_week):
    """From Wednesday a changed week stands; Monday and Tuesday stay as first handed out."""
    wednesday = MONDAY + dt.timedelta(days=2)
    ledger.hand_out(promised_week)
    days = tuple(day for day in promised_week.days if day >= wednesday)
    doses = tuple(d for d in promised_week.doses if d["date"] == FRIDAY)
    ledger.hand_out(replace(promised_week, days=days, doses=doses))
    promised = ledger.read_promised(MONDAY, FRIDAY)
    first = [d for d in promised_week.doses if d["date"] < wednesday]
    assert len(promised) == len(first) + len(doses)
    assert set(promised["date"]) == {*(d["date"] for d in first), FRIDAY}


def test_visits_of_one_entry_are_recorded_together_or_not_at_all(ledger, visit):
    """A row that the database refuses takes the others of its entry with it."""
    with pytest.raises(pp.LedgerError):
        ledger.record([visit(0, 15.0), visit(1, 15.0, officer=None)])
    assert ledger.read_delivered(MONDAY, FRIDAY).empty


def test_areas_in_one_database_do_not_meet(ledger, demo_area, promised_week, visit):
    """Another area's doses are not seen."""
    ledger.hand_out(promised_week)
    ledger.record([visit(0, 15.0)])
    url = ledger._engine.url
    with pp.Ledger(url, "Westmere", demo_area.projection) as other:
        assert other.read_promised(MONDAY, FRIDAY).empty
        assert other.read_delivered(MONDAY, FRIDAY).empty
        assert other.read_hotspots(MONDAY, FRIDAY).empty


def test_officers_who_came_together_make_one_visit(ledger, promised_week, visit):
    """Either enters it, and it is one; two that were entered separately can be joined."""
    ledger.hand_out(promised_week)
    other = visit(0, 15.0, officer="SSO-99", engagements=3)
    owner = promised_week.doses[0]["officer"]
    ledger.record([visit(0, 15.0), other])
    assert len(ledger.read_delivered(MONDAY, FRIDAY)) == 2
    joined = ledger.record([visit(0, 15.0, together=("SSO-99",))])
    found = [(entry.visit.officer, entry.outcome, entry.visit.minutes) for entry in joined]
    assert found == [(owner, "corrected", 15.0), ("SSO-99", "corrected", 0.0)]
    (entry,) = ledger.record([replace(visit(0, 12.0), together=("SSO-99",))])
    assert (entry.outcome, entry.minutes_before) == ("corrected", 15.0)
    for outcome in ("corrected", "same"):  # at first it brings the people spoken to
        (entry,) = ledger.record([replace(other, minutes=12.0)])
        assert (entry.outcome, entry.visit.officer) == (outcome, owner)
    standing = ledger.read_delivered(MONDAY, FRIDAY)
    rows = standing[["officer", "together", "minutes"]].to_numpy().tolist()
    assert rows == [[owner, "SSO-99", 12.0], ["SSO-99", "", 0.0]]
    assert standing["engagements"].sum() == 3  # of the last entry, not of both


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_writers_take_turns(database, request, ledger, demo_area, visit):
    """Eight who record the same visits at once leave one row each, and no error."""
    url = ledger._engine.url if database == "sqlite" else request.getfixturevalue("postgres")
    visits = [visit(number, 15.0) for number in range(6)]

    def write(_):
        with pp.Ledger(url, demo_area.name, demo_area.projection) as mine:
            return [entry.outcome for entry in mine.record(visits)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert sorted(entries[0] for entries in outcomes) == ["new"] + ["same"] * 7
    with pp.Ledger(url, demo_area.name, demo_area.projection) as mine:
        assert len(mine.read_revisions(MONDAY, FRIDAY)) == 6


@pytest.mark.parametrize("version", [schema.SCHEMA_VERSION - 1, schema.SCHEMA_VERSION + 1])
def test_a_ledger_of_another_version_is_refused(ledger, demo_area, version):
    """A ledger of a version that is not ours is left alone, and the message says what to do."""
    with ledger._engine.begin() as connection:
        connection.execute(sa.update(schema.ledger_version).values(schema=version))
    message = f"has version {version}, this patrolplan reads version 6; use the patrolplan that"
    with pytest.raises(pp.LedgerError, match=message):
        pp.Ledger(ledger._engine.url, demo_area.name, demo_area.projection)


def test_a_password_in_the_wrong_place_is_named_and_not_shown(demo_area):
    """A password among the options of an address is refused with the form that would do."""
    url = "postgresql+pg8000://host/db?password=s3cr3t"
    with pytest.raises(pp.LedgerError, match=r"after a '\?'; write it as postgresql") as raised:
        pp.Ledger(url, demo_area.name, demo_area.projection)
    assert "s3cr3t" not in str(raised.value)


ENTRIES = st.tuples(
    st.integers(1, 4), st.sampled_from([0.0, 7.5, 15.0]), st.none() | st.integers(0, 2)
)


@given(entries=st.lists(st.lists(ENTRIES, min_size=1, max_size=4), max_size=8))
def test_the_last_word_on_each_visit_stands(entries):
    """Whatever is entered in whatever order, what stands is the last entry of each visit."""
    expected, rows = {}, 0
    with pp.Ledger("sqlite://", "Eastmere", Projection()) as ledger:
        for entry in entries:
            visits = []
            for number, minutes, spoken in entry:
                name = f"H{number}"
                visits.append(make_visit("SSO-01", MONDAY, name, minutes, engagements=spoken))
                before = expected.get(name, (None, None))
                expected[name] = (minutes, before[1] if spoken is None else spoken)
                rows += expected[name] != before
            ledger.record(visits)
        standing = ledger.read_delivered(MONDAY, MONDAY)
        history = ledger.read_revisions(MONDAY, MONDAY)
    spoken = standing["engagements"].astype(object).where(standing["engagements"].notna(), None)
    found = zip(standing["minutes"], spoken, strict=True)
    assert dict(zip(standing["hotspot"], found, strict=True)) == expected
    assert len(history) == rows


WRITER = """
import datetime as dt, sys
from patrolplan.crs import Projection
from patrolplan.team.ledger.visits import Visit
from patrolplan.team.ledger.ledger import Ledger

ledger = Ledger(sys.argv[1], "Eastmere", Projection())
begin = int(sys.argv[2])
for number in range(begin, begin + 100_000):
    day = dt.date(2020, 1, 1) + dt.timedelta(days=number // 50)
    visits = [
        Visit("SSO-01", day, str(number), f"P{k}", f"H{k}", "A", k / 9, 51.53, 15.0, 1, "csv")
        for k in range(3)
    ]
    ledger.record(visits)
    print(number, flush=True)
"""


def _killed(url, begin, seconds):
    """Start a writer, kill it after some seconds of writing, and give the numbers it printed."""
    command = [sys.executable, "-c", WRITER, url, str(begin)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, text=True) as writer:  # noqa: S603 - this Python
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        rest = writer.stdout.read()
    return [int(line) for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.slow
def test_no_visit_is_lost_to_kills(tmp_path, demo_area):
    """Whatever a writer had confirmed is there after it is killed at any moment."""
    url = f"sqlite:///{tmp_path / 'killed.sqlite'}"
    rng = random.Random(1)  # noqa: S311 - moments of a test
    printed = []
    for kill in range(50):
        printed += _killed(url, kill * 100_000, rng.uniform(0, 0.3))
        with pp.Ledger(url, "Eastmere", demo_area.projection) as ledger:
            rows = ledger.read_revisions(dt.date(2020, 1, 1), dt.date(2900, 1, 1))
            found = rows.groupby("urn").size()
            assert set(map(str, printed)) <= set(found.index)
            assert (found == 3).all()  # whole entries only
            with ledger._engine.begin() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert len(printed) >= 50


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Make settings of a folder with the file there.sqlite whose ledger has this address."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "there.sqlite").touch()

    def made(address: str) -> Settings:
        monkeypatch.setenv("PATROLPLAN_LEDGER_URL", address)
        sources = dict.fromkeys(("crimes", "schools", "streets"), "x")
        return parse_settings({"sources": sources}, folder=tmp_path)

    return made


@pytest.mark.parametrize(
    ("address", "file", "is_there"),
    [
        ("sqlite:///there.sqlite", "there.sqlite", True),
        ("sqlite:///gone.sqlite", "gone.sqlite", False),
        ("sqlite:///folder", "folder", False),
        ("sqlite:///folder/../there.sqlite", "folder/../there.sqlite", True),
        ("sqlite:///a@b:1.sqlite", "a@b:1.sqlite", False),
        ("sqlite:///there.sqlite?timeout=5", "there.sqlite", True),
        ("sqlite+pysqlite:///gone.sqlite?timeout=5", "gone.sqlite", False),
        ("sqlite+pysqlite:///there.sqlite", "there.sqlite", True),
        ("sqlite:///:memory:", None, False),
        ("sqlite://", None, False),
        ("sqlite:///", None, False),
        ("postgresql://lead@host/doses", None, True),
    ],
)
def test_an_address_names_a_file_or_a_database(named, tmp_path, address, file, is_there):
    """A relative path starts at the settings' folder, however the address is written."""
    settings = named(address)
    found = addresses.find_sqlite_file(settings)
    assert found == (None if file is None else tmp_path / file)
    assert addresses.has_ledger(settings) is is_there
    url = addresses.resolve_url(settings)
    assert url.database == (sa.make_url(address).database if found is None else str(found))
    assert not (tmp_path / "gone.sqlite").exists()


@pytest.mark.parametrize(
    "address", ["nonsense", "sqlite:", "sqlite:/there.sqlite", "postgresql://host:port/doses"]
)
@pytest.mark.parametrize(
    "ask", [addresses.has_ledger, addresses.resolve_url, addresses.open_existing_ledger]
)
def test_an_address_of_nothing_is_refused(named, address, ask):
    """What is no address is an error that names the right form."""
    with pytest.raises(pp.LedgerError, match=r"write sqlite:///FILE or postgresql"):
        ask(named(address))


def test_looking_for_a_ledger_creates_none(named, tmp_path):
    """A file that is not there stays away, and one that is there is opened."""
    with addresses.open_existing_ledger(named("sqlite:///gone.sqlite")) as ledger:
        assert ledger is None
    assert not (tmp_path / "gone.sqlite").exists()
    with addresses.open_existing_ledger(named("sqlite:///there.sqlite")) as ledger:
        assert Path(ledger.address.removeprefix("sqlite:///")) == tmp_path / "there.sqlite"
