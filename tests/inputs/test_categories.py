"""Categories in other spelling are the known ones; unknown and renamed ones are found."""

import pandas as pd
import pytest

from patrolplan.inputs.crime_checks import check_categories, rename_categories


def _rename(names, own=()):
    column, found = rename_categories(pd.Series(names, dtype="category"), own)
    return column.astype(object).where(column.notna(), None).tolist(), found


@pytest.mark.parametrize(
    ("names", "own", "renamed"),
    [
        (["Robbery", "ROBBERY", None], (), ["Robbery", "Robbery", None]),
        ([" bicycle  THEFT"], (), ["Bicycle theft"]),
        (["ROBBERY", "Drugs"], ("ROBBERY",), ["ROBBERY", "Drugs"]),
        (["robbery", "ROBBERY"], ("ROBBERY",), ["ROBBERY", "ROBBERY"]),
        (["Robbery"], ("robbery",), ["Robbery"]),
        (["robberY"], ("robbery",), ["Robbery"]),
        (["Knife point"], ("Knife Point",), ["Knife Point"]),
        (["Robberies"], (), ["Robberies"]),
    ],
)
def test_case_and_spaces_do_not_make_another_category(names, own, renamed):
    """A name of the settings that the files have comes first, then those of data.police.uk."""
    assert _rename(names, own)[0] == renamed


def _check(counts, own=()):
    """Categories by month: name, first month, last month, rows a month."""
    rows = [
        (name, month)
        for name, first, last, count in counts
        for month in pd.date_range(first, last, freq="MS").repeat(count)
    ]
    frame = pd.DataFrame(rows, columns=["category", "month"]).astype({"category": "category"})
    return check_categories(frame, (), own).unknown


def test_unknown_categories_have_count_and_nearest_name():
    """The most frequent unknown category comes first; names of the settings are known."""
    found = _check(
        [
            ("Robbery", "2025-01", "2025-12", 5),
            ("Roberry", "2025-01", "2025-12", 1),
            ("ASB", "2025-01", "2025-12", 2),
            ("Knife point", "2025-01", "2025-12", 2),
        ],
        ["Knife point"],
    )
    assert [(one.name, one.count, one.nearest, one.replaces) for one in found] == [
        ("ASB", 24, "", ""),
        ("Roberry", 12, "Robbery", ""),
    ]
