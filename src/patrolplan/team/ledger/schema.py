"""The ledger's tables: what was handed out, and what was delivered.

Rows are only ever added. A week handed out again replaces the one before for its days; a visit
entered again becomes a new revision. There are no names of people: officers are identified as in
the officers' table, and no column is about pupils.
"""

from typing import Any

import sqlalchemy as sa

from patrolplan.settings.patrol import AFTER_SCHOOL

SCHEMA_VERSION = 6

metadata = sa.MetaData()


def _needed(kind: type[sa.types.TypeEngine[Any]] | sa.String, *names: str) -> list[sa.Column[Any]]:
    """Columns of a kind without null."""
    return [sa.Column(name, kind, nullable=False) for name in names]


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
    *_needed(sa.Text, "area"),
    *_needed(sa.Date, "first_day", "last_day"),
    *_needed(sa.String(64), "digest"),
    *_needed(sa.DateTime, "entered_at"),
    sa.Index("patrolplan_handouts_days", "area", "first_day", "last_day"),
)
"""Weeks handed out; of several that contain a day, the last one entered is valid for it."""

hotspots = sa.Table(
    "patrolplan_hotspots",
    metadata,
    sa.Column("handout", sa.ForeignKey(handouts.c.handout), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    *_needed(sa.Text, "hotspot", "place", "shape", "sees"),
    sa.Column("kind", sa.String(10), nullable=False, server_default="hotspot"),
    *_needed(sa.Double, "longitude", "latitude"),
)
"""Hotspots as they were when a week was handed out, and other places where its patrols stand.

`shape` is WKT in degrees: the points where patrols stand, or the polygon that the force designates.
`sees` holds the IDs of hotspots in view, joined by ";".
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
    *_needed(sa.Text, "school", "id"),
    *_needed(sa.String(5), "arrive"),
    *_needed(sa.Double, "minutes"),
    sa.Column("people", sa.Integer, nullable=False, default=1),
    sa.Column("crew", sa.Text, nullable=False, default=""),
)
"""Doses promised: one row a stop, numbered as on the card, of a patrol window.

`people` are to come together: the officer, and those of `crew`, joined by ";".
"""

visits = sa.Table(
    "patrolplan_visits",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True),
    *_needed(sa.Integer, "number", "revision"),
    *_needed(sa.Text, "area", "officer", "together", "urn", "id", "hotspot", "place", "tracks"),
    *_needed(sa.Date, "date"),
    *_needed(sa.String(10), "kind", "source"),
    *_needed(sa.Double, "longitude", "latitude", "minutes"),
    *_needed(sa.DateTime, "entered_at"),
    sa.Column("engagements", sa.Integer, nullable=True),
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
