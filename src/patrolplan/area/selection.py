"""Part of the recorded crime of an area: some months, weekdays, hours or categories of it.

Crime that is not selected is unknown, like months that a force did not publish: a month between two
selected winters is not a month without crime. Thresholds are applied again, since a group may be
cut below them.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area.incidents import has_known_times, note_time_coverage, suppress_small_counts
from patrolplan.area.missing_months import Exposure
from patrolplan.area.study_area import StudyArea
from patrolplan.arrays import count_pairs
from patrolplan.errors import InputError, Problems
from patrolplan.notes import Note
from patrolplan.privacy import meets_threshold
from patrolplan.settings import format_unknown
from patrolplan.tables import LeftOutRow, TableCount
from patrolplan.times import TIME_OF_DAY

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SOURCE = "where"
MONTHS = re.compile(r"(\d{4}-\d{2})(?: to (\d{4}-\d{2}))?")
HOURS = re.compile(rf"({TIME_OF_DAY.pattern})-({TIME_OF_DAY.pattern}|24:00)")
MINUTES_A_DAY = 24 * 60

Words = str | Sequence[str]


@dataclass(frozen=True)
class Selection:
    """What is selected; an empty tuple means all.

    `months`: first and last of each span, as first days of months. `weekdays`: 0 for Monday.
    `hours`: minutes after midnight, from and (exclusive) to; over midnight where from is later.
    `categories`: names in the data.
    """

    months: tuple[tuple[pd.Timestamp, pd.Timestamp], ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    categories: tuple[str, ...] = ()

    def describe(self) -> list[str]:
        """What is selected, in the words of notes: categories, months, weekdays, hours."""
        spans = [
            f"{first:%Y-%m}" if first == last else f"{first:%Y-%m} to {last:%Y-%m}"
            for first, last in self.months
        ]
        clock = [f"{_format_minutes(start)} to {_format_minutes(end)}" for start, end in self.hours]
        days = [DAY_NAMES[day] for day in self.weekdays]
        return [", ".join(part) for part in (self.categories, spans, days, clock) if part]

    def find_months(self, months: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """(t,) whether each month is selected."""
        chosen = np.full(len(months), not self.months)
        for first, last in self.months:
            chosen |= np.asarray((months >= first) & (months <= last))
        return chosen

    def find_incidents(self, incidents: pd.DataFrame) -> NDArray[np.bool_]:
        """(i,) whether each incident is selected; not by day or time where it has none."""
        chosen = self.find_months(pd.DatetimeIndex(incidents["month"]))
        if self.categories:
            chosen &= incidents["category"].isin(self.categories).to_numpy()
        at = pd.DatetimeIndex(incidents["occurred_at"])
        if self.weekdays:
            chosen &= np.isin(at.day_of_week, self.weekdays)
        if self.hours:
            minute = np.asarray(at.hour * 60 + at.minute)
            in_hours = np.zeros(len(at), dtype=bool)
            for start, end in self.hours:
                after, before = minute >= start, minute < end
                in_hours |= after & before if start < end else after | before
            chosen &= in_hours & incidents["timed"].to_numpy()
        return chosen


def select_incidents(
    area: StudyArea,
    *,
    months: Words | None = None,
    weekdays: Words | None = None,
    hours: Words | None = None,
    categories: Words | None = None,
) -> StudyArea:
    """The area with some of its incidents; see `StudyArea.where`."""
    problems = Problems()
    selection = Selection(
        _parse_months(_list_words(months), area, problems),
        _parse_weekdays(_list_words(weekdays), problems),
        _parse_hours(_list_words(hours), problems),
        _check_categories(_list_words(categories), area, problems),
    )
    given = (months, weekdays, hours, categories)
    if all(one is None for one in given):
        problems.add(SOURCE, "selects nothing", "give months, weekdays, hours or categories")
    _check_times_known(selection, area, problems)
    problems.raise_if_any()
    chosen = selection.find_incidents(area.incidents)
    least = area.settings.privacy.min_crime_count
    if least > 1:
        codes = area.incidents["category"].cat.codes.to_numpy().astype(np.int64)
        chosen[chosen] = meets_threshold(area.incident_catchment[chosen], codes[chosen], least)
    counts = area.incidents["category"].isin(area.settings.crimes.risk_categories).to_numpy()
    if not (chosen & counts).any():
        what = f"no incident of a category that counts is left: {'; '.join(selection.describe())}"
        remedy = "select more, or add to [crimes] categories"
        raise InputError.one(SOURCE, what, remedy)
    return _build_area(area, selection, chosen)


def _build_area(area: StudyArea, selection: Selection, chosen: NDArray[np.bool_]) -> StudyArea:
    """The area with the chosen (i,) incidents, and with notes that say so."""
    words = selection.describe()
    incidents = area.incidents[chosen].reset_index(drop=True)
    incidents["category"] = incidents["category"].cat.remove_unused_categories()
    counted = incidents[incidents["category"].isin(area.settings.crimes.risk_categories)]
    notes = [
        note for note in area.notes if note.kind not in {"some_times_known", "few_times_known"}
    ]
    if area.settings.privacy.min_crime_count == 1:
        notes += note_time_coverage(counted)
    row = LeftOutRow("crimes", f"not selected ({'; '.join(words)})", int((~chosen).sum()))
    rows = suppress_small_counts([row], area.settings.privacy.min_crime_count)
    earlier = area.inputs.get(INPUT_NAME)
    return replace(
        area,
        incidents=incidents,
        incident_catchment=area.incident_catchment[chosen],
        exposure=_select_months(area.exposure, selection, incidents),
        times_known=has_known_times(counted["timed"]),
        notes=(*notes, Note("incidents_selected", {"selected": words})),
        left_out=(*area.left_out, *(one for one in rows if one.count or one.shown_from > 1)),
        tables=tuple(_move_counts(table, len(incidents), rows) for table in area.tables),
        inputs=area.inputs | {INPUT_NAME: "; ".join([*([earlier] if earlier else []), *words])},
    )


INPUT_NAME = "selection of crimes"
"""Key among an area's inputs, so that the manifest shows that a plan is from part of the crime."""


def _move_counts(table: TableCount, used: int, rows: Sequence[LeftOutRow]) -> TableCount:
    """The counts of the table of crimes, with fewer rows used now."""
    if table.source != "crimes":
        return table
    left_out = table.left_out + sum(row.count for row in rows)
    return TableCount(table.source, used + left_out, used, left_out)


def _select_months(exposure: Exposure, selection: Selection, incidents: pd.DataFrame) -> Exposure:
    """What is held of each month; months that are not selected are not held."""
    chosen = selection.find_months(exposure.months)
    month = exposure.months.get_indexer(pd.DatetimeIndex(incidents["month"]))
    force = pd.Index(exposure.forces).get_indexer(pd.Index(incidents["force"].astype(str)))
    has_both = (month >= 0) & (force >= 0)
    shape = (len(exposure.months), len(exposure.forces))
    return replace(
        exposure,
        incidents=count_pairs(month[has_both], force[has_both], shape),
        held=exposure.held & chosen[:, None],
    )


def _check_times_known(selection: Selection, area: StudyArea, problems: Problems) -> None:
    """Refuse weekdays and hours where most incidents have none."""
    incidents = area.incidents
    has_day, has_time = incidents["occurred_at"].notna(), incidents["timed"]
    least = area.settings.privacy.min_crime_count
    for wanted, has_value, what in (
        (selection.weekdays, has_day, "the day"),
        (selection.hours, has_time, "the time of day"),
    ):
        if wanted and not has_known_times(has_value):
            count = int(has_value.sum())
            seen = f" ({count:,} of {len(has_value):,})" if least == 1 else ""
            why = f"{what} is known of too few incidents{seen}, as in open data"
            problems.add(SOURCE, why, "use months, or a force's own extract with dates and times")


def _list_words(words: Words | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else list(words)


def _parse_months(
    words: Iterable[str], area: StudyArea, problems: Problems
) -> tuple[tuple[pd.Timestamp, pd.Timestamp], ...]:
    months = area.incidents["month"]
    spans = []
    for word in words:
        match = MONTHS.fullmatch(str(word).strip())
        try:
            named = [one for one in match.groups() if one] if match else []
            ends = [pd.Timestamp(dt.date.fromisoformat(f"{one}-01")) for one in named]
        except ValueError:
            ends = []
        if not ends:
            remedy = "write such as 2025-11, or 2025-12 to 2026-02"
            problems.add(SOURCE, f"'{word}' is not a month or a span of months", remedy, "months")
            continue
        first, last = ends[0], ends[-1]
        if last < first:
            problems.add(SOURCE, f"'{word}' ends before it begins", "swap the two", "months")
        elif last < months.min() or first > months.max():
            what = f"'{word}' is not within the data"
            remedy = f"choose months from {months.min():%Y-%m} to {months.max():%Y-%m}"
            problems.add(SOURCE, what, remedy, "months")
        spans.append((first, last))
    return tuple(sorted(set(spans)))


def _parse_weekdays(words: Iterable[str], problems: Problems) -> tuple[int, ...]:
    days = set()
    for word in words:
        short = str(word).strip().casefold()
        match = [
            short[:3] == day and DAY_NAMES[n].casefold().startswith(short)
            for n, day in enumerate(DAYS)
        ]
        if not any(match):
            problems.add(
                SOURCE, f"'{word}' is not a weekday", f"write {', '.join(DAYS)}", "weekdays"
            )
            continue
        days.add(match.index(True))
    return tuple(sorted(days))


def _parse_hours(words: Iterable[str], problems: Problems) -> tuple[tuple[int, int], ...]:
    spans = []
    for word in words:
        text = str(word).replace(" ", "")
        if not HOURS.fullmatch(text) or text[:5] == text[6:]:
            remedy = "write HH:MM-HH:MM, such as 15:00-18:00"
            problems.add(SOURCE, f"'{word}' is not a span of hours", remedy, "hours")
            continue
        start, end = (60 * int(one[:2]) + int(one[3:]) for one in (text[:5], text[6:]))
        spans.append((start, end))
    return tuple(sorted(set(spans)))


def _check_categories(names: Sequence[str], area: StudyArea, problems: Problems) -> tuple[str, ...]:
    categories = list(area.incidents["category"].cat.categories)
    folded = {name.casefold(): name for name in categories}
    found = []
    for name in names:
        if (key := str(name).strip().casefold()) in folded:
            found.append(folded[key])
        else:
            what = format_unknown(f"there is no category '{name}'", str(name), categories)
            problems.add(SOURCE, what, "correct it", "categories")
    return tuple(dict.fromkeys(found))


def _format_minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
