"""Trials that tests share: their dates, their secret, and how they are sealed."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pandas as pd

from patrolplan.team.secret import Secret
from patrolplan.team.trial.sealing import seal_trial

START, END = dt.date(2026, 7, 1), dt.date(2026, 9, 30)
SECRET = Secret(bytes(range(32)))
PATH = Path("trial.json")


def keep_until(area, last):
    """The area with the crimes of months up to one."""
    is_before = (area.incidents["month"] <= pd.Timestamp(last)).to_numpy()
    return replace(
        area,
        incidents=area.incidents[is_before].reset_index(drop=True),
        incident_catchment=area.incident_catchment[is_before],
    )


def seal(trial, area, hotspots):
    """A sealed trial and its power."""
    return seal_trial(PATH, trial, area, hotspots, SECRET)
