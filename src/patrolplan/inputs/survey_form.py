"""The files of a school's survey: what their pages write and `patrolplan survey --read` takes.

Two forms hold what one class answered, in JSON. An answers file comes from the page that pupils
fill in one after the other: each marked place is a separate answer, in random order, so that
answers of one pupil cannot be linked. A tally file comes from the page on which a teacher
enters what a class ticked on paper: counts by square of the fixed grid. Neither holds a name, a
time of day at which it was filled in, nor where the device was. `id` is random, made when a page is
opened, and only says that two files are the same one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

ANSWERS_FORM: Final = "patrolplan survey 1"
TALLY_FORM: Final = "patrolplan tally 1"
Form = Literal["patrolplan survey 1", "patrolplan tally 1"]

RECORD_FORM = "patrolplan survey record 1"
"""The form of the record of what was read, which a pattern such as `*.json` may match as well."""

MAX_PLACES = 3
"""Maximum number of places that one pupil may mark."""

APART_METRES = 360.0
"""Minimum distance of one pupil's places: more than the diagonal of a square of the fixed
grid (353.6 m), so that no pupil counts twice in a square."""


@dataclass(frozen=True)
class RepeatedFile:
    """A file that was not counted, since another one has the same survey."""

    file: Path
    counted: Path
    is_fuller: bool
    """Whether the other one has more; otherwise they are equal."""


def find_real_path(path: Path) -> Path:
    """The file that a path leads to; a link that leads back to itself stays as it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()
