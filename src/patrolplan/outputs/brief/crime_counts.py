"""What was recorded within a walk of a gate: counts by category and street, and what is rising.

Recorded crime around one school, counted by category and street, as it may be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from patrolplan.area import StudyArea
from patrolplan.hotspots.significance import FEWEST_EVENTS, stands_out
from patrolplan.network.graph import metres_to_pieces
from patrolplan.network.names import street_labels
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.outputs.brief.periods import Span, Spans, When

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


STREETS = 6
"""Most streets that are told; one page holds them."""


@dataclass(frozen=True)
class Figure:
    """A number as it may be shown: `value` is None where it may not be, or is not held."""

    value: float | None
    least: float = 1.0
    """Numbers under this are held back, where the settings hold crime to the threshold."""

    @property
    def said(self) -> str:
        """The number in words.

        Examples
        --------
        >>> [Figure(value).said for value in (1234.2, 7.26, 0.3, 0.0, None)]
        ['1,234', '7', 'under 1', '0', 'not held']
        """
        if self.value is None:
            return f"fewer than {self.least:g}" if self.least > 1 else "not held"
        return "under 1" if 0 < self.value < 0.5 else f"{self.value:,.0f}"  # noqa: PLR2004


@dataclass(frozen=True)
class Recorded:
    """Recorded crime of one category, or on one street, within the walk.

    Parameters
    ----------
    name
        The category or the street.
    now
        Since the day asked for.
    usual
        The mean of the months before, for as long a time.
    year_before
        The same days or months a year before.
    rising
        More than chance and, where a year before is held, more than then.
    chance
        Chance of as many if nothing changed; None where it was not asked or may not be shown.
    """

    name: str
    now: Figure
    usual: Figure
    year_before: Figure
    rising: bool = False
    chance: float | None = None


@dataclass(frozen=True, eq=False)
class Counting:
    """One school's counting: its streets, the incidents' days, and the spans."""

    area: StudyArea
    around: Around
    when: When
    spans: Spans
    counted: tuple[str, ...]

    @property
    def least(self) -> float:
        """Smallest number of crimes that may be shown."""
        return float(self.area.settings.privacy.fewest_crimes)

    def figure(self, value: float | None) -> Figure:
        """A number of crimes, held back under the threshold where crime is held to it."""
        if value is None:
            return Figure(None)
        if self.least > 1 and round(value) < self.least:
            return Figure(None, self.least)
        return Figure(float(value), self.least)

    def categories(self) -> tuple[tuple[Recorded, ...], Recorded]:
        """Every category that counts, and all of them together."""
        around, when, spans = self.around, self.when, self.spans
        now, before, year = self._of(spans.now), self._of(spans.before), None
        if spans.year_before is not None:
            year = self._of(spans.year_before)
        swing = dispersion(self.area, around, when, spans, self.counted)
        chance = chance_of(now, before, spans.exposure, swing)
        up = rising(chance, now, year)
        rows = [
            self._recorded(
                name,
                now[k],
                before[k] * spans.exposure,
                None if year is None else year[k],
                rising=bool(up[k]),
                chance=float(chance[k]),
            )
            for k, name in enumerate(self.counted)
        ]
        return tuple(rows), self._total(rows, now, before, year)

    def streets(self) -> tuple[Recorded, ...]:
        """Named streets where most was recorded since; numbers of the pieces within the walk."""
        labels = street_labels(self.area.network)
        named = np.isin(labels, np.unique(self.area.network.piece_name[self.around.within]))
        named &= (labels != "") & self.around.within
        names, of_piece = np.unique(labels[named].astype(str), return_inverse=True)
        now, before, year = (
            None if span is None else np.bincount(of_piece, self._on(span)[named], len(names))
            for span in (self.spans.now, self.spans.before, self.spans.year_before)
        )
        if now is None or before is None:  # both spans always stand
            return ()
        order = np.argsort(-np.round(now, 6), kind="stable")[:STREETS]
        return tuple(
            self._recorded(
                str(names[k]),
                now[k],
                before[k] * self.spans.exposure,
                None if year is None else year[k],
            )
            for k in order
            if round(now[k]) >= max(1, self.least)
        )

    def _of(self, span: Span) -> NDArray[np.float64]:
        return count_categories(self.area, self.around, self.when, span, self.counted)

    def _on(self, span: Span) -> NDArray[np.float64]:
        return count_streets(self.area, self.around, self.when, span, self.counted)

    def _recorded(
        self,
        name: str,
        now: float,
        usual: float,
        year: float | None,
        *,
        rising: bool = False,
        chance: float | None = None,
    ) -> Recorded:
        """Numbers as they may be shown; what is told from a number held back is held back too."""
        since, mean = self.figure(now), self.figure(usual)
        shown = since.value is not None and mean.value is not None
        return Recorded(
            name=name,
            now=since,
            usual=mean,
            year_before=self.figure(year),
            rising=rising and shown,
            chance=chance if shown else None,
        )

    def _total(
        self,
        rows: Sequence[Recorded],
        now: NDArray[np.float64],
        before: NDArray[np.float64],
        year: NDArray[np.float64] | None,
    ) -> Recorded:
        """All categories; held back beside a category that is, or the rest would tell it."""
        sums = {
            "now": float(now.sum()),
            "usual": float(before.sum()) * self.spans.exposure,
            "year_before": None if year is None else float(year.sum()),
        }
        figures: dict[str, Figure] = {}
        for column, total in sums.items():
            beside: list[Figure] = [getattr(row, column) for row in rows]
            hidden = any(one.value is None and one.least > 1 for one in beside)
            figures[column] = Figure(None, np.inf) if hidden else self.figure(total)
        return Recorded(
            name="All of these",
            now=figures["now"],
            usual=figures["usual"],
            year_before=figures["year_before"],
        )
