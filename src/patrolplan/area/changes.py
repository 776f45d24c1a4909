"""The same area under other settings, or with another gate, without reading files again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np

from patrolplan.area.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.errors import Problems
from patrolplan.network import Positions
from patrolplan.network.catchments import FARTHEST_METRES
from patrolplan.settings import settings_from

FREE = ("risk", "hotspots", "patrol", "week", "output", "seed")
"""Settings that work on an area as it was read; the others decide what is read."""


def with_settings(area: StudyArea, **changes: Any) -> StudyArea:  # noqa: ANN401 - any setting
    """The area under other settings, checked like those of a file.

    Parameters
    ----------
    area
        As it was read.
    changes
        Sections of the settings with the keys that change, such as `patrol={"dwell_minutes": 20}`;
        or `seed`.

    Raises
    ------
    InputError
        When a section decides what is read from files: load the area anew for that.
    SettingsError
        When a key is unknown or a value wrong.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> pp.with_settings(area, patrol={"dwell_minutes": 20}).settings.patrol.dwell_minutes
    20.0
    """
    problems = Problems()
    for name in changes:
        if name not in FREE:
            what = f"[{name}] cannot be changed on an area that was read"
            remedy = f"change it in the settings file and load again; free: {', '.join(FREE)}"
            problems.add("with_settings", what, remedy)
    problems.raise_if_any()
    data = area.settings.model_dump(by_alias=True, exclude_none=True)
    for name, change in changes.items():
        data[name] = {**data[name], **change} if isinstance(change, Mapping) else change
    checked = settings_from(data, folder=area.settings.folder, file="with_settings")
    free = {name: getattr(checked, name) for name in FREE}
    return replace(area, settings=area.settings.model_copy(update=free))


def with_gate(area: StudyArea, urn: str, longitude: float, latitude: float) -> StudyArea:
    """The area with another gate for one school.

    Parameters
    ----------
    area
        As it was read.
    urn
        The school.
    longitude, latitude
        Degrees; patrols start at the nearest place on a street.

    Raises
    ------
    InputError
        When there is no such school, or no walkable street near the place.
    """
    urns = list(area.schools["urn"])
    if urn not in urns:
        what = f"there is no school with URN '{urn}'"
        raise _error(what, f"choose from: {', '.join(urns)}")
    xy = np.column_stack(area.projection.to_metres([longitude], [latitude]))
    place = area.network.snap(xy)
    if not place.moved_metres[0] <= FARTHEST_METRES:
        what = f"no walkable street within {FARTHEST_METRES:.0f} m of {longitude}, {latitude}"
        raise _error(what, "choose a place on a street of the area")
    row = urns.index(urn)
    gates = Positions(
        np.where(np.arange(len(urns)) == row, place.piece, area.gates.piece),
        np.where(np.arange(len(urns)) == row, place.offset_metres, area.gates.offset_metres),
        np.where(np.arange(len(urns)) == row, place.moved_metres, area.gates.moved_metres),
    )
    mine = area.schools["urn"] == urn
    here = gpd.GeoSeries.from_xy(*xy.T, crs=area.schools.crs)[0]
    schools = area.schools.assign(
        gate_assumed=area.schools["gate_assumed"] & ~mine,
        geometry=area.schools.geometry.where(~mine, here),
    )
    return replace(area, gates=gates, schools=schools)


def _error(what: str, remedy: str) -> InputError:
    return InputError.one("with_gate", what, remedy)
