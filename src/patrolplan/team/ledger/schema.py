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


def _needed(**kinds: type[sa.types.TypeEngine[Any]] | sa.String) -> list[sa.Column[Any]]:
    """Columns without null, by their names."""
    return [sa.Column(name, kind, nullable=False) for name, kind in kinds.items()]


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
    *_needed(area=sa.Text, first_day=sa.Date, last_day=sa.Date),
    *_needed(digest=sa.String(64), entered_at=sa.DateTime),
    sa.Index("patrolplan_handouts_days", "area", "first_day", "last_day"),
)
"""Weeks handed out; of several that contain a day, the last one entered is valid for it."""

hotspots = sa.Table(
    "patrolplan_hotspots",
    metadata,
    sa.Column("handout", sa.ForeignKey(handouts.c.handout), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    *_needed(hotspot=sa.Text, place=sa.Text, shape=sa.Text, sees=sa.Text),
    sa.Column("kind", sa.String(10), nullable=False, server_default="hotspot"),
    *_needed(longitude=sa.Double, latitude=sa.Double),
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
    *_needed(school=sa.Text, id=sa.Text, arrive=sa.String(5), minutes=sa.Double),
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
    *_needed(number=sa.Integer, revision=sa.Integer, area=sa.Text, officer=sa.Text),
    *_needed(together=sa.Text, urn=sa.Text, id=sa.Text, hotspot=sa.Text, place=sa.Text),
    *_needed(tracks=sa.Text, date=sa.Date, kind=sa.String(10), source=sa.String(10)),
    *_needed(longitude=sa.Double, latitude=sa.Double, minutes=sa.Double, entered_at=sa.DateTime),
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
