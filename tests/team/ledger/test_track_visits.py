"""What a track says of each stop, and what it leaves as it was."""

import datetime as dt
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from patrolplan.errors import InputError
from patrolplan.inputs.gpx import Track
from patrolplan.team.ledger import track_visits as tracks
from patrolplan.times import minutes_after_midnight

MONDAY = dt.date(2026, 11, 30)
SPEED_METRES_PER_SECOND = 4.8 / 3.6


def _walk_truly(patrol, wait):
    """(k, 2) places second by second: at the gate, legs at 4.8 km/h, and standing at each stop."""
    places = [np.repeat([patrol.point], wait, axis=0)]
    for leg, stop in zip(patrol.legs, (*patrol.stops, None), strict=True):
        if len(leg.line) > 1:
            line = shapely.linestrings(leg.line)
            metres = np.arange(0, line.length, SPEED_METRES_PER_SECOND)
            places.append(shapely.get_coordinates(shapely.line_interpolate_point(line, metres)))
        if stop is not None:
            seconds = round(60 * (stop.leave_minutes - stop.arrive_minutes))
            places.append(np.repeat([stop.point], seconds, axis=0))
    return np.concatenate(places)


def _minutes_at_stops(true_xy, patrol, at_metres=40):
    """Minutes of the true walk at each stop's ID: every second at the nearest within 40 m."""
    away = np.array([np.hypot(*(true_xy - stop.point).T) for stop in patrol.stops])
    nearest = away.argmin(axis=0)[away.min(axis=0) <= at_metres]
    minutes = dict.fromkeys((stop.id for stop in patrol.stops), 0.0)
    for number in nearest:
        minutes[patrol.stops[number].id] += 1 / 60
    return minutes


def _note(true_xy, rng, *, white_metres, drift_metres=0.0, bursts=0, every_seconds=5):
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


@pytest.fixture(scope="module")
def duty(week):
    """A patrol of Monday with the most stops, each at another place, 80 m or more apart."""

    def rate(duty):
        pairs = itertools.combinations([stop.point for stop in duty.patrol.stops], 2)
        return all(math.dist(*pair) > 80 for pair in pairs), len(duty.patrol.stops)

    return max((duty for duty in week.duties if duty.date == MONDAY), key=rate)


@pytest.fixture(scope="module")
def walk(plan, duty):
    """A track of the whole patrol as planned, a point every five seconds, without noise."""
    patrol = duty.patrol
    xy = _walk_truly(patrol, round(60 * (patrol.gate_until_minutes - patrol.start_minutes)))
    midnight = dt.datetime.combine(MONDAY, dt.time(), dt.UTC).timestamp()
    seconds = midnight + patrol.start_minutes * 60 + np.arange(len(xy))
    return Track(seconds[::5], *(side[::5] for side in plan.area.projection.to_degrees(*xy.T)))


def _cut(track, begin=0, end=1440):
    """The part of a track between two times, in minutes since midnight."""
    rows = (track.clock_seconds >= begin * 60) & (track.clock_seconds <= end * 60)
    return Track(track.seconds[rows], track.longitude[rows], track.latitude[rows])


def _measure(ledger, plan, track, duty, **options):
    network = plan.area.network
    return tracks.build_track_visits(ledger, network, track, duty.officer, duty.date, **options)


def _type(ledger, found, minutes):
    """Enter the same minutes for every place measured, as if typed."""
    typed = {"minutes": minutes, "source": "keyboard", "tracks": ()}
    ledger.record([replace(visit, **typed) for visit in found.visits])


def test_a_stop_that_a_track_does_not_cover_is_left_as_it_was(handed, plan, duty, walk):
    """A track of the last stop alone says nothing of the first, and of the last one all."""
    whole = _measure(handed, plan, walk, duty)
    stops = duty.patrol.stops
    assert {visit.hotspot for visit in whole.visits} >= {stop.hotspot for stop in stops}
    assert whole.notes == ()
    span = {"begin": stops[-1].arrive_minutes - 1, "end": stops[-1].leave_minutes + 1}
    late = _measure(handed, plan, _cut(walk, **span), duty)
    assert stops[0].hotspot not in {visit.hotspot for visit in late.visits}
    assert stops[-1].hotspot in {visit.hotspot for visit in late.visits}
    assert f"{stops[0].place}: the track does not cover" in "\n".join(late.notes)
    assert stops[-1].place not in "\n".join(late.notes)


def test_a_stay_begins_when_the_officer_came(handed, plan, duty, walk):
    """Each visit begins when the walk came to its stop, or to the stretch on the way there."""
    found = {visit.id: visit for visit in _measure(handed, plan, walk, duty).visits}
    for stop in duty.patrol.stops:
        visit = found[stop.id]
        late = minutes_after_midnight(visit.arrive) - stop.arrive_minutes
        assert -1 - max(0, visit.minutes - 15) <= late <= 2, stop.id
        assert visit.window == "after_school"


def test_a_stop_not_visited_in_covered_time_has_no_minutes(handed, plan, duty, walk):
    """Where the track covers a stop's planned time elsewhere, the stop was not visited: 0."""
    gate = (np.full(len(walk.seconds), side[0]) for side in (walk.longitude, walk.latitude))
    at_gate = Track(walk.seconds, *gate)
    found = {visit.hotspot: visit.minutes for visit in _measure(handed, plan, at_gate, duty).visits}
    away = {stop.hotspot: math.dist(stop.point, duty.patrol.point) for stop in duty.patrol.stops}
    assert {found[name] for name, metres in away.items() if metres > 300} == {0.0}


def test_typed_minutes_stay_where_a_track_gives_fewer(handed, plan, duty, walk):
    """A track of part of a stay, or of less than was typed, takes nothing away; both are said."""
    first = duty.patrol.stops[0]
    whole = _measure(handed, plan, walk, duty)
    assert whole.notes == ()
    late = _cut(walk, begin=first.arrive_minutes + 8)
    part = f"{first.place}: the track covers only a part of the stay."
    assert part in _measure(handed, plan, late, duty).notes
    _type(handed, whole, 60.0)
    assert _measure(handed, plan, late, duty).visits == ()
    again = _measure(handed, plan, walk, duty)
    assert again.visits == ()
    typed = "60 minutes were typed, the track gives"
    starts = {f"{row.place}: {typed} {row.minutes:g};" for row in whole.visits}
    assert {note.partition(" type it")[0] for note in again.notes} == starts
    most = max(row.minutes for row in whole.visits)
    _type(handed, whole, round(most + 0.9, 1))  # less than a minute confirms
    names = " ".join(_measure(handed, plan, walk, duty).notes)
    assert not any(row.place in names for row in whole.visits if row.minutes == most)


def test_a_second_track_of_a_day_is_refused(handed, plan, duty, walk):
    """The same one changes nothing, the whole takes the place of a part; another one is refused."""
    whole = _measure(handed, plan, walk, duty)
    middle = duty.patrol.stops[1].arrive_minutes + 3
    half = _measure(handed, plan, _cut(walk, end=middle), duty)
    handed.record(half.visits)
    again = _measure(handed, plan, _cut(walk, end=middle), duty)
    assert {entry.outcome for entry in handed.record(again.visits)} == {"same"}
    with pytest.raises(InputError, match=r"another track of 2026-11-30 .*--gpx ONE --gpx OTHER"):
        _measure(handed, plan, _cut(walk, begin=middle), duty)
    handed.record(_measure(handed, plan, walk, duty).visits)
    standing = handed.read_delivered(MONDAY, MONDAY).set_index("hotspot")["minutes"].to_dict()
    assert standing == {row.hotspot: row.minutes for row in whole.visits}


def _track(plan, duty):
    rng = np.random.default_rng(1)
    true = _walk_truly(duty.patrol, int(rng.integers(120, 600)))
    seconds, xy = _note(true, rng, white_metres=20)
    start = dt.datetime.combine(duty.date, dt.time(15, 10), dt.UTC).timestamp()
    track = Track(seconds + start, *plan.area.projection.to_degrees(*xy.T))
    return track, _minutes_at_stops(true, duty.patrol)


def test_a_track_gives_the_minutes_at_each_stop(handed, plan, week):
    """Every promised place of Monday is measured, within the recorder's gap, and again the same."""
    compared = 0  # of two stops within 80 m a recorder does not tell as well which it was
    for duty in [duty for duty in week.duties if duty.date == MONDAY]:
        track, truth = _track(plan, duty)
        measured = _measure(handed, plan, track, duty, urn=duty.urn)
        found = {visit.id: visit.minutes for visit in measured.visits}
        points = {stop.id: np.array(stop.point) for stop in duty.patrol.stops}
        for place, minutes in truth.items():
            others = [xy - points[place] for name, xy in points.items() if name != place]
            if all(np.hypot(*apart) > 80 for apart in others):
                assert found[place] == pytest.approx(minutes, abs=2)
                compared += 1
        assert {visit.urn for visit in measured.visits} == {duty.urn}
        again = _measure(handed, plan, track, duty, urn=duty.urn)
        assert again.visits == measured.visits
    assert compared > 5


def test_tracks_of_another_day_or_place_are_refused(handed, plan, week):
    """The message says on which days the track has points, or where it starts."""
    duty = week.duties[0]
    track, _ = _track(plan, duty)
    other = next(row for row in week.duties if row.date == MONDAY + dt.timedelta(days=1))
    with pytest.raises(InputError, match="it has some on 2026-11-30"):
        _measure(handed, plan, track, other)
    far = Track(track.seconds, track.longitude + 1, track.latitude)
    with pytest.raises(InputError, match="nowhere near the area's streets"):
        _measure(handed, plan, far, duty)
    stranger = replace(duty, officer="SSO-99")
    with pytest.raises(InputError, match="SSO-99 has no patrol on 2026-11-30"):
        _measure(handed, plan, track, stranger)
    lent = _measure(handed, plan, track, stranger, urn=duty.urn)
    assert {visit.officer for visit in lent.visits} == {"SSO-99"}


SLOW = pytest.mark.slow
MIXED = {"white_metres": 14, "drift_metres": 14, "bursts": 5}
"""Noise of 20 m in all: half of its variance drifts, and there are wild bursts."""


def _measured(plan, seed, **noise):
    """(minutes measured, minutes in truth) at each place of a walk."""
    walks = (one for best in plan.patrols for variant in best.variants for one in variant.patrols)
    patrols = [patrol for patrol in (*plan.patrols, *walks) if patrol.stops]
    rng = np.random.default_rng(seed)
    patrol = patrols[rng.integers(len(patrols))]
    true = _walk_truly(patrol, int(rng.integers(120, 600)))
    seconds, xy = _note(true, rng, **noise)
    found = tracks.measure_track(seconds, xy)
    assert found.step_minutes.sum() == pytest.approx((seconds[-1] - seconds[0]) / 60)
    truth = _minutes_at_stops(true, patrol)
    points = [[stop.point for stop in patrol.stops if stop.id == place] for place in truth]
    places = np.array([shapely.MultiPoint(there) for there in points], dtype=object)
    at = found.find_places(places, np.ones(len(places), dtype=bool))
    minutes = enumerate(truth.values())
    return [(float(found.step_minutes[at == row].sum()), true) for row, true in minutes]


@pytest.mark.parametrize(
    ("walks", "noise", "share", "worst"),
    [
        (10, {"white_metres": 20}, 0.9, 0.2),
        pytest.param(100, {"white_metres": 20, "every_seconds": 15}, 0.95, 0.3, marks=SLOW),
        pytest.param(100, MIXED, 0.9, 0.5, marks=SLOW),
    ],
)
def test_minutes_at_each_place_are_right_within_a_tenth(plan, walks, noise, share, worst):
    """With noise and a two-minute gap, at nearly all stops; the worst are where noise drifts."""
    rows = [row for seed in range(walks) for row in _measured(plan, seed, **noise)]
    errors = np.array([abs(got - true) / true for got, true in rows])
    assert np.quantile(errors, share) < 0.1
    assert np.median(errors) < 0.025
    assert errors.max() < worst


@pytest.mark.parametrize(
    ("gap", "moved", "is_lost"),
    [
        (240, 900.0, False),
        (600, tracks.AT_PLACE_METRES - 1, False),
        (600, tracks.AT_PLACE_METRES + 1, True),
        (tracks.MAX_STAY_SECONDS + 60, 0.0, True),
    ],
)
def test_a_gap_is_bridged_or_lost(gap, moved, is_lost):
    """A long gap that ends within 40 m of where it began is a stay there; any other is lost."""
    place = np.array([1000.0, 1000.0])
    seconds = np.arange(0, 1800.0 + gap, 5)
    seconds = seconds[(seconds <= 600) | (seconds >= 600 + gap)]
    xy = np.where(seconds[:, None] <= 600, place, place + np.array([moved, 0.0]))
    found = tracks.measure_track(seconds, xy)
    assert found.lost_minutes == pytest.approx(gap / 60 if is_lost else 0)
    counted = found.step_minutes.sum()
    assert counted == pytest.approx(seconds[-1] / 60 - found.lost_minutes, abs=0.11)
    spans = [[0, 600], [600 + gap, seconds[-1]]] if is_lost else [[0, seconds[-1]]]
    assert found.spans.tolist() == spans
    if not is_lost and gap == 600:
        at = found.find_places(shapely.points(place[None]), np.ones(1, dtype=bool))
        assert found.step_minutes[at == 0].sum() > 0.95 * counted


def test_a_step_is_at_the_nearest_planned_place_and_then_at_any_other():
    """Walked along a line of places, step by step: none is at two, nor beyond 40 m."""
    places = np.array([shapely.Point(x, 0) for x in (0.0, 30.0, 60.0, 200.0)], dtype=object)
    is_planned = np.array([True, False, True, False])
    seconds = np.arange(0, 1500.0)
    found = tracks.measure_track(seconds, np.column_stack([seconds / 4 - 60, np.zeros(1500)]))
    at = found.find_places(places, is_planned)
    for xy, row in zip(found.step_xy, at, strict=True):
        away = shapely.distance(places, shapely.Point(xy))
        near = [one for one in np.argsort(away) if away[one] <= tracks.AT_PLACE_METRES]
        first = next((one for one in near if is_planned[one]), *near[:1] or [-1])
        assert row == first
    assert {*at.tolist()} == {-1, 0, 2, 3}


def test_a_stay_begins_after_walking_past():
    """One minute there and away again, and later ten minutes: the ten are the stay."""
    seconds = np.arange(0, 1800.0, 5)
    is_there = ((seconds >= 300) & (seconds < 360)) | ((seconds >= 900) & (seconds < 1500))
    found = tracks.measure_track(seconds, np.column_stack([np.where(is_there, 0.0, 500.0)] * 2))
    at = found.find_places(shapely.points([[0.0, 0.0]]), np.ones(1, dtype=bool))
    spent = np.where(at == 0, found.step_minutes, 0.0)
    assert found.find_arrival(spent) == pytest.approx(900, abs=60)
