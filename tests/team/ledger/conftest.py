"""A demo week, handed out, and ledgers on both databases."""

import datetime as dt
import os

import pytest
import sqlalchemy as sa

import patrolplan as pp
from patrolplan.team.ledger import schema
from patrolplan.team.ledger.visits import Visit

MONDAY = dt.date(2026, 11, 30)


@pytest.fixture(scope="session")
def promised_week(week):
    """That week as it is handed out."""
    return pp.build_promised_week(week)


@pytest.fixture
def ledger(tmp_path, demo_area):
    """A new ledger in SQLite."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with pp.Ledger(url, demo_area.name, demo_area.projection) as opened:
        yield opened


@pytest.fixture
def handed(ledger, promised_week):
    """A ledger in which the demo week is handed out."""
    ledger.hand_out(promised_week)
    return ledger


@pytest.fixture
def postgres():
    """Address of a PostgreSQL that holds no ledger."""
    url = os.environ.get("PATROLPLAN_TEST_POSTGRES")
    if not url:
        pytest.skip("PATROLPLAN_TEST_POSTGRES names no PostgreSQL (.ci/run starts one)")
    engine = sa.create_engine(url)
    schema.metadata.drop_all(engine)
    yield url
    schema.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def due(promised_week):
    """The visits promised: stops of a patrol at one place are one, with the minutes of all."""
    spots = {spot["id"]: spot for spot in promised_week.hotspots}
    found = {}
    for dose in promised_week.doses:
        key = tuple(dose[name] for name in ("officer", "date", "urn", "window", "id"))
        first = found.setdefault(key, {**spots[dose["id"]], **dose, "minutes": 0.0})
        first["minutes"] += dose["minutes"]
    return list(found.values())


@pytest.fixture
def visit(due):
    """Make a visit of the n-th that is promised."""
    columns = ("officer", "date", "urn", "hotspot", "id", "kind", "place", "longitude", "latitude")

    def made(number, minutes, *, engagements=None, source="csv", **changes):
        values = {name: due[number][name] for name in columns}
        values |= {"minutes": minutes, "engagements": engagements, "source": source}
        return Visit(**(values | changes))

    return made
