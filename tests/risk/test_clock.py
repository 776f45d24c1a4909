"""The clock of an area: where it comes from, and that it neither adds nor loses crime."""

import numpy as np
import pandas as pd
import pytest
from clock_areas import YEAR, build, draw

from patrolplan.risk.clock import build_clock, find_place_kinds
from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS

CATEGORIES = ("Robbery", "Other theft")


def _rows(*, timed, count=60):
    """Incidents of two categories on the pieces of a square town."""
    rng = np.random.default_rng(1)
    rows = pd.concat([draw(rng, count, np.arange(60), name) for name in CATEGORIES])
    return rows if timed else rows.drop(columns="occurred_at")


def _own_table(category, kinds, shares):
    """An own table: shares of the 48 half-hours, alike at these kinds of place."""
    minutes = 30 * np.arange(HALF_HOURS)
    return pd.concat([
        pd.DataFrame(
            {"category": category, "kind": kind, "from_minutes": minutes, "share": shares}
        ) for kind in kinds
    ])  # fmt: skip


def _kinds_of_notes(clock):
    return [note.key for note in clock.notes]


def _compute_mean(clock):
    """(p, j) mean of the factor over half-hours and days."""
    total = 0.0
    for day, share in zip(DAY_KINDS, clock.day_shares, strict=True):
        if share:
            of_day = sum(clock.compute_factor(hour, day) for hour in range(HALF_HOURS))
            total = total + share * of_day / HALF_HOURS
    return total


def test_kinds_of_place_follow_licensed_places_near(make):
    """By as many pubs, bars and nightclubs as a loop finds within 150 m; no takeaway counts."""
    rng = np.random.default_rng(2)
    network = make.grid(6)
    names = rng.choice(["pub", "bar", "nightclub", "takeaway"], 25)
    spots = 530_000 + rng.uniform(-100, 600, size=(25, 2))
    places = [(name, *spot) for name, spot in zip(names, spots, strict=True)]
    area, _ = build(make, _rows(timed=False), network, places=places)
    number = [
        sum(
            name != "takeaway" and np.hypot(*(spot - middle)) <= 150
            for name, spot in zip(names, spots, strict=True)
        )
        for middle in network.piece_middle
    ]
    edges = np.array([0, 1, 3, 6, 12])
    kinds = [int((edges <= near).sum()) - 1 for near in number]
    found = find_place_kinds(network.piece_middle, area.way_home.places)
    assert found.tolist() == kinds
    assert set(kinds) == {0, 1, 2, 3}


@pytest.mark.parametrize(("count", "kind"), [(1, 1), (2, 1), (3, 2), (5, 2), (11, 3), (12, 4)])
def test_kinds_begin_at_these_numbers(make, count, kind):
    """One, three, six and twelve licensed places; the names of kinds say so."""
    places = [("bar", 530_000.0, 530_000.0)] * count
    area, _ = build(make, _rows(timed=False), places=places)
    found = find_place_kinds(np.array([[530_000.0, 530_149.0], [0, 0]]), area.way_home.places)
    assert found.tolist() == [kind, 0]


def test_a_flat_clock_is_one_always(make):
    """Switched off, no half-hour differs, whatever is known, and a note says so."""
    area, history = build(
        make, _rows(timed=True), places=[("pub", 0, 0)], way_home={"clock": "flat"}
    )
    clock = build_clock(area, history)
    assert clock.source == "flat"
    assert _kinds_of_notes(clock) == ["clock_flat"]
    for day in (*DAY_KINDS, None):
        np.testing.assert_array_equal(clock.compute_factor(31, day), np.ones((60, 2)))


@pytest.mark.parametrize(
    ("timed", "with_places", "own"),
    [(False, False, False), (False, True, False), (False, False, True), (True, True, True)],
)
def test_the_mean_over_all_time_is_one(make, timed, with_places, own):
    """On every piece and in every category, what one hour lacks, others have."""
    spots = 530_000 + np.random.default_rng(3).uniform(0, 500, size=(40, 2))
    places = [("bar", *spot) for spot in spots] if with_places else ()
    table = _own_table("Robbery", ["*"], np.random.default_rng(4).dirichlet(np.ones(48)))
    area, history = build(make, _rows(timed=timed), places=places, table=table if own else None)
    clock = build_clock(area, history)
    assert clock.source == ("learned" if timed else "own_table" if own else "declared")
    np.testing.assert_allclose(_compute_mean(clock), 1.0, rtol=1e-9)


def test_an_own_table_replaces_the_declared_clock_of_its_categories(make):
    """Its shares are used on every kind of day, other categories stay declared, and it is named."""
    shares = np.full(HALF_HOURS, 0.5 / 47)
    shares[31] = 0.5
    area, history = build(make, _rows(timed=False), table=_own_table("Robbery", ["*"], shares))
    clock, declared = (build_clock(area, history), build_clock(*build(make, _rows(timed=False))))
    own, other = (history.targets.index(name) for name in CATEGORIES)
    assert clock.source == "own_table"
    assert _kinds_of_notes(clock) == ["clock_declared", "clock_own_table"]
    assert clock.notes[1].text == "[sources] clock says when Robbery happens."
    for day in DAY_KINDS:
        np.testing.assert_allclose(clock.compute_factor(31, day)[:, own], 24.0)
        np.testing.assert_allclose(
            clock.compute_factor(31, day)[:, other], declared.compute_factor(31, day)[:, other]
        )


def test_an_own_table_of_kinds_of_place_is_used_by_kind(make):
    """Kinds that it names have their shares, others those of all kinds."""
    early, late = np.zeros(HALF_HOURS), np.zeros(HALF_HOURS)
    early[16], late[44] = 1.0, 1.0
    table = pd.concat([_own_table("Robbery", ["12+"], late), _own_table("Robbery", ["*"], early)])
    places = [("bar", 530_050.0, 530_000.0)] * 12
    area, history = build(make, _rows(timed=False), places=places, table=table)
    clock = build_clock(area, history)
    near = find_place_kinds(area.network.piece_middle, area.way_home.places) == 4
    robbery = history.targets.index("Robbery")
    at_eight, at_ten = (clock.compute_factor(hour, "school_day")[:, robbery] for hour in (16, 44))
    assert at_eight[~near].min() > 40
    assert at_ten[near].min() > 40
    least = 0.01 * 48 / (48 + 47 * 0.01)  # a hundredth of the mean, which is then 1 again
    assert at_eight[near] == pytest.approx(least)
    assert at_ten[~near] == pytest.approx(least)


def test_an_own_table_without_all_kinds_gives_their_mean_where_no_places_are_known(make):
    """Where the kind of a street is not known, the mean of the kinds that are named is used."""
    early, late = np.zeros(HALF_HOURS), np.zeros(HALF_HOURS)
    early[16], late[44] = 1.0, 1.0
    table = pd.concat(
        [_own_table("Robbery", ["none"], early), _own_table("Robbery", ["12+"], late)]
    )
    area, history = build(make, _rows(timed=False), table=table)
    clock, robbery = build_clock(area, history), history.targets.index("Robbery")
    for hour in (16, 44):
        assert clock.compute_factor(hour, None)[0, robbery] == pytest.approx(24, rel=0.02)


def test_a_clock_learned_before_a_month_knows_nothing_later(make):
    """What happens from that month on changes nothing: a back-test cannot see its future."""
    rows = _rows(timed=True)
    area, history = build(make, rows)
    month = pd.Timestamp("2026-03-01")
    later = rows["month"] >= month
    rows.loc[later, "occurred_at"] = rows.loc[later, "occurred_at"].dt.normalize() + pd.Timedelta(
        "3h"
    )
    changed, _ = build(make, rows)
    one, two = (build_clock(each, history, before=month) for each in (area, changed))
    for hour in (6, 31):
        np.testing.assert_array_equal(
            one.compute_factor(hour, "school_day"), two.compute_factor(hour, "school_day")
        )
    whole = build_clock(changed, history)
    assert (whole.compute_factor(6, "school_day") > one.compute_factor(6, "school_day")).all()


def test_before_the_first_time_the_declared_clock_is_used(make):
    """A back-test's first months, of which no time is known, have the declared clock."""
    area, history = build(make, _rows(timed=True))
    clock = build_clock(area, history, before=YEAR[0])
    assert clock.source == "declared"
