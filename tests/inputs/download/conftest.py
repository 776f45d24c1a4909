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

FAULTS = ("503", "429", "500", "502", "timeout", "cut", "no json", "shape", "drop")
SLUGS = ("anti-social-behaviour", "robbery", "violent-crime", "theft-from-the-person", "drugs")


def seeded_month(seed, month, count, box, *, share=0.5):
    """Crimes of a month as the API's objects: snapped, shared points, half of them in one spot."""
    rng = np.random.default_rng([seed, int(month.replace("-", ""))])
    west, south, east, north = box
    # A fixed set of snap points; many are near one spot, so that cells there are full.
    points = np.random.default_rng(seed).random((max(20, count // 8), 2))
    near = np.random.default_rng(seed + 1).random(len(points)) < share
    points[near] = 0.5 + (points[near] - 0.5) * 0.12
    chosen = rng.integers(len(points), size=count)
    lon = west + points[chosen, 0] * (east - west)
    lat = south + points[chosen, 1] * (north - south)
    slug = rng.choice(SLUGS, size=count)
    railway = rng.random(count) < 0.06
    start = int(month.replace("-", "")) * 1_000_000
    return [
        {
            "category": slug[n],
            "location_type": "BTP" if railway[n] else "Force",
            "location": {
                "latitude": f"{lat[n]:.6f}",
                "longitude": f"{lon[n]:.6f}",
                "street": {"id": int(chosen[n]), "name": f"On or near Straße {chosen[n]}"},
            },
            "context": "",
            "outcome_status": None
            if slug[n] == SLUGS[0]
            else {"category": "Under investigation", "date": month},
            "persistent_id": "" if slug[n] == SLUGS[0] else f"{start + n:064x}",
            "id": start + n,
            "location_subtype": "STATION" if railway[n] else "",
            "month": month,
        }
        for n in range(count)
    ]


@dataclass
class World:
    """What the server holds, how it fails, and its requests.

    `most` stands for the API's 10,000; `failing` is the share of requests that go wrong, each
    fault as often as the others.
    """

    crimes: Mapping[str, list] = field(default_factory=dict)
    register: dict[str, bytes] = field(default_factory=dict)
    network: dict = field(default_factory=dict)
    features: dict = field(default_factory=dict)
    most: int = 10_000
    failing: float = 0.0
    seed: int = 1
    script: list[str] = field(default_factory=list)
    vanishing: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)
    retry_after: str = "0"
    slow_seconds: float = 0.5
    faults: int = 0

    def __post_init__(self):
        self.lock = threading.Lock()
        self.rng = np.random.default_rng(self.seed)
        self._points = {}

    def offered(self):
        """Months in the list."""
        return sorted(set(self.crimes) - self.vanishing, reverse=True)

    def within(self, month, ring):
        """Crimes of a month in a ring "lat,lng:lat,lng"."""
        if month not in self._points:
            places = [one["location"] for one in self.crimes[month]]
            pairs = [(float(one["longitude"]), float(one["latitude"])) for one in places]
            self._points[month] = np.array(pairs).reshape(-1, 2)
        corners = [tuple(map(float, corner.split(","))) for corner in ring.split(":")]
        polygon = shapely.Polygon([(lon, lat) for lat, lon in corners])
        points = self._points[month]
        inside = np.nonzero(shapely.contains_xy(polygon, points[:, 0], points[:, 1]))[0]
        return [self.crimes[month][row] for row in inside]

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

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(self.path, {})

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.answer(self.path, parse_qs(self.rfile.read(length).decode()))

    def answer(self, path, fields):
        world = self.server.world
        with world.lock:
            world.requests.append(
                (self.command, path, fields.get("date", [""])[0], time.monotonic())
            )
        self.spoiled(world.fault(), *self.good(path, fields))

    def spoiled(self, fault, status, body):
        """Send an answer with a fault, or well."""
        world = self.server.world
        headers = {"Retry-After": world.retry_after} if fault == "429" else {}
        instead = {
            "no json": (200, b"<html>Sorry, we are busy</html>"),
            "shape": (200, b'{"error": "busy"}'),
        }
        if fault.isdigit():
            status, body = int(fault), b"fault"
        status, body = instead.get(fault, (status, body))
        if fault in {"timeout", "drop"}:
            time.sleep(world.slow_seconds if fault == "timeout" else 0)
            self.close_connection = True
            return
        cut = len(body) // 2 if fault == "cut" else None
        self.send(status, body, headers, cut=cut, drip=fault == "drip")

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

    def send(self, status, body, headers=None, *, cut=None, drip=False):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if drip:
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                time.sleep(0.02)
            return
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that break off are what these tests are about."""


def serve(world):
    """Start a server of a world on loopback; gives it and its address."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.world = world
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def last_months(count, newest="2026-09"):
    """So many months up to one, "YYYY-MM"."""
    return [str(month) for month in pd.period_range(end=newest, periods=count, freq="M")]


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


@pytest.fixture
def serving():
    """What starts a server of a world and gives its address."""
    running = []

    def start(world):
        server, url = serve(world)
        running.append(server)
        return url

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def quick_web():
    """What makes a session that asks at once and never waits for long."""
    return _make_quick_web


def _make_quick_web(total=8, **changes):
    patience = Retry(total=total, backoff_factor=0.0005, backoff_max=0.001, allowed_methods=None)
    bounds = {"timeout_seconds": (2, 1), "pause_seconds": 0, "retry_policy": patience}
    return WebClient("analyst@example.org", **(bounds | changes))


@pytest.fixture(scope="session")
def make_world():
    """What makes a world of months with so many crimes each, some of which are given at once."""

    def make(months, count, *, most, seed, share=0.5):
        crimes = {m: seeded_month(seed, m, count, BOX, share=share) for m in last_months(months)}
        return World(crimes=crimes, most=most, slow_seconds=1.2)

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
def fetch():
    """What brings from the local server with the quick session."""
    return _fetch


def _fetch(settings, url, **options):
    options = {"web": _make_quick_web(), "only": ["crimes"], "months": 3} | options
    servers = Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass")
    now = options.pop("now", lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))
    return fetch_open_data(settings, servers=servers, now=now, **options)


@pytest.fixture
def files_of():
    """What gives bytes of every file but the record, and the record without its times."""
    return _read_files


def _read_files(folder):
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
