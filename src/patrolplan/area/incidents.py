"""Crimes -> incidents on catchments: inside the area, near a street, in groups where asked.

What recorded crime is worth: snap points beside exact places, and times beside dates alone.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import Problems
from patrolplan.inputs.crimes import Crimes
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import (
    MAX_SNAP_METRES,
    Catchments,
    assign_catchments,
    build_catchments,
    build_square_catchments,
)
from patrolplan.privacy import (
    SQUARE_METRES,
    describe_crime_grouping,
    meets_threshold,
    suppress_and_round,
)
from patrolplan.settings import CATEGORIES, Settings
from patrolplan.tables import LeftOut, LeftOutRow
from patrolplan.text import format_count, pluralise

NAMED_FILES = 3
"""So many files are named; of more, how many there are."""


def assign_incidents(
    network: StreetNetwork, crimes: Crimes, inside: NDArray[np.bool_], *, in_squares: bool = False
) -> tuple[Catchments, NDArray[np.int64]]:
    """The catchments of an area, and (i,) the one of each incident, -1 where none is.

    Snap points alone have catchments. An exact place counts in the catchment that its street lies
    in: a point of its own would take streets from the snap points near it, and the model would
    then learn where the points are, not where crime is.

    Parameters
    ----------
    network
        The streets.
    crimes
        All incidents.
    inside
        (i,) whether each lies in the area.
    in_squares
        Whether squares are the catchments, of all places alike.
    """
    snapped = _find_occupied_places(crimes, inside & ~crimes.is_exact & ~np.bool_(in_squares))
    exact = _find_occupied_places(crimes, inside & (crimes.is_exact | np.bool_(in_squares)))
    if in_squares:
        catchments = build_square_catchments(network)
    elif not snapped.any():
        catchments = build_catchments(network, None)
    elif not exact.any():
        catchments = build_catchments(network, crimes.places[snapped])
    else:
        catchments = build_catchments(
            network, crimes.places[snapped], within_metres=MAX_SNAP_METRES
        )
    of_place = np.full(len(crimes.places), -1)
    exact &= ~snapped
    of_place[snapped] = assign_catchments(network, catchments, crimes.places[snapped], public=True)
    of_place[exact] = assign_catchments(network, catchments, crimes.places[exact])
    return catchments, np.where(inside, of_place[crimes.place_index], -1)


def _find_occupied_places(crimes: Crimes, those: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m,) whether any of those incidents stands at each place."""
    return np.bincount(crimes.place_index[those], minlength=len(crimes.places)) > 0


def describe_place_precision(crimes: Crimes, used: NDArray[np.bool_]) -> list[str]:
    """What is done where some places are exact and others snap points; nothing where all agree.

    Parameters
    ----------
    crimes
        All incidents.
    used
        (i,) whether each is used.
    """
    exact, snapped = used & crimes.is_exact, used & ~crimes.is_exact
    if not exact.any() or not snapped.any():
        return []
    count = int(exact.sum())
    return [
        (
            f"Of {format_count(int(used.sum()), 'crime')} {count:,} "
            f"{pluralise(count, 'has', 'have')} an "
            f"exact place, as files with dates have ({_describe_files(crimes, exact)}); the "
            "others are of "
            "files with months alone, whose places are map points that stand for a few streets "
            f"({_describe_files(crimes, snapped)}). Within {MAX_SNAP_METRES:.0f} m of a map "
            "point the exact "
            "ones count with its streets too."
        )
    ]


def _describe_files(crimes: Crimes, those: NDArray[np.bool_]) -> str:
    """Names of the files that these incidents are from, or how many there are."""
    names = [crimes.files[number] for number in np.unique(crimes.file_index[those])]
    return ", ".join(names) if len(names) <= NAMED_FILES else f"{len(names)} files"


def has_known_times(timed: pd.Series) -> bool:
    """Whether the time of day is known of enough crimes to say when harm happens: of half of them.

    Parameters
    ----------
    timed
        Whether it is known of each crime that counts.
    """
    return bool(timed.any() and timed.sum() >= len(timed) / 2)


def describe_time_coverage(incidents: pd.DataFrame) -> list[str]:
    """Of how many crimes the time of day is known, where that is some but not all of the dated.

    Parameters
    ----------
    incidents
        Those that count, see `patrolplan.tables.INCIDENTS`.
    """
    timed = incidents["timed"]
    dates_alone = int((incidents["occurred_at"].notna() & ~timed).sum())
    if timed.all() or not (timed.any() or dates_alone):
        return []
    said = f"{timed.sum():,}" if timed.any() else "none"
    give = pluralise(dates_alone, "gives", "give")
    alone = f"{dates_alone:,} {give} a date alone, or 00:00 in place of a time"
    end = "when harm happens rests on those times alone"
    if not has_known_times(timed):
        end = "too few to tell when harm happens"
    return [
        (
            f"The time of day is known of {said} of {format_count(len(timed), 'crime')} that count"
            f"{f' ({alone})' if dates_alone else ''}: {end}."
        )
    ]


@dataclass(frozen=True, eq=False)
class PlacedIncidents:
    """Incidents, the catchments of the area, and the one that each incident belongs to.

    `times_known` and `snapped` are those of `patrolplan.area.StudyArea`.
    """

    incidents: gpd.GeoDataFrame
    catchments: Catchments
    incident_catchment: NDArray[np.int64]
    times_known: bool
    snapped: bool


@dataclass(frozen=True)
class IncidentPlacer:
    """Gives incidents their catchments; what is left out or wrong gathers as it goes."""

    settings: Settings
    projection: Projection
    problems: Problems
    left_out: LeftOut
    notes: list[str]

    def place(
        self, crimes: Crimes, network: StreetNetwork, limits: BaseGeometry
    ) -> PlacedIncidents:
        """Incidents inside the limits and near a street.

        Where the settings hold crime to the threshold, catchments are squares, and incidents have
        no other place than their square: nothing below can tell them apart.

        Raises
        ------
        InputError
            When none is left, or none of a category that counts.
        """
        fewest = self.settings.privacy.min_crime_count
        inside = self._find_inside(crimes, limits)
        self.problems.raise_if_any()
        catchments, of_incident = assign_incidents(network, crimes, inside, in_squares=fewest > 1)
        kept = of_incident >= 0
        self.left_out.add("crimes", "no walkable street near", int((inside & ~kept).sum()))
        incidents = crimes.incidents
        if fewest > 1:
            kept = self._select_groups(incidents, of_incident, kept, fewest)
        categories = incidents["category"].array
        self._check_categories(categories[kept].unique())
        self._check_harm(categories.unique())
        self.problems.raise_if_any()
        incidents, of_incident = incidents[kept].reset_index(drop=True), of_incident[kept]
        named = incidents["category"].cat.remove_unused_categories()
        incidents = incidents.assign(category=named)
        counted = incidents[named.isin(self.settings.crimes.risk_categories)]
        if fewest > 1:
            square = gpd.GeoSeries.from_xy(*catchments.xy[of_incident].T, crs=incidents.crs)
            incidents = incidents.set_geometry(square.rename("geometry"))
        else:
            self.notes.extend(
                describe_place_precision(crimes, kept) + describe_time_coverage(counted)
            )
        return PlacedIncidents(
            incidents=incidents,
            catchments=catchments,
            incident_catchment=of_incident,
            times_known=has_known_times(counted["timed"]),
            snapped=not crimes.is_exact[inside].all(),
        )

    def _find_inside(self, crimes: Crimes, limits: BaseGeometry) -> NDArray[np.bool_]:
        """(i,) whether each incident lies in the area."""
        xy = crimes.places
        inside = shapely.contains_xy(limits, xy[:, 0], xy[:, 1])[crimes.place_index]
        if not inside.any():
            there = _describe_span(xy.min(axis=0), xy.max(axis=0), self.projection)
            area = _describe_span(limits.bounds[:2], limits.bounds[2:], self.projection)
            what = f"no incident lies in the area: crimes in {there}, area in {area}"
            remedy = "check that crimes, streets and [area] are of the same place"
            self.problems.add("[sources] crimes", what, remedy)
        self.left_out.add("crimes", "outside the area", int((~inside).sum()))
        return np.asarray(inside)

    def _select_groups(
        self,
        incidents: gpd.GeoDataFrame,
        square: NDArray[np.int64],
        selected: NDArray[np.bool_],
        min_crime_count: int,
    ) -> NDArray[np.bool_]:
        """(i,) which of the kept incidents stand in a group of their category on their square.

        Rows left out are told as those of reports are: in steps, and none under the threshold.
        """
        kind = incidents["category"].cat.codes.to_numpy().astype(np.int64)
        grouped = selected.copy()
        grouped[selected] = meets_threshold(square[selected], kind[selected], min_crime_count)
        reason = (
            f"fewer than {min_crime_count} of the category on a square of {SQUARE_METRES:.0f} m"
        )
        self.left_out.rows.append(LeftOutRow("crimes", reason, int((selected & ~grouped).sum())))
        self.left_out.rows = [
            replace(
                row,
                count=int(suppress_and_round(row.count, min_crime_count)),
                shown_from=min_crime_count,
            )
            if row.source == "crimes"
            else row
            for row in self.left_out.rows
        ]
        self.notes.append(describe_crime_grouping(min_crime_count))
        return grouped

    def _check_categories(self, found: Iterable[str]) -> None:
        """Some category that counts must occur; the others are named."""
        there, fewest = list(found), self.settings.privacy.min_crime_count
        counted = self.settings.crimes.risk_categories
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
        known = tuple(dict.fromkeys((*read, *self.settings.crimes.risk_categories, *CATEGORIES)))
        for name in self.settings.risk.harm:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
                hint = f", did you mean '{near[0]}'?" if near else ""
                self.notes.append(f"[risk.harm] '{name}' is no category of the data{hint}")


def _describe_span(low: ArrayLike, high: ArrayLike, projection: Projection) -> str:
    """A box in degrees, in words."""
    (west, south), (east, north) = np.asarray(low), np.asarray(high)
    x, y = projection.to_degrees([west, east], [south, north])
    return f"{x[0]:.3f}..{x[1]:.3f}, {y[0]:.3f}..{y[1]:.3f}"
