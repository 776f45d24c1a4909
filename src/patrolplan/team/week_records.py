"""What a week holds apart from its patrols: changes by hand, its draw, demands and what lacks.

Each record is declared once: pydantic uses the annotations to write it as a part of `week.json`,
and to read it again, see `patrolplan.team.week_file`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    Strict,
    model_serializer,
    model_validator,
    with_config,
)

from patrolplan.doors import read_day, read_urn
from patrolplan.patrols.demands import KINDS, DemandKind
from patrolplan.patrols.file_forms import RECORD, Amount, Count, Day, Minutes, also_writes, arrange
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.team.problem import SearchLimits
from patrolplan.team.stays import StayKind

if TYPE_CHECKING:
    from patrolplan.team.week import Duty

StrictCount = Annotated[Count, Strict()]


def _require_every_key(row: object) -> object:
    """A lock or ban of a file names every key: one that is left out must not stand for all."""
    keys = ("officer", "urn", "date", "variant")
    missing = [key for key in keys if isinstance(row, dict) and key not in row]
    if missing:
        message = f"Field required: {', '.join(missing)}"
        raise ValueError(message)
    return row


class _ByHand:
    """A URN may be given as a number, a day as text."""

    def __post_init__(self) -> None:
        for name, read in (("urn", read_urn), ("date", read_day)):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, read(value))

    def fits(self, duty: "Duty") -> bool:
        """Whether a patrol is among those that are set or ruled out."""
        names = ("officer", "urn", "date", "variant", "window")
        return all(getattr(self, name) in {None, getattr(duty, name)} for name in names)


EveryKey = BeforeValidator(_require_every_key)


@with_config(RECORD)
@dataclass(frozen=True)
class Lock(_ByHand):
    """A duty set by hand: this officer patrols this school on this day.

    An officer may be locked to a school that is not in their care: a lead may lend an officer.
    """

    officer: str
    urn: str
    date: Day
    variant: StrictCount | None = None
    """0 for the school's best patrol of the officer's mode in its window, 1 for its first
    variant...; None leaves the choice open."""
    window: str | None = None
    """Of `[week] windows`; None leaves the choice open, where there are several."""


@with_config(RECORD)
@dataclass(frozen=True)
class Ban(_ByHand):
    """A duty ruled out by hand; None means all.

    `Ban(officer="SSO-01", date=day)` keeps an officer free on a day, `Ban(urn="900001")` leaves
    a school out, `Ban(urn="900001", variant=2)` one of its routes.
    """

    officer: str | None = None
    urn: str | None = None
    date: Day | None = None
    variant: StrictCount | None = None
    window: str | None = None


@with_config(RECORD)
@dataclass(frozen=True)
class Draw:
    """How a week was drawn, see `patrolplan.team.draw`."""

    number: StrictCount
    """1 for the first draw of a week with its team's secret, 2 where it was drawn again..."""
    commitment: str
    """A digest of the key of the draw, which only those who hold the secret can make; empty where
    there was no secret: then the settings' seed drew the week, and anyone can draw it again."""
    give: Amount  # share of the best week's worth that the draw might give up
    best_worth: Amount  # worth of the best week that was found
    digest: str  # of all duties as they were drawn
    locks: tuple[Lock, ...] = ()
    bans: tuple[Ban, ...] = ()  # changes by hand before the draw
    data: str = ""
    """Short digest of the data and settings that it was drawn from, see `patrolplan.provenance`:
    those of the week may be newer, since tables are changed on the board."""
    limits: SearchLimits | None = None
    """How far the best week was searched for; None for the default."""


@with_config(RECORD)
@dataclass(frozen=True)
class Foreseen:
    """Shares of a week's visits that its insiders could name, by hotspot, day and quarter hour.

    Insiders know the tool and its data, but not the secret.
    """

    hotspot_quarter: Amount  # without locks and bans
    with_locks: Amount  # with the week's locks and bans


@with_config(RECORD)
@dataclass(frozen=True)
class Visitor:
    """Who makes a visit that meets a demand."""

    officer: str
    urn: str
    date: Day
    arrive: str  # HH:MM


PLACE_KEYS = tuple(dict.fromkeys(kind.key for kind in KINDS.values()))


@also_writes(instead_of="place", place_id=str | None, hotspot=str | None, square=str | None)
@dataclass(frozen=True)
class DemandOutcome:
    """A demand of the week, and who meets it or why not."""

    kind: DemandKind
    place: Annotated[str, Field(exclude=True)]
    """Name of the tasked place, of the hotspot, or of the square."""
    date: Day | None  # its day; None where any day of the week counts
    visits: StrictCount
    met_by: tuple[Visitor, ...] = ()
    why: Obstacle | None = None  # why it is not met, or not fully; None where it is

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        names = dict.fromkeys(PLACE_KEYS, None) | {KINDS[self.kind].key: self.place}
        return arrange(handler(self), kind=names)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        places = (row.get(name) for name in PLACE_KEYS)
        return row | {"place": next((one for one in places if isinstance(one, str)), "")}

    @property
    def is_met(self) -> bool:
        """Whether it has all its visits."""
        return len(self.met_by) >= self.visits


@with_config(RECORD)
@dataclass(frozen=True)
class TrialCell:
    """What a trial drew for one hotspot on one day."""

    hotspot: str  # by its name in the trial's file
    date: Day
    treated: Annotated[bool, Strict()]  # whether it may have patrols


@with_config(RECORD)
@dataclass(frozen=True)
class WeekTrial:
    """The trial that a week is part of, and what it drew for the week's days."""

    title: str
    drawn: tuple[TrialCell, ...]


UnmetKind = Literal["visit", "minimum", "street", "day", "closed"]
"""A demand without all its visits; a school with fewer patrols than promised to every school; a
street with most risk where no patrol stops; a school's day without a patrol; a day it is closed."""


@with_config(RECORD)
@dataclass(frozen=True)
class Unmet:
    """What the week does not reach, why, and what a lead can do about it."""

    kind: UnmetKind
    what: str  # the place, street or school, as papers call it
    why: str  # the end of a sentence
    fix: str = ""
    urn: str | None = None
    place: str | None = None
    """Name of the tasked place, of the hotspot, or of the square."""
    date: Day | None = None
    """Its day; None where any day of the week counts."""

    def __str__(self) -> str:
        when = "" if self.date is None else f" on {self.date:%A}"
        return f"{self.what}{when}: {self.why}"


@with_config(RECORD)
@dataclass(frozen=True)
class HandChange:
    """A change by hand."""

    when: str  # YYYY-MM-DD HH:MM
    what: str  # in plain words


@with_config(RECORD)
@dataclass(frozen=True)
class StayRow:
    """From when to when a patrol is at a place, see `patrolplan.team.stays`."""

    officer: str
    date: Day
    window: str
    urn: str
    place: str
    from_minutes: Annotated[Minutes, Field(alias="from")]
    to_minutes: Annotated[Minutes, Field(alias="to")]
    tasked: str | None
    kind: StayKind


@with_config(RECORD)
@dataclass(frozen=True)
class PlaceStay:
    """From when to when officers are at a place: a summary of the stays."""

    id: str
    date: Day
    from_minutes: Annotated[Minutes, Field(alias="from")]
    to_minutes: Annotated[Minutes, Field(alias="to")]
    officers: tuple[str, ...]
