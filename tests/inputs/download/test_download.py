"""Fetching: only what is missing, whole or not at all, the same bytes whatever goes wrong."""

import csv
import json
import subprocess
import sys
import time
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

from patrolplan.errors import FetchError, SettingsError
from patrolplan.inputs.download import download as bringing
from patrolplan.inputs.download.download import Servers
from patrolplan.inputs.fetched import list_corrections
from patrolplan.settings import CATEGORIES

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_every_crime_of_the_area_comes_once(world, serving, place, fetch):
    """Cells are halved until the server answers, and no crime is lost or doubled on the way."""
    settings = place()
    fetch(settings, serving(world))
    for month, crimes in world.crimes.items():
        path = settings.folder / f"crimes/{month}/{month}-street.csv"
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        names = ("Crime ID", "Longitude", "Latitude", "Location", "Reported by")
        got = sorted(tuple(row[name] for name in names) for row in rows)
        assert {row["Crime type"] for row in rows} <= set(CATEGORIES)
        held = []
        for one in crimes:
            at = one["location"]
            force = "British Transport Police" if one["location_type"] == "BTP" else ""
            place_of = at["longitude"], at["latitude"], at["street"]["name"]
            held.append((one["persistent_id"], *place_of, force))
        assert got == sorted(held)
    there = {path.name for path in settings.folder.iterdir()}
    assert there == {"crimes", "fetched.json", "patrolplan.toml"}


def test_months_are_listed_first_and_only_missing_ones_fetched(world, serving, place, fetch):
    """A month that is there, from whatever force's file, costs no request."""
    settings = place()
    existing = settings.folder / "crimes/2026-08/2026-08-metropolitan-street.csv"
    existing.parent.mkdir(parents=True)
    existing.write_text("Crime ID,Month\n", encoding="utf-8")
    brought = fetch(settings, serving(world))
    assert world.requests[0][1] == "/api/crimes-street-dates"
    assert {month for *_, month in world.requests[1:]} == {"2026-07", "2026-09"}
    assert brought.existing == 1
    assert existing.read_text(encoding="utf-8") == "Crime ID,Month\n"
    world.requests.clear()
    assert fetch(settings, serving(world)).files == []
    assert len(world.requests) == 1


def test_failing_requests_change_no_byte(world, serving, place, fetch, files_of, quick_web):
    """With a quarter of all requests failing the files are the same as without failures."""
    settings = place("calm")
    fetch(settings, serving(world))
    for seed in (1, 2, 3):
        stormy = replace(world, failing=0.25, seed=seed, requests=[])
        other = place(f"stormy {seed}")
        fetch(other, serving(stormy), web=quick_web(timeout_seconds=(2, 0.4)))
        assert stormy.faults > 0
        assert files_of(other.folder) == files_of(settings.folder)


def test_a_file_in_doubt_is_noted_and_not_replaced(world, serving, place, fetch):
    """A fetched file that was changed stays, is noted, and is replaced with --again."""
    settings, url = place(), serving(world)
    fetch(settings, url, months=1)
    name = "crimes/2026-09/2026-09-street.csv"
    spoiled = settings.folder / name
    good = spoiled.read_bytes()
    spoiled.write_bytes(good[:1000])
    brought = fetch(settings, url, months=1)
    assert spoiled.read_bytes() == good[:1000]
    (note,) = brought.notes
    assert note.startswith(f"{name} was changed after it was fetched, and")
    fetch(settings, url, again=True, months=1)
    assert spoiled.read_bytes() == good


def test_a_month_that_was_corrected_is_noted(world, serving, place, fetch):
    """Other crimes of a month are noted with both numbers; other outcomes alone are not."""
    settings, month = place(), world.crimes["2026-09"]
    other = [{**one, "outcome_status": None} for one in month]
    for crimes in (month, other):
        now = replace(world, crimes={**world.crimes, "2026-09": crimes})
        assert not fetch(settings, serving(now), again=True, months=1).notes
    fewer = serving(replace(world, crimes={**world.crimes, "2026-09": other[1:]}))
    notes = fetch(settings, fewer, again=True, months=1).notes
    assert notes == list_corrections(settings.folder)
    start = "Crime of 2026-09 was corrected after it was published: "
    assert notes[0].startswith(f"{start}400 crimes on 2026-11-24, 399 on")
    # For check and for who fetches next.
    assert fetch(settings, fewer, again=True, months=1).notes == notes


def test_two_fetches_do_not_mix(world, serving, place, fetch):
    """While one fetch is at work in a folder another must wait."""
    settings, url = place(), serving(world)

    def start_another(*_):
        with pytest.raises(FetchError, match="another fetch is running"):
            fetch(settings, url)

    assert fetch(settings, url, report_progress=start_another, months=1).files


def test_settings_without_a_target_send_no_request(world, serving, place, fetch):
    """Without an area, or with one file for all crimes, settings are refused before any request."""
    text = (place().folder / "patrolplan.toml").read_text(encoding="utf-8")
    url = serving(world)
    with pytest.raises(SettingsError, match="neither bounds nor boundary"):
        fetch(place(text=text.replace("area.bounds", "# area.bounds")), url)
    with pytest.raises(SettingsError, match=r"cannot name what is fetched \('crimes\.csv'\)"):
        fetch(place(text=text.replace("crimes/*/*.csv", "crimes.csv")), url)
    assert world.requests == []


def test_the_command_tells_what_came_and_stops_in_peace(world, serving, place, monkeypatch, run):
    """It names files, and notes a month that is not offered; stopped by hand nothing is lost."""
    url = serving(world)
    ours = Servers(f"{url}/api", f"{url}/schools", f"{url}/overpass")
    monkeypatch.setattr(bringing, "Servers", lambda: ours)
    world.vanishing = {"2026-08"}
    config = place().folder / "patrolplan.toml"
    command = ("fetch", "--config", config, "--only", "crimes", "--months", "2")
    code, out, _ = run(*command, "--json")
    assert code == 0
    message = json.loads(out)
    assert message["written"] == ["crimes/2026-09/2026-09-street.csv"]
    assert message["notes"] == ["data.police.uk does not offer crime of 2026-08 (any more)."]
    assert not (config.parent / "crimes/2026-08").exists()
    monkeypatch.setattr(bringing, "fetch_open_data", Mock(side_effect=KeyboardInterrupt))
    assert run(*command)[0] == 130


CHILD = """
import sys
from urllib3.util.retry import Retry
from patrolplan.inputs.download.client import WebClient
from patrolplan.inputs.download.download import Servers, fetch_open_data
from patrolplan.settings import load_settings
url, months = sys.argv[2], int(sys.argv[3])
patience = Retry(total=8, backoff_factor=0.001, allowed_methods=None)
bounds = {"pause_seconds": 1 / 40, "timeout_seconds": (5, 5), "retry_policy": patience}
web, servers = WebClient("analyst@example.org", **bounds), Servers(f"{url}/api")
settings = load_settings(sys.argv[1])
fetch_open_data(settings, months=months, only=["crimes"], web=web, servers=servers)
"""


@pytest.mark.slow
def test_kills_change_no_byte(make_world, serving, place, fetch, files_of):
    """A fetch that is killed again and again, at any moment, ends with the same bytes."""
    months = 18
    world = make_world(months, 1200, most=700, seed=3, share=0.75)
    url = serving(world)
    whole, killed = place("whole"), place("killed")
    fetch(whole, url, months=months)
    rng = np.random.default_rng(9)
    config, kills = killed.folder / "patrolplan.toml", 0
    command = [sys.executable, "-c", CHILD, config, url, str(months)]
    for _ in range(100):
        until = len(world.requests) + int(rng.integers(2, 14))
        child = subprocess.Popen(command)  # noqa: S603 - our own
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
