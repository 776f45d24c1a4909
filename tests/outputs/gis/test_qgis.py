"""QGIS itself opens the project: layers are there, drawn by our styles, and print."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from patrolplan.outputs.geopackage import write_layers
from patrolplan.outputs.gis.project import render_project

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("qgis_script.py")

pytestmark = pytest.mark.slow


def _run(*arguments):
    home = {"QT_QPA_PLATFORM": "offscreen", "PATH": os.defpath, "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(  # noqa: S603 - our own script
        [PYTHON, *arguments], capture_output=True, env=home, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def folder(demo_plan, layers, tmp_path_factory):
    """The demo's layers with their project."""
    folder = tmp_path_factory.mktemp("qgis")
    write_layers(folder / "plan.gpkg", layers)
    (folder / "plan.qgs").write_bytes(render_project(demo_plan, layers))
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


def test_project_opens_with_every_layer_styled(found, demo_plan):
    """All layers are valid, in the area's CRS, with renderers and words of ours."""
    assert found["read"]
    assert found["crs"] == "EPSG:27700"
    layers = found["layers"]
    assert all(layer["valid"] for layer in layers.values())
    assert layers["Priority streets"]["renderer"] == "graduatedSymbol"
    assert layers["Streets"]["rows"] == len(demo_plan.area.network)
    assert "stop in a designated hotspot" in layers["Stops"]["legend"]
    assert "mostly pupils' reports" in layers["Hotspots"]["legend"]
    assert layers["Stops"]["animated"]
    assert layers["School gates"]["labels"]


def test_a_layer_opened_alone_has_its_style_and_meanings(found):
    """Without the project a layer of the GeoPackage is drawn by its style, too."""
    wanted = {
        "risk": "graduatedSymbol",
        "hotspots": "categorizedSymbol",
        "stops": "categorizedSymbol",
    }
    for name, layer in found["alone"].items():
        assert layer["renderer"] == wanted.get(name, "singleSymbol")
        assert all(layer["comments"][column] for column in layer["comments"] if column != "fid")
    assert found["alone"]["stops"]["types"]["arrives"] == "DateTime"


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
