"""Models of one's own: they stand next to ours, are cloned, checked, and see no later month."""

import dataclasses
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from no_pupils import estimate_without_pupils
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from patrolplan.errors import InputError
from patrolplan.risk.backtest import backtest_risk
from patrolplan.risk.own_model import FIRST_MONTH, Estimator, ModelTables, check_prediction

from .test_backtest import build_timed_area


class _LastYear(BaseEstimator):
    """Last year's mean goes on, times a factor."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):  # noqa: ARG002, N803
        self.rows_ = len(X)
        return self

    def predict(self, X):  # noqa: N803
        return self.factor * X["mean_12_months"].to_numpy()


class _Recorder(_LastYear):
    """Notes in a shared list the months that it was given, and those that are asked for."""

    seen: ClassVar = []

    def fit(self, X, y):  # noqa: ARG002, N803
        self.seen.append(("fit", X.index.get_level_values("month").max()))
        return self

    def predict(self, X):  # noqa: N803
        self.seen.append(("predict", X.index.get_level_values("month").max()))
        return super().predict(X)


class _Gives(_LastYear):
    """Predicts what it was made with, a function of the rows."""

    def __init__(self, value=None):
        self.value = value

    def predict(self, X):  # noqa: N803
        return self.value(len(X))


@pytest.fixture
def area(make):
    """Sixteen months of two kinds of crime."""
    thefts = make.rows([9] * 16, range(40), 2, "Other theft")
    return make.area(make.rows([12] * 16, range(20)) + thefts)


def assert_same_figures(results, *names):
    """Two models of a back-test have every figure the same, digit by digit."""
    one, other = (
        results[results["model"] == name].drop(columns="model").reset_index(drop=True)
        for name in names
    )
    assert len(one) > 0
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_the_prior_count_as_a_model_of_ones_own_has_the_same_numbers(area):
    """Every figure of such a model equals that of our prior count, digit by digit."""
    months = ("2022-11", "2023-04")
    results = backtest_risk(area, origins=months, models={"mine": _LastYear()}).results
    assert_same_figures(results, "mine", "prior")
    ours = results[results["model"] != "mine"].reset_index(drop=True)
    alone = backtest_risk(area, origins=months).results
    pd.testing.assert_frame_equal(ours, alone, check_exact=True)


def test_risk_by_ones_own_model_is_that_of_the_same_model_of_ours(area):
    """Risk by an equal model is equal, and a note says whose model it is."""
    own, ours = (
        estimate_without_pupils(area, model=_LastYear()),
        estimate_without_pupils(area, model="prior"),
    )
    assert np.array_equal(own.joined, ours.joined)
    assert (own.model, ours.model) == ("_LastYear", "prior")
    assert not np.array_equal(own.joined, estimate_without_pupils(area).joined)
    notes = [note.text for note in own.notes]
    assert any("the analyst's own ('_LastYear')" in note for note in notes)
    assert any("chosen by the analyst" in note.text for note in ours.notes)


def test_the_model_that_is_given_stays_as_it_is(area):
    """Clones are fitted, never the model itself, not even one that was fitted before."""
    model = _LastYear(2.0)
    before = dict(vars(model))
    backtest_risk(area, origins="2023-04", models={"mine": model})
    estimate_without_pupils(area, model=model)
    assert vars(model) == before


def test_no_model_sees_a_later_month(area):
    """Each fit ends before the month that is then asked for, which is the one that is scored."""
    _Recorder.seen.clear()
    test = backtest_risk(area, origins=("2022-12", "2023-04"), models={"mine": _Recorder()})
    fits = sorted(month for kind, month in _Recorder.seen if kind == "fit")
    predicted = sorted(month for kind, month in _Recorder.seen if kind == "predict")
    assert len(fits) == len(predicted) == 2 * len(test.origins)
    assert predicted == [before + pd.DateOffset(months=1) for before in fits]
    assert set(predicted) == set(test.origins)


def test_models_that_draw_give_the_same_each_time(area):
    """Equal runs are equal, whatever random_state is, also inside a pipeline."""
    forest = RandomForestRegressor(2, max_depth=2)
    seeded = RandomForestRegressor(2, max_depth=2, random_state=np.random.RandomState(7))
    for model in (forest, seeded, make_pipeline(StandardScaler(), forest)):
        first, second = (estimate_without_pupils(area, model=model).joined for _ in range(2))
        assert np.array_equal(first, second)


def test_scikit_learn_plugs_in(make):
    """A regressor of scikit-learn works as it is, is printed, and does not become chosen."""
    mine = make_pipeline(StandardScaler(), PoissonRegressor(alpha=1.0, max_iter=1000))
    assert isinstance(mine, Estimator)
    area = make.area(make.rows([60] * 16, range(20)))
    test = backtest_risk(area, origins=("2023-03", "2023-04"), models={"mine": mine})
    rows = test.results[test.results["model"] == "mine"]
    assert not rows["chosen"].any()
    assert np.isfinite(rows["log_score_gain"]).all()
    assert (rows["log_score_gain"] > -1).all()
    assert "\n  mine\n" in str(test)


def test_a_category_without_crime_to_learn_from_is_expected_nowhere(make):
    """No model is fitted on a category that had nothing before the month."""
    late = make.rows([0] * 15 + [9], range(20), 2, "Other theft")
    area = make.area(make.rows([12] * 16, range(20)) + late)
    mine = make_pipeline(StandardScaler(), PoissonRegressor(max_iter=1000))
    assert np.isfinite(estimate_without_pupils(area, model=mine).joined).all()
    last = ("2023-03", "2023-04")  # it had nothing before the last month
    results = backtest_risk(area, origins=last, models={"mine": mine}).results
    rows = results[(results["model"] == "mine") & (results["category"] == "Other theft")]
    assert (rows["n_events"] == 9).all()


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (lambda rows: np.full(rows, -0.5), "predictions are below 0, the first in row 0: -0.5"),
        (lambda rows: np.full(rows, np.nan), "are not finite, the first in row 0: nan"),
        (lambda rows: np.full(rows, np.inf), "not finite"),
        (lambda rows: np.ones(rows - 1), "for 60 rows"),
        (lambda rows: np.ones((rows, 2)), r"an array of shape \(60, 2\)"),
        (lambda rows: ["much"] * rows, "list that is not all numbers"),
        (lambda rows: None, "an array of shape"),  # noqa: ARG005
    ],
)
def test_bad_predictions_are_refused(area, value, seen):
    """The error names the model, the category and the month, the value and what to give."""
    for call in (
        lambda: backtest_risk(area, models={"my model": _Gives(value)}),
        lambda: estimate_without_pupils(area, model=_Gives(value)),
    ):
        with pytest.raises(InputError, match=seen) as raised:
            call()
        text = str(raised.value)
        assert "model 'my model'" in text or "model '_Gives'" in text
        assert "Robbery, 20" in text
        assert "each a finite number of 0 or more" in text


def test_a_column_of_predictions_is_fine():
    """Some regressors predict a column: it is taken as the numbers that it holds."""
    assert np.array_equal(check_prediction([[1], [2]], 2, "mine", "Robbery"), [1.0, 2.0])


class _NoPredict(BaseEstimator):
    def fit(self, X, y):  # noqa: ARG002, N803
        return self


class _Changed(_LastYear):
    def __init__(self, factor=1.0):
        self.factor = [factor]


@pytest.mark.parametrize(
    ("models", "seen"),
    [
        ({"mine": _LastYear}, r"_LastYear is a class; give _LastYear\(\)"),
        ({"mine": _NoPredict()}, "_NoPredict has no predict; derive it"),
        ({"mine": object()}, "object has no fit, no predict"),
        ({"mine": _Changed()}, "_Changed cannot be cloned"),
        ({"prior": _LastYear()}, "'prior' is the name of one of ours"),
        ({"auto": _LastYear()}, "'auto' is the name of one of ours"),
        ({"": _LastYear()}, "'' is not a name"),
    ],
)
def test_what_is_no_model_is_refused(area, models, seen):
    """Before any work is done, the error says what is wrong and what to give."""
    with pytest.raises(InputError, match=seen):
        backtest_risk(area, models=models)


def test_a_name_that_no_model_has_is_refused(area):
    """The error lists the names that there are."""
    with pytest.raises(InputError, match=r"'priors' is not the name .* prior, "):
        estimate_without_pupils(area, model="priors")


def test_an_error_in_the_models_own_code_says_where(area):
    """The model's own error comes through, with a note that names model, category and month."""

    def fail(rows):
        message = f"no idea about {rows} rows"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="no idea about 60 rows") as raised:
        backtest_risk(area, models={"mine": _Gives(fail)})
    where = "raised by model 'mine' on Robbery, with the months before 20"
    assert where in raised.value.__notes__[0]


def test_inside_a_window_ones_own_model_counts_times_the_clock(make):
    """In a window, prior counts as a model of one's own are prior counts by the clock."""
    area = build_timed_area(make)
    months = ("2023-02", "2023-04")
    test = backtest_risk(area, origins=months, window="after", models={"mine": _LastYear()})
    assert_same_figures(test.results, "mine", "prior by clock")


@pytest.fixture
def history(make):
    """Twenty months of two kinds of crime in sixty places."""
    return make.history(make.uneven())


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
        assert incidents[row.name] == history.counts[month, place, 1]
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
    assert np.array_equal(coming["shrunk"], history.shrunk_rates.means[:, 0])
    assert np.array_equal(coming["mean_12_months"], history.count_last(12)[:, 0] / 12)


@pytest.mark.parametrize("month", [5, 12, 19])
def test_a_row_rests_on_the_months_before_it(history, month):
    """Poison from a month on changes no column of that month's rows, nor of earlier ones."""
    counts = history.counts.copy()
    counts[month:] += np.arange(counts.shape[1])[None, :, None].astype(np.int32)
    poisoned = dataclasses.replace(history, counts=counts)
    clean, bad = (ModelTables(one).build_training(0)[0] for one in (history, poisoned))
    until = clean.index.get_level_values("month") <= history.months[month]
    pd.testing.assert_frame_equal(clean[until], bad[until], check_exact=True)
    if month < 19:
        assert not clean[~until].equals(bad[~until])


def test_months_that_were_not_published_are_no_rows(history):
    """A place's missing month is neither learned from nor counted as without crime."""
    exposure = np.ones(history.counts.shape[:2])
    exposure[15, :10] = 0.0
    counts = history.counts * (exposure > 0)[:, :, None]
    withheld = dataclasses.replace(history, counts=counts, exposure=exposure)
    whole, masked = ModelTables(history).build_training(0), ModelTables(withheld).build_training(0)
    gone = whole[0].index.difference(masked[0].index)
    assert list(gone) == [(history.months[15], place) for place in range(10)]
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
