"""How two weeks differ, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.outputs.wording import route_name
from patrolplan.team.byhand import post_of

if TYPE_CHECKING:
    from patrolplan.team.week import Week

SAID = 6
"""Most differences that are named in one sentence."""


def differences(before: Week, after: Week) -> list[str]:
    """Every patrol that is not as it was, in words."""
    old = {post_of(duty): duty for duty in before.duties}
    new = {post_of(duty): duty for duty in after.duties}
    gone = [f"taken back: {post}" for post in old if post not in new]
    come = [
        f"new: {post}, {route_name(duty.variant)}" for post, duty in new.items() if post not in old
    ]
    other = [
        f"{post} takes {route_name(duty.variant)}"
        for post, duty in new.items()
        if post in old and duty.key != old[post].key
    ]
    return [*gone, *come, *other]


def difference(before: Week, after: Week) -> str:
    """How two weeks differ, in one sentence."""
    rows = differences(before, after)
    more = f"; and {len(rows) - SAID} more" if len(rows) > SAID else ""
    told = "; ".join(rows[:SAID]) + more
    if not rows:
        told = "the patrols are the same"
        if (before.locks, before.bans) != (after.locks, after.bans):
            told = "locks or bans"
    return told
