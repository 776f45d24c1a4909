"""The back-test: what it measures, which model it chooses, and how sure it is."""

import numpy as np
import pytest

from patrolplan.errors import InputError
from patrolplan.outputs import plot
from patrolplan.risk.backtest import COLUMNS, backtest_risk
from patrolplan.risk.history import build_history
from patrolplan.risk.intervals import compute_interval, draw_months
from patrolplan.risk.models import count_prior, expect_shrunk
from patrolplan.risk.rolling_origin import DESIGNATED, Scorer
from patrolplan.risk.scores import simulate_reference, sum_slices


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
    """The log score is the sum of log2 of the shares expected, month by month."""
    h = make.history(make.uneven(months=20, kinds=1))
    frame = Scorer(h, np.ones(1)).run({"shrunk": expect_shrunk}, list(h.months[12:]))
    bits = 0.0
    for month in range(12, 20):
        rates = np.maximum(expect_shrunk(h.cut_before(h.months[month]))[:, 0], 1e-4)
        bits += (h.counts[month, :, 0] * np.log2(rates / rates.sum())).sum()
    at_one = frame[(frame["model"] == "shrunk") & (frame["coverage"] == 0.01)]
    assert at_one.groupby("category")["bits"].sum().to_list() == pytest.approx([bits, bits])


def test_results_are_sums_over_the_frame(result):
    """PAI, its difference, the log score and their intervals are those of plain loops."""
    frame, months = result.months, len(result.origins)
    draws = draw_months(months, seed=1)

    def pick(model, column):
        rows = frame[(frame["model"] == model) & (frame["coverage"] == 0.05)]
        return rows[rows["category"] == "Robbery"][column].to_numpy()

    row = result.results.query("category == 'Robbery' and model == 'auto' and coverage == 0.05")
    total, events = pick("auto", "total"), pick("auto", "events")
    difference = pick("auto", "captured") - pick("prior", "captured")
    gain = pick("auto", "bits") - pick("smoothed prior", "bits")
    for name, values, over, scale in (
        ("difference", difference, total, 0.05),
        ("log_score", gain, events, 1.0),
        ("pai", pick("auto", "captured"), total, 0.05),
    ):
        mean = values.sum() / over.sum() / scale
        drawn = np.array([one @ values / (one @ over) / scale for one in draws])
        low, high = compute_interval(np.array(mean), drawn, months)
        column = "log_score_gain" if name == "log_score" else name
        found = row[[column, f"{name}_low", f"{name}_high"]].to_numpy()[0]
        assert found.astype(float) == pytest.approx([mean, low, high])
    before = pick("auto", "earlier").sum() / pick("auto", "earlier_total").sum()
    assert row["rri"].item() == pytest.approx(row["hit_rate"].item() / before)


def test_the_forces_polygons_are_scored_at_equal_metres(make):
    """Designated places are a row of the table, and every model has a row at as much street."""
    rows = make.rows([40] * 16, range(10)) + make.rows([20] * 16, range(40), 2)
    area = make.area(rows)
    share = np.zeros(len(area.catchments))
    share[[2, 30]] = 1.0
    history = build_history(area)
    scorer = Scorer(history, np.ones(1), designated=share)
    found = scorer.run({"prior": count_prior}, list(history.months[12:]))
    mine = found[(found["model"] == DESIGNATED) & (found["category"] == "Robbery")]
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
    counts = make.uneven(months=24, places=120, kinds=1, seed=5)
    h = make.history(counts)
    found = simulate_reference(h, np.ones(1), 12, seed=1)
    assert np.all(found["reference_low"] <= found["reference"])
    assert np.all(found["reference"] <= found["reference_high"])
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
    monkeypatch.setattr(
        "patrolplan.risk.backtest.find_designated_pieces", lambda _: [np.array([50])]
    )
    found = backtest_risk(area, origins=("2023-01", "2023-08")).results
    mine = found[found["model"] == DESIGNATED].set_index("category")
    assert len(mine) == 3
    assert mine["pai"].isna().all()
    others = found[(found["model"] == "auto") & (found["coverage"] == mine["coverage"].iloc[0])]
    assert others["pai"].notna().all()
    assert found.loc[found["category"] == "all", "n_events"].isna().all()
