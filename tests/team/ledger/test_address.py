"""Which database an address names, and whether a ledger is there."""

from pathlib import Path

import pytest
import sqlalchemy as sa

import patrolplan as pp
from patrolplan.settings import Settings, parse_settings
from patrolplan.team.ledger.address import (
    find_sqlite_file,
    has_ledger,
    open_existing_ledger,
    resolve_url,
)


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Make settings of a folder with the file there.sqlite whose ledger has this address."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "there.sqlite").touch()

    def made(address: str) -> Settings:
        monkeypatch.setenv("PATROLPLAN_LEDGER_URL", address)
        return parse_settings(
            {"sources": dict.fromkeys(("crimes", "schools", "streets"), "x")}, folder=tmp_path
        )

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
        ("sqlite:///gone.sqlite?timeout=5", "gone.sqlite", False),
        ("sqlite+pysqlite:///there.sqlite", "there.sqlite", True),
        ("sqlite+pysqlite:///gone.sqlite", "gone.sqlite", False),
        ("sqlite:///:memory:", None, False),
        ("sqlite+pysqlite:///:memory:", None, False),
        ("sqlite://", None, False),
        ("sqlite:///", None, False),
        ("postgresql://lead@host/doses", None, True),
    ],
)
def test_an_address_names_a_file_or_a_database(named, tmp_path, address, file, is_there):
    """A relative path starts at the settings' folder, however the address is written."""
    settings = named(address)
    found = find_sqlite_file(settings)
    assert found == (None if file is None else tmp_path / file)
    assert has_ledger(settings) is is_there
    url = resolve_url(settings)
    assert url.database == (sa.make_url(address).database if found is None else str(found))
    assert not (tmp_path / "gone.sqlite").exists()


@pytest.mark.parametrize(
    "address", ["nonsense", "sqlite:", "sqlite:/there.sqlite", "postgresql://host:port/doses"]
)
@pytest.mark.parametrize("ask", [has_ledger, resolve_url, open_existing_ledger])
def test_an_address_of_nothing_is_refused(named, address, ask):
    """What is no address is an error that names the right form."""
    with pytest.raises(pp.LedgerError, match=r"write sqlite:///FILE or postgresql"):
        ask(named(address))


def test_looking_for_a_ledger_creates_none(named, tmp_path):
    """A file that is not there stays away, and one that is there is opened."""
    assert open_existing_ledger(named("sqlite:///gone.sqlite")) is None
    assert not (tmp_path / "gone.sqlite").exists()
    with open_existing_ledger(named("sqlite:///there.sqlite")) as ledger:
        assert Path(ledger.address.removeprefix("sqlite:///")) == tmp_path / "there.sqlite"
