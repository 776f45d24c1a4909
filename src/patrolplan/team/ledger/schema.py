"""The ledger's tables: what was handed out, and what was delivered.

Rows are only ever added. A week handed out again replaces the one before for its days; a visit
entered again becomes a new revision. They hold nobody's name: officers are named as in the
officers' table, and nothing about a pupil has a column.
"""

import sqlalchemy as sa

SCHEMA_VERSION = 1

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
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("longitude", sa.Double, nullable=False),
    sa.Column("latitude", sa.Double, nullable=False),
    sa.Column("stretch", sa.Text, nullable=False),
)
"""Hotspots as they were when a week was handed out: stop, and stretch as WKT in degrees."""

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
"""Doses delivered; the highest revision is valid, the others are its history."""

VISIT_KEY = ("officer", "date", "urn", "hotspot", "place")
"""What tells one visit from another within an area."""
