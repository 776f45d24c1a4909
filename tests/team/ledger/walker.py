"""Simulated walks of planned patrols, and what a recorder in a pocket makes of them."""

import numpy as np
import shapely

SPEED_METRES_PER_SECOND = 4.8 / 3.6


def walk(patrol, hotspots, rng):
    """(k, 2) true places second by second: gate, legs at 4.8 km/h, dwells.

    At each stop the officer stands, or strolls up and down the stretch.
    """
    places = [np.repeat([[patrol.x, patrol.y]], int(rng.integers(120, 600)), axis=0)]
    stretch = dict(zip(hotspots["hotspot"], hotspots.geometry, strict=True))
    for leg, stop in zip(patrol.legs, (*patrol.stops, None), strict=True):
        places.append(_along(leg.line))
        if stop is not None:
            seconds = round(60 * (stop.leave_minutes - stop.arrive_minutes))
            line = stretch.get(stop.hotspot)
            stands = line is None or line.geom_type != "LineString" or rng.random() < 0.5
            places.append(
                np.repeat([[stop.x, stop.y]], seconds, axis=0)
                if stands
                else _stroll(line, (stop.x, stop.y), seconds, rng)
            )
    return np.concatenate(places)


def _along(line):
    line = shapely.linestrings(line)
    metres = np.arange(0, line.length, SPEED_METRES_PER_SECOND)
    return shapely.get_coordinates(shapely.line_interpolate_point(line, metres))


def _stroll(line, stop, seconds, rng):
    """Up and down the stretch from the stop and back to it, at half the speed of a walk."""
    middle = shapely.line_locate_point(line, shapely.points(stop))
    reach = min(middle, line.length - middle, rng.uniform(20, 80))
    if reach < 5:
        return np.repeat([stop], seconds, axis=0)
    laps = max(1, round(seconds * SPEED_METRES_PER_SECOND / 2 / (4 * reach)))
    phase = np.linspace(0, laps, seconds)
    metres = middle + reach * (2 / np.pi) * np.arcsin(np.sin(2 * np.pi * phase))
    return shapely.get_coordinates(shapely.line_interpolate_point(line, metres))


def minutes_within(true_xy, hotspots, within_metres=0.5):
    """Minutes that the true walk spends on each stretch, by hotspot; crossing ones are shared."""
    points = shapely.points(true_xy)
    tree = shapely.STRtree(hotspots.geometry.to_numpy())
    points_near, stretch = tree.query(points, predicate="dwithin", distance=within_metres)
    share = 1 / np.bincount(points_near, minlength=len(points))[points_near]
    minutes = np.bincount(stretch, weights=share, minlength=len(hotspots)) / 60
    return dict(zip(hotspots["hotspot"], minutes, strict=True))


def recorded(true_xy, rng, *, white_metres, drift_metres=0.0, bursts=0, every_seconds=5):
    """Seconds and places that a recorder notes: noise, drift, wild bursts, a two-minute gap."""
    count = len(true_xy)
    noise = rng.normal(0, white_metres, (count, 2)) if white_metres else np.zeros((count, 2))
    if drift_metres:
        keep = np.exp(-1 / 60)  # a drift forgets itself within a minute
        kicks = rng.normal(0, drift_metres * np.sqrt(1 - keep**2), (count, 2))
        drift = np.empty((count, 2))
        drift[0] = rng.normal(0, drift_metres, 2)
        for second in range(1, count):
            drift[second] = keep * drift[second - 1] + kicks[second]
        noise += drift
    for _ in range(bursts):
        start = rng.integers(0, count - 30)
        noise[start : start + rng.integers(10, 30)] += rng.normal(0, 120, 2)
    seconds = np.arange(0, count, every_seconds)
    gap = rng.integers(300, count - 420)
    left = seconds[(seconds < gap) | (seconds >= gap + 120)]
    return left.astype(float), (true_xy + noise)[left]
