"""Areas of which months are missing, as if the files had never been there."""

from dataclasses import replace

import numpy as np
import pandas as pd

from patrolplan.area.missing_months import build_exposure


def drop_months(area, dropped):
    """The area without the crime of some (force, month "YYYY-MM") pairs."""
    incidents = area.incidents
    months = incidents["month"].dt.strftime("%Y-%m")
    gone = np.zeros(len(incidents), dtype=bool)
    for force, month in dropped:
        gone |= ((incidents["force"] == force) & (months == month)).to_numpy()
    rest = incidents[~gone].reset_index(drop=True)
    catchment = area.incident_catchment[~gone]
    exposure = build_exposure(rest, np.ones(len(rest), bool), catchment, area.catchments.xy)
    return replace(area, incidents=rest, incident_catchment=catchment, exposure=exposure)


def split_forces(area, share=0.5, names=("East", "West")):
    """The area with two forces: the western share of its catchments belongs to the second one."""
    x = area.catchments.xy[:, 0]
    west = x < np.quantile(x, share)
    force = pd.Categorical(np.where(west[area.incident_catchment], names[1], names[0]))
    return drop_months(replace(area, incidents=area.incidents.assign(force=force)), [])
