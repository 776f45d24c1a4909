"""What was recorded within a walk of a gate: counts by category and street, and what is rising."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from patrolplan.area import StudyArea
from patrolplan.hotspots.certainty import FEWEST_EVENTS
from patrolplan.hotspots.certainty import stands_out
from patrolplan.network.graph import metres_to_pieces
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.outputs.brief.spans import Span
from patrolplan.outputs.brief.spans import Spans
from patrolplan.outputs.brief.spans import When

FEWEST_BLOCKS = 3
"""With fewer months before, how much they swing cannot be told."""


@dataclass(frozen=True, eq=False)
class Around:
    """Streets within a walk of a gate.

    Parameters
    ----------
    metres
        (p,) walk from the gate to each piece of the area's network; inf beyond the radius.
    share
        (c,) share of each catchment's street that lies within.
    """

    metres: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def within(self) -> NDArray[np.bool_]:
        """(p,) pieces within the walk."""
        return np.isfinite(self.metres)


def around_gate(area: StudyArea, row: int) -> Around:
    """Streets within the settings' radius of a school's gate, as a patrol's reach has them."""
    network, radius = area.network, area.settings.patrol.radius_metres
    gate = area.gates.take([row])
    # No walk within the radius leaves the circle of the radius; its pieces lie half in at least.
    near = np.union1d(network.around(network.xy(gate)[0], radius + 2 * PIECE_METRES), gate.piece)
    walk = metres_to_pieces(network.take(near), gate.among(near), limit_metres=radius)
    metres = np.full(len(network), np.inf)
    metres[near] = np.where(walk <= radius, walk, np.inf)
    metres[gate.piece] = 0.0
    catchments = area.catchments
    share = np.where(np.isfinite(metres), catchments.piece_share, 0.0)
    within = np.bincount(catchments.of_piece, weights=share, minlength=len(catchments))
    return Around(metres, within.astype(np.float64))


def count_categories(
    area: StudyArea, around: Around, when: When, span: Span, categories: Sequence[str]
) -> NDArray[np.float64]:
    """(k,) incidents of a span within the walk; each spread evenly over its catchment."""
    weight = np.where(when.inside(span), around.share[area.incident_catchment], 0.0)
    return _by_category(area, weight, categories)


def count_streets(
    area: StudyArea, around: Around, when: When, span: Span, categories: Sequence[str]
) -> NDArray[np.float64]:
    """(p,) incidents of a span and of these categories on each piece within the walk."""
    used = when.inside(span) & area.incidents["category"].isin(categories).to_numpy()
    amounts = np.bincount(area.incident_catchment[used], minlength=len(area.catchments))
    return np.where(around.within, area.catchments.spread(amounts), 0.0)


def dispersion(
    area: StudyArea, around: Around, when: When, spans: Spans, categories: Sequence[str]
) -> NDArray[np.float64]:
    """(k,) how much more the months before swing than chance alone would make them; at least 1.

    Variance over mean of the counts of equal blocks (Pearson's estimate, quasi-Poisson).
    """
    blocks = [Span(*pair) for pair in pairwise(spans.blocks)]
    if len(blocks) < FEWEST_BLOCKS:
        return np.ones(len(categories))
    counts = np.array([count_categories(area, around, when, block, categories) for block in blocks])
    mean = counts.mean(axis=0)
    variance = counts.var(axis=0, ddof=1)
    swing = np.divide(variance, mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0, swing))


def chance_of(
    now: NDArray[np.float64],
    before: NDArray[np.float64],
    exposure: float,
    swing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Chance of as many since, if nothing changed.

    Given both counts, the recent one is binomial if nothing changed (conditional Poisson test);
    counts that swing more than chance are worth so many fewer.

    Parameters
    ----------
    now, before
        (k,) incidents.
    exposure
        Length of now in lengths of before.
    swing
        (k,) see `dispersion`.
    """
    recent, earlier = np.round(now / swing), np.round(before / swing)
    chance = stats.binom.sf(recent - 1, recent + earlier, exposure / (1 + exposure))
    return np.where(now + before < FEWEST_EVENTS, 1.0, chance)


def rising(
    chance: NDArray[np.float64],
    now: NDArray[np.float64],
    year_before: NDArray[np.float64] | None,
) -> NDArray[np.bool_]:
    """(k,) more than chance over all categories together, and more than the season explains."""
    up = stands_out(chance)
    return up if year_before is None else up & (now > year_before)


def _by_category(
    area: StudyArea, weight: NDArray[np.float64], categories: Sequence[str]
) -> NDArray[np.float64]:
    held = area.incidents["category"].cat
    totals = np.bincount(held.codes, weights=weight, minlength=len(held.categories))
    return pd.Series(totals, index=held.categories).reindex(list(categories)).fillna(0.0).to_numpy()
