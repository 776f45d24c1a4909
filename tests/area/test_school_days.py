"""The days on which schools are open."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.area.school_days import find_open_days
from patrolplan.risk.day_kinds import SCHOOL_DAY, find_day_kinds

DAYS = pd.date_range("2026-11-02", periods=21)  # from a Monday
ROWS = st.tuples(
    st.sampled_from(["*", "A", "B"]),
    st.integers(0, 20),
    st.integers(0, 10),
    st.sampled_from(["term", "closed"]),
)


def _build_table(*rows):
    """Term dates of (urn, from, to, kind)."""
    table = pd.DataFrame(rows, columns=["urn", "from", "to", "kind"])
    return table.assign(**{name: pd.to_datetime(table[name]) for name in ("from", "to")})


def _is_open_slowly(table, urn, day):
    """Whether a school is open on a day, by reading the table's rows as a person would."""
    if f"{day:%a}" in {"Sat", "Sun"}:
        return False
    rows = [row for row in table.itertuples(index=False) if row.urn in {urn, "*"}]
    on_day = [row for row in rows if row[1] <= day <= row[2]]
    own_kinds = {row.kind for row in on_day if row.urn == urn}
    kinds = own_kinds or {row.kind for row in on_day}
    if "closed" in kinds:
        return False
    return "term" in kinds or all(row.kind == "closed" for row in rows)


@given(st.lists(ROWS, max_size=7))
def test_open_days_are_those_of_a_day_by_day_reading(rows):
    """All days and schools at once are as each school and day read row by row."""
    days = [DAYS[first] for _, first, _, _ in rows]
    rows = [(urn, day, day + dt.timedelta(length), kind)
            for (urn, _, length, kind), day in zip(rows, days, strict=True)]  # fmt: skip
    table, urns = _build_table(*rows), ["A", "B", "C"]
    slow = [[_is_open_slowly(table, urn, day) for day in DAYS] for urn in urns]
    assert find_open_days(table, urns, DAYS).tolist() == slow


def test_a_schools_own_dates_outrank_those_for_all():
    """Own closed day in term, own term in a general holiday, no term rows at all."""
    terms = _build_table(
        ("*", "2026-11-02", "2026-12-18", "term"),
        ("*", "2026-12-02", "2026-12-02", "closed"),
        ("A", "2026-12-01", "2026-12-01", "closed"),
        ("B", "2026-12-02", "2026-12-02", "term"),
    )
    days = [dt.date(2026, 12, 1), dt.date(2026, 12, 2), dt.date(2026, 12, 21)]
    is_open = find_open_days(terms, ["A", "B", "C"], days)
    assert is_open.tolist() == [[False, False, False], [True, True, False], [True, False, False]]
    is_open = find_open_days(terms[1:3], ["A", "C"], days)
    assert is_open.tolist() == [[False, False, True], [True, False, True]]


def test_no_school_is_open_at_a_weekend():
    """Neither in a term that a Saturday lies in, nor where no row names a term."""
    weekend = [dt.date(2026, 12, 5), dt.date(2026, 12, 6)]
    of_saturday = _build_table(("A", "2026-12-05", "2026-12-05", "term"))
    for terms in (of_saturday, of_saturday[:0]):
        assert not find_open_days(terms, ["A", "B"], weekend).any()


@pytest.mark.parametrize(("rows", "is_school_day"), [
    ([("A", "term"), ("B", "closed")], True),
    ([("A", "term"), ("A", "closed")], True),
    ([("A", "term"), ("*", "closed")], False),
    ([("*", "term"), ("A", "closed"), ("B", "closed")], True),
])  # fmt: skip
def test_the_area_has_school_in_any_schools_term_but_no_closure_of_all(rows, is_school_day):
    """One school's closure says nothing of the others; one that is for all outranks each term."""
    day = "2026-12-02"
    table = _build_table(*((urn, day, day, kind) for urn, kind in rows))
    kinds = find_day_kinds(table, pd.DatetimeIndex([day]))
    assert (kinds.tolist() == [SCHOOL_DAY]) == is_school_day
