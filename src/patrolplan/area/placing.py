"""Crimes -> incidents on catchments: inside the area, near a street, in groups where asked."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.area.recorded import caught
from patrolplan.area.recorded import place_notes
from patrolplan.area.recorded import time_notes
from patrolplan.area.recorded import times_known
from patrolplan.errors import Problems
from patrolplan.inputs.crimes import Crimes
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.privacy import SQUARE_METRES
from patrolplan.privacy import crime_note
from patrolplan.privacy import enough_alike
from patrolplan.privacy import told
from patrolplan.projection import Projection
from patrolplan.settings import CATEGORIES
from patrolplan.settings import Settings
from patrolplan.tables import LeftOut
from patrolplan.tables import LeftOutRow


@dataclass(frozen=True, eq=False)
class Placed:
    """Incidents, the catchments of the area, and the one that each incident belongs to.

    `times_known` and `snapped` are those of `patrolplan.area.StudyArea`.
    """

    incidents: gpd.GeoDataFrame
    catchments: Catchments
    of_incident: NDArray[np.int64]
    times_known: bool
    snapped: bool


@dataclass(frozen=True)
class Placer:
    """Gives incidents their catchments; what is left out or wrong gathers as it goes."""

    settings: Settings
    projection: Projection
    problems: Problems
    left_out: LeftOut
    notes: list[str]

    def place(self, crimes: Crimes, network: StreetNetwork, limits: BaseGeometry) -> Placed:
        """Incidents inside the limits and near a street.

        Where the settings hold crime to the threshold, catchments are squares, and incidents have
        no other place than their square: nothing below can tell them apart.

        Raises
        ------
        InputError
            When none is left, or none of a category that counts.
        """
        fewest = self.settings.privacy.fewest_crimes
        inside = self._inside(crimes, limits)
        self.problems.raise_if_any()
        catchments, of_incident = caught(network, crimes, inside, in_squares=fewest > 1)
        kept = of_incident >= 0
        self.left_out.add("crimes", "no walkable street near", int((inside & ~kept).sum()))
        incidents = crimes.incidents
        if fewest > 1:
            kept = self._in_groups(incidents, of_incident, kept, fewest)
        categories = incidents["category"].array
        self._check_categories(categories[kept].unique())
        self._check_harm(categories.unique())
        self.problems.raise_if_any()
        incidents, of_incident = incidents[kept].reset_index(drop=True), of_incident[kept]
        named = incidents["category"].cat.remove_unused_categories()
        incidents = incidents.assign(category=named)
        counted = incidents[named.isin(self.settings.crimes.counted)]
        if fewest > 1:
            square = gpd.GeoSeries.from_xy(*catchments.xy[of_incident].T, crs=incidents.crs)
            incidents = incidents.set_geometry(square.rename("geometry"))
        else:
            self.notes.extend(place_notes(crimes, kept) + time_notes(counted))
        return Placed(
            incidents=incidents,
            catchments=catchments,
            of_incident=of_incident,
            times_known=times_known(counted["timed"]),
            snapped=not crimes.exact[inside].all(),
        )

    def _inside(self, crimes: Crimes, limits: BaseGeometry) -> NDArray[np.bool_]:
        """(i,) whether each incident lies in the area."""
        xy = crimes.places
        inside = shapely.contains_xy(limits, xy[:, 0], xy[:, 1])[crimes.place]
        if not inside.any():
            there = _span(xy.min(axis=0), xy.max(axis=0), self.projection)
            area = _span(limits.bounds[:2], limits.bounds[2:], self.projection)
            what = f"no incident lies in the area: crimes in {there}, area in {area}"
            remedy = "check that crimes, streets and [area] are of the same place"
            self.problems.add("[sources] crimes", what, remedy)
        self.left_out.add("crimes", "outside the area", int((~inside).sum()))
        return np.asarray(inside)

    def _in_groups(
        self,
        incidents: gpd.GeoDataFrame,
        square: NDArray[np.int64],
        kept: NDArray[np.bool_],
        fewest: int,
    ) -> NDArray[np.bool_]:
        """(i,) which of the kept incidents stand in a group of their category on their square.

        Rows left out are told as those of reports are: in steps, and none under the threshold.
        """
        kind = incidents["category"].cat.codes.to_numpy().astype(np.int64)
        grouped = kept.copy()
        grouped[kept] = enough_alike(square[kept], kind[kept], fewest)
        reason = f"fewer than {fewest} of the category on a square of {SQUARE_METRES:.0f} m"
        self.left_out.rows.append(LeftOutRow("crimes", reason, int((kept & ~grouped).sum())))
        self.left_out.rows = [
            replace(row, count=int(told(row.count, fewest)), shown_from=fewest)
            if row.source == "crimes"
            else row
            for row in self.left_out.rows
        ]
        self.notes.append(crime_note(fewest))
        return grouped

    def _check_categories(self, found: Iterable[str]) -> None:
        """Some category that counts must occur; the others are named."""
        there, fewest = list(found), self.settings.privacy.fewest_crimes
        counted = self.settings.crimes.counted
        missing = [name for name in counted if name not in there]
        one = "incident" if fewest == 1 else f"group of {fewest} incidents"
        if not there:
            what = f"no {one} is left in the area, of any category"
            remedy = "see what `patrolplan check` leaves out; widen [area], or add crimes"
            if fewest > 1:
                remedy += ", or leave [privacy] threshold_for_crime off"
            self.problems.add("[sources] crimes", what, remedy)
        elif len(missing) == len(counted):
            wanted = ", ".join(counted)
            what = f"none of the patrol-relevant categories occurs in the area ({wanted})"
            if fewest > 1:
                what += f" in groups of {fewest}"
            remedy = f"set [crimes] categories to some of: {', '.join(sorted(there)[:12])}"
            self.problems.add("[crimes] categories", what, remedy)
        for name in missing:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.6)
            hint = f"; the data has '{near[0]}'" if near else ""
            self.notes.append(f"No {one} of the category '{name}' in the area{hint}.")

    def _check_harm(self, read: Iterable[str]) -> None:
        """Name a harm for a category that is neither among those read nor of data.police.uk.

        It may come with later months, or be misspelled.
        """
        known = tuple(dict.fromkeys((*read, *self.settings.crimes.counted, *CATEGORIES)))
        for name in self.settings.risk.harm:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
                hint = f", did you mean '{near[0]}'?" if near else ""
                self.notes.append(f"[risk.harm] '{name}' is no category of the data{hint}")


def _span(low: ArrayLike, high: ArrayLike, projection: Projection) -> str:
    """A box in degrees, in words."""
    (west, south), (east, north) = np.asarray(low), np.asarray(high)
    x, y = projection.to_degrees([west, east], [south, north])
    return f"{x[0]:.3f}..{x[1]:.3f}, {y[0]:.3f}..{y[1]:.3f}"
