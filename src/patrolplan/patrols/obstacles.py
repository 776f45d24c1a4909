"""Why nobody goes to a place: the obstacle as facts, and its words for each reader.

A lead is told everything. A school, and the poster in its corridor, are never told of officers,
tasked or barred places, or hours: obstacles that are of these share one sentence.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, with_config

from patrolplan.patrols.file_forms import RECORD, Hours, Texts

# fmt: off
ObstacleKind = Literal["hours_unmet", "unfit", "near_barred", "outside_hours", "out_of_reach",
                       "no_school", "beyond_schools", "no_hotspot", "other_days", "schools_closed",
                       "officers_short"]
# fmt: on
"""Kinds of obstacles: those of a single school first, the nearest miss of them first."""

# fmt: off
OfficerObstacle = Literal["free", "without_second", "over_maximum", "elsewhere", "locked",
                          "at_maximum", "banned", "off_hours", "away"]
# fmt: on
"""What keeps an officer from a place, the smallest obstacle first."""

NOT_PLANNED = "no patrol could be planned there"

ASK_LOCAL_TEAM = "Ask the local team"
SWAP = "Try a swap on the board, or add an officer"


class ObstacleWords(NamedTuple):
    """What is said of a kind of obstacles, each without a full stop."""

    lead: str  # begins in the middle of a sentence
    school: str  # the end of a sentence, in which no school learns of officers, places or hours
    fix: str  # what a lead can do about it


WORDS: dict[ObstacleKind, ObstacleWords] = {
    "hours_unmet": ObstacleWords(
        "its hours {hours} cannot be met: {earliest} is the earliest, from {school}",
        "it cannot be reached in time",
        "Widen its hours, or ask the local team",
    ),
    "unfit": ObstacleWords(
        "it does not fit into the window of {school}",
        "it is too far to fit into a patrol",
        "Lengthen the school's window, or ask the local team",
    ),
    "near_barred": ObstacleWords(
        "it cannot be visited: barred place {barred} is too near",
        NOT_PLANNED,
        "Lift the bar, or drop the place",
    ),
    "outside_hours": ObstacleWords(
        "its hours {hours} are outside all patrols",
        NOT_PLANNED,
        "Change its hours, or ask the local team",
    ),
    "out_of_reach": ObstacleWords(
        "it is on no school's streets: {school}, the nearest, is {metres:,.0f} m away",
        "it is beyond the streets that a patrol can reach on foot",
        ASK_LOCAL_TEAM,
    ),
    "no_school": ObstacleWords(
        "it is for none of the schools that are planned",
        "no school's patrol has it on its way",
        "Name a school for it",
    ),
    "beyond_schools": ObstacleWords(
        "no school whose patrols leave the gate has it within reach",
        "no school's patrol has it on its way",
        ASK_LOCAL_TEAM,
    ),
    "no_hotspot": ObstacleWords(
        "no priority street has its stopping place there, so that no patrol stops there",
        "no street there is one at which patrols stop",
        ASK_LOCAL_TEAM,
    ),
    "other_days": ObstacleWords(
        "it is designated for days that are not in this week",
        NOT_PLANNED,
        "Tell those who designated it",
    ),
    "schools_closed": ObstacleWords(
        "the schools that may serve it are closed that day",
        "the schools from which patrols go there are closed",
        ASK_LOCAL_TEAM,
    ),
    "officers_short": ObstacleWords(
        "too few go there from {schools}: {officers}",
        "the officers who could go there are needed elsewhere",
        SWAP,
    ),
}

OFFICER_WORDS: dict[OfficerObstacle, tuple[str, str]] = {
    "free": ("free", "{officer} is free, but one more patrol there adds nothing to the week"),
    "without_second": (
        "without a second person",
        "{officer} needs someone to walk along, and nobody is free to",
    ),
    "over_maximum": (
        "over a day's maximum with",
        "{officer} is free, but {places} would get more than the maximum of {most} minutes",
    ),
    "elsewhere": ("on patrol elsewhere", "{officer} patrols URN {urn} that day"),
    "locked": ("locked elsewhere", "{officer} patrols URN {urn} that day"),
    "at_maximum": (
        "at the most patrols of a week",
        "{officer} has reached the maximum of {most} patrols",
    ),
    "banned": ("ruled out by hand", "{officer} is ruled out by a ban"),
    "off_hours": ("not in the hours of", "{why}"),
    "away": ("off duty or absent", "{officer} is {why}"),
}
"""What keeps officers from a place, for the lead: before their names, and of one as a sentence."""


@with_config(RECORD)
@dataclass(frozen=True)
class Obstacle:
    """Why nobody goes to a place; facts that its kind has no words for stay empty."""

    kind: ObstacleKind
    place: str = ""
    """Name of the tasked place, of the hotspot, or of the square."""
    school: str = ""
    """Name of the school that comes nearest to a visit."""
    hours: Hours = ""
    earliest: str = ""
    """HH:MM of the earliest arrival."""
    barred: str = ""
    """Name of the barred place that is too near."""
    metres: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """From the nearest gate, in a straight line."""
    schools: Texts = ()
    """Names of the schools that may serve it."""
    officers: dict[OfficerObstacle, Texts] = field(default_factory=dict, hash=False)
    """Officers who could not go, by what keeps them."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: fact for name, fact in handler(self).items() if fact}

    @property
    def rank(self) -> tuple[int, str, float]:
        """Sort key: the nearest miss comes first."""
        return get_args(ObstacleKind).index(self.kind), self.earliest, self.metres

    @property
    def fix(self) -> str:
        """What a lead can do about it."""
        return WORDS[self.kind].fix

    def tell_lead(self) -> str:
        """All of it, as the end of a sentence whose beginning names the place."""
        officers = "; ".join(
            f"{words} {', '.join(self.officers[what])}"
            for what, (words, _) in OFFICER_WORDS.items()
            if self.officers.get(what)
        )
        facts = vars(self) | {
            "hours": self.hours.replace("-", " to "),
            "schools": " or ".join(self.schools),
            "officers": officers or "none of their officers has such a patrol",
        }
        return WORDS[self.kind].lead.format(**facts)

    def tell_school(self) -> str:
        """What a school may know of it, as the end of a sentence."""
        return WORDS[self.kind].school
