"""The trial file: the lead's decisions, and what is fixed when the trial is sealed.

Before the sealing the file holds the lead's decisions, and any key may be left out. Sealing adds
the hotspots, their sets, the expected incidents of each, the days, the power and the commitment.
From then on nothing in it changes: the key that draws the trial depends on all of it, so a file
with a single altered letter no longer matches its commitment.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError

from patrolplan.atomic import hash_json, write_file_atomically
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.patrols.file_forms import Amount, Day, FileModel, Latitude, Longitude
from patrolplan.settings.messages import list_problems
from patrolplan.team.secret import Secret, TrialKey
from patrolplan.team.trial.design import Block, Randomise, list_blocks

FORM: Literal["patrolplan trial 1"] = "patrolplan trial 1"
DECIMALS = 6
APART_METRES = 300.0
"""Twice as far as crime may move to (`patrolplan.team.impact.BUFFER_METRES`): so no street is in
the surroundings of two hotspots of a trial."""
MAX_LINES, MAX_POINTS = 2000, 2000

Share = Annotated[float, Field(gt=0, lt=1, strict=True)]
CountedBy = Literal["days", "months"]
Parts = Annotated[int, Field(ge=1, le=5, strict=True)]
Coordinates = Annotated[
    tuple[tuple[Longitude, Latitude], ...], Field(min_length=2, max_length=MAX_POINTS, strict=False)
]


class TrialModel(FileModel):
    """Part of a trial file; unknown keys are refused, since all of it is sealed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class TrialHotspot(TrialModel):
    """A hotspot of a trial: its streets, which no new month of data changes."""

    hotspot: str
    place: str
    set: Annotated[int, Field(ge=1, le=999, strict=True)]
    """Number of its set of matched hotspots."""
    expected: Amount
    """Incidents expected in a day, or a month, without patrols."""
    lines: Annotated[
        tuple[Coordinates, ...], Field(min_length=1, max_length=MAX_LINES, strict=False)
    ]
    """Its streets in degrees."""

    def build_stretch(self, projection: Projection) -> shapely.MultiLineString:
        """Its streets in metres."""

        def to_metres(line: Coordinates) -> NDArray[np.float64]:
            longitude, latitude = np.array(line, dtype=np.float64).T
            return np.column_stack(projection.to_metres(longitude, latitude))

        return shapely.multilinestrings([shapely.linestrings(to_metres(one)) for one in self.lines])


class Seal(TrialModel):
    """What is fixed when a trial is sealed."""

    commitment: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """Commitment of the key that draws it."""
    data_until: Day
    """Last day of the crimes that were known."""
    counted_by: CountedBy
    categories: Annotated[tuple[str, ...], Field(min_length=1, max_length=99, strict=False)]
    """Categories that are counted."""
    history_months: Annotated[int, Field(ge=1, le=999, strict=True)]
    """Months that the expectations are computed from."""
    dispersion: Amount
    """See `patrolplan.team.trial.power.estimate_dispersion`."""
    found_power: Annotated[float, Field(ge=0, le=1, strict=True)]
    """Chance of finding the effect looked for, if it is there."""
    detectable_effect: Annotated[float, Field(ge=0, le=1, strict=True)] | None
    """Least effect that is found with the power that is wanted."""
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=2000, strict=False)]
    """School days of the trial."""
    hotspots: Annotated[tuple[TrialHotspot, ...], Field(min_length=4, max_length=200, strict=False)]


class Trial(TrialModel):
    """A trial file."""

    form: Literal["patrolplan trial 1"] = FORM
    name: Annotated[str, Field(max_length=80)] = ""
    start: Day
    end: Day
    randomise: Randomise = "days"
    """What is drawn, see `patrolplan.team.trial.design`."""
    ratio: Annotated[tuple[Parts, Parts], Field(strict=False)] = (1, 1)
    """Hotspots of a set that have patrols, and those that have none."""
    effect: Share = 0.2
    """Share of incidents that patrols are hoped to prevent."""
    power: Share = 0.8
    """Chance of finding that effect, below which the trial does not start."""
    max_hotspots: Annotated[int, Field(ge=4, le=200, strict=True)] | None = None
    apart_metres: Annotated[float, Field(ge=100, le=5000)] = APART_METRES
    """Minimum distance of two hotspots of the trial, in a straight line."""
    categories: Annotated[tuple[str, ...], Field(max_length=99, strict=False)] = ()
    """Categories that are counted; none: those that count for the risk."""
    sealed: Seal | None = None

    @property
    def title(self) -> str:
        """Its name, or its first day where it has none."""
        return self.name or f"of {self.start}"

    @property
    def seal(self) -> Seal:
        """What was fixed at the sealing.

        Raises
        ------
        ValueError
            When it was not sealed.
        """
        if self.sealed is None:
            message = "the trial was not sealed"
            raise ValueError(message)
        return self.sealed

    @property
    def sets(self) -> int:
        """Sets of matched hotspots."""
        return len(self.seal.hotspots) // sum(self.ratio)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Days that are drawn together."""
        return list_blocks(self.randomise, self.seal.days)

    def compute_digest(self) -> str:
        """A digest of all of it except the commitment, which follows from it."""
        document = build_trial_document(self)
        if document["sealed"] is not None:
            del document["sealed"]["commitment"]
        return hash_json(document)

    def make_key(self, secret: Secret, area: str) -> TrialKey:
        """The key that draws it."""
        return secret.make_trial_key(area, self.compute_digest())


def build_trial_document(trial: Trial) -> dict[str, Any]:
    """The trial as plain values, in a fixed order."""
    return trial.model_dump(mode="json")


def write_trial(trial: Trial, path: Path) -> None:
    """Write a trial file, or leave the one before as it was.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    text = json.dumps(build_trial_document(trial), ensure_ascii=False, indent=1)
    write_file_atomically(path, f"{text}\n".encode())


def read_trial(path: Path) -> Trial:
    """Read a trial file.

    Raises
    ------
    InputError
        When it cannot be read or something in it is wrong, with every reason.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        what = f"the trial cannot be read ({error.strerror or error})"
        raise InputError.one(path, what, "name a trial file") from None
    except (ValueError, RecursionError) as error:
        what = f"is not JSON ({error})"
        raise InputError.one(path, what, "use the file as it was written") from None
    if not isinstance(document, dict):
        raise InputError.one(path, "is not a JSON object", "use the file as it was written")
    try:
        trial = Trial.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise InputError(list_problems(path, error, document, Trial)) from None
    _check(path, trial)
    return trial


def _check(path: Path, trial: Trial) -> None:
    """Raise where parts of a trial contradict each other."""
    what = ""
    if trial.end <= trial.start:
        what = f"end {trial.end} is not after start {trial.start}"
    elif trial.sealed is not None:
        numbers = [hotspot.set for hotspot in trial.sealed.hotspots]
        size = sum(trial.ratio)
        days = trial.sealed.days
        if numbers != [1 + row // size for row in range(len(numbers))] or len(numbers) % size:
            what = f"the hotspots are not in sets of {size}"
        elif list(days) != sorted({*days}) or days[0] < trial.start or days[-1] > trial.end:
            what = "the days are not rising, or not those of the trial"
    if what:
        raise InputError.one(path, what, "use the file as it was written, or correct it")


def check_commitment(path: Path, trial: Trial, key: TrialKey) -> None:
    """Raise where a sealed trial's key does not match its commitment.

    Raises
    ------
    InputError
        When the file was altered after the sealing, or the secret is another.
    """
    if trial.seal.commitment != key.commitment:
        what = "the trial does not fit its commitment: the file or the secret is another one"
        raise InputError.one(path, what, "restore both as they were when the trial was sealed")


def count_months(start: dt.date, end: dt.date) -> int:
    """Calendar months from the one of a day to the one of another."""
    return 12 * (end.year - start.year) + end.month - start.month + 1
