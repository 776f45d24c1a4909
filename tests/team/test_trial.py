"""A trial's file, its pairs, its draw, and weeks under it."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from team.slow_counts import keep_incidents, list_counted, list_stops

import patrolplan as pp
from patrolplan.area.square_names import get_part, name_parts
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.team import trial as trials
from patrolplan.team.free_time import list_school_days
from patrolplan.team.ledger.promised import list_place_ids

START, END, AUGUST = dt.date(2026, 7, 1), dt.date(2026, 9, 30), dt.date(2026, 8, 3)
DAYS = list_school_days(dt.date(2026, 7, 6))
ONE = {"hotspot": "H1", "place": "", "expected": 1.0, "stretch": "", "places": []}


def _keep_until(area, last):
    """The area with the crimes of months up to one."""
    return keep_incidents(area, (area.incidents["month"] <= pd.Timestamp(last)).to_numpy())


@pytest.fixture(scope="module")
def dated_area(demo_area):
    """The demo borough whose crimes have a day, drawn at random in their month."""
    rng = np.random.default_rng(8)
    incidents = demo_area.incidents
    days = incidents["month"].dt.days_in_month.to_numpy()
    at = incidents["month"] + pd.to_timedelta(rng.integers(0, days), unit="D")
    return replace(demo_area, incidents=incidents.assign(occurred_at=at.astype("datetime64[ns]")))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Where trials are written."""
    return tmp_path_factory.mktemp("trial") / "trial.json"


@pytest.fixture(scope="module")
def by_days(dated_area, found, path):
    """A trial by days, with its pairs."""
    trial = trials.Trial(name="Summer", start=START, end=END, seed=3)
    return trials.choose_pairs(path, trial, _keep_until(dated_area, "2026-06"), found[1])


@pytest.fixture(scope="module")
def by_pairs(demo_area, found, path):
    """A trial of pairs where only months are known."""
    trial = trials.Trial(start=START, end=END, randomise="pairs", apart_metres=200.0, seed=3)
    return trials.choose_pairs(path, trial, _keep_until(demo_area, "2026-06"), found[1])


@pytest.fixture(scope="module")
def drawn(by_pairs, path):
    """What the trial of pairs draws for a week: the same on all its days."""
    return trials.draw_trial_week(path, by_pairs, DAYS)


@pytest.fixture(scope="module")
def week(by_pairs, demo_area, found, drawn):
    """A week under the trial."""

    def plan_days(some, days):
        urns = list(some.schools["urn"][::2])
        return dict.fromkeys(days, pp.plan_patrols(some, *found, urns=urns))

    plans = trials.plan_trial_days(demo_area, DAYS, by_pairs, plan_days)
    return trials.mark_trial_week(pp.plan_week(demo_area, plans, start=DAYS[0]), by_pairs, drawn)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("start", "2027-02-30", "start"),
        ("apart_meters", 200.0, "did you mean 'apart_metres'"),
        ("randomise", "hours", "randomise"),
        ("end", "2027-01-04", "is not after start"),
        ("hotspots", [ONE | {"stretch": "LINE"}], "whole"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, key, value, message):
    """The message names file, key and value."""
    path = tmp_path / "trial.json"
    document = {"start": "2027-01-04", "end": "2027-03-26", key: value}
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(pp.InputError, match=rf"trial\.json.*{message}"):
        trials.read_trial(path)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "null", "\xff"])
def test_what_is_no_trial_is_refused(tmp_path, content):
    """Neither an empty file nor one of another form ends in a traceback."""
    path = tmp_path / "trial.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(pp.InputError, match=r"trial\.json"):
        trials.read_trial(path)


def test_pairs_are_neighbours_in_expected_crime(by_days, demo_area):
    """Hotspots are sorted by what they expect, and each is far from every other."""
    expected = [hotspot.expected for hotspot in by_days.hotspots]
    assert len(expected) % 2 == 0
    assert expected == sorted(expected, reverse=True)
    stretches = by_days.build_stretches(demo_area.projection)
    apart = shapely.distance(stretches[:, None], stretches) + np.diag(np.full(len(expected), 1e9))
    assert apart.min() >= 299


def test_expected_is_a_slow_count(by_days, dated_area, found):
    """What a hotspot expects is the mean of its months, each crime by its share of the street."""
    before = _keep_until(dated_area, "2026-06")
    pieces = found[1].set_index("hotspot")["pieces"]
    for hotspot in by_days.hotspots:
        counted = list_counted(before, np.asarray(pieces[hotspot.hotspot]))
        total = counted["part"][counted["month"] >= pd.Timestamp("2024-07")].sum()
        assert hotspot.expected == pytest.approx(total / 24, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "fixture", "until", "message"),
    [
        ({}, "demo_area", "2026-06", "only the months of crimes are known"),
        ({"randomise": "pairs", "end": dt.date(2026, 9, 4)}, "demo_area", "2026-06", "of a month"),
        ({}, "dated_area", "2026-09", "is not after the crimes, which reach to 2026-09-30"),
        ({"start": AUGUST, "end": dt.date(2026, 8, 21)}, "dated_area", "2026-06", "no school day"),
        ({"apart_metres": 5000.0}, "dated_area", "2026-06", "5000 m apart; a trial needs at least"),
    ],
)
def test_what_allows_no_trial_is_refused(request, found, changes, fixture, until, message):
    """The message says what to write instead."""
    trial = trials.Trial(**{"start": START, "end": END, **changes})
    area = _keep_until(request.getfixturevalue(fixture), until)
    with pytest.raises(pp.InputError, match=message):
        trials.choose_pairs(Path("trial.json"), trial, area, found[1])


def test_a_trial_is_proposed_as_the_data_allow(dated_area, demo_area):
    """By days for twelve weeks where days are known, of pairs for six whole months else."""
    days = trials.propose_trial(dated_area, dt.date(2027, 1, 6))
    assert (days.randomise, days.end) == ("days", dt.date(2027, 3, 26))
    pairs = trials.propose_trial(demo_area, dt.date(2027, 1, 6))
    assert (pairs.randomise, pairs.start) == ("pairs", dt.date(2027, 2, 1))
    assert pairs.end == dt.date(2027, 7, 31)


@given(
    st.integers(0, 2**63 - 1),
    st.sampled_from(["days", "weeks", "pairs"]),
    st.integers(2, 8),
    st.sets(st.integers(0, 90), min_size=1),
)
def test_each_pair_has_one_with_patrols(seed, randomise, pairs, numbers):
    """On every day one of each pair has patrols; days of one block are alike, other days open."""
    days = [START + dt.timedelta(days=number) for number in sorted(numbers)]
    one = trials.TrialHotspot.model_validate(ONE)
    trial = trials.Trial(
        start=START, end=END, randomise=randomise, seed=seed, days=days, hotspots=[one] * 2 * pairs
    )
    seen = {}
    for day in days:
        treated = trial.draw(day)
        assert (treated[::2] != treated[1::2]).all()
        assert seen.setdefault(trial.find_block(day), tuple(treated)) == tuple(treated)
    assert trial.draw(START - dt.timedelta(days=1)).all()


def test_the_draw_is_even_and_of_its_seed():
    """Over many days each hotspot has patrols about half of the time; the bits are always these."""
    days = tuple(START + dt.timedelta(days=number) for number in range(1000))
    one = trials.TrialHotspot.model_validate(ONE)
    trial = trials.Trial(start=START, end=END, seed=1, days=days, hotspots=(one,) * 4)
    drawn = np.array([trial.draw(day) for day in days])
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 0.06
    other = trial.model_copy(update={"seed": 2})
    assert any((trial.draw(day) != other.draw(day)).any() for day in days)
    assert "".join(str(int(row[0])) for row in drawn[:16]) == "1001000000110110"


def test_no_patrol_stops_where_none_is_drawn(week, by_pairs, drawn):
    """Hotspots without patrols have none on any day; of those with patrols some have."""
    shapes = by_pairs.build_stretches(week.plan.area.projection)
    stretches = {one.hotspot: shape for one, shape in zip(by_pairs.hotspots, shapes, strict=True)}
    near = set()
    for duty, stop in (row for row in list_stops(week) if row[1].kind != "gate"):
        for cell in (cell for cell in drawn.drawn if cell.date == duty.date):
            metres = stretches[cell.hotspot].distance(shapely.Point(stop.point))
            near |= {cell.treated} if metres <= trials.AT_HOTSPOT_METRES else set()
    assert near == {True}
    assert [note.key for note in week.notes if note.key.startswith("trial")] == ["trial_week"]


def test_days_with_the_same_draw_are_planned_together(by_days, demo_area, found):
    """Each day is planned once, and only places in sight of those without patrols are closed."""
    seen = []

    def plan_days(some, days):
        seen.append((some.closed, tuple(days)))
        return dict.fromkeys(days)

    assert list(trials.plan_trial_days(demo_area, DAYS, by_days, plan_days)) == list(DAYS)
    assert sorted(day for _, days in seen for day in days) == sorted(DAYS)
    ids = list_place_ids(found[1], demo_area.projection.crs)
    own = dict(zip(found[1]["hotspot"], ids, strict=True))
    for closed, days in seen:
        for day in days:
            pairs = zip(by_days.hotspots, by_days.draw(day), strict=True)
            assert all((get_part(own[one.hotspot]) in closed) != treated for one, treated in pairs)


def test_places_in_sight_are_those_of_a_slow_search(by_days, demo_area):
    """Of places all around, those within 60 m of the streets have an ID of the trial's file."""
    crs, hotspot = demo_area.projection.crs, by_days.hotspots[0]
    (line,) = by_days.build_stretches(demo_area.projection)[:1]
    away = np.random.default_rng(1).uniform(-400, 400, (2000, 2))
    xy = shapely.get_coordinates(line.centroid) + away
    is_listed = np.isin(name_parts(xy, crs), hotspot.places)
    metres = line.distance(shapely.points(xy))
    assert metres[~is_listed].min() > trials.AT_HOTSPOT_METRES - 1
    assert metres[is_listed].max() < trials.AT_HOTSPOT_METRES + 50 * 2**0.5
    assert 100 < is_listed.sum() < 1900


@pytest.mark.parametrize("name", ["by_days", "by_pairs", "weeks"])
def test_a_trial_is_analysed_when_it_is_over(request, by_days, dated_area, demo_area, path, name):
    """Before its last month is known there is no answer; then incidents are counted by the draw."""
    weeks = by_days.model_copy(update={"randomise": "weeks"})
    trial = weeks if name == "weeks" else request.getfixturevalue(name)
    area = demo_area if name == "by_pairs" else dated_area
    with pytest.raises(pp.InputError, match="and the crimes reach to 2026-08-31"):
        trials.analyse_trial(path, trial, _keep_until(area, "2026-08"))
    effect = trials.analyse_trial(path, trial, area)
    assert 0 < effect.p_value <= 1
    pieces = find_pieces_of_shapes(area.network, trial.build_stretches(area.projection))
    sums = np.zeros(2)
    for row, part in enumerate(pieces):
        counted = list_counted(area, part)
        for one in counted.itertuples():
            day = one.occurred_at.date() if name != "by_pairs" else trial.days[0]
            if day in trial.days and START <= one.month.date() <= END:
                sums[int(trial.draw(day)[row])] += one.part
    assert (effect.incidents_without, effect.incidents_with) == pytest.approx(tuple(sums))


def _simulate(seed, factor=1.0, pairs=6, blocks=30, mean=0.5, dispersion=0.0):
    """Incidents of a trial in which patrols multiply them by a factor, and what was expected."""
    rng = np.random.default_rng(seed)
    first = rng.random((pairs, blocks)) < 0.5
    drawn = np.stack([first, ~first], axis=1).reshape(-1, blocks)
    each = rng.uniform(0.5, 1.5, (2 * pairs, 1)) * mean
    expected = np.broadcast_to(each, drawn.shape)
    moods = np.ones((2 * pairs, 1))
    if dispersion:
        moods = rng.gamma(1 / dispersion, dispersion, (2 * pairs, 1))
    counts = rng.poisson(np.where(drawn, factor, 1.0) * expected * moods).astype(float)
    return counts, expected, drawn


def _compute_p_slowly(counts, expected, drawn, ways):
    """The share of ways whose sum is as far from zero, the drawn one counted."""
    away = counts - counts.sum() / expected.sum() * expected

    def add_up(treated):
        return abs(sum((treated[at] - 0.5) * away[at] for at in np.ndindex(treated.shape)))

    own = add_up(drawn)
    return np.mean([add_up(way) >= own - 1e-9 for way in [drawn, *ways]])


def test_p_value_equals_a_slow_count():
    """The p-value is that of the draws of its seed; nearly that of all ways of drawing."""
    counts, expected, drawn = _simulate(1, pairs=5, blocks=1, mean=6)
    effect = trials.estimate_effect(counts, expected, drawn, seed=1)
    first = np.random.default_rng(1).integers(0, 2, (trials.DRAWS, 5, 1))
    ways = np.stack([first, 1 - first], axis=2).reshape(trials.DRAWS, 10, 1)
    assert effect.p_value == pytest.approx(_compute_p_slowly(counts, expected, drawn, ways))
    every = (np.arange(32)[:, None] >> np.arange(5) & 1)[..., None]
    every = np.stack([every, 1 - every], axis=2).reshape(32, 10, 1)
    exact = _compute_p_slowly(counts, expected, drawn, every)
    assert effect.p_value == pytest.approx(exact, abs=0.06)


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.0, 1.6])
def test_the_interval_holds_what_is_not_rejected(factor):
    """A factor lies in the interval exactly where counts divided by it are not rejected."""
    counts, expected, drawn = _simulate(4, factor)
    found = trials.estimate_effect(counts, expected, drawn, seed=4)
    assert found.low < found.factor < found.high
    for end, inward in ((found.low, 1.01), (found.high, 0.99)):
        for at, kept in ((end * inward, True), (end / inward, False)):
            undone = np.where(drawn, counts / at, counts)
            p_value = trials.estimate_effect(undone, expected, drawn, seed=4).p_value
            assert (p_value >= 0.05) == kept


BY_DAY = {"pairs": 5, "blocks": 40, "mean": 0.4, "dispersion": 0.25}
BY_PAIR = {"pairs": 10, "blocks": 1, "mean": 11, "dispersion": 0.1}


@pytest.mark.parametrize("layout", [pytest.param(BY_DAY, marks=pytest.mark.slow), BY_PAIR])
def test_null_trials_reject_rarely(layout, monkeypatch):
    """Of 400 trials without an effect about one in twenty finds one: 2 to 8 % are by chance."""
    monkeypatch.setattr(trials, "FACTORS", np.ones(1))  # an interval is not looked at, and dear
    found = [trials.estimate_effect(*_simulate(seed, **layout), seed=seed) for seed in range(400)]
    assert 0.02 <= np.mean([effect.p_value <= 0.05 for effect in found]) <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 0.6])
def test_interval_holds_the_effect(factor):
    """The 95 % interval holds the true factor in about 95 % of trials."""
    ones = [
        trials.estimate_effect(*_simulate(seed, factor, **BY_DAY), seed=seed) for seed in range(600)
    ]
    assert 0.93 <= np.mean([one.low <= factor <= one.high for one in ones]) <= 0.97
