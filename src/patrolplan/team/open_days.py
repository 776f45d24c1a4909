"""Which days of a week are planned, and on which of them a school is open."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from patrolplan.team.problem import Bools

SATURDAY = 5


def school_week(start: dt.date) -> tuple[dt.date, ...]:
    """Days from a date to the Friday of its week; from a weekend, the whole week after it.

    Examples
    --------
    >>> [day.isoformat() for day in school_week(dt.date(2026, 12, 3))]
    ['2026-12-03', '2026-12-04']
    >>> school_week(dt.date(2026, 11, 28))[0].isoformat()
    '2026-11-30'
    """
    if start.weekday() >= SATURDAY:
        start += dt.timedelta(days=7 - start.weekday())
    return tuple(start + dt.timedelta(days=n) for n in range(SATURDAY - start.weekday()))


def open_days(term_dates: pd.DataFrame, urns: Sequence[str], days: Sequence[dt.date]) -> Bools:
    """(s, d) whether each school is open on each day.

    A row for the school outranks one for all schools (`*`), and `closed` outranks `term`. Where
    no row speaks of a term, for the school or for all, every weekday counts.

    Parameters
    ----------
    term_dates
        See `patrolplan.tables.TERM_DATES`.
    urns, days
        Schools and days asked for.
    """
    dates = pd.DatetimeIndex(list(days))
    inside = (term_dates["from"].to_numpy()[:, None] <= dates.to_numpy()) & (
        dates.to_numpy() <= term_dates["to"].to_numpy()[:, None]
    )
    urn, kind = (term_dates[name].to_numpy(dtype=object) for name in ("urn", "kind"))

    def says(rows: Bools) -> Bools:
        return np.asarray(inside[rows].any(axis=0))

    every = urn == "*"
    general = says(every & (kind == "term")) & ~says(every & (kind == "closed"))
    general_closed = says(every & (kind == "closed"))
    found = np.zeros((len(urns), len(days)), dtype=bool)
    for row, school in enumerate(urns):
        own = urn == school
        terms = (kind == "term") & (own | every)
        usual = general if terms.any() else ~general_closed
        found[row] = (usual | says(own & (kind == "term"))) & ~says(own & (kind == "closed"))
    return found
