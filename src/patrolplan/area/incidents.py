"""Incidents of the study area: inside its limits, each in a catchment, in groups if required."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from patrolplan.area.loading import Loading
from patrolplan.area.missing_months import Exposure, build_exposure, note_missing_months
from patrolplan.area.snap_eras import carry_over, find_era_starts
from patrolplan.arrays import Bools, Floats, Ints, find_used_numbers
from patrolplan.crs import SQUARE_METRES, Projection
from patrolplan.inputs.crimes import Crimes
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import (
    MAX_SNAP_METRES,
    Catchments,
    assign_catchments,
    build_catchments,
    build_square_catchments,
    note_first_months,
)
from patrolplan.notes import Note
from patrolplan.privacy import meets_threshold, note_crime_grouping, suppress_and_round
from patrolplan.settings import CATEGORIES
from patrolplan.tables import LeftOutRow
from patrolplan.text import find_similar, format_count, pluralise


@dataclass(frozen=True, eq=False)
class PlacedIncidents:
    """Incidents, catchments and what `StudyArea` holds; (i,) `rows` are of the crimes as read."""

    incidents: gpd.GeoDataFrame
    catchments: Catchments
    incident_catchment: Ints
    exposure: Exposure
    times_known: bool
    snapped: bool
    rows: Ints


def place_incidents(a: Loading) -> PlacedIncidents:
    """Incidents inside the limits and near a street."""
    # Where the threshold applies to crime, catchments are squares and an incident's place is the
    # centre of its square: no later result can distinguish two of them.
    crimes, min_crime_count = a.tables.crimes, a.settings.privacy.min_crime_count
    is_grouped = min_crime_count > 1
    inside = _find_inside(a)
    a.problems.raise_if_any()
    catchments, catchment, eras = assign_incidents(a.network, crimes, inside, in_squares=is_grouped)
    used = catchment >= 0
    gone = [("outside the area", ~inside), ("no walkable street near", inside & ~used)]
    rows = [LeftOutRow("crimes", why, int(which.sum())) for why, which in gone if which.any()]
    incidents = crimes.incidents
    for start in eras[1:]:
        text = (
            f"The map points of recorded crime were replaced in {start:%B %Y}: earlier crimes are "
            "carried over to the streets that the old and the new points share."
        )
        a.notes.append(Note("points_replaced", text))
    exposure = Exposure.complete()
    if used.any():
        exposure = build_exposure(incidents, used, catchment, catchments.xy)
        a.notes.extend(note_missing_months(exposure))
    if is_grouped:
        category = incidents["category"].cat.codes.to_numpy().astype(np.int64)
        in_group = used.copy()
        in_group[used] = meets_threshold(catchment[used], category[used], min_crime_count)
        why = f"fewer than {min_crime_count} of its category in a {SQUARE_METRES:.0f} m square"
        rows.append(LeftOutRow("crimes", why, int((used & ~in_group).sum())))
        a.notes.append(note_crime_grouping(min_crime_count))
        used = in_group
    a.left_out.extend(suppress_small_counts(rows, min_crime_count))
    _check_categories(incidents["category"].array[used].unique(), a)
    _check_named(incidents["category"].array.unique(), a)
    a.problems.raise_if_any()
    incidents, catchment = incidents[used].reset_index(drop=True), catchment[used]
    incidents["category"] = incidents["category"].cat.remove_unused_categories()
    counted = incidents[incidents["category"].isin(a.settings.crimes.risk_categories)]
    if is_grouped:
        square = gpd.GeoSeries.from_xy(*catchments.xy[catchment].T, crs=incidents.crs)
        incidents = incidents.set_geometry(square.rename("geometry"))
    else:
        a.notes.extend(note_time_coverage(counted))
    return PlacedIncidents(
        incidents=incidents,
        catchments=catchments,
        incident_catchment=catchment,
        exposure=exposure,
        times_known=has_known_times(find_known(counted)),
        snapped=not crimes.is_exact[inside].all(),
        rows=np.flatnonzero(used),
    )


def suppress_small_counts(rows: Iterable[LeftOutRow], min_crime_count: int) -> list[LeftOutRow]:
    """Counts of crimes left out, as they may be shown: in steps, and none under the threshold."""
    counts = [(row, int(suppress_and_round(row.count, min_crime_count))) for row in rows]
    return [replace(row, count=count, shown_from=min_crime_count) for row, count in counts]


def assign_incidents(
    network: StreetNetwork, crimes: Crimes, inside: Bools, *, in_squares: bool = False
) -> tuple[Catchments, Ints, pd.DatetimeIndex]:
    """The catchments, (i,) the one of each incident (-1: none), first months of eras of points."""
    # Only snap points have catchments, and of these only the ones of the newest era: crimes on the
    # points of earlier eras are carried over, see `snap_eras`. An exact place counts in the
    # catchment of its street: its own point would take streets from the snap points near it, and
    # the model would then learn where the points are, not where crime is.
    snapped = inside & ~crimes.is_exact & ~np.bool_(in_squares)
    exact = inside & ~snapped
    months = crimes.incidents["month"]
    starts = pd.DatetimeIndex([])
    if in_squares:
        catchments = build_square_catchments(network)
    elif not snapped.any():
        catchments = build_catchments(network, None)
    else:
        starts = find_era_starts(months[snapped], crimes.place_index[snapped])
        within = MAX_SNAP_METRES if exact.any() else np.inf
        points = _find_points(crimes, snapped & (months >= starts[-1]).to_numpy())
        catchments = build_catchments(network, points, within_metres=within)
    catchment = np.full(len(months), -1)
    catchment[exact] = _assign_places(network, catchments, crimes, exact)
    kind = crimes.incidents["category"].cat.codes.to_numpy().astype(np.int64)
    era = starts.searchsorted(pd.DatetimeIndex(months), side="right") - 1
    for number in range(len(starts)):
        own = snapped & (era == number)
        if number < len(starts) - 1:
            old = build_catchments(network, _find_points(crimes, own))
            in_old = _assign_places(network, old, crimes, own)
            catchment[own] = carry_over(network, old, catchments, in_old, kind[own], months[own])
        else:
            catchment[own] = _assign_places(network, catchments, crimes, own)
            if number:
                catchments = note_first_months(catchments, catchment[own], months[own])
    return catchments, catchment, starts


def _find_points(crimes: Crimes, which: Bools) -> Floats:
    """(m, 2) distinct places of the chosen (i,) incidents."""
    return crimes.places[find_used_numbers(crimes.place_index[which], len(crimes.places))[0]]


def _assign_places(
    network: StreetNetwork, catchments: Catchments, crimes: Crimes, which: Bools
) -> Ints:
    """(n,) catchment of each of the chosen (i,) incidents, -1 where it has none."""
    rows, row = find_used_numbers(crimes.place_index[which], len(crimes.places))
    return assign_catchments(network, catchments, crimes.places[rows])[row]


def find_known(incidents: pd.DataFrame) -> pd.Series:
    """Of which incidents the time of day is known, or a span with times."""
    return incidents["timed"] | incidents["occurred_until"].notna()


def has_known_times(known: pd.Series) -> bool:
    """Whether the time of day is known of half of the crimes: enough to say when harm happens."""
    return bool(known.any() and known.sum() >= len(known) / 2)


def note_time_coverage(incidents: pd.DataFrame) -> list[Note]:
    """Share of the crimes whose time of day is known, unless all have one or none has a date."""
    timed = find_known(incidents)
    only_dates = int((incidents["occurred_at"].notna() & ~timed).sum())
    if timed.all() or not (timed.any() or only_dates):
        return []
    key, follows = "few_times_known", "too few to estimate when harm happens"
    if has_known_times(timed):
        key, follows = "some_times_known", "when harm happens is estimated from those alone"
    give = pluralise(only_dates, "gives", "give")
    dates = f" ({only_dates:,} {give} only a date, or 00:00 instead of a time)"
    known, crimes = int(timed.sum()), format_count(len(timed), "crime")
    text = (
        f"The time of day is known for {f'{known:,}' if known else 'none'} of {crimes} that count"
        f"{dates if only_dates else ''}: {follows}."
    )
    return [Note(key, text)]


def _find_inside(a: Loading) -> Bools:
    """(i,) whether each incident is in the area; a problem where none is."""
    crimes, limits, projection = a.tables.crimes, a.limits, a.network.projection
    xy = crimes.places
    inside = shapely.contains_xy(limits, xy[:, 0], xy[:, 1])[crimes.place_index]
    if not inside.any():
        crime_span = _describe_span(xy.min(axis=0), xy.max(axis=0), projection)
        area_span = _describe_span(limits.bounds[:2], limits.bounds[2:], projection)
        what = f"no incident lies in the area: crimes in {crime_span}, area in {area_span}"
        remedy = "check that crimes, streets and [area] cover the same place"
        a.problems.add("[sources] crimes", what, remedy)
    return np.asarray(inside)


def _check_categories(present: Iterable[str], a: Loading) -> None:
    """A problem where no category that counts is present; a note for each that is missing."""
    present, min_crime_count = list(present), a.settings.privacy.min_crime_count
    counted = a.settings.crimes.risk_categories
    missing = [name for name in counted if name not in present]
    one = "incident" if min_crime_count == 1 else f"group of {min_crime_count} incidents"
    if not present:
        what = f"no {one} of any category is left in the area"
        remedy = "see what `patrolplan check` leaves out; widen [area], or add crimes"
        if min_crime_count > 1:
            remedy += ", or leave [privacy] threshold_for_crime off"
        a.problems.add("[sources] crimes", what, remedy)
    elif len(missing) == len(counted):
        what = f"none of the patrol-relevant categories occurs in the area ({', '.join(counted)})"
        if min_crime_count > 1:
            what += f" in groups of {min_crime_count}"
        remedy = f"set [crimes] categories to some of: {', '.join(sorted(present)[:12])}"
        a.problems.add("[crimes] categories", what, remedy)
    for name in missing:
        similar = find_similar(name, present)
        hint = f"; the data has '{similar}'" if similar else ""
        text = f"No {one} of the category '{name}' in the area{hint}."
        a.notes.append(Note("category_absent", text))


def _check_named(read: Iterable[str], a: Loading) -> None:
    """Note a harm or exposure of a category in neither the files nor data.police.uk."""
    # It may come with later months, or its name may be misspelled.
    categories = tuple(dict.fromkeys((*read, *a.settings.crimes.risk_categories, *CATEGORIES)))
    named: dict[str, Iterable[str]] = {
        "[risk.harm]": a.settings.risk.harm,
        "[way_home] exposure:": a.settings.way_home.exposure,
    }
    for where, names in named.items():
        for name in names:
            if name not in categories:
                similar = find_similar(name, categories)
                what = f"{where} '{name}' is not a category in the data"
                text = f"{what}; did you mean '{similar}'?" if similar else f"{what}."
                fix = f"correct {where.rstrip(':')} '{name}' in the settings"
                a.notes.append(Note("setting_category_unknown", text, fix=fix))


def _describe_span(low: ArrayLike, high: ArrayLike, projection: Projection) -> str:
    """West..east, south..north of a box, in degrees."""
    (west, south), (east, north) = np.asarray(low), np.asarray(high)
    x, y = projection.to_degrees([west, east], [south, north])
    return f"{x[0]:.3f}..{x[1]:.3f}, {y[0]:.3f}..{y[1]:.3f}"
