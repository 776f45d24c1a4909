"""The map to explore: a folium map that requests nothing and escapes what data says."""

import re
from dataclasses import replace

import folium
import pytest

import patrolplan as pp

ATTACK = '<img src=x onerror="alert(1)"></script><b>{{ 7 * 7 }}'


@pytest.fixture(scope="module")
def chart(demo_plan):
    """The demo's plan as a map."""
    return pp.explore(demo_plan)


@pytest.fixture(scope="module")
def page(chart):
    """The same as a page."""
    return chart.get_root().render()


@pytest.mark.usefixtures("page")
def test_it_is_a_map_of_folium(chart):
    """Further layers can be added to it as to any map of folium's."""
    assert isinstance(chart, folium.Map)
    folium.Marker([51.5, 0.88]).add_to(chart)
    names = [child.layer_name for child in chart._children.values() if hasattr(child, "layer_name")]
    assert names == ["Streets", "Priority streets", "Hotspots", "Legs", "Stops", "Schools"]


def test_nothing_is_requested(page):
    """No script, style, image or map tile is linked; Leaflet is in the page."""
    assert not re.search(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*\shref=""", page)
    assert not re.search(r"""@import|url\(["']?(?!data:|#)""", page)
    assert "L.tileLayer(" not in page.split("<body>")[1]
    assert "Leaflet 1.9" in page


def test_tiles_are_a_choice(demo_plan):
    """With an address of map images, these are below the layers."""
    page = pp.explore(demo_plan, tiles="https://tiles.example/{z}/{x}/{y}.png").get_root()
    assert "tiles.example" in page.render()


def test_texts_from_data_are_escaped(demo_plan):
    """Markup in a place's name is text on the page, and no template's sign works."""
    patrols = tuple(
        replace(patrol, stops=tuple(replace(stop, place=ATTACK) for stop in patrol.stops))
        for patrol in demo_plan.patrols
    )
    hotspots = demo_plan.hotspots.assign(place=ATTACK)
    page = pp.explore(replace(demo_plan, patrols=patrols, hotspots=hotspots)).get_root().render()
    assert "<img src=x" not in page
    assert r"\u0026lt;img src=x" in page
    assert r"\u0026#123;\u0026#123; 7 * 7 \u0026#125;" in page
