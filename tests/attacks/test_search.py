"""Every command is run on planted reports; all it writes or says is searched for them."""

import gzip
import json
import os
import shutil
import struct
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from attacks import searcher

import patrolplan as pp
from patrolplan.crs import SQUARE_METRES, Projection
from patrolplan.privacy import ROUNDING_STEP

RUN_ALL = """
import json, sys, traceback
from patrolplan.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["patrolplan", *words]
    try:
        main()
    except SystemExit as end:
        print(f"exit {end.code}: {words}")
    except BaseException:
        traceback.print_exc()
"""


def _planted(source, target, seed=1):
    """The reports with a telling comment and number on each row, and wrong ones among them."""
    rows = pd.read_csv(source, dtype=str, keep_default_na=False)
    number = np.random.default_rng(seed).permutation(len(rows))
    rows["report_id"] = [f"Zq{k:06d}xW" for k in number]
    rows["comment"] = [f"Vk{k:06d}pJ, mum's number is 07700 900{k % 1000:03d}" for k in number]
    wrong = rows.iloc[:3].assign(time_band=["Tb-secret-band", "lunch", "lunch"])
    wrong["reported_on"] = ["2026-01-05", "Rd-secret-date", "2026-01-05"]
    wrong["report_id"] = ["Zq900001xW", "Zq900002xW", "Zq900003xW"]
    wrong["longitude"] = [*wrong["longitude"].iloc[:2], "Lo-secret-lon"]
    rows = pd.concat([rows, wrong], ignore_index=True)
    rows.to_csv(target, index=False)
    more = {"report_id": ["Tb-secret-band", "Lo-secret-lon"]}
    more |= {"comment": ["Rd-secret-date", "07700 900"]}
    return pd.concat([rows, pd.DataFrame(more)]).fillna("")


def _commands(out, urn, week, since):
    """Every command that reads the reports, with and without a folder."""
    config = ["--config", "patrolplan.toml"]
    months = ["--first-month", "2026-08", "--last-month", "2026-08"]
    return [
        ["check", *config],
        ["check", *config, "--json"],
        ["risk", *config, "--out", f"{out}/risk", "--json"],
        ["hotspots", *config, "--out", f"{out}/hotspots"],
        ["plan", *config, "--school", urn, "--out", f"{out}/plan"],
        ["week", *config, "--from", week, "--out", f"{out}/week"],
        ["record", *config, "--week", f"{out}/week"],
        ["record", *config, "--return", week[:7], "--out", f"{out}/return"],
        ["brief", *config, "--school", urn, "--since", since, "--out", f"{out}/brief"],
        ["brief", *config, "--school", urn, "--since", since, "--json"],
        ["backtest", *config, *months, "--out", f"{out}/backtest"],
        ["governance", *config, "--backtest", f"{out}/backtest", "--out", f"{out}/governance"],
        ["check", "--config", "broken.toml"],
        ["check", "--config", "headless.toml", "--json"],
    ]


def _broken(folder):
    """The same settings with spoiled files of reports, for the messages."""
    text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    content = (folder / "reports.csv").read_bytes()
    for name, spoiled in (
        ("broken", content[:2000] + b"\0" + content[2000:]),
        ("headless", content[content.index(b"\n") + 1 :]),
    ):
        (folder / f"{name}.csv").write_bytes(spoiled)
        (folder / f"{name}.toml").write_text(text.replace("reports.csv", f"{name}.csv"), "utf-8")


def _run(folder, commands):
    """Standard output and error of the commands, one after the other in a process of their own."""
    environment = os.environ | {"PATROLPLAN_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", RUN_ALL, json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)  # noqa: S603
    return done.stdout + b"\n" + done.stderr


def _public(folder, layer):
    """Corners of the streets and points of open crime, which anybody may know, in degrees."""
    degrees = layer.to_crs("EPSG:4326")
    corners = shapely.get_coordinates(degrees.geometry.values)
    middles = shapely.line_interpolate_point(degrees.geometry.values, 0.5, normalized=True)
    names = ["Longitude", "Latitude"]
    files = pp.load_settings(folder / "patrolplan.toml").find_files("crimes")
    crimes = pd.concat([pd.read_csv(path, usecols=names)[names] for path in files]).dropna()
    return np.vstack([corners, shapely.get_coordinates(middles), crimes.drop_duplicates()])


def _check_squares(layer, reports):
    """No piece of street shows reports unless its square holds enough; counted from the file."""
    projection = Projection("EPSG:27700")
    lon = pd.to_numeric(reports["longitude"], errors="coerce").to_numpy()
    lat = pd.to_numeric(reports["latitude"], errors="coerce").to_numpy()
    x, y = projection.to_metres(lon, lat)
    held = pd.Series(list(zip(x // SQUARE_METRES, y // SQUARE_METRES, strict=True))).value_counts()
    middle = shapely.line_interpolate_point(layer.geometry.values, 0.5, normalized=True)
    squares = np.floor(shapely.get_coordinates(middle) / SQUARE_METRES)
    shown = {tuple(square) for square in squares[layer["reports"] > 0]}
    assert shown
    assert all(held[square] >= ROUNDING_STEP for square in shown)


def _search(folder, reports, output):
    """Everything written or said, but the files given; returns how much was searched."""
    layer = gpd.read_file(folder / "out" / "risk" / "risk.gpkg", layer="risk")
    seeker = searcher.Searcher(reports, Projection("EPSG:27700"), _public(folder, layer))
    given = {"reports.csv", "broken.csv", "headless.csv"}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in given]
    made = {folder / "out", folder / "cache"}
    ours = [path for path in files if made & {*path.parents} or path.suffix == ".sqlite"]
    found = seeker.found("said", output)
    for path in ours:
        found += seeker.found(path.relative_to(folder).as_posix(), path.read_bytes())
    assert found == []
    _check_squares(layer, reports)
    return {path.suffix for path in ours}


def test_the_searcher_finds_what_is_planted():
    """The search itself finds comments, numbers and places in each form that it looks for."""
    rows = pd.DataFrame(
        {"report_id": ["Zq1xW"], "comment": ["Vk pJ"], "longitude": "-0.12345", "latitude": "51.51"}
    )
    seeker = searcher.Searcher(rows, Projection("EPSG:27700"), np.empty((0, 2)))
    x, y = Projection("EPSG:27700").to_metres([-0.12345], [51.51])
    for hidden in (
        b"see Zq1xW.",
        gzip.compress(b"a Vk pJ b"),
        b"[-0.123450, 51.510001]",
        b"51.51000,-0.123451",
        f"{x[0]:.1f} {y[0]:.1f}".encode(),
        struct.pack("<dd", x[0], y[0]),
    ):
        assert seeker.found("x", b"before " * (hidden[:2] != b"\x1f\x8b") + hidden)
    assert seeker.found("x", b"[-0.12346, 51.51000] nothing") == []


@pytest.mark.slow
def test_nothing_of_a_report_is_written_or_said(demo, tmp_path):
    """No file, log line or message of any command holds a comment, a place or a small group."""
    folder = tmp_path / "demo"
    shutil.copytree(demo.parent, folder, ignore=shutil.ignore_patterns("*.py*", "demo"))
    reports = _planted(demo.parent / "reports.csv", folder / "reports.csv")
    text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    text += '\n[risk]\nmodel = "prior"\n\n[schools]\nurns = ["900001"]\n'
    (folder / "patrolplan.toml").write_text(text, encoding="utf-8")
    _broken(folder)
    output = _run(folder, _commands("out", "900001", "2026-09-14", "2026-07"))
    assert output.count(b"exit 1") == 2
    assert b"Traceback" not in output
    wanted = {".json", ".gpkg", ".pdf", ".gpx", ".html", ".csv", ".entry", ".sqlite"}
    assert wanted <= _search(folder, reports, output)
