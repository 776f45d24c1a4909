"""The project for QGIS finds its layers, runs nothing of the data, and QGIS itself opens it."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from outputs.printed import change_settings

from patrolplan.outputs.geopackage import write_layers
from patrolplan.outputs.gis.project import build_styles, render_project

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("qgis_script.py")


@pytest.fixture(scope="module")
def content(demo_plan, layers):
    """The demo's project."""
    return render_project(demo_plan, layers)


def test_layers_are_found_next_to_the_project_and_nothing_elsewhere(content, layers):
    """Every layer is of the GeoPackage in the same folder, and each of its tables is shown."""
    project, text = ET.fromstring(content), content.decode("utf-8")
    assert re.findall(r"https?://[^\s'\"]+", text) == ["http://mrcc.com/qgis.dtd"]
    sources = [layer.findtext("datasource") for layer in project.iter("maplayer")]
    assert {re.fullmatch(r"\./plan\.gpkg\|layername=(\w+)", one)[1] for one in sources} == {*layers}
    ids = [layer.findtext("id") for layer in project.iter("maplayer")]
    assert len({*ids}) == len(ids)
    assert {tree.get("id") for tree in project.iter("layer-tree-layer")} <= {*ids}
    assert project.findtext("properties/Paths/Absolute") == "false"


def test_texts_of_the_data_are_neither_markup_nor_expressions(demo_plan, layers):
    """Names are unchanged; all expressions that QGIS evaluates are our own."""
    found = []
    for text, word in (("Hill & <Dale>", "<Dale>"), ("[%env('HOME')%] <b>&\"' \x1b", "<b>&\"'")):
        own = {"area": {"name": text}, "output": {"marking": f"SECRET {text}"}}
        plan = replace(demo_plan, area=change_settings(demo_plan.area, **own))
        project = ET.fromstring(render_project(plan, layers))
        assert word in project.findtext("title")
        values = " ".join(value for one in project.iter() for value in one.attrib.values())
        found.append(re.findall(r"\[%.*?%\]", values))
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_layouts_print_title_map_legend_scale_sources_and_marking(content):
    """Both pages have what a printed map needs, and the marking above and below."""
    project = ET.fromstring(content)
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
        labels = style.iterfind(".//text-style[@isExpression='0']")
        named += [one.get("fieldName") for one in labels]
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


def _run(*arguments):
    home = {"QT_QPA_PLATFORM": "offscreen", "PATH": os.defpath, "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(  # noqa: S603 - our own script
        [PYTHON, *arguments], capture_output=True, env=home, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def folder(content, layers, tmp_path_factory):
    """The demo's layers with their project."""
    folder = tmp_path_factory.mktemp("qgis")
    write_layers(folder / "plan.gpkg", layers)
    (folder / "plan.qgs").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    """What QGIS found of the demo's project."""
    if not PYTHON.exists() or _run("-c", "import qgis.core").returncode:
        pytest.skip("the system's Python has no QGIS (on Debian: python3-qgis)")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = _run(SCRIPT, folder)
    # The next plan refuses a folder with files that QGIS has changed or added.
    assert all(path.read_bytes() == content for path, content in before.items())
    pictures = {folder / f"{name}.png" for name in ("map", "layout", "page")}
    assert {*folder.iterdir()} == {*before, *pictures}
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return json.loads(done.stdout.decode("utf-8").splitlines()[-1])


@pytest.mark.slow
def test_project_opens_with_every_layer_styled(found, demo_plan):
    """All layers are valid, in the area's CRS, with renderers and words of ours."""
    assert found["read"]
    assert found["crs"] == "EPSG:27700"
    layers = found["layers"]
    assert all(layer["valid"] for layer in layers.values())
    assert layers["Streets by risk"]["renderer"] == "graduatedSymbol"
    assert layers["Streets"]["rows"] == len(demo_plan.area.network)
    assert "stop in a designated hotspot" in layers["Stops"]["legend"]
    assert "mostly pupils' reports" in layers["Priority streets"]["legend"]
    assert layers["Stops"]["animated"]
    assert layers["School gates"]["labels"]


@pytest.mark.slow
def test_a_layer_opened_alone_has_its_style_and_meanings(found):
    """Without the project a layer of the GeoPackage is drawn by its style, too."""
    wanted = {"risk": "graduatedSymbol"} | dict.fromkeys(("hotspots", "stops"), "categorizedSymbol")
    for name, layer in found["alone"].items():
        assert layer["renderer"] == wanted.get(name, "singleSymbol")
        assert all(layer["comments"][column] for column in layer["comments"] if column != "fid")
    assert found["alone"]["stops"]["types"]["arrives"] == "DateTime"


@pytest.mark.slow
def test_map_and_pages_are_drawn(found, folder, demo_plan):
    """Pictures hold the colours of the route, the hotspots and the streets of most risk."""
    assert found["map"]
    assert found["layout"] == found["page"] == 0
    assert found["pages"] == sum(1 for patrol in demo_plan.patrols if patrol.stops)
    for name in ("map", "layout", "page"):
        pixels = np.round(255 * image.imread(folder / f"{name}.png")[..., :3]).astype(int)
        for colour in ("10216b", "f3c08a", "3f007d"):
            near = np.abs(pixels - list(bytes.fromhex(colour))).sum(axis=-1) < 12
            assert near.mean() > 2e-4, (name, colour)
