"""Plots for analysts."""

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from patrolplan.outputs import plot


@pytest.fixture
def table():
    """A small table of what a change buys."""
    return pd.DataFrame(
        {
            "exponent": 0.5,
            "minutes": [30, 60, 30, 60],
            "dwell_minutes": [15, 15, 15, 15],
            "officers": [1, 1, 2, 2],
            "worth": [0.1, 0.2, 0.2, 0.3],
            "bound": [0.1, 0.2, 0.2, 0.35],
            "proven": [True, True, True, False],
            "stops": [1, 2, 2, 4],
            "walked_metres": [900.0, 1800.0, 1900.0, 3700.0],
        }
    )


def test_what_if_has_a_line_for_each_dwell_and_crew(table):
    """Each crew has its line of worth in percent, named in the legend."""
    axes = plot.what_if(table)
    assert [line.get_ydata().tolist() for line in axes.lines] == [[10, 20], [20, 30]]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["1 officer, 15 min at each stop", "2 officers, 15 min at each stop"]


def test_what_if_keeps_exponents_apart(table):
    """Cases with another exponent have lines of their own, and the legend names it."""
    both = pd.concat([table, table.assign(exponent=0.0, worth=table["worth"] / 2)])
    axes = plot.what_if(both)
    assert axes.lines[0].get_ydata().tolist() == [5, 10]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words[0] == "1 officer, 15 min at each stop, exponent 0"
    assert words[-1] == "2 officers, 15 min at each stop, exponent 0.5"


def test_what_if_draws_on_given_axes(table):
    """Given axes are used and returned; drawing gives no warning."""
    axes = Figure().add_subplot()
    assert plot.what_if(table, axes=axes) is axes
    axes.figure.canvas.draw()


def test_the_months_legend_lies_on_no_bar_and_no_word(demo_area):
    """The legend stands between title and bars: it covers neither, nor do they cover it."""
    axes = plot.months(demo_area)
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1
    (title,) = axes.findobj(lambda one: isinstance(one, Text) and demo_area.name in one.get_text())
    assert legend.y1 <= title.get_window_extent().y0
    width = axes.figure.get_window_extent().x1
    assert 0 <= legend.x0 < legend.x1 <= width
