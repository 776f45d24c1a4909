"""Results of past months for a patrol in two sentences: what was recorded, compared, how sure."""

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Tested, TestedRatio

MAX_TIMES = 10
"""Ratios above this are not printed exactly: there was almost nothing to compare with."""

MIN_TIMES = 0.1
"""Ratios below this are not printed exactly."""

MAX_LETTERS = 330
"""Maximum length of the sentences; cards have room for it."""


def describe_tested(tested: "Tested | None") -> str:
    """At most two sentences: what was recorded at its stops, and how such a patrol compares."""
    if tested is None:
        return ""
    span = _describe_span(tested)
    own = tested.own_stops
    first = ""
    if own is not None:
        amount = _describe_ratio(own, "harm a metre as on all streets in reach", percent="95 %: ")
        first = f"Recorded at its stops in its hours, {span}: {amount}."
    percents = iter(["95 %: "] if own is None or own.low is None else [])
    others = [
        _describe_ratio(ratio, f"as {what}", percent=next(percents, ""))
        for ratio, what in (
            (tested.recorded_counts, "by counts alone"),
            (tested.loop, "on a plain loop"),
        )
        if ratio is not None
    ]
    if not others:
        return first
    who = "Planned" if tested.officers == 1 else f"{tested.officers} patrols planned"
    start = f"{who} this way without {'them' if first else span}, recorded there"
    return f"{first} {start}: {', '.join(others)}.".strip()


def _describe_span(tested: "Tested") -> str:
    """The months in words, how many are held if not all, and whether the plan knew them."""
    first, last = (dt.date.fromisoformat(f"{month}-01") for month in tested.months)
    year = f" {first.year}" if first.year != last.year else ""
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    about = [f"{tested.months_held} of {months} held"] if tested.months_held < months else []
    about += ["known to the plan"] if tested.is_known and tested.own_stops else []
    ratios = (tested.own_stops, tested.recorded_counts, tested.loop)
    about += ["no intervals"] if any(ratio and ratio.low is None for ratio in ratios) else []
    brackets = f" ({', '.join(about)})" if about else ""
    return f"{first:%b}{year} to {last:%b} {last.year}{brackets}"


def _describe_ratio(ratio: "TestedRatio", than: str, *, percent: str) -> str:
    """How much more or less than the comparison, with the 95 % interval in brackets.

    `percent` stands before the interval, and is given for the first one of a text.
    """
    times, low, high = ratio.ratio, ratio.low, ratio.high
    if times > MAX_TIMES:
        amount = f"over {MAX_TIMES} times as much"
    elif times < MIN_TIMES:
        amount = "under a tenth as much"
    else:
        amount = f"{times:.1f} times as much"
    if low is None or high is None:
        return f"{amount} {than}"
    if low <= 1 <= high:
        amount = "about as much"
    if low >= MAX_TIMES:
        interval = f"{MAX_TIMES} or more"
    elif high > MAX_TIMES:
        interval = f"{low:.1f} or more"
    else:
        interval = f"{low:.1f} to {high:.1f}"
    return f"{amount} {than} ({percent}{interval})"
