"""Three boroughs over many months: whatever fails or is killed, the files end the same."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BOX = (-0.22, 51.42, -0.04, 51.58)
SETTINGS = """
[area]
name = "Three boroughs"
boundary = "boroughs.geojson"

[sources]
crimes = "crimes/*/*.csv"
schools = "schools.csv"
streets = "streets.osm.pbf"
"""
CHILD = """
import sys
from datetime import UTC, datetime
from urllib3.util.retry import Retry
from patrolplan.inputs.download.download import Servers
from patrolplan.inputs.download.download import fetch_open_data
from patrolplan.inputs.download.client import RateLimiter
from patrolplan.inputs.download.client import WebClient
from patrolplan.settings import load_settings
url, months = sys.argv[2], int(sys.argv[3])
web = WebClient(
    "analyst@example.org",
    rate_limiter=RateLimiter(per_second=40),
    timeout_seconds=(5, 5),
    retry_policy=Retry(total=8, backoff_factor=0.001, allowed_methods=None),
)
fetch_open_data(
    load_settings(sys.argv[1]),
    months=months,
    only=["crimes"],
    web=web,
    servers=Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass"),
)
"""


def boroughs():
    """Two boroughs that share a border and one across a gap, with ragged outlines."""
    rng = np.random.default_rng(5)
    shapes = []
    for west, south, east, north in (
        (-0.21, 51.49, -0.13, 51.57),
        (-0.13, 51.49, -0.05, 51.57),
        (-0.18, 51.43, -0.08, 51.48),
    ):
        along = np.linspace(0, 1, 80, endpoint=False)
        edge = np.concatenate(
            [
                np.column_stack([west + along * (east - west), np.full(80, south)]),
                np.column_stack([np.full(80, east), south + along * (north - south)]),
                np.column_stack([east - along * (east - west), np.full(80, north)]),
                np.column_stack([np.full(80, west), north - along * (north - south)]),
            ]
        )
        edge += rng.uniform(-0.0003, 0.0003, edge.shape)
        shapes.append([*edge.tolist(), edge[0].tolist()])
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [one]}}
        for one in shapes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def settings(place):
    """What makes a folder with the boroughs' outline and settings."""

    def make(name):
        made = place(name, text=SETTINGS)
        (made.folder / "boroughs.geojson").write_text(boroughs(), encoding="utf-8")
        return made

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("months", "count", "most", "patience_seconds"),
    [
        (3, 900, 200, 1),
        pytest.param(36, 16_000, 10_000, 10, marks=pytest.mark.slow),
        pytest.param(36, 16_000, 2_000, 10, marks=pytest.mark.slow),
    ],
)
def test_failures_change_no_byte(  # noqa: PLR0917 - fixtures
    local, serving, settings, fetch, files_of, quick_web, months, count, most, patience_seconds
):
    """With one request in twenty failing, the files of three boroughs are the same bytes."""
    crimes = local.SeededMonths(3, local.last_months(months), count, BOX, share=0.75)
    calm = local.World(crimes=crimes, most=most)
    slow = patience_seconds + 0.5
    stormy = local.World(crimes=crimes, most=most, failing=0.05, seed=2, slow_seconds=slow)
    first, second = settings("calm"), settings("stormy")
    patient = {"timeout_seconds": (5, patience_seconds)}  # the server makes months as it goes
    fetch(first, serving(calm), months=months, web=quick_web(**patient))
    fetch(second, serving(stormy), months=months, web=quick_web(**patient))
    assert stormy.faults > 0
    assert any(command == "POST" for command, *_ in calm.requests)
    assert len(list(first.folder.glob("crimes/*/*.csv"))) == months
    assert files_of(second.folder) == files_of(first.folder)


@pytest.mark.slow
def test_kills_change_no_byte(local, serving, settings, fetch, files_of):
    """A fetch that is killed again and again, at any moment, ends with the same bytes."""
    months = 8
    crimes = local.SeededMonths(3, local.last_months(months), 3000, BOX, share=0.75)
    world = local.World(crimes=crimes, most=700)
    url = serving(world)
    whole, killed = settings("whole"), settings("killed")
    fetch(whole, url, months=months)
    rng = np.random.default_rng(9)
    command = [
        sys.executable,
        "-c",
        CHILD,
        str(killed.folder / "patrolplan.toml"),
        url,
        str(months),
    ]
    kills = 0
    for _ in range(100):
        before = len(world.requests)
        child = subprocess.Popen(command)  # noqa: S603 - our own
        until = before + int(rng.integers(2, 14))
        while len(world.requests) < until and child.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        if child.poll() is not None:
            break
        child.kill()
        child.wait()
        kills += 1
    assert child.returncode == 0
    assert kills >= 5
    assert files_of(killed.folder) == files_of(whole.folder)
