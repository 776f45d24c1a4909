"""A place tasked or taken off: plan the days that it touches again, keep the rest of the week."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from patrolplan.area.provenance import created_from, short_id
from patrolplan.board.session import Ground
from patrolplan.board.tasking import area_with
from patrolplan.team.day_plans import plan_days_again
from patrolplan.team.objective import loosest_bound
from patrolplan.team.week_editor import CannotBeError, Hand, post_of
from patrolplan.text import counted

if TYPE_CHECKING:
    from patrolplan.board.session import Scene
    from patrolplan.board.tasking import Sheet
    from patrolplan.team.week import Duty, Lock


def replanned(scene: Scene, sheet: Sheet) -> tuple[Scene, str]:
    """The board under another table of tasked places.

    A patrol whose route is planned no more takes the route of most worth at the same school, day
    and officer; where there is none it is taken back. Its lock stays with it.

    Parameters
    ----------
    scene
        The board.
    sheet
        The table, not written yet.

    Returns
    -------
    Scene, str
        The board, and what became of the patrols, in words.
    """
    before = scene.ground
    area = area_with(before.area, sheet)
    plans = plan_days_again(before.plans, area, before.risk, before.hotspots)
    ground = Ground(area, before.risk, before.hotspots, plans)
    week = scene.week
    if short_id(week.created_from) == short_id(created_from(before.area)):
        week = replace(week, created_from=created_from(area))
    open_locks = tuple(replace(lock, variant=None) for lock in week.locks)
    hand = Hand.on(replace(week, locks=open_locks), area, plans)
    hand = replace(hand, own_notes=scene.hand.own_notes)
    known = set(scene.hand.choice.held)
    kept = [duty for duty in week.duties if duty in known or duty not in hand.choice.held]
    lost = [duty for duty in week.duties if duty not in kept]
    hand = hand.holding([duty for duty in hand.choice.held if duty in known])
    duties = [_renumbered(hand, duty) for duty in kept]
    gone: list[Duty] = []
    for duty in lost:
        try:
            duties.append(hand.placed(post_of(duty), duties))
        except CannotBeError:
            gone.append(duty)
    hand = hand.by_hand(locks=_locks(scene.hand, week.duties, duties))
    made = hand.week(duties, bound=loosest_bound(hand.problem))
    after = replace(scene, ground=ground, hand=hand, week=made, sheet=sheet)
    return after, _told(len(lost) - len(gone), gone)


def _renumbered(hand: Hand, duty: Duty) -> Duty:
    """The patrol under the number that its route has in the plan as it is now."""
    route = hand.choice.route_of(duty.patrol)
    number = hand.choice.variant[hand.choice.days.index(duty.date), route]
    return duty if number == duty.variant else replace(duty, variant=int(number))


def _locks(before: Hand, old: tuple[Duty, ...], new: list[Duty]) -> list[Lock]:
    """The locks, with the routes that their patrols take now; without those of patrols gone."""
    now = {post_of(duty): duty for duty in new}
    fulfilled = {before.lock_of(duty): post_of(duty) for duty in old}
    locks = []
    for lock in before.choice.locks:
        post = fulfilled.get(lock)
        if post is None or (post in now and lock.variant is None):
            locks.append(lock)
        elif post in now:
            locks.append(replace(lock, variant=now[post].variant))
    return locks


def _told(rerouted: int, gone: list[Duty]) -> str:
    told = ""
    if rerouted:
        told = f"; {counted(rerouted, 'patrol takes', 'patrols take')} another route"
    if gone:
        told += f"; taken back: {', '.join(str(post_of(duty)) for duty in gone)}"
    return told
