"""Posts, in addition to patrols: where adults stand after the bell, to meet pupils and risk.

A patrol meets few pupils, as it walks one way while they walk many; an adult who stands where ways
join meets many. The school decides who it is: an officer, a PCSO or a member of school staff.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, with_config

from patrolplan.area import StudyArea
from patrolplan.network.names import describe_positions
from patrolplan.network.network import Positions
from patrolplan.patrols.file_forms import RECORD, Minutes, Point, Share
from patrolplan.pupils.presence import find_presence
from patrolplan.risk.surface import Risk


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


@dataclass(frozen=True)
class Posts:
    """The posts of all schools, school by school, the most useful first.

    `gap_percent` is how much more a better choice might meet, at most, for the worst of the
    schools.
    """

    posts: tuple[Post, ...]
    gap_percent: float


def plan_posts(
    area: StudyArea, risk: Risk, *, count: int, urns: Sequence[str] | None = None
) -> Posts:
    """Choose the posts of schools: places that together meet the most pupil-weighted risk.

    `count` is adults for each school. Risk counts without exposure, as pupils are counted here.
    """
    from patrolplan.pupils.posts import choose_posts  # noqa: PLC0415 - heavy, and seldom wanted

    _, presence = find_presence(area)
    rate = risk.without_exposure / area.network.piece_metres
    plans = {
        urn: choose_posts(area, presence, rate, urn, count)
        for urn in area.schools["urn"]
        if urns is None or urn in urns
    }
    posts = [post for plan in plans.values() for post in plan.posts]
    places = describe_positions(
        area.network,
        Positions(
            np.array([post.piece for post in posts], dtype=np.int64),
            np.array([post.offset_metres for post in posts]),
            np.zeros(len(posts)),
        ),
    )
    return Posts(
        tuple(
            Post(
                urn=post.urn,
                place=place,
                point=post.point,
                start_minutes=post.start_minutes,
                end_minutes=post.end_minutes,
                pupil_share=post.pupil_share,
            )
            for post, place in zip(posts, places, strict=True)
        ),
        max((plan.gap_percent for plan in plans.values()), default=0.0),
    )
