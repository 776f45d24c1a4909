"""Term dates."""

import pandas as pd
import pytest

from patrolplan.errors import InputError
from patrolplan.inputs.lookups import read_term_dates


def _file(folder, *rows, name="terms.csv", header="urn,from,to,kind"):
    path = folder / name
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["urn,from,to,kind", "urn or *,from,to,kind"])
def test_term_dates_come_in_as_days(tmp_path, header):
    """Terms and closed days come in with their days, for a school or for all."""
    rows = ("*,2025-09-01,2025-12-19,term", "900001,2025-10-27,2025-10-27,closed")
    terms = read_term_dates([_file(tmp_path, *rows, header=header)])
    assert list(terms["urn"]) == ["*", "900001"]
    assert list(terms["kind"]) == ["term", "closed"]
    assert list(terms["to"]) == [pd.Timestamp("2025-12-19"), pd.Timestamp("2025-10-27")]


def test_no_file_gives_no_dates():
    """Without a file there is an empty table with the same columns."""
    terms = read_term_dates([])
    assert len(terms) == 0
    assert list(terms.columns) == ["urn", "from", "to", "kind"]


def test_all_wrong_values_are_named_by_row_and_column(tmp_path):
    """Dates that do not exist, spans backwards and unknown kinds are told, all of them."""
    one = _file(
        tmp_path,
        "*,2025-09-31,2025-12-19,term",
        "*,2025-09-01,19/12/2025,term",
        "*,2025-12-19,2025-09-01,term",
        ",2025-09-01,2025-12-19,holiday",
    )
    two = _file(tmp_path, "*,,2025-12-19,term", name="two.csv")
    with pytest.raises(InputError) as told:
        read_term_dates([one, two])
    lines = str(told.value).splitlines()
    expected = [
        f"{one}, row 2, column 'from': '2025-09-31' is no date",
        f"{one}, row 3, column 'to': '19/12/2025' is no date",
        f"{one}, row 4, column 'to': '2025-09-01' is before the first day",
        f"{one}, row 5, column 'urn': '' names no school",
        f"{one}, row 5, column 'kind': 'holiday' is no kind",
        f"{two}, row 2, column 'from': '' is no date",
    ]
    assert len(lines) == len(expected)
    for start in expected:
        assert any(line.startswith(start) for line in lines), start
