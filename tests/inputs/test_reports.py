"""Pupils' reports: nothing about a person comes in, nothing of a row gets into a message."""

import ast
import inspect
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from pyarrow import csv

import patrolplan
from patrolplan.crs import find_squares
from patrolplan.errors import InputError
from patrolplan.inputs.reports import ALLOWED_VALUES, read_reports
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportGroups, ReportTable, suppress_and_round
from patrolplan.times import SchoolTerm

GOOD = {
    "report_id": "R1", "school_urn": "100041", "reported_on": "2024-05-03",
    "time_band": "after_school", "place_factor": "poor_lighting", "behaviour_factor": "followed",
    "longitude": "-0.13", "latitude": "51.52", "comment": "Jo Bloggs of 7 Elm Row followed me",
}  # fmt: skip
ALLOWED = {*GOOD} - {"school_urn", "comment"}


def _file(folder, *rows, name="reports.csv"):
    path = folder / name
    pd.DataFrame([GOOD | row for row in rows]).to_csv(path, index=False)
    return path


def _many(count, **row):
    """Rows that differ in their IDs alone."""
    return [row | {"report_id": f"M{number}"} for number in range(count)]


def test_good_reports_enter_as_counts_of_their_square(tmp_path):
    """What comes in of reports is their square, their number and that of each factor, in steps."""
    table = _read(tmp_path, [*({},) * 7, *({"time_band": "lunch", "place_factor": "none"},) * 4])
    assert table.squares.tolist() == find_squares([-0.13, 51.52]).tolist()
    assert table.counts.tolist() == [10]
    counts = dict(zip(FACTOR_NAMES, table.factor_counts.sum(axis=0), strict=True))
    given_ = {name: count for name, count in counts.items() if count}
    assert given_ == {"after_school": 5, "poor_lighting": 5, "followed": 10}
    assert table.refused == {}


WRONG = {
    "without coordinates": [{"longitude": "", "latitude": ""}, {"latitude": "here"},
                            {"longitude": "inf"}],
    "coordinates are zero": [{"longitude": "0", "latitude": "0.0"}],
    "longitude and latitude are swapped": [{"longitude": "51.52", "latitude": "-0.13"}],
    "without coordinates that exist": [{"latitude": "151.52"}, {"longitude": "1e300"}],
    "without a date that exists": [{"reported_on": on} for on in ("2024-02-30", "03/05/2024", "")],
    "unknown time band": [{"time_band": band} for band in ("after school", "", "none")],
    "unknown place factor": [{"place_factor": "dark"}],
    "unknown behaviour factor": [{"behaviour_factor": "FOLLOWED"}],
}  # fmt: skip


@pytest.mark.parametrize("reason", WRONG)
def test_a_wrong_value_leaves_the_row_out_and_is_counted(tmp_path, reason):
    """A wrong value is never corrected: the row is refused under its reason."""
    for row in WRONG[reason]:
        wrong = [row | {"report_id": ""}] * 6
        table = read_reports([_file(tmp_path, *_many(5), *wrong)])
        assert table.counts.tolist() == [5]
        assert table.in_small_squares == 0
        assert table.refused == {reason: 5}


def test_a_place_far_away_is_counted_with_the_small_squares(tmp_path):
    """A good report anywhere in the world is in its own square: no limits refuse it."""
    away = ({"longitude": "8.68", "latitude": "50.11"}, {"longitude": "0.5", "latitude": "52.5"})
    rows = [*_many(5), *({"report_id": f"A{k}"} | away[k % 2] for k in range(6))]
    table = read_reports([_file(tmp_path, *rows)])
    assert (table.counts.tolist(), table.in_small_squares, table.refused) == ([5], 5, {})


def test_the_same_report_again_counts_once(tmp_path):
    """A report with a duplicate ID counts once; reports without an ID all count."""
    rows = [*_many(5), *_many(5), *({"report_id": ""},) * 5]
    table = read_reports([_file(tmp_path, *rows)])
    assert table.counts.tolist() == [10]
    assert table.refused == {"duplicate report": 5}


def _read(tmp_path, rows):
    numbered = ({"report_id": f"Y{k}"} | row for k, row in enumerate(rows))
    return read_reports([_file(tmp_path, *numbered)])


def test_reports_are_counted_by_term(tmp_path):
    """January to April, May to August and September to December are a term each."""
    days = ("2024-01-01", "2024-04-30", "2024-05-01", "2024-08-31", "2024-09-01", "2024-12-31")
    rows = [{"reported_on": days[min(k // 4, 5)]} for k in range(26)]
    table = _read(tmp_path, rows)
    assert table.counts.tolist() == [25]
    terms = [SchoolTerm(2024, number) for number in range(3)]
    assert {term: counts.tolist() for term, counts in table.by_term.items()} == dict(
        zip(terms, ([5], [5], [10]), strict=True)
    )


DRAWN = st.tuples(st.sampled_from([2019, 2023, 2024]), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(DRAWN, min_size=1, max_size=60))
def test_years_and_terms_side_by_side_show_no_more_than_squares(tmp_path_factory, drawn):
    """The larger of a year and of its terms, summed, is no more than the squares show."""
    rows = [  # on other days each, as a file of reports all alike is refused
        {"reported_on": f"{year}-{1 + 4 * term:02d}-{1 + n % 28:02d}", "longitude": f"-0.1{square}"}
        for n, (year, term, square) in enumerate(drawn)
    ]
    table = _read(tmp_path_factory.mktemp("years"), rows)
    most = table.counts.sum() + table.in_small_squares
    in_terms = dict.fromkeys((2019, 2023, 2024), 0)
    for term, counts in table.by_term.items():
        in_terms[term.year] += counts.sum()
    shown = {year: table.by_year.get(year, 0) for year in in_terms}
    assert sum(max(shown[year], in_terms[year]) for year in in_terms) <= most
    true = {year: sum(one[0] == year for one in drawn) for year in in_terms}
    assert all(in_terms[year] <= shown[year] <= true[year] for year in in_terms)
    assert sum(shown.values()) == min(most, sum(n // 5 * 5 for n in true.values()))


def test_a_file_cannot_be_counted_twice(tmp_path):
    """Three reports without an ID do not pass the threshold by naming their file again."""
    path = _file(tmp_path, *({"report_id": ""},) * 3)
    copy = shutil.copy(path, tmp_path / "copy.csv")
    (tmp_path / "sub").mkdir()
    for again in (path, tmp_path / "." / "sub" / ".." / path.name, copy):
        with pytest.raises(InputError, match="has the same content as"):
            read_reports([path, again])


def test_untidiness_of_the_synthetic_return(shared):
    """The synthetic return's faults are counted as a plain count over its rows counts them."""
    path = shared / "data" / "synthetic" / "bloomsbury_pupil_reports_synthetic.csv"
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    lon, lat = (pd.to_numeric(raw[name], errors="coerce") for name in ("longitude", "latitude"))
    again = raw["report_id"].duplicated()
    placed = ~again & lat.between(51.49, 51.55)
    dated = pd.to_datetime(raw["reported_on"], format="%Y-%m-%d", errors="coerce").notna()
    band = raw["time_band"].isin(FACTORS["time_band"])
    table = read_reports([path])
    faults = {
        "duplicate report": again,
        "without coordinates": ~again & (lon.isna() | lat.isna()),
        "coordinates are zero": ~again & (lon == 0) & (lat == 0),
        "longitude and latitude are swapped": ~again & lon.between(51, 52),
        "without a date that exists": placed & ~dated,
        "unknown time band": placed & dated & ~band,
    }
    assert table.refused == dict.fromkeys(faults, 0)
    assert all(0 < fault.sum() < 5 for fault in faults.values())
    good = len(raw) - sum(fault.sum() for fault in faults.values())
    assert 0 <= good - table.counts.sum() - table.in_small_squares <= 4 * len(table) + 4


@given(count=st.integers(1, 12), step=st.integers(2, 5))
def test_counts_of_refused_rows_are_rounded_down(tmp_path_factory, count, step):
    """Refused rows are counted in steps; that there is one shows, not how many under the step."""
    rows = [{"report_id": f"R{number}", "time_band": "noon"} for number in range(count)]
    path = _file(tmp_path_factory.mktemp("r"), {"report_id": "good"}, *rows)
    table = read_reports([path], step=step)
    assert table.refused == {"unknown time band": int(suppress_and_round(count, step))}


def test_free_text_is_never_read_from_csv(tmp_path, monkeypatch):
    """The CSV reader gets the wanted columns only, whatever the file's name."""
    requested = []
    real = csv.read_csv

    def spy(content, reading, parsing, converting):
        requested.append({list(GOOD)[int(number)] for number in converting.include_columns})
        return real(content, reading, parsing, converting)

    monkeypatch.setattr(csv, "read_csv", spy)
    read_reports([_file(tmp_path, {})])
    assert requested == [ALLOWED]


PERSONAL = "Zaphod7Elmrow"


@pytest.mark.parametrize("content", [
    f"{PERSONAL},100041,2024-05-03,after_schoo,followe,longitud,x",
    "report_id,reported_on\n" + PERSONAL + ',"unclosed\n',
    f"report_id,{PERSONAL}\n1,2\n",
    "\n".join([",".join(sorted(ALLOWED)), f'1,2,"{PERSONAL}']),
    f"<html>{PERSONAL}", f"{PERSONAL}\0{PERSONAL}",
])  # fmt: skip
def test_no_message_shows_the_content_of_reports(tmp_path, content):
    """Whatever is wrong with a file of reports, no message repeats its content."""
    path = tmp_path / "reports.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_reports([path])
    assert str(path) in str(error.value)
    message = str(error.value).replace(str(path), "")
    assert not [
        one for one in (PERSONAL, "after_schoo'", "longitud'", "followe'") if one in message
    ]


def test_no_report_can_be_found_in_a_loaded_area(demo_area):
    """A study area holds groups alone: no table of it has a report's columns."""
    assert isinstance(demo_area.reports, ReportGroups)
    tables = [value for value in vars(demo_area).values() if isinstance(value, pd.DataFrame)]
    assert len(tables) >= 4
    for table in tables:
        assert not set(table.columns) & {"report_id", "reported_on", "time_band", "comment"}


def _list_functions(text):
    """Every function of a module, with its arguments as they are annotated."""
    for node in ast.walk(ast.parse(text)) if "report" in text and "Frame" in text else ():
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node, {a.arg: ast.unparse(a.annotation or ast.Constant("")) for a in arguments}


def test_no_row_of_a_report_gets_past_the_door():
    """By type: the door gives a table of counts, and nothing else takes rows of reports."""
    assert inspect.signature(read_reports).return_annotation is ReportTable
    assert set(inspect.signature(read_reports).parameters) == {"paths", "columns", "step"}
    folder = Path(patrolplan.__file__).parent
    taking = {}
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if 'source="reports"' in text:
            taking[path.relative_to(folder).as_posix()] = "reads the files"
        for node, arguments in _list_functions(text):
            for name, kind in arguments.items():
                if "report" in name and "Frame" in kind:
                    taking[path.relative_to(folder).as_posix()] = node.name
    assert taking == {"inputs/reports.py": "reads the files", "area/in_memory.py": "build_area"}


def test_what_a_report_may_say_is_what_is_counted():
    """Every value that is allowed is counted by square, but for those that say nothing."""
    nothing = {"none", "unknown"}
    allowed = [one for values in ALLOWED_VALUES.values() for one in values if one not in nothing]
    assert tuple(allowed) == FACTOR_NAMES
    assert len(set(FACTOR_NAMES)) == len(FACTOR_NAMES)
