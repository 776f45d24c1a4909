"""Changes by hand -> the week after them, or why they cannot be.

How two weeks differ, in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from patrolplan.board.requests import Add, ChooseVariant, Move, Remove, SetBan, SetLock, Swap
from patrolplan.outputs.wording import format_route_name
from patrolplan.team.bases import MODE_WORDS
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week import Ban, Lock, format_day
from patrolplan.team.week_editor import PATROL_GONE, InvalidEditError, PatrolSlot, get_slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.team.week import Duty, Week
    from patrolplan.team.week_editor import WeekEditor


@dataclass(frozen=True, eq=False)
class EditResult:
    """A change that can be: the week after it, and what was done in words."""

    editor: WeekEditor
    week: Week
    message: str


@singledispatch
def apply_change(change: object, editor: WeekEditor, week: Week) -> EditResult:  # noqa: ARG001 - for those below
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


@apply_change.register(Move)
def _move_patrol(change: Move, editor: WeekEditor, week: Week) -> EditResult:
    old = _find_duty(week, change.from_.post)
    others = [duty for duty in week.duties if duty is not old]
    new_hand, new = _place_patrol(_release_lock(editor, old), change.to.post, others, like=old)
    said = (
        f"{get_slot(old)} moved to "
        f"{get_slot(new)}{_describe_mode_change(old, new)}{_describe_loan(new_hand, new)}"
    )
    return _build_result(editor, new_hand, [*others, new], said)


@apply_change.register(Swap)
def _swap_patrols(change: Swap, editor: WeekEditor, week: Week) -> EditResult:
    a, b = _find_duty(week, change.a.post), _find_duty(week, change.b.post)
    if a is b:
        message = "one patrol cannot be swapped with itself"
        raise InvalidEditError(message)
    others = [duty for duty in week.duties if duty is not a and duty is not b]
    if a.officer == b.officer:
        posts = PatrolSlot(a.officer, a.urn, b.date), PatrolSlot(a.officer, b.urn, a.date)
    else:
        posts = PatrolSlot(b.officer, a.urn, a.date), PatrolSlot(a.officer, b.urn, b.date)
    new_hand, first = _place_patrol(
        _release_lock(_release_lock(editor, a), b), posts[0], others, like=a
    )
    new_hand, second = _place_patrol(new_hand, posts[1], [*others, first], like=b)
    said = (
        f"swapped: {get_slot(first)}{_describe_mode_change(a, first)}, "
        f"{get_slot(second)}{_describe_mode_change(b, second)}"
    )
    said += _describe_loan(new_hand, first) + _describe_loan(new_hand, second)
    return _build_result(editor, new_hand, [*others, first, second], said)


@apply_change.register(Add)
def _add_patrol(change: Add, editor: WeekEditor, week: Week) -> EditResult:
    new_hand, new = _place_patrol(editor, change.post, week.duties, variant=change.variant)
    said = f"added: {get_slot(new)}{_describe_loan(new_hand, new)}"
    return _build_result(editor, new_hand, [*week.duties, new], said)


@apply_change.register(Remove)
def _remove_patrol(change: Remove, editor: WeekEditor, week: Week) -> EditResult:
    old = _find_duty(week, change.post)
    others = [duty for duty in week.duties if duty is not old]
    return _build_result(editor, _release_lock(editor, old), others, f"taken back: {get_slot(old)}")


@apply_change.register(ChooseVariant)
def _choose_variant(change: ChooseVariant, editor: WeekEditor, week: Week) -> EditResult:
    old = _find_duty(week, change.post)
    _release_lock(editor, old)
    if old.variant == change.variant and editor.is_option(old):
        message = f"{get_slot(old)} takes this route already"
        raise InvalidEditError(message)
    others = [duty for duty in week.duties if duty is not old]
    new = editor.place_patrol(change.post, others, variant=change.variant)
    said = f"{get_slot(new)} takes {format_route_name(new.variant)}"
    return _build_result(editor, editor, [*others, new], said)


@apply_change.register(SetLock)
def _set_lock(change: SetLock, editor: WeekEditor, week: Week) -> EditResult:
    duty = _find_duty(week, change.post)
    lock = editor.find_lock(duty)
    if change.kind == "lock":
        if lock is not None and not (lock.variant is None and editor.is_loan(change.post)):
            message = f"{get_slot(duty)} is locked already"
            raise InvalidEditError(message)
        mine = Lock(duty.officer, duty.urn, duty.date, duty.variant)
        others = [row for row in editor.inputs.locks if row is not lock]
        locked = editor.with_locks_and_bans(locks=[*others, mine])
        return _build_result(editor, locked, week.duties, f"locked: {get_slot(duty)}")
    if lock is None:
        message = f"{get_slot(duty)} is not locked"
        raise InvalidEditError(message)
    locks = [row for row in editor.inputs.locks if row is not lock]
    if editor.is_loan(change.post):
        if lock.variant is None:
            message = f"{duty.officer} is lent to URN {duty.urn}: the patrol stays so, or goes"
            raise InvalidEditError(message)
        locks.append(Lock(duty.officer, duty.urn, duty.date))
    said = f"unlocked: {get_slot(duty)}"
    return _build_result(editor, editor.with_locks_and_bans(locks=locks), week.duties, said)


@apply_change.register(SetBan)
def _set_ban(change: SetBan, editor: WeekEditor, week: Week) -> EditResult:
    ban = Ban(change.officer, change.urn, change.date, change.variant)
    if change.kind == "unban":
        if ban not in editor.inputs.bans:
            message = f"{_describe_ban(ban)}: there is no such ban"
            raise InvalidEditError(message)
        bans = [row for row in editor.inputs.bans if row != ban]
        freed = editor.with_locks_and_bans(bans=bans)
        return _build_result(editor, freed, week.duties, f"allowed again: {_describe_ban(ban)}")
    _check_ban(editor, ban)
    banned = editor.with_locks_and_bans(bans=[*editor.inputs.bans, ban])
    stay = [duty for duty in week.duties if not _is_banned(ban, duty)]
    gone = [duty for duty in week.duties if _is_banned(ban, duty)]
    for duty in gone:
        banned = _release_lock(banned, duty)
    said = f"ruled out: {_describe_ban(ban)}"
    if gone:
        said += f"; taken back: {', '.join(str(get_slot(duty)) for duty in gone)}"
    return _build_result(editor, banned, stay, said)


def _build_result(
    before: WeekEditor, after: WeekEditor, duties: Sequence[Duty], message: str
) -> EditResult:
    """The week of these patrols; where more has become possible its bound is not known so well."""
    looser = not after.inputs.option_rows.keys() <= before.inputs.option_rows.keys()
    looser |= not set(before.inputs.locks) <= set(after.inputs.locks)
    bound = compute_loosest_bound(after.problem) if looser else None
    week = after.build_week(duties, bound=bound)
    return EditResult(after, week, f"{message[:1].upper()}{message[1:]}")


def _place_patrol(
    editor: WeekEditor,
    post: PatrolSlot,
    others: Sequence[Duty],
    *,
    variant: int | None = None,
    like: Duty | None = None,
) -> tuple[WeekEditor, Duty]:
    """A patrol for a post; an officer who is lent is locked to it, so that solving keeps it."""
    known = post.officer in editor.inputs.officers and post.urn in editor.inputs.urns
    if known and editor.is_loan(post):
        open_lock = Lock(post.officer, post.urn, post.date)
        trial = editor.with_locks_and_bans(locks=[*editor.inputs.locks, open_lock])
        found = trial.place_patrol(post, others, variant=variant, like=like)
        return trial, found
    return editor, editor.place_patrol(post, others, variant=variant, like=like)


def _find_duty(week: Week, post: PatrolSlot) -> Duty:
    for duty in week.duties:
        if get_slot(duty) == post:
            return duty
    message = f"{post}: {PATROL_GONE}"
    raise InvalidEditError(message)


def _release_lock(editor: WeekEditor, duty: Duty) -> WeekEditor:
    """The hand free of a patrol's lock: the lock of one who is lent goes with the patrol.

    Raises
    ------
    CannotBeError
        When it was locked on purpose.
    """
    lock = editor.find_lock(duty)
    if lock is None:
        return editor
    if lock.variant is None and editor.is_loan(get_slot(duty)):
        return editor.with_locks_and_bans(
            locks=[row for row in editor.inputs.locks if row is not lock]
        )
    message = f"{get_slot(duty)} is locked; unlock it first"
    raise InvalidEditError(message)


def _describe_mode_change(old: Duty, new: Duty) -> str:
    """How a patrol goes now, where its officer goes another way than the one before."""
    return "" if new.patrol.way == old.patrol.way else f", now {MODE_WORDS[new.patrol.way]}"


def _describe_loan(editor: WeekEditor, duty: Duty) -> str:
    lent = editor.is_loan(get_slot(duty))
    return f"; {duty.officer} is lent to this school, and locked" if lent else ""


def _check_ban(editor: WeekEditor, ban: Ban) -> None:
    choice = editor.inputs
    if ban in choice.bans:
        message = f"{_describe_ban(ban)}: is ruled out already"
        raise InvalidEditError(message)
    if ban == Ban():
        message = "this would rule everything out; name an officer, a school or a day"
        raise InvalidEditError(message)
    if ban.officer is not None and ban.officer not in choice.officers:
        message = f"there is no officer '{ban.officer}'"
        raise InvalidEditError(message)
    if ban.urn is not None and ban.urn not in choice.urns:
        message = f"no patrol is planned for URN '{ban.urn}'"
        raise InvalidEditError(message)
    if ban.date is not None and ban.date not in choice.days:
        message = f"{ban.date} is not a day of this week"
        raise InvalidEditError(message)


def _is_banned(ban: Ban, duty: Duty) -> bool:
    return (
        ban.officer in {None, duty.officer}
        and ban.urn in {None, duty.urn}
        and ban.date in {None, duty.date}
        and ban.variant in {None, duty.variant}
    )


def _describe_ban(ban: Ban) -> str:
    who = ban.officer or "everybody"
    where = f"URN {ban.urn}" if ban.urn else "all schools"
    when = format_day(ban.date) if ban.date else "the whole week"
    route = "" if ban.variant is None else f", {format_route_name(ban.variant)}"
    return f"{who} at {where}, {when}{route}"


MAX_NAMED_DIFFERENCES = 6
"""Most differences that are named in one sentence."""


def list_differences(before: Week, after: Week) -> list[str]:
    """Every patrol that is not as it was, in words."""
    old = {get_slot(duty): duty for duty in before.duties}
    new = {get_slot(duty): duty for duty in after.duties}
    gone = [f"taken back: {post}" for post in old if post not in new]
    come = [
        f"new: {post}, {format_route_name(duty.variant)}"
        for post, duty in new.items()
        if post not in old
    ]
    other = [
        f"{post} takes {format_route_name(duty.variant)}"
        for post, duty in new.items()
        if post in old and duty.key != old[post].key
    ]
    return [*gone, *come, *other]


def describe_difference(before: Week, after: Week) -> str:
    """How two weeks differ, in one sentence."""
    rows = list_differences(before, after)
    more = (
        f"; and {len(rows) - MAX_NAMED_DIFFERENCES} more"
        if len(rows) > MAX_NAMED_DIFFERENCES
        else ""
    )
    told = "; ".join(rows[:MAX_NAMED_DIFFERENCES]) + more
    if not rows:
        told = "the patrols are the same"
        if (before.locks, before.bans) != (after.locks, after.bans):
            told = "locks or bans"
    return told
