"""The ledger's tables: what was handed out, and what was delivered.

Rows are only ever added. A week handed out again replaces the one before for its days; a visit
entered again becomes a new revision. They hold nobody's name: officers are named as in the
officers' table, and nothing about a pupil has a column.
"""

from collections import Counter

import sqlalchemy as sa

from patrolplan.team.ledger.visits import compute_place_key, guess_stop_kind

SCHEMA_VERSION = 2

metadata = sa.MetaData()

ledger_version = sa.Table(
    "patrolplan_ledger",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("schema", sa.Integer, nullable=False),
)
"""One row: the version of these tables. Writers lock it, and so take turns."""

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
    sa.Column("stop", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("school", sa.Text, nullable=False),
    sa.Column("hotspot", sa.Text, nullable=False),
    sa.Column("arrive", sa.String(5), nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
)
"""Doses promised: one row a stop, numbered as on the card."""

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
    sa.UniqueConstraint("area", "number", "revision"),
    sa.Index("patrolplan_visits_days", "area", "date"),
)
"""Doses delivered. A visit has one number in its area and a row a revision; the highest is valid.

`together` holds the officers who came with `officer`, joined by ";"; `tracks` holds from when to
when the tracks were recorded, in seconds since midnight, as "55200-57000 57600-59400".
"""

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
"""Visits as version 1 had them: identified by a hotspot's name, and nobody came together."""


def migrate_from_version_1(connection: sa.Connection) -> None:
    """Write the visits of version 1 in today's form; nothing entered is lost.

    Rows of the same officer, day, school and place become revisions of one visit, in the order in
    which they were entered: where a week was handed out again with other numbers of its hotspots,
    version 1 counted such a visit twice. Nobody came together, and no minutes are of a known track.
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
    connection.execute(sa.update(ledger_version).values(schema=SCHEMA_VERSION))


def _add_kinds(connection: sa.Connection) -> None:
    """Say of each place handed out whether it is a hotspot, as far as version 1 shows it."""
    column = sa.schema.CreateColumn(hotspots.c.kind).compile(dialect=connection.dialect)
    connection.execute(sa.text(f"ALTER TABLE {hotspots.name} ADD COLUMN {column}"))
    spots = hotspots.c
    query = sa.select(spots.handout, spots.hotspot, spots.stretch)
    for handout, name, stretch in connection.execute(query).all():
        if guess_stop_kind(name, stretch) == "tasked":
            row = (spots.handout == handout) & (spots.hotspot == name)
            connection.execute(sa.update(hotspots).where(row).values(kind="tasked"))
