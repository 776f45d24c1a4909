"""What recorded crime is worth: snap points beside exact places, and times beside dates alone."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.counted import agreeing
from patrolplan.counted import counted
from patrolplan.inputs.crimes import Crimes
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import FARTHEST_METRES
from patrolplan.network.catchments import Catchments
from patrolplan.network.catchments import assign
from patrolplan.network.catchments import catch
from patrolplan.network.catchments import catch_squares

NAMED_FILES = 3
"""So many files are named; of more, how many there are."""


def caught(
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
    snapped = _at(crimes, inside & ~crimes.exact & ~np.bool_(in_squares))
    exact = _at(crimes, inside & (crimes.exact | np.bool_(in_squares)))
    if in_squares:
        catchments = catch_squares(network)
    elif not snapped.any():
        catchments = catch(network, None)
    elif not exact.any():
        catchments = catch(network, crimes.places[snapped])
    else:
        catchments = catch(network, crimes.places[snapped], within_metres=FARTHEST_METRES)
    of_place = np.full(len(crimes.places), -1)
    exact &= ~snapped
    of_place[snapped] = assign(network, catchments, crimes.places[snapped], public=True)
    of_place[exact] = assign(network, catchments, crimes.places[exact])
    return catchments, np.where(inside, of_place[crimes.place], -1)


def _at(crimes: Crimes, those: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m,) whether any of those incidents stands at each place."""
    return np.bincount(crimes.place[those], minlength=len(crimes.places)) > 0


def place_notes(crimes: Crimes, used: NDArray[np.bool_]) -> list[str]:
    """What is done where some places are exact and others snap points; nothing where all agree.

    Parameters
    ----------
    crimes
        All incidents.
    used
        (i,) whether each is used.
    """
    exact, snapped = used & crimes.exact, used & ~crimes.exact
    if not exact.any() or not snapped.any():
        return []
    count = int(exact.sum())
    return [
        (
            f"Of {counted(int(used.sum()), 'crime')} {count:,} {agreeing(count, 'has', 'have')} an "
            f"exact place, as files with dates have ({_files(crimes, exact)}); the others are of "
            "files with months alone, whose places are map points that stand for a few streets "
            f"({_files(crimes, snapped)}). Within {FARTHEST_METRES:.0f} m of a map point the exact "
            "ones count with its streets too."
        )
    ]


def _files(crimes: Crimes, those: NDArray[np.bool_]) -> str:
    """Names of the files that these incidents are from, or how many there are."""
    names = [crimes.files[number] for number in np.unique(crimes.file[those])]
    return ", ".join(names) if len(names) <= NAMED_FILES else f"{len(names)} files"


def times_known(timed: pd.Series) -> bool:
    """Whether the time of day is known of enough crimes to say when harm happens: of half of them.

    Parameters
    ----------
    timed
        Whether it is known of each crime that counts.
    """
    return bool(timed.any() and timed.sum() >= len(timed) / 2)


def time_notes(incidents: pd.DataFrame) -> list[str]:
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
    give = agreeing(dates_alone, "gives", "give")
    alone = f"{dates_alone:,} {give} a date alone, or 00:00 in place of a time"
    end = "when harm happens rests on those times alone"
    if not times_known(timed):
        end = "too few to tell when harm happens"
    return [
        (
            f"The time of day is known of {said} of {counted(len(timed), 'crime')} that count"
            f"{f' ({alone})' if dates_alone else ''}: {end}."
        )
    ]
