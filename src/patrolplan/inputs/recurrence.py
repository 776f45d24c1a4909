"""When an event of a calendar recurs: RRULE, RDATE and EXDATE, by the clock of its own zone.

Rules in files from others can be endless, some on purpose. Rules that recur within a day are
refused, and so are parts that calendars do not write for a frequency: these include most rules that
match no day, which dateutil would follow to the year 9999. All rules of a file share a budget of
days to search.
"""

import datetime as dt
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from dateutil.rrule import rrulestr

ANY_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
MONTH_PARTS = ("BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")
PARTS = {
    "DAILY": ("BYDAY",),
    "WEEKLY": ("BYDAY",),
    "MONTHLY": MONTH_PARTS,
    "YEARLY": (*MONTH_PARTS, "BYYEARDAY", "BYWEEKNO"),
}
"""Parts that a rule of each frequency may have."""

MAX_INTERVAL = {"DAILY": 366, "WEEKLY": 104, "MONTHLY": 24, "YEARLY": 10}

EARLIEST_RULE = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - by the clock of any zone
"""Rules that begin before this are refused: no appointment has recurred for so long."""

MAX_RULE_DAYS = 1_000_000
"""Budget of days for the rules of one file: 400 daily ones for seven years."""


class RecurrenceError(ValueError):
    """A rule that cannot be followed; its message says why."""


class DayBudget:
    """Days that the rules of a file may still search."""

    def __init__(self, days: int = MAX_RULE_DAYS) -> None:
        self._days = days

    def spend(self, days: int) -> None:
        """Take days from the budget; raises RecurrenceError if too few are left."""
        self._days -= days
        if self._days < 0:
            message = "the file's recurring events are too many, or go on for too long"
            raise RecurrenceError(message)


def list_starts(
    start: dt.datetime,
    rule: Mapping[str, Any] | None,
    *,
    last: dt.datetime,
    budget: DayBudget,
    more: Iterable[dt.datetime] = (),
    without: Iterable[dt.datetime] = (),
    without_days: Iterable[dt.date] = (),
) -> list[dt.datetime]:
    """Starts of a recurring event, rising, each once.

    All times are without a zone, by the clock of the event's own, so that an event at nine stays
    one at nine when the clocks change. `more` and `without` are RDATE and EXDATE, `without_days`
    the EXDATE that name whole days; no start after `last` counts.
    """
    starts = {start, *more} if rule is None else {*_follow(start, rule, last, budget), *more}
    excluded, days = set(without), set(without_days)
    return sorted(
        one for one in starts if one <= last and one not in excluded and one.date() not in days
    )


def _follow(
    start: dt.datetime, rule: Mapping[str, Any], last: dt.datetime, budget: DayBudget
) -> list[dt.datetime]:
    _check_rule(start, rule)
    until = _get_first(rule, "UNTIL", last)
    if not isinstance(until, dt.datetime):
        until = dt.datetime.combine(until, dt.time.max)
    until = min(until.replace(tzinfo=None), last)
    budget.spend(1 + max(0, (until - start).days))
    if until < start:
        return [start]
    own = {name: values for name, values in rule.items() if name not in {"UNTIL", "COUNT"}}
    text = ";".join(f"{name}={_join(values)}" for name, values in own.items())
    count = _get_first(rule, "COUNT", None)
    try:
        with warnings.catch_warnings():  # with both an end and a count: whichever comes first
            warnings.simplefilter("ignore")
            found = rrulestr(text, dtstart=start).replace(
                until=until, count=None if count is None else int(count)
            )
            starts = list(found)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        message = "its rule cannot be read"
        raise RecurrenceError(message) from error
    if not starts:
        message = "its rule holds on no day"
        raise RecurrenceError(message)
    return starts


def _check_rule(start: dt.datetime, rule: Mapping[str, Any]) -> None:
    """Refuse rules that people's calendars do not have."""
    frequency = str(_get_first(rule, "FREQ", "")).upper()
    parts = PARTS.get(frequency)
    message = ""
    if parts is None:
        message = "recurs within a day, or at no known interval"
    elif other := [name for name in rule if name.upper() not in (*ANY_PARTS, *parts)]:
        message = f"recurs {frequency.lower()} with {', '.join(sorted(other))}, which is not read"
    elif start < EARLIEST_RULE:
        message = f"recurs since before {EARLIEST_RULE:%Y}"
    else:
        interval = int(_get_first(rule, "INTERVAL", 1))
        if not 1 <= interval <= MAX_INTERVAL[frequency]:
            message = f"recurs {frequency.lower()} at an interval of {interval}"
        elif frequency == "DAILY" and interval % 7 == 0 and "BYDAY" in rule:
            message = "recurs every so many weeks, written as days with their names"
        elif frequency == "MONTHLY" and interval > 1 and "BYMONTH" in rule:
            message = "recurs at an interval of months, of some months alone"
    if message:
        raise RecurrenceError(message)


def _get_first(rule: Mapping[str, Any], name: str, default: Any) -> Any:  # noqa: ANN401 - as icalendar
    values = rule.get(name)
    if isinstance(values, list | tuple):
        return values[0] if values else default
    return default if values is None else values


def _join(values: Any) -> str:  # noqa: ANN401 - as icalendar
    return ",".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
