"""The plan frame (metres, 0..2600 by 0..2200) and the way from it to EPSG:27700 and WGS84."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

EASTING, NORTHING = 597_900.0, 184_150.0
"""Where plan (0, 0) lies in EPSG:27700: open water of the outer Thames estuary."""

WAVES = (  # amplitude (m), wave length in x and y (m), phase, share to x, share to y
    (34.0, 5200.0, 1700.0, 0.4, 1.0, 0.2),
    (30.0, 1500.0, 4300.0, 2.1, 0.1, 1.0),
    (9.0, 760.0, -900.0, 4.0, 0.7, -0.7),
    (5.0, -420.0, 510.0, 1.2, 0.6, 0.8),
)
"""Long waves that bend the whole plan a little, so that nothing is ruler-straight."""

BRITISH_GRID_TO_WGS84 = (
    "+proj=pipeline "
    "+step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 "
    "+ellps=airy +step +proj=push +v_3 +step +proj=cart +ellps=airy "
    "+step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 "
    "+s=-20.489 +convention=position_vector +step +inv +proj=cart +ellps=WGS84 "
    "+step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
"""The seven-parameter shift, spelt out: the same answer with and without the OSTN15 grid."""

_TO_WGS84 = Transformer.from_pipeline(BRITISH_GRID_TO_WGS84)

Points = NDArray[np.float64]


def to_grid(plan: Sequence[Any] | Points) -> Points:
    """Bend plan points (n, 2) and move them to EPSG:27700."""
    xy = np.asarray(plan, dtype=float).reshape(-1, 2)
    bent = xy.copy()
    for amplitude, along_x, along_y, phase, share_x, share_y in WAVES:
        wave = amplitude * np.sin(2 * np.pi * (xy[:, 0] / along_x + xy[:, 1] / along_y) + phase)
        bent[:, 0] += share_x * wave
        bent[:, 1] += share_y * wave
    return bent + np.array([EASTING, NORTHING])


def to_lonlat(plan: Sequence[Any] | Points, digits: int = 7) -> Points:
    """Plan points (n, 2) as rounded longitude, latitude."""
    grid = to_grid(plan)
    longitude, latitude = _TO_WGS84.transform(grid[:, 0], grid[:, 1])
    return np.column_stack([longitude, latitude]).round(digits)
