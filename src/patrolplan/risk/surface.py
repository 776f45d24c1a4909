"""`Risk`: expected harm on every piece of street in a patrol window, as it is handed on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.notes import Note
from patrolplan.risk.models import ModelChoice
from patrolplan.risk.time_of_day import Timing
from patrolplan.tables import render_html_table


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
        Name of the model that the crime voice comes from; where categories have different ones,
        their names joined by "and".
    margin
        How much better than prior counts the models were in back-tests: difference of PAI at 5 %
        coverage; None where there was too little to compare.
    months
        First and last month of the incidents used, each the first day of the month.
    times_known, snapped
        Whether incidents have a time of day; whether their places are snap points.
    notes
        What a reader must know: defaults, and what is approximate.
    choices
        For each category, the chosen model and why; empty where the settings name the model.
    timing
        Share of harm in the patrol window; None where only months are known.
    """

    crime: NDArray[np.float64]
    reports: NDArray[np.float64]
    joined: NDArray[np.float64]
    model: str
    margin: float | None
    months: tuple[pd.Timestamp, pd.Timestamp]
    times_known: bool
    snapped: bool
    notes: tuple[Note, ...] = ()
    choices: tuple[ModelChoice, ...] = ()
    timing: Timing | None = None

    def __repr__(self) -> str:
        first, last = self.months
        return f"<Risk: {self.model}, {first:%Y-%m} to {last:%Y-%m}, {len(self.joined):,} pieces>"

    def _repr_html_(self) -> str:
        first, last = self.months
        margin = (
            "too little crime to tell" if self.margin is None else f"{self.margin:+.2f} PAI at 5 %"
        )
        facts = {
            "model": self.model,
            "compared with a simple count of the previous 12 months": margin,
            "months": f"{first:%Y-%m} to {last:%Y-%m}",
            "pieces of street": f"{len(self.joined):,}",
            "notes": f"{len(self.notes)}, see pp.describe_note",
        }
        return render_html_table("Risk", facts, next_call="hotspots = pp.find_hotspots(area, risk)")

    @property
    def disagreement(self) -> NDArray[np.float64]:
        """(p,) where the voices disagree, between -1 and 1.

        Towards 1: feared but unrecorded. Towards -1: recorded but unfeared. Near 0: the voices
        agree, or neither says much; all 0 where a voice is silent. It is the difference of the
        voices' shares over their sum plus the share that a piece would have if all were equal.
        """
        if not (self.crime.any() and self.reports.any()):
            return np.zeros(len(self.joined))
        even = 1.0 / len(self.joined)
        difference = self.reports - self.crime
        return np.asarray(difference / (self.reports + self.crime + even))
