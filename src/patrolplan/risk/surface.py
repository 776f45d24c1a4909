"""`Risk`: expected harm on every piece of street in a patrol window."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import round_significant
from patrolplan.errors import InputError
from patrolplan.network import StreetNetwork
from patrolplan.notes import Note
from patrolplan.pupils.pupils import Pupils
from patrolplan.risk.history import History, build_history
from patrolplan.risk.in_time import RiskInTime
from patrolplan.risk.priority import classify_streets_by_risk
from patrolplan.tables import Drawn, render_html_table

if TYPE_CHECKING:
    import geopandas as gpd

    from patrolplan.risk.day_kinds import DayKind

# The rate of a place is a gamma variable around what the model expects, of the shape a + n that the
# shrinkage gives it (`patrolplan.risk.shrinkage`), with n incidents on record there. So the more
# there are, the surer the rate. The band shows how well the rate is known, if the model is right,
# not how many incidents will be recorded: usually there will be none.
BAND_ENDS = (0.1, 0.9)
"""Probabilities at the lower and upper end of the band: the rate of 80 % of places is inside."""


@dataclass(frozen=True, eq=False)
class ExpectedIncidents:
    """Incidents expected in one window, computed when first wanted; without pupils' presence."""

    network: StreetNetwork  # The p pieces of street
    history: History  # What was learned from; names the j categories
    # Gives (p, j) incidents expected in the window on one day.
    count: Callable[[], NDArray[np.float64]]

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """(p, j) incidents expected in the window on one day."""
        return self.count()

    @cached_property
    def shapes(self) -> NDArray[np.float64]:
        """(p, j) shape of the gamma variable that each place's rate is."""
        by_place = self.history.shrunk_rates.shapes
        return by_place[self.history.units.catchments.piece_catchment]

    def frame(self, share: float | None = None) -> pd.DataFrame:
        """(p, j) the counts, or the limit that the rate stays below with this probability."""
        values = (
            self.counts if share is None else scale_to_quantile(self.counts, self.shapes, share)
        )
        rows = pd.RangeIndex(len(values), name="piece")
        return pd.DataFrame(values, index=rows, columns=pd.Index(self.history.targets))

    def sum_categories(self) -> pd.DataFrame:
        """`expected`, `low` and `high` of all categories together, one row a piece."""
        # A sum of gamma variables is none, but nearly: the one with the sum of their means and of
        # their variances. The categories' rates are taken as independent.
        total = self.counts.sum(axis=1)
        variance = (self.counts**2 / self.shapes).sum(axis=1)
        shape = np.divide(total**2, variance, out=np.ones_like(total), where=variance > 0)
        low, high = (scale_to_quantile(total, shape, share) for share in BAND_ENDS)
        rows = pd.RangeIndex(len(total), name="piece")
        return pd.DataFrame({"expected": total, "low": low, "high": high}, index=rows)


def get_pupils(risk: "Risk") -> Pupils:
    """Where pupils are, for whom patrols are planned."""
    if risk.pupils is None:
        where, what = "risk", "has no pupils: it was made by hand, or comes from another process"
        remedy = "take one that pp.estimate_risk gave, or set pupils=pp.model_pupils(area)"
        raise InputError.one(where, what, remedy)
    return risk.pupils


def get_history(area: StudyArea, risk: "Risk") -> History:
    """The counts of crime that a risk was learned from; counted for one that was made by hand."""
    return build_history(area) if risk.history is None else risk.history


def scale_to_quantile(
    means: NDArray[np.float64], shapes: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Quantile of gamma variables of these means and shapes, all of one form.

    Examples
    --------
    >>> scale_to_quantile(np.array([2.0]), np.array([1.0]), 0.5).round(3)  # 2 log(2)
    array([1.386])
    """
    return np.asarray(means * scipy.special.gammaincinv(shapes, share) / shapes)


EXPECTED_DIGITS = 3
"""Significant digits of expected incidents in a table of streets: more would claim too much."""


@dataclass(frozen=True, eq=False)
class Risk(Drawn):
    """Expected harm on every piece of street in a patrol window, by voice.

    Where pupils are is in `joined` and `in_time` alone. They are for finding hotspots and planning
    patrols: everything written, drawn or shown for single pieces of street comes from `crime`,
    `reports` and `without_exposure`, so it does not reveal where children walk.

    Parameters
    ----------
    crime, reports
        (p,) each voice's share on every piece, without exposure to pupils; each sums to 1 over the
        area, or is all zero where that voice is silent.
    joined
        (p,) the two voices at their weights, with exposure; sums to 1.
    model
        Name of the model that the crime voice comes from. How good it is, a back-test says.
    months
        First and last month of the incidents used, each the first day of the month.
    times_known, snapped
        Whether incidents have a time of day; whether their places are snap points.
    notes
        What a reader must know: defaults, and what is approximate.
    window
        The patrol window that it is the risk of: the mean over the minutes that schools' windows
        hold. None for a risk that was made by hand.
    day
        The kind of day; None: all days together.
    without_exposure
        (p,) `joined` as it would be if pupils' presence did not count; sums to 1. `joined` itself
        by default.
    crime_weight
        Share of recorded crime in the joined risk; the rest is that of pupils' reports.
    in_time
        The risk of each minute; None for a risk that was made by hand.
    incidents
        The expected incidents that it rests on; None for a risk that was made by hand, and in
        worker processes.
    made_from
        Inputs and settings of its area, see `StudyArea.basis`; None for one made by hand.
    pupils
        Where each school's own pupils are, see `patrolplan.model_pupils`: patrols are planned for
        them. None in worker processes, and for a risk that was made by hand without them.
    """

    crime: NDArray[np.float64]
    reports: NDArray[np.float64]
    joined: NDArray[np.float64]
    model: str
    months: tuple[pd.Timestamp, pd.Timestamp]
    times_known: bool
    snapped: bool
    notes: tuple[Note, ...] = ()
    window: Window | None = None
    day: "DayKind | None" = None
    without_exposure: NDArray[np.float64] = None  # type: ignore[assignment]
    crime_weight: float = 1.0
    in_time: RiskInTime | None = None
    incidents: ExpectedIncidents | None = None
    made_from: Mapping[str, Any] | None = None
    pupils: Pupils | None = None

    def __post_init__(self) -> None:
        if self.without_exposure is None:
            object.__setattr__(self, "without_exposure", self.joined)

    def __getstate__(self) -> dict[str, Any]:
        # For worker processes: pupils, and the risk of each minute, stay in this one; none needs
        # the expected incidents.
        timed = self.in_time if self.in_time is None or self.in_time.is_static else None
        return self.__dict__ | {"in_time": timed, "incidents": None, "pupils": None}

    def _get_drawn(self) -> "tuple[gpd.GeoDataFrame, str]":
        return self.frame(), "risk_per_metre"

    def __repr__(self) -> str:
        first, last = self.months
        return f"<Risk: {self.model}, {first:%Y-%m} to {last:%Y-%m}, {len(self.joined):,} pieces>"

    def _repr_html_(self) -> str:
        first, last = self.months
        facts = {
            "model": self.model,
            "window": "" if self.window is None else str(self.window),
            "months": f"{first:%Y-%m} to {last:%Y-%m}",
            "pieces of street": f"{len(self.joined):,}",
            "notes": f"{len(self.notes)}, see risk.notes",
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

    def frame(self, network: "StreetNetwork | None" = None) -> "gpd.GeoDataFrame":
        """One row a piece of street, with its line and its risk without exposure to pupils.

        Columns `name`, `highway`, `metres`; `crime`, `reports` and `risk`, each a share of the
        area's; `risk_per_metre`, and `risk_class` as on maps, from 4 for the 5 % of street with
        most risk to 0; `disagreement`; and, where they are known, the incidents of
        all categories that are `expected` in the window on one day, with their 80 % band from
        `expected_low` to `expected_high`.

        Parameters
        ----------
        network
            The streets that it is the risk of; needed only for one that was made by hand.

        Examples
        --------
        >>> import patrolplan as pp
        >>> risk = pp.estimate_risk(pp.load_area(pp.demo_settings()))
        >>> streets = risk.frame()
        >>> bool(abs(streets["risk"].sum() - 1) < 1e-6)
        True
        """
        network = self._get_incidents().network if network is None else network
        frame = network.frame().assign(
            crime=self.crime,
            reports=self.reports,
            risk=self.without_exposure,
            risk_per_metre=self.without_exposure / network.piece_metres,
            risk_class=classify_streets_by_risk(self.without_exposure, network.piece_metres),
            disagreement=self.disagreement,
        )
        if self.incidents is None:
            return frame
        shown = round_significant(self.expected_in_all.to_numpy(), EXPECTED_DIGITS)
        names = ("expected", "expected_low", "expected_high")
        return frame.assign(**dict(zip(names, shown.T, strict=True)))

    @property
    def expected(self) -> pd.DataFrame:
        """(p, j) incidents expected in the window on one day, by piece and category.

        They are small numbers: times 190, those of a school year. Where pupils are is not in them.
        Their 80 % bands are `expected_low` and `expected_high`; see `patrolplan.risk.surface`.
        """
        return self._get_incidents().frame()

    @property
    def expected_low(self) -> pd.DataFrame:
        """(p, j) lower end of the 80 % band of `expected`."""
        return self._get_incidents().frame(BAND_ENDS[0])

    @property
    def expected_high(self) -> pd.DataFrame:
        """(p, j) upper end of the 80 % band of `expected`."""
        return self._get_incidents().frame(BAND_ENDS[1])

    @property
    def expected_in_all(self) -> pd.DataFrame:
        """`expected`, `low` and `high` of all categories together, one row a piece."""
        return self._get_incidents().sum_categories()

    def _get_incidents(self) -> ExpectedIncidents:
        if self.incidents is None:
            where, what = "risk", "the expected incidents of a risk made by hand are not known"
            raise InputError.one(where, what, "take one that pp.estimate_risk gave in this process")
        return self.incidents

    @property
    def history(self) -> History | None:
        """The counts of crime that it was learned from; None for a risk that was made by hand."""
        return None if self.incidents is None else self.incidents.history

    @property
    def reports_part(self) -> NDArray[np.float64]:
        """(p,) share of pupils' reports in the joined risk; the rest is recorded crime."""
        return (1.0 - self.crime_weight) * self.reports
