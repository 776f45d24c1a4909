"""Surveys as rows of reports, which give the same counts, with a record: nothing counts twice."""

import datetime as dt
import json
import multiprocessing
import os
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, strategies as st
from survey_forms import ID, answer, answers_file, save, tally_file, tally_square

from patrolplan.atomic import hash_file
from patrolplan.crs import find_squares
from patrolplan.errors import InputError, OutputError
from patrolplan.inputs import survey_reading as reader
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.survey_counts import count_surveys
from patrolplan.inputs.survey_form import find_record_path
from patrolplan.privacy import FACTOR_NAMES

DAYS = ("2023-11-20", "2025-02-03", "2026-05-04", "2026-10-08")
ANSWER = st.builds(
    answer,
    st.integers(0, 2),
    time_band=st.sampled_from(["lunch", "after_school", "unknown"]),
    place_factor=st.sampled_from(["poor_lighting", "isolated", "none"]),
    behaviour_factor=st.sampled_from(["followed", "traffic", "none"]),
    latitude=st.floats(-0.0005, 0.0005).map(lambda step: round(51.531521 + step, 6)),
)
SURVEY = st.tuples(st.sampled_from(DAYS), st.lists(ANSWER, max_size=25))
SURVEYS = st.lists(SURVEY, min_size=1, max_size=4)
TODAY = dt.date(2026, 11, 26)
NOT_OURS = "not as `survey --read` wrote them"


def _write(folder, surveys):
    """Files of surveys, each of a day with its answers."""
    return [
        save(folder / f"{row}.json", answers_file(answers, pupils=50, day=day, id=f"{row}" * 32))
        for row, (day, answers) in enumerate(surveys)
    ]


def _write_rows(folder, counts, **options):
    terms = [entry.term for entry in counts.entries]
    options = {"threshold": 5, "name": "S1", "school_urn": ""} | options
    rows = reader.build_report_rows(counts.table, terms, **options)
    path = folder / "reports.csv"
    rows.to_csv(path, index=False)
    return rows, path


@given(SURVEYS)
def test_rows_read_again_give_the_same_counts(tmp_path_factory, surveys):
    """Squares, counts, words and terms are those of the raw answers; IDs are of their file."""
    folder = tmp_path_factory.mktemp("rows")
    # Each class has places of its own: equal answers under two IDs would be refused as a copy.
    apart = [
        (day, [one | {"longitude": one["longitude"] + 2e-6 * k} for one in (*given, answer(3))])
        for k, (day, given) in enumerate(surveys)
    ]
    counts = count_surveys(_write(folder, apart))
    table = counts.table
    rows, path = _write_rows(folder, counts, name="Sabc", school_urn="900003")
    again = read_reports([path])
    assert again.squares.tolist() == table.squares.tolist()
    assert again.counts.tolist() == table.counts.tolist()
    assert again.factor_counts.tolist() == table.factor_counts.tolist()
    by_term, wanted = ({t: n.tolist() for t, n in one.by_term.items()} for one in (again, table))
    assert by_term == wanted
    assert (again.in_small_squares, again.refused) == (0, {})
    assert rows["report_id"].tolist() == [f"Sabc-{k + 1}" for k in range(table.counts.sum())]
    assert {*rows["school_urn"]} <= {"900003"}
    assert tuple(rows.columns) == reader.ROW_COLUMNS


def test_rows_of_a_tally_read_again_give_the_same_counts(tmp_path):
    """Counts by square of paper forms are read back unchanged, in steps."""
    squares = find_squares([[0.8804, 51.5315], [0.8840, 51.5315]])
    words = {"time_band": {"after_school": 11}, "place_factor": {"isolated": 7, "overgrown": 6}}
    document = tally_file([tally_square(s, 14, **words) for s in squares.tolist()], pupils=30)
    counts = count_surveys([save(tmp_path / "t.json", document)])
    again = read_reports([_write_rows(tmp_path, counts)[1]])
    assert again.counts.tolist() == [10, 10]
    given_ = dict(zip(FACTOR_NAMES, again.factor_counts[0].tolist(), strict=True))
    words = {word: count for word, count in given_.items() if count}
    assert words == {"after_school": 10, "isolated": 5, "overgrown": 5}


def test_reports_of_a_term_that_does_not_show_are_dated_in_the_oldest(tmp_path):
    """Seven and three in two terms show five of the later; the others fade as old ones do."""
    surveys = [("2026-10-08", [answer()] * 7), ("2025-02-03", [answer()] * 3)]
    counts = count_surveys(_write(tmp_path, surveys))
    rows, path = _write_rows(tmp_path, counts)
    assert rows["reported_on"].value_counts().to_dict() == {"2026-09-01": 6, "2025-01-01": 4}
    (term,) = read_reports([path]).by_term
    assert (term.year, term.season) == (2026, "autumn")


@pytest.mark.parametrize(("threshold", "shown"), [(5, [5, 10]), (6, [10]), (11, [])])
def test_squares_under_a_larger_threshold_are_not_written(tmp_path, threshold, shown):
    """Stored counts respect the threshold of the settings."""
    some = [*[answer()] * 8, *[answer(1, time_band="lunch")] * 11]
    counts = count_surveys([save(tmp_path / "a.json", answers_file(some))])
    rows, path = _write_rows(tmp_path, counts, threshold=threshold)
    assert (read_reports([path]).counts.tolist(), len(rows)) == (shown, sum(shown))


def test_words_and_terms_under_a_larger_threshold_are_not_written(tmp_path):
    """Five of ten that gave a word, or of a term, do not show where ten are needed."""
    some = [answer()] * 6 + [answer(time_band="lunch")] * 10
    surveys = [("2026-10-08", some), ("2025-02-03", [answer(place_factor="none")] * 6)]
    counts = count_surveys(_write(tmp_path, surveys))
    _, path = _write_rows(tmp_path, counts, threshold=10)
    table = read_reports([path])
    assert table.counts.tolist() == [20]
    shown = np.array(FACTOR_NAMES)[table.factor_counts[0] > 0].tolist()
    assert (shown, table.factor_counts.max()) == (["lunch", "after_school", "poor_lighting"], 15)


@pytest.fixture
def out(tmp_path):
    """Where reports are written."""
    return tmp_path / "out" / "reports.csv"


def _take_in(out, *paths, **options):
    options = {"urns": None, "threshold": 5, "today": TODAY} | options
    return reader.take_in_surveys(paths, out, **options)


def _survey(folder, letter, *, column=0, count=6, **changes):
    """A file of a class that marked one square a number of times, not where another class did."""
    given = [answer(column, longitude=answer(column)["longitude"] + 2e-6 * "ab".index(letter))]
    document = answers_file(given * count, id=letter * 32, **changes)
    return save(folder / f"survey-900003-{letter * 8}.json", document)


def _record(out):
    return json.loads(find_record_path(out).read_text(encoding="utf-8"))


def _snapshot(folder):
    """Every file below a folder, with its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_reports_and_record_are_written(tmp_path, out):
    """The record names each survey by ID, school, term and rounded pupils, and no day."""
    one = _survey(tmp_path, "a", pupils=29)
    other = _survey(tmp_path, "b", column=1, count=4, school_urn="900004", day="2026-03-02")
    _take_in(out, one, other)
    assert read_reports([out]).counts.tolist() == [5]
    record = _record(out)
    assert record.pop("sha256") == hash_file(out)
    both = {"form": "patrolplan survey 1", "year": 2026, "deleted": False}
    head = {"form": "patrolplan survey record 1", "file": "reports.csv", "read_on": "2026-11-26"}
    head |= {"threshold": 5, "reports": 5, "squares": 1, "in_small_squares": 0, "refused": {}}
    surveys = [
        both | {"id": "a" * 32, "school_urn": "900003", "season": "autumn", "pupils": 25},
        both | {"id": "b" * 32, "school_urn": "900004", "season": "spring", "pupils": 30},
    ]
    assert record == head | {"surveys": surveys}
    assert {path.name for path in out.parent.iterdir()} == {"reports.csv", "reports.record.json"}


def test_the_order_of_files_and_answers_changes_no_byte(tmp_path, out):
    """Neither says anything, so neither shows; nor does an equal copy, which is named."""
    given = [answer(k % 2, time_band=band) for k in range(8) for band in ("lunch", "evening")]
    paths = [save(tmp_path / "a.json", answers_file(given)), _survey(tmp_path, "b", count=9)]
    _take_in(out, *paths)
    before = _snapshot(out.parent)
    save(tmp_path / "a.json", answers_file(given[::-1]))
    copy = tmp_path / "copy.json"
    copy.write_bytes(paths[1].read_bytes())
    reading = _take_in(out, copy, *paths[::-1])
    assert _snapshot(out.parent) == before
    assert any("holds the same survey as" in line for line in reader.describe_reading(reading))


def test_more_files_are_counted_together(tmp_path, out):
    """Four and four in a square are a group, where both files are given."""
    one, other = _survey(tmp_path, "a", count=4), _survey(tmp_path, "b", count=4)
    reading = _take_in(out, one)
    assert any("nothing can be used" in line for line in reader.describe_reading(reading))
    assert len(read_reports([out])) == 0
    _take_in(out, one, other)
    assert read_reports([out]).counts.tolist() == [5]


def test_a_survey_whose_file_is_not_given_is_not_lost(tmp_path, out):
    """The message says how many are at stake, also where only the record of them is left."""
    one, other = _survey(tmp_path, "a"), _survey(tmp_path, "b", column=1)
    with pytest.raises(InputError):  # of which nothing is written
        _take_in(out, one, save(tmp_path / "c.json", {"id": ID}))
    assert not list(out.parent.glob("rep*"))
    _take_in(out, one)
    before = _snapshot(out.parent)
    with pytest.raises(OutputError, match=r"holds 1 survey whose files are not given; .*--out"):
        _take_in(out, other)
    assert _snapshot(out.parent) == before
    out.unlink()
    with pytest.raises(OutputError, match="also holds 1 survey"):
        _take_in(out, other)
    _take_in(out, one)
    assert _snapshot(out.parent) == before


def test_files_are_deleted_once_they_are_counted(tmp_path, out):
    """All files of a survey, and the record says so of each survey."""
    one = _survey(tmp_path, "a")
    earlier = save(tmp_path / "early.json", answers_file([answer()] * 2, id="a" * 32, pupils=9))
    other = _survey(tmp_path, "b", count=7)
    reading = _take_in(out, one, earlier, other, delete=True)
    assert not any(path.exists() for path in (one, earlier, other))
    assert len(reading.deleted) == 3
    assert [one["deleted"] for one in _record(out)["surveys"]] == [True, True]
    words = " ".join(reader.describe_reading(reading))
    assert "Deleted: 3 files. Deleting is not erasing" in words
    assert "holds an earlier state of the survey" in words
    assert [one["id"] for one in reader.read_recorded_surveys(out)] == ["a" * 32, "b" * 32]


def test_nothing_is_deleted_where_nothing_could_be_written(tmp_path, out, monkeypatch):
    """Files are deleted only after reports and record are on disk."""
    path, full = _survey(tmp_path, "a"), OSError(28, "No space left on device")
    monkeypatch.setattr("patrolplan.atomic.write_synced", Mock(side_effect=full))
    with pytest.raises(OutputError, match="No space left"):
        _take_in(out, path, delete=True)
    assert path.exists()
    assert list(out.parent.iterdir()) == []


def test_a_link_is_not_deleted_in_place_of_its_file(tmp_path, out):
    """Deleting it would leave what pupils answered where it was."""
    path = _survey(tmp_path, "a")
    link = tmp_path / "link.json"
    link.symlink_to(path)
    with pytest.raises(InputError, match="is a link"):
        _take_in(out, link, delete=True)
    assert not out.exists()
    _take_in(out, link)
    assert out.exists()
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match=r"loop\.json: the file does not exist"):
        _take_in(out, loop)


def test_own_files_that_a_pattern_matches_are_passed_over(tmp_path):
    """`*` in the folder of the surveys also matches what was written there."""
    out = tmp_path / "reports.csv"
    path = _survey(tmp_path, "a")
    _take_in(out, path)
    before = _snapshot(tmp_path)
    _take_in(out, path, out, find_record_path(out))
    assert _snapshot(tmp_path) == before
    with pytest.raises(InputError, match="no file of a survey is given"):
        _take_in(out, out)


@pytest.mark.parametrize("which", ["reports", "record", "both"])
def test_a_file_that_is_not_ours_is_not_replaced(tmp_path, out, which):
    """Reports of somebody else, with or without something of the record's name."""
    out.parent.mkdir()
    if which != "record":
        out.write_text("report_id\n", encoding="utf-8")
    if which != "reports":
        find_record_path(out).write_text('{"form": "x"}', encoding="utf-8")
    before = _snapshot(out.parent)
    with pytest.raises(OutputError, match=NOT_OURS):
        _take_in(out, _survey(tmp_path, "a"))
    assert _snapshot(out.parent) == before


@pytest.mark.parametrize("part", ["", ".part"])
@pytest.mark.parametrize("which", ["reports.csv", "reports.record.json"])
def test_a_link_is_not_written_through(tmp_path, out, which, part):
    """Reports and record may not be links; one of the name that a new file has is removed."""
    out.parent.mkdir()
    target = tmp_path / "precious.txt"
    target.write_text("precious", encoding="utf-8")
    (out.parent / (f".{which}.part" if part else which)).symlink_to(target)
    if part:
        _take_in(out, _survey(tmp_path, "a"))
        assert not out.is_symlink()
    else:
        with pytest.raises(OutputError, match=NOT_OURS):
            _take_in(out, _survey(tmp_path, "a"))
    assert target.read_text(encoding="utf-8") == "precious"


def _write_and_die(out, path, step):
    """Take a survey in, in a process that dies before its n-th rename."""
    rename, renames = Path.replace, []

    def replace(source, target):
        renames.append(target)
        if len(renames) == step:
            os._exit(9)
        return rename(source, target)

    Path.replace = replace
    _take_in(out, path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the process is forked")
@pytest.mark.parametrize("step", [1, 2])
def test_a_kill_leaves_the_old_or_the_new_after_the_next_command(tmp_path, out, step):
    """Killed before the first rename or between the two, both parts belong together again."""
    path = save(tmp_path / "a.json", answers_file([answer()] * 6))
    _take_in(out, path)
    old = _snapshot(out.parent)
    save(path, answers_file([answer()] * 12))
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=_write_and_die, args=(out, path, step))
    process.start()
    process.join()
    assert process.exitcode == 9
    reader.read_recorded_surveys(out)
    after = _snapshot(out.parent)
    assert {path for path in after if path.suffix != ".lock"} == {*old}
    # Both parts were complete, so the next command finishes the work.
    assert read_reports([out]).counts.tolist() == [10]


def test_a_part_that_is_not_whole_is_dropped(tmp_path, out):
    """Killed while it wrote, the old state stands."""
    path = _survey(tmp_path, "a")
    _take_in(out, path)
    old = _snapshot(out.parent)
    (out.parent / ".reports.csv.part").write_text("report_id,", encoding="utf-8")
    (out.parent / ".reports.record.json.part").write_text('{"form": ', encoding="utf-8")
    reader.read_recorded_surveys(out)
    assert _snapshot(out.parent) == old


def test_a_survey_in_two_files_of_reports_is_refused(tmp_path):
    """Read into two files, a class would count twice; two files of different classes are fine."""
    paths = [_survey(tmp_path, "a"), _survey(tmp_path, "b", count=7)]
    both, one, other = (tmp_path / f"{name}.csv" for name in ("both", "one", "other"))
    _take_in(both, *paths)
    for out, path in ((one, paths[0]), (other, paths[1])):
        _take_in(out, path)
    assert read_reports([one, other]).counts.tolist() == [10]
    with pytest.raises(InputError) as error:
        read_reports([both, one, other])
    lines = str(error.value).splitlines()
    assert [line.partition(": holds a survey that ")[0] for line in lines] == [f"{one}", f"{other}"]
    one.write_text(one.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="reports alike in place, day and words"):
        read_reports([both, one])


@pytest.mark.parametrize("surveys", [None, 5, [5], ["x"], [{}], [{"id": 5}]])
def test_what_was_changed_since_is_not_replaced(tmp_path, out, surveys):
    """Corrected reports are not lost, and a record of another form is not believed."""
    path = _survey(tmp_path, "a")
    _take_in(out, path)
    if surveys is None:
        out.write_text(out.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    else:
        spoilt = json.dumps(_record(out) | {"surveys": surveys})
        find_record_path(out).write_text(spoilt, encoding="utf-8")
    with pytest.raises(OutputError, match=NOT_OURS):
        _take_in(out, path)
