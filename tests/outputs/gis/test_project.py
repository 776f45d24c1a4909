"""The project for QGIS finds its layers and runs nothing of the data; its styles hold in grey."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.outputs.gis.project import RISK_SHARES, build_styles, find_breaks, render_project


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


@pytest.fixture(scope="module")
def documents(layers):
    """Styles of the demo borough's layers, as XML."""
    return {name: ET.fromstring(text) for name, text in build_styles(layers).items()}


def test_styles_name_columns_that_the_layers_have(documents, layers):
    """A renderer, a label or a time is of a column of its layer."""
    for name, style in documents.items():
        attr = style.find("renderer-v2").get("attr") or ""
        named = re.findall(r'"(\w+)"', attr) if "(" in attr else [attr]
        named += [one.get("fieldName") for one in style.iter("text-style")
                  if one.get("isExpression") == "0"]  # fmt: skip
        named += [field.get("name") for field in style.iter("field")]
        assert set(filter(None, named)) <= set(layers[name].columns)


def test_more_risk_is_darker_and_wider(documents):
    """In black and white, too, a class of more risk stands out from the next."""
    lines = [
        {option.get("name"): option.get("value") for option in symbol.iter("Option")}
        for symbol in documents["risk"].findall("renderer-v2/symbols/symbol")
    ]
    colours = [line["line_color"].split(",") for line in lines[:-1]]
    grey = [np.dot([int(part) for part in rgb[:3]], (0.299, 0.587, 0.114)) for rgb in colours]
    assert (np.diff(grey) > 25).all()
    assert (np.diff([float(line["line_width"]) for line in lines]) < 0).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 60)), min_size=1, max_size=60))
def test_classes_have_their_share_of_street(pieces):
    """Counted slowly, the streets above a limit are less than its share, with it at least that."""
    values, metres = (np.array(column) for column in zip(*pieces, strict=True))
    limits = find_breaks(pd.Series(values), pd.Series(metres))
    assert limits == sorted(limits, reverse=True)
    for share, limit in zip(RISK_SHARES, limits[1:-1], strict=True):
        above = sum(length for value, length in pieces if value > limit)
        reached = sum(length for value, length in pieces if value >= limit)
        assert above < share * metres.sum() + 1e-6
        assert reached >= share * metres.sum() - 1e-6
