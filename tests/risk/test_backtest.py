"""The back-test: what it measures, which model it chooses, and how sure it is."""

import numpy as np
import pytest

from patrolplan.errors import InputError
from patrolplan.outputs import plot
from patrolplan.outputs.note_words import describe_note
from patrolplan.risk.backtest import COLUMNS, backtest_risk
from patrolplan.risk.choices import compute_log_score_gain
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.models import DecayedCount, PriorCount, ShrunkCount
from patrolplan.risk.rolling_origin import run_trials
from patrolplan.risk.scores import compute_hits, simulate_reference


@pytest.fixture(scope="module")
def result(demo_area):
    """The demo borough, tested on its last months."""
    return backtest_risk(demo_area)


def test_columns_and_rows(result):
    """One row for each category, model and coverage, with the promised columns."""
    table = result.results
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(["category", "model", "coverage"]).any()
    assert set(table["coverage"]) == {0.01, 0.02, 0.03, 0.05, 0.1}
    assert (table.groupby(["category", "coverage"])["chosen"].sum() == 1).all()
    assert table["category"].iloc[-1] == "all"


def test_measures_agree(result):
    """PAI is the hit rate over the coverage, its ratio and difference are to prior counts."""
    table = result.results.set_index(["category", "model", "coverage"])
    assert np.allclose(table["hit_rate"] / table.index.get_level_values("coverage"), table["pai"])
    prior = table.xs("prior count", level="model")
    for name, rows in table.groupby(level="model"):
        rows = rows.droplevel("model")  # noqa: PLW2901
        assert np.allclose(rows["pai"] / prior["pai"], rows["ratio"]), name
        assert np.allclose(rows["pai"] - prior["pai"], rows["difference"]), name
    assert (table["pei"] <= 1 + 1e-9).all()
    assert (prior[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert (table["difference_low"] <= table["difference"] + 1e-9).all()
    assert (table["difference"] <= table["difference_high"] + 1e-9).all()


def test_plot(result):
    """The plot shows chosen model, prior counts and reference; an unknown category is an error."""
    axes = plot.coverage(result, "Robbery")
    assert len(axes.lines) == 2
    with pytest.raises(KeyError, match="choose from"):
        plot.coverage(result, "Piracy")


def test_stack_looks_back_only(make):
    """The weights at an origin stay the same when the months from it on are poisoned."""
    counts = make.uneven(months=18)
    poisoned = counts.copy()
    poisoned[15:, :30] += 500
    models = {
        "prior count": PriorCount(),
        "shrunk count": ShrunkCount(),
        "decayed count": DecayedCount(),
    }
    found = []
    for values in (counts, poisoned):
        h = make.history(values)
        trials = run_trials(h, models, list(h.months[6:]), np.ones(2), seed=1)
        found.append(trials.stacks)
    clean, bad = (np.array([stack.weights for stack in stacks]) for stacks in found)
    assert len(clean) == 18 - 6 + 1
    assert np.array_equal(clean[: 15 - 6 + 1], bad[: 15 - 6 + 1])
    assert not np.array_equal(clean[-1], bad[-1])


def test_a_plan_has_the_stack_that_the_back_test_tests(make):
    """A plan weighs the models as the back-test does after its last month."""
    thefts = make.rows([15] * 22, range(60), 2, "Other theft")
    area = make.area(make.rows([40] * 22, range(40)) + thefts)
    tested = backtest_risk(area)
    planned = {choice.category: choice.weights for choice in estimate_risk(area).choices}
    assert {choice.category: choice.weights for choice in tested.choices} == planned
    assert len(planned) == 2


def test_log_score_by_hand(make):
    """The log score is the sum of log2 of the shares expected, the gain their mean difference."""
    counts = make.uneven(months=20, kinds=1)
    h = make.history(counts)
    models = {"prior count": PriorCount(), "shrunk count": ShrunkCount()}
    trials = run_trials(h, models, list(h.months[12:]), np.ones(1), seed=1)
    bits = 0.0
    for month in range(12, 20):
        rates = np.maximum(ShrunkCount().fit(h.cut_before(h.months[month])).rates_[:, 0], 1e-4)
        bits += (h.counts[month, :, 0] * np.log2(rates / rates.sum())).sum()
    assert trials.bits[1, :, 0].sum() == pytest.approx(bits)
    gain, low, high = compute_log_score_gain(trials, seed=1)
    wanted = (bits - trials.smoothed_bits[:, 0].sum()) / h.totals[12:].sum()
    assert gain[1, 0] == pytest.approx(wanted)
    assert low[1, 0] < gain[1, 0] < high[1, 0]
    assert gain[1, 0] == pytest.approx(gain[1, 1])


def test_log_score_and_calibration_columns(result):
    """Every row has a log score within its interval, and ten ratios about one for the stack."""
    table = result.results
    assert (table["log_score_low"] <= table["log_score_gain"]).all()
    assert (table["log_score_gain"] <= table["log_score_high"]).all()
    assert (table["observed_over_expected"].map(len) == 10).all()
    assert table["window"].isna().all()
    chosen = table[table["chosen"] & (table["coverage"] == 0.05)].set_index("category")
    assert (chosen["log_score_low"] > 0).all()
    ratios = np.array(chosen.loc["all", "observed_over_expected"])
    assert (ratios > 0.85).all()
    assert (ratios < 1.15).all()
    lowest = table[table["model"] == "prior count"].set_index("category")["observed_over_expected"]
    assert lowest["Robbery"].iloc[0][0] > 2


@pytest.mark.parametrize(
    ("months", "options", "message"),
    [
        (6, {}, "add earlier months"),
        (14, {"origins": ("2022-02", "2022-09")}, "outside 2022-07..2023-02"),
        (14, {"origins": ("2022-09", "2022-08")}, "is after"),
        (14, {"origins": ("soon", "2022-08")}, "not a valid month"),
        (14, {"categories": ["Piracy"]}, "choose from: Robbery"),
    ],
)
def test_what_cannot_be_scored(make, months, options, message):
    """Months and categories that cannot be scored are named, with what can be."""
    with pytest.raises(InputError, match=message):
        backtest_risk(make.area(make.rows([5] * months, range(10))), **options)


def test_few_origins_give_no_interval(make):
    """With fewer than six months an interval is not pretended."""
    area = make.area(make.rows([20] * 16, range(20)))
    table = backtest_risk(area, origins=("2023-01", "2023-03")).results
    assert table["difference_low"].isna().all()


def test_reference_knows_the_rates(make):
    """In a world of known rates, the reference is what ranking by them gets, and no less."""
    rng = np.random.default_rng(11)
    counts = make.uneven(months=24, places=120, kinds=1, seed=5)
    h = make.history(counts)
    found = simulate_reference(h, np.ones(1), 12, seed=1)
    assert np.all(found.low <= found.pai)
    assert np.all(found.pai <= found.high)
    assert np.all(found.ratio >= 1 - 1e-9)
    rates = np.random.default_rng(5).gamma(0.5, 2.0, size=(120, 1))[:, 0] * 1.5
    rates = np.pad(rates, (0, len(h.units) - 120))
    ties = np.arange(len(rates))
    came = rng.poisson(12 * rates, size=(200, len(rates))).T
    caught = compute_hits(rates, h.units.metres, came.astype(float), ties, (0.05,))[0]
    assert (caught / came.sum(axis=0)).mean() / 0.05 == pytest.approx(found.pai[0, 3], rel=0.1)


def test_small_categories_are_suppressed_where_crime_is_held_to_the_threshold(make):
    """Scores and number of a small category are suppressed, and the sum that would reveal it."""
    thefts = make.rows([30] * 20, range(40), category="Theft from the person")
    robberies = make.rows([0] * 18 + [1, 1], range(40))
    privacy = {"privacy": {"threshold_for_crime": True}}
    tested = backtest_risk(make.area([*thefts, *robberies], settings=privacy))
    results = tested.results.set_index("category")
    numbers = results.columns.difference(["model", "chosen", "coverage", "window"])
    assert results.loc["Robbery", numbers].isna().all(axis=None)
    assert results.loc["all", "n_events"].isna().all()
    assert (results.loc["Theft from the person", "n_events"] == 360).all()
    assert "Robbery (number suppressed)\n    too few incidents to tell" in str(tested)
    (words,) = (describe_note(one.note) for one in tested.choices if one.category == "Robbery")
    assert "(fewer than 5 crimes in" in words
