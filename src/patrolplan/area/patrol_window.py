"""The window that patrols last for: from each school's bell, or from and to a time of day."""

import datetime as dt
from dataclasses import dataclass

from patrolplan.errors import InputError
from patrolplan.settings import PatrolSettings
from patrolplan.settings.models import MAX_WINDOW_MINUTES
from patrolplan.times import minutes_after_midnight


@dataclass(frozen=True)
class Window:
    """From when and for how long a patrol may last."""

    minutes: float
    """Length."""
    start_minutes: float | None = None
    """Start after midnight; None: each school's bell."""


def resolve_window(
    settings: PatrolSettings,
    *,
    name: str | None = None,
    start: dt.time | None = None,
    minutes: float | None = None,
) -> Window:
    """The window wanted; by default the settings' minutes from each school's bell.

    Parameters
    ----------
    name
        A window of the settings.
    start
        Start at short notice.
    minutes
        Another length; it may shorten a named window, never lengthen it.

    Raises
    ------
    InputError
        When the settings have no window of that name, name and start are both given, or a patrol
        cannot last so many minutes.
    """
    length = settings.window_minutes if minutes is None else minutes
    if not 0 < length <= MAX_WINDOW_MINUTES:
        where, what = "minutes", f"a patrol cannot last {length:g} minutes"
        raise InputError.one(where, what, f"give more than 0 and at most {MAX_WINDOW_MINUTES}")
    if name is None:
        return Window(length, None if start is None else minutes_after_midnight(start))
    if start is not None:
        where = "--window, --from"
        what = f"window '{name}' and a start at {start:%H:%M} are both given"
        raise InputError.one(where, what, "give one of them")
    if name not in settings.windows:
        known = ", ".join(settings.windows) or "none"
        where, what = (
            "[patrol.windows]",
            f"there is no window '{name}' (the settings have: {known})",
        )
        raise InputError.one(where, what, f"add [patrol.windows.{name}] with from and to")
    named = settings.windows[name]
    begin = minutes_after_midnight(named.from_)
    whole = minutes_after_midnight(named.to) - begin
    return Window(whole if minutes is None else min(minutes, whole), begin)
