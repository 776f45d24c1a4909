"""A plan by a model of one's own is compared with past months by that model."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import patrolplan as pp
from patrolplan.patrols.past_months import prepare_hold_out
from patrolplan.risk.estimate import estimate_risk


class StreetLength(BaseEstimator):
    """Longer streets have more."""

    def fit(self, X, y):  # noqa: ARG002, N803 - scikit-learn's names
        """Nothing is learned."""
        return self

    def predict(self, X):  # noqa: N803
        """Their metres."""
        return X["metres"]


@pytest.mark.parametrize("model", [StreetLength(), "prior count"], ids=["own", "by name"])
def test_past_months_are_compared_by_the_same_model(demo_area, demo_risk, model):
    """The risk of the months before the hold-out is that of the plan's own model."""
    risk = estimate_risk(demo_area, model=model)
    hotspots = pp.find_hotspots(demo_area, risk)
    plan = pp.plan_patrols(demo_area, risk, hotspots, urns=["900003"])
    held = prepare_hold_out(plan, [2])
    assert held is not None
    assert held.ours.risk.model == risk.model
    assert held.ours.risk.model != demo_risk.model
    assert held.counts.risk.model == "prior count"
    if isinstance(model, StreetLength):
        metres = demo_area.network.piece_metres
        assert np.corrcoef(held.ours.risk.incidents.monthly.sum(axis=1), metres)[0, 1] > 0.9
