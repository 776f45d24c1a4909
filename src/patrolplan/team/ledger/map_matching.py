"""Minutes at each hotspot from a recorded track; the track itself is stored nowhere.

A hidden Markov model on the street network (Newson and Krumm, "Hidden Markov map matching through
noise and sparseness", ACM SIGSPATIAL 2009), with the sums of the forward-backward algorithm instead
of one best path: the ledger needs time, and if the track does not show which street it was, the
time is shared by how likely each is. An officer stands, strolls along pieces that meet, or is off
the streets.

- *Noise*: a point counts against a piece by its distance, as a normal error of 20 m, and never
  worse than three times that, so that a burst of outliers between tall buildings is outvoted by
  the points around it.
- *Drift*: errors of neighbouring points are alike, so many points a second are no better evidence
  than one in 20 seconds; standing is sticky, so drift is not taken for walking.
- *Gaps*: the model bridges up to five minutes by where the track was before and after. A longer
  gap whose ends are within 40 m is a stay: recorders pause when they do not move. Time in other
  gaps is reported and not counted.

A track shows where an officer was at every second, so it is never written.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.network import StreetNetwork

STEP_SECONDS = 5.0
NOISE_METRES = 20.0
MAX_NOISE_METRES = 60.0
"""A point farther away than this counts as one that far away."""
CORRELATION_SECONDS = 20.0
"""Points within this many seconds have nearly the same error: together they count as one."""
MAX_BRIDGED_SECONDS = 300.0
"""Longest gap that is bridged."""
STAY_METRES = 40.0
"""A longer gap whose ends are within this distance is a stay."""
MAX_STAY_SECONDS = 5400.0
"""As long as a patrol: a longer gap is between two patrols."""
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
"""Steps of the model within one of the track, so that a walker can cross several short pieces."""

ON_STRETCH_METRES = 1.0
"""A piece of street whose middle is within this distance of a stretch is part of it: degrees are
rounded."""

POINT_RADIUS_METRES = 40.0
"""An officer at a place may be on any street within this many metres: recorders are inexact."""


@dataclass(frozen=True, eq=False)
class TrackMinutes:
    """Where a track spent its time.

    `piece_minutes` are (p,) minutes on each piece of the network. They include `bridged_minutes`,
    in gaps that were bridged, and `stay_minutes`, in longer gaps that are stays; `lost_minutes`, in
    other gaps, are not counted. `spans` are (g, 2) seconds, from when to when the track has data:
    between them are the gaps that do not count. `step_minutes` are (t, q) minutes in each step of
    the track on `step_pieces`, (q,) the pieces near it, and `step_seconds` when each step begins.
    """

    piece_minutes: NDArray[np.float64]
    off_street_minutes: float
    bridged_minutes: float
    stay_minutes: float
    lost_minutes: float
    spans: NDArray[np.float64]
    step_minutes: NDArray[np.float64]
    step_pieces: NDArray[np.int64]
    step_seconds: NDArray[np.float64]

    def find_arrival(self, pieces: NDArray[np.int64]) -> float:
        """When a stay on some pieces began, in seconds.

        The minutes there may be in parts, such as a walk through before the stay. The stay is the
        span of their total length that contains most of them.
        """
        spent = self.step_minutes[:, np.isin(self.step_pieces, pieces)].sum(axis=1)
        length = max(1, round(60 * float(spent.sum()) / STEP_SECONDS))
        padded = np.concatenate([[0.0], np.cumsum(spent), np.full(length, spent.sum())])
        within = padded[length : length + len(spent)] - padded[: len(spent)]
        return float(self.step_seconds[int(np.argmax(within))])


def match_track(
    network: StreetNetwork, seconds: NDArray[np.float64], xy: NDArray[np.float64]
) -> TrackMinutes:
    """Minutes that a track spent on each piece of street.

    A track is (k,) rising times in seconds of points `xy`, (k, 2) metres. The minutes sum to its
    length without the long gaps.
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
        piece_minutes=minutes,
        off_street_minutes=float(counted[:, -1].sum()),
        bridged_minutes=steps.bridged_minutes,
        stay_minutes=steps.stay_minutes,
        lost_minutes=steps.lost_minutes,
        spans=steps.spans,
        step_minutes=counted[:, :-1],
        step_pieces=nearby,
        step_seconds=seconds[0] + STEP_SECONDS * np.arange(len(counted)),
    )


@dataclass(frozen=True, eq=False)
class _TrackSteps:
    """The track in steps of equal length; `xy` is NaN where a step holds no point."""

    xy: NDArray[np.float64]
    minutes: NDArray[np.float64]
    """(t,) minutes that each step counts: none within a long gap."""
    median_gap_seconds: float
    """Median time from one step that holds points to the next."""
    bridged_minutes: float
    stay_minutes: float
    lost_minutes: float
    spans: NDArray[np.float64]
    """(g, 2) seconds between which there is no lost gap."""


def _resample_track(seconds: NDArray[np.float64], xy: NDArray[np.float64]) -> _TrackSteps:
    """Medians of the points in each step: two of five points may be outliers."""
    step = np.floor((seconds - seconds[0]) / STEP_SECONDS).astype(np.int64)
    middle = pd.DataFrame(xy).groupby(step).median()
    count = int(step[-1]) + 1
    length = np.full(count, STEP_SECONDS)
    length[-1] = seconds[-1] - seconds[0] - STEP_SECONDS * (count - 1)
    filled = middle.index.to_numpy()
    apart = np.diff(filled) * STEP_SECONDS
    median_gap = float(np.median(apart)) if len(apart) else STEP_SECONDS
    xy = np.array(middle.reindex(np.arange(count)))
    is_bridged, is_stay, is_lost = np.zeros((3, count), dtype=bool)
    spans = [seconds[0]]
    wide = apart > 2 * median_gap
    for first, last in zip(filled[:-1][wide], filled[1:][wide], strict=True):
        gap = slice(first + 1, last)
        length_seconds = (last - first) * STEP_SECONDS
        if length_seconds <= MAX_BRIDGED_SECONDS + STEP_SECONDS:
            is_bridged[gap] = True
        elif (
            length_seconds <= MAX_STAY_SECONDS and np.hypot(*(xy[last] - xy[first])) <= STAY_METRES
        ):
            is_stay[gap] = True
            xy[gap] = np.linspace(xy[first], xy[last], last - first + 1)[1:-1]
        else:
            is_lost[gap] = True
            spans += [seconds[step == first][-1], seconds[step == last][0]]
    spans.append(seconds[-1])

    def sum_minutes(rows: NDArray[np.bool_]) -> float:
        return float(length[rows].sum()) / 60

    return _TrackSteps(
        xy=xy,
        minutes=np.where(is_lost, 0.0, length) / 60,
        median_gap_seconds=median_gap,
        bridged_minutes=sum_minutes(is_bridged),
        stay_minutes=sum_minutes(is_stay),
        lost_minutes=sum_minutes(is_lost),
        spans=np.array(spans, dtype=np.float64).reshape(-1, 2),
    )


def _find_nearby_pieces(network: StreetNetwork, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pieces that the officer may have been on: near the track, gaps bridged straight."""
    path = pd.DataFrame(xy).interpolate(limit_area="inside").to_numpy()
    points = shapely.points(path[:: max(1, round(15 / STEP_SECONDS))])
    tree = shapely.STRtree(network.piece_lines)
    near = np.unique(tree.query(points, predicate="dwithin", distance=4 * MAX_NOISE_METRES)[1])
    return near if len(near) else np.unique(tree.nearest(points))


def _compute_likelihoods(
    part: StreetNetwork, steps: _TrackSteps, weight: float
) -> tuple[NDArray[np.float64], float]:
    """(t, p) how well each piece explains each step, and how well being off the streets does."""
    worst = 0.5 * (MAX_NOISE_METRES / NOISE_METRES) ** 2
    cost = np.zeros((len(steps.xy), len(part)))
    filled = np.flatnonzero(~np.isnan(steps.xy[:, 0]))
    cost[filled] = worst
    points = shapely.points(steps.xy[filled])
    tree = shapely.STRtree(part.piece_lines)
    point, piece = tree.query(points, predicate="dwithin", distance=MAX_NOISE_METRES)
    apart = shapely.distance(points[point], part.piece_lines[piece])
    cost[filled[point], piece] = 0.5 * (apart / NOISE_METRES) ** 2
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
    off = seconds / MEAN_OFF_STREET_SECONDS
    walk = _build_walk_transitions(part, seconds)
    leave = np.full((count, 1), off)
    back = np.full((1, count), off / (2 * count))
    return sparse.block_array(
        [
            [stay * (1 - turn - off), stay * turn, leave],
            [stay * turn, walk - stay * (turn + off), leave],
            [back, back, np.array([[1 - off]])],
        ]
    ).tocsr()


def _build_walk_transitions(part: StreetNetwork, seconds: float) -> sparse.csr_array:
    """(p, p) chances of the piece that a walker is on some seconds later.

    Both ends are equally likely, and so are the other pieces that meet there; at a dead end the
    walker turns round.
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
    moves = sparse.diags_array(rate) @ onward
    moved = np.asarray(moves.sum(axis=1)).ravel()
    return sparse.csr_array(moves + sparse.diags_array(1 - moved))


def _smooth_states(
    transitions: sparse.csr_array, on: NDArray[np.float64], off: float
) -> NDArray[np.float64]:
    """(t, p + 1) chance of each piece, and of being off the streets, given the whole track.

    The forward pass goes through the track in time: `forward[step]` is the chance of each state
    given the points up to that step. The backward pass then carries `after`, how well each state
    explains all points that follow. Their product, scaled to a sum of 1, is the chance given every
    point, which is what shares out the time. Each vector is scaled at each step: only ratios
    matter, and without it they would underflow within minutes.
    """
    count, size = on.shape
    evidence = np.hstack([on, on, np.full((count, 1), off)])
    evidence[(on == 1.0).all(axis=1), -1] = 1.0  # a step without a point is no evidence
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


def find_pieces(network: StreetNetwork, stretches: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Pieces of street that make up each stretch; around points, those nearby.

    Stretches are (m,) shapely lines or points in metres; the numbers of pieces are rising.
    """
    is_point = shapely.get_dimensions(stretches) == 0
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    reach = np.where(is_point, POINT_RADIUS_METRES, ON_STRETCH_METRES)
    stretch, piece = tree.query(stretches, predicate="dwithin", distance=reach)
    return [np.sort(piece[stretch == row]) for row in range(len(stretches))]


def share_pieces(
    network: StreetNetwork,
    stretches: NDArray[np.object_],
    stops: NDArray[np.object_],
    is_planned: NDArray[np.bool_],
) -> list[NDArray[np.int64]]:
    """Pieces of street that count for each place: its stretch, and where one stands to watch it.

    An officer may stand in view of a stretch, on another street or on the stretch of another
    hotspot. No piece counts for two places: it goes to the planned stop that it is at, or the
    nearest of several; otherwise to the planned stretch that it is part of. The remaining pieces go
    to the stretches that were not planned, and then to their stopping places.

    Parameters
    ----------
    network
        The streets.
    stretches, stops
        (m,) shapely lines or points, and (m,) points where one stands to watch each, in metres.
    is_planned
        (m,) whether the officer was to stop there.

    Returns
    -------
    list of NDArray
        (m,) rising numbers of pieces.
    """
    on_stretch, at_stop = find_pieces(network, stretches), find_pieces(network, stops)
    places = np.arange(len(stops))
    place = np.concatenate(
        [np.repeat(places, [len(part) for part in parts]) for parts in (on_stretch, at_stop)]
    )
    piece = np.concatenate([*on_stretch, *at_stop])
    is_at_stop = np.arange(len(piece)) >= sum(len(part) for part in on_stretch)
    rank = np.where(is_planned[place], ~is_at_stop, 2 + is_at_stop)
    away = shapely.distance(shapely.points(network.piece_middle[piece]), stops[place])
    order = np.lexsort((place, away, rank, piece))
    pieces, first = np.unique(piece[order], return_index=True)
    taken_by = place[order][first]
    return [pieces[taken_by == row] for row in places]
