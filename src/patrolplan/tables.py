"""Tables that pass between packages (columns, types, units), left-out rows, and HTML summaries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Check = Callable[[pd.DataFrame, str], pd.Series | NDArray[np.bool_]]
"""Given a table of text ("" where a cell is empty) and a column: (n,) whether each value is good.

It sees the rows of all files together, so that it finds duplicates across files.
"""


@dataclass(frozen=True)
class Form:
    """How a cell is written, the message about one that is not, and how a column is stored."""

    good: Check | str = ""  # a pattern matches the whole value
    what: str = ""
    remedy: str = ""
    store: Callable[[pd.Series], Any] = pd.Series.copy
    kind: str = "text"  # its type in pandas


TEXT = Form()
WORDS = Form(kind="category")
MOMENT = Form(kind="datetime")
YES_OR_NO = Form(kind="bool")
INTEGER = Form(kind="int64")
NUMBER = Form(kind="float64")
LIST = Form(kind="list")
SHAPE = Form(kind="geometry")


@dataclass(frozen=True)
class Column:
    """A column of a table: its name with us and in files, its meaning, what its cells may hold."""

    name: str
    meaning: str
    form: Form = TEXT
    remedy: str = ""  # instead of the form's
    missing: tuple[str, str] | None = None  # what and remedy, where no cell may be empty
    once: bool = False  # each value in one row
    needed: bool = True  # a file without it is refused
    known_names: tuple[str, ...] = ()  # in known layouts of files
    kept: bool = True  # in the table that is stored


@dataclass(frozen=True)
class Schema:
    """The columns of a table as it is stored."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Their names, in order."""
        return [column.name for column in self.columns]


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
    (
        Column("category", "crime type as named in the data", WORDS),
        Column("month", "first day of the month it was recorded in", MOMENT),
        Column("occurred_at", "local time, NaT where only the month is known", MOMENT),
        Column("timed", "the time of day is known, not the date alone", YES_OR_NO),
        Column("occurred_until", "last possible time, NaT where there is no span", MOMENT),
        Column("force", "police force that recorded it", WORDS),
        Column("geometry", "snap point, or exact place, in the area's CRS", SHAPE),
    ),
)

SCHOOLS = Schema(
    "schools",
    (
        Column("urn", "unique reference number"),
        Column("name", "name of the school"),
        Column("phase", "phase of education"),
        Column("postcode", "postcode; empty where not known"),
        Column("roll", "pupils; NaN where not known", NUMBER),
        Column("capacity", "places for pupils; NaN where not known", NUMBER),
        Column("low_age", "youngest age in years; NaN where not known", NUMBER),
        Column("high_age", "oldest age in years; NaN where not known", NUMBER),
        Column("finish_time", "bell, HH:MM local"),
        Column("finish_assumed", "bell not known, the default is assumed", YES_OR_NO),
        Column("start_time", "opening bell, HH:MM local"),
        Column("start_assumed", "opening bell not known, the default is assumed", YES_OR_NO),
        Column("late_share", "share of pupils who leave later; NaN where not known", NUMBER),
        Column("late_minutes", "when those leave, after the bell; NaN where not known", NUMBER),
        Column("walk_share", "share of pupils who walk; NaN where not known", NUMBER),
        Column("bus_share", "share by bus or train; NaN where not known", NUMBER),
        Column("is_driven", "special school or nursery, neither share known", YES_OR_NO),
        Column("gate_assumed", "gate not known, the nearest walkable street is assumed", YES_OR_NO),
        Column("geometry", "gate, or site point where the gate is not known", SHAPE),
    ),
)

STAFF = "staff"  # School staff never lead a patrol, but may accompany one at their schools
Reason = Literal["abstracted", "sick", "incident", "weather", "other"]  # Why a visit was not whole
REASONS: tuple[Reason, ...] = get_args(Reason)

HOTSPOTS = Schema(
    "hotspots",
    (
        Column("hotspot", "name, H1 for the most risk; of a designated one its id"),
        Column("kind", "hotspot, or designated: by the force, see [sources] designated"),
        Column("worth", "risk of its stretch in the window, as a share of the area's", NUMBER),
        Column("crime_share", "share of recorded crime's risk in the area, 0 to 1", NUMBER),
        Column("reports_share", "share of reports' risk in the area, 0 to 1", NUMBER),
        Column("length_metres", "metres of street in the stretch", NUMBER),
        Column("place", "street and nearest junction of the stopping place"),
        Column("reasons", "why it is one, as JSON, see patrolplan.hotspots.reasons"),
        Column("carried_by", "what most of its risk comes from: recorded, feared or way"),
        Column("mainly_reports", "based on pupils' reports more than on recorded crime", YES_OR_NO),
        Column("p_value", "chance that the best stretch of an even world holds as much", NUMBER),
        Column("stands_out", "more than the best of 95 % of even worlds", YES_OR_NO),
        Column("trend", "new, rising, persistent, fading, or too few to tell"),
        Column("survived", "share of jitters of the snap points that it survives", NUMBER),
        Column("pieces", "pieces of street in the stretch", LIST),
        Column("stop_piece", "piece that the stopping place is on", INTEGER),
        Column("stop_metres", "metres along that piece where one stands", NUMBER),
        Column("stop_stand", "what one stands at, see patrolplan.hotspots.ground"),
        Column("stop_at", "street that joins, bus stop or station there, by name"),
        Column("stop_lit", "street lighting there: yes, no or unknown"),
        Column("stop_x", "where it is, metres east in the area's CRS", NUMBER),
        Column("stop_y", "metres north", NUMBER),
        Column("geometry", "the stretch, as lines along the streets", SHAPE),
    ),
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
