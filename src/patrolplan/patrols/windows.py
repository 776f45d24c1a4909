"""Patrol windows: from the bell, by name, or at short notice."""

from dataclasses import dataclass
from datetime import time

from patrolplan.errors import InputError
from patrolplan.settings import LONGEST_WINDOW_MINUTES
from patrolplan.settings import PatrolSettings


@dataclass(frozen=True)
class Window:
    """From when and for how long a patrol may last.

    Parameters
    ----------
    minutes
        Length.
    start_minutes
        Start after midnight; None is each school's bell.
    name
        Name in the settings, empty for others.
    """

    minutes: float
    start_minutes: float | None = None
    name: str = ""


def window_of(
    settings: PatrolSettings,
    *,
    name: str | None = None,
    start: time | None = None,
    minutes: float | None = None,
) -> Window:
    """The window that is asked for; by default the settings' minutes from each school's bell.

    Parameters
    ----------
    settings
        With the named windows.
    name
        A window of the settings.
    start
        Start at short notice.
    minutes
        Another length.

    Raises
    ------
    InputError
        When the settings have no window of that name, name and start are both given, or the
        minutes are none that a patrol can last.
    """
    length = settings.window_minutes if minutes is None else minutes
    if not 0 < length <= LONGEST_WINDOW_MINUTES:
        where, what = "minutes", f"{length:g} is no length of a patrol"
        raise InputError.one(where, what, f"give minutes above 0, up to {LONGEST_WINDOW_MINUTES}")
    if name is None:
        return Window(length, None if start is None else minutes_after_midnight(start))
    if start is not None:
        where = "--window, --from"
        what = f"window '{name}' and a start of {start:%H:%M} are both asked for"
        raise InputError.one(where, what, "give one of them")
    if name not in settings.windows:
        known = ", ".join(settings.windows) or "none"
        where, what = "[patrol.windows]", f"there is no window '{name}' (known: {known})"
        raise InputError.one(where, what, f"add [patrol.windows.{name}] with from and to")
    named = settings.windows[name]
    begin = minutes_after_midnight(named.from_)
    whole = minutes_after_midnight(named.to) - begin
    return Window(whole if minutes is None else min(minutes, whole), begin, name)


def minutes_after_midnight(clock: time | str) -> float:
    """Minutes after midnight of a time of day, or of its HH:MM.

    Examples
    --------
    >>> minutes_after_midnight("15:15")
    915.0
    """
    at = time.fromisoformat(clock) if isinstance(clock, str) else clock
    return at.hour * 60.0 + at.minute
