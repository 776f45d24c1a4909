"""Posts, in addition to patrols: where adults stand after the bell, to meet pupils and risk.

Posts are chosen one by one, each where it adds most pupil-minutes, times the risk of their street,
that no post before it covers; within 100 m of the gate none count. This is at least 63 % of the
best choice (Nemhauser, Wolsey and Fisher 1978), and nearly all of it where tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, with_config

from patrolplan.area import StudyArea
from patrolplan.arrays import Floats, Ints
from patrolplan.hotspots.ground import Ground, locate_places
from patrolplan.network.graph import list_seen_pieces
from patrolplan.network.names import describe_positions
from patrolplan.patrols.file_forms import RECORD, Minutes, Point, Share
from patrolplan.pupils.leaving import LONGEST_MINUTES
from patrolplan.pupils.pupils import NOON_MINUTES, Pupils
from patrolplan.risk.surface import Risk, get_pupils

POST_MINUTES = 35.0
"""Minutes from the bell that adults stand: three quarters of the pupil-minutes are in this time."""


@with_config(RECORD)
@dataclass(frozen=True, kw_only=True)
class Post:
    """A place where an adult stands after a school's bell."""

    urn: str
    place: str
    point: Point
    start_minutes: Annotated[Minutes, Field(alias="from")]
    end_minutes: Annotated[Minutes, Field(alias="to")]
    pupil_share: Share
    """Share of the school's pupil-minutes on the way home, beyond 100 m of the gate, that this post
    and the school's posts before it meet; exact here, rounded to 5 % in files."""


def plan_posts(
    area: StudyArea, risk: Risk, *, count: int, urns: Sequence[str] | None = None
) -> tuple[Post, ...]:
    """The posts of schools, the most useful first; fewer than `count` where others meet nobody."""
    pupils = get_pupils(risk)
    ground = Ground(area.network, area.features)
    rate = risk.without_exposure / area.network.piece_metres
    return tuple(
        post
        for urn in area.schools["urn"]
        if urns is None or urn in urns
        for post in choose_posts(ground, pupils, rate, urn, count)
    )


def choose_posts(
    ground: Ground, pupils: Pupils, risk_weight: Floats, urn: str, count: int
) -> list[Post]:
    """The posts of a school by pupils times a (p,) weight, or pupils alone where it is all 0."""
    network = ground.network
    bell = pupils[urn].timetable.bell_minutes
    end = bell + POST_MINUTES
    passing = pupils.sum_journey(urn, bell, end)[: len(network)]
    weighted = passing * risk_weight
    places = locate_places(ground.places[passing[ground.places["piece"]] > 0])
    if not len(places):  # no street there has a name
        places = network.middles(np.flatnonzero(passing))
    xy = network.xy(places)
    seen = list_seen_pieces(network, places)
    chosen = choose_greedily(seen, weighted if weighted.any() else passing, count)
    total = pupils.sum_journey(urn, NOON_MINUTES, LONGEST_MINUTES).sum()
    words = describe_positions(network, places.take(np.array(chosen, dtype=np.int64)))
    met, posts = np.zeros(len(network), dtype=bool), []
    for place, name in zip(chosen, words, strict=True):
        met[seen[place]] = True
        passed = seen[place][passing[seen[place]] > 0]
        post = Post(
            urn=urn,
            place=name,
            point=(float(xy[place, 0]), float(xy[place, 1])),
            # No pupil can be in sight before.
            start_minutes=float(np.floor(pupils.find_first_minutes(urn, passed))),
            end_minutes=end,
            pupil_share=float(passing[met].sum() / total),
        )
        posts.append(post)
    return posts


def choose_greedily(seen: Sequence[Ints], worth: Floats, count: int) -> list[int]:
    """Places, one by one, where the pieces `seen` add most worth (p,) that is not yet seen."""
    left, chosen = worth.copy(), list[int]()
    for _ in range(min(count, len(seen))):
        gain = [float(left[pieces].sum()) for pieces in seen]
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        chosen.append(best)
        left[seen[best]] = 0.0
    return chosen
