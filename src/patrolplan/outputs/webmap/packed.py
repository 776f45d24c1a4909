"""Lines as whole numbers, compact in a page; `packed.js` unpacks them.

Coordinates are latitude and longitude as steps of a millionth of a degree (about 0.1 m) from point
to point, through all lines.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.crs import Projection


def encode_digits(values: NDArray[np.int64]) -> str:
    """Whole numbers from 0 to 9 as one string."""
    return (values.astype(np.uint8) + ord("0")).tobytes().decode("ascii")


def encode_steps(xy: NDArray[np.float64], projection: Projection) -> list[int]:
    """Latitude and longitude of each point as differences from the one before."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    whole = np.rint(np.column_stack([latitude, longitude]) * 1e6).astype(np.int64)
    steps: list[int] = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel().tolist()
    return steps


def round_degrees(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """Latitude and longitude of (k, 2) points, to about 0.1 m."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    pairs = zip(latitude.tolist(), longitude.tolist(), strict=True)
    return [[round(degrees, 6) for degrees in pair] for pair in pairs]


def pack_lines(
    lines: Sequence[NDArray[np.float64]], projection: Projection
) -> dict[str, list[int]]:
    """Lines as their numbers of points and one sequence of steps."""
    xy = np.concatenate([np.empty((0, 2)), *lines])
    return {"counts": [len(line) for line in lines], "steps": encode_steps(xy, projection)}


def pack_shapes(shapes: NDArray[np.object_], projection: Projection) -> dict[str, list[int]]:
    """Lines or rings, packed like `pack_lines`."""
    xy, line = shapely.get_coordinates(shapes, return_index=True)
    counts = np.bincount(line, minlength=len(shapes))
    return {"counts": counts.tolist(), "steps": encode_steps(xy, projection)}
