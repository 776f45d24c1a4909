"""Crimes with a first and a last possible time, `committed_from` and `committed_to`.

- Both alike, or only one given: the crime happened then.
- Up to 24 hours apart: it happened in that span. Which half-hour is not known, so such a crime
  counts as one in all, shared out by the clock (`patrolplan.risk.known_times`).
- Up to 31 days apart: a span that says nothing about the hour; the date and the month are those of
  the first time.
- The last before the first, or more than 31 days after it: a typing error. Neither time counts; the
  row is left out unless it has a month of its own, and many such rows stop the command.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.inputs import timestamps
from patrolplan.inputs.formats import TableSource
from patrolplan.inputs.row_account import DATE_FORMS, TIME_REMEDY, Unreadable, find_unreadable

MAX_SPAN = pd.Timedelta("24h")
MAX_APART = pd.Timedelta("31D")
SPAN_REMEDY = "give a last possible time at most 31 days after the first, not before it"


def read_span(
    table: pd.DataFrame, path: TableSource
) -> tuple[pd.Series, pd.Series, NDArray[np.uint8], list[Unreadable]]:
    """First and last possible time of each row, the precision of the first, and what is unreadable.

    The last is NaT but for a span with times of day, of up to 24 hours.
    """
    empty = pd.Series(pd.NA, index=table.index, dtype="string")
    unreadable, times, precise = [], [], []
    for name in ("committed_from", "committed_to"):
        text = table.get(name, empty)
        timestamps.check_day_first(text, path)
        times.append(timestamps.parse_timestamps(text))
        precise.append(timestamps.classify_precision(text, times[-1]))
        is_read = times[-1].notna().to_numpy()
        unreadable += find_unreadable(text, is_read, DATE_FORMS, TIME_REMEDY)
    first, last = times[0].fillna(times[1]), times[1]
    precision = np.where(times[0].notna(), *precise)
    apart = last - first
    wrong = ((apart < pd.Timedelta(0)) | (apart > MAX_APART)).to_numpy()
    if wrong.any():
        text = table["committed_to"]
        unreadable += find_unreadable(text[wrong], np.zeros(wrong.sum(), bool), (), SPAN_REMEDY)
    is_span = (apart > pd.Timedelta(0)).to_numpy() & ~wrong
    has_times = is_span & (precise[0] != timestamps.NO_TIME) & (precise[1] != timestamps.NO_TIME)
    has_times &= (apart <= MAX_SPAN).to_numpy()
    precision = np.where(is_span | wrong, timestamps.NO_TIME, precision).astype(np.uint8)
    return first.mask(wrong), last.where(has_times), precision, unreadable
