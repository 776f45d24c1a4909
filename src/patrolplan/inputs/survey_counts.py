"""Surveys as counts: answers become rows of reports in memory, are counted so, and forgotten.

They enter only in this form, as reports do: see `patrolplan.privacy` for what holds.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.crs import DEGREES, NOWHERE, find_squares, locate_in_squares
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import reports
from patrolplan.inputs.survey_files import Survey, read_surveys
from patrolplan.inputs.survey_form import TALLY_FORM, Form, RepeatedFile
from patrolplan.privacy import FACTORS, ROUNDING_STEP, ReportTable, suppress_and_round
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

NOT_GIVEN = {
    column: reports.UNKNOWN_BAND if reports.UNKNOWN_BAND in allowed else reports.NONE_GIVEN
    for column, allowed in reports.ALLOWED_VALUES.items()
}  # The value in a column of a report without one of its words


@dataclass(frozen=True)
class SurveyEntry:
    """What may be known of one survey: its random ID, school, term, and pupils in steps."""

    id: str
    form: Form
    school_urn: str
    term: SchoolTerm
    pupils: int
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class SurveyCounts:
    """Surveys in the order of their IDs, the counts of all together, and files not counted."""

    entries: tuple[SurveyEntry, ...]
    table: ReportTable
    repeated: tuple[RepeatedFile, ...] = ()


def count_surveys(
    paths: Sequence[Path], *, urns: Collection[str] | None = None, today: dt.date | None = None
) -> SurveyCounts:
    """Read files of surveys and count what they hold by square, all together."""
    # Counts go in steps of `ROUNDING_STEP` whatever the settings: what is written is stored.
    surveys, repeated = read_surveys(paths, urns=urns, today=today)
    entries = tuple(
        SurveyEntry(
            *(one.id, one.form, one.school_urn, find_term(one.day)),
            int(suppress_and_round(one.pupils, ROUNDING_STEP)),
            one.files,
        )
        for one in surveys
    )
    problems, parts = Problems(), list[pd.DataFrame]()
    for survey in surveys:
        with problems.collect():
            is_tally = survey.form == TALLY_FORM
            parts.append(_list_tally(survey) if is_tally else _list_answers(survey))
    problems.raise_if_any()
    rows = pd.concat([pd.DataFrame(columns=list(reports.MEANINGS), dtype=object), *parts])
    table = reports.count_reports(rows.reset_index(drop=True).astype(object), ROUNDING_STEP)
    return SurveyCounts(entries, table, tuple(repeated))


def find_term(day: dt.date) -> SchoolTerm:
    """The school term of a day."""
    return SchoolTerm(day.year, (day.month - 1) // MONTHS_A_TERM)


def _list_answers(survey: Survey) -> pd.DataFrame:
    """Rows of the table of reports, one for each place that was marked."""
    counts = np.fromiter(survey.content.values(), np.int64, len(survey.content))
    rows = pd.DataFrame(list(survey.content), columns=[*FACTORS, "longitude", "latitude"])
    rows = rows.loc[np.repeat(rows.index.to_numpy(), counts)]
    places = {axis: rows[axis].map(repr) for axis in ("longitude", "latitude")}
    squares = find_squares(rows[["longitude", "latitude"]].to_numpy(dtype=float))
    squares = squares[(squares != NOWHERE).any(axis=1)]
    _, in_square = np.unique(squares, axis=0, return_counts=True)
    if in_square.max(initial=0) > survey.pupils:  # places of one pupil are further apart
        what = "has more answers in a square of the grid than pupils who took part"
        remedy = "give the file as the survey's page saved it"
        raise InputError.one(survey.files[0], what, remedy)
    return rows.assign(**places, **_date(survey))


def _list_tally(survey: Survey) -> pd.DataFrame:
    """Rows of the table of reports, one for each pupil in a square, at a place inside it."""
    # How words combine in rows does not matter: each is counted separately by square.
    pupils = {key[:3]: n for key, n in survey.content.items() if key[3] == "pupils"}
    squares = np.array(sorted(pupils), dtype=object).reshape(-1, 3)
    inside = find_places_inside(squares.astype(np.int64))
    if np.isnan(inside).any():
        what = "has a square that is not of the grid"
        remedy = "give the file as the tally's page saved it"
        raise InputError.one(survey.files[0], what, remedy)
    parts = list[pd.DataFrame]()
    for square, (longitude, latitude) in zip(map(tuple, squares), inside, strict=True):
        number = pupils[square]
        words = {}
        for column, known in FACTORS.items():
            counts = [survey.content[*square, column, word] for word in known]
            words[column] = fill_column(column, counts, number)
        place = {"longitude": repr(float(longitude)), "latitude": repr(float(latitude))}
        parts.append(pd.DataFrame(words | place, index=range(number)))
    if not parts:
        return pd.DataFrame(columns=list(reports.MEANINGS), dtype=object)
    return pd.concat(parts).assign(**_date(survey))


def _date(survey: Survey) -> dict[str, str | None]:
    """The day of each row; none has an ID, since equal IDs would count once."""
    return {"report_id": None, "reported_on": f"{survey.day}"}


def fill_column(column: str, counts: Iterable[int], rows: int) -> list[str]:
    """Words of one column, each as often as it was counted, then that none was given."""
    pairs = zip(FACTORS[column], counts, strict=True)
    words = [word for word, count in pairs for _ in range(count)]
    return words + [NOT_GIVEN[column]] * (rows - len(words))


def find_places_inside(squares: NDArray[np.int64]) -> NDArray[np.float64]:
    """(s, 2) longitude and latitude, 6 decimals, of the centres of squares; NaN for no square."""
    places = np.full((len(squares), 2), np.nan)
    is_code = np.isin(squares[:, 0], LOCAL_CODES)
    places[is_code] = np.round(locate_in_squares(squares[is_code], 0.5, 0.5, DEGREES), 6)
    places[(find_squares(places) != squares).any(axis=1)] = np.nan
    return places


LOCAL_CODES = (27700, *range(32601, 32661), *range(32701, 32761))
"""EPSG codes that `patrolplan.crs.find_local_codes` gives."""
