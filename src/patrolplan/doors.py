"""What the public functions take: days, months, URNs and names as pandas and people write them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

import numpy as np
import pandas as pd

from patrolplan.errors import InputError

Day = dt.date | str | np.datetime64  # A day as a date, a Timestamp, or text, YYYY-MM-DD

Month = str | dt.date | pd.Period  # A month as text, YYYY-MM, a Period, or any day of it

Origins = Month | tuple[Month, Month] | Sequence[Month]
"""Hold-out months of a back-test: one, the first and last of a span in a tuple, or a list."""

Urn = str | int
Urns = Urn | Iterable[Urn]


def read_day(day: Day, where: str = "date") -> dt.date:
    """A day as a date; a time of day is left out.

    >>> read_day("2026-11-30"), read_day(pd.Timestamp("2026-11-30 08:00"))
    (datetime.date(2026, 11, 30), datetime.date(2026, 11, 30))
    """
    with suppress(TypeError, ValueError):
        if not isinstance(day, int | float) and not pd.isna(pd.Timestamp(day)):
            return pd.Timestamp(day).date()
    raise InputError.one(where, f"{day!r} is not a date", "give a date, or text: YYYY-MM-DD")


def read_month(month: Month, where: str = "month") -> pd.Timestamp:
    """The first day of a month.

    >>> read_month("2026-09") == read_month(pd.Period("2026-09")) == read_month(dt.date(2026, 9, 4))
    True
    """
    with suppress(AttributeError, TypeError, ValueError):
        first: object = pd.NaT if isinstance(month, int | float) else pd.Period(month, freq="M")
        if isinstance(first, pd.Period):
            return first.to_timestamp()
    what = f"{month!r} is not a valid month"
    raise InputError.one(where, what, "give a Period, or text: YYYY-MM")


def list_values(values: object) -> list[Any]:
    """One value, or several, as a list."""
    is_one = isinstance(values, str) or not isinstance(values, Iterable)
    return [values] if is_one else list(cast("Iterable[Any]", values))


def list_urns(urns: Urns) -> list[str]:
    """URNs as text, in the order given; each school once.

    >>> list_urns(100036), list_urns(["100036", 100037.0, np.int64(100036)])
    (['100036'], ['100036', '100037'])
    """
    return list(dict.fromkeys(read_urn(urn) for urn in list_values(urns)))


def read_urn(urn: object) -> str:
    """A URN as text; whole numbers have no point."""
    is_number = isinstance(urn, float | np.floating) and float(urn).is_integer()
    return str(int(urn) if is_number else urn).strip()  # type: ignore[call-overload]  # a float
