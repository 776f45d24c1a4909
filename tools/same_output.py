"""Every paper and file of the demo borough, three villages and other areas, to compare two runs.

It checks a change that should not affect outputs: write them before and after, and compare the two
folders. Seed, secret and the week are fixed, so every difference has a cause.

    python tools/same_output.py write BEFORE --config ../shared/examples/bloomsbury.toml
    python tools/same_output.py write AFTER --config ../shared/examples/bloomsbury.toml
    python tools/same_output.py compare BEFORE AFTER

To write those of another checkout, run this file with the Python of that one. PDFs are compared
by their text and by pictures of their pages, pages by a picture as well, GeoPackages by their
layers. The identity of a plan, which depends on the versions of the code, is ignored.
"""

import argparse
import datetime as dt
import difflib
import filecmp
import http.client
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "data"
SECRET = bytes(range(32))
OFFICERS = """officer,school_urns,mon,tue,wed,thu,fri,max_patrols_per_week,mode,base_longitude,base_latitude
SSO-01,100001;100002,14:00-18:00,14:00-18:00,14:00-18:00,,14:00-18:00,3,walk,-1.5589,52.4174
SSO-02,100003,,14:30-18:30,14:30-18:30,14:30-18:30,14:30-18:30,3,bicycle,-1.4707,52.4174
"""  # noqa: E501 - a table
DPI = 150
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
MAX_CHANNEL_STEP = 32
"""Of 255: a pixel that differs by less looks the same."""

MAX_OTHER_PIXELS = 0.01
"""Share of a page's pixels that may differ: edges are drawn by other programs in other ways."""
IDENTITY = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9A-F]{4}-[0-9A-F]{4}\b")
"""Digests, and the short IDs of plans, which are derived from digests."""

POST = ("officer", "urn", "date")

NOW = re.compile(rf'{dt.date.today()}[T ]\d\d:\d\d(:\d\d)?|"when": ?"[\d:]+"')  # noqa: DTZ011 - of this run

PATROLS = [
    "plan --out {out}/plan",
    "plan --school {school} --start 15:40 --minutes 40 --out {out}/short --json",
    "plan --way bicycle --out {out}/bicycle",
    "brief --school {school} --since {since} --json --out {out}/brief",
    "backtest --json --out {out}/backtest",
    "governance --out {out}/governance",
    "survey --school {school} --out {out}/survey --json",
]
LOOKS = [
    "check",
    "check --json",
    "risk --json --out {out}/risk",
    "hotspots --json --out {out}/hotspots",
]
WEEKS = [
    "week --from 2026-11-30 --out {out}/week --json",
    "record --week {out}/week --json",
    "record --officer {officer} --date 2026-11-30 --answers 15,12/3,-,15 --json",
    "record --return 2026-11 --out {out}/return --json",
    "week --from 2026-12-07",
    "week --replan --absent {officer}:2026-12-01 --out {out}/week --json",
]
MISTAKES = [
    "plan --school 1 --out {out}/none",
    "plan --date 2026-13-01",
    "plan --start 25:00 --minutes 40",
    "brief --school {school} --since yesterday",
    "week --from 2026-02-30",
    "record --officer nobody --date 2026-11-30 --answers 15",
    "check --config nowhere.toml",
]


def write_outputs(folder: Path, configs: list[Path]) -> None:
    """Write the outputs of the demo, of three villages and of other areas below `folder`."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        villages = Path(scratch) / "made"
        villages.mkdir()
        sys.path.insert(0, str(ROOT / "benchmarks"))
        write_rural_area = importlib.import_module("rural_area").write_rural_area
        rural = write_rural_area(villages, settings='officers = "officers.csv"\n')
        (villages / "officers.csv").write_text(OFFICERS, encoding="utf-8")
        for config in [DEMO / "patrolplan.toml", rural, *configs]:
            names = {DEMO: "demo", villages: "villages"}
            here = Path(scratch) / names.get(config.parent, config.stem)
            shutil.copytree(villages if config == rural else DEMO, here)
            _write_settings(config, here)
            _write_area(folder / here.name, here)


def _write_settings(config: Path, here: Path) -> None:
    """A settings file for this run: with absolute paths of sources, and its own ledger."""
    text = config.read_text(encoding="utf-8").replace('"../', f'"{config.parent}/../')
    (here / "patrolplan.toml").write_text(text, encoding="utf-8")
    (here / "week.secret").write_bytes(SECRET)
    (here / "week.secret").chmod(0o600)


def _write_area(folder: Path, here: Path) -> None:
    looked = json.loads(_run(here, "check --json").stdout)
    plan = json.loads(_run(here, "plan --json").stdout)
    week = json.loads(_run(here, "week --from 2026-11-30 --json").stdout)
    names = {
        "out": "out",
        "school": plan["patrols"][2]["urn"],
        "officer": week["patrols"][0]["officer"],
        "since": looked["months"][1],
    }
    for step, line in enumerate([*LOOKS, *PATROLS, *WEEKS, *MISTAKES]):
        done = _run(here, line.format(**names))
        written = f"{line}\nexit {done.returncode}\n{done.stdout}\n--\n{_without_time(done.stderr)}"
        _write(folder / "commands" / f"{step:02}.txt", written)
    _write_board(here, folder / "board")
    for path in sorted((here / "out").rglob("*")):
        if path.is_file():
            _write_file(path, folder / path.relative_to(here / "out"))


def _run(here: Path, line: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "patrolplan",
        *(word.replace(",", " ") for word in line.split()),
    ]
    return subprocess.run(
        command, cwd=here, text=True, encoding="utf-8", capture_output=True, check=False
    )


def _without_time(text: str) -> str:
    return re.sub(r"\d+(\.\d+)? s\b|\d+:\d\d:\d\d|[━╸╺ ]{5,}", "", text)


def _write_board(here: Path, folder: Path) -> None:
    """The board's answers to its page, for the planned week."""
    command = [sys.executable, "-m", "patrolplan", "board", "--week", "out/week"]
    command += ["--no-browser", "--json"]
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) as board:
        try:
            page = _Page(*re.search(r":(\d+)/\?token=([\w-]+)", board.stdout.readline()).groups())
            state = json.loads(page.ask("GET", "/api/state"))
            _write(folder / "state.json", json.dumps(state, indent=1))
            for name in ("map", "print", "solving", "proposal"):
                _write(folder / f"{name}.json", page.ask("GET", f"/api/{name}"))
            for step, change in enumerate(_changes(state)):
                body = {"change": change, "version": state["version"]}
                answer = page.ask("POST", "/api/check", {"change": change})
                _write(folder / f"check-{step}.json", f"{change}\n{answer}")
                answer = json.loads(page.ask("POST", "/api/change", body))
                state = answer.get("state", state)
                _write(folder / f"change-{step}.json", json.dumps([change, answer], indent=1))
            undone = page.ask("POST", "/api/undo", {"version": state["version"]})
            _write(folder / "undo.json", undone)
            _write(folder / "page.html", page.ask("GET", f"/?token={page.token}"))
        finally:
            board.terminate()


def _changes(state: dict) -> list[dict]:
    """Some changes by hand: patrols removed, exchanged, locked, excluded, and an invalid change."""
    posts = [{name: duty[name] for name in POST} for duty in _find_duties(state["schools"])]
    posts *= 6  # a small week has fewer patrols than there are changes
    return [
        {"kind": "remove", **posts[0]},
        {"kind": "add", **posts[0]},
        {"kind": "swap", "a": posts[0], "b": posts[-1]},
        {"kind": "lock", **posts[1]},
        {"kind": "ban", **posts[2]},
        {"kind": "move", "from": posts[3], "to": {**posts[3], "officer": posts[4]["officer"]}},
        {"kind": "variant", **posts[5], "variant": 1},
        {"kind": "add", **posts[0], "date": "2026-12-05"},
    ]


def _find_duties(found: object) -> list[dict]:
    """Every patrol in the board's state, at any depth."""
    if isinstance(found, list):
        return [duty for part in found for duty in _find_duties(part)]
    if not isinstance(found, dict):
        return []
    if {*POST, "variant"} <= found.keys():
        return [found]
    return _find_duties(list(found.values()))


@dataclass(frozen=True)
class _Page:
    """The state of the board's page: address and token for requests."""

    port: str
    token: str

    def ask(self, method: str, path: str, body: dict | None = None) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=120)
        headers = {"X-Patrolplan-Token": self.token, "Origin": f"http://127.0.0.1:{self.port}"}
        headers["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        text = connection.getresponse().read().decode("utf-8")
        return text.replace(f":{self.port}", ":PORT").replace(self.token, "TOKEN")


def mask_text(text: str) -> str:
    """A text without what differs from run to run: identities, the clock, the scratch folder."""
    text = NOW.sub("NOW", IDENTITY.sub("IDENTITY", text))
    scratch = re.escape(str(Path(tempfile.gettempdir(), "tmp")))
    return re.sub(rf"{scratch}\w+", "WORK", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mask_text(text), encoding="utf-8", newline="")


def _write_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".pdf":
        _write_pdf(source, target)
    elif source.suffix == ".gpkg":
        for name, _ in pyogrio.list_layers(source):
            layer = pyogrio.read_dataframe(source, layer=name)
            _write(target.with_name(f"{target.name}-{name}.csv"), layer.to_csv(index=False))
    else:
        if source.suffix == ".html":
            _draw_page(source, target.with_name(f"{target.name}.png"))
        try:
            _write(target, source.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            shutil.copy(source, target)


def _write_pdf(source: Path, target: Path) -> None:
    text = subprocess.run(["pdftotext", "-layout", source, "-"], capture_output=True, check=True)  # noqa: S607
    _write(target.with_suffix(".pdf.txt"), text.stdout.decode("utf-8"))
    picture = ["pdftoppm", "-r", str(DPI), "-png", source, f"{target}-page"]
    subprocess.run(picture, check=True)


def _draw_page(source: Path, target: Path) -> None:
    """A picture of a page as a browser without a network shows it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [*CHROMIUM, "--window-size=1366,900", f"--screenshot={target}", source.as_uri()]
    subprocess.run(command, capture_output=True, check=True, timeout=60)


def _look_alike(a: Path, b: Path) -> bool:
    if filecmp.cmp(a, b, shallow=False):
        return True
    if a.suffix != ".png":
        return False
    one, other = (np.asarray(Image.open(path).convert("RGB"), dtype=np.int16) for path in (a, b))
    if one.shape != other.shape:
        return False
    differs = (np.abs(one - other) > MAX_CHANNEL_STEP).any(axis=2)
    return bool(differs.mean() <= MAX_OTHER_PIXELS)


def compare_outputs(before: Path, after: Path, lines: int) -> int:
    """Print differences between two folders; returns the number of files that differ."""
    names = {p.relative_to(d) for d in (before, after) for p in d.rglob("*") if p.is_file()}
    different = 0
    for name in sorted(names):
        a, b = before / name, after / name
        if a.is_file() and b.is_file() and _look_alike(a, b):
            continue
        different += 1
        print(f"differs: {name}" if a.is_file() and b.is_file() else f"in one alone: {name}")
        if a.is_file() and b.is_file() and a.suffix in {".txt", ".json", ".csv", ".md", ".gpx"}:
            texts = (p.read_text(encoding="utf-8").splitlines() for p in (a, b))
            rows = [row[:300] for row in difflib.unified_diff(*texts, n=0, lineterm="")]
            print("\n".join(rows[2 : 2 + lines]))
    print(f"{len(names)} files, {different} differ")
    return different


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    write = steps.add_parser("write")
    write.add_argument("folder", type=Path)
    write.add_argument("--config", type=Path, nargs="*", default=[])
    compare = steps.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    compare.add_argument("--lines", type=int, default=6)
    given = parser.parse_args()
    if given.step == "write":
        os.environ.setdefault("PATROLPLAN_CACHE", tempfile.mkdtemp())
        os.environ["COLUMNS"] = "200"
        write_outputs(given.folder, [path.resolve() for path in given.config])
    else:
        sys.exit(compare_outputs(given.before, given.after, given.lines) > 0)


if __name__ == "__main__":
    main()
