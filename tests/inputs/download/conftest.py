"""A local server that answers as the publishers of open data do, with their faults."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
import shapely
from urllib3.util.retry import Retry

from patrolplan.inputs.download.client import WebClient
from patrolplan.inputs.download.download import Servers, fetch_open_data
from patrolplan.settings import load_settings

INSTEAD = {"no json": (200, b"<html>Sorry</html>"), "shape": (200, b'{"error": "busy"}')}
FAULTS = ("503", "429", "500", "502", "timeout", "cut", "no json", "shape", "drop")
SLUGS = ("anti-social-behaviour", "robbery", "violent-crime", "theft-from-the-person", "drugs")


def seeded_month(seed, month, count, *, share):
    """Crimes of a month as the API's objects: snapped, shared points, half of them in one spot."""
    number = int(month.replace("-", ""))
    rng, start = np.random.default_rng([seed, number]), number * 1_000_000
    # A fixed set of snap points; many are near one spot, so that cells there are full.
    points = np.random.default_rng(seed).random((max(20, count // 8), 2))
    near = np.random.default_rng(seed + 1).random(len(points)) < share
    points[near] = 0.5 + (points[near] - 0.5) * 0.12
    chosen = rng.integers(len(points), size=count)
    lon, lat = (BOX[:2] + points[chosen] * np.subtract(BOX[2:], BOX[:2])).T
    slug = rng.choice(SLUGS, size=count)
    railway = rng.random(count) < 0.06
    outcome = {"category": "Under investigation", "date": month}
    return [
        {
            "category": slug[n], "location_type": "BTP" if railway[n] else "Force",
            "location": {
                "latitude": f"{lat[n]:.6f}", "longitude": f"{lon[n]:.6f}",
                "street": {"id": int(chosen[n]), "name": f"On or near Straße {chosen[n]}"},
            },
            "context": "", "outcome_status": None if slug[n] == SLUGS[0] else outcome,
            "persistent_id": "" if slug[n] == SLUGS[0] else f"{start + n:064x}",
            "id": start + n, "location_subtype": "STATION" if railway[n] else "", "month": month,
        }
        for n in range(count)
    ]  # fmt: skip


@dataclass
class World:
    """What the server holds, how it fails, and its requests."""

    crimes: Mapping[str, list]
    register: dict[str, bytes] = field(default_factory=dict)
    network: dict = field(default_factory=dict)
    features: dict = field(default_factory=dict)
    most: int = 10_000  # crimes that are given at once
    failing: float = 0.0  # share of requests that go wrong, each fault as often as the others
    seed: int = 1
    script: list[str] = field(default_factory=list)
    vanishing: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)
    retry_after: str = "0"
    faults: int = 0

    def __post_init__(self):
        self.lock = threading.Lock()
        self.rng = np.random.default_rng(self.seed)

    def offered(self):
        """Months in the list."""
        return sorted(set(self.crimes) - self.vanishing, reverse=True)

    def within(self, month, ring):
        """Crimes of a month in a ring "lat,lng:lat,lng"."""
        crimes = np.array(self.crimes[month], dtype=object)
        corners = np.array([corner.split(",") for corner in ring.split(":")], dtype=float)
        places = [one["location"] for one in crimes]
        at = np.array([[one["longitude"], one["latitude"]] for one in places], dtype=float)
        return crimes[shapely.contains_xy(shapely.Polygon(corners[:, ::-1]), at)].tolist()

    def fault(self):
        """The next fault: scripted, else drawn; empty for none."""
        with self.lock:
            if self.script:
                return self.script.pop(0)
            if self.rng.random() < self.failing:
                self.faults += 1
                return str(self.rng.choice(FAULTS))
            return ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Note what is asked, and answer it."""
        length, world = int(self.headers.get("Content-Length", 0)), self.server.world
        fields = parse_qs(self.rfile.read(length).decode())
        with world.lock:
            world.requests.append((self.command, self.path, fields.get("date", [""])[0]))
        self.spoiled(world.fault(), *self.good(self.path, fields))

    def do_GET(self):
        self.do_POST()

    def spoiled(self, fault, status, body):
        """Send an answer with a fault, or well."""
        world = self.server.world
        headers = {"Retry-After": world.retry_after} if fault == "429" else {}
        if fault.isdigit():
            status, body = int(fault), b"fault"
        status, body = INSTEAD.get(fault, (status, body))
        if fault in {"timeout", "drop"}:
            time.sleep(1.2 if fault == "timeout" else 0)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "drip":
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                time.sleep(0.02)
        else:
            self.close_connection = fault == "cut"
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

    def good(self, path, fields):
        world = self.server.world
        if path == "/api/crimes-street-dates":
            months = [{"date": one, "stop-and-search": ["btp"]} for one in world.offered()]
            return 200, json.dumps(months).encode()
        if path == "/api/crimes-street/all-crime":
            month, ring = fields["date"][0], fields["poly"][0]
            if month not in world.offered():
                return 404, b"Not Found"
            found = world.within(month, ring)
            return (503, b"") if len(found) > world.most else (200, json.dumps(found).encode())
        if path.startswith("/schools/") and path.removeprefix("/schools/") in world.register:
            return 200, world.register[path.removeprefix("/schools/")]
        if path == "/overpass/interpreter":
            query = fields["data"][0]
            found = world.features if '"leisure"' in query else world.network
            return 200, json.dumps(found).encode()
        return 404, b"Not Found"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that break off are what these tests are about."""


BOX = (-0.16, 51.50, -0.10, 51.54)
SETTINGS = """
area.bounds = [-0.16, 51.50, -0.10, 51.54]
fetch.contact = "analyst@example.org"

[sources]
crimes = ["crimes/*/*.csv"]
schools = "schools.csv"
streets = "streets.osm.pbf"
"""


@pytest.fixture
def serving():
    """What starts a server of a world and gives its address."""
    running = []

    def start(world):
        server = _Server(("127.0.0.1", 0), _Handler)
        server.world = world
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def quick_web():
    """What makes a session that asks at once and never waits for long."""

    def make(total=8, **changes):
        patience = Retry(total, backoff_factor=0.0005, backoff_max=0.001, allowed_methods=None)
        bounds = {"timeout_seconds": (2, 1), "pause_seconds": 0, "retry_policy": patience}
        return WebClient("analyst@example.org", **(bounds | changes))

    return make


@pytest.fixture(scope="session")
def make_world():
    """What makes a world of months up to September, with so many crimes each."""

    def make(months, count, *, most, seed, share=0.5):
        last = map(str, pd.period_range(end="2026-09", periods=months, freq="M"))
        crimes = {month: seeded_month(seed, month, count, share=share) for month in last}
        return World(crimes=crimes, most=most)

    return make


@pytest.fixture
def world(make_world):
    """Three months of 400 crimes a month, at most 150 of which are given at once."""
    return make_world(3, 400, most=150, seed=7)


@pytest.fixture
def place(tmp_path):
    """What makes a folder with settings."""

    def make(name="here", text=SETTINGS):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "patrolplan.toml").write_text(text, encoding="utf-8")
        return load_settings(folder / "patrolplan.toml")

    return make


@pytest.fixture
def fetch(quick_web):
    """What brings from the local server with the quick session."""

    def bring(settings, url, **options):
        options = {"web": quick_web(), "only": ["crimes"], "months": 3} | options
        servers = Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass")
        now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        return fetch_open_data(settings, servers=servers, now=lambda: now, **options)

    return bring


@pytest.fixture
def files_of():
    """What gives bytes of every file but the record, and the record without its times."""

    def read(folder):
        paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        record = json.loads(found["fetched.json"])
        for entry in record["files"].values():
            del entry["fetched_at"]
            entry["url"] = entry["url"].partition("/api")[2]  # each server has a port of its own
        return found | {"fetched.json": record}

    return read
