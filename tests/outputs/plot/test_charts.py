"""Plots for analysts."""

from matplotlib.text import Text

from patrolplan.outputs import plot


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
