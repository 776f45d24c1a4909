"""Results in a notebook: a few facts, text from data escaped, and the call that comes next."""

import dataclasses
import datetime as dt
import re

import pytest

import patrolplan as pp
from patrolplan.tables import shown_as_table


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


def test_one_of_a_thing_is_told_in_the_singular(demo_plan):
    """A plan of one patrol with one stop in one hotspot says so, and the demo's has many."""
    assert "12 patrols with" in repr(demo_plan)
    patrol = dataclasses.replace(demo_plan.patrols[0], stops=demo_plan.patrols[0].stops[:1])
    single = dataclasses.replace(demo_plan, patrols=(patrol,), hotspots=demo_plan.hotspots.iloc[:1])
    assert repr(single).endswith("1 patrol with 1 stop in 1 hotspot>")
