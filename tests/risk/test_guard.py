"""The feedback guard, and the runaway that it prevents.

Ensign, Friedler, Neville, Scheidegger and Venkatasubramanian (2018), "Runaway feedback loops in
predictive policing", Proceedings of Machine Learning Research 81: 160-171: two places of the same
true rate, a patrol goes where crime was recorded, and finds crime where it goes.
"""

import numpy as np
import pandas as pd

from patrolplan.notes import list_texts
from patrolplan.risk.estimate import estimate_risk

DISCOVERY, REPORTED = "Drugs", "Robbery"


def year_of_patrols(make, seed, *, guard):
    """Let risk send patrols to one of two equal streets, months on end; give the last share."""
    rng = np.random.default_rng(seed)
    rows = [
        {"piece": piece, "category": category, "month": pd.Timestamp("2022-01-01")}
        for piece in (1, 30)
        for category in (REPORTED, DISCOVERY)
    ]
    crimes = {"include_discovered": not guard, "reason": "" if guard else "to see what happens"}
    settings = {"risk": {"model": "prior", "harm": {REPORTED: 1, DISCOVERY: 1}}, "crimes": crimes}
    for month in pd.date_range("2022-02-01", periods=18, freq="MS"):
        risk = estimate_risk(make.area(rows, settings=settings))
        first = risk.crime[1] / (risk.crime[1] + risk.crime[30])
        there = first > 0.5 or (first == 0.5 and bool(rng.integers(2)))
        for piece, patrolled in ((1, there), (30, not there)):
            reported, found = rng.poisson(8.0), rng.poisson(20.0 * patrolled)
            rows += [{"piece": piece, "category": REPORTED, "month": month}] * int(reported)
            rows += [{"piece": piece, "category": DISCOVERY, "month": month}] * int(found)
    return first


def test_guard_keeps_allocation_fair(make):
    """With the guard, two equal streets keep about equal shares of the patrols."""
    last = [year_of_patrols(make, seed, guard=True) for seed in range(4)]
    assert max(abs(share - 0.5) for share in last) < 0.12


def test_without_it_allocation_runs_away(make):
    """Without the guard, the patrols' own finds draw them to one of two equal streets."""
    last = [year_of_patrols(make, seed, guard=False) for seed in range(4)]
    assert np.mean([abs(share - 0.5) for share in last]) > 0.2


def test_the_reason_is_noted(make):
    """Switching the guard off is noted with its reason."""
    settings = {"crimes": {"include_discovered": True, "reason": "a trial agreed with the board"}}
    rows = make.rows([3] * 12, [1]) + make.rows([3] * 12, [2], category="Drugs")
    risk = estimate_risk(make.area(rows, settings=settings))
    noted = "Offences that patrols discover count too: a trial agreed with the board."
    assert noted in list_texts(risk.notes)
    assert risk.crime[2] > 0


def test_discovered_crime_helps_no_model(make):
    """With the guard, drugs change no number, not even by way of a feature."""
    rows = make.rows([4] * 24, range(10)) + make.rows([9] * 24, range(5), 2, "Other theft")
    more = make.rows([30] * 24, [7], 3, "Drugs")
    for model in ("auto", "poisson"):
        settings = {"risk": {"model": model}}
        plain = estimate_risk(make.area(rows, settings=settings))
        drugs = estimate_risk(make.area(rows + more, settings=settings))
        assert np.array_equal(plain.crime, drugs.crime)
