"""What officers do besides patrols; no other module compares the names of these kinds."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DutyKind:
    """A kind of duty: its words, and where it may be."""

    words: str  # on papers and the board
    is_travelled: bool = True  # whether an officer travels there and back
    is_at_school: bool = False  # whether it may be at one of the schools
    is_at_home_of_pupil: bool = False  # its place is then held only as the middle of a square
    is_entered: bool = True  # by people; else only read from calendars


DUTY_KINDS: Mapping[str, DutyKind] = {
    "leave": DutyKind(words="Leave", is_travelled=False),
    "sick": DutyKind(words="Sick leave", is_travelled=False),
    "court": DutyKind(words="Court"),
    "training": DutyKind(words="Training"),
    "assembly": DutyKind(words="Assembly", is_at_school=True),
    "meeting": DutyKind(words="Meeting", is_at_school=True),
    "interview": DutyKind(words="Interview", is_at_school=True),
    "home_visit": DutyKind(words="Home visit", is_at_home_of_pupil=True),
    "event": DutyKind(words="Event", is_at_school=True),
    "away": DutyKind(words="Not available", is_entered=False),
}
"""Every kind by its name in files; `away` is from calendars that only show an officer as busy."""
