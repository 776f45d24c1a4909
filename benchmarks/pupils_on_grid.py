"""Where pupils are after the bell if streets are unknown: a front that moves outward.

The program models pupils on streets to homes and stops. Without a file of streets this simplified
model remains, with the same settings: pupils leave the gate after the bell by the same curve, walk
at the same speed, and the share who live farther than d metres away falls as (1 + d/D) exp(-d/D),
which follows from a density of homes exp(-d/D) on a uniform plane. All streets at a distance are
assumed to be equally used, and the distances are those of a grid of streets, so pupils at d metres
spread over the four sides of a diamond, 4 d metres of places at d.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from timed_crimes import CELL_METRES, measure_walks

from patrolplan.pupils import destinations
from patrolplan.pupils.presence import PUPIL_METRES_PER_MINUTE, LeavingCurve
from patrolplan.risk.in_time import FLOOR
from patrolplan.settings.patrol import WayHomeSettings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SETTINGS = WayHomeSettings()
CURVE = LeavingCurve(SETTINGS.leave_minutes, SETTINGS.late_share, SETTINGS.late_minutes)
DECAY_METRES = destinations.DECAY_METRES[1]
SPEED = PUPIL_METRES_PER_MINUTE

STEP_METRES = 5.0
FARTHEST_METRES = 8000.0
"""Distances are rounded to 5 m; no one walks farther than 8 km in the measured hours."""

PARTS = 3
"""A cell is divided into 3 by 3 parts, and the pupils at their middles are averaged."""


def compute_pupil_minutes(
    cell_xy: NDArray[np.float64],
    gate_xy: NDArray[np.float64],
    bell: float,
    edges: ArrayLike,
    *,
    parts: int = PARTS,
) -> NDArray[np.float64]:
    """Pupil-minutes per square kilometre in each cell between consecutive times.

    Every gate counts the same, because rolls are unknown: one pupil per gate.

    Parameters
    ----------
    cell_xy, gate_xy
        (c, 2) and (g, 2) metres.
    bell
        Minute after midnight when every school ends.
    edges
        (t + 1,) minutes after midnight, rising.

    Returns
    -------
    ndarray, shape (c, t)
    """
    times = np.asarray(edges, dtype=np.float64) - bell
    part = CELL_METRES / PARTS
    metres = np.arange(part / 2, FARTHEST_METRES, STEP_METRES)
    beyond = (1 + metres / DECAY_METRES) * np.exp(-metres / DECAY_METRES)
    passed = np.diff(CURVE.left(times - metres[:, None] / SPEED), axis=1)
    # Pupils who pass spend ds / SPEED minutes on each ds metres, and are spread over 4 metres of
    # places for each metre of distance.
    by_distance = (beyond / (4 * metres * SPEED))[:, None] * passed
    offsets = (np.arange(parts) - (parts - 1) / 2) * part
    total = np.zeros((len(cell_xy), by_distance.shape[1]))
    for offset in np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2):
        walks = measure_walks(cell_xy + offset, gate_xy)
        row = np.rint((walks - metres[0]) / STEP_METRES).astype(np.int64)
        cell, _ = np.nonzero(row < len(metres))
        row = np.maximum(row[row < len(metres)], 0)
        shape = (len(cell_xy), len(metres))
        total += csr_array((np.ones(len(row)), (cell, row)), shape=shape) @ by_distance
    return total * 1e6 / parts**2


def raise_pupils(pupils: NDArray[np.float64], mean: float, power: float) -> NDArray[np.float64]:
    """The factor of exposure, before a category's harm is scaled back to its total."""
    return np.asarray((FLOOR + (1 - FLOOR) * pupils / mean) ** power)
