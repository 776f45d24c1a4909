"""Surveys: files refused as a whole, each survey counted once, and only counts come out."""

import copy
import datetime as dt
import functools
import inspect
import json
import operator
import os

import pytest
from survey_forms import ID, answer, answers_file, save, tally_file, tally_square

from patrolplan.crs import find_squares
from patrolplan.errors import InputError
from patrolplan.inputs.survey_counts import SurveyCounts, SurveyEntry, count_surveys
from patrolplan.inputs.survey_files import read_surveys
from patrolplan.inputs.survey_form import RECORD_FORM
from patrolplan.privacy import FACTOR_NAMES
from patrolplan.times import SchoolTerm

SQUARE = (27700, 2398, 737)
TODAY = dt.date(2026, 11, 26)
ANSWERED = "Jo Bloggs of 7 Elm Row"


def _read(*paths, **options):
    return read_surveys(paths, **{"today": TODAY} | options)


def _refuse(path):
    """The message about a file that is refused."""
    with pytest.raises(InputError) as error:
        _read(path)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{path}")
    assert ANSWERED not in line
    return line.removeprefix(f"{path}")


def _change(document, *place, value):
    """A copy of a document with one value changed, or removed where it is None."""
    changed = copy.deepcopy(document)
    *way, last = place
    at = functools.reduce(operator.getitem, way, changed)
    at[last] = value
    if value is None:
        del at[last]
    return changed


ANSWERS = answers_file([answer(), answer(1)])
TALLY = tally_file([tally_square(SQUARE, 7, time_band={"lunch": 5})])
FIRST, BOX = "'answers', number 1 of them", "'squares', number 1 of them"
CHANGES = (
    (ANSWERS, ("pupils",), (-1, 5001, True, "3", 3.5, 10**99, None), "'pupils'"),
    (ANSWERS, ("pupils",), (0,), ""),
    (ANSWERS, ("id",), (ID.upper(), ID + "\n"), "'id'"),
    (ANSWERS, ("school_urn",), ("../x", 900003), "'school_urn'"),
    (ANSWERS, ("day",), ("2026-02-30", "2026-2-3", "1926-02-03", "2026-10-08T09:30"), "'day'"),
    (ANSWERS, ("form",), ("patrolplan survey 2", ["patrolplan survey 1"], RECORD_FORM), ""),
    (ANSWERS, (ANSWERED,), (1,), ""),
    (ANSWERS, ("answers",), ({},), "'answers'"),
    (ANSWERS, ("answers", 1, "time_band"), (ANSWERED,), "'answers', number 2 of them, 'time_band'"),
    (ANSWERS, ("answers", 0, ANSWERED), ("x",), FIRST),
    (ANSWERS, ("answers", 0, "longitude"), (ANSWERED,), f"{FIRST}, 'longitude'"),
    (ANSWERS, ("answers", 0, "latitude"), (True,), f"{FIRST}, 'latitude'"),
    (TALLY, ("pupils",), (6,), ""),
    (TALLY, ("squares", 0, "time_band"), ({"lunch": 5, "evening": 3},), BOX),
    (TALLY, ("squares", 0, "time_band"), ({ANSWERED: 5},), f"{BOX}, 'time_band'"),
    (TALLY, ("squares", 0, "place_factor"), ({"dark": 1}, {"isolated": -1}, {"isolated": True}),
     f"{BOX}, 'place_factor'"),
    (TALLY, ("squares", 0, "square"), ([27700, 1],), f"{BOX}, 'square'"),
    (TALLY, ("squares", 0, "square"), ([27700, 10**30, 5],), f"{BOX}, 'square', number 2 of them"),
)  # fmt: skip
TWICE = tally_file([TALLY["squares"][0]] * 2)
MORE_THAN_ALL = tally_file([tally_square((27700, k, 1), 9) for k in range(4)], pupils=10)
WRONG = [
    (_change(of, *at, value=one), place) for of, at, values, place in CHANGES for one in values
]
WRONG += [(one, "") for one in (TWICE, MORE_THAN_ALL, [ANSWERS], "patrolplan survey 1", None)]


@pytest.mark.parametrize(("document", "place"), WRONG, ids=range(len(WRONG)))
def test_a_file_that_is_not_of_its_form_is_refused(tmp_path, document, place):
    """The message says which file and where in it, and shows neither a value nor a key."""
    line = _refuse(save(tmp_path / "s.json", document))
    assert line.startswith(f", {place}: is not as" if place else ": is not as")


WRITTEN = json.dumps(ANSWERS)


@pytest.mark.parametrize("content", [
    *(b"", b'{"form": "patrolplan survey 1", "id": "', b"\xff\xfe\x00", b"PK\x03\x04"),
    *(b"[" * 1_000_000, b'{"a":' * 500_000, ANSWERED.encode(), WRITTEN.encode("utf-16")),
    *(WRITTEN.replace("0.880493", n).encode() for n in ("NaN", "-Infinity", "1e999", "9" * 5000)),
], ids=range(12))  # fmt: skip
def test_what_is_not_json_of_a_page_is_refused(tmp_path, content):
    """Cut off, of another encoding, with numbers that JSON does not have, or too deep."""
    path = tmp_path / "s.json"
    path.write_bytes(content)
    assert "is not as a survey's page saves it" in _refuse(path)


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe", "large"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    """A folder, a pipe that would never end, a name without a file, and one of 100 MB."""
    path = tmp_path / "s.json"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("pipes have names on POSIX alone")
        os.mkfifo(path)
    if kind == "large":
        path.touch()
        os.truncate(path, 100_000_000)
    assert ("is larger than 5 MB" if kind == "large" else "does not exist") in _refuse(path)


def test_all_problems_of_all_files_are_collected(tmp_path):
    """Each wrong file is named once, with the number of its wrong places."""
    wrong = answers_file([answer(time_band="noon")] * 9)
    paths = [save(tmp_path / "a.json", wrong), save(tmp_path / "b.json", {}), tmp_path / "c.json"]
    with pytest.raises(InputError) as error:
        _read(*paths)
    lines = str(error.value).splitlines()
    assert [sum(line.startswith(f"{path}") for line in lines) for path in paths] == [1, 1, 1]
    assert "9 such places" in str(error.value)


def test_a_day_to_come_is_refused(tmp_path):
    """Reports of a day to come would not fade."""
    path = save(tmp_path / "s.json", answers_file([], day="2026-11-27"))
    assert "is of 2026-11-27, a day to come" in _refuse(path)
    (survey,), _ = _read(save(tmp_path / "s.json", answers_file([], day="2026-11-26")))
    assert survey.day == TODAY


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_page_saved_again_counts_with_all_its_answers(tmp_path, order):
    """Of three states of one page the last counts, in whatever order they are given."""
    states = [answers_file([answer(j) for j in range(k)], pupils=9 + k) for k in range(3)]
    paths = [save(tmp_path / f"{k}.json", state) for k, state in enumerate(states)]
    (survey,), repeated = _read(*(paths[k] for k in order))
    assert (survey.pupils, survey.content.total()) == (11, 2)
    assert {one.file for one in repeated} == set(paths[:2])
    assert all(one.is_fuller and one.counted == paths[2] for one in repeated)


@pytest.mark.parametrize("other", [
    answers_file([answer(2)], pupils=31),
    answers_file([answer(), answer(1)], pupils=31, school_urn="900004"),
    answers_file([answer(), answer(), answer(1)], pupils=29),
    TALLY,
])  # fmt: skip
def test_files_of_one_id_that_differ_are_refused(tmp_path, other):
    """Where neither holds all of the other, the person must say which is right."""
    one = save(tmp_path / "a.json", ANSWERS)
    with pytest.raises(InputError, match="has the same ID as"):
        _read(one, save(tmp_path / "b.json", other))


COUNTED_SQUARE = tuple(find_squares([[answer()["longitude"], answer()["latitude"]]])[0].tolist())


def _factors(table, row=0):
    counts = dict(zip(FACTOR_NAMES, table.factor_counts[row].tolist(), strict=True))
    return {name: count for name, count in counts.items() if count}


def test_answers_are_counted_by_square(tmp_path):
    """Twelve answers in a square are 10, seven of a word 5, and four next door do not show."""
    some = [answer()] * 7 + [answer(time_band="unknown", place_factor="none")] * 5
    path = save(tmp_path / "a.json", answers_file([*some, *[answer(1)] * 4], pupils=16))
    table = count_surveys([path]).table
    assert table.squares.tolist() == [list(COUNTED_SQUARE)]
    assert table.counts.tolist() == [10]
    assert _factors(table) == {"after_school": 5, "poor_lighting": 5}
    assert (table.in_small_squares, table.refused) == (0, {})
    assert {term: n.tolist() for term, n in table.by_term.items()} == {SchoolTerm(2026, 2): [10]}


def test_a_tally_counts_as_answers_do(tmp_path):
    """Seven pupils on paper and five on tablets are one group of twelve."""
    words = {"time_band": {"lunch": 4, "after_school": 2}, "behaviour_factor": {"followed": 6}}
    square = tally_square(COUNTED_SQUARE, 7, **words)
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


@pytest.mark.parametrize(("place", "reason"), [
    ({"longitude": 0.0, "latitude": 0.0}, "coordinates are zero"),
    ({"longitude": 51.53, "latitude": 0.88}, "longitude and latitude are swapped"),
    ({"longitude": 200.0}, "without coordinates that exist"),
    ({"latitude": 1e300}, "without coordinates that exist"),
])  # fmt: skip
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
    one = answers_file([], pupils=29)
    other = answers_file([], pupils=4, id="0" * 32, day="2026-03-31", school_urn="900004")
    paths = [save(tmp_path / f"{n}.json", document) for n, document in enumerate((one, other))]
    entries = count_surveys(paths).entries
    assert [(entry.id[:2], entry.term, entry.pupils) for entry in entries] == [
        *(("00", SchoolTerm(2026, 0), 0), ("01", SchoolTerm(2026, 2), 25))
    ]
    assert {*SurveyEntry.__annotations__} == {"id", "form", "school_urn", "term", "pupils", "files"}


def test_no_answer_gets_past_the_door():
    """By type: what comes out are entries and a table of counts, and nothing takes raw rows."""
    assert inspect.signature(count_surveys).return_annotation is SurveyCounts
    assert set(SurveyCounts.__annotations__) == {"entries", "table", "repeated"}
