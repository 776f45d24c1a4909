"""A recorded track -> minutes on each piece of street.

A hidden Markov model on the street network (Newson and Krumm, "Hidden Markov map matching through
noise and sparseness", ACM SIGSPATIAL 2009), with the sums of the forward-backward algorithm in
place of one best path: what is wanted is time, and where the track leaves it open which street it
was, the time is shared by how likely each is. An officer stands, strolls along pieces that meet,
or is off the streets.

- *Noise*: a point counts against a piece by its distance, as a normal error of 20 m, and never
  worse than three times that, so that a burst of wild points between tall buildings is outvoted
  by those around it.
- *Drift*: errors of neighbouring points are alike, so that many points a second are no better
  evidence than one in 20 seconds; standing is sticky, so that drift does not walk for the officer.
- *Gaps*: the model bridges up to five minutes by where the track was before and after. Time in
  longer gaps is told and counts nowhere.

Nothing of a track is kept: it shows where an officer was at every second.

A recorded track -> visits; the track itself is kept nowhere.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.errors import InputError
from patrolplan.inputs.gpx import Track
from patrolplan.network import StreetNetwork
from patrolplan.team.ledger.delivered import (
    DATE_OPTION,
    HAND_OUT_REMEDY,
    OFFICER_OPTION,
    build_visit,
)
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.promised import Visit, find_pieces, project_to_metres

STEP_SECONDS = 5.0
NOISE_METRES = 20.0
MAX_NOISE_METRES = 60.0
"""A point farther away than this counts as one that far away."""
CORRELATION_SECONDS = 20.0
"""Points within so many seconds have much the same error: together they count as one."""
MAX_BRIDGED_SECONDS = 300.0
"""Longest gap that is bridged."""
WALK_METRES_PER_SECOND = 1.6
MEAN_STAND_SECONDS = 300.0
"""How long an officer stands, and then strolls, on average."""
MEAN_OFF_STREET_SECONDS = 600.0
"""How long an officer is off the streets, and on them, on average."""
OFF_STREET_METRES = 45.0
"""A point this far from all streets is as likely off them as on them."""
MIN_PIECE_METRES = 8.0
"""Shorter pieces are crossed as if they were this long, to bound the steps of the model."""
SUBSTEPS = 2


@dataclass(frozen=True, eq=False)
class TrackMinutes:
    """Where a track spent its time.

    Parameters
    ----------
    piece_minutes
        (p,) minutes on each piece of the network.
    off_street_minutes
        Minutes away from all streets.
    bridged_minutes, lost_minutes
        Minutes in gaps that were bridged (they are part of `piece_minutes`), and in longer ones
        (they count nowhere).
    """

    piece_minutes: NDArray[np.float64]
    off_street_minutes: float
    bridged_minutes: float
    lost_minutes: float


def match_track(
    network: StreetNetwork, seconds: NDArray[np.float64], xy: NDArray[np.float64]
) -> TrackMinutes:
    """Minutes that a track spent on each piece of street.

    Parameters
    ----------
    network
        The streets.
    seconds
        (k,) when each point was taken, rising.
    xy
        (k, 2) metres.

    Returns
    -------
    Presence
        Its minutes sum to the track's length without the long gaps.
    """
    steps = _resample_track(seconds, xy)
    nearby = _find_nearby_pieces(network, steps.xy)
    part = network.take(nearby)
    weight = min(1.0, steps.median_gap_seconds / CORRELATION_SECONDS)
    on, off = _compute_likelihoods(part, steps, weight)
    share = _smooth_states(_build_transitions(part), on, off)
    counted = steps.minutes[:, None] * share
    minutes = np.zeros(len(network))
    minutes[nearby] = counted[:, :-1].sum(axis=0)
    return TrackMinutes(
        minutes, float(counted[:, -1].sum()), steps.bridged_minutes, steps.lost_minutes
    )


@dataclass(frozen=True, eq=False)
class _TrackSteps:
    """The track in steps of equal length; `xy` is NaN where a step holds no point."""

    xy: NDArray[np.float64]
    minutes: NDArray[np.float64]
    """(t,) minutes that each step counts: none within a long gap."""
    median_gap_seconds: float
    """Usual time from one step that holds points to the next."""
    bridged_minutes: float
    lost_minutes: float


def _resample_track(seconds: NDArray[np.float64], xy: NDArray[np.float64]) -> _TrackSteps:
    """Medians of the points in each step: of five points two may be wild."""
    step = np.floor((seconds - seconds[0]) / STEP_SECONDS).astype(np.int64)
    middle = pd.DataFrame(xy).groupby(step).median()
    count = int(step[-1]) + 1
    places = middle.reindex(np.arange(count)).to_numpy()
    length = np.full(count, STEP_SECONDS)
    length[-1] = seconds[-1] - seconds[0] - STEP_SECONDS * (count - 1)
    held = middle.index.to_numpy()
    apart = np.diff(held) * STEP_SECONDS
    usual = float(np.median(apart)) if len(apart) else STEP_SECONDS
    is_gap = np.zeros(count, dtype=bool)
    is_long = np.zeros(count, dtype=bool)
    for first, last in zip(held[:-1][apart > 2 * usual], held[1:][apart > 2 * usual], strict=True):
        long = (last - first) * STEP_SECONDS > MAX_BRIDGED_SECONDS + STEP_SECONDS
        (is_long if long else is_gap)[first + 1 : last] = True
    return _TrackSteps(
        places,
        np.where(is_long, 0.0, length) / 60,
        usual,
        float(length[is_gap].sum()) / 60,
        float(length[is_long].sum()) / 60,
    )


def _find_nearby_pieces(network: StreetNetwork, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pieces that the officer may have been on: near the track, gaps bridged straight."""
    rows = pd.DataFrame(xy).interpolate(limit_area="inside").to_numpy()
    rows = rows[:: max(1, round(15 / STEP_SECONDS))]
    tree = shapely.STRtree(network.piece_lines)
    found = tree.query(shapely.points(rows), predicate="dwithin", distance=4 * MAX_NOISE_METRES)[1]
    near = np.unique(found)
    return near if len(near) else np.unique(tree.nearest(shapely.points(rows)))


def _compute_likelihoods(
    part: StreetNetwork, steps: _TrackSteps, weight: float
) -> tuple[NDArray[np.float64], float]:
    """(t, p) how well each piece explains each step, and how well being off the streets does."""
    worst = 0.5 * (MAX_NOISE_METRES / NOISE_METRES) ** 2
    cost = np.zeros((len(steps.xy), len(part)))
    held = np.flatnonzero(~np.isnan(steps.xy[:, 0]))
    cost[held] = worst
    points = shapely.points(steps.xy[held])
    tree = shapely.STRtree(part.piece_lines)
    asked, found = tree.query(points, predicate="dwithin", distance=MAX_NOISE_METRES)
    apart = shapely.distance(points[asked], part.piece_lines[found])
    cost[held[asked], found] = 0.5 * (apart / NOISE_METRES) ** 2
    off = np.exp(-weight * 0.5 * (OFF_STREET_METRES / NOISE_METRES) ** 2)
    return np.exp(-weight * cost), float(off)


def _build_transitions(part: StreetNetwork) -> sparse.csr_array:
    """(2p + 1, 2p + 1) chances of where an officer is a substep later.

    The states are standing on each piece, walking on each piece, and off the streets. It is
    sparse, and its powers are not: several substeps are taken one by one.
    """
    seconds = STEP_SECONDS / SUBSTEPS
    count = len(part)
    stay = sparse.eye_array(count)
    turn = seconds / MEAN_STAND_SECONDS
    leave = np.full((count, 1), seconds / MEAN_OFF_STREET_SECONDS)
    back = np.full((1, count), seconds / MEAN_OFF_STREET_SECONDS / (2 * count))
    return sparse.block_array(
        [
            [stay * (1 - turn - leave[0, 0]), stay * turn, leave],
            [
                stay * turn,
                _build_walk_transitions(part, seconds) - stay * (turn + leave[0, 0]),
                leave,
            ],
            [back, back, np.array([[1 - seconds / MEAN_OFF_STREET_SECONDS]])],
        ]
    ).tocsr()


def _build_walk_transitions(part: StreetNetwork, seconds: float) -> sparse.csr_array:
    """(p, p) chances of the piece that a walker is on some seconds later.

    Either end is reached alike; from there any of the pieces that meet is taken alike, and at a
    dead end the walker turns round.
    """
    count, nodes = len(part), part.piece_nodes
    rows = np.arange(count)
    shape = (count, len(part.node_xy))
    ones = np.ones(count)
    ends = [sparse.csr_array((ones, (rows, nodes[:, end])), shape=shape) for end in (0, 1)]
    meets = ends[0] + ends[1]
    others = np.maximum(np.asarray(meets.sum(axis=0)).ravel() - 1, 1)
    onward = (meets @ sparse.diags_array(1 / others) @ meets.T).tolil()
    onward.setdiag(0)
    onward = onward.tocsr() / 2
    rate = WALK_METRES_PER_SECOND * seconds / np.maximum(part.piece_metres, MIN_PIECE_METRES)
    left = sparse.diags_array(rate) @ onward
    gone = np.asarray(left.sum(axis=1)).ravel()
    return sparse.csr_array(left + sparse.diags_array(1 - gone))


def _smooth_states(
    transitions: sparse.csr_array, on: NDArray[np.float64], off: float
) -> NDArray[np.float64]:
    """(t, p + 1) chance of each piece, and of being off the streets, given the whole track."""
    count, size = on.shape
    evidence = np.hstack([on, on, np.full((count, 1), off)])
    evidence[(on == 1.0).all(axis=1), -1] = 1.0  # a step without a point speaks for nothing
    forward = np.empty_like(evidence)
    before = np.full(2 * size + 1, 1.0 / (2 * size + 1))
    onward = sparse.csr_array(transitions.T)
    for step in range(count):
        if step:
            before = _apply_substeps(onward, forward[step - 1])
        forward[step] = before * evidence[step]
        forward[step] /= forward[step].sum()
    after = np.ones(2 * size + 1)
    for step in range(count - 1, -1, -1):
        both = forward[step] * after
        forward[step] = both / both.sum()
        after = _apply_substeps(transitions, after * evidence[step])
        after /= after.max()
    return np.hstack([forward[:, :size] + forward[:, size : 2 * size], forward[:, -1:]])


def _apply_substeps(
    transitions: sparse.csr_array, chances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chances after a step's substeps."""
    for _ in range(SUBSTEPS):
        chances = transitions @ chances
    return chances


GPX_OPTION = "--gpx"
MIN_HOTSPOT_MINUTES = 1.0
"""Less than this in a hotspot is drift, or crossing it: no minutes."""
MIN_UNPROMISED_MINUTES = 5.0
"""A hotspot that was not promised counts from so many minutes on: a walk along one takes less."""
MAX_OUTSIDE_METRES = 500.0
"""Points farther than this outside the area's streets are of another walk."""


@dataclass(frozen=True, eq=False)
class TrackVisits:
    """What a track says: visits, and what it does not tell."""

    visits: tuple[Visit, ...]
    track_minutes: TrackMinutes


def build_track_visits(
    ledger: Ledger,
    network: StreetNetwork,
    track: Track,
    officer: str,
    date: dt.date,
    urn: str | None = None,
) -> TrackVisits:
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
    spots = ledger.read_hotspots(date, date)
    if spots.empty:
        raise InputError.one(DATE_OPTION, f"no week is handed out for {date}", HAND_OUT_REMEDY)
    stops = ledger.read_promised(date, date)
    stops = stops[stops["officer"] == officer]
    schools = {urn} if urn else set(stops["urn"])
    if len(schools) != 1:
        what = f"{officer} has {'no' if not schools else 'more than one'} patrol on {date}"
        raise InputError.one(OFFICER_OPTION, what, "name the school with --school")
    presence = _match_day_track(network, track, date)
    pieces = find_pieces(network, project_to_metres(spots["stretch"], ledger.projection))
    minutes = np.array([presence.piece_minutes[part].sum() for part in pieces]).round(1)
    minutes[minutes < MIN_HOTSPOT_MINUTES] = 0.0
    promised = spots["hotspot"].isin(stops["hotspot"]).to_numpy()
    kept = spots.assign(minutes=minutes, officer=officer, date=date, urn=schools.pop())
    kept = kept[promised | (minutes >= MIN_UNPROMISED_MINUTES)]
    visits = tuple(
        build_visit(row, float(row["minutes"]), None, "gpx") for _, row in kept.iterrows()
    )
    return TrackVisits(visits, presence)


def _match_day_track(network: StreetNetwork, track: Track, date: dt.date) -> TrackMinutes:
    day = track.select_day(date)
    if len(day.seconds) < 2:  # noqa: PLR2004 - two points make a track
        there = ", ".join(f"{found}" for found in sorted(set(track.days))[:5])
        what = f"the track has no points on {date} (it has some on {there})"
        raise InputError.one(DATE_OPTION, what, "name the day of the track")
    xy = np.column_stack(network.projection.to_metres(day.longitude, day.latitude))
    lowest, highest = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    inside = ((xy > lowest - MAX_OUTSIDE_METRES) & (xy < highest + MAX_OUTSIDE_METRES)).all(axis=1)
    if not inside.any():
        where = f"{day.longitude[0]:.4f}, {day.latitude[0]:.4f}"
        what = f"the track is nowhere near the area's streets (it starts at {where})"
        raise InputError.one(GPX_OPTION, what, "check which area and which track it is")
    return match_track(network, day.seconds[inside], xy[inside])
