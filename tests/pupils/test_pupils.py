"""Presence is where the flow's pupils are, minute by minute, and sums to their walks and waits."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.pupils.flows import NotStoredError
from patrolplan.pupils.leaving import LeavingCurve, arrived
from patrolplan.pupils.pupils import Visit

CURVE = LeavingCurve(leave_minutes=7, late_share=0.25, late_minutes=60)
URN = "900003"
SPEED = 75.0


@pytest.fixture(scope="module")
def school(demo_pupils):
    """The pupils of one of the demo's schools."""
    return demo_pupils[URN]


def test_three_quarters_leave_soon_after_the_bell():
    """The mean of those is as declared, the others leave an hour later, all in the end."""
    minutes = np.arange(0, 400, 0.01)
    share = CURVE.left(minutes)
    assert CURVE.left([-5, 0]).tolist() == [0, 0]
    assert np.all(np.diff(share) >= 0)
    assert share[-1] == pytest.approx(1)
    density = np.diff(share) / 0.01
    assert (minutes[:-1] * density).sum() * 0.01 == pytest.approx(0.75 * 7 + 0.25 * 60, abs=0.02)
    assert CURVE.left(35) == pytest.approx(0.75, abs=0.01)


def test_waiting_is_that_of_one_pupil_after_the_other():
    """Each pupil waits an exponential time: listed one by one they wait as the curve says."""
    draw = np.random.default_rng(4)
    count = 200_000
    is_late = draw.random(count) < CURVE.late_share
    first = draw.gamma(2, CURVE.leave_minutes / 2, count)
    come = np.where(is_late, draw.normal(CURVE.late_minutes, 12, count), first)
    gone = come + draw.exponential(6, count)
    for minute in (5.0, 12.0, 30.0, 70.0):
        waited = np.clip(minute - come, 0, gone - come).mean()
        assert CURVE.waited(minute) == pytest.approx(waited, abs=0.03)
    assert CURVE.waited(600.0) == pytest.approx(6)


def test_arriving_ends_as_school_opens():
    """Nobody arrives earlier than the limit, more the nearer the opening, all by then."""
    minutes = np.arange(-30 - 5, 6)
    share = arrived(minutes)
    assert (share[0], share[-1]) == (0, 1)
    assert np.all(np.diff(share) >= 0)
    assert share[minutes == -5] - share[minutes == -10] > share[minutes == -25]


def test_pupil_minutes_are_walks_and_waits(demo_area, school, demo_pupils):
    """Over a day, on patrolled streets and others, they are the flow's walks there and waits."""
    metres = demo_area.network.walkable.piece_metres
    whole = demo_pupils.sum_between(720, 1440, urn=URN, unaccompanied=False)
    expected = np.zeros(len(metres))
    np.add.at(expected, school.pieces, school.flow * metres[school.pieces] / SPEED)
    np.add.at(expected, school.wait_pieces, school.wait_pupils * 6)
    np.testing.assert_allclose(whole, expected[: len(whole)], rtol=1e-6, atol=1e-9)


def test_presence_is_that_of_a_plain_loop(demo_area, school, demo_pupils):
    """On each piece the flow times the time on it times the leaving density, a walk later."""
    metres = demo_area.network.walkable.piece_metres
    expected = np.zeros(len(metres))
    for piece, flow, away in zip(school.pieces, school.flow, school.gate_metres, strict=True):
        density = np.diff(CURVE.left(np.array([12, 13]) - away / SPEED))[0]
        expected[piece] += flow * metres[piece] / SPEED * density
    waits = zip(school.wait_pieces, school.wait_pupils, school.wait_metres, strict=True)
    for piece, pupils, away in waits:
        expected[piece] += pupils * np.diff(CURVE.waited(np.array([12, 13]) - away / SPEED))[0]
    found = demo_pupils.count_at(school.timetable.bell_minutes + 12, urn=URN, unaccompanied=False)
    np.testing.assert_allclose(found, expected[: len(found)], atol=0.02 * expected.max())
    assert found.sum() == pytest.approx(expected[: len(found)].sum(), rel=0.005)


def test_all_schools_are_the_sum_of_each(demo_pupils):
    """Each with its own bell and its own share of those without an adult."""
    urns, shares = zip(*((one.urn, one.unaccompanied) for one in demo_pupils.schools), strict=True)
    each = []
    for alone in (True, False):
        each.append(np.array([demo_pupils.count_at(927, urn=u, unaccompanied=alone) for u in urns]))
        together = demo_pupils.count_at(927, unaccompanied=alone)
        np.testing.assert_allclose(together, each[-1].sum(axis=0), atol=1e-9)
    assert len(set(shares)) > 1
    assert together.sum() > 0
    np.testing.assert_allclose(each[0], np.array(shares)[:, None] * each[1])


def test_each_school_has_its_own_leaving_curve(demo_area):
    """Its pupils are out as if all schools had its curve, and all schools are the sum of each."""
    late = {4: (0.0, 60.0), 5: (0.6, 30.0), 6: (0.6, 30.0), 7: (0.1, np.nan), 8: (np.nan, 90.0)}
    table = np.full((len(demo_area.schools), 2), np.nan)
    table[list(late)] = list(late.values())
    schools = demo_area.schools.assign(late_share=table[:, 0], late_minutes=table[:, 1])
    area = replace(demo_area, schools=schools)
    mixed = pp.model_pupils(area)
    first, last = 15 * 60 + 5, 15 * 60 + 25
    total = np.zeros((len(demo_area.network), last - first))
    for row, urn in enumerate(schools["urn"]):
        share, minutes = np.where(np.isnan(table[row]), (0.25, 60), table[row]).tolist()
        same = pp.with_settings(demo_area, way_home={"late_share": share, "late_minutes": minutes})
        alone = pp.model_pupils(same)
        for column, minute in enumerate(range(first, last)):
            expected = alone.count_at(minute, urn=urn)
            total[:, column] += expected
            np.testing.assert_array_equal(mixed.count_at(minute, urn=urn), expected)
        met = [Visit(demo_area.network.find_pieces_within((0, 0), 1e9)[::9], first, last)]
        assert mixed.share_met_by(urn, met) == alone.share_met_by(urn, met)
    np.testing.assert_allclose(mixed.count_each(first, last), total, atol=1e-9)
    np.testing.assert_allclose(mixed.count_all(first, last), total.sum(axis=0))


def test_share_met_is_that_of_a_plain_loop(demo_area, school, demo_pupils):
    """Pieces in sight beyond 100 m of the gate, over all pupil-minutes of the way home there."""
    network, bell = demo_area.network, school.timetable.bell_minutes
    far = school.gate_metres > 100
    busiest = school.pieces[far][np.argmax(school.flow[far])]
    point = network.walkable.piece_middle[busiest]
    seen = network.find_pieces_within(point, 75)
    journey = demo_pupils.sum_journey(URN, bell, bell + 35)[: len(network)]
    met = sum(journey[piece] for piece in seen)
    total = demo_pupils.sum_journey(URN, 720, 1440).sum()

    def meet(pieces, end):
        return demo_pupils.share_met_by(URN, [Visit(pieces, bell, end)])

    share = meet(seen, bell + 35)
    assert share == pytest.approx(met / total)
    assert 0.02 < share < 0.5
    assert meet(seen, bell) == 0
    assert meet(seen[:0], bell + 35) == 0


def test_presence_cannot_be_stored(demo_pupils):
    """It is not pickled, and says no more than how many schools it is of."""
    with pytest.raises(NotStoredError):
        pickle.dumps(demo_pupils)
    assert re.fullmatch(r"<Pupils: [\d,]+ of 12 schools>", repr(demo_pupils))


@pytest.mark.parametrize("first", [470, 900])
def test_many_minutes_at_once_are_each_minute(demo_pupils, first):
    """Counted together, minutes have the pupils that each has alone, by piece and in all."""
    each = demo_pupils.count_each(first, first + 45)
    every = demo_pupils.count_all(first, first + 45)
    for column in (0, 7, 44):
        alone = demo_pupils.count_at(first + column)
        assert each[:, column] == pytest.approx(alone, rel=1e-9, abs=1e-9)
        assert every[column] == pytest.approx(alone.sum(), rel=1e-9)


def test_pupils_serve_every_risk_of_their_schools(demo_area, demo_pupils):
    """Crime and its months do not matter to them; when pupils leave does."""
    recent = demo_area.where(months="2026-05 to 2026-10")
    assert pp.estimate_risk(recent, demo_pupils).pupils is demo_pupils
    other = pp.with_settings(demo_area, way_home={"leave_minutes": 6})
    with pytest.raises(pp.InputError, match=r"pupils: .*leave_minutes.*model them"):
        pp.estimate_risk(other, demo_pupils)
