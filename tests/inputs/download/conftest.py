"""A local server of open data, and settings of an area that it knows."""

import json
from datetime import UTC, datetime

import pytest
from inputs.download import server as _server
from urllib3.util.retry import Retry

from patrolplan.inputs.download.client import WebClient
from patrolplan.inputs.download.download import Servers, fetch_open_data
from patrolplan.settings import load_settings

BOX = (-0.16, 51.50, -0.10, 51.54)
SETTINGS = """
[area]
name = "Somewhere"
bounds = [-0.16, 51.50, -0.10, 51.54]

[sources]
crimes = ["crimes/*/*.csv"]
schools = "schools.csv"
streets = "streets.osm.pbf"

[fetch]
contact = "analyst@example.org"
"""


@pytest.fixture(scope="session")
def local():
    """The module of the local server."""
    return _server


@pytest.fixture
def serving():
    """What starts a server of a world and gives its address."""
    running = []

    def start(world):
        server, url = _server.serve(world)
        running.append(server)
        return url

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def quick_web(total=8, **changes):
    """A session that asks at once and never waits for long."""
    patience = Retry(total=total, backoff_factor=0.0005, backoff_max=0.001, allowed_methods=None)
    bounds = {"timeout_seconds": (2, 1), "pause_seconds": 0, "retry_policy": patience}
    return WebClient("analyst@example.org", **(bounds | changes))


@pytest.fixture(name="quick_web")
def _quick_web():
    return quick_web


@pytest.fixture
def world(local):
    """Three months of 400 crimes a month, at most 150 of which are given at once."""
    months = local.last_months(3)
    crimes = {month: local.seeded_month(7, month, 400, BOX) for month in months}
    return local.World(crimes=crimes, most=150, slow_seconds=1.2)


@pytest.fixture
def place(tmp_path):
    """What makes a folder with settings."""

    def make(name="here", text=SETTINGS):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "patrolplan.toml").write_text(text, encoding="utf-8")
        return load_settings(folder / "patrolplan.toml")

    return make


def fetch(settings, url, **options):
    """Bring from the local server with the quick session."""
    options = {"web": quick_web(), "only": ["crimes"], "months": 3} | options
    servers = Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass")
    now = options.pop("now", lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))
    return fetch_open_data(settings, servers=servers, now=now, **options)


@pytest.fixture(name="fetch")
def _fetch():
    return fetch


def files_of(folder):
    """Bytes of every file but the record, and the record without its times."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }
    record = json.loads(found.pop("fetched.json"))
    for entry in record["files"].values():
        del entry["fetched_at"]
        entry["url"] = entry["url"].partition("/api")[2]  # each server has a port of its own
    return found | {"fetched.json": record}


@pytest.fixture(name="files_of")
def _files_of():
    return files_of
