"""The requests that the page may send, checked before anything is done with them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.table_reader import quote_value
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.tables import Reason
from patrolplan.team.week import PatrolSlot


def _parse_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return dt.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            pass
    message = f"{quote_value(value)} is not a valid date; write YYYY-MM-DD"
    raise ValueError(message)


Day = Annotated[dt.date, BeforeValidator(_parse_day)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=99)]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]
From = Annotated[Day, Field(alias="from")]
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
ClockText = Annotated[str, Field(pattern=f"^{CLOCK}$")]
HoursText = Annotated[str, Field(pattern=f"^({CLOCK}-{CLOCK})?$")]
PlaceId = Annotated[str, Field(min_length=1, max_length=60)]
AppointmentKind = Annotated[str, Field(pattern=f"^({'|'.join(DUTY_KINDS)})$")]
Version = Annotated[int, Field(ge=0)]


class BoardRequest(BaseModel):
    """Part of a request; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PatrolReference(BoardRequest):
    """One patrol: who, where, when."""

    officer: Name
    urn: Name
    date: Day
    window: Name = AFTER_SCHOOL

    @property
    def slot(self) -> PatrolSlot:
        """The slot that it names."""
        return PatrolSlot(self.officer, self.urn, self.date, self.window)


class Move(BoardRequest):
    """A patrol goes to another officer, school or day."""

    kind: Literal["move"]
    from_: Annotated[PatrolReference, Field(alias="from")]
    to: PatrolReference


class Swap(BoardRequest):
    """Two patrols change officers, or their days where one officer has both."""

    kind: Literal["swap"]
    a: PatrolReference
    b: PatrolReference


class Add(PatrolReference):
    """One more patrol."""

    kind: Literal["add"]
    variant: Count | None = None


class ChooseVariant(PatrolReference):
    """A patrol takes another route."""

    kind: Literal["variant"]
    variant: Count


class ChangePatrol(PatrolReference):
    """A patrol is removed, stays as it is when the week is solved again, or may change again."""

    kind: Literal["remove", "lock", "unlock"]


class SetCrew(PatrolReference):
    """Who walks along on a patrol; empty for nobody."""

    kind: Literal["crew"]
    crew: Annotated[list[Name], Field(max_length=1)]


class SetBan(BoardRequest):
    """Patrols are ruled out, or allowed again; null means all."""

    kind: Literal["ban", "unban"]
    officer: Name | None = None
    urn: Name | None = None
    date: Day | None = None
    variant: Count | None = None
    window: Name | None = None


class TaskPlace(BoardRequest):
    """A place is tasked: to be visited, or barred."""

    kind: Literal["task"]
    place_id: PlaceId
    longitude: Annotated[float, Field(ge=-180, le=180, strict=False)]
    latitude: Annotated[float, Field(ge=-89, le=89, strict=False)]
    must_visit: bool
    schools: Annotated[list[Name], Field(min_length=1, max_length=500)]
    from_: From
    to: Day
    reason: ShortText
    by: ShortText
    hours: HoursText = ""
    minutes: Annotated[int, Field(ge=1, le=999)] | None = None
    visits: Annotated[int, Field(ge=1, le=9)] = 1
    officers: Annotated[int, Field(ge=1, le=2)] = 1
    weekdays: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri"]], Field(max_length=5)] = []


class ReleasePlace(BoardRequest):
    """A tasked place is removed from the table."""

    kind: Literal["untask"]
    place_id: PlaceId


class SetAway(BoardRequest):
    """An officer is absent from and to a day, or back again; possible patrols stay."""

    kind: Literal["away", "back"]
    officer: Name
    from_: From
    to: Day


class _Appointment(BoardRequest):
    officer: Name
    date: Day
    from_: Annotated[ClockText, Field(alias="from")]


class AddAppointment(_Appointment):
    """An officer has an appointment; patrols that conflict with it are moved or removed."""

    kind: Literal["appoint"]
    to: ClockText
    what: AppointmentKind
    urn: Name | None = None


class RemoveAppointment(_Appointment):
    """An appointment that was entered on the board is removed from the table."""

    kind: Literal["unappoint"]


WeekChange = Move | Swap | Add | ChangePatrol | ChooseVariant | SetBan | SetCrew
RepairedChange = SetAway | TaskPlace | ReleasePlace | AddAppointment | RemoveAppointment
"""Changes after which the week is repaired; all except the first are also written to a table."""
BoardChange = Annotated[WeekChange | RepairedChange, Field(discriminator="kind")]


class VersionedRequest(BoardRequest):
    """A request about the version of the week that the page shows."""

    version: Version


class ChangeRequest(VersionedRequest):
    """A change."""

    change: BoardChange


class CheckRequest(ChangeRequest):
    """A change to try out only; the version does not matter."""

    version: Version = 0


class SolveRequest(VersionedRequest):
    """The week planned again around its locks; by the same draw, or by the next one."""

    draw_again: bool = False


class OffersRequest(VersionedRequest):
    """The best swaps for a gap: a school or a place without a visit, on a day or on any."""

    urn: Name | None = None
    place: Name | None = None
    date: Day | None = None


class TakeOfferRequest(VersionedRequest):
    """One of the changes that were offered."""

    id: Version


class DosesRequest(VersionedRequest):
    """Minutes delivered at each stop of a patrol."""

    duty: PatrolReference
    minutes: Annotated[
        list[Annotated[float, Field(ge=0, le=720, strict=False)]], Field(max_length=50)
    ]
    engagements: Annotated[int, Field(ge=0, le=999)] | None = None
    people: Annotated[int, Field(ge=1, le=99)] | None = None
    """How many came; None for the crew as handed out."""
    reason: Reason | None = None  # why stops had fewer minutes than planned
