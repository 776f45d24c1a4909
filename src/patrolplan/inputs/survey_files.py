"""Files of surveys: read, checked against their form, and each survey counted once.

All here is raw: only `survey_counts` may use it, see `patrolplan.privacy`. No message shows a value
or a key, since both may be what a pupil wrote; a file that does not match is refused as a whole.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic

from patrolplan.crs import find_squares
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import survey_form
from patrolplan.inputs.formats import read_bounded
from patrolplan.inputs.reports import ALLOWED_VALUES
from patrolplan.inputs.schools import PLAIN_URN
from patrolplan.inputs.timestamps import PLAUSIBLE_YEARS, RELEASED
from patrolplan.privacy import FACTORS

MAX_FILE_BYTES = 5_000_000
MAX_PUPILS = 5_000  # More than any school has; a file of them, with all places, has 3 MB
MIN_EQUAL_ANSWERS, MIN_WHOLE_ANSWERS = 5, 2  # Alike under two IDs, to a decimetre: a copy
MIN_EQUAL_SQUARES, MOST_SQUARES = 3, 2 / 3
"""Minimum number of squares for a tally of another day to be a copy, and the share of all squares
of two files of one school and day that have as many pupils, or one more or less."""

OUR_FILES = "give only the files that the pages of `patrolplan survey --school` saved, as they are"
FAR = 10**6  # Beyond every square

Pupils = Annotated[int, pydantic.Field(ge=0, le=MAX_PUPILS)]
Part = Annotated[int, pydantic.Field(ge=-FAR, le=FAR)]
Counts = dict[str, Pupils]
FIRST, LAST = (dt.date(year, 1, 1) for year in PLAUSIBLE_YEARS)
Day = Annotated[dt.date, pydantic.Field(ge=FIRST, le=LAST)]


def _require(*conditions: bool) -> None:
    """Raise the error that pydantic takes up, unless all conditions are met."""
    if not all(conditions):
        raise ValueError


class _Form(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @pydantic.field_validator(*FACTORS, check_fields=False)
    @classmethod
    def _check_words(cls, value: str | Counts, info: Any) -> str | Counts:  # noqa: ANN401 - as pydantic
        words = [value] if isinstance(value, str) else value
        _require(set(words) <= set(ALLOWED_VALUES[info.field_name]))
        return value


class _Answer(_Form):
    time_band: str
    place_factor: str
    behaviour_factor: str
    longitude: float
    latitude: float


class _Square(_Form):
    square: Annotated[list[Part], pydantic.Field(min_length=3, max_length=3)]
    pupils: Pupils
    time_band: Counts
    place_factor: Counts
    behaviour_factor: Counts

    @pydantic.model_validator(mode="after")
    def _add_up(self) -> Self:
        _require(*(sum(getattr(self, column).values()) <= self.pupils for column in FACTORS))
        return self


class _Head(_Form):
    id: Annotated[str, pydantic.Field(pattern=r"^[0-9a-f]{32}$")]
    school_urn: Annotated[str, pydantic.Field(pattern=f"^{PLAIN_URN.pattern}$")]
    day: Day
    pupils: Pupils


class _AnswersFile(_Head):
    form: Literal["patrolplan survey 1"]
    answers: list[_Answer]

    @pydantic.model_validator(mode="after")
    def _add_up(self) -> Self:
        _require(len(self.answers) <= survey_form.MAX_PLACES * self.pupils)
        return self

    def count(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Each thing that was answered, and how often."""
        for one in self.answers:
            given = (one.time_band, one.place_factor, one.behaviour_factor)
            yield (*given, one.longitude, one.latitude), 1


class _TallyFile(_Head):
    form: Literal["patrolplan tally 1"]
    squares: list[_Square]

    @pydantic.model_validator(mode="after")
    def _add_up(self) -> Self:
        counts = [one.pupils for one in self.squares]
        _require(
            max(counts, default=0) <= self.pupils,
            sum(counts) <= survey_form.MAX_PLACES * self.pupils,
            len({tuple(one.square) for one in self.squares}) == len(self.squares),
        )
        return self

    def count(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Each thing that was answered, and how often."""
        for one in self.squares:
            yield (*one.square, "pupils", ""), one.pupils
            for column in FACTORS:
                for word, count in getattr(one, column).items():
                    yield (*one.square, column, word), count


FILE = pydantic.TypeAdapter[_AnswersFile | _TallyFile](
    Annotated[_AnswersFile | _TallyFile, pydantic.Field(discriminator="form")]
)
KEYS = frozenset(
    key for model in (_Answer, _Square, _AnswersFile, _TallyFile) for key in model.model_fields
)


@dataclass(frozen=True, eq=False)
class Survey:
    """The answers of one class, from the fullest of its files, which stands first in `files`."""

    # `content` is how often each was answered: of answers, time band, place factor, behaviour
    # factor, longitude, latitude; of a tally, the square's three numbers, a column and a word, or
    # "pupils" and an empty word for those who marked the square.

    form: survey_form.Form
    id: str
    school_urn: str
    day: dt.date
    pupils: int
    content: Counter[tuple[Any, ...]]
    files: tuple[Path, ...]

    def holds(self, other: "Survey") -> bool:
        """Whether it is the same page, saved with at least as much in it."""
        is_same = (self.form, self.school_urn) == (other.form, other.school_urn)
        return is_same and self.pupils >= other.pupils and self.content >= other.content


def read_surveys(
    paths: Sequence[Path], *, urns: Collection[str] | None = None, today: dt.date | None = None
) -> tuple[list[Survey], list[survey_form.RepeatedFile]]:
    """Surveys in the order of their IDs, and the files that only repeat one."""
    # One of no school in `urns` (None: any), or of a day after `today`, is refused.
    problems, surveys = Problems(), list[Survey]()
    # A clock that runs behind must not refuse today's surveys.
    newest = max(today or dt.datetime.now().astimezone().date(), RELEASED.date())
    for path in sorted({survey_form.find_real_path(path): path for path in paths}.values()):
        with problems.collect():
            surveys.append(_read_survey(path, urns, newest))
    distinct, repeated = list[Survey](), list[survey_form.RepeatedFile]()
    for _, same in groupby(sorted(surveys, key=attrgetter("id")), attrgetter("id")):
        with problems.collect():
            survey, again = _choose_fullest(same)
            distinct.append(survey)
            repeated.extend(again)
    for one, other in combinations(distinct, 2):
        if _is_same_class(one, other):  # counted twice it could reach the threshold
            what = f"has the answers of {other.files[0]} again, under another ID or in another form"
            remedy = "give only one of them; enter two classes of one day on one page"
            problems.add(one.files[0], what, remedy)
    problems.raise_if_any()
    return distinct, repeated


def _read_survey(path: Path, urns: Collection[str] | None, newest: dt.date) -> Survey:
    content = read_bounded(path, MAX_FILE_BYTES, OUR_FILES)
    try:
        file = FILE.validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        more = f" (of {error.error_count():,} such places)" if error.error_count() > 1 else ""
        what = f"is not as a survey's page saves it{more}, "
        what += "so it is cut off, changed or another file"
        # Where it is wrong, only in words of the form.
        place = ", ".join(
            f"number {part + 1:,} of them" if isinstance(part, int) else f"'{part}'"
            for part in first["loc"]
            if isinstance(part, int) or part in KEYS
        )
        raise InputError.one(path, what, OUR_FILES, place) from None
    if urns is not None and file.school_urn not in urns:
        what = f"is of the school '{file.school_urn}', which is not among those of the settings"
        remedy = "check that the file is meant for this area, and [schools]"
        raise InputError.one(path, what, remedy)
    if file.day > newest:
        what = f"is of {file.day}, a day to come"
        remedy = "set the clock of the device, and correct 'day' in the file"
        raise InputError.one(path, what, remedy)
    counts = Counter[tuple[Any, ...]]()
    for answered, count in file.count():
        counts[answered] += count
    return Survey(file.form, file.id, file.school_urn, file.day, file.pupils, +counts, (path,))


def _choose_fullest(same: Iterable[Survey]) -> tuple[Survey, list[survey_form.RepeatedFile]]:
    """The fullest of the files of one ID, which must hold all that the others do."""
    first, *others = sorted(same, key=lambda one: (-one.pupils, -one.content.total()))
    repeated = list[survey_form.RepeatedFile]()
    for other in others:
        if not first.holds(other):
            what = f"has the same ID as {first.files[0]}, but neither holds all of the other"
            raise InputError.one(other.files[0], what, "give only the one that is right")
        files, is_fuller = (other.files[0], first.files[0]), not other.holds(first)
        repeated.append(survey_form.RepeatedFile(*files, is_fuller))
    return replace(first, files=tuple(one.files[0] for one in (first, *others))), repeated


def _is_same_class(one: Survey, other: Survey) -> bool:
    """Whether half of the answers are alike to the decimetre, or most squares of a day or all."""
    if one.form == other.form == survey_form.ANSWERS_FORM:
        least = min(one.content.total(), other.content.total())
        if one.content == other.content:
            return least >= MIN_WHOLE_ANSWERS
        return (one.content & other.content).total() >= max(MIN_EQUAL_ANSWERS, least / 2)
    squares, others = _count_squares(one), _count_squares(other)
    if one.school_urn != other.school_urn or not squares:
        return False
    if one.day != other.day:
        return len(squares) >= MIN_EQUAL_SQUARES and squares == others
    near = sum(abs(squares[name] - others[name]) <= 1 for name in {*squares} & {*others})
    return near >= MOST_SQUARES * len({*squares} | {*others})


def _count_squares(survey: Survey) -> Counter[tuple[Any, ...]]:
    """How many pupils marked each square."""
    counts = Counter[tuple[Any, ...]]()
    for key, count in survey.content.items():
        if survey.form == survey_form.TALLY_FORM and key[3] == "pupils":
            counts[key[:3]] += count
        elif survey.form == survey_form.ANSWERS_FORM:
            counts[tuple(find_squares([key[-2:]])[0].tolist())] += count
    return counts
