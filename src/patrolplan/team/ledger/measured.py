"""A recorded track -> visits; the track itself is kept nowhere."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from patrolplan.errors import InputError
from patrolplan.inputs.tracks import Track
from patrolplan.network import StreetNetwork
from patrolplan.team.ledger.entries import Visit
from patrolplan.team.ledger.places import in_metres
from patrolplan.team.ledger.places import pieces_on
from patrolplan.team.ledger.presence import Presence
from patrolplan.team.ledger.presence import presence_on_streets
from patrolplan.team.ledger.store import Ledger
from patrolplan.team.ledger.tickets import DATE
from patrolplan.team.ledger.tickets import HAND_OUT
from patrolplan.team.ledger.tickets import OFFICER
from patrolplan.team.ledger.tickets import visit_at

GPX = "--gpx"
SHORTEST_MINUTES = 1.0
"""Less than this in a hotspot is drift, or crossing it: no minutes."""
WALKING_BY_MINUTES = 5.0
"""A hotspot that was not promised counts from so many minutes on: a walk along one takes less."""
NEAR_METRES = 500.0
"""Points farther than this outside the area's streets are of another walk."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What a track says: visits, and what it does not tell."""

    visits: tuple[Visit, ...]
    presence: Presence


def track_visits(
    ledger: Ledger,
    network: StreetNetwork,
    track: Track,
    officer: str,
    date: dt.date,
    urn: str | None = None,
) -> Measured:
    """Minutes of a track in each hotspot of the week: those promised, and others stayed in.

    Parameters
    ----------
    ledger
        Knows the hotspots of the week that stands for the day.
    network
        The area's streets.
    track
        Points of that day; they are used here and kept nowhere.
    officer, date
        Who recorded it, and when.
    urn
        The school, where the officer has no patrol of one that day.

    Raises
    ------
    InputError
        When no week stands for the day, the track has no point on it or none near the streets,
        or the school is not known.
    """
    spots = ledger.hotspots(date, date)
    if spots.empty:
        raise InputError.one(DATE, f"no week is handed out for {date}", HAND_OUT)
    stops = ledger.promised(date, date)
    stops = stops[stops["officer"] == officer]
    schools = {urn} if urn else set(stops["urn"])
    if len(schools) != 1:
        what = f"{officer} has {'no' if not schools else 'more than one'} patrol on {date}"
        raise InputError.one(OFFICER, what, "name the school with --school")
    presence = _presence(network, track, date)
    pieces = pieces_on(network, in_metres(spots["stretch"], ledger.projection))
    minutes = np.array([presence.piece_minutes[part].sum() for part in pieces]).round(1)
    minutes[minutes < SHORTEST_MINUTES] = 0.0
    promised = spots["hotspot"].isin(stops["hotspot"]).to_numpy()
    kept = spots.assign(minutes=minutes, officer=officer, date=date, urn=schools.pop())
    kept = kept[promised | (minutes >= WALKING_BY_MINUTES)]
    visits = tuple(visit_at(row, float(row["minutes"]), None, "gpx") for _, row in kept.iterrows())
    return Measured(visits, presence)


def _presence(network: StreetNetwork, track: Track, date: dt.date) -> Presence:
    day = track.on(date)
    if len(day.seconds) < 2:  # noqa: PLR2004 - two points make a track
        there = ", ".join(f"{found}" for found in sorted(set(track.days))[:5])
        what = f"the track has no points on {date} (it has some on {there})"
        raise InputError.one(DATE, what, "name the day of the track")
    xy = np.column_stack(network.projection.to_metres(day.longitude, day.latitude))
    lowest, highest = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    inside = ((xy > lowest - NEAR_METRES) & (xy < highest + NEAR_METRES)).all(axis=1)
    if not inside.any():
        where = f"{day.longitude[0]:.4f}, {day.latitude[0]:.4f}"
        what = f"the track is nowhere near the area's streets (it starts at {where})"
        raise InputError.one(GPX, what, "check which area and which track it is")
    return presence_on_streets(network, day.seconds[inside], xy[inside])
