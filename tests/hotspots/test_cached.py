"""What is cached of hotspots: the same as from scratch, of what no pupil reported, and no more."""

from dataclasses import replace

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.hotspots import find, ground_cache, stability
from patrolplan.hotspots.ground import survey_ground
from patrolplan.network import StreetNetwork
from patrolplan.patrols.without_reports import remove_reports
from patrolplan.risk.history import build_history


@pytest.fixture
def entries(tmp_path, monkeypatch):
    """The files in an empty cache folder."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    return lambda: sorted(tmp_path.glob("rates/*.entry"))


def _forget(area):
    """The area with nothing known from this run."""
    return replace(area, catchments=replace(area.catchments))


@pytest.fixture(scope="module")
def recorded(static_demo_area):
    """The demo borough without reports, and its risk."""
    area = remove_reports(static_demo_area)
    return area, pp.estimate_risk(area)


def test_stretches_are_found_once_for_each_risk(recorded, entries, monkeypatch):
    """The second run searches none; a spoilt entry or another risk is done as from scratch."""
    (area, risk), calls, search = recorded, [], find.find_stretches

    def count(*given, **named):
        calls.append(search(*given, **named))
        return calls[-1]

    monkeypatch.setattr(find, "find_stretches", count)
    first = find.locate_hotspots(_forget(area), risk)
    (entry,) = entries()
    again = find.locate_hotspots(_forget(area), risk)
    assert len(calls) == 1
    assert first.equals(again)
    entry.write_bytes(entry.read_bytes()[:-1])
    assert first.equals(find.locate_hotspots(_forget(area), risk))
    other = replace(risk, joined=risk.joined[::-1].copy())
    found = find.locate_hotspots(_forget(area), other)
    assert len(calls) == 3
    assert [list(one) for one in calls[-1]] == found["pieces"].tolist()


def test_nothing_that_rests_on_reports_is_written(static_demo_area, demo_risk, entries):
    """With pupils' reports in the risk, hotspots are found without a trace in the cache."""
    assert demo_risk.reports_part.any()
    find.locate_hotspots(_forget(static_demo_area), demo_risk)
    assert not entries()


def test_survival_from_the_cache_is_that_from_scratch(
    static_demo_area, demo_risk, stretches, entries, monkeypatch
):
    """Where points move to is drawn once, and read back the same."""
    history = build_history(static_demo_area)

    def measure():
        area, rng = _forget(static_demo_area), np.random.default_rng(1)
        return stability.compute_survived_share(area, demo_risk, history, stretches, rng)

    first = measure()
    assert len(entries()) == 1
    with monkeypatch.context() as patch:
        patch.setattr(stability, "find_nearest_points", None)
        assert np.array_equal(measure(), first)
    monkeypatch.setattr(stability, "MAX_CACHED_PIECES", 0)
    assert np.array_equal(measure(), first)


def test_ground_from_the_cache_is_that_surveyed(demo_area, tmp_path, monkeypatch):
    """The second run surveys nothing; other streets, lighting or features are surveyed again."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    network, features, calls = demo_area.network, demo_area.features, []

    def count(*given):
        calls.append(given)
        return survey_ground(*given)

    monkeypatch.setattr(ground_cache, "survey_ground", count)
    plain = survey_ground(network, features)
    for _ in range(2):
        found = ground_cache.load_or_survey_ground(network, features)
        for name in ("stand", "at", "lit"):
            assert getattr(found.places, name).tolist() == getattr(plain.places, name).tolist()
        for part in ("kinds", "places"):
            for name, values in vars(getattr(plain, part)).items():
                if name != "positions":
                    assert np.array_equal(getattr(getattr(found, part), name), values)
        for name, values in vars(plain.places.positions).items():
            assert np.array_equal(getattr(found.places.positions, name), values)
    assert len(calls) == 1
    dark = replace(network.parts, ways=network.parts.ways.assign(lit="no"))
    wider = StreetNetwork(dark, network.projection)
    unlit = StreetNetwork(dark, network.projection, network.patrolled_count, wider)
    assert set(ground_cache.load_or_survey_ground(unlit, features).places.lit) == {"no"}
    ground_cache.load_or_survey_ground(network, features[features["kind"] != "bus_stop"])
    ground_cache.load_or_survey_ground(network, features.assign(name="Elsewhere"))
    assert len(calls) == 4
