"""The back-test inside a window: incidents of that time on school days alone."""

import numpy as np
import pandas as pd
import pytest

from patrolplan.area.patrol_window import Window
from patrolplan.errors import InputError
from patrolplan.risk.backtest import backtest_risk
from patrolplan.risk.history import build_history
from patrolplan.risk.rolling_origin import AUTO_ALL_HOURS, PRIOR_BY_CLOCK
from patrolplan.risk.window import build_mask, count_inside

AFTER = {"patrol": {"windows": {"after": {"from": "15:00", "to": "17:00"}}}}
TERMS = pd.DataFrame(
    {
        "urn": "*",
        "from": pd.to_datetime(["2022-01-04", "2022-09-01", "2023-01-04"]),
        "to": pd.to_datetime(["2022-07-20", "2022-12-20", "2023-07-20"]),
        "kind": "term",
    }
)


def build_timed_area(make, seed=1, months=17, **settings):
    """Robbery of afternoons in some streets, and three times as much at night in others."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2022-01-01", periods=months, freq="MS")
    end = days[-1] + pd.offsets.MonthEnd()
    rows = []
    for day in pd.date_range(days[0], end, freq="D"):
        for places, hours, number in (((0, 30), (15, 17), 0.6), ((30, 60), (22, 24), 1.8)):
            for _ in range(rng.poisson(number)):
                at = day + pd.Timedelta(minutes=int(rng.integers(hours[0] * 60, hours[1] * 60)))
                place = int(rng.integers(*places) ** 2 / 60 % 60)
                rows.append(
                    {
                        "piece": place,
                        "category": "Robbery",
                        "month": day.replace(day=1),
                        "occurred_at": at,
                    }
                )
    return make.area(rows, settings={**AFTER, **settings}, term_dates=TERMS)


def test_only_the_window_on_school_days_is_counted(make):
    """The counts are those of a plain loop over incidents; holidays and weekends do not count."""
    area = build_timed_area(make)
    history = build_history(area)
    counts = count_inside(area, history, np.arange(15 * 60, 16 * 60))
    wanted = np.zeros_like(counts)
    for row, place in zip(area.incidents.itertuples(), area.incident_catchment, strict=True):
        at = row.occurred_at
        in_term = ((at >= TERMS["from"]) & (at < TERMS["to"] + pd.Timedelta(days=1))).any()
        if at.hour == 15 and at.day_of_week < 5 and in_term:
            wanted[history.months.get_loc(row.month), place, 0] += 1
    assert np.array_equal(counts, wanted)
    assert counts.sum() > 50
    share = build_mask(area, history, Window(60, 15 * 60)).share
    assert share[7] == 0  # August
    assert share[1] == pytest.approx(20 / 28 / 24)


def test_a_window_over_midnight_belongs_to_the_day_before(make):
    """A minute after midnight counts on the day, and in the month, on which the window began."""
    rows = [
        {"piece": 1, "category": "Robbery", "month": f"{at[:7]}-01", "occurred_at": at}
        for at in ("2022-03-01 00:10", "2022-03-31 23:50", "2022-04-01 00:20")
    ]
    area = make.area(rows, term_dates=TERMS)
    history = build_history(area)
    counts = count_inside(area, history, np.arange(23 * 60 + 30, 24 * 60 + 30))
    assert counts.sum() == counts[0, 1, 0] == 2  # the first began in February, before the data


def test_the_clock_finds_the_afternoon(make):
    """Risk by the clock finds the streets of the afternoon; all hours lead to the night's."""
    area = build_timed_area(make, way_home={"exposure": {}})
    table = backtest_risk(area, origins=("2022-12", "2023-05"), window="after").results
    assert (table["window"] == "after").all()
    at_ten = table[(table["coverage"] == 0.1) & (table["category"] == "Robbery")]
    pai = at_ten.set_index("model")["pai"]
    assert pai["auto"] > 1.5 * pai[AUTO_ALL_HOURS]
    assert pai[PRIOR_BY_CLOCK] > 1.5 * pai["prior"]
    gain = at_ten.set_index("model")["log_score_gain"]
    assert gain["auto"] > gain[AUTO_ALL_HOURS] + 0.5
    over = np.mean(at_ten.set_index("model")["observed_over_expected"]["auto"])
    assert 0.6 < over < 1.6
    assert table["reference"].isna().all()
    assert table.loc[table["model"] == "auto", "chosen"].all()


def test_the_default_window_can_be_named(make):
    """The window from each school's bell is called after_school, also where no window is set."""
    area = build_timed_area(make)
    table = backtest_risk(area, origins=("2023-01", "2023-02"), window="after_school").results
    assert (table["window"] == "after_school").all()
    inside = count_inside(area, build_history(area), np.arange(14 * 60 + 50, 17 * 60 + 20))
    assert 0 < table["n_events"].max() <= inside[12:14].sum()


def test_what_a_window_needs_is_said(make):
    """Months alone, an unknown window and one without crime are errors that say what to do."""
    months_only = make.area(make.rows([9] * 14, range(20)), settings=AFTER)
    with pytest.raises(InputError, match=r"times of day are not known.*occurred_at"):
        backtest_risk(months_only, window="after")
    area = build_timed_area(make)
    with pytest.raises(InputError, match="no window 'noon'"):
        backtest_risk(area, window="noon")
    early = {"patrol": {"windows": {"early": {"from": "05:00", "to": "06:00"}}}}
    with pytest.raises(InputError, match="no crime with a known time"):
        backtest_risk(build_timed_area(make, **early), window="early")
