"""What was delivered in a trial, from the ledger, and apart from what was drawn.

The result compares hotspots as they were drawn. Delivery shows how to read it: few patrols where
they were drawn, or some where none were, make any effect look smaller than it is.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from patrolplan.crs import Projection
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.trial.design import Bools, Ints
from patrolplan.team.trial.trial_file import Trial

AT_HOTSPOT_METRES = 60.0
"""A visit within this distance of a hotspot's streets counts for it."""


@dataclass(frozen=True)
class ArmDelivery:
    """Hotspot-days of one arm."""

    days: int
    """Number drawn."""
    visited: int
    """Number on which a patrol was there."""
    minutes: float
    """Minutes of all visits."""


@dataclass(frozen=True)
class Delivery:
    """Patrols at a trial's hotspots."""

    treated: ArmDelivery
    """Where patrols were drawn."""
    control: ArmDelivery
    """Where none were: each visit here blurs the comparison."""
    tasked: int
    """Visited days without patrols on which intelligence had tasked a place there."""
    differing: int
    """Hotspot-days on which the ledger's weeks have a different draw from the key's."""


def measure_delivery(
    trial: Trial, drawn: Mapping[dt.date, Bools], ledger: Ledger, projection: Projection
) -> Delivery:
    """Count the days on which patrols were at each hotspot of a trial.

    Parameters
    ----------
    trial
        As it was sealed.
    drawn
        (h,) where patrols were drawn, by day, see `patrolplan.team.trial.results.draw_by_day`.
    ledger
        With visits, and the draws of weeks as they were handed out.
    projection
        Of the area.
    """
    first, last = min(drawn), max(drawn)
    visits = ledger.read_delivered(first, last)
    visits = visits[visits["minutes"] > 0]
    stretches = [hotspot.build_stretch(projection) for hotspot in trial.seal.hotspots]
    visits = visits.assign(row=_match_hotspots(visits, stretches, projection))
    visits = visits[(visits["row"] >= 0) & visits["date"].isin(list(drawn))]
    visits = visits.assign(
        treated=[
            bool(drawn[day][row]) for day, row in zip(visits["date"], visits["row"], strict=True)
        ]
    )
    is_treated = visits["treated"].to_numpy(dtype=bool)
    whole = np.stack(list(drawn.values()))
    others = visits[~is_treated]
    tasked = others[others["kind"] == "tasked"]
    return Delivery(
        treated=_sum_arm(visits[is_treated], int(whole.sum())),
        control=_sum_arm(others, int((~whole).sum())),
        tasked=len(tasked[["date", "row"]].drop_duplicates()),
        differing=_count_differing(trial, drawn, ledger.read_assignments(first, last)),
    )


def _sum_arm(visits: pd.DataFrame, days: int) -> ArmDelivery:
    visited = len(visits[["date", "row"]].drop_duplicates())
    return ArmDelivery(days, visited, float(visits["minutes"].sum()))


def _match_hotspots(
    visits: pd.DataFrame, stretches: Sequence[shapely.Geometry], projection: Projection
) -> Ints:
    """(v,) row of the nearest hotspot of each visit, -1 for one that is at none."""
    if visits.empty:
        return np.zeros(0, dtype=np.int64)
    x, y = projection.to_metres(visits["longitude"].to_numpy(), visits["latitude"].to_numpy())
    away = shapely.distance(shapely.points(x, y)[:, None], np.array(stretches)[None])
    return np.where(away.min(axis=1) <= AT_HOTSPOT_METRES, away.argmin(axis=1), -1)


def _count_differing(
    trial: Trial, drawn: Mapping[dt.date, Bools], assignments: pd.DataFrame
) -> int:
    """Rows of the ledger's assignments of this trial that differ from the key's draw."""
    mine = assignments[assignments["commitment"] == trial.seal.commitment]
    rows = {hotspot.hotspot: row for row, hotspot in enumerate(trial.seal.hotspots)}
    return sum(
        name not in rows or day not in drawn or bool(drawn[day][rows[name]]) != bool(treated)
        for name, day, treated in zip(mine["hotspot"], mine["date"], mine["treated"], strict=True)
    )
