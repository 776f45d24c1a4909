"""Results in a notebook: a few facts, with text from data escaped, and the next call."""

import dataclasses
import re

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.tables import (
    INCIDENTS,
    TERM_DATES,
    LeftOut,
    LeftOutRow,
    list_left_out,
    render_html_table,
)


def test_text_from_data_is_escaped():
    """Names and values cannot become markup."""
    html = render_html_table("<b>", {"<i>": "<script>"}, next_call="f(x) & g")
    assert re.findall(r"<(?!/?(?:strong|table|tr|th|td|code)\b)", html) == []
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("of", "after"),
    [
        ("demo_area", "estimate_risk"),
        ("demo_risk", "find_hotspots"),
        ("demo_plan", "write_pack"),
        ("demo_week", "plot.doses"),
    ],
)
def test_results_name_the_call_that_comes_next(request, of, after):
    """Each step of the spine leads to the next, and that call is there."""
    html = request.getfixturevalue(of)._repr_html_()
    called = re.findall(r"pp\.([\w.]+)\(", html.split("Next:")[1])
    assert after in called
    for name in called:
        found = pp
        for part in name.split("."):
            found = getattr(found, part)
        assert callable(found)


def test_one_of_a_thing_is_told_in_the_singular(demo_plan):
    """A plan of one patrol with one stop in one hotspot has singular words, the demo's plural."""
    assert "12 patrols with" in repr(demo_plan)
    patrol = dataclasses.replace(demo_plan.patrols[0], stops=demo_plan.patrols[0].stops[:1])
    single = dataclasses.replace(demo_plan, patrols=(patrol,), hotspots=demo_plan.hotspots.iloc[:1])
    assert repr(single).endswith("1 patrol with 1 stop in 1 hotspot>")


def _dates(**changed):
    day = pd.to_datetime(["2026-01-05"])
    return pd.DataFrame({"urn": ["*"], "from": day, "to": day, "kind": ["term"]} | changed)


def test_check_gives_the_table_back():
    """A table of the schema passes unchanged, with columns beyond the schema."""
    table = _dates(note=["extra"])
    assert TERM_DATES.check(table) is table


def test_check_names_the_missing_columns():
    """A table that lacks columns is refused with their names."""
    with pytest.raises(TypeError, match=r"'term_dates' lacks the columns \['from', 'kind'\]"):
        TERM_DATES.check(_dates().drop(columns=["from", "kind"]))


@pytest.mark.parametrize("column", ["from", "to", "kind"])
def test_check_names_the_column_of_the_wrong_kind(column):
    """A column of another kind is refused by name."""
    with pytest.raises(TypeError, match=f"column '{column}'"):
        TERM_DATES.check(_dates(**{column: [1.5]}))


def test_check_wants_geometry_to_be_geometry():
    """Text that looks like a point is no geometry."""
    frame = pd.DataFrame(
        {
            "category": pd.Series(["Robbery"], dtype="category"),
            "month": pd.to_datetime(["2026-01-01"]),
            "occurred_at": pd.to_datetime(["2026-01-01"]),
            "timed": [True],
            "force": pd.Series(["Met"], dtype="category"),
        }
    )
    good = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy([0], [0], crs="EPSG:27700"))
    assert len(INCIDENTS.check(good)) == 1
    with pytest.raises(TypeError, match="column 'geometry'"):
        INCIDENTS.check(frame.assign(geometry="POINT (0 0)"))


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
