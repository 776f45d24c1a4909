"""Risk: two voices, what they rest on, and the notes about them."""

from typing import get_args

import numpy as np
import pytest

from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.history import HARM_DAYS
from patrolplan.risk.models import MODELS
from patrolplan.risk.rolling_origin import AUTO
from patrolplan.risk.stack import DECLARED_WEIGHTS
from patrolplan.settings.kinds import CATEGORIES, RiskModel


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


def test_named_model(make):
    """A model named in the settings is used as it is, and noted."""
    area = make.area(make.rows([3] * 12, [1, 2]), settings={"risk": {"model": "network_kernel"}})
    risk = estimate_risk(area)
    assert risk.model == "network kernel"
    assert any(note.kind == "kernel_width" for note in risk.notes)


def test_settings_know_every_model():
    """The names that settings take are those of the models, and the choice among them."""
    assert get_args(RiskModel) == (AUTO, *MODELS)


def test_settings_know_every_category():
    """The categories that settings know are those that have a harm."""
    assert set(CATEGORIES) == set(HARM_DAYS)


def test_half_life(make):
    """With a short half-life the decayed count follows the last months."""
    rows = make.rows([6, 6, 6, 0, 0, 0], [1]) + make.rows([0, 0, 0, 3, 3, 3], [2])
    shares = []
    for months in (1, 60):
        settings = {"risk": {"model": "decayed count", "half_life_months": months}}
        risk = estimate_risk(make.area(rows, settings=settings))
        shares.append(risk.crime[2] / risk.crime[1])
    assert shares[0] > 3
    assert shares[1] < 0.6


def test_harm_override(make):
    """An own harm weight moves risk to where that category is."""
    rows = make.rows([3] * 12, [1]) + make.rows([3] * 12, [2], category="Other theft")
    plain = {"model": "prior count"}
    usual = estimate_risk(make.area(rows, settings={"risk": plain}))
    own = estimate_risk(make.area(rows, settings={"risk": {**plain, "harm": {"Other theft": 365}}}))
    assert usual.crime[2] < 0.01
    assert own.crime[2] == pytest.approx(own.crime[1])
