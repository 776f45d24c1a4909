"""Tables that pass between packages (columns, types, units), left-out rows, and HTML summaries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, get_args

import geopandas as gpd


@dataclass(frozen=True)
class Column:
    """One column of a table: its type in pandas ("text" for names) and its meaning."""

    kind: str
    meaning: str


@dataclass(frozen=True)
class Schema:
    """Names, types and meanings of a table's columns."""

    name: str
    columns: dict[str, Column]


class Drawn:
    """What geopandas draws: a frame, and the column that its colours are of."""

    def _get_drawn(self) -> tuple[gpd.GeoDataFrame, str | None]:
        raise NotImplementedError

    def plot(self, **options: Any) -> Any:  # noqa: ANN401 - as geopandas has it
        """`GeoDataFrame.plot` of its lines, with the same options."""
        frame, column = self._get_drawn()
        return frame.plot(**{"column": column} | options)

    def explore(self, **options: Any) -> Any:  # noqa: ANN401
        """`GeoDataFrame.explore` of its lines, with the same options."""
        frame, column = self._get_drawn()
        return frame.explore(**{"column": column} | options)


INCIDENTS = Schema(
    "incidents",
    {
        "category": Column("category", "crime type as named in the data"),
        "month": Column("datetime", "first day of the month it was recorded in"),
        "occurred_at": Column("datetime", "local time, NaT where only the month is known"),
        "timed": Column("bool", "the time of day is known, not the date alone"),
        "occurred_until": Column("datetime", "last possible time, NaT where there is no span"),
        "force": Column("category", "police force that recorded it"),
        "geometry": Column("geometry", "snap point, or exact place, in the area's CRS"),
    },
)

SCHOOLS = Schema(
    "schools",
    {
        "urn": Column("text", "unique reference number"),
        "name": Column("text", "name of the school"),
        "phase": Column("text", "phase of education"),
        "postcode": Column("text", "postcode; empty where not known"),
        "roll": Column("float64", "pupils; NaN where not known"),
        "capacity": Column("float64", "places for pupils; NaN where not known"),
        "low_age": Column("float64", "youngest age in years; NaN where not known"),
        "high_age": Column("float64", "oldest age in years; NaN where not known"),
        "finish_time": Column("text", "bell, HH:MM local"),
        "finish_assumed": Column("bool", "bell not known, the default is assumed"),
        "start_time": Column("text", "opening bell, HH:MM local"),
        "start_assumed": Column("bool", "opening bell not known, the default is assumed"),
        "late_share": Column("float64", "share of pupils who leave later; NaN where not known"),
        "late_minutes": Column("float64", "when those leave, after the bell; NaN where not known"),
        "walk_share": Column("float64", "share of pupils who walk; NaN where not known"),
        "bus_share": Column("float64", "share by bus or train; NaN where not known"),
        "is_driven": Column("bool", "special school or nursery, neither share known"),
        "gate_assumed": Column("bool", "gate not known, the nearest walkable street is assumed"),
        "geometry": Column("geometry", "gate, or site point where the gate is not known"),
    },
)

STAFF = "staff"  # School staff never lead a patrol, but may accompany one at their schools
Reason = Literal["abstracted", "sick", "incident", "weather", "other"]  # Why a visit was not whole
REASONS: tuple[Reason, ...] = get_args(Reason)

HOTSPOTS = Schema(
    "hotspots",
    {
        "hotspot": Column("text", "name, H1 for the most risk; of a designated one its id"),
        "kind": Column("text", "hotspot, or designated: by the force, see [sources] designated"),
        "worth": Column("float64", "risk of its stretch in the window, as a share of the area's"),
        "crime_share": Column("float64", "share of recorded crime's risk in the area, 0 to 1"),
        "reports_share": Column("float64", "share of reports' risk in the area, 0 to 1"),
        "length_metres": Column("float64", "metres of street in the stretch"),
        "place": Column("text", "street and nearest junction of the stopping place"),
        "reasons": Column("text", "why it is one, as JSON, see patrolplan.hotspots.reasons"),
        "carried_by": Column("text", "what most of its risk comes from: recorded, feared or way"),
        "mainly_reports": Column("bool", "based on pupils' reports more than on recorded crime"),
        "p_value": Column("float64", "chance that the best stretch of an even world holds as much"),
        "stands_out": Column("bool", "more than the best of 95 % of even worlds"),
        "trend": Column("text", "new, rising, persistent, fading, or too few to tell"),
        "survived": Column("float64", "share of jitters of the snap points that it survives"),
        "pieces": Column("list", "pieces of street in the stretch"),
        "stop_piece": Column("int64", "piece that the stopping place is on"),
        "stop_metres": Column("float64", "metres along that piece where one stands"),
        "stop_stand": Column("text", "what one stands at, see patrolplan.hotspots.ground"),
        "stop_at": Column("text", "street that joins, bus stop or station there, by name"),
        "stop_lit": Column("text", "street lighting there: yes, no or unknown"),
        "stop_x": Column("float64", "where it is, metres east in the area's CRS"),
        "stop_y": Column("float64", "metres north"),
        "geometry": Column("geometry", "the stretch, as lines along the streets"),
    },
)


@dataclass(frozen=True)
class LeftOutRow:
    """Number of rows of one source that were left out for one reason."""

    source: str
    reason: str
    count: int
    shown_from: int = 1
    """Counts below this are shown as "fewer than" it: the threshold for reports, see `privacy`."""
    urn: str = ""
    """The school that it concerns, if it is one; only for the program, not for outputs."""
    fix: str = ""
    """What a person can do about it; empty where nothing is wrong with these rows."""

    @property
    def count_text(self) -> str:
        """The count for display, suppressed if necessary."""
        is_few = self.count < self.shown_from
        return f"fewer than {self.shown_from}" if is_few else f"{self.count:,}"

    def __str__(self) -> str:
        return f"{self.source}: {self.count_text} left out, {self.reason}"


@dataclass(frozen=True)
class TableCount:
    """Rows in the files of a table, used, left out; of reports suppressed and rounded."""

    source: str
    rows: int
    used: int
    left_out: int


@dataclass
class LeftOut:
    """What was read and left out, by source and reason; nothing disappears silently."""

    rows: list[LeftOutRow] = field(default_factory=list)
    rows_read: dict[str, int] = field(default_factory=dict)
    """Number of rows in each table's files, without blank ones."""

    def count_rows(self, source: str, count: int) -> None:
        """Record the number of rows in the files of a table."""
        self.rows_read[source] = self.rows_read.get(source, 0) + int(count)

    def add(self, source: str, reason: str, count: int, *, fix: str = "") -> None:
        """Record rows that were left out; a count of zero is not recorded."""
        if count:
            self.rows.append(LeftOutRow(source, reason, int(count), fix=fix))

    def count_table(self, source: str, used: int) -> TableCount:
        """The rows of a table as recorded by `count_rows`, with the number used."""
        left_out = sum(row.count for row in self.rows if row.source == source)
        return TableCount(source, self.rows_read.get(source, 0), used, left_out)

    def extend(self, rows: Iterable[LeftOutRow]) -> None:
        """Add rows that another package recorded."""
        self.rows.extend(rows)


def list_left_out(rows: Iterable[LeftOutRow]) -> list[dict[str, str]]:
    """Rows for printing and writing: source, reason and count in words."""
    return [{"source": row.source, "reason": row.reason, "count": row.count_text} for row in rows]


def render_html_table(title: str, facts: Mapping[str, object], *, next_call: str) -> str:
    """A small table for notebooks: title, facts and the next call; text is escaped."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in facts.items()
    )
    return (
        f"<strong>{escape(title)}</strong><table>{rows}</table>Next: "
        f"<code>{escape(next_call)}</code>"
    )
