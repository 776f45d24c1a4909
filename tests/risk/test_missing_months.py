"""Missing months are unknown: rates are per month held, and nothing is scored that is not held."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.risk.backtest import backtest_risk
from patrolplan.risk.history import build_history
from patrolplan.risk.models import MODELS, count_prior
from patrolplan.risk.rolling_origin import Scorer, find_origin_streets


def with_gaps(history, gaps):
    """The history without the crime of some (month, place) cells."""
    exposure = np.ones(history.counts.shape[:2])
    for month, place in gaps:
        exposure[month, place] = 0.0
    counts = np.where(exposure[:, :, None] > 0, history.counts, 0)
    return dataclasses.replace(history, counts=counts, exposure=exposure)


GAPS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 9)), max_size=60)


@given(GAPS, st.integers(1, 20), st.integers(0, 20))
def test_estimates_are_those_of_a_plain_loop(make, gaps, months, before):
    """What would have been recorded is what is held, and the mean of it for what is missing."""
    history = with_gaps(make.history(make.uneven(places=12)), gaps)
    found = history.estimate_last(months, before=before)
    span = range(max(0, before - months), before)
    counts, exposure, metres = history.counts, history.exposure, history.units.metres
    for category in range(counts.shape[2]):
        all_held = sum(exposure[t, c] * metres[c] for t in span for c in range(len(metres)))
        recorded = sum(counts[t, :, category].sum() for t in span)
        for place in range(len(metres)):
            held = sum(exposure[t, place] for t in span)
            count = sum(counts[t, place, category] for t in span)
            if held * 12 >= len(span) and held:
                rate = count / held
            else:
                rate = recorded / all_held * metres[place] if all_held else 0.0
            assert found[place, category] == pytest.approx(count + (len(span) - held) * rate)


@pytest.mark.parametrize(("months", "own"), [(12, True), (13, False)])
def test_one_month_of_twelve_is_a_rate_of_its_own_and_one_of_thirteen_is_none(make, months, own):
    """Where less than a twelfth is held, a place has the mean of all by street, not its own."""
    whole = make.history(make.uneven(months=13, places=12))
    counts = whole.counts.copy()
    counts[12, 3] = 500
    history = with_gaps(dataclasses.replace(whole, counts=counts), [(t, 3) for t in range(12)])
    found = history.estimate_last(months)[3, 0]
    assert (found == pytest.approx(500 * months)) == own
    assert own or found < 1000


@given(GAPS)
def test_decayed_estimates_are_those_of_a_plain_loop(make, gaps):
    """A place's rate is its crime over its months held, weights halving every 24 months."""
    history = with_gaps(make.history(make.uneven(places=12)), gaps)
    found = history.estimate_decayed()
    weights = [0.5 ** ((19 - t) / 24) for t in range(20)]
    for place in range(12):
        held = sum(w * history.exposure[t, place] for t, w in enumerate(weights))
        if held * 12 < sum(weights):
            continue
        count = sum(w * history.counts[t, place, 0] for t, w in enumerate(weights))
        assert found[place, 0] == pytest.approx(count / held)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "kernel"])
def test_rates_with_gaps_are_near_those_without(make, name):
    """Half of the places lose a third of their months, not of their crime; kernels move crime."""
    whole = make.history(make.uneven(months=24, mean=6.0))
    gaps = [(month, place) for month in (3, 9, 13, 16, 19, 20, 22, 23) for place in range(30)]
    found, expected = (MODELS[name](one) for one in (with_gaps(whole, gaps), whole))
    lost = np.arange(len(whole.units)) < 30
    assert found[lost].sum() == pytest.approx(expected[lost].sum(), rel=0.08)
    assert found[~lost].sum() == pytest.approx(expected[~lost].sum(), rel=0.04)


@pytest.mark.parametrize("name", MODELS)
def test_a_place_of_which_nothing_is_held_has_a_rate(make, name):
    """Unknown is not safe: where no month is held, the rate is that of places around, above 0."""
    whole = make.history(make.uneven(mean=3.0))
    gaps = [(month, place) for month in range(20) for place in range(6)]
    expected = MODELS[name](with_gaps(whole, gaps))
    assert np.isfinite(expected).all()
    assert (expected[:6].sum(axis=0) > 0).all()


def test_a_month_counts_in_what_is_held_of_the_area(make):
    """PAI is over the streets that are held: those without data are neither ranked nor counted."""
    whole = make.history(make.uneven())
    places, units = len(whole.units), whole.units
    history = with_gaps(whole, [(19, place) for place in range(20, places)])
    found = Scorer(history, np.ones(2)).run({"prior": count_prior}, [history.months[19]])
    prior = count_prior(history.cut_before(history.months[19]))
    density = prior[:20, 0] / units.metres[:20]
    amounts = whole.counts[19, :20, 0]
    left, hits = 0.10 * units.metres[:20].sum(), 0.0
    for place in np.argsort(-density):
        part = min(1.0, left / units.metres[place])
        hits += part * amounts[place]
        left -= part * units.metres[place]
    rows = found[(found["category"] == "kind 0") & (found["coverage"] == 0.1)].set_index("model")
    assert (rows["total"] == amounts.sum()).all()
    assert rows.loc["prior", "captured"] == pytest.approx(hits)
    assert rows.loc["best possible", "captured"] >= hits


def test_a_month_that_nobody_holds_is_not_scored(make):
    """A back-test leaves out months without data, and says so where one is asked for."""
    months = [f"2023-{m:02d}" for m in range(1, 13)] + ["2024-01", "2024-02"]
    area = make.area(make.rows([60] * 14, range(40), start="2023-01"))
    exposure = dataclasses.replace(
        area.exposure,
        months=build_history(area).months,
        forces=("A",),
        incidents=np.full((14, 1), 60),
        held=np.array([[month != "2023-11"] for month in months]),
        shares=np.ones((len(area.catchments), 1)),
    )
    gone = area.incidents["month"] == "2023-11-01"
    area.incident_catchment = area.incident_catchment[~gone]
    area.incidents, area.exposure = area.incidents[~gone].reset_index(drop=True), exposure
    found = backtest_risk(area).origins
    assert "2023-11" not in found.strftime("%Y-%m")
    with pytest.raises(Exception, match=r"2023-11 cannot be tested: .*, or is missing there"):
        backtest_risk(area, origins=("2023-11", "2024-01"))


def with_first_months(history, late):
    """The history whose points (place: row of the month) were first seen late."""
    first = np.full(len(history.units), history.months[0].to_datetime64())
    for place, row in late.items():
        first[place] = history.months[row].to_datetime64()
    catchments = dataclasses.replace(history.units.catchments, first_month=first)
    units = dataclasses.replace(history.units, catchments=catchments)
    return dataclasses.replace(history, units=units)


def test_points_seen_later_do_not_divide_streets(make):
    """Before a point is seen, its pieces belong to the points that are known, nearest first."""
    history = with_first_months(make.history(make.uneven(places=30)), {3: 15, 8: 12})
    catchments, units = history.units.catchments, history.units
    found = find_origin_streets(history, 12)
    seen = [place for place in range(len(units)) if place not in {3, 8}]
    expected, network = np.zeros(len(seen)), units.network
    for piece, own in enumerate(catchments.piece_catchment):
        apart = np.hypot(*(catchments.xy[seen] - network.piece_middle[piece]).T)
        row = seen.index(own) if own in seen else int(np.argmin(apart))
        expected[row] += network.piece_metres[piece]
    assert found.metres == pytest.approx(expected)
    amounts = np.random.default_rng(0).random(len(units))
    assert found.gather(amounts).sum() == pytest.approx(amounts.sum())
    assert find_origin_streets(history, 16).shares is None


def test_a_back_test_ranks_the_streets_that_were_known(make):
    """Prior counts of a place count for all street that was nearest to its point at the origin."""
    counts = make.uneven(places=40, mean=3.0)
    counts[:19, 20:] = 0
    plain = make.history(counts)
    late = with_first_months(plain, dict.fromkeys(range(20, len(plain.units)), 19))
    origin = [plain.months[19]]
    one, other = (
        Scorer(history, np.ones(2)).run({"prior": count_prior}, origin)["captured"]
        for history in (plain, late)
    )
    assert len(one) == len(other)
    assert not np.allclose(one, other)
