"""Results in a notebook: a few facts, with text from data escaped, and the next call."""

import re

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.inputs.small_tables import TERM_DATES
from patrolplan.tables import Column, LeftOut, LeftOutRow, Schema, list_left_out, render_html_table


def test_text_from_data_is_escaped():
    """Names and values cannot become markup."""
    html = render_html_table("<b>", {"<i>": "<script>"}, next_call="f(x) & g")
    assert re.findall(r"<(?!/?(?:strong|table|tr|th|td|code)\b)", html) == []
    assert "&lt;script&gt;" in html


def _dates(**changed):
    day = pd.to_datetime(["2026-01-05"])
    return pd.DataFrame({"urn": ["*"], "from": day, "to": day, "kind": ["term"]} | changed)


def test_check_names_the_missing_columns():
    """A table that lacks columns is refused with their names."""
    with pytest.raises(TypeError, match=r"'term_dates' lacks the columns \['from', 'kind'\]"):
        TERM_DATES.schema.check(_dates().drop(columns=["from", "kind"]))


@pytest.mark.parametrize("column", ["from", "to", "kind"])
def test_check_names_the_column_of_the_wrong_kind(column):
    """A column of another kind is refused by name."""
    with pytest.raises(TypeError, match=f"column '{column}'"):
        TERM_DATES.schema.check(_dates(**{column: [1.5]}))


def test_check_wants_geometry_to_be_geometry():
    """Text that looks like a point is no geometry."""
    places = Schema("places", {"geometry": Column("geometry", "where it is")})
    assert len(places.check(gpd.GeoDataFrame(geometry=gpd.points_from_xy([0], [0])))) == 1
    with pytest.raises(TypeError, match="column 'geometry'"):
        places.check(pd.DataFrame({"geometry": ["POINT (0 0)"]}))


def test_left_out_notes_nothing_for_zero():
    """A reason with no rows is not recorded."""
    left_out = LeftOut()
    left_out.add("crimes", "without coordinates", 0)
    left_out.add("crimes", "without a crime type", 1_234)
    assert [str(row) for row in left_out.rows] == ["crimes: 1,234 left out, without a crime type"]


@given(count=st.integers(1, 200), threshold=st.integers(1, 100))
def test_small_counts_are_told_as_fewer_than_the_threshold(count, threshold):
    """A count under the threshold never shows, one at or above it does."""
    row = LeftOutRow("reports", "unknown band", count, threshold)
    assert row.count_text == (f"fewer than {threshold}" if count < threshold else str(count))
    left_out = LeftOut()
    left_out.extend([row])
    assert list_left_out(left_out.rows) == [
        {"source": "reports", "reason": "unknown band", "count": row.count_text}
    ]
