"""Rows of reports made of counts: read again, they give the same counts."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from survey_forms import answer, answers_file, save, tally_file, tally_square

from patrolplan.crs import find_squares
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.survey_counts import count_surveys
from patrolplan.outputs.survey.survey_reading import ROW_COLUMNS, build_report_rows
from patrolplan.privacy import FACTOR_NAMES

DAYS = ("2023-11-20", "2025-02-03", "2026-05-04", "2026-10-08")
PLACE_WORDS = st.sampled_from(["poor_lighting", "isolated", "none"])
BEHAVIOUR_WORDS = st.sampled_from(["followed", "traffic", "none"])
ANSWER = st.builds(
    lambda column, x, band, place, behaviour: answer(
        column,
        time_band=band,
        place_factor=place,
        behaviour_factor=behaviour,
        latitude=round(51.531521 + x, 6),
    ),
    *(st.integers(0, 2), st.floats(-0.0005, 0.0005)),
    *(st.sampled_from(["lunch", "after_school", "unknown"]), PLACE_WORDS, BEHAVIOUR_WORDS),
)
SURVEYS = st.lists(
    st.tuples(st.sampled_from(DAYS), st.lists(ANSWER, max_size=25)), min_size=1, max_size=4
)


def _write(folder, surveys):
    """Files of surveys, each of a day with its answers."""
    return [
        save(
            folder / f"{number}.json",
            answers_file(answers, pupils=50, day=day, id=f"{number}" * 32),
        )
        for number, (day, answers) in enumerate(surveys)
    ]


def _write_rows(folder, counts, *, threshold=5, name="S1", school_urn=""):
    terms = [entry.term for entry in counts.entries]
    rows = build_report_rows(
        counts.table, terms, threshold=threshold, name=name, school_urn=school_urn
    )
    path = folder / "reports.csv"
    rows.to_csv(path, index=False)
    return rows, path


@given(SURVEYS)
def test_rows_read_again_give_the_same_counts(tmp_path_factory, surveys):
    """Squares, counts, words and terms of the file are those of the raw answers."""
    folder = tmp_path_factory.mktemp("rows")
    # Equal answers under two IDs would be refused as a copy.
    surveys = [(day, [*given, answer(3 + k)]) for k, (day, given) in enumerate(surveys)]
    counts = count_surveys(_write(folder, surveys))
    table, rows = counts.table, _write_rows(folder, counts)
    again = read_reports([rows[1]])
    assert again.squares.tolist() == table.squares.tolist()
    assert again.counts.tolist() == table.counts.tolist()
    assert again.factor_counts.tolist() == table.factor_counts.tolist()
    assert {term: n.tolist() for term, n in again.by_term.items()} == {
        term: n.tolist() for term, n in table.by_term.items()
    }
    assert (again.in_small_squares, again.refused) == (0, {})
    assert len(rows[0]) == table.counts.sum()


def test_rows_of_a_tally_read_again_give_the_same_counts(tmp_path):
    """Counts by square of paper forms are read back unchanged, in steps."""
    squares = find_squares([[0.8804, 51.5315], [0.8840, 51.5315]])
    words = {"time_band": {"after_school": 11}, "place_factor": {"isolated": 7, "overgrown": 6}}
    document = tally_file([tally_square(s, 14, **words) for s in squares.tolist()], pupils=30)
    counts = count_surveys([save(tmp_path / "t.json", document)])
    again = read_reports([_write_rows(tmp_path, counts)[1]])
    assert again.counts.tolist() == [10, 10]
    given_ = dict(zip(FACTOR_NAMES, again.factor_counts[0].tolist(), strict=True))
    assert {k: v for k, v in given_.items() if v} == {
        "after_school": 10,
        "isolated": 5,
        "overgrown": 5,
    }


def test_reports_of_a_term_that_does_not_show_are_dated_in_the_oldest(tmp_path):
    """Seven and three in two terms show five of the later; the others fade as old ones do."""
    surveys = [("2026-10-08", [answer()] * 7), ("2025-02-03", [answer()] * 3)]
    counts = count_surveys(_write(tmp_path, surveys))
    rows, path = _write_rows(tmp_path, counts)
    assert rows["reported_on"].value_counts().to_dict() == {"2026-09-01": 6, "2025-01-01": 4}
    (term,) = read_reports([path]).by_term
    assert (term.year, term.season) == (2026, "autumn")


def test_rows_stand_at_the_middle_of_their_square(tmp_path):
    """All reports of a square have the same place, independent of where pupils tapped."""
    some = [answer(latitude=51.5315 + k / 10_000) for k in range(8)]
    counts = count_surveys([save(tmp_path / "a.json", answers_file(some))])
    rows, _ = _write_rows(tmp_path, counts)
    places = rows[["longitude", "latitude"]].drop_duplicates()
    assert len(places) == len(counts.table) == 1
    assert rows[["latitude"]].isin([f"{one['latitude']:.6f}" for one in some]).sum().sum() == 0


@pytest.mark.parametrize(("threshold", "shown"), [(5, [5, 10]), (6, [10]), (11, [])])
def test_squares_under_a_larger_threshold_are_not_written(tmp_path, threshold, shown):
    """Stored counts respect the threshold of the settings."""
    some = [*[answer()] * 8, *[answer(1, time_band="lunch")] * 11]
    counts = count_surveys([save(tmp_path / "a.json", answers_file(some))])
    rows, path = _write_rows(tmp_path, counts, threshold=threshold)
    assert read_reports([path]).counts.tolist() == shown
    assert len(rows) == sum(shown)


def test_words_and_terms_under_a_larger_threshold_are_not_written(tmp_path):
    """Five of ten that gave a word, or of a term, do not show where ten are needed."""
    some = [answer()] * 6 + [answer(time_band="lunch")] * 10
    surveys = [("2026-10-08", some), ("2025-02-03", [answer(place_factor="none")] * 6)]
    counts = count_surveys(_write(tmp_path, surveys))
    _, path = _write_rows(tmp_path, counts, threshold=10)
    table = read_reports([path])
    assert table.counts.tolist() == [20]
    shown = np.array(FACTOR_NAMES)[table.factor_counts[0] > 0].tolist()
    assert shown == ["lunch", "after_school", "poor_lighting"]
    assert table.factor_counts.max() == 15


def test_ids_are_unique_and_of_their_file(tmp_path):
    """Rows of two files can be read together; the columns are those of the contract."""
    counts = count_surveys([save(tmp_path / "a.json", answers_file([answer()] * 9))])
    rows, _ = _write_rows(tmp_path, counts, name="Sabc", school_urn="900003")
    assert rows["report_id"].tolist() == [f"Sabc-{k}" for k in range(1, 6)]
    assert set(rows["school_urn"]) == {"900003"}
    assert tuple(rows.columns) == ROW_COLUMNS
