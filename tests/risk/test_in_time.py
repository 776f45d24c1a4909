"""Risk in time: the minute's risk against a slow loop, and what holds whatever the factors are."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.area.patrol_window import Window, weigh_minutes
from patrolplan.pupils.flows import NotStoredError
from patrolplan.risk import in_time as joining
from patrolplan.risk.in_time import RiskInTime, TimeFactors, build_exposure, join_over_window
from patrolplan.risk.report_voice import find_band
from patrolplan.settings.patrol import WayHomeSettings

BELLS = (900.0, 915.0, 925.0)
PIECES, KINDS = 7, 3


class Pupils:
    """Pupils who come out at 15:00 and are fewer with every minute."""

    def __init__(self, rng, metres):
        self.metres, self.most = metres, rng.gamma(0.5, 30.0, len(metres))

    def count_at(self, minute):
        """Pupils on each piece in a minute; none outside 15:00 to 18:20."""
        since = minute - 900
        return self.most * max(0.0, 1 - since / 200) * (since >= 0) * np.ones(len(self.most))

    def count_each(self, first, last):
        """The same for each minute."""
        return np.column_stack([self.count_at(minute) for minute in range(first, last)])

    def count_all(self, first, last):
        """The same on all pieces together."""
        return self.count_each(first, last).sum(axis=0)


HALVES = {0.44: (0.33, 0.55), 0.31: (0.23, 0.39)}
"""The power of violence on each half of Chicago, with 95 % intervals."""


def test_the_power_is_that_of_both_halves_pooled():
    """By inverse variance, and for violence and anti-social behaviour alone."""
    weights = [(2 * 1.96 / (high - low)) ** 2 for low, high in HALVES.values()]
    pooled = np.average(list(HALVES), weights=weights)
    assert WayHomeSettings().exposure == {
        "Violence and sexual offences": pytest.approx(pooled, abs=0.0051),
        "Anti-social behaviour": pytest.approx(pooled, abs=0.0051),
    }
    powers = joining.get_powers(["Robbery", "Anti-social behaviour"], WayHomeSettings().exposure)
    assert powers == pytest.approx([0.0, pooled], abs=0.0051)


@pytest.mark.parametrize(("pupils", "is_there"), [(0.0, False), (0.01, True)])
def test_where_nobody_is_out_there_is_no_exposure(pupils, is_there):
    """Not even a floor; a hundredth of a pupil is somebody."""
    out = SimpleNamespace(count_all=lambda first, last: np.full(last - first, pupils))
    found = build_exposure(out, np.ones(2), np.array([900]), np.ones(1))
    assert (found is not None) == is_there


def _voice(rng, pieces, shares):
    """A voice whose reports differ by band."""
    bands = (None, "before_school", "lunch", "after_school", "evening")
    spread = {band: rng.uniform(0, 5, pieces) * (rng.random(pieces) < 0.6) for band in bands}
    share = dict(zip(bands, shares, strict=True))
    return SimpleNamespace(spread=spread.__getitem__, compute_share=share.__getitem__, notes=())


def _world(seed, *, minutes=90.0, start=None, pupils=True, clock=True):
    """Everything that a risk is joined from, drawn at random."""
    rng = np.random.default_rng(seed)
    metres = rng.uniform(10, 40, PIECES)
    harm = rng.gamma(0.4, 5.0, (PIECES, KINDS))
    powers = np.array([0.36, 0.25, 0.0])
    window = weigh_minutes(Window(minutes, start), BELLS)
    presence, floor = Pupils(rng, metres), 0.05
    exposure = build_exposure(presence, metres, *window) if pupils else None
    table = rng.uniform(0.2, 3.0, (48, PIECES, KINDS)) if clock else np.ones((48, PIECES, KINDS))
    source = "declared" if clock else "flat"
    hours = SimpleNamespace(source=source, compute_factor=lambda at, _: table[at])
    voice = _voice(rng, PIECES, [0.3, 0.1, 0.2, 0.3, 0.05])
    factors = TimeFactors(powers, hours, "school_day", exposure, voice)
    inputs = (harm, factors, *window)
    return SimpleNamespace(
        inputs=inputs, harm=harm, powers=powers, clock=hours, exposure=exposure, voice=voice,
        minutes=window[0], weights=window[1], metres=metres, presence=presence, floor=floor,
    )  # fmt: skip


def _join_slowly(world):
    """(p, m) joined risk of each minute by three plain loops, straight from the formula."""
    minutes, weights = world.minutes, world.weights
    present = [world.presence.count_at(minute).sum() for minute in minutes]
    mean = weights @ present / world.metres.sum()
    gain = np.ones((PIECES, KINDS, len(minutes)))
    plain = np.zeros((PIECES, KINDS, len(minutes)))
    for column, minute in enumerate(minutes):
        pupils = world.presence.count_at(minute)
        for piece in range(PIECES):
            for kind in range(KINDS):
                here = pupils[piece] / (world.metres[piece] * mean)
                raised = world.floor + (1 - world.floor) * here
                gain[piece, kind, column] = raised ** world.powers[kind]
                factor = world.clock.compute_factor(int(minute) // 30 % 48, None)
                plain[piece, kind, column] = world.harm[piece, kind] * factor[piece, kind]
    scale = (plain * weights).sum(axis=(0, 2)) / (plain * gain * weights).sum(axis=(0, 2))
    norm = (plain * weights).sum()
    rate = np.zeros((PIECES, len(minutes)))
    for column, minute in enumerate(minutes):
        band = find_band(int(minute))
        reports, share = world.voice.spread(band), world.voice.compute_share(band)
        share = share if reports.any() else 0.0
        crime = (plain * gain)[:, :, column] @ scale / norm
        own = reports * (share / reports.sum()) if share else 0.0
        rate[:, column] = (1 - share) * crime + own
    return rate / (rate * weights).sum()


@pytest.mark.parametrize("start", [None, 990.0])
@pytest.mark.parametrize("seed", range(4))
def test_equals_a_slow_loop(seed, start):
    """Every minute's risk and the window's mean are those of three plain loops."""
    world = _world(seed, start=start, minutes=75.5)
    risk = join_over_window(*world.inputs)
    slow = _join_slowly(world)
    for column, minute in enumerate(world.minutes):
        assert risk.in_time.compute_rate(int(minute)) == pytest.approx(slow[:, column], rel=1e-12)
    assert risk.joined == pytest.approx((slow * world.weights).sum(axis=1), rel=1e-8)


@given(seed=st.integers(0, 10**6), clock=st.booleans(), pupils=st.booleans())
def test_rates_average_to_the_joined_risk(seed, clock, pupils):
    """Over the schools' windows the minutes' risk has the joined risk as its mean."""
    world = _world(seed, clock=clock, pupils=pupils)
    risk = join_over_window(*world.inputs)
    mean = sum(
        weight * risk.in_time.compute_rate(int(minute))
        for minute, weight in zip(world.minutes, world.weights, strict=True)
    )
    assert mean == pytest.approx(risk.joined, rel=1e-8)
    for share in (risk.joined, risk.without_exposure):
        assert share.sum() == pytest.approx(1)
    for voice in (risk.crime, risk.reports):
        assert voice.sum() == pytest.approx(1) or not voice.any()


def test_static_risk_is_the_same_in_every_minute():
    """Without clock and exposure, each minute of a band has the joined risk itself, bit for bit."""
    risk = join_over_window(*_world(3, start=15 * 60, clock=False, pupils=False).inputs)
    assert risk.in_time.is_static
    assert risk.crime_weight == pytest.approx(0.7)
    for minute in (14 * 60, 15 * 60, 18 * 60):
        assert np.array_equal(risk.in_time.compute_rate(minute), risk.joined)


def test_no_crime_leaves_the_risk_to_reports():
    """Where nothing is recorded the joined risk is that of reports alone."""
    world = _world(5, pupils=False)
    inputs = list(world.inputs)
    inputs[0] = np.zeros_like(world.harm)
    risk = join_over_window(*inputs)
    assert risk.crime_weight == 0.0
    assert risk.joined == pytest.approx(risk.reports)


def test_where_pupils_are_cannot_be_pickled():
    """The risk of each minute stays in its process, and a static one may go to others."""
    with pytest.raises(NotStoredError):
        pickle.dumps(join_over_window(*_world(8).inputs).in_time)
    static = RiskInTime.from_static(np.array([0.25, 0.75]))
    again = pickle.loads(pickle.dumps(static))  # noqa: S301 - of this test
    assert again.compute_rate(900).tolist() == [0.25, 0.75]


@given(
    bells=st.lists(st.integers(800, 1000), min_size=1, max_size=5),
    minutes=st.floats(0.5, 720, allow_nan=False),
)
def test_weights_of_minutes_are_shares_of_windows(bells, minutes):
    """A minute weighs as much as schools' windows hold of it, one after the other."""
    at, weights = weigh_minutes(Window(minutes), bells)
    assert weights.sum() == pytest.approx(1)
    assert (np.diff(at) > 0).all()
    slow = [
        sum(max(0.0, min(m + 1, b + minutes) - max(m, b)) for b in bells) / len(bells) / minutes
        for m in at.tolist()
    ]
    assert weights == pytest.approx(slow)


@given(seed=st.integers(0, 10**6))
def test_without_exposure_it_is_the_risk_of_a_world_without_pupils(seed):
    """Taking exposure out again gives, minute by minute, what is joined without it."""
    risk = join_over_window(*_world(seed).inputs)
    plain = risk.in_time.remove_exposure()
    alone = join_over_window(*_world(seed, pupils=False).inputs).in_time
    for minute in (905, 931, 960):
        assert plain.compute_rate(minute) == pytest.approx(alone.compute_rate(minute), rel=1e-12)
    assert plain.exposure is None
    assert plain.remove_exposure() is plain


@pytest.mark.parametrize("pupils", [True, False])
def test_minutes_of_a_run_have_one_risk(pupils):
    """Runs follow each other without a gap, and every minute of one has the risk of its first."""
    in_time = join_over_window(*_world(10, pupils=pupils).inputs).in_time
    runs = in_time.group_minutes(895, 1022)
    assert [first + count for first, count in runs[:-1]] == [first for first, _ in runs[1:]]
    assert (runs[0][0], sum(runs[-1])) == (895, 1022)
    assert (len(runs) == 1022 - 895) == pupils
    for first, count in runs:
        rate = in_time.compute_rate(first)
        assert np.array_equal(in_time.compute_rate(first + count - 1), rate)
    static = RiskInTime.from_static(np.ones(3))
    assert static.group_minutes(5, 9) == [(5, 4)]
    assert static.group_minutes(5, 5) == []
