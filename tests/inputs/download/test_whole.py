"""From an empty folder with settings to a plan: what is fetched is what the readers read."""

import json
from datetime import UTC, datetime

import geopandas as gpd
import pytest
from inputs.download import mirror
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import patrolplan as pp
from patrolplan.cli import app
from patrolplan.inputs.download import download as bringing
from patrolplan.inputs.download.download import Servers
from patrolplan.settings import load_settings

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
SETTINGS = """
[area]
name = "Eastmere (fictional)"
bounds = {bounds}

[sources]
crimes = ["crimes/*/*.csv"]
schools = "schools.csv"
streets = "streets.osm.pbf"
"""


@pytest.fixture
def demo_world(local, demo):
    """The demo borough, served."""
    network, features = mirror.overpass_of(demo.parent / "streets.osm.gz")
    schools = (demo.parent / "schools.csv").read_bytes()
    return local.World(
        crimes=mirror.crimes_of(demo.parent.glob("crimes/*/*-street.csv")),
        register={"edubasealldata20261123.csv": schools},
        network=network,
        features=features,
        most=700,
        failing=0.05,
        slow_seconds=1.2,
    )


@pytest.fixture
def bounds(demo_area):
    """The demo borough's extent in degrees."""
    outline = gpd.GeoSeries(demo_area.network.piece_lines, crs="EPSG:27700").to_crs("EPSG:4326")
    return tuple(round(float(edge), 6) for edge in outline.total_bounds)


@pytest.fixture
def fetched(demo_world, bounds, serving, place, fetch):
    """Settings of the demo borough with nothing but what was fetched, with failures on the way."""
    settings = place("fetched", text=SETTINGS.format(bounds=list(bounds)))
    sources = ["streets", "schools", "crimes"]
    brought = fetch(settings, serving(demo_world), only=sources, months=24)
    assert len(brought.files) == 26
    return settings


def incidents_of(area):
    """What risk takes of the incidents, in a fixed order."""
    table = area.incidents.get_coordinates().round(3)
    table["month"] = area.incidents["month"]
    table["category"] = area.incidents["category"].astype(str)
    return table.sort_values(list(table.columns)).reset_index(drop=True)


def test_the_demo_borough_comes_back(fetched, demo, bounds):
    """The borough as fetched has the incidents, schools and streets that its files have."""
    area = pp.load_area(fetched)
    settings = load_settings(demo)
    limited = settings.area.model_copy(update={"bounds": bounds})
    own = pp.load_area(settings.model_copy(update={"area": limited}))
    assert_frame_equal(incidents_of(area), incidents_of(own))
    assert list(area.schools["urn"]) == list(own.schools["urn"])
    assert area.network.metres == pytest.approx(own.network.metres)
    assert sorted(area.features["kind"].unique()) == sorted(
        set(own.features["kind"].unique()) - {"building"}
    )


@pytest.mark.slow
def test_what_was_fetched_is_planned(demo_world, bounds, serving, place, tmp_path, monkeypatch):
    """With settings alone, the commands fetch, check and plan give cards, one after the other."""
    settings = place("fetched", text=SETTINGS.format(bounds=list(bounds)))
    url = serving(demo_world)
    ours = Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass")
    monkeypatch.setattr(bringing, "Servers", lambda: ours)
    config = ["--config", str(settings.folder / "patrolplan.toml")]
    register = demo_world.register.pop("edubasealldata20261123.csv")
    demo_world.register[f"edubasealldata{datetime.now(UTC):%Y%m%d}.csv"] = register
    run = CliRunner()
    done = run.invoke(app, ["fetch", *config, "--months", "24", "--json"])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["written"]) == 26
    checked = run.invoke(app, ["check", *config, "--json"])
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["months"] == ["2024-10", "2026-09"]
    planned = run.invoke(app, ["plan", *config, "--out", str(tmp_path / "out")])
    assert planned.exit_code == 0, planned.output
    assert (tmp_path / "out" / "cards.pdf").read_bytes().startswith(b"%PDF")
    assert len(json.loads((tmp_path / "out" / "plan.json").read_text("utf-8"))["patrols"]) >= 10
