"""How a plan would differ without pupils' reports: records for the plan and its files."""

from dataclasses import dataclass
from typing import Any

from patrolplan.notes import Note

SHARE_DIGITS = 4
"""Digits of the share of harm, so that equal plans write equal files on any machine."""


@dataclass(frozen=True)
class SchoolWithoutReports:
    """How the stops of a school would differ without pupils' reports."""

    urn: str
    only_with: tuple[str, ...]
    """Names of its stops that are made because of reports."""
    only_without: tuple[str, ...]
    """Places of the stops that would be made without them."""


@dataclass(frozen=True)
class WithoutReports:
    """How the plan would differ without reports, see `patrolplan.patrols.without_reports`."""

    schools: int
    """Number of planned schools."""
    changes: tuple[SchoolWithoutReports, ...]
    """Schools that would have other stops."""
    crime_share: float | None
    """Recorded harm that the stops meet, divided by what they would meet; None if that is 0."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """How many schools would have other stops, and how much recorded crime is lost."""
        notes = [
            Note("plan_without_reports", {"changed": len(self.changes), "schools": self.schools})
        ]
        if self.crime_share is not None and self.changes:
            notes.append(Note("reports_cost", {"share": round(self.crime_share, SHARE_DIGITS)}))
        return tuple(notes)

    def write(self) -> dict[str, Any]:
        """The record for files."""
        share = self.crime_share
        return {
            "schools": self.schools,
            "crime_share": None if share is None else round(share, SHARE_DIGITS),
            "changes": [
                {
                    "urn": one.urn,
                    "only_with": list(one.only_with),
                    "only_without": list(one.only_without),
                }
                for one in self.changes
            ],
        }
