"""Spans of a brief: whole months for open data, days for a force's own extract."""

import datetime as dt

import pandas as pd
import pytest

from patrolplan.errors import InputError
from patrolplan.outputs.brief.periods import Period, choose_periods, find_incident_dates


def incidents(months, days=()):
    """Incidents of these months, and of these days."""
    at = [*(pd.NaT for _ in months), *(pd.Timestamp(day) for day in days)]
    month = [*months, *(f"{pd.Timestamp(day):%Y-%m}" for day in days)]
    return pd.DataFrame(
        {"month": pd.to_datetime(month), "occurred_at": pd.to_datetime(pd.Series(at))}
    )


TWO_YEARS = [f"{month:%Y-%m}" for month in pd.date_range("2024-10-01", "2026-09-01", freq="MS")]
DAYS = [f"{day:%Y-%m-%d} 16:30" for day in pd.date_range("2024-10-01", "2026-09-17")]


def test_months_alone_give_whole_months():
    """A day within a month asks for that whole month, up to the end of the latest one."""
    spans = choose_periods(find_incident_dates(incidents(TWO_YEARS)), dt.date(2026, 7, 20))
    assert not spans.by_day
    assert spans.current == Period(pd.Timestamp("2026-07-01"), pd.Timestamp("2026-10-01"))
    assert spans.year_before == Period(pd.Timestamp("2025-07-01"), pd.Timestamp("2025-10-01"))
    assert spans.baseline == Period(pd.Timestamp("2025-07-01"), pd.Timestamp("2026-07-01"))
    assert spans.exposure == pytest.approx(3 / 12)
    assert len(spans.baseline_blocks) == 13


def test_days_count_from_that_day():
    """With days, counting starts on the day asked for and ends on the latest day held."""
    spans = choose_periods(find_incident_dates(incidents([], DAYS)), dt.date(2026, 9, 10))
    assert spans.by_day
    assert (spans.current.start, spans.current.last) == (
        pd.Timestamp("2026-09-10"),
        pd.Timestamp("2026-09-17"),
    )
    assert spans.year_before.start == pd.Timestamp("2025-09-10")
    assert spans.exposure == pytest.approx(8 / 365)


def test_no_year_before_where_it_is_not_held():
    """Less than a year of data compares with what there is, and says that no year before is."""
    spans = choose_periods(find_incident_dates(incidents(TWO_YEARS[-6:])), dt.date(2026, 9, 1))
    assert spans.year_before is None
    assert spans.baseline.months == 5


def test_a_month_counts_only_where_it_lies_in_whole():
    """Among dated incidents, one of which only the month is known is not put on a day."""
    when = find_incident_dates(incidents(["2026-09"], DAYS))
    inside = when.is_inside(Period(pd.Timestamp("2026-09-10"), pd.Timestamp("2026-10-01")))
    assert not inside[0]
    assert inside.sum() == 8
    assert when.is_inside(Period(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01")))[0]


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (dt.date(2026, 10, 1), "lies after the latest month held, 2026-09"),
        (dt.date(2024, 10, 30), "leaves nothing before it: the data starts with 2024-10"),
    ],
)
def test_a_day_out_of_the_data_is_refused(since, told):
    """A day after the data, or at its very start, is refused with what is held."""
    with pytest.raises(InputError, match=told):
        choose_periods(find_incident_dates(incidents(TWO_YEARS)), since)


def test_a_day_after_the_latest_day_is_refused():
    """With days, the latest day is named."""
    with pytest.raises(InputError, match="latest day held, 2026-09-17"):
        choose_periods(find_incident_dates(incidents([], DAYS)), dt.date(2026, 9, 18))


def test_a_few_days_among_months_leave_whole_months():
    """A dated incident or two beside open data does not turn counting by months into days."""
    spans = choose_periods(
        find_incident_dates(incidents(TWO_YEARS, ["2026-10-05 16:30"])), dt.date(2026, 7, 20)
    )
    assert not spans.by_day
    assert spans.current == Period(pd.Timestamp("2026-07-01"), pd.Timestamp("2026-11-01"))
