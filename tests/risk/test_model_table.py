"""Tables that models of one's own learn from: columns by hand, and nothing from later months."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from patrolplan.risk.history import History
from patrolplan.risk.model_table import FIRST_MONTH, ModelTables
from patrolplan.risk.shrinkage import compute_shrunk_rates


@pytest.fixture
def history(make):
    """Twenty months of two kinds of crime in sixty places."""
    return make.history(make.uneven())


def _withhold(history, month, places):
    """The same history with a month that was not published in some places."""
    exposure = np.ones(history.counts.shape[:2])
    exposure[month, places] = 0.0
    counts = history.counts.copy()
    counts[month, places] = 0
    return dataclasses.replace(history, counts=counts, exposure=exposure)


def test_columns_are_those_of_a_plain_loop(history):
    """Means, sums of all categories and the calendar are what a loop over rows gives."""
    table, incidents = ModelTables(history).build_training(1)
    places = len(history.units)
    for month, place in ((3, 0), (7, 11), (19, 59)):
        row = table.iloc[(month - FIRST_MONTH) * places + place]
        assert row.name == (history.months[month], place)
        for span, name in ((1, "mean_1_month"), (3, "mean_3_months"), (12, "mean_12_months")):
            before = history.counts[max(0, month - span) : month, place]
            assert row[name] == pytest.approx(before[:, 1].sum() / len(before))
        before = history.counts[max(0, month - 12) : month, place]
        assert row["all_12_months"] == pytest.approx(before.sum() / len(before))
        assert row["other: kind 0"] == pytest.approx(before[:, 0].sum() / len(before))
        assert row["month_of_year"] == history.months[month].month
        assert row["month_number"] == month
        assert row["metres"] == history.units.metres[place]
        assert (
            incidents.iloc[(month - FIRST_MONTH) * places + place]
            == (history.counts[month, place, 1])
        )
    assert len(table) == len(incidents) == (20 - FIRST_MONTH) * places
    assert not table.isna().to_numpy().any()
    assert table.index.equals(incidents.index)


def test_around_is_what_lies_within_300_metres(history):
    """The columns of the surroundings sum the other places whose points are near."""
    table = ModelTables(history).build_next(0)
    xy = history.units.catchments.xy
    near = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= 300.0
    np.fill_diagonal(near, val=False)
    recent = history.counts[-3:].sum(axis=0) / 3
    assert np.allclose(table["around_3_months"], near @ recent[:, 0])
    assert np.allclose(table["all_around_3_months"], near @ recent.sum(axis=1))


def test_the_next_month_has_the_columns_of_those_before(history):
    """What is predicted from has the columns of what is learned from, in the next month."""
    tables = ModelTables(history)
    coming, (past, _) = tables.build_next(0), tables.build_training(0)
    assert list(coming.columns) == list(past.columns)
    assert set(coming.index.get_level_values("month")) == {pd.Timestamp("2023-09-01")}
    assert np.array_equal(coming["shrunk"], compute_shrunk_rates(history)[:, 0])
    assert np.array_equal(coming["mean_12_months"], history.count_last(12)[:, 0] / 12)


@pytest.mark.parametrize("month", [5, 12, 19])
def test_a_row_rests_on_the_months_before_it(history, month):
    """Poison from a month on changes no column of that month's rows, nor of earlier ones."""
    counts = history.counts.copy()
    counts[month:] += np.arange(counts.shape[1])[None, :, None].astype(np.int32)
    poisoned = History(counts, history.months, history.categories, history.targets, history.units)
    clean, bad = (ModelTables(one).build_training(0)[0] for one in (history, poisoned))
    until = clean.index.get_level_values("month") <= history.months[month]
    pd.testing.assert_frame_equal(clean[until], bad[until], check_exact=True)
    if month < 19:
        assert not clean[~until].equals(bad[~until])


def test_months_that_were_not_published_are_no_rows(history):
    """A place's missing month is neither learned from nor counted as without crime."""
    places = np.arange(10)
    withheld = _withhold(history, 15, places)
    whole, masked = ModelTables(history).build_training(0), ModelTables(withheld).build_training(0)
    gone = whole[0].index.difference(masked[0].index)
    assert list(gone) == [(history.months[15], place) for place in places]
    assert len(masked[1]) == len(masked[0])
    row = masked[0].xs(history.months[16]).loc[3]
    held = history.counts[13:15, 3, 0]
    assert row["mean_3_months"] == pytest.approx(held.sum() / 2)
    assert ModelTables(withheld).build_next(0).shape == ModelTables(history).build_next(0).shape


def test_a_month_in_part_counts_as_a_whole_one(history):
    """Where three quarters of a month were published, a whole one would have a third more."""
    exposure = np.ones(history.counts.shape[:2])
    exposure[10] = 0.75
    part = dataclasses.replace(history, exposure=exposure)
    incidents = ModelTables(part).build_training(0)[1].xs(history.months[10])
    assert np.allclose(incidents, history.counts[10, :, 0] / 0.75)


def test_too_few_months_give_an_empty_table(history):
    """Before the fourth month there is nothing to learn from, and the columns are the same."""
    short = history.cut_before(history.months[FIRST_MONTH])
    table, incidents = ModelTables(short).build_training(0)
    assert len(table) == len(incidents) == 0
    assert list(table.columns) == list(ModelTables(short).build_next(0).columns)
