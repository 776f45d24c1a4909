"""The project for QGIS: it finds its layers, runs nothing of the data, and never changes."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from patrolplan.outputs.geopackage import build_plan_layers
from patrolplan.outputs.gis.project import render_project


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


def _parse(content):
    return ET.fromstring(content.decode("utf-8"))


def test_layers_are_found_next_to_the_project(demo_plan, layers):
    """Every layer is of the GeoPackage in the same folder, and each of its tables is shown."""
    project = _parse(render_project(demo_plan, layers))
    sources = [layer.findtext("datasource") for layer in project.iter("maplayer")]
    assert {re.fullmatch(r"\./plan\.gpkg\|layername=(\w+)", one)[1] for one in sources} == {*layers}
    ids = [layer.findtext("id") for layer in project.iter("maplayer")]
    assert len({*ids}) == len(ids)
    for tree in project.iter("layer-tree-layer"):
        assert tree.get("id") in ids
    assert project.findtext("properties/Paths/Absolute") == "false"


def test_nothing_is_loaded_from_elsewhere(demo_plan, layers):
    """There is no address of a server, except in the name of the document type."""
    text = render_project(demo_plan, layers).decode("utf-8")
    assert re.findall(r"https?://[^\s'\"]+", text) == ["http://mrcc.com/qgis.dtd"]


def test_texts_of_the_data_are_neither_markup_nor_expressions(demo_plan, layers):
    """Names are unchanged; all expressions that QGIS evaluates are our own."""
    found = []
    for text, word in (("Hill & <Dale>", "<Dale>"), ("[%env('HOME')%] <b>&\"' \x1b", "<b>&\"'")):
        settings = demo_plan.area.settings
        own = {
            "area": settings.area.model_copy(update={"name": text}),
            "output": settings.output.model_copy(update={"marking": f"SECRET {text}"}),
        }
        area = replace(demo_plan.area, settings=settings.model_copy(update=own))
        plan = replace(demo_plan, area=area)
        project = _parse(render_project(plan, layers))
        assert word in project.findtext("title")
        values = " ".join(value for one in project.iter() for value in one.attrib.values())
        found.append(re.findall(r"\[%.*?%\]", values))
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_layouts_print_title_map_legend_scale_sources_and_marking(demo_plan, layers):
    """Both pages have what a printed map needs, and the marking above and below."""
    project = _parse(render_project(demo_plan, layers))
    assert len(project.findall("Layouts/Layout")) == 2
    for page in project.iter("Layout"):
        texts = {item.get("id"): item.get("labelText") for item in page.iter("LayoutItem")}
        assert set(texts) >= {"map", "legend", "scale-bar", "north"}
        assert texts["marking-top"] == texts["marking-bottom"] == "OFFICIAL-SENSITIVE"
        assert "Fictional place" in texts["sources"]
        assert texts["title"]
