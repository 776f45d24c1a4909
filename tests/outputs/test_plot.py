"""Maps and plots for analysts: drawn values are the tables', and the map requests nothing."""

import datetime as dt
import re
from dataclasses import replace

import folium
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

import patrolplan as pp

mpl.use("Agg")
ATTACK = '<img src=x onerror="alert(1)"></script><b>{{ 7 * 7 }}'


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_risk_is_drawn_darkest_last(demo_plan):
    """Every piece is drawn, the ones of most risk on top, and the scale ends at one."""
    axes = pp.plot.risk(demo_plan.area, demo_plan.risk)
    drawn = axes.collections[-1]
    values = np.asarray(drawn.get_array())
    assert len(values) == len(demo_plan.area.network)
    assert np.all(np.diff(values) >= 0)
    assert drawn.norm.vmax == 1
    with pytest.raises(pp.InputError, match="choose from: joined, crime, reports"):
        pp.plot.risk(demo_plan.area, demo_plan.risk, voice="rumour")
    assert "October 2024 to September 2026" in axes.get_title(loc="left")


def test_a_route_has_a_number_at_every_stop(demo_plan):
    """Stops are numbered in their order, and the whole route is in the frame."""
    patrol = demo_plan.patrols[2]
    axes = pp.plot.route(demo_plan, patrol.urn)
    numbers = [text.get_text() for text in axes.texts if text.get_text().isdigit()]
    assert numbers == [str(count) for count in range(1, len(patrol.stops) + 1)]
    line = np.concatenate([leg.line for leg in patrol.legs])
    assert axes.get_xlim()[0] < line[:, 0].min() < line[:, 0].max() < axes.get_xlim()[1]


def test_the_calendar_adds_up_to_the_week(demo_week):
    """Minutes in the calendar are those of stops with a hotspot in view, of the first 30."""
    axes = pp.plot.doses(demo_week)
    minutes = dict.fromkeys(demo_week.plan.hotspots["hotspot"], 0.0)
    for duty in demo_week.duties:
        for stop in duty.patrol.stops:
            for name in {stop.hotspot, *stop.sees} & set(minutes):
                minutes[name] += stop.leave_minutes - stop.arrive_minutes
    written = sum(float(text.get_text()) for text in axes.texts)
    assert written == pytest.approx(sum(sorted(minutes.values())[-30:]), abs=0.5 * len(axes.texts))


def test_impact_draws_expected_beside_what_came(demo_plan):
    """Two bars for each group of streets."""
    doses = pd.DataFrame({"hotspot": ["H1"], "date": [dt.date(2026, 7, 6)], "minutes": [15.0]})
    months = {"before": ("2026-04", "2026-06"), "after": ("2026-07", "2026-09")}
    impact = pp.estimate_impact(demo_plan.area, demo_plan.hotspots, doses, **months)
    heights = [bar.get_height() for bar in pp.plot.impact(impact).patches]
    assert heights == [*impact.counts["expected"], *impact.counts["after"]]


def test_all_draw_on_given_axes(demo_plan, demo_week):
    """Given axes are used and returned; drawing gives no warning."""
    area, risk = demo_plan.area, demo_plan.risk
    for draw, *of in (
        (pp.plot.risk, area, risk),
        (pp.plot.hotspots, area, risk, demo_plan.hotspots),
        (pp.plot.disagreement, area, risk),
        (pp.plot.route, demo_plan, "900003"),
        (pp.plot.doses, demo_week),
        (pp.plot.shares, demo_week),
    ):
        axes = Figure().add_subplot()
        assert draw(*of, axes=axes) is axes
        axes.figure.canvas.draw()


def test_months_hold_every_incident_under_a_legend(demo_area):
    """All bars together are all incidents, those that count below; the legend is on no bar."""
    axes = pp.plot.months(demo_area)
    assert sum(bar.get_height() for bar in axes.patches) == len(demo_area.incidents)
    counted = demo_area.incidents["category"].isin(demo_area.settings.crimes.risk_categories)
    first = axes.patches[: len(axes.patches) // 2]
    assert sum(bar.get_height() for bar in first) == counted.sum()
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1
    (title,) = axes.findobj(lambda one: isinstance(one, Text) and demo_area.name in one.get_text())
    assert legend.y1 <= title.get_window_extent().y0
    width = axes.figure.get_window_extent().x1
    assert 0 <= legend.x0 < legend.x1 <= width


def test_the_map_to_explore_can_be_extended_and_requests_nothing(demo_plan):
    """A map of folium's links no script, style, image or tile, and has Leaflet in its page."""
    chart = pp.explore(demo_plan)
    page = chart.get_root().render()
    folium.Marker([51.5, 0.88]).add_to(chart)
    names = [child.layer_name for child in chart._children.values() if hasattr(child, "layer_name")]
    assert names == [
        "Streets",
        "Streets with most risk",
        "Priority streets",
        "Legs",
        "Stops",
        "Schools",
    ]
    assert not re.search(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*\shref=""", page)
    assert not re.search(r"""@import|url\(["']?(?!data:|#)""", page)
    assert "L.tileLayer(" not in page.split("<body>")[1]
    assert "Leaflet 1.9" in page


def test_texts_from_data_are_escaped_and_tiles_a_choice(demo_plan):
    """Markup in names is text, no template's sign works; images are requested where asked for."""
    patrols = tuple(
        replace(patrol, stops=tuple(replace(stop, place=ATTACK) for stop in patrol.stops))
        for patrol in demo_plan.patrols
    )
    hotspots = demo_plan.hotspots.assign(place=ATTACK)
    hostile = replace(demo_plan, patrols=patrols, hotspots=hotspots)
    page = pp.explore(hostile, tiles="https://tiles.example/{z}/{x}/{y}.png").get_root().render()
    assert "tiles.example" in page
    assert "<img src=x" not in page
    assert r"\u0026lt;img src=x" in page
    assert r"\u0026#123;\u0026#123; 7 * 7 \u0026#125;" in page
