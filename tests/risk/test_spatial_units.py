"""The cache of scores and rates: computed once, and again when anything they rest on changes."""

import numpy as np
import pandas as pd
import pytest
from spoilt_cache import every_way, spoil_entries

from patrolplan.risk.models import PoissonCount, build_models
from patrolplan.risk.rolling_origin import run_trials
from patrolplan.risk.shrinkage import compute_shrunk_rates


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def caught(history):
    """Sums of all models in the last four months."""
    models = {name: build_models(6.0, 1)[name] for name in ("prior count", "poisson")}
    harm = np.ones(len(history.targets))
    return run_trials(history, models, list(history.months[-4:]), harm, seed=1).hits


def test_a_changed_count_is_scored_again(make, tmp_path, monkeypatch):
    """With a few incidents more in an early month, everything is computed again."""
    counts = make.uneven(months=16)
    caught(make.history(counts))
    counts[2, 1] += 30
    changed = caught(make.history(counts))
    assert not np.array_equal(changed, caught(make.history(make.uneven(months=16))))
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "empty"))
    assert np.array_equal(changed, caught(make.history(counts)))


@every_way
def test_spoilt_entries_are_computed_again_and_replaced(make, cache, way):
    """However sums and rates were spoilt in the cache, they come out the same and are replaced."""
    first = caught(make.history(make.uneven(months=16)))
    check_replaced = spoil_entries(cache, way)
    assert np.array_equal(first, caught(make.history(make.uneven(months=16))))
    check_replaced()


def test_a_second_run_looks_at_no_single_place(make, monkeypatch):
    """Where all sums are known, no history is cut and no ranking scored."""
    first = caught(make.history(make.uneven(months=16)))
    monkeypatch.setattr("patrolplan.risk.scorer.Scorer.score", None)
    monkeypatch.setattr("patrolplan.risk.history.History.cut_before", None)
    assert np.array_equal(first, caught(make.history(make.uneven(months=16))))


@pytest.mark.parametrize("earlier", [15, 14, 9])
def test_a_month_more_is_the_same_from_a_partly_filled_cache(make, tmp_path, monkeypatch, earlier):
    """What earlier months left in the cache changes nothing, to the last bit."""
    counts = make.uneven(months=16)
    if earlier > 10:
        caught(make.history(counts[:earlier]))
    PoissonCount().fit(make.history(counts[:earlier]))
    partly = caught(make.history(counts)), PoissonCount().fit(make.history(counts)).rates_
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "empty"))
    fresh = caught(make.history(counts)), PoissonCount().fit(make.history(counts)).rates_
    assert all(map(np.array_equal, partly, fresh))


def test_equal_counts_of_another_season_are_another_fit(make):
    """Equal counts recorded in other months are a different entry of the cache."""
    counts = make.uneven(months=16)
    here, later = make.history(counts), make.history(counts)
    object.__setattr__(later, "months", here.months + pd.DateOffset(months=3))
    assert not np.array_equal(PoissonCount().fit(here).rates_, PoissonCount().fit(later).rates_)


def test_rates_of_exact_places_are_written_nowhere(make, cache):
    """A force's own extract has exact places: no rates of them are written to disk."""
    history = make.history(make.uneven(months=16), per=1)
    PoissonCount().fit(history)
    assert not history.units.catchments.public
    assert len(compute_shrunk_rates(history)) == len(history.units)
    assert not (cache / "rates").exists()
