"""How a trial is drawn."""

import datetime as dt
from itertools import product

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.team.secret import Secret
from patrolplan.team.trial.design import (
    Block,
    draw_at_random,
    draw_block,
    draw_blocks,
    list_blocks,
    list_references,
    match_hotspots,
)

KEY = Secret(bytes(range(32))).make_trial_key("Area", "design")


@given(st.integers(1, 6), st.tuples(st.integers(1, 3), st.integers(1, 3)), st.text(max_size=8))
def test_every_set_has_its_share(sets, ratio, label):
    """Whatever the key draws, each set has as many hotspots with patrols as the ratio says."""
    drawn = draw_block(KEY, label, sets=sets, ratio=ratio)
    assert drawn.shape == (sets, sum(ratio))
    assert (drawn.sum(axis=1) == ratio[0]).all()


def test_one_block_does_not_depend_on_the_others():
    """A day is drawn alike whether its week is planned alone or with all others."""
    blocks = [Block(f"{number}", ()) for number in range(9)]
    every = draw_blocks(KEY, blocks, sets=4, ratio=(1, 1))
    assert (every[..., 5] == draw_block(KEY, "5", sets=4, ratio=(1, 1))).all()


def test_keys_draw_evenly():
    """Over many blocks each hotspot of a pair has patrols about half of the time."""
    blocks = [Block(f"{number}", ()) for number in range(2000)]
    shares = draw_blocks(KEY, blocks, sets=2, ratio=(1, 1)).mean(axis=2)
    assert np.abs(shares - 0.5).max() < 0.04


def test_another_design_is_another_draw():
    """Keys of two designs have other commitments, and draw other blocks."""
    other = Secret(bytes(range(32))).make_trial_key("Area", "other design")
    blocks = [Block(f"{number}", ()) for number in range(50)]
    assert other.commitment != KEY.commitment
    drawn = [draw_blocks(key, blocks, sets=4, ratio=(1, 1)) for key in (KEY, other)]
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("ratio", [(1, 1), (1, 2), (2, 1)])
def test_few_ways_are_all_listed(ratio):
    """Where ways of drawing are few, each is there exactly once."""
    references = list_references(3, 1, ratio, seed=1)
    expected = set(product(*[_list_choices(*ratio)] * 3))
    found = {
        tuple(tuple(map(int, np.flatnonzero(way[row, :, 0]))) for row in range(3))
        for way in references.treated
    }
    assert references.is_exact
    assert found == expected
    assert len(references) == len(expected)


def _list_choices(treated, others):
    size = treated + others
    choices = product(range(size), repeat=treated)
    return sorted({tuple(sorted(choice)) for choice in choices if len({*choice}) == treated})


@pytest.mark.parametrize("ratio", [(1, 1), (1, 2), (2, 1)])
def test_many_ways_are_drawn_evenly(ratio):
    """Ways drawn at random keep the ratio, and favour no hotspot."""
    drawn = draw_at_random(np.random.default_rng(1), (500, 2, sum(ratio), 30), ratio[0])
    assert (drawn.sum(axis=2) == ratio[0]).all()
    assert np.abs(drawn.mean(axis=(0, 1, 3)) - ratio[0] / sum(ratio)).max() < 0.01


def test_matched_hotspots_are_apart_and_alike():
    """No two hotspots of a trial are near each other, and sets expect about as much."""
    rng = np.random.default_rng(2)
    xy, expected = rng.uniform(0, 2000, (40, 2)), rng.gamma(2.0, 2.0, 40)
    apart = np.hypot(*(xy[:, None] - xy[None]).T)
    sets = match_hotspots(expected, apart, size=2, min_metres=300, max_hotspots=12)
    rows = np.ravel(sets)
    between = apart[np.ix_(rows, rows)] + 1e9 * np.eye(len(rows))
    assert len(rows) == 12
    assert between.min() >= 300
    assert (np.diff(expected[rows]) <= 0).all()


def test_hotspots_that_expect_nothing_are_left_out():
    """A hotspot without incidents tells nothing, and an odd one out has no pair."""
    apart = np.full((4, 4), 900.0)
    sets = match_hotspots(
        np.array([0.0, 2.0, 1.0, 3.0]), apart, size=2, min_metres=300, max_hotspots=9
    )
    assert sets == [[3, 1]]


def test_pairs_are_drawn_once():
    """A trial of pairs is one block; one of weeks has a block for each Monday."""
    days = [dt.date(2027, 1, 4) + dt.timedelta(days=number) for number in (0, 1, 4, 7, 8)]
    assert [len(block.days) for block in list_blocks("pairs", days)] == [5]
    assert [len(block.days) for block in list_blocks("weeks", days)] == [3, 2]
    assert [block.label for block in list_blocks("days", days[:2])] == ["2027-01-04", "2027-01-05"]
