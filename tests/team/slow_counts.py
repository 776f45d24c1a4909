"""Stops of a week and incidents of an area, listed one by one."""

from dataclasses import replace

import numpy as np


def list_stops(week):
    """Every stop of a week, with its duty."""
    return [(duty, stop) for duty in week.duties for stop in duty.patrol.stops]


def keep_incidents(area, is_kept, **columns):
    """The area with some of its incidents only, and other columns of these."""
    return replace(
        area,
        incidents=area.incidents.assign(**columns)[is_kept].reset_index(drop=True),
        incident_catchment=area.incident_catchment[is_kept],
    )


def list_counted(area, pieces):
    """The incidents that count and have a part in some pieces, by their catchment's street."""
    of, share = area.catchments.piece_catchment[pieces], area.catchments.piece_share[pieces]
    parts = np.bincount(of, weights=share, minlength=len(area.catchments))
    row = area.incident_catchment
    incidents = area.incidents.assign(part=np.where(row >= 0, parts[row], 0.0))
    counted = incidents["category"].isin(set(area.settings.crimes.risk_categories))
    return incidents[counted & (incidents["part"] > 0)]
