"""Files of surveys: read, checked against their form, and each survey counted once.

Everything here is raw: the answers of one class, place by place. Only `patrolplan.inputs.
survey_counts` may use it, which returns only counts; see `patrolplan.privacy` for the rules. A file
that does not match its form is refused as a whole. A message names the file, the place in it and
what to do; it shows neither a value nor a key, since both may be what a pupil wrote.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from patrolplan.crs import find_squares
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import survey_form
from patrolplan.inputs.reports import ALLOWED_VALUES
from patrolplan.inputs.schools import PLAIN_URN
from patrolplan.inputs.timestamps import PLAUSIBLE_YEARS, RELEASED
from patrolplan.privacy import FACTORS

MAX_FILE_BYTES = 5_000_000
MAX_PUPILS = 5_000
"""Maximum number of pupils, more than any school has; a file of them, with all places, has 3 MB."""

MIN_EQUAL_ANSWERS, MIN_WHOLE_ANSWERS = 5, 2
"""Minimum number of equal answers under two IDs for a copy: places are exact to a decimetre."""

MIN_EQUAL_SQUARES, MOST_SQUARES = 3, 2 / 3
"""Minimum number of squares for a tally of another day to be a copy, and the share of all squares
of two files of one school and day that have as many pupils, or one more or less."""

MAX_PROBLEMS = 5
"""Maximum number of problems of one file that are listed; further ones are only counted."""

SAVE_AGAIN = "save it again from its own page"


OWN_ERROR: Final = "survey"  # Type of our own errors, whose messages show no value
NO_DAY: Final = "is not a day that exists, as YYYY-MM-DD"
TOO_MANY_PLACES: Final = "has more places than the pupils who took part may mark"


def _check_word(column: str, word: str) -> str:
    if word not in ALLOWED_VALUES[column]:
        raise PydanticCustomError(OWN_ERROR, "is not one of the words of the form")
    return word


def _check_day(text: str) -> str:
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day alone
    except ValueError:
        raise PydanticCustomError(OWN_ERROR, NO_DAY) from None
    if f"{day}" != text or not PLAUSIBLE_YEARS[0] <= day.year <= PLAUSIBLE_YEARS[1]:
        raise PydanticCustomError(OWN_ERROR, NO_DAY)
    return text


def _check_counts(column: str, counts: object) -> object:
    """Refuse other words before pydantic does, whose place of an error would show the word."""
    if not isinstance(counts, dict) or not set(counts) <= set(ALLOWED_VALUES[column]):
        raise PydanticCustomError(OWN_ERROR, "holds a word that is not of the form")
    if not all(type(count) is int and 0 <= count <= MAX_PUPILS for count in counts.values()):
        raise PydanticCustomError(OWN_ERROR, "holds a count that is not a whole number of pupils")
    return counts


TimeBand = Annotated[str, AfterValidator(partial(_check_word, "time_band"))]
PlaceFactor = Annotated[str, AfterValidator(partial(_check_word, "place_factor"))]
BehaviourFactor = Annotated[str, AfterValidator(partial(_check_word, "behaviour_factor"))]
Counts = dict[str, int]
Pupils = Annotated[int, Field(ge=0, le=MAX_PUPILS)]


class _Form(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class _Answer(_Form):
    time_band: TimeBand
    place_factor: PlaceFactor
    behaviour_factor: BehaviourFactor
    longitude: float
    latitude: float


class _Square(_Form):
    square: Annotated[list[int], Field(min_length=3, max_length=3)]
    pupils: Pupils
    time_band: Annotated[Counts, BeforeValidator(partial(_check_counts, "time_band"))]
    place_factor: Annotated[Counts, BeforeValidator(partial(_check_counts, "place_factor"))]
    behaviour_factor: Annotated[Counts, BeforeValidator(partial(_check_counts, "behaviour_factor"))]

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if any(sum(getattr(self, column).values()) > self.pupils for column in FACTORS):
            raise PydanticCustomError(
                OWN_ERROR, "has more ticks in a column than pupils who marked the square"
            )
        return self


class _Head(_Form):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    school_urn: Annotated[str, Field(pattern=f"^{PLAIN_URN.pattern}$")]
    day: Annotated[str, AfterValidator(_check_day)]
    pupils: Pupils


class _AnswersFile(_Head):
    form: Literal["patrolplan survey 1"]
    answers: Annotated[list[_Answer], Field(max_length=survey_form.MAX_PLACES * MAX_PUPILS)]

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if len(self.answers) > survey_form.MAX_PLACES * self.pupils:
            raise PydanticCustomError(OWN_ERROR, TOO_MANY_PLACES)
        return self

    def count(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Each thing that was answered, and how often."""
        for one in self.answers:
            given = (one.time_band, one.place_factor, one.behaviour_factor)
            yield (*given, one.longitude, one.latitude), 1


class _TallyFile(_Head):
    form: Literal["patrolplan tally 1"]
    squares: Annotated[list[_Square], Field(max_length=survey_form.MAX_PLACES * MAX_PUPILS)]

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        counts = [one.pupils for one in self.squares]
        if max(counts, default=0) > self.pupils:
            raise PydanticCustomError(OWN_ERROR, "has more pupils in a square than took part")
        if sum(counts) > survey_form.MAX_PLACES * self.pupils:
            raise PydanticCustomError(OWN_ERROR, TOO_MANY_PLACES)
        if len({tuple(one.square) for one in self.squares}) < len(self.squares):
            raise PydanticCustomError(OWN_ERROR, "has a square more than once")
        return self

    def count(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Each thing that was answered, and how often."""
        for one in self.squares:
            yield (*one.square, "pupils", ""), one.pupils
            for column in FACTORS:
                for word, count in getattr(one, column).items():
                    yield (*one.square, column, word), count


FILES: dict[str, type[_AnswersFile | _TallyFile]] = {
    survey_form.ANSWERS_FORM: _AnswersFile,
    survey_form.TALLY_FORM: _TallyFile,
}


@dataclass(frozen=True, eq=False)
class Survey:
    """The answers of one class, from the fullest of its files, which stands first in `files`.

    `content` is how often each thing was answered: of an answers file, time band, place factor,
    behaviour factor, longitude and latitude; of a tally, the square's three numbers, a column and a
    word of it, or "pupils" and an empty word for those who marked the square.
    """

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
            survey = _read_survey(path)
            _check_survey(survey, path, urns, newest)
            surveys.append(survey)
    distinct, repeated = list[Survey](), list[survey_form.RepeatedFile]()
    for _, same in groupby(sorted(surveys, key=attrgetter("id")), attrgetter("id")):
        with problems.collect():
            survey, again = _choose_fullest(same)
            distinct.append(survey)
            repeated.extend(again)
    _check_copies(distinct, problems)
    problems.raise_if_any()
    return distinct, repeated


def _read_survey(path: Path) -> Survey:
    data = _parse_json(path, _read_content(path))
    form = data.get("form") if isinstance(data, dict) else None
    if form == survey_form.RECORD_FORM:
        what = "is the record of surveys that were read, not a survey"
        raise InputError.one(path, what, "leave it out")
    model = FILES.get(form) if isinstance(form, str) else None
    if model is None:
        what = "is not a file of a survey: it is not of the form that its page saves"
        remedy = "give only the files that the pages of `patrolplan survey --school` save"
        raise InputError.one(path, what, remedy)
    try:
        file = model.model_validate(data)
    except ValidationError as error:
        _raise_problems(path, error.errors(include_input=False, include_url=False))
    content = Counter[tuple[Any, ...]]()
    for answered, count in file.count():
        content[answered] += count
    day = dt.date.fromisoformat(file.day)
    return Survey(file.form, file.id, file.school_urn, day, file.pupils, +content, (path,))


def _read_content(path: Path) -> str:
    """The text of a file that is not too large, and is text."""
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "the file does not exist"
            raise InputError.one(path, what, "name the files that the survey's page saved")
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise InputError.one(path, what, "check that you may read it") from None
    if len(content) > MAX_FILE_BYTES:
        what = f"is larger than {MAX_FILE_BYTES // 1_000_000} MB, which no survey is"
        raise InputError.one(path, what, "give only the files that the survey's page saved")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        what = "is not text in UTF-8, as a survey's page saves it"
        raise InputError.one(path, what, "give the file as the page saved it") from None


def _parse_json(path: Path, text: str) -> Any:  # noqa: ANN401 - whatever JSON can hold
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_build_object)
    except (ValueError, RecursionError):  # also a number too long, lists too deep
        what = "is not JSON as a survey's page saves it"
        raise InputError.one(path, what, f"{SAVE_AGAIN}: it may be cut off") from None


def _refuse(_: str) -> NoReturn:
    """NaN and infinities, which JSON does not have."""
    raise ValueError


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one with a duplicate key is refused, as it could be read in two ways."""
    built = dict(pairs)
    if len(built) < len(pairs):
        raise ValueError
    return built


WORDING = {
    "missing": "is missing",
    "extra_forbidden": "holds a key that its form does not have",
    "string_pattern_mismatch": "is not written as its form has it",
    "finite_number": "is not a number",
}
"""What is wrong, by pydantic's type of error; for any other, the value has the wrong form."""

KEYS = frozenset(
    key for model in (_Answer, _Square, _AnswersFile, _TallyFile) for key in model.model_fields
)


def _raise_problems(path: Path, errors: Sequence[ErrorDetails]) -> NoReturn:
    problems = Problems()
    for error in errors[:MAX_PROBLEMS]:
        kind = error["type"]
        words = error["msg"] if kind == OWN_ERROR else WORDING.get(kind, "is not of its form")
        problems.add(path, words, SAVE_AGAIN, _describe_place(error["loc"], kind))
    if (more := len(errors) - MAX_PROBLEMS) > 0:
        problems.add(path, f"has {more:,} more problems of this kind", SAVE_AGAIN)
    problems.raise_if_any()
    raise AssertionError  # there is no error without a problem


def _describe_place(place: tuple[int | str, ...], kind: str) -> str:
    """Where in a file something is wrong, only in words of the form."""
    own = place[:-1] if kind == "extra_forbidden" else place
    words = list[str]()
    for part in own:
        if isinstance(part, int):
            words.append(f"number {part + 1:,} of them")
        elif part in KEYS:
            words.append(f"'{part}'")
    return ", ".join(words)


def _check_survey(
    survey: Survey, path: Path, urns: Collection[str] | None, newest: dt.date
) -> None:
    problems = Problems()
    if urns is not None and survey.school_urn not in urns:
        what = f"is of the school '{survey.school_urn}', which is not among those of the settings"
        problems.add(path, what, "check that the file is meant for this area, and [schools]")
    if survey.day > newest:
        what = f"is of {survey.day}, a day to come"
        problems.add(path, what, "set the clock of the device, and correct 'day' in the file")
    problems.raise_if_any()


def _choose_fullest(same: Iterable[Survey]) -> tuple[Survey, list[survey_form.RepeatedFile]]:
    """The fullest of the files of one ID, which must hold all that the others do."""
    first, *others = sorted(same, key=lambda one: (-one.pupils, -one.content.total()))
    repeated = list[survey_form.RepeatedFile]()
    for other in others:
        if not first.holds(other):
            what = f"has the same ID as {first.files[0]}, but neither holds all of the other"
            raise InputError.one(other.files[0], what, "give only the one that is right")
        repeated.append(
            survey_form.RepeatedFile(
                other.files[0], first.files[0], is_fuller=not other.holds(first)
            )
        )
    return replace(first, files=tuple(one.files[0] for one in (first, *others))), repeated


def _check_copies(surveys: Sequence[Survey], problems: Problems) -> None:
    """Refuse what one class answered under two IDs: counted twice it could reach the threshold."""
    for one, other in combinations(surveys, 2):
        if _is_same_class(one, other):
            what = f"has the answers of {other.files[0]} again, under another ID or in another form"
            remedy = "give only one of them; enter two classes of one day on one page"
            problems.add(one.files[0], what, remedy)


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
