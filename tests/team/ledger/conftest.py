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


@pytest.fixture
def visit(promised_week):
    """Make a visit of the n-th promised dose."""
    spots = {spot["hotspot"]: spot for spot in promised_week.hotspots}

    def made(number, minutes, *, engagements=None, source="csv", **changes):
        dose = promised_week.doses[number]
        spot = spots[dose["hotspot"]]
        values = {name: dose[name] for name in ("officer", "date", "urn", "hotspot")}
        values |= {name: spot[name] for name in ("kind", "place", "longitude", "latitude")}
        return Visit(
            **{**values, **changes}, minutes=minutes, engagements=engagements, source=source
        )

    return made
