"""Risk: two voices, the model they rest on, and the notes about them."""

import numpy as np
import pytest

from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.models import MODELS


def groups(area, at, count=10):
    """One group of reports on one piece."""
    group = np.full(len(area.network), -1)
    group[at] = 0
    by_factor = np.array([[count * (name == "isolated") for name in FACTOR_NAMES]])
    return ReportGroups(5, group, np.array([count]), np.ones(1), by_factor)


@pytest.mark.parametrize("name", ["auto", *MODELS])
def test_the_settings_name_the_model(make, name):
    """The model of the settings is used and, where it is not our own choice, noted."""
    months = [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 1]
    area = make.area(make.rows(months, range(30)), settings={"risk": {"model": name}})
    risk = estimate_risk(area)
    assert risk.model == ("shrunk" if name == "auto" else name)
    assert [note.text for note in risk.notes if note.key == "model_set"] == (
        [] if name == "auto" else [f"The risk model is '{name}', as the settings say."]
    )
    assert (risk.crime > 0).all() == (name != "prior")
    auto = estimate_risk(area, model="auto")
    assert np.array_equal(auto.crime, estimate_risk(area, model="shrunk").crime)


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
