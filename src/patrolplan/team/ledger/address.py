"""The ledger's address: which database it names, and whether a ledger is there."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from patrolplan.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from patrolplan.settings import Settings
    from patrolplan.team.ledger.ledger import Ledger

FORM = "write it as postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"


def has_ledger(settings: Settings) -> bool:
    """Whether there is a ledger; a SQLite file that was never written to does not count."""
    # A database on a server counts, since only a connection could find out more.
    file, url = find_sqlite_file(settings), parse_url(settings.ledger.address)
    return url.get_backend_name() != "sqlite" if file is None else file.is_file()


def open_existing_ledger(settings: Settings) -> AbstractContextManager[Ledger | None]:
    """Open the settings' ledger; None where there is none yet: looking does not create one."""
    from patrolplan.team.ledger.ledger import open_ledger  # noqa: PLC0415 - heavy

    return open_ledger(settings) if has_ledger(settings) else nullcontext()


def resolve_url(settings: Settings) -> sa.URL:
    """The settings' address, where a relative path starts at the settings file's folder."""
    url, file = parse_url(settings.ledger.address), find_sqlite_file(settings)
    return url if file is None else url.set(database=str(file))


def find_sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite ledger, whether or not it exists; None for any other database."""
    url = parse_url(settings.ledger.address)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return settings.folder / str(url.database) if is_file else None


def parse_url(text: str | sa.URL) -> sa.URL:
    """Read the address of a database; where PostgreSQL names no driver, it is pg8000."""
    import sqlalchemy as sa  # noqa: PLC0415 - heavy

    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        what = "[ledger] url is not the address of a database; write sqlite:///FILE"
        message = f"{what} or {FORM.removeprefix('write it as ')}"
        raise LedgerError(message) from None
    if {"user", "password"} & set(url.query):
        message = f"[ledger] url gives the user or password after a '?'; {FORM}"
        raise LedgerError(message)
    return url.set(drivername="postgresql+pg8000") if url.drivername == "postgresql" else url
