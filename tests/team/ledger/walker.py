"""Simulated walks of planned patrols, and what a recorder in a pocket makes of them."""

import numpy as np
import shapely

SPEED_METRES_PER_SECOND = 4.8 / 3.6


def walk(patrol, beats, rng):
    """(k, 2) true places second by second: gate, legs at 4.8 km/h, dwells.

    At each stop the officer stands, or strolls up and down the nearest stretch of the beat.
    """
    places = [np.repeat([[patrol.x, patrol.y]], int(rng.integers(120, 600)), axis=0)]
    stretch = dict(zip(beats["hotspot"], beats.geometry, strict=True))
    for leg, stop in zip(patrol.legs, (*patrol.stops, None), strict=True):
        places.append(_along(leg.line))
        if stop is not None:
            seconds = round(60 * (stop.leave_minutes - stop.arrive_minutes))
            stands = stop.hotspot not in stretch or rng.random() < 0.5
            places.append(
                np.repeat([[stop.x, stop.y]], seconds, axis=0)
                if stands
                else _stroll(stretch[stop.hotspot], (stop.x, stop.y), seconds, rng)
            )
    return np.concatenate(places)


def _along(line):
    line = shapely.linestrings(line)
    metres = np.arange(0, line.length, SPEED_METRES_PER_SECOND)
    return shapely.get_coordinates(shapely.line_interpolate_point(line, metres))


def _stroll(stretch, stop, seconds, rng):
    """Up and down the line nearest to the stop and back, at half the speed of a walk."""
    merged = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(stretch)))
    line = min(shapely.get_parts(merged), key=shapely.points(stop).distance)
    middle = shapely.line_locate_point(line, shapely.points(stop))
    reach = min(middle, line.length - middle, rng.uniform(20, 80))
    if reach < 5:
        return np.repeat([stop], seconds, axis=0)
    laps = max(1, round(seconds * SPEED_METRES_PER_SECOND / 2 / (4 * reach)))
    phase = np.linspace(0, laps, seconds)
    metres = middle + reach * (2 / np.pi) * np.arcsin(np.sin(2 * np.pi * phase))
    return shapely.get_coordinates(shapely.line_interpolate_point(line, metres))


def minutes_within(true_xy, beats, patrol, within_metres=0.5, in_view_metres=40):
    """Minutes that the true walk spends at each place, by hotspot, second by second.

    Who is within 40 m of a planned stop is at the nearest of them. Else the time is that of the
    stretch one is on: a planned one, or any other; between several it is shared.
    """
    points = shapely.points(true_xy)
    minutes = dict.fromkeys(beats["hotspot"], 0.0)
    left = np.ones(len(points), dtype=bool)
    if patrol.stops:
        away = np.array([np.hypot(*(true_xy - (stop.x, stop.y)).T) for stop in patrol.stops])
        left = away.min(axis=0) > in_view_metres
        for number in away.argmin(axis=0)[~left]:
            name = patrol.stops[number].hotspot
            minutes[name] = minutes.get(name, 0.0) + 1 / 60
    is_planned = beats["hotspot"].isin([stop.hotspot for stop in patrol.stops])
    for rows in (beats[is_planned], beats[~is_planned]):
        is_on = shapely.dwithin(rows.geometry.to_numpy()[:, None], points, within_metres) & left
        share = is_on / np.maximum(is_on.sum(axis=0), 1)
        for name, spent in zip(rows["hotspot"], share.sum(axis=1) / 60, strict=True):
            minutes[name] += spent
        left &= ~is_on.any(axis=0)
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
