"""The ledger itself: a database that keeps what it was told, whatever happens to the machine."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from patrolplan.crs import Projection
from patrolplan.errors import LedgerError
from patrolplan.settings import Settings
from patrolplan.team.ledger import schema
from patrolplan.team.ledger.promised import PromisedWeek, Visit, VisitEntry, compute_digest

DOSE_COLUMNS = ("officer", "date", "urn", "stop", "school", "hotspot", "arrive", "minutes")
HOTSPOT_COLUMNS = ("hotspot", "place", "longitude", "latitude", "stretch")
VISIT_COLUMNS = (
    *schema.VISIT_KEY,
    "longitude",
    "latitude",
    "revision",
    "minutes",
    "engagements",
    "source",
)


class Ledger:
    """Doses promised and delivered in one area.

    Every entry is one transaction: when a call returns, it is on the disk. Several people may
    write at once, and several areas may share one database.

    Parameters
    ----------
    url
        SQLAlchemy's address of a SQLite or PostgreSQL database; its tables are made when missing.
    area
        Name of the area; rows of others are not seen.
    projection
        The area's metres, in which places are compared.

    Raises
    ------
    LedgerError
        When the database cannot be reached, or was written by a newer patrolplan. The message
        names the address without its password.
    """

    def __init__(self, url: str | sa.URL, area: str, projection: Projection) -> None:
        self.area = area
        self.projection = projection
        self._engine = _create_engine(url)
        self._writer = self._engine.execution_options(patrolplan_writes=True)
        try:
            self._prepare()
        except LedgerError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Ledger: {self.area}, {self.address}>"

    @property
    def address(self) -> str:
        """Where the ledger is, without a password."""
        return _hide_password(self._engine.url)

    def hand_out(self, week: PromisedWeek) -> bool:
        """Enter a week's promised doses; they stand for its days from now on.

        Returns
        -------
        bool
            False when this very week stands for its days already, and nothing was entered.
        """
        same = compute_digest(week)
        with self._write_transaction() as connection:
            if self._find_latest_digest(connection, week.days) == same:
                return False
            row = {
                "area": self.area,
                "first_day": week.days[0],
                "last_day": week.days[-1],
                "digest": same,
                "entered_at": _current_utc_time(),
            }
            entered = connection.execute(sa.insert(schema.handouts), row)
            key = entered.inserted_primary_key
            number = {"handout": None if key is None else key[0]}
            for table, rows in (
                (schema.hotspots, week.hotspots),
                (schema.doses, week.doses),
            ):
                if rows:
                    connection.execute(sa.insert(table), [{**number, **item} for item in rows])
        return True

    def record(self, visits: Sequence[Visit]) -> tuple[VisitEntry, ...]:
        """Enter visits, all of them or none.

        A visit that stands as it is told changes nothing; one that differs becomes the next
        revision. Engagements that are not told (None) are kept from the revision before.

        Returns
        -------
        tuple of Entry
            What became of each visit.
        """
        entries = []
        with self._write_transaction() as connection:
            for visit in visits:
                entry = self._build_entry(connection, visit)
                entries.append(entry)
                if entry.outcome != "same":
                    row = {
                        **entry.visit.row(),
                        "area": self.area,
                        "revision": entry.revision,
                        "entered_at": _current_utc_time(),
                    }
                    connection.execute(sa.insert(schema.visits), row)
        return tuple(entries)

    def read_promised(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Doses promised in these days, of the weeks that stand: one row a stop.

        Returns
        -------
        pandas.DataFrame
            `officer, date, urn, stop, school, hotspot, arrive, minutes, handout, place, longitude,
            latitude, stretch`, by date, officer and stop.
        """
        doses, spots = schema.doses, schema.hotspots
        joined = doses.join(
            spots, (doses.c.handout == spots.c.handout) & (doses.c.hotspot == spots.c.hotspot)
        )
        columns = [doses.c[name] for name in (*DOSE_COLUMNS, "handout")]
        columns += [spots.c[name] for name in HOTSPOT_COLUMNS[1:]]
        with self._read_transaction() as connection:
            standing = self._find_current_handouts(connection, first, last)
            asked = (
                sa.select(*columns)
                .select_from(joined)
                .where(
                    doses.c.handout.in_(set(standing.values())), doses.c.date.between(first, last)
                )
            )
            table = _fetch_table(connection, asked, [column.name for column in columns])
        table = table[table["date"].map(standing).eq(table["handout"])]
        # Databases sort text in ways of their own.
        return table.sort_values(["date", "officer", "urn", "stop"], ignore_index=True)

    def read_hotspots(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Hotspots of the weeks that stand for these days, those last handed out first.

        Returns
        -------
        pandas.DataFrame
            `handout, hotspot, place, longitude, latitude, stretch` (WKT, degrees).
        """
        spots = schema.hotspots
        columns = ("handout", *HOTSPOT_COLUMNS)
        with self._read_transaction() as connection:
            standing = set(self._find_current_handouts(connection, first, last).values())
            asked = sa.select(*(spots.c[name] for name in columns))
            table = _fetch_table(connection, asked.where(spots.c.handout.in_(standing)), columns)
        order = ["handout", "hotspot"]
        return table.sort_values(order, ascending=[False, True], ignore_index=True)

    def read_delivered(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Visits in these days as they stand: the highest revision of each.

        Returns
        -------
        pandas.DataFrame
            `officer, date, urn, hotspot, place, longitude, latitude, revision, minutes,
            engagements, source`; engagements are NA where nobody told.
        """
        table = self.read_revisions(first, last)
        standing = table.drop_duplicates(list(schema.VISIT_KEY), keep="last")
        return standing.reset_index(drop=True)

    def read_revisions(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Every revision of the visits in these days, the standing one of each last."""
        rows = schema.visits.c
        asked = sa.select(*(rows[name] for name in VISIT_COLUMNS)).where(
            rows.area == self.area, rows.date.between(first, last)
        )
        with self._read_transaction() as connection:
            table = _fetch_table(connection, asked, VISIT_COLUMNS)
        table["engagements"] = table["engagements"].astype("Int64")
        return table.sort_values([*schema.VISIT_KEY, "revision"], ignore_index=True)

    def _build_entry(self, connection: sa.Connection, visit: Visit) -> VisitEntry:
        rows = schema.visits.c
        row = visit.row()
        asked = (
            sa.select(rows.revision, rows.minutes, rows.engagements)
            .where(rows.area == self.area, *(rows[name] == row[name] for name in schema.VISIT_KEY))
            .order_by(rows.revision.desc())
            .limit(1)
        )
        return VisitEntry.after(visit, connection.execute(asked).one_or_none())

    def _find_latest_digest(self, connection: sa.Connection, days: Sequence[dt.date]) -> str | None:
        """Digest of the week that was last handed out for any of these days."""
        rows = schema.handouts.c
        asked = (
            sa.select(rows.digest)
            .where(rows.area == self.area, rows.first_day <= days[-1], rows.last_day >= days[0])
            .order_by(rows.handout.desc())
            .limit(1)
        )
        found: str | None = connection.execute(asked).scalar_one_or_none()
        return found

    def _find_current_handouts(
        self, connection: sa.Connection, first: dt.date, last: dt.date
    ) -> Mapping[dt.date, int]:
        """The week that stands for each day: of those that hold it the last entered."""
        rows = schema.handouts.c
        asked = (
            sa.select(rows.handout, rows.first_day, rows.last_day)
            .where(rows.area == self.area, rows.first_day <= last, rows.last_day >= first)
            .order_by(rows.handout)
        )
        standing = {}
        for handout, begins, ends in connection.execute(asked):
            for number in range((ends - begins).days + 1):
                standing[begins + dt.timedelta(days=number)] = handout
        return {day: handout for day, handout in standing.items() if first <= day <= last}

    def _prepare(self) -> None:
        with _translate_errors(self._engine), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":  # two may open a new ledger at once
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7210577)"))
            if not sa.inspect(connection).has_table(schema.ledger_version.name):
                schema.metadata.create_all(connection)
                connection.execute(
                    sa.insert(schema.ledger_version), {"id": 1, "schema": schema.SCHEMA_VERSION}
                )
            found = connection.execute(sa.select(schema.ledger_version.c.schema)).scalar_one()
        if found > schema.SCHEMA_VERSION:
            message = (
                f"{self.address}: the ledger is of version {found}, this patrolplan knows "
                f"{schema.SCHEMA_VERSION}; install a newer patrolplan"
            )
            raise LedgerError(message)

    @contextmanager
    def _write_transaction(self) -> Iterator[sa.Connection]:
        """One transaction, committed at its end; writers take turns."""
        with _translate_errors(self._engine), self._writer.begin() as connection:
            connection.execute(sa.select(schema.ledger_version.c.schema).with_for_update())
            yield connection

    @contextmanager
    def _read_transaction(self) -> Iterator[sa.Connection]:
        with _translate_errors(self._engine), self._engine.begin() as connection:
            yield connection


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger that the settings name; its tables are made when missing.

    Parameters
    ----------
    settings
        `[ledger] url`; a SQLite file with a relative path lies beside the settings file.

    Raises
    ------
    LedgerError
        When the database cannot be reached, or was written by a newer patrolplan.
    """
    projection = Projection(settings.area.crs)
    return Ledger(_resolve_url(settings), settings.area.name, projection)


def has_ledger(settings: Settings) -> bool:
    """Whether there is a ledger: a SQLite file that was never written to is none."""
    url = _resolve_url(settings)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _resolve_url(settings: Settings) -> sa.URL:
    url = _parse_url(settings.ledger.address)
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(database=str(settings.folder / str(url.database)))
    return url


def _parse_url(url: str | sa.URL) -> sa.URL:
    try:
        made = sa.make_url(url)
    except (ArgumentError, ValueError):
        message = (
            "[ledger] url is no address of a database; write sqlite:///FILE or "
            "postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"
        )
        raise LedgerError(message) from None
    return made.set(drivername="postgresql+pg8000") if made.drivername == "postgresql" else made


def _create_engine(url: str | sa.URL) -> sa.Engine:
    made = _parse_url(url)
    try:
        engine = sa.create_engine(made)
    except (ImportError, SQLAlchemyError) as error:
        message = (
            f"{_hide_password(made)}: there is no driver for this database ({error}); for "
            "PostgreSQL "
            "install patrolplan[postgresql]"
        )
        raise LedgerError(message) from None
    if made.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_transaction)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own kind
    """SQLite: wait for the disk at every commit, also for the journal's own folder.

    The rollback journal is kept, since write-ahead logs do not work on shared folders.
    """
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    for pragma in ("synchronous=EXTRA", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_transaction(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("patrolplan_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translate_errors(engine: sa.Engine) -> Iterator[None]:
    """Say in one line what a database complains of."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, LedgerError):
            raise
        why = error.orig if isinstance(error, DBAPIError) else error
        known = why.args[0] if why is not None and why.args else why
        said = known["M"] if isinstance(known, dict) and "M" in known else str(known)
        message = (
            f"{_hide_password(engine.url)}: the ledger cannot be used "
            f"({' '.join(str(said).split())}); "
            "check [ledger] url, and that the database is there and may be written"
        )
        raise LedgerError(message) from None


def _hide_password(url: sa.URL) -> str:
    """An address without its password, wherever that stands."""
    return url.set(query={}).render_as_string(hide_password=True)


def _current_utc_time() -> dt.datetime:
    """Universal time without a zone, as both databases keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def _fetch_table(
    connection: sa.Connection, query: sa.Select[Any], columns: Sequence[str]
) -> pd.DataFrame:
    rows = connection.execute(query).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=list(columns))
