"""The ledger: a database of the doses promised and delivered, safe against crashes."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.doors import Day, read_day
from patrolplan.errors import LedgerError, describe_install
from patrolplan.settings import Settings
from patrolplan.team.ledger import schema
from patrolplan.team.ledger.address import parse_url, resolve_url
from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import (
    RecordedVisit,
    Visit,
    VisitEntry,
    build_visit_row,
    empty_visit,
    find_same_visits,
    parse_visit_row,
    revise_visit,
)


class Ledger:
    """Doses promised and delivered in one area.

    Every entry is one transaction: when a call returns, it is on disk. Several people may
    write at once, and several areas may share one database.

    Parameters
    ----------
    url
        SQLAlchemy's address of a SQLite or PostgreSQL database; missing tables are created.
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
        """Close all connections to the database."""
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
        """Enter a week's promised doses; they are valid for its days from now on.

        Returns
        -------
        bool
            False if exactly this week is valid for its days already, and nothing was entered.
        """
        content = json.dumps([week.days, week.doses, week.hotspots], default=str, sort_keys=True)
        span = {"first_day": week.days[0], "last_day": week.days[-1]}
        row = {**span, "area": self.area, "digest": hash_content(content)}
        with self._transaction(self._writer) as connection:
            before = [*connection.execute(self._select_handouts(*span.values()))]
            if before and before[-1].digest == row["digest"]:
                return False
            now = {"entered_at": _current_utc_time()}
            inserted = connection.execute(sa.insert(schema.handouts), row | now)
            (handout,) = inserted.inserted_primary_key or (None,)
            for table, rows in ((schema.hotspots, week.hotspots), (schema.doses, week.doses)):
                if rows:
                    numbered = [{"handout": handout, **item} for item in rows]
                    connection.execute(sa.insert(table), numbered)
        return True

    def record(self, visits: Sequence[Visit]) -> tuple[VisitEntry, ...]:
        """Enter visits, all of them or none.

        A visit that is in the ledger already (see `patrolplan.team.ledger.visits`) changes
        nothing; one that differs becomes the next revision. Where officers are joined who were
        entered separately, the visits of the others are set to no minutes.

        Returns
        -------
        tuple of VisitEntry
            The outcome of each visit, and of those that were joined to it.
        """
        with self._transaction(self._writer) as connection:
            return tuple(entry for visit in visits for entry in self._enter(connection, visit))

    def find_recorded(self, visit: Visit) -> RecordedVisit | None:
        """What the ledger has of a visit, None where it is new."""
        with self._transaction(self._engine) as connection:
            return next(iter(self._find_same(connection, visit)), None)

    def read_promised(self, first: Day, last: Day) -> pd.DataFrame:
        """Doses promised in these days by the valid weeks: one row a stop.

        Returns
        -------
        pandas.DataFrame
            `officer, date, urn, window, stop, school, id, arrive, minutes, people, crew, handout,
            hotspot, kind, place, longitude, latitude`, by date, officer and time.
        """
        first, last = read_day(first, "first"), read_day(last, "last")
        doses, spots = schema.doses, schema.hotspots
        names = ("hotspot", "kind", "place", "longitude", "latitude")
        is_spot = (doses.c.handout == spots.c.handout) & (doses.c.id == spots.c.id)
        query = sa.select(*doses.c, *(spots.c[name] for name in names)).join(spots, is_spot)
        with self._transaction(self._engine) as connection:
            handouts = self._find_current_handouts(connection, first, last)
            is_current = doses.c.handout.in_(set(handouts.values()))
            query = query.where(is_current, doses.c.date.between(first, last))
            table = _fetch_table(connection, query)
        table = table[table["date"].map(handouts).eq(table["handout"])]
        # Sorted here, because each database orders text in its own way.
        return table.sort_values(["date", "officer", "urn", "arrive", "stop"], ignore_index=True)

    def read_hotspots(self, first: Day, last: Day) -> pd.DataFrame:
        """Hotspots of the weeks valid for these days, those last handed out first.

        Returns
        -------
        pandas.DataFrame
            `handout, id, hotspot, kind, place, longitude, latitude, shape` (WKT, degrees), `sees`.
        """
        first, last = read_day(first, "first"), read_day(last, "last")
        with self._transaction(self._engine) as connection:
            handouts = set(self._find_current_handouts(connection, first, last).values())
            query = sa.select(*schema.hotspots.c).where(schema.hotspots.c.handout.in_(handouts))
            table = _fetch_table(connection, query)
        return table.sort_values(["handout", "id"], ascending=[False, True], ignore_index=True)

    def read_delivered(self, first: Day, last: Day) -> pd.DataFrame:
        """The valid visits in these days: the highest revision of each.

        Returns
        -------
        pandas.DataFrame
            A row a visit, with its `number` and the fields of
            `patrolplan.team.ledger.visits.Visit`; `together` is text, names joined by ";", and
            engagements are NA where not recorded.
        """
        table = self.read_revisions(first, last)
        return table.drop_duplicates("number", keep="last").reset_index(drop=True)

    def read_revisions(self, first: Day, last: Day) -> pd.DataFrame:
        """Every revision of the visits in these days, the valid one of each last."""
        first, last = read_day(first, "first"), read_day(last, "last")
        rows = schema.visits.c
        is_there = (rows.area == self.area, rows.date.between(first, last))
        query = sa.select(schema.visits).where(*is_there)
        with self._transaction(self._engine) as connection:
            table = _fetch_table(connection, query)
        table["engagements"] = table["engagements"].astype("Int64")
        table = table.drop(columns=["row", "area", "entered_at"])
        return table.sort_values(["date", "number", "revision"], ignore_index=True)

    def _enter(self, connection: sa.Connection, visit: Visit) -> list[VisitEntry]:
        """Write a visit, and set those that it was joined from to no minutes."""
        same = self._find_same(connection, visit)
        columns = schema.visits.c
        highest = sa.select(sa.func.max(columns.number)).where(columns.area == self.area)
        number = 1 + (connection.execute(highest).scalar_one() or 0)
        entries = [revise_visit(visit, same[0] if same else None, number)]
        entries += [
            revise_visit(empty_visit(row.visit, visit.source), row, row.number) for row in same[1:]
        ]
        for entry in entries:
            if entry.outcome != "same":
                head = {"area": self.area, "number": entry.number, "revision": entry.revision}
                values = {**head, **build_visit_row(entry.visit), "entered_at": _current_utc_time()}
                connection.execute(sa.insert(schema.visits), values)
        return entries

    def _find_same(self, connection: sa.Connection, visit: Visit) -> list[RecordedVisit]:
        """The visits in the ledger that are this one, see `find_same_visits`."""
        columns = schema.visits.c
        is_there = (columns.date == visit.date) & (columns.urn == visit.urn)
        query = sa.select(schema.visits).where(columns.area == self.area, is_there)
        query = query.order_by(columns.number, columns.revision)
        latest = {row["number"]: row for row in connection.execute(query).mappings()}
        recorded = [
            RecordedVisit(number, row["revision"], parse_visit_row(row))
            for number, row in latest.items()
        ]
        return find_same_visits(visit, recorded)

    def _select_handouts(self, first: dt.date, last: dt.date) -> sa.Select[Any]:
        """A query for the weeks of this area that share a day with these, the last one last."""
        rows = schema.handouts.c
        shares_day = (rows.first_day <= last) & (rows.last_day >= first)
        query = sa.select(schema.handouts).where(rows.area == self.area, shares_day)
        return query.order_by(rows.handout)

    def _find_current_handouts(
        self, connection: sa.Connection, first: dt.date, last: dt.date
    ) -> Mapping[dt.date, int]:
        """The week valid for each day: the last one entered that contains it."""
        current: dict[dt.date, int] = {}
        for row in connection.execute(self._select_handouts(first, last)):
            days = range((row.last_day - row.first_day).days + 1)
            current |= {row.first_day + dt.timedelta(days=day): row.handout for day in days}
        return {day: handout for day, handout in current.items() if first <= day <= last}

    def _prepare(self) -> None:
        with _translate_errors(self._engine), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":  # two may open a new ledger at once
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7210577)"))
            if not sa.inspect(connection).has_table(schema.ledger_version.name):
                schema.metadata.create_all(connection)
                connection.execute(
                    sa.insert(schema.ledger_version), {"id": 1, "schema": schema.SCHEMA_VERSION}
                )
            query = sa.select(schema.ledger_version.c.schema).with_for_update()
            version = connection.execute(query).scalar_one()
        if version != schema.SCHEMA_VERSION:
            message = (
                f"{self.address}: the ledger has version {version}, this patrolplan reads version "
                f"{schema.SCHEMA_VERSION}; use the patrolplan that wrote it, or name another ledger"
            )
            raise LedgerError(message)

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        """One transaction, committed at its end; writing ones are run one at a time."""
        with _translate_errors(self._engine), engine.begin() as connection:
            if engine is self._writer:
                connection.execute(sa.select(schema.ledger_version.c.schema).with_for_update())
            yield connection


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger that the settings name; missing tables are created.

    Raises
    ------
    LedgerError
        When the database cannot be reached, or is of another version.
    """
    return Ledger(resolve_url(settings), settings.area.name, Projection(settings.area.crs))


def _create_engine(address: str | sa.URL) -> sa.Engine:
    url = parse_url(address)
    try:
        engine = sa.create_engine(url)
    except (ImportError, SQLAlchemyError) as error:
        message = (
            f"{_hide_password(url)}: there is no driver for this database ({error}); for "
            f"PostgreSQL install it with: {describe_install('pg8000')}"
        )
        raise LedgerError(message) from None
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_transaction)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own kind
    """SQLite: wait for the disk at every commit, also for the journal's own folder."""
    # The rollback journal stays on, since write-ahead logs do not work on shared folders.
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    for pragma in ("synchronous=EXTRA", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_transaction(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("patrolplan_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translate_errors(engine: sa.Engine) -> Iterator[None]:
    """Turn a database error into a LedgerError of one line."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, LedgerError):
            raise
        cause = error.orig if isinstance(error, DBAPIError) else error
        detail = cause.args[0] if cause is not None and cause.args else cause
        if isinstance(detail, dict) and "M" in detail:  # pg8000 gives PostgreSQL's fields
            detail = detail["M"]
        message = (
            f"{_hide_password(engine.url)}: the ledger cannot be used "
            f"({' '.join(str(detail).split())}); "
            "check [ledger] url, and that the database exists and can be written to"
        )
        raise LedgerError(message) from None


def _hide_password(url: sa.URL) -> str:
    """An address without its password, which may also be in its query."""
    return url.set(query={}).render_as_string(hide_password=True)


def _current_utc_time() -> dt.datetime:
    """Universal time without a zone, the form that both databases store."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def _fetch_table(connection: sa.Connection, query: sa.Select[Any]) -> pd.DataFrame:
    columns = [column.name for column in query.selected_columns]
    rows = [tuple(row) for row in connection.execute(query)]
    return pd.DataFrame(rows, columns=columns)
