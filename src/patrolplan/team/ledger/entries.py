"""What is entered into the ledger: a week handed out, and visits."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import Self

LONGEST_MINUTES = 720.0
"""More minutes than this in one place on one day are a slip of the pen."""


@dataclass(frozen=True)
class HandOut:
    """A week as it is handed out: its days, its promised doses and all hotspots of its plan.

    Parameters
    ----------
    days
        The days it stands for.
    doses
        Rows of `patrolplan.team.ledger.schema.doses`, without the number of the handout.
    hotspots
        Rows of `patrolplan.team.ledger.schema.hotspots`, likewise.
    """

    days: tuple[dt.date, ...]
    doses: tuple[dict[str, Any], ...]
    hotspots: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Visit:
    """Minutes that an officer spent at a hotspot on a day; none where it was not visited.

    Parameters
    ----------
    officer, date, urn
        Who, when, and for which school.
    hotspot, place, longitude, latitude
        Which hotspot of the week handed out; words and stop tell it apart when names change.
    minutes
        Minutes delivered.
    engagements
        People spoken to; None where nobody told.
    source
        "keyboard", "csv" or "gpx".
    """

    officer: str
    date: dt.date
    urn: str
    hotspot: str
    place: str
    longitude: float
    latitude: float
    minutes: float
    engagements: int | None
    source: str

    def row(self) -> dict[str, Any]:
        """As a row of the table."""
        return dict(vars(self))


@dataclass(frozen=True)
class Entry:
    """What became of a visit: "new", "same" as it stands, or "corrected"."""

    visit: Visit
    outcome: str
    revision: int
    minutes_before: float | None = None

    @classmethod
    def after(cls, visit: Visit, standing: Sequence[Any] | None) -> Self:
        """The entry that follows what stands: its revision, minutes and engagements, or None."""
        if standing is None:
            return cls(visit, "new", 1)
        revision, minutes, engagements = standing
        if visit.engagements is None:
            visit = replace(visit, engagements=engagements)
        if (visit.minutes, visit.engagements) == (minutes, engagements):
            return cls(visit, "same", revision, minutes)
        return cls(visit, "corrected", revision + 1, minutes)


def digest(week: HandOut) -> str:
    """What tells one handed-out week from another."""
    text = json.dumps([week.days, week.doses, week.hotspots], default=str, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
