"""The ledger's tables: what was handed out, and what was delivered.

Rows are only ever added. A week handed out again replaces the one before for its days; a visit
entered again becomes a new revision. There are no names of people: officers are identified as in
the officers' table, and no column is about pupils.
"""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger.visits import compute_place_key, guess_stop_kind

SCHEMA_VERSION = 4

metadata = sa.MetaData()

ledger_version = sa.Table(
    "patrolplan_ledger",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("schema", sa.Integer, nullable=False),
)
"""One row: the version of these tables. Writers lock it, so that they write one at a time."""

handouts = sa.Table(
    "patrolplan_handouts",
    metadata,
    sa.Column("handout", sa.Integer, primary_key=True),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
    sa.Index("patrolplan_handouts_days", "area", "first_day", "last_day"),
)
"""Weeks handed out; of several that contain a day, the last one entered is valid for it."""

hotspots = sa.Table(
    "patrolplan_hotspots",
    metadata,
    sa.Column("handout", sa.ForeignKey(handouts.c.handout), primary_key=True),
    sa.Column("hotspot", sa.Text, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False, server_default="hotspot"),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("longitude", sa.Double, nullable=False),
    sa.Column("latitude", sa.Double, nullable=False),
    sa.Column("stretch", sa.Text, nullable=False),
)
"""Hotspots as they were when a week was handed out: stop, and stretch as WKT in degrees.

A stretch may hold points as well: tasked places on it where patrols of that week stand.
"""

doses = sa.Table(
    "patrolplan_doses",
    metadata,
    sa.Column("handout", sa.ForeignKey(handouts.c.handout), primary_key=True),
    sa.Column("officer", sa.Text, primary_key=True),
    sa.Column("date", sa.Date, primary_key=True),
    sa.Column("urn", sa.Text, primary_key=True),
    sa.Column("window", sa.Text, primary_key=True, default=AFTER_SCHOOL),
    sa.Column("stop", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("school", sa.Text, nullable=False),
    sa.Column("hotspot", sa.Text, nullable=False),
    sa.Column("arrive", sa.String(5), nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
    sa.Column("people", sa.Integer, nullable=False, default=1),
    sa.Column("crew", sa.Text, nullable=False, default=""),
)
"""Doses promised: one row a stop, numbered as on the card, of a patrol window.

`people` are to come together: the officer, and those of `crew`, joined by ";".
"""

assignments = sa.Table(
    "patrolplan_assignments",
    metadata,
    sa.Column("handout", sa.ForeignKey(handouts.c.handout), primary_key=True),
    sa.Column("hotspot", sa.Text, primary_key=True),
    sa.Column("date", sa.Date, primary_key=True),
    sa.Column("treated", sa.Boolean, nullable=False),
    sa.Column("commitment", sa.String(32), nullable=False),
)
"""What a trial drew for the days of a week: one row a hotspot and day.

It stands apart from visits: what was delivered never changes what was drawn. `commitment` is the
trial's, see `patrolplan.team.trial`.
"""

visits = sa.Table(
    "patrolplan_visits",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("together", sa.Text, nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("urn", sa.Text, nullable=False),
    sa.Column("hotspot", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("longitude", sa.Double, nullable=False),
    sa.Column("latitude", sa.Double, nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
    sa.Column("engagements", sa.Integer, nullable=True),
    sa.Column("source", sa.String(8), nullable=False),
    sa.Column("tracks", sa.Text, nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
    sa.Column("window", sa.Text, nullable=False, server_default=""),
    sa.Column("people", sa.Integer, nullable=False, server_default="1"),
    sa.Column("arrive", sa.String(5), nullable=True),
    sa.Column("reason", sa.String(10), nullable=True),
    sa.UniqueConstraint("area", "number", "revision"),
    sa.Index("patrolplan_visits_days", "area", "date"),
)
"""Doses delivered. A visit has one number in its area and a row a revision; the highest is valid.

`together` holds the officers who came with `officer`, joined by ";"; `tracks` holds from when to
when the tracks were recorded, in seconds since midnight, as "55200-57000 57600-59400". `people` is
how many came, named or not; `arrive` is HH:MM, null where not recorded; `reason` is why it was not
made or was cut short; `window` is that of the patrol, empty where it is not known.
"""

metadata_of_version_2 = sa.MetaData()
doses_of_version_2 = sa.Table(
    doses.name,
    metadata_of_version_2,
    sa.Column("handout", sa.Integer, primary_key=True),
    sa.Column("officer", sa.Text, primary_key=True),
    sa.Column("date", sa.Date, primary_key=True),
    sa.Column("urn", sa.Text, primary_key=True),
    sa.Column("stop", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("school", sa.Text, nullable=False),
    sa.Column("hotspot", sa.Text, nullable=False),
    sa.Column("arrive", sa.String(5), nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
)
"""Doses as versions 1 and 2 had them: of one officer, in one window a day."""

metadata_of_version_1 = sa.MetaData()
visits_of_version_1 = sa.Table(
    visits.name,
    metadata_of_version_1,
    sa.Column("visit", sa.Integer, primary_key=True),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("urn", sa.Text, nullable=False),
    sa.Column("hotspot", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("longitude", sa.Double, nullable=False),
    sa.Column("latitude", sa.Double, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
    sa.Column("engagements", sa.Integer, nullable=True),
    sa.Column("source", sa.String(8), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
    sa.UniqueConstraint("area", "officer", "date", "urn", "hotspot", "place", "revision"),
    sa.Index("patrolplan_visits_days", "area", "date"),
)
"""Visits as version 1 had them: identified by a hotspot's name, and of single officers."""


def migrate(connection: sa.Connection, version: int) -> None:
    """Bring the tables of an earlier version to today's; nothing entered is lost."""
    version_before_trials = 3
    if version < version_before_trials:
        _migrate_to_version_3(connection, version)
    assignments.create(connection, checkfirst=True)
    connection.execute(sa.update(ledger_version).values(schema=SCHEMA_VERSION))


def _migrate_to_version_3(connection: sa.Connection, version: int) -> None:
    """Add windows, crews and reasons to the tables of versions 1 and 2."""
    if version == 1:
        _migrate_from_version_1(connection)
    else:
        _add_columns(connection, visits.c.window, visits.c.people, visits.c.arrive, visits.c.reason)
    _count_people(connection)
    old = [dict(row) for row in connection.execute(sa.select(doses_of_version_2)).mappings()]
    doses_of_version_2.drop(connection)
    doses.create(connection)
    if old:
        connection.execute(sa.insert(doses), old)


def _add_columns(connection: sa.Connection, *columns: sa.Column[Any]) -> None:
    for column in columns:
        text = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
        connection.execute(sa.text(f"ALTER TABLE {column.table.name} ADD COLUMN {text}"))


def _count_people(connection: sa.Connection) -> None:
    """As many as are named came to each visit."""
    column = visits.c.together
    for names in connection.execute(sa.select(column).where(column != "").distinct()).scalars():
        rows = sa.update(visits).where(column == names)
        connection.execute(rows.values(people=1 + len(names.split(";"))))


def _migrate_from_version_1(connection: sa.Connection) -> None:
    """Write the visits of version 1 in today's form; nothing entered is lost.

    Rows of the same officer, day, school and place become revisions of one visit, in the order in
    which they were entered: where a week was handed out again with other numbers of its hotspots,
    version 1 counted such a visit twice. All visits are of single officers, and none of a track.
    """
    _add_kinds(connection)
    spots = hotspots.c
    columns = (spots.hotspot, spots.longitude, spots.latitude, spots.kind)
    places = connection.execute(sa.select(*columns).where(spots.kind != "hotspot"))
    tasked = {tuple(place): kind for *place, kind in places}
    query = sa.select(visits_of_version_1).order_by(visits_of_version_1.c.visit)
    old = [dict(row) for row in connection.execute(query).mappings()]
    visits_of_version_1.drop(connection)
    visits.create(connection)
    numbers: dict[tuple[object, ...], int] = {}
    revisions: Counter[tuple[object, ...]] = Counter()
    visits_by_area: Counter[str] = Counter()
    rows = []
    for row in old:
        place = (row["hotspot"], row["longitude"], row["latitude"])
        kind = tasked.get(place, "hotspot")
        visit = (row["area"], row["officer"], row["date"], row["urn"])
        key = (*visit, compute_place_key(*place, kind))
        if key not in numbers:
            visits_by_area[row["area"]] += 1
            numbers[key] = visits_by_area[row["area"]]
        revisions[key] += 1
        new = {"number": numbers[key], "revision": revisions[key], "kind": kind}
        del row["visit"]
        rows.append({**row, **new, "together": "", "tracks": ""})
    if rows:
        connection.execute(sa.insert(visits), rows)


def _add_kinds(connection: sa.Connection) -> None:
    """Mark each place handed out as a hotspot or not, as far as version 1 shows it."""
    _add_columns(connection, hotspots.c.kind)
    spots = hotspots.c
    query = sa.select(spots.handout, spots.hotspot, spots.stretch)
    for handout, name, stretch in connection.execute(query).all():
        if guess_stop_kind(name, stretch) == "tasked":
            row = (spots.handout == handout) & (spots.hotspot == name)
            connection.execute(sa.update(hotspots).where(row).values(kind="tasked"))
