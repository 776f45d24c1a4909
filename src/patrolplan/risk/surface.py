"""`Risk`: what the models hand to hotspots, patrols and papers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Risk:
    """Expected harm on every piece of street in a patrol window, by voice.

    Parameters
    ----------
    crime, reports
        (p,) each voice's share on every piece; each sums to 1 over the area, or is all zero where
        that voice is silent.
    joined
        (p,) the two voices at their declared weights; sums to 1.
    model
        Name of the model that the crime voice comes from.
    margin
        How much better than prior counts the model was in back-tests: difference of PAI at 5 %
        coverage; None where nothing could be told.
    months
        First and last month of the incidents used, each the first day of the month.
    times_known, snapped
        Whether incidents have a clock time; whether their places are snap points.
    notes
        What a reader must know: choices made by default, what is approximate.
    """

    crime: NDArray[np.float64]
    reports: NDArray[np.float64]
    joined: NDArray[np.float64]
    model: str
    margin: float | None
    months: tuple[pd.Timestamp, pd.Timestamp]
    times_known: bool
    snapped: bool
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        first, last = self.months
        return f"<Risk: {self.model}, {first:%Y-%m} to {last:%Y-%m}, {len(self.joined):,} pieces>"
