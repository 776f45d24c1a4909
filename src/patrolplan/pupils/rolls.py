"""How many pupils a school has, at which stage, and how they travel, with assumptions for gaps.

There are no single years of age: travel depends only on two stages here, primary (up to 10 years)
and secondary (from 11).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.settings.patrol import WayHomeSettings
from patrolplan.text import format_count, format_percent, list_first, pluralise

STAGES = ("primary", "secondary")
FIRST_SECONDARY_AGE = 11
LAST_AGE = 19  # maximum age at which pupils leave

SHARE_OF_CAPACITY = 0.9
"""Pupils as a share of the capacity where only that is known, about as in London."""

PHASES: Mapping[str, tuple[float, float]] = {
    "Nursery": (80.0, 0.0),
    "Primary": (300.0, 0.0),
    "Middle deemed primary": (300.0, 0.0),
    "Secondary": (1000.0, 1.0),
    "Middle deemed secondary": (600.0, 1.0),
    "16 plus": (1000.0, 1.0),
    "All-through": (1200.0, 0.5),
}
"""Pupils of a school without a roll or capacity: round figures near the means of English state
schools (Department for Education, Schools, pupils and their characteristics, 2023/24); and the
share of secondary pupils where ages are not known."""

WITHOUT_PHASE = (300.0, 0.5)

MODES = ("walk", "bus", "rail")
"""Modes of pupils who are on the streets on foot: all the way, or to a bus stop or station."""

PRESETS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "london": {
        "primary": {"walk": 0.60, "bus": 0.10, "rail": 0.02},
        "secondary": {"walk": 0.42, "bus": 0.38, "rail": 0.08},
    },
    "england": {
        "primary": {"walk": 0.51, "bus": 0.02, "rail": 0.0},
        "secondary": {"walk": 0.37, "bus": 0.18, "rail": 0.02},
    },
}
"""Shares of pupils by mode. England: National Travel Survey 2024, ages 5-10 and 11-16, with 43 and
30 % by car; of the rest, school buses and bicycles leave from the gate and are soon gone, so they
are not on the streets on foot, and rail is 0 and 2 %. London: assumed, near the 20 % of its pupils
who are driven (London Travel Demand Survey) and the many who go by bus free of charge."""


@dataclass(frozen=True, eq=False)
class Rolls:
    """Pupils of each school."""

    by_stage: NDArray[np.float64]  # (m, 2) primary and secondary pupils; aligned with the schools
    notes: tuple[Note, ...]  # what was assumed


def count_pupils(schools: gpd.GeoDataFrame) -> Rolls:
    """Pupils of each school by stage: the roll, or by capacity, or a figure by phase."""
    columns = ("roll", "capacity", "low_age", "high_age")  # NaN where not known
    roll, capacity, low, high = (schools[name].to_numpy(dtype=np.float64) for name in columns)
    by_phase = [PHASES.get(phase, WITHOUT_PHASE) for phase in schools["phase"]]
    assumed_roll, assumed_share = np.array(by_phase).reshape(-1, 2).T
    has_roll, has_capacity, has_ages = roll > 0, capacity > 0, high > low
    pupils = np.select([has_roll, has_capacity], [roll, capacity * SHARE_OF_CAPACITY], assumed_roll)
    low, high = np.where(has_ages, low, 0.0), np.minimum(np.where(has_ages, high, 1.0), LAST_AGE)
    # Years count as equally large; a college whose ages begin beyond the last still has one.
    low = np.minimum(low, high - 1)
    # A class that leaves at 11 has pupils of 10 and 11: it is the last of primary school.
    years = np.maximum(high - np.maximum(low, FIRST_SECONDARY_AGE), 0)
    secondary = np.where(has_ages, years / (high - low), assumed_share)
    what = f"no number of pupils: {format_percent(SHARE_OF_CAPACITY)} of the capacity is used"
    short, by_capacity = "number of pupils assumed", ~has_roll & has_capacity
    notes = note_schools("rolls_by_capacity", schools, by_capacity, what, short=short)
    what = "neither a number of pupils nor a capacity: a round figure by phase is used"
    notes += note_schools("rolls_assumed", schools, ~has_roll & ~has_capacity, what, short=short)
    what = (
        "neither ages nor a phase that says them: half primary, half secondary pupils are assumed"
    )
    without_stage = ~has_ages & ~schools["phase"].isin(PHASES).to_numpy()
    notes += note_schools("stages_assumed", schools, without_stage, what, short="ages of pupils")
    return Rolls(np.column_stack([pupils * (1 - secondary), pupils * secondary]), tuple(notes))


def note_schools(
    key: str, schools: pd.DataFrame, which: NDArray[np.bool_], what: str, *, short: str = ""
) -> list[Note]:
    """A note on what the chosen (m,) schools have, with the first of their URNs; none without."""
    urns = schools["urn"][which].astype(str).tolist()
    if not urns:
        return []
    have = pluralise(len(urns), "has", "have")
    of = f"{len(urns):,} of {format_count(len(schools), 'school')}"
    text = f"{of} {have} {what} (URN {list_first(urns)})."
    return [Note(key, text, short=short, about={"urns": urns})]


def find_late(settings: WayHomeSettings, school: pd.Series) -> tuple[float, float]:
    """Share of a school's pupils who leave later, and their minutes after the bell on average."""
    share, minutes = (float(school[name]) for name in ("late_share", "late_minutes"))
    return (
        settings.late_share if np.isnan(share) else share,
        settings.late_minutes if np.isnan(minutes) else minutes,
    )


def find_school_modes(modes: NDArray[np.float64], school: pd.Series) -> NDArray[np.float64]:
    """(2, 3) mode shares of one school: its own where given, else the model's `modes`."""
    walk, ride = float(school["walk_share"]), float(school["bus_share"])
    if np.isnan(walk) and np.isnan(ride):
        return modes
    by_ride = modes[:, 1:].sum(axis=1)
    by_bus = np.divide(modes[:, 1], by_ride, out=np.ones(len(modes)), where=by_ride > 0)
    # A school knows who walks and who rides, seldom on what: that is divided as in the model. A
    # share that is not given is the model's, or what the other leaves.
    rides = np.minimum(by_ride, 1 - walk) if np.isnan(ride) else np.full(len(modes), ride)
    walks = np.minimum(modes[:, 0], 1 - ride) if np.isnan(walk) else np.full(len(modes), walk)
    return np.column_stack([walks, rides * by_bus, rides * (1 - by_bus)])


def find_mode_shares(settings: WayHomeSettings) -> NDArray[np.float64]:
    """(2, 3) share of each stage's pupils by each of `MODES`; `InputError` for a wrong table."""
    modes, where = settings.modes, "[way_home.modes]"
    table = PRESETS[modes] if isinstance(modes, str) else modes
    if set(table) != {*STAGES}:
        what = f"has the stages {', '.join(table) or 'none'}"
        raise InputError.one(where, what, f"give the shares of {' and '.join(STAGES)}")
    for stage in STAGES:
        shares = table[stage].values()
        if min(shares, default=0.0) < 0 or sum(shares) > 1 + 1e-9:
            what = f"the shares of '{stage}' are {', '.join(f'{share:g}' for share in shares)}"
            raise InputError.one(where, what, "give shares from 0 to 1 that sum to 1 or less")
    # Modes of the user's table other than these, such as a car, are not on the streets on foot.
    return np.array([[table[stage].get(mode, 0.0) for mode in MODES] for stage in STAGES])
