"""The demo borough with the day of each crime, and a trial sealed before its last three months."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from trial_cases import END, START, keep_until, seal

from patrolplan.team.trial.trial_file import Trial


@pytest.fixture(scope="package")
def dated_area(demo_area):
    """The demo borough whose crimes have a day, drawn at random in their month."""
    rng = np.random.default_rng(8)
    incidents = demo_area.incidents
    days = incidents["month"].dt.days_in_month.to_numpy()
    at = incidents["month"] + pd.to_timedelta(rng.integers(0, days), unit="D")
    return replace(demo_area, incidents=incidents.assign(occurred_at=at.astype("datetime64[ns]")))


@pytest.fixture(scope="package")
def hotspots(found):
    """Hotspots of the demo borough."""
    return found[1]


@pytest.fixture(scope="package")
def wishes():
    """What the lead of a trial by days decides."""
    return Trial(name="Summer", start=START, end=END, randomise="days", effect=0.6, power=0.5)


@pytest.fixture(scope="package")
def by_days(wishes, dated_area, hotspots):
    """A sealed trial by days, and its power."""
    return seal(wishes, keep_until(dated_area, "2026-06"), hotspots)


@pytest.fixture(scope="package")
def by_pairs(demo_area, hotspots):
    """A sealed trial of pairs where only months are known, and its power."""
    trial = Trial(
        start=START, end=END, randomise="pairs", effect=0.7, power=0.5, apart_metres=200.0
    )
    return seal(trial, keep_until(demo_area, "2026-06"), hotspots)
