"""Beats: neighbouring hotspots that are walked up and down in one dwell, and what is worth walking.

Three stopping places 150 m apart on one high street are not three visits. Hotspots with stretches
this near to each other become one beat, with one dwell and one account of doses, named after the
one with most worth. Beats are the same for every school, day and mode, so that the accounts of a
week add up: they depend only on streets, hotspots and settings.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.arrays import expand_ranges
from patrolplan.hotspots.clusters import flatten_stretches, sum_by_stretch
from patrolplan.hotspots.designated import OWN
from patrolplan.hotspots.reasons import (
    BeatReason,
    CrimeReason,
    Reason,
    ReportsReason,
    TrendReason,
    count_recent_crimes,
    find_report_groups,
    list_window_bands,
)
from patrolplan.hotspots.standing import walk_from_stretches
from patrolplan.network import StreetNetwork
from patrolplan.patrols.surroundings import metres_per_minute
from patrolplan.risk.surface import Risk

MIN_MEMBER_SHARE = 0.5
"""Minimum worth per metre walked for a further hotspot (link and stretch), as a share of that of
the leader's stretch: otherwise the beat would draw the officer away from where most happens."""

SUMMED = ("worth", "crime_share", "reports_share", "length_metres")
"""Columns of a beat that are sums over its hotspots; the others are those of the first."""

CARRIED_OVER = (CrimeReason, ReportsReason, TrendReason)
"""Kinds of reasons that a beat has from its other hotspots, too."""


def join_beats(area: StudyArea, hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Neighbouring hotspots as one beat each, walked up and down within one dwell.

    The hotspot with most worth leads the first beat. The neighbour with most worth joins it if the
    walk from one of the beat's stretches is at most `[patrol] beat_metres`, there is time to walk
    all stretches and the links between them twice, up and down, and the way is worth it
    (`MIN_MEMBER_SHARE`). This repeats; the best of the remaining hotspots leads the next beat, and
    so on. A designated hotspot is never joined: its doses are returned under its own id.

    Tasked places do not count, since beats and the accounts of their doses would change with them.
    There is one row per beat, in the order of their leaders' rows, with the leader's name and
    stopping place, and `beat`: the names of its hotspots, the leader's first; empty for one alone.
    """
    settings = area.settings.patrol
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in hotspots["pieces"]]
    beats = [[row] for row in range(len(hotspots))]
    own = np.flatnonzero(hotspots["kind"] == OWN).tolist()
    if settings.beat_metres > 0 and own:
        own_stretches = [stretches[row] for row in own]
        links = _measure_links(area.network.walkable, own_stretches, settings.beat_metres)
        speed = metres_per_minute(settings.walking_speed_kmh)
        joined = group_beats(
            hotspots["worth"].to_numpy()[own],
            sum_by_stretch(area.network.piece_metres, own_stretches),
            links,
            beat_metres=settings.beat_metres,
            max_length_metres=settings.dwell_minutes * speed / 2,
        )
        beats = [beat for beat in beats if beat[0] not in set(own)]
        beats += [[own[row] for row in beat] for beat in joined]
    return _build_frame(hotspots, sorted(beats))


def group_beats(
    worth: NDArray[np.float64],
    length_metres: NDArray[np.float64],
    links: sparse.csr_array,
    *,
    beat_metres: float,
    max_length_metres: float,
) -> list[list[int]]:
    """Rows of the hotspots of each beat, the leader first; see `join_beats`.

    `worth` and `length_metres` have shape (h,); `links` (h, h) metres to walk from stretch to
    stretch, of which those that exceed `beat_metres` are not stored.
    """
    order = np.argsort(-worth, kind="stable")
    rank = np.argsort(order).tolist()
    value, length = worth.tolist(), length_metres.tolist()
    to, metres, start = links.indices.tolist(), links.data.tolist(), links.indptr.tolist()
    is_free = [True] * len(worth)
    beats = []
    for leader in order.tolist():
        if not is_free[leader]:
            continue
        least = MIN_MEMBER_SHARE * value[leader] / length[leader]
        beat, total, link = list[int](), 0.0, dict[int, float]()
        joining: int | None = leader
        while joining is not None:
            beat.append(joining)
            is_free[joining] = False
            total += length[joining] + (link[joining] if joining != leader else 0.0)
            for at in range(start[joining], start[joining + 1]):
                link[to[at]] = min(link.get(to[at], np.inf), metres[at])
            fitting = [
                row
                for row, away in link.items()
                if is_free[row]
                and away <= beat_metres
                and total + (away + length[row]) <= max_length_metres
                and value[row] / (away + length[row]) >= least
            ]
            joining = min(fitting, key=rank.__getitem__, default=None)
        beats.append(beat)
    return beats


def _measure_links(
    network: StreetNetwork, stretches: Sequence[NDArray[np.int64]], limit_metres: float
) -> sparse.csr_array:
    """(h, h) walk between stretches in metres, if it is within the limit."""
    pieces, size = flatten_stretches(stretches)
    whole, owners = len(network.node_xy), np.repeat(np.arange(len(size)), 2 * size)
    node, owner = np.divmod(
        np.unique(network.piece_nodes[pieces].ravel() * len(size) + owners), len(size)
    )
    starts = np.searchsorted(node, np.arange(whole + 1))
    found = []
    for row, (near, metres) in enumerate(walk_from_stretches(network, stretches, limit_metres)):
        count = starts[near + 1] - starts[near]
        to, away = owner[expand_ranges(starts[near], count)], np.repeat(metres, count)
        order = np.lexsort((away, to))
        order = order[np.diff(to[order], prepend=-1) > 0]  # the nearest end of each stretch
        found.append((away[order], np.full(len(order), row), to[order]))
    links, *cells = (np.concatenate(part) for part in zip(*found, strict=True))
    return sparse.csr_array((links, tuple(cells)), shape=(len(size),) * 2)


def _build_frame(hotspots: gpd.GeoDataFrame, beats: list[list[int]]) -> gpd.GeoDataFrame:
    """One row per beat."""
    frame = hotspots.iloc[[beat[0] for beat in beats]].reset_index(drop=True)
    names = hotspots["hotspot"].tolist()
    frame["beat"] = [tuple(names[row] for row in beat) if len(beat) > 1 else () for beat in beats]
    for column in set(SUMMED) & set(hotspots.columns):
        values = hotspots[column].to_numpy()
        frame[column] = [float(values[beat].sum()) for beat in beats]
    pieces = hotspots["pieces"].tolist()
    frame["pieces"] = [[piece for row in beat for piece in pieces[row]] for beat in beats]
    lines = hotspots.geometry.to_numpy()
    frame[frame.geometry.name] = [shapely.union_all(lines[beat]) for beat in beats]
    if "reasons" in hotspots:
        table = list(zip(names, hotspots["place"], hotspots["reasons"], strict=True))
        frame["reasons"] = [_join_reasons([table[row] for row in beat]) for beat in beats]
    return frame


def _join_reasons(beat: list[tuple[str, str, list[Reason]]]) -> list[Reason]:
    """The leader's reasons, then those of each of the others.

    `beat` has the name, the place and the reasons of each hotspot.
    """
    (_, _, own), *others = beat
    return [
        *own,
        *(
            BeatReason(
                hotspot=name,
                place=place,
                reasons=tuple(one for one in reasons if isinstance(one, CARRIED_OVER)),
            )
            for name, place, reasons in others
        ),
    ]


def assess_walk(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """(h,) whether enough was recorded or reported on stretches for them to be worth the walk.

    Enough recorded crime is `[patrol] min_incidents` in twelve months at the rate of those held;
    without any held, it is unknown. Enough reports are a group of them in the window's part of the
    day, if reports count.
    """
    if not stretches:
        return np.zeros(0, dtype=bool)
    enough = (
        count_recent_crimes(area, stretches).estimate_yearly() >= area.settings.patrol.min_incidents
    )
    if risk.crime_weight < 1:
        enough |= find_report_groups(area, risk, stretches, list_window_bands(area, risk)) >= 0
    return np.asarray(enough)
