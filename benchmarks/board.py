"""The board in Chromium: time from a key to the drawn answer, on the demo and on 60 schools.

    python benchmarks/board.py [--worlds DIR] [--rounds N] [--json FILE] [--shots DIR]

The demo borough, and a made-up borough of 60 schools (`world.py`) with 25 officers, each served by
the command `patrolplan board` itself. Then, by keyboard, a patrol is locked and unlocked, moved to
a day that the rota allows, and changes are undone and redone. The page measures wall time, from the
key's event to the frame after the week was drawn again; processor time is the total of the board's
process and of Chromium. Every figure is a median, with the slowest. For the first page it is the
time from the request to the week drawn and ready for use; the map is drawn after it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from playwright.sync_api import sync_playwright
from world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

DEMO = Path(__file__).parents[1] / "data"
CHROMIUM = "/usr/bin/chromium"
MONDAY = dt.date(2026, 11, 30)
SCALE = 0.12
"""Scale of the fictional city with 60 schools."""

OFFICERS = 25
MAX_WAIT_SECONDS = 20.0
SIZES = {"1366": (1366, 768), "390": (390, 844)}

WATCH = """() => {
  const watch = { started_at: 0, drawn: 0 };
  window.watch = watch;
  addEventListener("keydown", ({ timeStamp }) => {
    Object.assign(watch, { started_at: timeStamp, drawn: 0 });
  }, true);
  new MutationObserver(() => {
    requestAnimationFrame(() => setTimeout(() => { watch.drawn ||= performance.now(); }));
  }).observe(document.querySelector("#worth"), { childList: true });
}"""
"""`#worth` is written with every new state, after the week; the next frame shows both."""

START = """
const first = { week: 0, map: 0 };
window.first = first;
const seen = (name) => requestAnimationFrame(() => setTimeout(() => {
  first[name] ||= performance.now();
}));
new MutationObserver(() => {
  if (!first.week && document.querySelector("#grid .chip")) seen("week");
  if (!first.map && document.querySelector(".sign.school")) seen("map");
}).observe(document, { childList: true, subtree: true });
"""
"""The frames after the week and after the map were drawn."""


def write_borough(folder: Path) -> Path:
    """Write 60 schools with 25 officers into a folder, once; returns the settings file."""
    if not (folder / "world.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_world(SCALE, folder)
        _share_schools(folder / "officers.csv")
    return folder / "patrolplan.toml"


def _share_schools(path: Path) -> None:
    """Divide the same schools among fewer officers: two or three neighbouring ones each."""
    head, *rows = path.read_text(encoding="utf-8").split()
    schools = [urn for row in rows for urn in row.split(",")[1].split(";")]
    lines = [head]
    for number in range(OFFICERS):
        begin, end = (len(schools) * n // OFFICERS for n in (number, number + 1))
        name, _, *rest = rows[number].split(",")
        lines.append(",".join([name, ";".join(schools[begin:end]), *rest]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def serve_board(config: Path, week: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The board's address and process."""
    start = "from patrolplan.cli import main; main()"
    command = [sys.executable, "-c", start, "board", "--config", str(config)]
    command += ["--week", str(week), "--from", f"{MONDAY}", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        address = "" if process.stdout is None else process.stdout.readline().strip()
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


class BoardPage:
    """A page of the board, and its processor time."""

    def __init__(self, page: Page, server: psutil.Process) -> None:
        self.page = page
        self._server = server

    def read_processor_seconds(self) -> float:
        """Processor seconds of the board and Chromium so far."""
        chromium = [one for one in psutil.Process().children(recursive=True) if _is_chromium(one)]
        return sum(map(_read_processor_seconds, [self._server, *chromium]))

    def time_keys(self, *keys: str) -> dict[str, float]:
        """Press keys, of which the last changes the week; milliseconds until it is drawn."""
        press = self.page.keyboard.press
        for key in keys[:-1]:
            press(key)
        spent = self.read_processor_seconds()
        press(keys[-1])
        wait_for(self.page, "window.watch.drawn > 0")
        wall = self.page.evaluate("window.watch.drawn - window.watch.started_at")
        time.sleep(0.3)  # drawing after the answer counts as well
        return {"wall": wall, "processor": 1000 * (self.read_processor_seconds() - spent)}


def _is_chromium(process: psutil.Process) -> bool:
    try:
        return "chrom" in process.name()
    except psutil.NoSuchProcess:
        return False


def _read_processor_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def wait_for(page: Page, script: str) -> None:
    """Wait for a condition; the page's policy forbids Playwright's own method."""
    end = time.monotonic() + MAX_WAIT_SECONDS
    while not page.evaluate(script):
        if time.monotonic() > end:
            message = f"never came about: {script}"
            raise TimeoutError(message)
        time.sleep(0.01)


def open_first_page(
    browser: Browser, address: str, size: tuple[int, int]
) -> tuple[Page, tuple[float, float]]:
    """A new window on the board, and milliseconds until week and map were drawn."""
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.add_init_script(START)
    page.goto(address, wait_until="commit")
    wait_for(page, "window.first && window.first.map > 0")
    return page, (page.evaluate("window.first.week"), page.evaluate("window.first.map"))


def time_changes(stand: BoardPage, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Lock, unlock, undo, redo and move by keyboard, repeatedly."""
    page = stand.page
    page.evaluate(WATCH)
    found: dict[str, list[dict[str, float]]] = {
        name: [] for name in ("lock", "unlock", "undo", "redo", "move")
    }
    for number in range(rounds):
        for name, word in (("lock", "Lock"), ("unlock", "Unlock")):
            which = ".locked" if name == "unlock" else ":not(.locked)"
            page.locator(f"#grid .chip{which} .hold").nth(0 if name == "unlock" else number).focus()
            page.keyboard.press("m")
            page.get_by_role("button", name=word, exact=True).focus()
            found[name].append(stand.time_keys("Enter"))
        found["undo"].append(stand.time_keys("Control+z"))
        found["redo"].append(stand.time_keys("Control+y"))
        moved = _time_move(stand)
        if moved:
            found["move"].append(moved)
            stand.time_keys("Control+z")
    return {name: rows for name, rows in found.items() if rows}


def _time_move(stand: BoardPage) -> dict[str, float] | None:
    """Move the first patrols down their day until one may be dropped, and drop it."""
    page = stand.page
    for number in range(12):
        page.locator("#grid .chip:not(.locked) .hold").nth(number).focus()
        page.keyboard.press("Enter")
        for _ in range(4):
            page.evaluate("document.querySelector('#status').textContent = ''")
            page.keyboard.press("ArrowDown")
            wait_for(page, "/(Yes|No):/.test(document.querySelector('#status').textContent)")
            if "Yes:" in page.locator("#status").inner_text():
                return stand.time_keys("Enter")
        page.keyboard.press("Escape")
    return None


def summarise(rows: list[dict[str, float]]) -> dict[str, float]:
    """Median and slowest."""
    wall = [row["wall"] for row in rows]
    return {
        "wall_ms": round(statistics.median(wall)),
        "slowest_wall_ms": round(max(wall)),
        "processor_ms": round(statistics.median(row["processor"] for row in rows)),
        "times": len(rows),
    }


def measure(label: str, config: Path, rounds: int, shots: Path | None) -> dict[str, Any]:
    """One borough."""
    figures: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 1)}
    with (
        tempfile.TemporaryDirectory() as home,
        serve_board(config, Path(home) / "week") as (address, server),
        sync_playwright() as play,
    ):
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        open_first_page(browser, address, SIZES["1366"])[0].close()  # costs of the first page only
        for name, size in SIZES.items():
            loads = []
            for _ in range(rounds):
                page, walls = open_first_page(browser, address, size)
                loads.append(walls)
                if shots:
                    page.wait_for_timeout(300)
                    page.screenshot(path=shots / f"{label}-{name}.png")
                page.context.close()
            for what, wall in zip(("first page", "its map"), zip(*loads, strict=True), strict=True):
                figures[f"{what}, {name} px"] = {
                    "wall_ms": round(statistics.median(wall)),
                    "slowest_wall_ms": round(max(wall)),
                    "times": rounds,
                }
        page, _ = open_first_page(browser, address, SIZES["1366"])
        figures |= {
            name: summarise(rows)
            for name, rows in time_changes(BoardPage(page, server), rounds).items()
        }
        browser.close()
    return figures


def format_table(result: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    lines = ["| borough | what | wall ms | slowest | processor ms |", "|" + " --- |" * 5]
    for label, figures in result.items():
        for name, row in figures.items():
            if isinstance(row, dict):
                processor = row.get("processor_ms", "")
                cells = (label, name, row["wall_ms"], row["slowest_wall_ms"], processor)
                lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=Path, help="where the borough is; default a new one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["demo", "60 schools"], help="one of the two")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--shots", type=Path, help="folder for pictures of the first page")
    wish = parser.parse_args()
    result: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as fresh:
        demo = Path(fresh) / "demo"
        shutil.copytree(DEMO, demo)
        makers: dict[str, Callable[[], Path]] = {
            "demo": lambda: demo / "patrolplan.toml",
            "60 schools": lambda: write_borough((wish.worlds or Path(fresh)) / "60-schools"),
        }
        for label, make in makers.items():
            if wish.only in {None, label}:
                result[label] = measure(label, make(), wish.rounds, wish.shots)
    print(format_table(result))
    if wish.json:
        text = json.dumps(result, indent=1) + "\n"
        wish.json.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
