"""Classes of street by risk: their share of street, counted slowly; the same wherever shown."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.risk.priority import OTHER_STREETS, RISK_CLASSES, classify_streets_by_risk


def test_classes_hold_their_share_of_street():
    """At most 5 % of street in the top class, half in all; equal risk in one, no risk in none."""
    rng = np.random.default_rng(1)
    metres = rng.uniform(10, 50, 2000)
    level = classify_streets_by_risk(rng.exponential(size=2000) * metres, metres)
    share = np.bincount(level, weights=metres, minlength=5) / metres.sum()
    np.testing.assert_allclose(share[[4, 3, 2, 1]], [0.05, 0.10, 0.15, 0.20], atol=0.002)
    metres = np.full(100, 30.0)
    share = np.repeat([0.03, 0.01, 0.0], [10, 20, 70])
    level = classify_streets_by_risk(share * (1 + 1e-13 * np.arange(100)), metres)
    assert level.tolist() == [3] * 10 + [2] * 20 + [0] * 70
    assert not classify_streets_by_risk(np.zeros(100), metres).any()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 60)), min_size=1, max_size=60))
def test_a_class_ends_at_its_share_of_street(pieces):
    """All streets with at least a piece's risk per metre are within the limit of its class."""
    risk, metres = (np.array(column) for column in zip(*pieces, strict=True))
    levels = classify_streets_by_risk(risk, metres)
    limits = {one.level: one.limit for one in (*RISK_CLASSES, OTHER_STREETS)}
    density = risk / metres
    for level, value in zip(levels, density, strict=True):
        above = metres[density >= value - 1e-9 * density.max()].sum() / metres.sum()
        if level:
            assert value > 0
            assert above <= limits[level] + 1e-9
        if value > 0 and level < RISK_CLASSES[0].level:
            assert above > limits[level + 1] - 1e-9


def test_words_are_those_of_the_limits():
    """Each class is named by its own share of street."""
    before = 0.0
    for one in RISK_CLASSES:
        assert f"{100 * (one.limit - before):.0f} %" in one.words
        before = one.limit
    assert before == pytest.approx(0.5)
