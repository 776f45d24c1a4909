"""Changes of the week by hand or by solving again, and how two weeks differ, in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from patrolplan.board import requests
from patrolplan.outputs.wording import format_route_name
from patrolplan.team.not_met import list_missing
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.people import describe_crew, name_member
from patrolplan.team.repair import list_changes
from patrolplan.team.week import Duty, PatrolSlot, Week, format_day
from patrolplan.team.week_editor import PATROL_GONE, WeekEditor, refuse
from patrolplan.team.week_records import Ban
from patrolplan.text import capitalise

LEAST_GAIN_PERCENT = 0.05  # A smaller difference in worth is none: it would be shown as 0.0 %
Judgement = Literal["better", "as good", "worse"]  # A proposal against the week as it is


EditResult = tuple[WeekEditor, Week, str]
"""The week after a change, and what was done in words."""


def refuse_first(*checks: tuple[object, str]) -> None:
    """Refuse for the first reason that holds, if any."""
    for is_so, message in checks:
        if is_so:
            refuse(message)


def apply_change(change: requests.WeekChange, editor: WeekEditor, week: Week) -> EditResult:
    """The week after a change; raises InvalidEditError where the rules do not allow it."""
    return CHANGES[change.kind](change, editor, week)


def _move(change: requests.Move, editor: WeekEditor, week: Week) -> EditResult:
    old, slot = find_duty(week, change.from_.slot), change.to.slot
    return _exchange(editor, week, [old], [(slot, old)], f"{old.slot} moved to {slot}")


def _swap(change: requests.Swap, editor: WeekEditor, week: Week) -> EditResult:
    a, b = find_duty(week, change.a.slot), find_duty(week, change.b.slot)
    if a is b:
        refuse("one patrol cannot be swapped with itself")
    what = "date" if a.officer == b.officer else "officer"
    first = replace(a.slot, **{what: getattr(b, what)})
    second = replace(b.slot, **{what: getattr(a, what)})
    words = f"swapped: {first}, {second}"
    return _exchange(editor, week, [a, b], [(first, a), (second, b)], words)


def _add(change: requests.Add, editor: WeekEditor, week: Week) -> EditResult:
    words = f"added: {change.slot}"
    return _exchange(editor, week, [], [(change.slot, None)], words, variant=change.variant)


def _remove(change: requests.ChangePatrol, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.slot)
    return _exchange(editor, week, [old], [], f"removed: {change.slot}")


def _choose_variant(change: requests.ChooseVariant, editor: WeekEditor, week: Week) -> EditResult:
    old = find_duty(week, change.slot)
    _release_lock(editor, old)
    if old.variant == change.variant and editor.find_option(old) is not None:
        refuse(f"{change.slot} already takes this route")
    others = _without(week, [old])
    new = editor.place_patrol(change.slot, others, variant=change.variant)
    new = replace(new, crew=old.crew or new.crew)
    message = f"{change.slot} takes {format_route_name(new.variant)}"
    return _build_result(editor, editor, [*others, new], message)


def _set_lock(change: requests.ChangePatrol, editor: WeekEditor, week: Week) -> EditResult:
    duty, slot, is_wanted = find_duty(week, change.slot), change.slot, change.kind == "lock"
    lock, by_hand = editor.find_lock(duty), _is_locked_by_hand(editor, duty)
    lent = f"{duty.officer} is lent to URN {duty.urn}: keep this patrol locked, or remove it"
    refuse_first(
        (is_wanted and by_hand, f"{slot} is already locked"),
        (not is_wanted and lock is None, f"{slot} is not locked"),
        (not is_wanted and not by_hand, lent),
    )
    locks = [row for row in editor.inputs.locks if row is not lock]
    if is_wanted or editor.is_loan(slot):
        locks.append(editor.build_lock(slot, duty.variant if is_wanted else None))
    after = editor.with_locks_and_bans(locks=locks)
    return _build_result(editor, after, week.duties, f"{change.kind}ed: {slot}")


def _set_ban(change: requests.SetBan, editor: WeekEditor, week: Week) -> EditResult:
    ban = Ban(change.officer, change.urn, change.date, change.variant, change.window)
    inputs, words = editor.inputs, _describe_ban(ban)
    if change.kind == "unban":
        if ban not in inputs.bans:
            refuse(f"{words}: is not ruled out")
        after = editor.with_locks_and_bans(bans=[row for row in inputs.bans if row != ban])
        return _build_result(editor, after, week.duties, f"allowed again: {words}")
    windows = {None, *inputs.area.settings.week.windows}
    refuse_first(
        (ban in inputs.bans, f"{words}: is already ruled out"),
        (ban == Ban(), "this would rule everything out; name an officer, a school or a day"),
        (ban.officer not in {None, *inputs.officers}, f"there is no officer '{ban.officer}'"),
        (ban.urn not in {None, *inputs.urns}, f"no patrol is planned for URN '{ban.urn}'"),
        (ban.date not in {None, *inputs.days}, f"{ban.date} is not a day of this week"),
        (ban.window not in windows, f"there is no window '{ban.window}' in this week"),
    )
    after = editor.with_locks_and_bans(bans=[*inputs.bans, ban])
    released = {duty.slot: _release_banned(after, ban, duty) for duty in week.duties}
    allowed = [duty for duty in released.values() if duty is not None]
    banned = [duty for duty in week.duties if released[duty.slot] is None]
    for duty in banned:
        after = _release_lock(after, duty)
    removed = f"; removed: {', '.join(f'{duty.slot}' for duty in banned)}" if banned else ""
    return _build_result(editor, after, allowed, f"ruled out: {words}{removed}")


def _set_crew(change: requests.SetCrew, editor: WeekEditor, week: Week) -> EditResult:
    old, slot, crew = find_duty(week, change.slot), change.slot, tuple(change.crew)
    area = editor.inputs.area
    who = describe_crew(area, old.crew) or "nobody"
    lacks_one = not crew and editor.needs_companion(old)
    refuse_first(
        (crew == old.crew, f"{slot}: {who} walks along already"),
        (lacks_one, f"{slot}: two are needed; name somebody else, or remove the patrol"),
        (old.officer in crew, f"{old.officer} cannot walk along with {old.officer}"),
    )
    for name in crew:
        if obstacle := editor.find_crew_obstacle(old, name, week.duties):
            refuse(f"{name_member(area, name)} {obstacle}")
    message = f"{slot}: {describe_crew(area, crew) or 'nobody'} walks along"
    duties = [*_without(week, [old]), replace(old, crew=crew)]
    return _build_result(editor, editor, duties, message)


CHANGES: dict[str, Callable[[Any, WeekEditor, Week], EditResult]] = {
    "move": _move,
    "swap": _swap,
    "add": _add,
    "remove": _remove,
    "variant": _choose_variant,
    "lock": _set_lock,
    "unlock": _set_lock,
    "ban": _set_ban,
    "unban": _set_ban,
    "crew": _set_crew,
}


def _exchange(
    editor: WeekEditor,
    week: Week,
    out: Sequence[Duty],
    wanted: Iterable[tuple[PatrolSlot, Duty | None]],
    words: str,
    *,
    variant: int | None = None,
) -> EditResult:
    """Some patrols replaced by others, each like an old one; who is lent is locked to a patrol."""
    # The lock keeps the patrol when the week is solved again.
    after, duties = editor, _without(week, out)
    for duty in out:
        after = _release_lock(after, duty)
    for slot, like in wanted:
        if is_lent(after, slot):
            locks = [*after.inputs.locks, after.build_lock(slot)]
            after = after.with_locks_and_bans(locks=locks)
            words += f"; {slot.officer} is lent to this school, and locked"
        duties.append(after.place_patrol(slot, duties, variant=variant, like=like))
    return _build_result(editor, after, duties, words)


def _without(week: Week, out: Sequence[Duty]) -> list[Duty]:
    return [duty for duty in week.duties if duty not in out]


def _build_result(
    before: WeekEditor, after: WeekEditor, duties: Sequence[Duty], message: str
) -> EditResult:
    """The week of these patrols."""
    # Its bound on the worth is valid as long as options only disappear. If more has become
    # possible, it is the loosest one until the week is solved again.
    looser = not after.inputs.option_rows.keys() <= before.inputs.option_rows.keys()
    looser |= not set(before.inputs.locks) <= set(after.inputs.locks)
    bound = compute_loosest_bound(after.problem) if looser else None
    week = after.build_week(duties, bound=bound)
    if (week.locks, week.bans) != (before.inputs.locks, before.inputs.bans):
        week = replace(week, foreseen=None)  # until the week is drawn again
    return after, week, capitalise(message)


def is_lent(editor: WeekEditor, slot: PatrolSlot) -> bool:
    """Whether a patrol lends an officer to a school not in their care; False for unknown names."""
    inputs = editor.inputs
    return slot.officer in inputs.officers and slot.urn in inputs.urns and editor.is_loan(slot)


def find_duty(week: Week, slot: PatrolSlot) -> Duty:
    """The patrol of a slot; raises InvalidEditError where it is not in the week."""
    found = [duty for duty in week.duties if duty.slot == slot]
    if not found:
        refuse(f"{slot}: {PATROL_GONE}")
    return found[0]


def _is_locked_by_hand(editor: WeekEditor, duty: Duty) -> bool:
    """Whether a patrol has a lock that a loan did not put on it."""
    lock = editor.find_lock(duty)
    return lock is not None and (lock.variant is not None or not editor.is_loan(duty.slot))


def _release_lock(editor: WeekEditor, duty: Duty) -> WeekEditor:
    """The editor without the lock that a loan put on a patrol; raises for a lock set by hand."""
    if _is_locked_by_hand(editor, duty):
        refuse(f"{duty.slot} is locked; unlock it first")
    lock = editor.find_lock(duty)
    locks = [row for row in editor.inputs.locks if row is not lock]
    return editor if lock is None else editor.with_locks_and_bans(locks=locks)


def _release_banned(editor: WeekEditor, ban: Ban, duty: Duty) -> Duty | None:
    """A patrol without those of its crew whom a ban rules out; None where it cannot be walked."""
    if ban.fits(duty):
        return None
    crew = tuple(
        name
        for name in duty.crew
        if ban.variant is not None or not ban.fits(replace(duty, officer=name))
    )
    if duty.crew and not crew and editor.needs_companion(duty):
        return None
    return replace(duty, crew=crew)


def _describe_ban(ban: Ban) -> str:
    where = f"URN {ban.urn}" if ban.urn else "all schools"
    when = format_day(ban.date) if ban.date else "the whole week"
    route = "" if ban.variant is None else f", {format_route_name(ban.variant)}"
    window = "" if ban.window is None else f" ({ban.window})"
    return f"{ban.officer or 'everybody'} at {where}, {when}{route}{window}"


def list_differences(before: Week, after: Week) -> list[str]:
    """Every card that goes or is new, in words."""
    return [
        f"removed: {change.duty.slot}"
        if change.kind == "withdrawn"
        else f"new: {change.duty.slot}, {format_route_name(change.duty.variant)}"
        for change in list_changes(before, after)
    ]


def compute_gains(before: Week, after: Week) -> dict[str, float]:
    """How much better or worse a proposal is: signed differences."""
    worth, old, new = after.worth - before.worth, _count(before), _count(after)
    return {
        "worth": worth,
        "worth_percent": 100 * worth / before.worth if before.worth else 0.0,
        **{name: new[name] - old[name] for name in new},
        "cards": len(list_differences(before, after)),
    }


def _count(week: Week) -> dict[str, int]:
    """Hotspots with a dose, over all days; schools below the minimum; visits not made; patrols."""
    doses = {(name, stay.date) for stay in week.stays for name in stay.names}
    unmet = sum(max(0, demand.visits - len(demand.met_by)) for demand in week.demands)
    short = len(list_missing(week.unmet, "minimum"))
    return {"doses": len(doses), "short": short, "unmet": unmet, "patrols": len(week.duties)}


def judge_gains(gains: Mapping[str, float]) -> Judgement:
    """Whether a proposal is better: by schools below the minimum, then demands, then worth."""
    worth = gains["worth_percent"]
    shown = worth if abs(worth) >= LEAST_GAIN_PERCENT else 0.0
    first = next(filter(None, (-gains["short"], -gains["unmet"], shown)), 0.0)
    return "better" if first > 0 else "worse" if first < 0 else "as good"
