"""How sure a hotspot is: more than chance, changing, and stable when snap points are moved."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.even_worlds import EvenWorld, compute_excesses, simulate_best_excess
from patrolplan.hotspots.stability import compute_survived_share
from patrolplan.hotspots.trends import classify_trends
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.surface import Risk

TESTED_MONTHS = 12
"""Number of last months whose crime is tested: a year, so that every season is in it."""

WORLDS = 399
"""Even worlds; with the one observed they make 400."""

DRAWS_SEED = 1
"""Seed of all draws in this module."""

STANDS_OUT_CHANCE = 0.05
"""A hotspot stands out if the best stretch has as much in at most this share of even worlds."""

WELL_PLACED_SHARE = 0.8
"""A stretch is well placed when it survives this share of the jitters."""


def assess_certainty(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> pd.DataFrame:
    """How sure each stretch is.

    The draws do not depend on the settings' seed: that is for the search of patrols, and must not
    change how sure a place is.

    Returns one row a stretch: `p_value` (chance that the best stretch of an even world holds as
    much recorded harm), `stands_out` (at most 5 %), `trend` ("new", "rising", "persistent",
    "fading" or "too few to tell"), `survived` (share of jitters of the snap points that it
    survives; 1 for exact places), `mainly_reports` (whether it is based on pupils' reports more
    than on recorded crime).
    """
    history = build_history(area)
    share = compute_catchment_shares(area.catchments, stretches)
    rng = np.random.default_rng(DRAWS_SEED)
    p_value = simulate_p_values(area, history, share, rng)
    return pd.DataFrame(
        {
            "p_value": p_value,
            "stands_out": p_value <= STANDS_OUT_CHANCE,
            "trend": classify_trends(history, share, area),
            "survived": compute_survived_share(area, risk, history, stretches, rng),
            "mainly_reports": find_carriers(risk, stretches) == "feared",
        }
    )


def build_even_world(area: StudyArea, history: History) -> tuple[EvenWorld, NDArray[np.float64]]:
    """An even world with last year's crime, and (c,) the days of harm recorded on each catchment.

    Every category keeps its number of incidents; each falls on a catchment by its street length
    and, where months are missing, by its months with data: only these can show crime.
    """
    kinds = len(history.targets)
    counts = history.count_last(TESTED_MONTHS)[:, :kinds]
    harm = get_harm_days(history.targets, area.settings.risk.harm)
    metres = history.units.metres
    if history.exposure is not None:
        metres = metres * history.count_held_months(TESTED_MONTHS)
    street_share = metres / max(float(metres.sum()), 1e-12)
    mean = np.ascontiguousarray(counts.sum(axis=0)[:, None] * street_share)
    return EvenWorld(mean, harm), counts @ harm


def simulate_p_values(
    area: StudyArea, history: History, share: sparse.csr_array, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(h,) chance that the best stretch of an even world exceeds the baseline as far as each.

    Both the stretches of the plan and those of the even worlds were chosen for being high, so the
    chance takes the choice into account, for all hotspots at once: in an even world any hotspot at
    all stands out once in twenty times; see `patrolplan.hotspots.even_worlds`.

    If r of w worlds reach the excess (`compute_excess`) of a stretch, the chance is estimated as
    (r + 1) / (w + 1): what was observed counts as one more world, so that it is never 0.

    `area`, `history`: What was recorded. `share`: (h, c) share of each catchment's street that lies
    in each stretch. `rng`: Its children draw.
    """
    world, recorded = build_even_world(area, history)
    observed = compute_excesses(share @ recorded, share @ world.expected)
    best = np.sort(simulate_best_excess(area, world, WORLDS, rng))
    reached = WORLDS - np.searchsorted(best, observed * (1 - ROUNDING), side="left")
    return np.asarray((1 + reached) / (1 + WORLDS))


ROUNDING = 1e-9
"""Excess that differs by less is equal."""
