"""Files of surveys: read as they are, refused as a whole, and each survey counted once."""

import copy
import datetime as dt
import json
import os

import pytest
from survey_forms import ID, answer, answers_file, save, tally_file, tally_square

from patrolplan.errors import InputError
from patrolplan.inputs import survey_files
from patrolplan.inputs.survey_files import read_surveys
from patrolplan.inputs.survey_form import RECORD_FORM

SQUARE = (27700, 2398, 737)
TODAY = dt.date(2026, 11, 26)
ANSWERED = "Jo Bloggs of 7 Elm Row"


def _read(*paths, **options):
    return read_surveys(paths, **{"today": TODAY} | options)


def _refuse(path, *, urns=None):
    """The lines of the message about a file that is refused."""
    with pytest.raises(InputError) as error:
        _read(path, urns=urns)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}") for line in lines)
    assert ANSWERED not in str(error.value)
    return [line.removeprefix(f"{path}") for line in lines]


def test_an_answers_file_is_read_as_it_is(tmp_path):
    """Every answer of a file comes in, equal ones as often as they are there."""
    given = [answer(), answer(), answer(1, time_band="unknown", place_factor="none")]
    (survey,), repeated = _read(save(tmp_path / "a.json", answers_file(given)))
    assert (survey.id, survey.school_urn, survey.pupils) == (ID, "900003", 30)
    assert survey.day == dt.date(2026, 10, 8)
    assert sorted(survey.content.values()) == [1, 2]
    assert survey.content[tuple(given[0].values())] == 2
    assert repeated == []


def test_a_tally_file_is_read_as_it_is(tmp_path):
    """Each count of a tally comes in under its square, column and word; zeros say nothing."""
    square = tally_square(SQUARE, 7, time_band={"after_school": 5}, place_factor={"isolated": 0})
    (survey,), _ = _read(save(tmp_path / "t.json", tally_file([square])))
    assert dict(survey.content) == {
        (*SQUARE, "pupils", ""): 7,
        (*SQUARE, "time_band", "after_school"): 5,
    }


def test_a_class_that_marked_nothing_is_a_survey(tmp_path):
    """Pupils who feel safe everywhere took part as well."""
    (survey,), _ = _read(save(tmp_path / "a.json", answers_file([], pupils=28)))
    assert (survey.pupils, survey.content.total()) == (28, 0)


def _change(document, *place, value):
    """A copy of a document with one value changed, or removed where it is None."""
    changed = copy.deepcopy(document)
    at = changed
    for part in place[:-1]:
        at = at[part]
    if value is None:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return changed


ANSWERS = answers_file([answer(), answer(1)])
TALLY = tally_file([tally_square(SQUARE, 7, time_band={"lunch": 5})])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        *(
            (_change(ANSWERS, "pupils", value=value), ", 'pupils': is not of its form")
            for value in (-1, 5001, True, "30", 30.5, 10**400)
        ),
        (_change(ANSWERS, "pupils", value=0), ": has more places than the pupils"),
        (_change(ANSWERS, "pupils", value=None), ", 'pupils': is missing"),
        (_change(ANSWERS, "id", value=ID.upper()), ", 'id': is not written as its form"),
        (_change(ANSWERS, "id", value=ID + "\n"), ", 'id': is not written as its form"),
        (_change(ANSWERS, "school_urn", value="../x"), ", 'school_urn': is not written"),
        (_change(ANSWERS, "school_urn", value=900003), ", 'school_urn': is not of its form"),
        *(
            (_change(ANSWERS, "day", value=day), ", 'day': is not a day that exists")
            for day in ("2026-02-30", "2026-2-3", "1926-02-03", "2026-10-08T09:30")
        ),
        (_change(ANSWERS, ANSWERED, value=1), ": holds a key that its form does not have"),
        (_change(ANSWERS, "answers", value={}), ", 'answers': is not of its form"),
        (
            _change(ANSWERS, "answers", 1, "time_band", value=ANSWERED),
            ", 'answers', number 2 of them, 'time_band': is not one of the words of the form",
        ),
        (
            _change(ANSWERS, "answers", 0, ANSWERED, value="x"),
            ", 'answers', number 1 of them: holds a key that its form does not have",
        ),
        *(
            (
                _change(ANSWERS, "answers", 0, name, value=value),
                f", 'answers', number 1 of them, '{name}': is not of its form",
            )
            for name, value in (("longitude", ANSWERED), ("latitude", True))
        ),
        (_change(TALLY, "pupils", value=6), ": has more pupils in a square than took part"),
        (
            _change(TALLY, "squares", 0, "time_band", value={"lunch": 5, "evening": 3}),
            ", 'squares', number 1 of them: has more ticks in a column than pupils",
        ),
        (
            _change(TALLY, "squares", 0, "time_band", value={ANSWERED: 5}),
            ", 'squares', number 1 of them, 'time_band': holds a word that is not of the form",
        ),
        *(
            (
                _change(TALLY, "squares", 0, "place_factor", value={"isolated": count}),
                ", 'squares', number 1 of them, 'place_factor': holds a count that is not",
            )
            for count in (-1, True)
        ),
        (
            _change(TALLY, "squares", 0, "square", value=[27700, 1]),
            ", 'squares', number 1 of them, 'square': is not of its form",
        ),
        (tally_file([TALLY["squares"][0]] * 2), ": has a square more than once"),
        (
            tally_file([tally_square((27700, k, 1), 9) for k in range(4)], pupils=10),
            ": has more places than the pupils",
        ),
        (_change(ANSWERS, "form", value="patrolplan survey 2"), ": is not a file of a survey"),
        (_change(ANSWERS, "form", value=["patrolplan survey 1"]), ": is not a file of a survey"),
        (_change(ANSWERS, "form", value=RECORD_FORM), ": is the record of surveys that were read"),
        *((one, ": is not a file of a survey") for one in ([ANSWERS], "patrolplan survey 1", None)),
    ],
)
def test_a_file_that_is_not_of_its_form_is_refused(tmp_path, document, message):
    """The message says which file and where in it, and shows neither a value nor a key."""
    (line,) = _refuse(save(tmp_path / "s.json", document))
    assert line.startswith(message)
    assert line.endswith(".")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b'{"form": "patrolplan survey 1", "id": "', "is not JSON"),
        (json.dumps(ANSWERS).encode("utf-16"), "is not text in UTF-8"),
        (json.dumps(ANSWERS).replace("0.880493", "NaN").encode(), "is not JSON"),
        (json.dumps(ANSWERS).replace("0.880493", "-Infinity").encode(), "is not JSON"),
        (json.dumps(ANSWERS).replace("0.880493", "1e999").encode(), "'longitude': is not a number"),
        (json.dumps(ANSWERS).replace("0.880493", "9" * 5000).encode(), "is not JSON"),
        (json.dumps(ANSWERS).replace('{"form', '{"pupils": 3, "form').encode(), "is not JSON"),
        (b"[" * 1_000_000, "is not JSON"),
        (b'{"a":' * 500_000, "is not JSON"),
        (ANSWERED.encode(), "is not JSON"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"PK\x03\x04", "is not JSON"),
    ],
    ids=range(13),
)
def test_what_is_not_json_of_a_page_is_refused(tmp_path, content, message):
    """Cut off, of another encoding, with numbers that JSON does not have, or too deep."""
    path = tmp_path / "s.json"
    path.write_bytes(content)
    (line,) = _refuse(path)
    assert message in line


def test_a_byte_order_mark_does_no_harm(tmp_path):
    """Editors on Windows begin a file with one."""
    path = tmp_path / "s.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ANSWERS).encode())
    assert len(_read(path)[0]) == 1


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path, monkeypatch):
    """Of a file of 100 MB no more is read than a survey can have."""
    path = tmp_path / "s.json"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    decoded = []
    monkeypatch.setattr(survey_files, "_parse_json", lambda *args: decoded.append(args))
    (line,) = _refuse(path)
    assert "is larger than 5 MB" in line
    assert decoded == []


def test_the_largest_survey_is_read(tmp_path):
    """As many pupils as a file may have, with all their places, fit in its size."""
    squares = [answer(k % 200) for k in range(15_000)]
    (survey,), _ = _read(save(tmp_path / "s.json", answers_file(squares, pupils=5000)))
    assert survey.content.total() == 15_000


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    """A folder, a pipe that would never end, and a name without a file."""
    path = tmp_path / "s.json"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("pipes have names on POSIX alone")
        os.mkfifo(path)
    (line,) = _refuse(path)
    assert ("does not exist" if kind == "absent" else "is not a file") in line


def test_all_problems_of_all_files_are_collected(tmp_path):
    """Each wrong file is named once; of many problems of one file the rest are counted."""
    wrong = [answer(time_band="noon")] * 9
    paths = [
        save(tmp_path / "a.json", answers_file(wrong)),
        save(tmp_path / "b.json", {}),
        tmp_path / "c.json",
    ]
    with pytest.raises(InputError) as error:
        _read(*paths)
    lines = str(error.value).splitlines()
    assert [sum(line.startswith(f"{path}") for line in lines) for path in paths] == [6, 1, 1]
    assert "has 4 more problems" in str(error.value)


def test_a_school_of_another_area_is_refused(tmp_path):
    """The message names the URN; without a list of schools any will do."""
    path = save(tmp_path / "s.json", ANSWERS)
    (line,) = _refuse(path, urns={"900001"})
    assert "is of the school '900003', which is not among those of the settings" in line
    assert len(_read(path, urns={"900003"})[0]) == 1


def test_a_day_to_come_is_refused(tmp_path):
    """Reports of a day to come would not fade."""
    (line,) = _refuse(save(tmp_path / "s.json", answers_file([], day="2026-11-27")))
    assert "is of 2026-11-27, a day to come" in line
    (survey,), _ = _read(save(tmp_path / "s.json", answers_file([], day="2026-11-26")))
    assert survey.day == TODAY


def test_equal_copies_count_once_and_are_named(tmp_path):
    """The same survey in two files, its answers in another order, is one survey."""
    given = [answer(), answer(1)]
    one = save(tmp_path / "a.json", answers_file(given))
    other = save(tmp_path / "b.json", answers_file(given[::-1]))
    (survey,), (repeated,) = _read(one, other)
    assert survey.content.total() == 2
    assert set(survey.files) == {one, other}
    assert {repeated.file, repeated.counted} == {one, other}
    assert not repeated.is_fuller


def test_one_file_named_in_two_ways_is_one(tmp_path):
    """A file under two names of the same path is read once."""
    path = save(tmp_path / "a.json", ANSWERS)
    (tmp_path / "sub").mkdir()
    (survey,), repeated = _read(path, tmp_path / "sub" / ".." / "a.json")
    assert (len(survey.files), repeated) == (1, [])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_page_saved_again_counts_with_all_its_answers(tmp_path, order):
    """Of three states of one page the last counts, in whatever order they are given."""
    paths = [
        save(tmp_path / f"{k}.json", answers_file([answer(j) for j in range(k)], pupils=9 + k))
        for k in range(3)
    ]
    (survey,), repeated = _read(*(paths[k] for k in order))
    assert (survey.pupils, survey.content.total()) == (11, 2)
    assert {one.file for one in repeated} == set(paths[:2])
    assert all(one.is_fuller and one.counted == paths[2] for one in repeated)


@pytest.mark.parametrize(
    "other",
    [
        answers_file([answer(2)], pupils=31),
        answers_file([answer(), answer(1)], pupils=31, school_urn="900004"),
        answers_file([answer(), answer(), answer(1)], pupils=29),
        TALLY,
    ],
)
def test_files_of_one_id_that_differ_are_refused(tmp_path, other):
    """Where neither holds all of the other, the person must say which is right."""
    one = save(tmp_path / "a.json", ANSWERS)
    with pytest.raises(InputError, match="has the same ID as"):
        _read(one, save(tmp_path / "b.json", other))
