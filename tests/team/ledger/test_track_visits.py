"""What a track says of each stop, and what it leaves as it was."""

import dataclasses
import datetime as dt
import itertools
import math

import numpy as np
import pytest
from team.ledger import walker

from patrolplan.errors import InputError
from patrolplan.inputs.gpx import Track
from patrolplan.team.ledger.track_visits import build_track_visits
from patrolplan.times import minutes_after_midnight

MONDAY = dt.date(2026, 11, 30)


@pytest.fixture
def handed(ledger, promised_week):
    """A ledger in which the demo week is handed out."""
    ledger.hand_out(promised_week)
    return ledger


@pytest.fixture(scope="module")
def duty(week):
    """A patrol of Monday with the most stops, each at another place, 80 m or more apart."""

    def is_spread(duty):
        pairs = itertools.combinations([stop.point for stop in duty.patrol.stops], 2)
        return all(math.dist(*pair) > 80 for pair in pairs)

    spread = [duty for duty in week.duties if duty.date == MONDAY and is_spread(duty)]
    return max(spread, key=lambda duty: len(duty.patrol.stops))


@pytest.fixture(scope="module")
def walk(plan, duty):
    """A track of the whole patrol as planned, a point every five seconds, without noise."""
    patrol, places, seconds = duty.patrol, [], []
    clock = patrol.start_minutes * 60
    for leg, stop in zip(patrol.legs, (*patrol.stops, None), strict=True):
        line = walker._along(leg.line)
        begin = (stop.arrive_minutes if stop else patrol.end_minutes) * 60 - len(line)
        waited = max(0, round(begin - clock))
        places += [np.repeat(line[:1], waited, axis=0), line]
        clock += waited + len(line)
        if stop is not None:
            stay = max(0, round(stop.leave_minutes * 60 - clock))
            places.append(np.repeat([[stop.x, stop.y]], stay, axis=0))
            clock += stay
    xy = np.concatenate(places)
    midnight = dt.datetime.combine(MONDAY, dt.time(), dt.UTC).timestamp()
    seconds = midnight + patrol.start_minutes * 60 + np.arange(len(xy))
    longitude, latitude = plan.area.projection.to_degrees(*xy.T)
    return Track(seconds[::5], longitude[::5], latitude[::5])


def _cut(track, begin=0, end=1440):
    """The part of a track between two times, in minutes since midnight."""
    rows = (track.clock_seconds >= begin * 60) & (track.clock_seconds <= end * 60)
    return Track(track.seconds[rows], track.longitude[rows], track.latitude[rows])


def _measure(ledger, plan, track, duty, **options):
    network = plan.area.network
    return build_track_visits(ledger, network, track, duty.officer, duty.date, **options)


def _type(ledger, found, minutes):
    """Enter the same minutes for every place measured, as if typed."""
    ledger.record(
        [
            dataclasses.replace(visit, minutes=minutes, source="keyboard", tracks=())
            for visit in found.visits
        ]
    )


def test_a_stop_that_a_track_does_not_cover_is_left_as_it_was(handed, plan, duty, walk):
    """A track of the last stop alone says nothing of the first, and of the last one all."""
    whole = _measure(handed, plan, walk, duty)
    stops = duty.patrol.stops
    assert {visit.hotspot for visit in whole.visits} >= {stop.hotspot for stop in stops}
    assert whole.unknown == ()
    span = {"begin": stops[-1].arrive_minutes - 1, "end": stops[-1].leave_minutes + 1}
    late = _measure(handed, plan, _cut(walk, **span), duty)
    assert stops[0].hotspot not in {visit.hotspot for visit in late.visits}
    assert stops[-1].hotspot in {visit.hotspot for visit in late.visits}
    assert stops[0].place in late.unknown
    assert stops[-1].place not in late.unknown


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
    at_gate = Track(
        walk.seconds,
        np.full(len(walk.seconds), walk.longitude[0]),
        np.full(len(walk.seconds), walk.latitude[0]),
    )
    found = {visit.hotspot: visit.minutes for visit in _measure(handed, plan, at_gate, duty).visits}
    far = [
        stop.hotspot
        for stop in duty.patrol.stops
        if np.hypot(stop.x - duty.patrol.x, stop.y - duty.patrol.y) > 300
    ]
    assert far
    assert all(found[name] == 0.0 for name in far)


def test_part_of_a_stay_takes_nothing_from_typed_minutes(handed, plan, duty, walk):
    """A track that begins in the middle of a stay gives fewer minutes; the typed ones stay."""
    first = duty.patrol.stops[0]
    assert _measure(handed, plan, walk, duty).partial == ()
    late = _measure(handed, plan, _cut(walk, begin=first.arrive_minutes + 8), duty)
    assert late.partial == (first.place,)
    _type(handed, _measure(handed, plan, walk, duty), 15.0)
    late = _measure(handed, plan, _cut(walk, begin=first.arrive_minutes + 8), duty)
    assert first.place in late.unknown
    assert first.hotspot not in {row.visit.hotspot for row in late.lower}


def test_fewer_minutes_than_typed_are_left_to_decide(handed, plan, duty, walk):
    """A whole track that gives 15 minutes where 60 were typed is entered by nobody's default."""
    whole = _measure(handed, plan, walk, duty)
    _type(handed, whole, 60.0)
    again = _measure(handed, plan, walk, duty)
    assert again.visits == ()
    assert {row.visit.hotspot for row in again.lower} == {row.hotspot for row in whole.visits}
    assert {row.typed_minutes for row in again.lower} == {60.0}
    measured = max(row.visit.minutes for row in again.lower)
    _type(handed, whole, round(measured + 0.9, 1))
    for row in _measure(handed, plan, walk, duty).lower:
        assert row.visit.minutes <= row.typed_minutes - 1  # less than a minute confirms


def test_two_files_add_up(handed, plan, duty, walk):
    """The halves of a track, entered one after the other, give the minutes of the whole."""
    whole = {row.hotspot: row.minutes for row in _measure(handed, plan, walk, duty).visits}
    second = duty.patrol.stops[1]
    middle = (second.arrive_minutes + second.leave_minutes) / 2
    for half in (_cut(walk, end=middle), _cut(walk, begin=middle + 0.01)):
        for _ in range(2):  # a file that is entered again adds nothing
            handed.record(_measure(handed, plan, half, duty).visits)
    standing = handed.read_delivered(MONDAY, MONDAY).set_index("hotspot")["minutes"]
    for stop in duty.patrol.stops:
        assert standing[stop.hotspot] == pytest.approx(whole[stop.hotspot], abs=1.5)
    handed.record(_measure(handed, plan, walk, duty).visits)  # the whole takes their place
    standing = handed.read_delivered(MONDAY, MONDAY).set_index("hotspot")["minutes"]
    for stop in duty.patrol.stops:
        assert standing[stop.hotspot] == pytest.approx(whole[stop.hotspot], abs=0.2)


def test_tracks_that_overlap_in_part_are_refused(handed, plan, duty, walk):
    """Nobody can tell which minutes both have: the message asks for both files in one command."""
    middle = duty.patrol.stops[1].arrive_minutes
    handed.record(_measure(handed, plan, _cut(walk, end=middle + 5), duty).visits)
    with pytest.raises(InputError, match=r"partly overlaps one already entered .*--gpx ONE"):
        _measure(handed, plan, _cut(walk, begin=middle), duty)


def _record(plan, duty, seconds, xy):
    start = dt.datetime.combine(duty.date, dt.time(15, 10), dt.UTC).timestamp()
    longitude, latitude = plan.area.projection.to_degrees(*xy.T)
    return Track(seconds + start, longitude, latitude)


def _track(plan, duty, seed=1):
    rng = np.random.default_rng(seed)
    true = walker.walk(duty.patrol, rng)
    track = _record(plan, duty, *walker.recorded(true, rng, white_metres=20))
    return track, walker.minutes_at_stops(true, duty.patrol)


def test_a_track_gives_the_minutes_at_each_stop(handed, plan, week):
    """Every promised place of Monday is measured, and again the same.

    Within two minutes, as long as the recorder's gap, in which an officer may set out. Which of two
    stops within 80 m it was a recorder does not tell as well.
    """
    compared = 0
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
    network = plan.area.network
    other = next(row for row in week.duties if row.date == MONDAY + dt.timedelta(days=1))
    with pytest.raises(InputError, match="it has some on 2026-11-30"):
        build_track_visits(handed, network, track, other.officer, other.date)
    far = Track(track.seconds, track.longitude + 1, track.latitude)
    with pytest.raises(InputError, match="nowhere near the area's streets"):
        build_track_visits(handed, network, far, duty.officer, duty.date)
    with pytest.raises(InputError, match="SSO-99 has no patrol on 2026-11-30"):
        build_track_visits(handed, network, track, "SSO-99", duty.date)
    lent = build_track_visits(handed, network, track, "SSO-99", duty.date, urn=duty.urn)
    assert {visit.officer for visit in lent.visits} == {"SSO-99"}
