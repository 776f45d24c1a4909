"""From the area's metres to points of the page: scaled, and turned where that shows much more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries = NDArray[np.object_]

MIN_METRES_PER_POINT = 0.8
"""About 1 : 2,300; closer, a map of one street corner has too little around it to find it by."""
MIN_ROTATION_GAIN = 1.4
"""A map that is not north-up must be larger by this factor: turning costs the reader thought."""
ROTATIONS_TRIED = np.arange(-85.0, 95.0, 5.0)
"""Degrees tried; 0 is among them."""


@dataclass(frozen=True)
class Viewport:
    """A window on the area.

    Parameters
    ----------
    width, height
        Points of the page.
    x, y
        Its middle, in the area's metres.
    metres_per_point
        Scale.
    turned
        Degrees that the map is turned anticlockwise; north is up at 0.
    """

    width: float
    height: float
    centre_x: float
    centre_y: float
    metres_per_point: float
    rotation_degrees: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.width, self.height

    def to_page(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) points of the page of places in metres."""
        away = (
            np.asarray(xy, dtype=np.float64) - (self.centre_x, self.centre_y)
        ) / self.metres_per_point
        middle = np.array([self.width, self.height]) / 2
        points: NDArray[np.float64] = (
            away @ _build_rotation_matrix(self.rotation_degrees).T + middle
        )
        return points

    def to_metres(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) places in metres of points of the page."""
        middle = np.array([self.width, self.height]) / 2
        away = (np.asarray(points, dtype=np.float64) - middle) * self.metres_per_point
        places: NDArray[np.float64] = away @ _build_rotation_matrix(self.rotation_degrees) + (
            self.centre_x,
            self.centre_y,
        )
        return places

    def clip_to_page(self, shapes: Geometries, *, margin: float = 12.0) -> Geometries:
        """Geometries in points of the page, cut to the window; empty ones are dropped."""
        moved = shapely.transform(shapes, self.to_page)
        cut = shapely.clip_by_rect(
            moved, -margin, -margin, self.width + margin, self.height + margin
        )
        kept: Geometries = cut[~shapely.is_empty(cut)]
        return kept

    @property
    def extent(self) -> BaseGeometry:
        """The window as a polygon in the area's metres."""
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * (self.width, self.height)
        return shapely.Polygon(self.to_metres(corners))


def _build_rotation_matrix(degrees: float) -> NDArray[np.float64]:
    radians = math.radians(degrees)
    return np.array(
        [[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]]
    )


def fit_viewport(
    content: Sequence[NDArray[np.float64]],
    *,
    width: float,
    height: float,
    padding: float = 34.0,
    min_extent_metres: float = 420.0,
    street_bounds: tuple[float, float, float, float] | None = None,
    may_rotate: bool = True,
) -> Viewport:
    """The frame that shows all content as large as it goes.

    Parameters
    ----------
    content
        Arrays of (n, 2) metres.
    width, height
        Points of the page.
    padding
        Points kept free on each side for circles and names.
    least_metres
        The longer side shows at least so much, so that a lone place can be recognised.
    within
        (left, low, right, top) metres of the streets: a north-up window is moved into them as far
        as the content allows, because beyond them the map would be blank.
    may_turn
        Whether north need not be up where that shows much more.
    """
    xy = np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in content])
    room = np.array([width, height]) - 2 * padding
    tried = []
    for degrees in ROTATIONS_TRIED:
        turned = xy @ _build_rotation_matrix(degrees).T
        extent = np.ptp(turned, axis=0)
        tried.append(float((extent / room).max()))
    scales = np.array(tried)
    upright = int(np.flatnonzero(ROTATIONS_TRIED == 0)[0])
    best = int(np.argmin(scales))
    needed = max(MIN_METRES_PER_POINT, min_extent_metres / max(width, height))
    gain = max(scales[upright], needed) / max(scales[best], needed)
    chosen = best if may_rotate and gain >= MIN_ROTATION_GAIN else upright
    turn = _build_rotation_matrix(ROTATIONS_TRIED[chosen])
    turned = xy @ turn.T
    middle = (turned.max(axis=0) + turned.min(axis=0)) / 2 @ turn
    scale = max(float(scales[chosen]), needed)
    if street_bounds is not None and chosen == upright:
        slack = (np.array([width, height]) - 2 * padding) / 2 * scale - np.ptp(xy, axis=0) / 2
        middle = _shift_towards_streets(
            middle, slack, np.array([width, height]) / 2 * scale, street_bounds
        )
    return Viewport(
        width, height, float(middle[0]), float(middle[1]), scale, float(ROTATIONS_TRIED[chosen])
    )


def _shift_towards_streets(
    middle: NDArray[np.float64],
    slack: NDArray[np.float64],
    half: NDArray[np.float64],
    street_bounds: tuple[float, float, float, float],
) -> NDArray[np.float64]:
    """A window's middle, moved towards the streets by no more than the slack there is."""
    low = np.array(street_bounds[:2]) - (middle - half)
    high = (middle + half) - np.array(street_bounds[2:])
    wanted = np.clip(low, 0, None) - np.clip(high, 0, None)
    room = np.clip(slack, 0, None)
    return np.asarray(middle + np.clip(wanted, -room, room))


def choose_scale_bar_metres(metres_per_point: float, longest: float) -> int:
    """Metres of a scale bar: the largest round length that fits in so many points.

    Examples
    --------
    >>> choose_scale_bar_metres(1.8, 120)
    200
    """
    steps = (1000, 500, 200, 100, 50, 20, 10)
    return next((step for step in steps if step / metres_per_point <= longest), steps[-1])
