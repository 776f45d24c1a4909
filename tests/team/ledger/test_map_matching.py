"""Minutes in each hotspot from a noisy track, against the truth of simulated walks."""

import numpy as np
import pytest
import shapely
from team.ledger import walker

from patrolplan.team.ledger.map_matching import (
    MAX_STAY_SECONDS,
    POINT_RADIUS_METRES,
    STAY_METRES,
    find_pieces,
    match_track,
    share_pieces,
)

MIXED = {"white_metres": 14, "drift_metres": 14, "bursts": 5}
"""Noise of 20 m in all: half of its variance drifts, and there are wild bursts."""


def _share(plan, names, stops=()):
    """Pieces that count for each hotspot, where the officer stops at some.

    Stops at a tasked place on a hotspot may be elsewhere than its own stop.
    """
    points = {stop.hotspot: shapely.Point(stop.point) for stop in stops}
    shapes = {
        name: shapely.GeometryCollection([*shapely.get_parts(line), points.pop(name, stop)])
        for name, line, stop in zip(
            *(plan.hotspots[column] for column in ("hotspot", "geometry", "stop")), strict=True
        )
    }
    shapes |= points  # corners
    is_planned = np.array([name in names for name in shapes])
    parts = share_pieces(plan.area.network, np.array([*shapes.values()], dtype=object), is_planned)
    return dict(zip(shapes, parts, strict=True))


def _measured(plan, seed, **noise):
    """(hotspot, minutes measured, minutes in truth) of each stop of a walk."""
    patrols = [
        patrol
        for best in plan.patrols
        for patrol in (best, *(walk for variant in best.variants for walk in variant.patrols))
        if patrol.stops
    ]
    rng = np.random.default_rng(seed)
    patrol = patrols[rng.integers(len(patrols))]
    true = walker.walk(patrol, rng)
    seconds, xy = walker.recorded(true, rng, **noise)
    found = match_track(plan.area.network, seconds, xy)
    assert found.step_minutes.sum() == pytest.approx((seconds[-1] - seconds[0]) / 60)
    assert 1.8 < found.bridged_minutes < 2.2
    pieces = _share(plan, [stop.hotspot for stop in patrol.stops], patrol.stops)
    truth = walker.minutes_within(true, plan.hotspots, patrol)
    names = dict.fromkeys(stop.hotspot for stop in patrol.stops)
    return [(name, found.sum_minutes(pieces[name]), truth[name]) for name in names]


def _errors(plan, walks, **noise):
    rows = [row for seed in range(walks) for row in _measured(plan, seed, **noise)]
    return np.array([abs(got - true) / true for _, got, true in rows])


def test_minutes_in_each_hotspot_are_right_within_a_tenth(plan):
    """With 20 m of noise and a two-minute gap, on ten walks: at most stops, and nearly at all."""
    errors = _errors(plan, 10, white_metres=20)
    assert np.quantile(errors, 0.9) < 0.1
    assert errors.max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "share", "worst"),
    [
        ({"white_metres": 20}, 0.97, 0.3),
        ({"white_metres": 20, "every_seconds": 1, "bursts": 5}, 0.97, 0.3),
        ({"white_metres": 20, "every_seconds": 15}, 0.95, 0.3),
        (MIXED, 0.9, 0.5),
    ],
)
def test_a_hundred_walks(plan, noise, share, worst):
    """Of a hundred walks nearly all stops are right within a tenth, half of them within 2 %.

    The worst are where noise drifts.
    """
    errors = _errors(plan, 100, **noise)
    assert np.quantile(errors, share) < 0.1
    assert np.median(errors) < 0.025
    assert errors.max() < worst


@pytest.mark.parametrize(
    ("gap", "moved", "minutes"),
    [
        (240, 0.0, {"bridged": 3.9}),
        (600, STAY_METRES - 1, {"stay": 9.9}),
        (600, STAY_METRES + 1, {"lost": 9.9}),
        (MAX_STAY_SECONDS + 60, 0.0, {"lost": MAX_STAY_SECONDS / 60 + 0.9}),
    ],
)
def test_a_gap_is_bridged_a_stay_or_lost(demo_area, gap, moved, minutes):
    """A long gap that ends within 40 m of where it began is a stay there; any other is lost."""
    network = demo_area.network
    piece = 100
    place = network.piece_middle[piece]
    seconds = np.arange(0, 1800.0 + gap, 5)
    seconds = seconds[(seconds <= 600) | (seconds >= 600 + gap)]
    xy = np.where(seconds[:, None] <= 600, place, place + np.array([moved, 0.0]))
    found = match_track(network, seconds, xy)
    for kind in ("bridged", "stay", "lost"):
        expected = pytest.approx(minutes.get(kind, 0.0), abs=0.11)
        assert getattr(found, f"{kind}_minutes") == expected
    counted = found.step_minutes.sum()
    assert counted == pytest.approx(seconds[-1] / 60 - found.lost_minutes)
    spans = [[0, 600], [600 + gap, seconds[-1]]] if "lost" in minutes else [[0, seconds[-1]]]
    assert found.spans.tolist() == spans
    if "stay" in minutes:
        near = np.hypot(*(network.piece_middle - place).T) < 3 * STAY_METRES
        assert found.sum_minutes(np.flatnonzero(near)) > 0.95 * counted


def test_time_off_the_streets_is_no_dose(demo_area):
    """Ten minutes in a field 300 m from every street are on no piece."""
    network = demo_area.network
    corner = network.node_xy[np.argmax(network.node_xy.sum(axis=1))]
    rng = np.random.default_rng(1)
    xy = corner + 300 + rng.normal(0, 10, (120, 2))
    found = match_track(network, np.arange(0, 600.0, 5), xy)
    assert found.off_street_minutes > 0.9 * 595 / 60


def test_a_stretch_finds_its_own_pieces_again(plan):
    """The pieces of every hotspot are known from its line alone."""
    found = find_pieces(plan.area.network, plan.hotspots.geometry.to_numpy())
    same = [set(a) >= set(b) for a, b in zip(found, plan.hotspots["pieces"], strict=True)]
    assert all(same)
    more = sum(len(a) for a in found) - sum(len(b) for b in plan.hotspots["pieces"])
    assert more <= 0.01 * sum(len(b) for b in plan.hotspots["pieces"])


@pytest.mark.slow
def test_no_piece_counts_for_two_places(plan):
    """Each piece of a stretch or around a stop counts once, for the place that a person would name.

    A planned stop goes before a planned stretch, that before any other stop, and then stretch.
    """
    middle, lines = plan.area.network.piece_middle, plan.hotspots.geometry.to_numpy()
    stops = shapely.get_coordinates(plan.hotspots["stop"].to_numpy())
    for patrol in plan.patrols:
        names = [stop.hotspot for stop in patrol.stops]
        parts = _share(plan, names)
        counted = {piece: name for name, part in parts.items() for piece in part.tolist()}
        assert len(counted) == sum(len(part) for part in parts.values())
        for piece, xy in enumerate(middle):
            away = np.hypot(*(stops - xy).T)
            near = away <= POINT_RADIUS_METRES
            on = shapely.dwithin(lines, shapely.points(xy), 1.0)
            planned = plan.hotspots["hotspot"].isin(names).to_numpy()
            choices = (planned & near, planned & on, ~planned & near, ~planned & on)
            rows = next((np.flatnonzero(rows) for rows in choices if rows.any()), None)
            expected = None if rows is None else plan.hotspots["hotspot"][rows[away[rows].argmin()]]
            assert counted.get(piece) == expected


def test_standing_in_view_of_a_stretch_counts_for_it(plan):
    """Who stands 15 minutes exactly where the card says has them, on another street as well."""
    stops = shapely.get_coordinates(plan.hotspots["stop"].to_numpy())
    off = np.flatnonzero(
        shapely.distance(plan.hotspots.geometry.to_numpy(), shapely.points(stops)) > 1
    )
    assert len(off)
    for row in off:
        name = plan.hotspots["hotspot"][row]
        xy = np.repeat(stops[row : row + 1], 180, axis=0)
        xy += np.random.default_rng(int(row)).normal(0, 10, xy.shape)
        found = match_track(plan.area.network, np.arange(0, 900.0, 5), xy)
        part = _share(plan, [name])[name]
        assert found.sum_minutes(part) == pytest.approx(895 / 60, abs=1)
