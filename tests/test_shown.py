"""Results in a notebook: a few facts, text from data escaped, and the call that comes next."""

import datetime as dt
import re

import pytest

import patrolplan as pp
from patrolplan.shown import shown_as_table


def test_text_from_data_is_escaped():
    """Names and values cannot become markup."""
    html = shown_as_table("<b>", {"<i>": "<script>"}, after="f(x) & g")
    assert re.findall(r"<(?!/?(?:strong|table|tr|th|td|code)\b)", html) == []
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("of", "after"),
    [
        (lambda plan: plan.area, "estimate_risk"),
        (lambda plan: plan.risk, "find_hotspots"),
        (lambda plan: plan, "write_pack"),
        (lambda plan: pp.plan_week(plan.area, plan, start=dt.date(2026, 11, 30)), "plot.doses"),
    ],
)
def test_results_name_the_call_that_comes_next(demo_plan, of, after):
    """Each step of the spine leads to the next, and that call is there."""
    html = of(demo_plan)._repr_html_()
    called = re.findall(r"pp\.([\w.]+)\(", html.split("Next:")[1])
    assert after in called
    for name in called:
        found = pp
        for part in name.split("."):
            found = getattr(found, part)
        assert callable(found)


def test_the_area_tells_what_came_in(demo_area):
    """Counts and months are those of the area."""
    html = demo_area._repr_html_()
    assert f"<td>{len(demo_area.incidents):,}, 2024-10 to 2026-09</td>" in html
    assert "<td>12</td>" in html
