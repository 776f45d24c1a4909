"""What is noted while an area is loaded: problems, rows left out, and defaults."""

from dataclasses import dataclass, field

from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut


@dataclass(frozen=True)
class LoadReport:
    """What is noted while an area is loaded: problems, rows left out, notes and alarms."""

    problems: Problems = field(default_factory=Problems)
    left_out: LeftOut = field(default_factory=LeftOut)
    notes: list[Note] = field(default_factory=list)
    schools_left_out: dict[str, str] = field(default_factory=dict)
    alarms: Alarms = field(default_factory=Alarms)

    def raise_if_any(self) -> None:
        """Raise an `InputError` with all problems and alarms that are not accepted, if any."""
        self.problems.extend(self.alarms.take_problems())
        self.problems.raise_if_any()
