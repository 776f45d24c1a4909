"""Risk: two voices, what they rest on, and the notes about them."""

import numpy as np
import pytest

from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.stack import DECLARED_WEIGHTS


def groups(area, at, count=10):
    """One group of reports on one piece."""
    group = np.full(len(area.network), -1)
    group[at] = 0
    by_factor = np.array([[count * (name == "isolated") for name in FACTOR_NAMES]])
    return ReportGroups(5, group, np.array([count]), np.ones(1), by_factor)


def test_can_not_tell(make):
    """Twelve months of one category with twenty rows in all: it says it can't tell."""
    months = [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 1]
    risk = estimate_risk(make.area(make.rows(months, range(30))))
    assert risk.model == "pooled stack"
    assert risk.margin is None
    assert (risk.crime > 0).all()
    (note,) = (note for note in risk.notes if note.kind == "stack_untested")
    assert dict(zip(note.values["models"], note.values["weights"], strict=True)) == pytest.approx(
        DECLARED_WEIGHTS, abs=0.1
    )


def test_disagreement(make):
    """Feared but unrecorded comes out near one, recorded but unfeared near minus one."""
    area = make.area(make.rows([3] * 12, [1]))
    assert not estimate_risk(area).disagreement.any()
    area.reports = groups(area, at=20)
    disagreement = estimate_risk(area).disagreement
    assert disagreement[20] > 0.9
    assert disagreement[1] < -0.9
    assert abs(disagreement[40]) < 0.1
    assert np.abs(disagreement).max() <= 1
