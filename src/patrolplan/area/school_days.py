"""The days on which schools are open: weekdays in term."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.arrays import Bools

SATURDAY = 5  # the first day of a weekend, where Monday is 0


def find_open_days(
    term_dates: pd.DataFrame, urns: Sequence[str], days: Sequence[dt.date] | pd.DatetimeIndex
) -> Bools:
    """(s, d) whether each school is open on each day; none is on Saturdays and Sundays."""
    # A row of `term_dates` (see `small_tables.TERM_DATES`) for the school outranks one for all
    # schools (`*`), and `closed` outranks `term`. Where no row names a term, for the school or for
    # all, every weekday counts.
    dates = pd.DatetimeIndex(list(days))
    first_day = term_dates["from"].to_numpy()[:, None]
    last_day = term_dates["to"].to_numpy()[:, None]
    inside = (first_day <= dates.to_numpy()) & (dates.to_numpy() <= last_day)  # (r, d)
    row_urn = term_dates["urn"].to_numpy(dtype=object)
    is_term = term_dates["kind"].to_numpy(dtype=object) == "term"
    is_for_all = row_urn == ALL_SCHOOLS

    def covers(rows: Bools) -> Bools:  # (d,) whether any of these rows covers each day
        return np.asarray(inside[rows].any(axis=0))

    all_in_term = covers(is_for_all & is_term)
    all_closed = covers(is_for_all & ~is_term)
    is_open = np.zeros((len(urns), len(dates)), dtype=bool)
    for row, urn in enumerate(urns):
        is_for_school = row_urn == urn
        has_terms = (is_term & (is_for_school | is_for_all)).any()
        as_all = (all_in_term if has_terms else True) & ~all_closed
        in_term = as_all | covers(is_for_school & is_term)
        is_open[row] = in_term & ~covers(is_for_school & ~is_term)
    return is_open & np.asarray(dates.day_of_week < SATURDAY)
