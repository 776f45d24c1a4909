"""From the area's metres to points of the page: scaled, and turned if that enlarges much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries = NDArray[np.object_]
MIN_METRES_PER_POINT = 0.8  # About 1 : 2,300; larger would show too little around it
MIN_EXTENT_METRES = 420.0  # Minimum of a map's longer side, to recognise a single place
MIN_ROTATION_GAIN = 1.4  # Minimum enlargement for a map that is not north-up
PAGE_MARGIN = 12.0  # Points beyond the map's edge where shapes are cut
ROTATIONS_TRIED = np.arange(-85.0, 95.0, 5.0)  # Candidate rotations in degrees, including 0


@dataclass(frozen=True)
class Viewport:
    """A window on the area, turned anticlockwise: points of the page around a middle in metres."""

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
        """(n, 2) points of the page, from places in metres."""
        away = (np.asarray(xy) - (self.centre_x, self.centre_y)) / self.metres_per_point
        turned = away @ _build_rotation_matrix(self.rotation_degrees).T
        return np.asarray(turned + np.array(self.size) / 2)

    def to_metres(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) places in metres, from points of the page."""
        away = (np.asarray(points) - np.array(self.size) / 2) * self.metres_per_point
        turned = away @ _build_rotation_matrix(self.rotation_degrees)
        return np.asarray(turned + np.array([self.centre_x, self.centre_y]))

    def contains(self, points: NDArray[np.float64], *, margin: float) -> NDArray[np.bool_]:
        """(n,) whether points of the page are inside it by more than a margin, in points."""
        inside = (points > margin) & (points < np.array(self.size) - margin)
        return np.asarray(inside.all(axis=1))

    def clip_to_page(self, shapes: Geometries, *, margin: float = PAGE_MARGIN) -> Geometries:
        """Geometries in points of the page, cut to the window; empty ones are dropped."""
        cut = self.move_and_clip(shapes, margin=margin)
        return np.asarray(cut[~shapely.is_empty(cut)])

    def move_and_clip(self, shapes: Geometries, *, margin: float) -> Geometries:
        """The same for each of the geometries, aligned with them."""
        moved = shapely.transform(shapes, self.to_page)
        edges = (-margin, -margin, self.width + margin, self.height + margin)
        return np.asarray(shapely.clip_by_rect(moved, *edges), dtype=object)

    @property
    def extent(self) -> BaseGeometry:
        """The window as a polygon in the area's metres."""
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * self.size
        return shapely.Polygon(self.to_metres(corners))


def _build_rotation_matrix(degrees: float) -> NDArray[np.float64]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cosine, -sine], [sine, cosine]])


def fit_viewport(
    content: Sequence[NDArray[np.float64]],
    *,
    width: float,
    height: float,
    padding: float = 34.0,
    min_extent_metres: float = MIN_EXTENT_METRES,
    street_bounds: tuple[float, float, float, float] | None = None,
    may_rotate: bool = True,
) -> Viewport:
    """The window that shows all content, arrays of (n, 2) metres, as large as possible.

    On each side `padding` points stay free for circles and names. A north-up window is moved into
    `street_bounds` as far as the content allows: beyond the streets the map would be blank.
    """
    xy = np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in content])
    page = np.array([width, height])
    room = page - 2 * padding
    # For every rotation: the metres per point at which the turned content just fits. The smallest
    # is the largest scale. North-up is chosen unless turning enlarges the map by MIN_ROTATION_GAIN,
    # both measured after the limit of enlargement.
    turns = np.stack([_build_rotation_matrix(degrees).T for degrees in ROTATIONS_TRIED])
    scales = (np.ptp(xy @ turns, axis=1) / room).max(axis=1).tolist()
    limit = max(MIN_METRES_PER_POINT, min_extent_metres / max(width, height))
    upright, best = int(np.flatnonzero(ROTATIONS_TRIED == 0)[0]), int(np.argmin(scales))
    gain = max(scales[upright], limit) / max(scales[best], limit)
    chosen = best if may_rotate and gain >= MIN_ROTATION_GAIN else upright
    scale = max(scales[chosen], limit)
    # The middle of the turned content's box, turned back to the area's metres.
    turn = _build_rotation_matrix(ROTATIONS_TRIED[chosen])
    turned = xy @ turn.T
    middle = (turned.max(axis=0) + turned.min(axis=0)) / 2 @ turn
    if street_bounds is not None and chosen == upright:
        # Move towards the streets by the blank part, but by no more than the content's slack.
        half = page / 2 * scale
        slack = np.clip(room / 2 * scale - np.ptp(xy, axis=0) / 2, 0, None)
        blank_low = np.clip(np.array(street_bounds[:2]) - (middle - half), 0, None)
        blank_high = np.clip((middle + half) - np.array(street_bounds[2:]), 0, None)
        middle = middle + np.clip(blank_low - blank_high, -slack, slack)
    rotation = float(ROTATIONS_TRIED[chosen])
    return Viewport(width, height, float(middle[0]), float(middle[1]), scale, rotation)


def choose_scale_bar_metres(metres_per_point: float, max_points: float) -> int:
    """Metres of a scale bar: the longest round length that fits in `max_points`."""
    steps = (1000, 500, 200, 100, 50, 20, 10)
    return next((step for step in steps if step / metres_per_point <= max_points), steps[-1])
