"""The back-test: scores, intervals, windows, which model it chooses, and how sure it is."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from patrolplan.area.patrol_window import Window
from patrolplan.arrays import round_significant
from patrolplan.errors import InputError
from patrolplan.outputs import plot
from patrolplan.risk import intervals, rolling_origin
from patrolplan.risk.backtest import COLUMNS, backtest_risk
from patrolplan.risk.history import build_history
from patrolplan.risk.intervals import compute_interval, compute_widening, draw_months
from patrolplan.risk.models import count_prior, expect_shrunk
from patrolplan.risk.scores import simulate_reference, sum_slices

NULL_WORLDS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "null_worlds.py"))


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
    prior = table.xs("prior", level="model")
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


def test_log_score_by_hand(make):
    """The log score is the sum of log2 of the shares expected; what was impossible is 0.0001."""
    models = {"prior": count_prior, "shrunk": expect_shrunk}
    h = make.history(make.uneven(months=20, kinds=1))
    frame = rolling_origin.Scorer(h, np.ones(1)).run(models, list(h.months[12:]))
    for name, model in models.items():
        bits = 0.0
        for month in range(12, 20):
            rates = np.maximum(model(h.cut_before(h.months[month]))[:, 0], 1e-4)
            bits += (h.counts[month, :, 0] * np.log2(rates / rates.sum())).sum()
        at_one = frame[(frame["model"] == name) & (frame["coverage"] == 0.01)]
        assert at_one.groupby("category")["bits"].sum().to_list() == pytest.approx([bits, bits])


def test_results_are_sums_over_the_frame(result):
    """PAI, its difference, the log score and their intervals are those of plain loops."""
    frame, months = result.months, len(result.origins)
    draws = draw_months(months, seed=1)

    def pick(model, column):
        rows = frame[(frame["model"] == model) & (frame["coverage"] == 0.05)]
        return rows[rows["category"] == "Robbery"][column].to_numpy()

    row = result.results.query("category == 'Robbery' and model == 'auto' and coverage == 0.05")
    captured, total = pick("auto", "captured"), 0.05 * pick("auto", "total")
    gain = pick("auto", "bits") - pick("smoothed prior", "bits")
    for name, values, over in (
        ("difference", captured - pick("prior", "captured"), total),
        ("log_score", gain, pick("auto", "events")),
        ("pai", captured, total),
    ):
        mean = values.sum() / over.sum()
        drawn = np.array([one @ values / (one @ over) for one in draws])
        low, high = compute_interval(np.array(mean), drawn, months)
        column = "log_score_gain" if name == "log_score" else name
        found = row[[column, f"{name}_low", f"{name}_high"]].to_numpy()[0]
        assert found.astype(float) == pytest.approx([mean, low, high])
    before = pick("auto", "earlier").sum() / pick("auto", "earlier_total").sum()
    assert row["rri"].item() == pytest.approx(row["hit_rate"].item() / before)


def test_the_forces_polygons_are_scored_at_equal_metres(make):
    """Designated places are a row of the table, and every model has a row at as much street."""
    area = make.area(make.rows([40] * 16, range(10)) + make.rows([20] * 16, range(40), 2))
    share = np.zeros(len(area.catchments))
    share[[2, 30]] = 1.0
    history = build_history(area)
    scorer = rolling_origin.Scorer(history, np.ones(1), designated=share)
    found = scorer.run({"prior": count_prior}, list(history.months[12:]))
    mine = found[(found["model"] == rolling_origin.DESIGNATED) & (found["category"] == "Robbery")]
    metres = history.units.metres
    coverage = metres[[2, 30]].sum() / metres.sum()
    assert mine["coverage"].to_list() == pytest.approx([coverage] * 4, abs=1e-6)
    assert mine["captured"].to_list() == history.counts[12:, [2, 30], 0].sum(axis=1).tolist()
    equal = found[(found["model"] == "prior") & (found["coverage"] == mine["coverage"].iloc[0])]
    assert len(equal) == 8
    assert equal["captured"].sum() > mine["captured"].sum()


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
    h = make.history(make.uneven(months=24, places=120, kinds=1, seed=5))
    found = simulate_reference(h, np.ones(1), 12, seed=1)
    ends = (found[f"reference{end}"] for end in ("_low", "", "_high"))
    assert (np.diff(np.stack([*ends]), axis=0) >= 0).all()
    assert np.all(found["reference_ratio"] >= 1 - 1e-9)
    rates = np.random.default_rng(5).gamma(0.5, 2.0, size=(120, 1))[:, 0] * 1.5
    rates = np.pad(rates, (0, len(h.units) - 120))
    came = rng.poisson(12 * rates, size=(200, len(rates))).T
    caught = sum_slices(rates, h.units.metres, came.astype(float), (0.05,))[0]
    mean = (caught / came.sum(axis=0)).mean() / 0.05
    assert mean == pytest.approx(found["reference"][0, 3], rel=0.1)


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


def test_few_incidents_in_the_forces_polygons_are_not_told(make, monkeypatch):
    """Where polygons hold few incidents of a category, these and the sum of all are suppressed."""
    rows = make.rows([30] * 20, range(40)) + make.rows([20] * 20, range(30), 2, "Other theft")
    rows += [{"piece": 50, "category": "Robbery", "month": "2023-06-01"}] * 2
    area = make.area(rows, settings={"privacy": {"threshold_for_crime": True}})
    place = [np.array([50])]
    monkeypatch.setattr("patrolplan.risk.backtest.find_designated_pieces", lambda _: place)
    found = backtest_risk(area, origins=("2023-01", "2023-08")).results
    mine = found[found["model"] == rolling_origin.DESIGNATED].set_index("category")
    assert len(mine) == 3
    assert mine["pai"].isna().all()
    others = found[(found["model"] == "auto") & (found["coverage"] == mine["coverage"].iloc[0])]
    assert others["pai"].notna().all()
    assert found.loc[found["category"] == "all", "n_events"].isna().all()


def walk_down(order, metres, amounts, coverage):
    """Walk down a ranking and stop in the middle of a street when the budget is spent."""
    left, caught = coverage * metres.sum(), 0.0
    for street in order:
        part = min(1.0, left / metres[street])
        caught += part * amounts[street]
        left -= part * metres[street]
        if left <= 0:
            break
    return caught


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.005, 0.999))
def test_a_slice_is_a_walk_down_the_ranking(seed, size, coverage):
    """The array form catches what walking down the ranking catches, the last street in part."""
    rng = np.random.default_rng(seed)
    (scores, amounts), metres = rng.random((2, size)), rng.choice([10.0, 20.0, 35.5], size)
    order = np.argsort(-scores / metres, kind="stable")
    found = sum_slices(scores, metres, amounts[:, None], (coverage,))[0, 0]
    assert found == pytest.approx(walk_down(order, metres, amounts, coverage))


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 0.999))
def test_tied_streets_count_as_in_the_mean_over_all_orders(seed, coverage):
    """Streets of one length that differ by rounding alone are tied: no order is better."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, 5) * (1 + rng.uniform(-1e-12, 1e-12, 5))
    metres, amounts = np.full(5, 25.0), rng.random(5)
    ranks = round_significant(scores)
    every = map(list, itertools.permutations(range(5)))
    orders = [order for order in every if (np.diff(ranks[order]) <= 0).all()]
    mean = np.mean([walk_down(order, metres, amounts, coverage) for order in orders])
    # Within ties the mean over orders is a straight line between whole streets.
    found = sum_slices(scores, metres, amounts[:, None], (coverage,))[0, 0]
    assert found == pytest.approx(mean)


def test_scores_that_differ_in_the_ninth_digit_are_no_tie():
    """A tie is a difference beyond nine digits, so that rounding errors break none."""
    for apart, caught in ((1e-10, 0.5), (1e-8, 1.0)):
        given_ = np.array([1 + apart, 1.0]), np.ones(2), np.array([[1.0], [0.0]])
        assert sum_slices(*given_, (0.5,))[0, 0] == pytest.approx(caught)


@pytest.mark.parametrize("months", [6, 12, 24])
def test_intervals_hold_the_truth_as_often_as_they_claim(months):
    """Of 300 worlds of known rates at least 92 % of the intervals hold the true difference."""
    found = NULL_WORLDS["measure_intervals"](months, 300, draws=600)
    assert 0.92 <= found["share"] <= 0.99
    assert found["mean width"] <= 2.5 * found["mean width of percentiles alone"]


def test_intervals_of_autocorrelated_months_cover():
    """Where neighbouring months are alike, blocks keep the interval of a mean near its claim."""
    rng, months, held = np.random.default_rng(3), 24, 0
    for seed in range(300):
        values = rng.normal(size=months + 20)
        for month in range(1, months + 20):
            values[month] += 0.3 * values[month - 1]
        values = values[20:]
        drawn = draw_months(months, seed=seed, draws=400) @ values / months
        low, high = compute_interval(np.array(values.mean()), drawn, months)
        held += bool(low <= 0 <= high)
    assert 0.88 <= held / 300 <= 0.99


def test_widening_is_students_t_on_overlapping_blocks():
    """It is sqrt(b / (b - 1)) times the ratio of t to normal quantiles, and falls to 1."""
    blocks = 24 / 3
    by_hand = np.sqrt(blocks / (blocks - 1)) * stats.t(8.75).ppf(0.975) / 1.959964
    assert compute_widening(24) == pytest.approx(by_hand, rel=1e-6)
    widenings = [compute_widening(months) for months in (6, 12, 24, 120, 10_000)]
    assert widenings == sorted(widenings, reverse=True)
    assert widenings[-1] == pytest.approx(1.0, abs=0.01)


def test_ends_are_percentiles_moved_away_from_the_estimate():
    """The 2.5th and the 97.5th, each as many times farther from the estimate as is due."""
    low, high = compute_interval(np.array(40.0), np.linspace(0.0, 100.0, 1001), 12)
    wider = compute_widening(12)
    assert (low, high) == pytest.approx((40 - wider * 37.5, 40 + wider * 57.5))


def test_draws_are_whole_blocks():
    """Every draw has as many months as there are, and each month comes as often as the others."""
    counted = draw_months(12, seed=1)
    assert [intervals.compute_block_length(months) for months in (1, 2, 6, 12, 24)] == [
        1,
        1,
        2,
        2,
        3,
    ]
    assert counted.shape == (2000, 12)
    assert (counted.sum(axis=1) == 12).all()
    assert counted.mean(axis=0) == pytest.approx(1.0, abs=0.1)


AFTER = {"patrol": {"windows": {"after": {"from": "15:00", "to": "17:00"}}}}
BEGIN = pd.to_datetime(["2022-01-04", "2022-09-01", "2023-01-04"])
END = pd.to_datetime(["2022-07-20", "2022-12-20", "2023-07-20"])
TERMS = pd.DataFrame({"from": BEGIN, "to": END, "urn": "*", "kind": "term"})


def build_timed_area(make, seed=1, months=17, **settings):
    """Thefts from people of afternoons in some streets, and thrice as many of nights in others."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2022-01-01", periods=months, freq="MS")
    end = days[-1] + pd.offsets.MonthEnd()
    rows = []
    kinds = (
        ("Theft from the person", (0, 30), (15, 17), 0.6),
        ("Other theft", (30, 60), (22, 24), 1.8),
    )
    for day in pd.date_range(days[0], end, freq="D"):
        for category, places, hours, number in kinds:
            for _ in range(rng.poisson(number)):
                at = day + pd.Timedelta(minutes=int(rng.integers(hours[0] * 60, hours[1] * 60)))
                place = int(rng.integers(*places) ** 2 / 60 % 60)
                row = {"piece": place, "category": category, "occurred_at": at}
                rows.append(row | {"month": day.replace(day=1)})
    rows = pd.DataFrame(rows)
    return make.area(rows, settings={**AFTER, **settings}, term_dates=TERMS)


def test_only_the_window_on_school_days_is_counted(make):
    """The counts are those of a plain loop over incidents; holidays and weekends do not count."""
    area = build_timed_area(make)
    history = build_history(area)
    counts = rolling_origin.count_inside(area, history, np.arange(15 * 60, 16 * 60))
    wanted = np.zeros_like(counts)
    for row, place in zip(area.incidents.itertuples(), area.incident_catchment, strict=True):
        at = row.occurred_at
        in_term = ((at >= BEGIN) & (at < END + pd.Timedelta(days=1))).any()
        if at.hour == 15 and at.day_of_week < 5 and in_term:
            category = history.targets.index(row.category)
            wanted[history.months.get_loc(row.month), place, category] += 1
    assert np.array_equal(counts, wanted)
    assert counts.sum() > 50
    share = rolling_origin.build_mask(area, history, Window(60, 15 * 60)).share
    assert share[7] == 0  # August
    assert share[1] == pytest.approx(20 / 28 / 24)


def test_a_window_over_midnight_belongs_to_the_day_before(make):
    """A minute after midnight counts on the day, and in the month, on which the window began."""
    times = ("2022-03-01 00:10", "2022-03-31 23:50", "2022-04-01 00:20")
    row = {"piece": 1, "category": "Robbery"}
    rows = [row | {"month": f"{at[:7]}-01", "occurred_at": at} for at in times]
    area = make.area(rows, term_dates=TERMS)
    history = build_history(area)
    counts = rolling_origin.count_inside(area, history, np.arange(23 * 60 + 30, 24 * 60 + 30))
    assert counts.sum() == counts[0, 1, 0] == 2  # the first began in February, before the data


def test_the_clock_finds_the_afternoon(make):
    """Risk by the clock finds the streets of the afternoon; all hours lead to the night's."""
    area = build_timed_area(make, way_home={"exposure": {}})
    table = backtest_risk(area, origins=("2022-12", "2023-05"), window="after").results
    assert (table["window"] == "after").all()
    at_ten = table[table["coverage"] == 0.1].set_index(["category", "model"])
    pai = at_ten.loc["all", "pai"]
    assert pai["auto"] > 1.5 * pai[rolling_origin.AUTO_ALL_HOURS]
    assert pai[rolling_origin.PRIOR_BY_CLOCK] > 1.5 * pai["prior"]
    expected = at_ten.loc["Theft from the person", "observed_over_expected"]
    # An incident is spread over near half-hours, also those beyond two hours with sharp ends.
    assert 1 < np.mean(expected["auto"]) < 2
    assert np.mean(expected[rolling_origin.AUTO_ALL_HOURS]) > 5
    assert table["reference"].isna().all()
    assert table.loc[table["model"] == "auto", "chosen"].all()


def test_the_default_window_can_be_named(make):
    """The window from each school's bell is called after_school, also where no window is set."""
    area = build_timed_area(make)
    table = backtest_risk(area, origins=("2023-01", "2023-02"), window="after_school").results
    assert (table["window"] == "after_school").all()
    inside = rolling_origin.count_inside(
        area, build_history(area), np.arange(14 * 60 + 50, 17 * 60 + 20)
    )
    assert 0 < table["n_events"].max() <= inside[12:14].sum()


def test_what_a_window_needs_is_said(make):
    """Months alone, an unknown window and one without crime are errors that say what to do."""
    months_only = make.area(make.rows([9] * 14, range(20)), settings=AFTER)
    with pytest.raises(InputError, match=r"times of day are not known.*occurred_at"):
        backtest_risk(months_only, window="after")
    with pytest.raises(InputError, match="no window 'noon'"):
        backtest_risk(build_timed_area(make), window="noon")
    early = {"patrol": {"windows": {"early": {"from": "05:00", "to": "06:00"}}}}
    with pytest.raises(InputError, match="no crime with a known time"):
        backtest_risk(build_timed_area(make, **early), window="early")
