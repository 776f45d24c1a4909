"""Changes of the week by hand or by solving again, and how two weeks differ, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Literal, NoReturn

from patrolplan.board.requests import (
    Add,
    ChooseVariant,
    Move,
    Remove,
    SetBan,
    SetCrew,
    SetLock,
    Swap,
)
from patrolplan.outputs.facts import describe_crew, name_member
from patrolplan.outputs.wording import format_route_name
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week import format_day
from patrolplan.team.week_editor import PATROL_GONE, InvalidEditError, PatrolSlot, get_slot
from patrolplan.team.week_records import Ban

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.team.week import Duty, Week
    from patrolplan.team.week_editor import WeekEditor


MAX_NAMED_DIFFERENCES = 6
"""Maximum number of differences named in one sentence."""
LEAST_GAIN_PERCENT = 0.05
"""A smaller difference in worth is none: it would be shown as 0.0 %."""

Judgement = Literal["better", "as good", "worse"]
"""A proposal against the week as it is."""


@dataclass(frozen=True, eq=False)
class EditResult:
    """The week after a change, and what was done in words."""

    editor: WeekEditor
    week: Week
    message: str


def refuse(message: str) -> NoReturn:
    """Raise InvalidEditError: a change that the rules do not allow, with the reason."""
    raise InvalidEditError(message)


@singledispatch
def apply_change(change: object, editor: WeekEditor, week: Week) -> EditResult:  # noqa: ARG001 - for those below
    """The week after a change of `patrolplan.board.requests`.

    Raises InvalidEditError, with the reason, when the rules do not allow it.
    """
    message = f"no change by hand: {type(change).__name__}"
    raise TypeError(message)


@apply_change.register(Move)
def _move_patrol(change: Move, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.from_.slot)
    others = [duty for duty in week.duties if duty is not old]
    after, new = _place_patrol(_release_lock(editor, old), change.to.slot, others, like=old)
    message = f"{get_slot(old)} moved to {get_slot(new)}"
    message += _describe_loan(after, new)
    return _build_result(editor, after, [*others, new], message)


@apply_change.register(Swap)
def _swap_patrols(change: Swap, editor: WeekEditor, week: Week) -> EditResult:
    a, b = find_duty(week, change.a.slot), find_duty(week, change.b.slot)
    if a is b:
        refuse("one patrol cannot be swapped with itself")
    others = [duty for duty in week.duties if duty is not a and duty is not b]
    if a.officer == b.officer:
        dates, officers = (b.date, a.date), (a.officer, a.officer)
    else:
        dates, officers = (a.date, b.date), (b.officer, a.officer)
    slots = [
        PatrolSlot(officer, duty.urn, date, duty.window)
        for officer, duty, date in zip(officers, (a, b), dates, strict=True)
    ]
    free = _release_lock(_release_lock(editor, a), b)
    after, first = _place_patrol(free, slots[0], others, like=a)
    after, second = _place_patrol(after, slots[1], [*others, first], like=b)
    message = f"swapped: {get_slot(first)}, {get_slot(second)}"
    message += _describe_loan(after, first) + _describe_loan(after, second)
    return _build_result(editor, after, [*others, first, second], message)


@apply_change.register(Add)
def _add_patrol(change: Add, editor: WeekEditor, week: Week) -> EditResult:
    after, new = _place_patrol(editor, change.slot, week.duties, variant=change.variant)
    message = f"added: {get_slot(new)}{_describe_loan(after, new)}"
    return _build_result(editor, after, [*week.duties, new], message)


@apply_change.register(Remove)
def _remove_patrol(change: Remove, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.slot)
    others = [duty for duty in week.duties if duty is not old]
    return _build_result(editor, _release_lock(editor, old), others, f"removed: {get_slot(old)}")


@apply_change.register(ChooseVariant)
def _choose_variant(change: ChooseVariant, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.slot)
    _release_lock(editor, old)
    if old.variant == change.variant and editor.is_option(old):
        refuse(f"{get_slot(old)} already takes this route")
    others = [duty for duty in week.duties if duty is not old]
    new = editor.place_patrol(change.slot, others, variant=change.variant)
    new = replace(new, crew=old.crew or new.crew)
    message = f"{get_slot(new)} takes {format_route_name(new.variant)}"
    return _build_result(editor, editor, [*others, new], message)


@apply_change.register(SetLock)
def _set_lock(change: SetLock, editor: WeekEditor, week: Week) -> EditResult:
    duty = find_duty(week, change.slot)
    lock = editor.find_lock(duty)
    locks = [row for row in editor.inputs.locks if row is not lock]
    if change.kind == "lock":
        if lock is not None and not (lock.variant is None and editor.is_loan(change.slot)):
            refuse(f"{get_slot(duty)} is already locked")
        locks.append(editor.build_lock(change.slot, duty.variant))
    elif lock is None:
        refuse(f"{get_slot(duty)} is not locked")
    elif editor.is_loan(change.slot):
        if lock.variant is None:
            refuse(
                f"{duty.officer} is lent to URN {duty.urn}: keep this patrol locked, or remove it"
            )
        locks.append(editor.build_lock(change.slot))
    after = editor.with_locks_and_bans(locks=locks)
    return _build_result(editor, after, week.duties, f"{change.kind}ed: {get_slot(duty)}")


@apply_change.register(SetBan)
def _set_ban(change: SetBan, editor: WeekEditor, week: Week) -> EditResult:
    ban = Ban(change.officer, change.urn, change.date, change.variant, change.window)
    if change.kind == "unban":
        if ban not in editor.inputs.bans:
            refuse(f"{_describe_ban(ban)}: is not ruled out")
        bans = [row for row in editor.inputs.bans if row != ban]
        after = editor.with_locks_and_bans(bans=bans)
        return _build_result(editor, after, week.duties, f"allowed again: {_describe_ban(ban)}")
    _check_ban(editor, ban)
    after = editor.with_locks_and_bans(bans=[*editor.inputs.bans, ban])
    released = [_release_banned(after, ban, duty) for duty in week.duties]
    allowed = [duty for duty in released if duty is not None]
    banned = [d for d, left in zip(week.duties, released, strict=True) if left is None]
    for duty in banned:
        after = _release_lock(after, duty)
    message = f"ruled out: {_describe_ban(ban)}"
    if banned:
        message += f"; removed: {', '.join(str(get_slot(duty)) for duty in banned)}"
    return _build_result(editor, after, allowed, message)


@apply_change.register(SetCrew)
def _set_crew(change: SetCrew, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.slot)
    crew = tuple(change.crew)
    if crew == old.crew:
        who = describe_crew(editor.inputs.area, old.crew) or "nobody"
        refuse(f"{get_slot(old)}: {who} walks along already")
    if not crew and editor.needs_companion(old):
        refuse(f"{get_slot(old)}: two are needed; name somebody else, or remove the patrol")
    for name in crew:
        if name == old.officer:
            refuse(f"{name} cannot walk along with {name}")
        if obstacle := editor.find_crew_obstacle(old, name, week.duties):
            refuse(f"{name_member(editor.inputs.area, name)} {obstacle}")
    new = replace(old, crew=crew)
    others = [duty for duty in week.duties if duty is not old]
    message = _describe_new_crew(editor.inputs.area, new)
    return _build_result(editor, editor, [*others, new], message)


def _build_result(
    before: WeekEditor, after: WeekEditor, duties: Sequence[Duty], message: str
) -> EditResult:
    """The week of these patrols.

    Its bound on the worth is valid as long as options only disappear. If more has become possible,
    the bound is replaced by the loosest one until the week is solved again.
    """
    looser = not after.inputs.option_rows.keys() <= before.inputs.option_rows.keys()
    looser |= not set(before.inputs.locks) <= set(after.inputs.locks)
    bound = compute_loosest_bound(after.problem) if looser else None
    week = after.build_week(duties, bound=bound)
    if (week.locks, week.bans) != (before.inputs.locks, before.inputs.bans):
        week = replace(week, foreseen=None)  # until the week is drawn again
    return EditResult(after, week, f"{message[:1].upper()}{message[1:]}")


def _place_patrol(
    editor: WeekEditor,
    slot: PatrolSlot,
    others: Sequence[Duty],
    *,
    variant: int | None = None,
    like: Duty | None = None,
) -> tuple[WeekEditor, Duty]:
    """A patrol for a slot; an officer who is lent is locked to it, so that solving keeps it."""
    if is_lent(editor, slot):
        lock = editor.build_lock(slot)
        editor = editor.with_locks_and_bans(locks=[*editor.inputs.locks, lock])
    return editor, editor.place_patrol(slot, others, variant=variant, like=like)


def is_lent(editor: WeekEditor, slot: PatrolSlot) -> bool:
    """Whether a patrol lends an officer to a school not in their care; False for unknown names."""
    inputs = editor.inputs
    return slot.officer in inputs.officers and slot.urn in inputs.urns and editor.is_loan(slot)


def find_duty(week: Week, slot: PatrolSlot) -> Duty:
    """The patrol of a slot; raises InvalidEditError where it is not in the week."""
    for duty in week.duties:
        if get_slot(duty) == slot:
            return duty
    refuse(f"{slot}: {PATROL_GONE}")


def _release_lock(editor: WeekEditor, duty: Duty) -> WeekEditor:
    """The editor without the lock that a loan put on a patrol; raises for a lock set by hand."""
    lock = editor.find_lock(duty)
    if lock is None:
        return editor
    if lock.variant is None and editor.is_loan(get_slot(duty)):
        locks = [row for row in editor.inputs.locks if row is not lock]
        return editor.with_locks_and_bans(locks=locks)
    refuse(f"{get_slot(duty)} is locked; unlock it first")


def _describe_loan(editor: WeekEditor, duty: Duty) -> str:
    lent = editor.is_loan(get_slot(duty))
    return f"; {duty.officer} is lent to this school, and locked" if lent else ""


def _check_ban(editor: WeekEditor, ban: Ban) -> None:
    inputs = editor.inputs
    message = ""
    if ban in inputs.bans:
        message = f"{_describe_ban(ban)}: is already ruled out"
    elif ban == Ban():
        message = "this would rule everything out; name an officer, a school or a day"
    elif ban.officer is not None and ban.officer not in inputs.officers:
        message = f"there is no officer '{ban.officer}'"
    elif ban.urn is not None and ban.urn not in inputs.urns:
        message = f"no patrol is planned for URN '{ban.urn}'"
    elif ban.date is not None and ban.date not in inputs.days:
        message = f"{ban.date} is not a day of this week"
    elif ban.window not in {None, *inputs.area.settings.week.windows}:
        message = f"there is no window '{ban.window}' in this week"
    if message:
        raise InvalidEditError(message)


def _release_banned(editor: WeekEditor, ban: Ban, duty: Duty) -> Duty | None:
    """A patrol without those of its crew whom a ban rules out; None where it cannot be walked."""
    if ban.rules_out(duty):
        return None
    crew = tuple(
        name
        for name in duty.crew
        if ban.variant is not None or not ban.rules_out(replace(duty, officer=name))
    )
    if duty.crew and not crew and editor.needs_companion(duty):
        return None
    return replace(duty, crew=crew)


def _describe_ban(ban: Ban) -> str:
    who = ban.officer or "everybody"
    where = f"URN {ban.urn}" if ban.urn else "all schools"
    when = format_day(ban.date) if ban.date else "the whole week"
    route = "" if ban.variant is None else f", {format_route_name(ban.variant)}"
    window = "" if ban.window is None else f" ({ban.window})"
    return f"{who} at {where}, {when}{route}{window}"


def list_differences(before: Week, after: Week) -> list[str]:
    """Every patrol that changed, in words."""
    old = {get_slot(duty): duty for duty in before.duties}
    new = {get_slot(duty): duty for duty in after.duties}
    routes = {slot: format_route_name(duty.variant) for slot, duty in new.items()}
    changed = [slot for slot in new if slot in old and new[slot].key != old[slot].key]
    return [
        *(f"removed: {slot}" for slot in old if slot not in new),
        *(f"new: {slot}, {routes[slot]}" for slot in new if slot not in old),
        *(_describe_changed_duty(after.plan.area, old[slot], new[slot]) for slot in changed),
    ]


def _describe_new_crew(area: StudyArea, duty: Duty) -> str:
    return f"{get_slot(duty)}: {describe_crew(area, duty.crew) or 'nobody'} walks along"


def _describe_changed_duty(area: StudyArea, old: Duty, new: Duty) -> str:
    if replace(new, crew=old.crew).key == old.key:
        return _describe_new_crew(area, new)
    return f"{get_slot(new)} takes {format_route_name(new.variant)}"


def describe_difference(before: Week, after: Week) -> str:
    """How two weeks differ, in one sentence."""
    rows = list_differences(before, after)
    if not rows:
        same_rules = (before.locks, before.bans) == (after.locks, after.bans)
        return "the patrols are the same" if same_rules else "only locks or bans"
    more = len(rows) - MAX_NAMED_DIFFERENCES
    return "; ".join(rows[:MAX_NAMED_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def compute_gains(before: Week, after: Week) -> dict[str, float]:
    """How much better or worse a proposal is: signed differences."""
    worth = after.worth - before.worth
    return {
        "worth": worth,
        "worth_percent": 100 * worth / before.worth if before.worth else 0.0,
        "doses": _count_doses(after) - _count_doses(before),
        "short": len(after.short) - len(before.short),
        "unmet": _count_unmet_visits(after) - _count_unmet_visits(before),
        "patrols": len(after.duties) - len(before.duties),
        "cards": len(list_differences(before, after)),
    }


def judge_gains(gains: Mapping[str, float]) -> Judgement:
    """Whether a proposal is better: by schools below the minimum, then demands, then worth."""
    worth = gains["worth_percent"]
    shown = worth if abs(worth) >= LEAST_GAIN_PERCENT else 0.0
    first = next(filter(None, (-gains["short"], -gains["unmet"], shown)), 0.0)
    return "better" if first > 0 else "worse" if first < 0 else "as good"


def _count_unmet_visits(week: Week) -> int:
    return sum(max(0, demand.visits - len(demand.met_by)) for demand in week.demands)


def _count_doses(week: Week) -> int:
    """Hotspots with a dose, over all days."""
    return len({(stop.hotspot, duty.date) for duty in week.duties for stop in duty.patrol.stops})
