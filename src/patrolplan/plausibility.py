"""Plausibility checks: what looks wrong with the data as a whole stops a command, or is accepted.

Each check has a name, under which the settings may accept it with a written reason
(`[accept] CHECK = "why"`). The reason is then printed on the outputs. A check never looks at one
row alone: a single wrong row is left out and counted, or refused by its reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from patrolplan.errors import Problem

CheckName = Literal[
    "missing_months",
    "refused_rows",
    "malformed_rows",
    "unknown_categories",
    "coordinate_resolution",
    "unusual_times",
    "report_dates",
    "duplicate_files",
    "far_places",
    "no_hours",
    "gate_levels",
]
CHECKS: tuple[CheckName, ...] = get_args(CheckName)

ANNOUNCED_CHECKS: frozenset[CheckName] = frozenset({"missing_months"})
"""Checks that are announced and stop nothing: what they concern is masked."""

MAX_REFUSED_SHARE = 0.01
"""More rows of a table than this share have values that cannot be read, or do not fit the header:
the cause is a wrong form, not a slip. Empty cells are not counted."""

ALLOWED_ROWS = 10
"""So many rows of a table may be wrong whatever its length."""


def exceeds_bound(count: int, total: int, share: float = MAX_REFUSED_SHARE) -> bool:
    """Whether more rows of a table are wrong than slips explain.

    Examples
    --------
    >>> exceeds_bound(10, 12), exceeds_bound(11, 12), exceeds_bound(11, 2000)
    (False, True, False)
    """
    return count > max(ALLOWED_ROWS, share * total)


@dataclass(frozen=True)
class Alarm:
    """A check whose bound is passed: what it found, and the reason for which it is accepted.

    `accepted` is None where the settings do not accept the check.

    Examples
    --------
    >>> print(Alarm("no_hours", "4 officers have no hours", "the rota comes on Monday"))
    4 officers have no hours. Accepted: the rota comes on Monday
    """

    check: CheckName
    message: str
    accepted: str | None = None

    def __str__(self) -> str:
        return f"{self.message}." + (f" Accepted: {self.accepted}" if self.accepted else "")


class Alarms:
    """Collects the checks whose bound is passed: as problems, or as alarms that are accepted.

    Parameters
    ----------
    accepted
        `[accept]` of the settings: reason by check.
    """

    def __init__(self, accepted: Mapping[CheckName, str] | None = None) -> None:
        self._accepted = dict(accepted or {})
        self._alarms: list[Alarm] = []
        self._problems: list[Problem] = []

    def add(self, check: CheckName, file: object, what: str, remedy: str, place: str = "") -> None:
        """Note that the bound of a check is passed.

        The parts are those of a `Problem`. The remedy is completed by how to accept the check.
        """
        reason = self._accepted.get(check)
        if reason is None and check not in ANNOUNCED_CHECKS:
            remedy = f'{remedy}, or accept it under [accept] with {check} = "why"'
            self._problems.append(Problem(file, what, remedy, place))
            return
        # A path would differ between machines, and equal runs give equal bytes.
        name = Path(str(file)).name
        where = f"{name}, {place}" if place else name
        self._alarms.append(Alarm(check, f"{where}: {what}", reason))

    def take_problems(self) -> list[Problem]:
        """The problems so far, which are then no longer here."""
        problems, self._problems = self._problems, []
        return problems

    def list_alarms(self) -> tuple[Alarm, ...]:
        """Alarms that are accepted, and those that stop nothing."""
        return tuple(dict.fromkeys(self._alarms))
