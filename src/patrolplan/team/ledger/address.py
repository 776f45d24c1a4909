"""The ledger's address: which database it names, and whether a ledger is there.

SQLAlchemy is loaded only where an address needs its reader. That of most teams, `sqlite:///FILE`,
does not, so a plan at short notice without a ledger loads nothing of databases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from patrolplan.settings import Settings
    from patrolplan.team.ledger.ledger import Ledger

IN_MEMORY = {"", ":memory:"}
"""Values in place of a file with which SQLite stores nothing."""


def has_ledger(settings: Settings) -> bool:
    """Whether there is a ledger; a SQLite file that was never written to does not count."""
    # A database on a server counts, since only a connection could find out more.
    file = find_sqlite_file(settings)
    if file is not None:
        return file.is_file()
    return parse_url(settings.ledger.address).get_backend_name() != "sqlite"


def open_existing_ledger(settings: Settings) -> Ledger | None:
    """Open the settings' ledger; None where there is none yet: looking does not create one."""
    if not has_ledger(settings):
        return None
    from patrolplan.team.ledger.ledger import open_ledger  # noqa: PLC0415 - heavy

    return open_ledger(settings)


def resolve_url(settings: Settings) -> sa.URL:
    """The settings' address, where a relative path starts at the settings file's folder."""
    url = parse_url(settings.ledger.address)
    file = find_sqlite_file(settings)
    return url if file is None else url.set(database=str(file))


def find_sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite ledger, whether or not it exists; None for any other database."""
    scheme, _, file = settings.ledger.address.partition(":///")
    # Options come after a "?"; escapes with "%" are decoded from SQLAlchemy 2.1 on.
    if scheme != "sqlite" or set("?%") & set(file):
        url = parse_url(settings.ledger.address)
        file = (url.database or "") if url.get_backend_name() == "sqlite" else ""
    return None if file in IN_MEMORY else settings.folder / file


def parse_url(text: str | sa.URL) -> sa.URL:
    """Read the address of a database; where PostgreSQL names no driver, it is pg8000."""
    import sqlalchemy as sa  # noqa: PLC0415 - heavy

    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        message = (
            "[ledger] url is not the address of a database; write sqlite:///FILE or "
            "postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"
        )
        raise LedgerError(message) from None
    if {"user", "password"} & set(url.query):
        message = (
            "[ledger] url gives the user or password after a '?'; write it as "
            "postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"
        )
        raise LedgerError(message)
    return url.set(drivername="postgresql+pg8000") if url.drivername == "postgresql" else url
