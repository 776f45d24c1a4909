"""What models caught is worked out once for all that it rests on."""

import numpy as np
import pytest

from patrolplan.risk.models import models_by_name
from patrolplan.risk.trials import run_trials


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def caught(history):
    """Sums of all models in the last four months."""
    models = {name: models_by_name(6.0, 1)[name] for name in ("prior count", "poisson")}
    harm = np.ones(len(history.targets))
    return run_trials(history, models, list(history.months[-4:]), harm, seed=1).hits


def test_a_second_run_fits_nothing_and_says_the_same(make, monkeypatch):
    """The same counts on the same places are scored from the cache, to the last bit."""
    first = caught(make.history(make.uneven(months=16)))
    monkeypatch.setattr("patrolplan.risk.trials.fitted", None)
    assert np.array_equal(first, caught(make.history(make.uneven(months=16))))


def test_a_changed_count_is_scored_anew(make, tmp_path, monkeypatch):
    """One incident more in an early month is another history, and gives what no cache would."""
    counts = make.uneven(months=16)
    caught(make.history(counts))
    counts[2, 1] += 30
    changed = caught(make.history(counts))
    assert not np.array_equal(changed, caught(make.history(make.uneven(months=16))))
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "empty"))
    assert np.array_equal(changed, caught(make.history(counts)))


def test_a_spoilt_entry_is_worked_out_again(make, cache):
    """An entry that cannot be read is passed over and mended."""
    first = caught(make.history(make.uneven(months=16)))
    for path in cache.rglob("*.npy"):
        path.write_bytes(b"nothing")
    assert np.array_equal(first, caught(make.history(make.uneven(months=16))))
