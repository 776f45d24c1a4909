"""Changes by hand -> the week after them, or why they cannot be.

How two weeks differ, in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from patrolplan.board.requests import Add, ChooseVariant, Move, Remove, SetBan, SetLock, Swap
from patrolplan.outputs.wording import route_name
from patrolplan.team.bases import SAID
from patrolplan.team.objective import loosest_bound
from patrolplan.team.week import Ban, Lock, day_name
from patrolplan.team.week_editor import GONE, CannotBeError, Post, post_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.team.week import Duty, Week
    from patrolplan.team.week_editor import Hand


@dataclass(frozen=True, eq=False)
class Done:
    """A change that can be: the week after it, and what was done in words."""

    hand: Hand
    week: Week
    said: str


@singledispatch
def done(change: object, hand: Hand, week: Week) -> Done:  # noqa: ARG001 - for those below
    """The week after a change.

    Parameters
    ----------
    change
        See `patrolplan.board.requests`.
    hand
        What the week may become.
    week
        The week as it stands.

    Raises
    ------
    CannotBeError
        When the rules do not allow it, with the reason.
    """
    message = f"no change by hand: {type(change).__name__}"
    raise TypeError(message)


@done.register(Move)
def _moved(change: Move, hand: Hand, week: Week) -> Done:
    old = _found(week, change.from_.post)
    others = [duty for duty in week.duties if duty is not old]
    new_hand, new = _placed(_without(hand, old), change.to.post, others, like=old)
    said = f"{post_of(old)} moved to {post_of(new)}{_gone(old, new)}{_lent(new_hand, new)}"
    return _settled(hand, new_hand, [*others, new], said)


@done.register(Swap)
def _swapped(change: Swap, hand: Hand, week: Week) -> Done:
    a, b = _found(week, change.a.post), _found(week, change.b.post)
    if a is b:
        message = "one patrol cannot be swapped with itself"
        raise CannotBeError(message)
    others = [duty for duty in week.duties if duty is not a and duty is not b]
    if a.officer == b.officer:
        posts = Post(a.officer, a.urn, b.date), Post(a.officer, b.urn, a.date)
    else:
        posts = Post(b.officer, a.urn, a.date), Post(a.officer, b.urn, b.date)
    new_hand, first = _placed(_without(_without(hand, a), b), posts[0], others, like=a)
    new_hand, second = _placed(new_hand, posts[1], [*others, first], like=b)
    said = f"swapped: {post_of(first)}{_gone(a, first)}, {post_of(second)}{_gone(b, second)}"
    said += _lent(new_hand, first) + _lent(new_hand, second)
    return _settled(hand, new_hand, [*others, first, second], said)


@done.register(Add)
def _added(change: Add, hand: Hand, week: Week) -> Done:
    new_hand, new = _placed(hand, change.post, week.duties, variant=change.variant)
    said = f"added: {post_of(new)}{_lent(new_hand, new)}"
    return _settled(hand, new_hand, [*week.duties, new], said)


@done.register(Remove)
def _removed(change: Remove, hand: Hand, week: Week) -> Done:
    old = _found(week, change.post)
    others = [duty for duty in week.duties if duty is not old]
    return _settled(hand, _without(hand, old), others, f"taken back: {post_of(old)}")


@done.register(ChooseVariant)
def _rerouted(change: ChooseVariant, hand: Hand, week: Week) -> Done:
    old = _found(week, change.post)
    _without(hand, old)
    if old.variant == change.variant and hand.is_option(old):
        message = f"{post_of(old)} takes this route already"
        raise CannotBeError(message)
    others = [duty for duty in week.duties if duty is not old]
    new = hand.placed(change.post, others, variant=change.variant)
    said = f"{post_of(new)} takes {route_name(new.variant)}"
    return _settled(hand, hand, [*others, new], said)


@done.register(SetLock)
def _locked(change: SetLock, hand: Hand, week: Week) -> Done:
    duty = _found(week, change.post)
    lock = hand.lock_of(duty)
    if change.kind == "lock":
        if lock is not None and not (lock.variant is None and hand.lends(change.post)):
            message = f"{post_of(duty)} is locked already"
            raise CannotBeError(message)
        mine = Lock(duty.officer, duty.urn, duty.date, duty.variant)
        others = [row for row in hand.choice.locks if row is not lock]
        locked = hand.by_hand(locks=[*others, mine])
        return _settled(hand, locked, week.duties, f"locked: {post_of(duty)}")
    if lock is None:
        message = f"{post_of(duty)} is not locked"
        raise CannotBeError(message)
    locks = [row for row in hand.choice.locks if row is not lock]
    if hand.lends(change.post):
        if lock.variant is None:
            message = f"{duty.officer} is lent to URN {duty.urn}: the patrol stays so, or goes"
            raise CannotBeError(message)
        locks.append(Lock(duty.officer, duty.urn, duty.date))
    said = f"unlocked: {post_of(duty)}"
    return _settled(hand, hand.by_hand(locks=locks), week.duties, said)


@done.register(SetBan)
def _banned(change: SetBan, hand: Hand, week: Week) -> Done:
    ban = Ban(change.officer, change.urn, change.date, change.variant)
    if change.kind == "unban":
        if ban not in hand.choice.bans:
            message = f"{_ban_words(ban)}: there is no such ban"
            raise CannotBeError(message)
        bans = [row for row in hand.choice.bans if row != ban]
        freed = hand.by_hand(bans=bans)
        return _settled(hand, freed, week.duties, f"allowed again: {_ban_words(ban)}")
    _check_ban(hand, ban)
    banned = hand.by_hand(bans=[*hand.choice.bans, ban])
    stay = [duty for duty in week.duties if not _rules_out(ban, duty)]
    gone = [duty for duty in week.duties if _rules_out(ban, duty)]
    for duty in gone:
        banned = _without(banned, duty)
    said = f"ruled out: {_ban_words(ban)}"
    if gone:
        said += f"; taken back: {', '.join(str(post_of(duty)) for duty in gone)}"
    return _settled(hand, banned, stay, said)


def _settled(before: Hand, after: Hand, duties: Sequence[Duty], said: str) -> Done:
    """The week of these patrols; where more has become possible its bound is not known so well."""
    looser = not after.options.rows.keys() <= before.options.rows.keys()
    looser |= not set(before.choice.locks) <= set(after.choice.locks)
    bound = loosest_bound(after.problem) if looser else None
    week = after.week(duties, bound=bound)
    return Done(after, week, f"{said[:1].upper()}{said[1:]}")


def _placed(
    hand: Hand,
    post: Post,
    others: Sequence[Duty],
    *,
    variant: int | None = None,
    like: Duty | None = None,
) -> tuple[Hand, Duty]:
    """A patrol for a post; an officer who is lent is locked to it, so that solving keeps it."""
    known = post.officer in hand.choice.officers and post.urn in hand.choice.urns
    if known and hand.lends(post):
        open_lock = Lock(post.officer, post.urn, post.date)
        trial = hand.by_hand(locks=[*hand.choice.locks, open_lock])
        found = trial.placed(post, others, variant=variant, like=like)
        return trial, found
    return hand, hand.placed(post, others, variant=variant, like=like)


def _found(week: Week, post: Post) -> Duty:
    for duty in week.duties:
        if post_of(duty) == post:
            return duty
    message = f"{post}: {GONE}"
    raise CannotBeError(message)


def _without(hand: Hand, duty: Duty) -> Hand:
    """The hand free of a patrol's lock: the lock of one who is lent goes with the patrol.

    Raises
    ------
    CannotBeError
        When it was locked on purpose.
    """
    lock = hand.lock_of(duty)
    if lock is None:
        return hand
    if lock.variant is None and hand.lends(post_of(duty)):
        return hand.by_hand(locks=[row for row in hand.choice.locks if row is not lock])
    message = f"{post_of(duty)} is locked; unlock it first"
    raise CannotBeError(message)


def _gone(old: Duty, new: Duty) -> str:
    """How a patrol goes now, where its officer goes another way than the one before."""
    return "" if new.patrol.way == old.patrol.way else f", now {SAID[new.patrol.way]}"


def _lent(hand: Hand, duty: Duty) -> str:
    lent = hand.lends(post_of(duty))
    return f"; {duty.officer} is lent to this school, and locked" if lent else ""


def _check_ban(hand: Hand, ban: Ban) -> None:
    choice = hand.choice
    if ban in choice.bans:
        message = f"{_ban_words(ban)}: is ruled out already"
        raise CannotBeError(message)
    if ban == Ban():
        message = "this would rule everything out; name an officer, a school or a day"
        raise CannotBeError(message)
    if ban.officer is not None and ban.officer not in choice.officers:
        message = f"there is no officer '{ban.officer}'"
        raise CannotBeError(message)
    if ban.urn is not None and ban.urn not in choice.urns:
        message = f"no patrol is planned for URN '{ban.urn}'"
        raise CannotBeError(message)
    if ban.date is not None and ban.date not in choice.days:
        message = f"{ban.date} is not a day of this week"
        raise CannotBeError(message)


def _rules_out(ban: Ban, duty: Duty) -> bool:
    return (
        ban.officer in {None, duty.officer}
        and ban.urn in {None, duty.urn}
        and ban.date in {None, duty.date}
        and ban.variant in {None, duty.variant}
    )


def _ban_words(ban: Ban) -> str:
    who = ban.officer or "everybody"
    where = f"URN {ban.urn}" if ban.urn else "all schools"
    when = day_name(ban.date) if ban.date else "the whole week"
    route = "" if ban.variant is None else f", {route_name(ban.variant)}"
    return f"{who} at {where}, {when}{route}"


SHOWN_DIFFERENCES = 6
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
    more = f"; and {len(rows) - SHOWN_DIFFERENCES} more" if len(rows) > SHOWN_DIFFERENCES else ""
    told = "; ".join(rows[:SHOWN_DIFFERENCES]) + more
    if not rows:
        told = "the patrols are the same"
        if (before.locks, before.bans) != (after.locks, after.bans):
            told = "locks or bans"
    return told
