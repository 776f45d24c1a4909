"""A name full of markup goes through everything that people hold, and stays a name."""

import dataclasses
import datetime as dt
import io
import json
import re
import xml.etree.ElementTree as ET

import geopandas as gpd
import pypdf
import pytest

import patrolplan as pp
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import write_brief

NAME = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*]'
URN = "900001"


@pytest.fixture(scope="module")
def pack(demo_area, demo_plan, tmp_path_factory):
    """Everything written for the demo borough, one school of which has that name."""
    schools = demo_area.schools.assign(
        name=demo_area.schools["name"].where(demo_area.schools["urn"] != URN, NAME)
    )
    area = dataclasses.replace(demo_area, schools=schools)
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, urns=[URN])
    out = tmp_path_factory.mktemp("hostile")
    pp.write_pack(plan, out / "pack")
    write_brief(build_brief(area, plan.hotspots, URN, dt.date(2026, 7, 1)), out / "brief")
    return out


def printed(path):
    """Letters of a PDF, without the spaces where lines may break."""
    reader = pypdf.PdfReader(io.BytesIO(path.read_bytes()))
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def test_name_is_text_on_paper(pack):
    """Card and brief print the name letter by letter."""
    bare = "".join(NAME.split())
    assert bare in printed(pack / "pack" / "cards" / f"{URN}.pdf")
    assert bare in printed(pack / "brief" / f"brief-{URN}.pdf")


def test_name_is_text_in_data(pack):
    """Plan, brief, GPX and GeoPackage give back the very name."""
    document = json.loads((pack / "pack" / "plan.json").read_text(encoding="utf-8"))
    assert document["patrols"][0]["school"] == NAME
    document = json.loads((pack / "brief" / f"brief-{URN}.json").read_text(encoding="utf-8"))
    assert document["school"] == NAME
    tree = ET.parse(pack / "pack" / "gpx" / f"{URN}.gpx")
    assert any(NAME in (node.text or "") for node in tree.iter())
    layer = gpd.read_file(pack / "pack" / "plan.gpkg", layer="schools")
    assert NAME in set(layer["name"])


def test_name_opens_no_tag_in_the_map(pack):
    """The page for the phone holds the name as data, and no script of it."""
    page = (pack / "pack" / "map.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    held = re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL).group(1)
    assert NAME in {patrol["name"] for patrol in json.loads(held)["schools"]}
