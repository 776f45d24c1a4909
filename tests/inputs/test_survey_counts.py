"""Surveys as counts: what comes out is a table of steps, and of each survey what may be known."""

import inspect

import pytest
from survey_forms import answer, answers_file, save, tally_file, tally_square

from patrolplan.crs import find_squares
from patrolplan.errors import InputError
from patrolplan.inputs.survey_counts import SurveyCounts, SurveyEntry, count_surveys
from patrolplan.privacy import FACTOR_NAMES
from patrolplan.times import SchoolTerm

SQUARE = tuple(find_squares([[answer()["longitude"], answer()["latitude"]]])[0].tolist())


def _factors(table, row=0):
    counts = dict(zip(FACTOR_NAMES, table.factor_counts[row].tolist(), strict=True))
    return {name: count for name, count in counts.items() if count}


def test_answers_are_counted_by_square(tmp_path):
    """Twelve answers in a square are 10, seven of a word 5, and four next door do not show."""
    some = [answer()] * 7 + [answer(time_band="unknown", place_factor="none")] * 5
    path = save(tmp_path / "a.json", answers_file([*some, *[answer(1)] * 4], pupils=16))
    table = count_surveys([path]).table
    assert table.squares.tolist() == [list(SQUARE)]
    assert table.counts.tolist() == [10]
    assert _factors(table) == {"after_school": 5, "poor_lighting": 5}
    assert (table.in_small_squares, table.refused) == (0, {})
    assert {term: n.tolist() for term, n in table.by_term.items()} == {SchoolTerm(2026, 2): [10]}


def test_a_tally_counts_as_answers_do(tmp_path):
    """Seven pupils on paper and five on tablets are one group of twelve."""
    square = tally_square(
        SQUARE, 7, time_band={"lunch": 4, "after_school": 2}, behaviour_factor={"followed": 6}
    )
    tally = save(tmp_path / "t.json", tally_file([square], id="a" * 32))
    answers = save(tmp_path / "a.json", answers_file([answer()] * 5))
    table = count_surveys([tally, answers]).table
    assert table.counts.tolist() == [10]
    assert _factors(table) == {"after_school": 5, "poor_lighting": 5, "followed": 5}


@pytest.mark.parametrize(
    "square", [(0, 0, 0), (4326, 1, 1), (27700, -(10**6), 5), (32630, 1800, 23000)]
)
def test_a_square_that_is_not_of_the_grid_is_refused(tmp_path, square):
    """No place has such a square, so no pupil can have marked it."""
    path = save(tmp_path / "t.json", tally_file([tally_square(square, 7)]))
    with pytest.raises(InputError, match="has a square that is not of the grid"):
        count_surveys([path])


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"longitude": 0.0, "latitude": 0.0}, "coordinates are zero"),
        ({"longitude": 51.53, "latitude": 0.88}, "longitude and latitude are swapped"),
        ({"longitude": 200.0}, "without coordinates that exist"),
        ({"latitude": 1e300}, "without coordinates that exist"),
    ],
)
def test_a_place_that_does_not_exist_is_counted_as_refused(tmp_path, place, reason):
    """The answer is left out and counted under its reason; the others of its file count."""
    wrong = [answer(**place)] * 6
    path = save(tmp_path / "a.json", answers_file([*[answer()] * 5, *wrong], pupils=11))
    table = count_surveys([path]).table
    assert (table.counts.tolist(), table.refused) == ([5], {reason: 5})


def test_a_place_outside_the_area_is_not_refused(tmp_path):
    """A refusal that depended on the area's limits would let two outputs be subtracted."""
    away = [answer(longitude=8.68, latitude=50.11)] * 5
    table = count_surveys([save(tmp_path / "a.json", answers_file(away))]).table
    assert (table.squares[:, 0].tolist(), table.counts.tolist()) == ([32632], [5])


def test_of_each_survey_the_term_and_rounded_pupils_remain(tmp_path):
    """The day is dropped, and so is the number of pupils below its step."""
    one = save(tmp_path / "a.json", answers_file([], pupils=29))
    other = save(
        tmp_path / "b.json",
        answers_file([], pupils=4, id="0" * 32, day="2026-03-31", school_urn="900004"),
    )
    entries = count_surveys([one, other]).entries
    assert [(entry.id[:2], entry.term, entry.pupils) for entry in entries] == [
        ("00", SchoolTerm(2026, 0), 0),
        ("01", SchoolTerm(2026, 2), 25),
    ]
    names = {"id", "form", "school_urn", "term", "pupils", "files"}
    assert set(SurveyEntry.__annotations__) == names


def test_no_answer_gets_past_the_door():
    """By type: what comes out are entries and a table of counts, and nothing takes raw rows."""
    assert inspect.signature(count_surveys).return_annotation is SurveyCounts
    assert set(SurveyCounts.__annotations__) == {"entries", "table", "repeated"}
