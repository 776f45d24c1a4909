"""Kinds of day from term dates, and which of them the data has enough of."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.risk.day_kinds import (
    HOLIDAY,
    MAX_SINGLE_DAYS,
    MIN_DAYS,
    OTHER_WEEKDAY,
    SCHOOL_DAY,
    UNKNOWN_WEEKDAY,
    WEEKEND,
    find_day_kind,
    find_day_kinds,
    join_day_kinds,
)

NO_DATES = pd.DataFrame({"urn": [], "from": [], "to": [], "kind": []})


def _dates(*rows):
    """Term dates of (from, to, kind), or (from, to, kind, urn)."""
    table = pd.DataFrame([(*row, "*")[:4] for row in rows], columns=["from", "to", "kind", "urn"])
    return table.assign(**{name: pd.to_datetime(table[name]) for name in ("from", "to")})


TERMS = _dates(
    ("2026-01-05", "2026-03-27", "term"),
    ("2026-02-16", "2026-02-20", "closed"),
    ("2026-03-06", "2026-03-06", "closed"),
    ("2026-03-09", "2026-03-10", "closed", "900001"),
    ("2026-04-13", "2026-07-21", "term"),
)


def _find_slowly(dates, days):
    """The kind of each day, by walking to both ends of its run of weekdays without school."""
    one_day, rows = dt.timedelta(days=1), list(dates.itertuples(index=False))
    spans = [(row[0].date(), row[1].date(), row.kind, row.urn) for row in rows]
    terms = [(first, last) for first, last, kind, _ in spans if kind == "term"]
    closures = [(a, b) for a, b, kind, urn in spans if kind == "closed" and urn == "*"]
    begin, end = min(a for a, _ in terms), max(b for _, b in terms)

    def has_school(day):
        in_term = any(a <= day <= b for a, b in terms)
        return in_term and not any(a <= day <= b for a, b in closures)

    def find(day):
        if day.weekday() >= 5:
            return WEEKEND
        if not begin <= day <= end:
            return UNKNOWN_WEEKDAY
        if has_school(day):
            return SCHOOL_DAY
        run = 1
        for step in (-one_day, one_day):
            other = day + step
            while begin <= other <= end and (other.weekday() >= 5 or not has_school(other)):
                run += other.weekday() < 5
                other += step
        return OTHER_WEEKDAY if run <= MAX_SINGLE_DAYS else HOLIDAY

    return [find(day.date()) for day in days]


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 60), st.booleans()), min_size=1, max_size=6
    )
)
def test_kinds_are_those_of_a_day_by_day_walk(periods):
    """The kinds of all days at once are those found one day after the other."""
    first = pd.Timestamp("2026-01-01")
    rows = [("2026-01-05", "2026-07-21", "term")] + [
        (first + pd.Timedelta(days=a), first + pd.Timedelta(days=a + length),
         "term" if is_term else "closed") for a, length, is_term in periods
    ]  # fmt: skip
    dates, days = _dates(*rows), pd.date_range("2025-12-20", "2026-10-20")
    assert find_day_kinds(dates, days).tolist() == _find_slowly(dates, days)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-01-06", "school_day"),
        ("2026-01-10", "weekend"),
        ("2026-02-18", "holiday"),
        ("2026-02-21", "weekend"),
        ("2026-03-06", "other_weekday"),
        ("2026-03-09", "school_day"),
        ("2026-04-01", "holiday"),
    ],
)
def test_each_kind_of_day_is_recognised(day, kind):
    """Half term is a holiday, one day is not, and one school's closure closes no other."""
    assert find_day_kind(TERMS, dt.date.fromisoformat(day)) == kind


def test_without_term_dates_weekdays_are_not_known():
    """A weekend is one all the same; a plan takes every weekday for a school day."""
    days = pd.DatetimeIndex(["2026-09-01", "2026-09-05"])
    assert find_day_kinds(NO_DATES, days).tolist() == [UNKNOWN_WEEKDAY, WEEKEND]
    assert find_day_kind(NO_DATES, dt.date(2026, 8, 12)) == "school_day"


@pytest.mark.parametrize(("other", "holiday", "joined"), [(1, 19, False), (3, 16, True)])
def test_weekdays_without_school_are_one_class_if_there_are_enough(other, holiday, joined):
    """Holidays and single days off are alike; fewer than twenty of both go with school days."""
    kinds = np.repeat([SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY], [100, other, 60, holiday])
    found = join_day_kinds(kinds)
    assert found.of_kind[OTHER_WEEKDAY] == found.of_kind[HOLIDAY]
    assert (found.of_kind[HOLIDAY] == found.of_kind[SCHOOL_DAY]) == joined
    assert found.of_kind[WEEKEND] != found.of_kind[SCHOOL_DAY]
    assert found.kind_shares == pytest.approx(np.array([100, other, 60, holiday]) / len(kinds))


@pytest.mark.parametrize("kind", [SCHOOL_DAY, HOLIDAY])
def test_weekdays_of_one_kind_only_are_one_class(kind):
    """Where all are school days, or holidays, they are not divided; nor are few weekends apart."""
    days = join_day_kinds(np.repeat([kind, WEEKEND], [50, MIN_DAYS]))
    assert len(days.shares) == 2
    assert len(set(days.of_kind[[SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]])) == 1
    two_weeks = join_day_kinds(np.repeat([kind, WEEKEND], [10, 4]))
    assert two_weeks.shares == pytest.approx([1.0])


def test_unknown_weekdays_are_mixed_as_the_known_ones():
    """Data from before the first term has school days and holidays in the known proportions."""
    kinds = np.repeat([SCHOOL_DAY, HOLIDAY, WEEKEND, UNKNOWN_WEEKDAY], [60, 30, 60, 60])
    shares = join_day_kinds(kinds).kind_shares
    assert shares == pytest.approx(np.array([100, 0, 60, 50]) / 210)


def test_rates_of_kinds_are_joined_by_their_days():
    """A class has the mean rate of its days, and a density over all time."""
    days = join_day_kinds(
        np.repeat([SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY], [90, 10, 60, 40])
    )
    rates = days.join_rates(np.repeat([1.0, 2.0, 3.0, 4.0], 48).reshape(4, 48))
    assert rates[:, 0] == pytest.approx([1.0, (10 * 2 + 40 * 4) / 50, 3.0])
    density = days.to_density(rates).reshape(3, 48)
    assert density.sum(axis=1) == pytest.approx(np.array([90, 180, 180]) / 450)
    kinds = np.array([SCHOOL_DAY, UNKNOWN_WEEKDAY])
    assert days.find_class(kinds).tolist() == [0, 3]
    assert days.weekday_shares == pytest.approx(np.array([90, 50, 0]) / 140)
