"""Simulated walks of planned patrols, and what a recorder in a pocket makes of them."""

import numpy as np
import shapely

SPEED_METRES_PER_SECOND = 4.8 / 3.6


def walk(patrol, rng):
    """(k, 2) true places second by second: gate, legs at 4.8 km/h, and standing at each stop."""
    places = [np.repeat([[patrol.x, patrol.y]], int(rng.integers(120, 600)), axis=0)]
    for leg, stop in zip(patrol.legs, (*patrol.stops, None), strict=True):
        places.append(_along(leg.line))
        if stop is not None:
            seconds = round(60 * (stop.leave_minutes - stop.arrive_minutes))
            places.append(np.repeat([[stop.x, stop.y]], seconds, axis=0))
    return np.concatenate(places)


def _along(line):
    if len(line) < 2:
        return line
    line = shapely.linestrings(line)
    metres = np.arange(0, line.length, SPEED_METRES_PER_SECOND)
    return shapely.get_coordinates(shapely.line_interpolate_point(line, metres))


def minutes_at_stops(true_xy, patrol, at_metres=40):
    """Minutes that the true walk spends at each stop, by its ID, second by second.

    Who is within 40 m of some is at the nearest of them.
    """
    away = np.array([np.hypot(*(true_xy - stop.point).T) for stop in patrol.stops])
    nearest = away.argmin(axis=0)[away.min(axis=0) <= at_metres]
    minutes = dict.fromkeys((stop.id for stop in patrol.stops), 0.0)
    for number in nearest:
        minutes[patrol.stops[number].id] += 1 / 60
    return minutes


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
