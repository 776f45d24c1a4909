"""What past months say of a patrol, in words."""

import itertools

from hypothesis import given, strategies as st

from patrolplan.outputs.tested_words import MAX_LETTERS, describe_tested
from patrolplan.patrols import plan as plans

numbers = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).map(sorted)


def _build_ratio(numbers, has_interval):
    """A ratio, with an interval where it is known."""
    low, ratio, high = numbers
    return plans.TestedRatio(ratio, *((low, high) if has_interval else (None, None)))


def _build_records(months_held):
    """Records of a number of months; with fewer than six there are no intervals."""
    intervals = st.booleans() if months_held == 6 else st.just(value=False)
    ratios = st.none() | st.builds(_build_ratio, numbers, intervals)
    return st.builds(
        plans.Tested,
        months=st.sampled_from([("2025-09", "2026-02"), ("2026-04", "2026-09")]),
        months_held=st.just(months_held),
        is_known=st.booleans(),
        officers=st.integers(1, 9),
        own_stops=ratios,
        recorded_counts=ratios,
        loop=ratios,
    )


records = st.integers(3, 6).flatmap(_build_records)


@given(records)
def test_words_are_short_and_never_boast(tested):
    """Two sentences of at most 330 letters, without a number that says nothing."""
    text = describe_tested(tested)
    assert len(text) <= MAX_LETTERS
    assert text.count(". ") <= 1
    assert "0.0 times" not in text
    assert " met " not in text
    given_ratios = (tested.own_stops, tested.recorded_counts, tested.loop)
    assert bool(text) == any(ratio is not None for ratio in given_ratios)
    assert "ecorded" in text or not text


EXTREMES = [(0.0, 0.05, 9.9), (0.0, 0.0, 0.0), (9.9, 9.9, 9.9), (9.9, 12.0, 20.0)]


def test_the_longest_words_fit():
    """Ratios at their bounds, each with an interval and without, have the longest words."""
    ratios = [_build_ratio(one, has_interval) for one in EXTREMES for has_interval in (True, False)]
    for own, counts, loop in itertools.product(ratios, repeat=3):
        tested = plans.Tested(
            months=("2025-09", "2026-02"), months_held=6, is_known=True, officers=9,
            own_stops=own, recorded_counts=counts, loop=loop,
        )  # fmt: skip
        assert len(describe_tested(tested)) <= MAX_LETTERS


def _describe(ratio, low, high):
    """The words for a comparison with a loop."""
    loop = plans.TestedRatio(ratio, low, high)
    tested = plans.Tested(
        months=("2026-04", "2026-09"), months_held=6, is_known=True, officers=1,
        own_stops=None, recorded_counts=None, loop=loop,
    )  # fmt: skip
    return describe_tested(tested)


def test_what_the_interval_leaves_open_is_not_claimed():
    """An interval around 1 is about as much; less is a number below 1; large ratios are capped."""
    assert "about as much as on a plain loop (95 %: 0.8 to 2.1)" in _describe(1.4, 0.8, 2.1)
    assert " 0.5 times as much as on a plain loop (95 %: 0.3 to 0.9)" in _describe(0.5, 0.3, 0.9)
    assert "over 10 times as much" in _describe(16.2, 9.1, 40.0)
    assert "(95 %: 9.1 or more)" in _describe(16.2, 9.1, 40.0)
    assert "under a tenth as much" in _describe(0.02, 0.01, 0.04)
    assert "(no intervals)" in _describe(2.0, None, None)
