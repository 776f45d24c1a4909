"""Plausibility checks: data that looks wrong as a whole stops a command, or is accepted.

`[accept] CHECK = "why"` accepts one, and outputs print why. No check concerns a single row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NewType, get_args

from patrolplan.errors import Problem

CheckName = Literal[
    "missing_months",
    "refused_rows",
    "malformed_rows",
    "unknown_categories",
    "coordinate_resolution",
    "unusual_times",
    "report_dates",
    "report_places",
    "report_pin",
    "report_bands",
    "report_days",
    "report_words",
    "duplicate_files",
    "far_places",
    "no_hours",
    "gate_levels",
]
CHECKS: tuple[CheckName, ...] = get_args(CheckName)
RelationName = NewType("RelationName", str)  # Of `patrolplan.area.relations`
Check = CheckName | RelationName
ANNOUNCED_CHECKS: frozenset[str] = frozenset({"missing_months"})  # They stop nothing: it is masked
MAX_REFUSED_SHARE = 0.01
"""Maximum share of a table's rows with values that cannot be read, or do not match the header; if
there are more, the cause is a wrong format, not typing errors. Empty cells are not counted."""

ALLOWED_ROWS = 10  # This many rows of a table may always be wrong, whatever its length


def exceeds_bound(count: int, total: int, share: float = MAX_REFUSED_SHARE) -> bool:
    """Whether more rows of a table are wrong than typing errors explain."""
    return count > max(ALLOWED_ROWS, share * total)


@dataclass(frozen=True)
class Alarm:
    """A check whose bound is exceeded, and the reason for accepting it; None: it is not."""

    check: str
    message: str
    accepted: str | None = None

    def __str__(self) -> str:
        return f"{self.message}." + (f" Accepted: {self.accepted}" if self.accepted else "")


class Alarms:
    """The checks whose bound is exceeded: problems, or alarms `accepted` for a reason by check."""

    def __init__(self, accepted: Mapping[str, str] | None = None) -> None:
        self._accepted = dict(accepted or {})
        self._alarms: list[Alarm] = []
        self._problems: list[Problem] = []

    def add(self, check: Check, file: object, what: str, remedy: str, place: str = "") -> None:
        """Add a check whose bound is exceeded; how to accept it is added to the remedy."""
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
        """Remove and return the problems so far."""
        problems, self._problems = self._problems, []
        return problems

    def list_alarms(self) -> tuple[Alarm, ...]:
        """Accepted alarms, and those that stop no command."""
        return tuple(dict.fromkeys(self._alarms))
