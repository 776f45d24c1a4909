"""Make the pictures of README and site from the demo, and note what they show.

Needs poppler's pdftoppm and Chromium. `python docs/images/make_images.py`; a test holds
`shown.json` against what the program plans, so that pictures that have become untrue are noticed.
`--work FOLDER` writes the plans to a folder that stays, and uses what it has.

Two pictures are made by hand: open `plan/plan.qgs` of that folder in QGIS, save the map as
`qgis.png` and the layout *Area, A4* as `qgis-layout.png`, and name their folder with `--qgis`.
"""

import argparse
import contextlib
import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import patrolplan as pp

HERE = Path(__file__).parent
SETTINGS = HERE.parents[1] / "data" / "patrolplan.toml"
SCHOOL, OFFICER = "900001", "SSO-01"
MONDAY = "2026-11-30"
COMMANDS = {
    "plan": ("demo", "--out", "plan"),
    "week": ("week", "--config", str(SETTINGS), "--from", MONDAY, "--out", "week"),
    "survey": ("survey", "--config", str(SETTINGS), "--school", SCHOOL, "--out", "survey"),
    "brief": (
        *("brief", "--config", str(SETTINGS), "--school", SCHOOL),
        *("--since", "2026-06", "--week", "week", "--out", "brief"),
    ),
}
"""Folder -> command that writes it."""
PRINTED = {
    "card": (f"plan/cards/{SCHOOL}.pdf", 75),
    "week": ("week/tasks.pdf", 80),
    "cover": (f"week/cards/{OFFICER}.pdf", 70),
    "lead": ("week/lead.pdf", 70),
    "school": (f"week/schools/{SCHOOL}.pdf", 70),
    "poster": (f"week/posters/{SCHOOL}.pdf", 60),
    "form": (f"survey/form-{SCHOOL}.pdf", 70),
    "brief": (f"brief/brief-{SCHOOL}.pdf", 70),
}
"""Picture -> PDF whose first page it shows, and dots per inch."""
NOW = "2026-11-30T15:24:00+00:00"
"""When the phone is looked at: during the patrol."""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 860}
MAX_BYTES = 120_000
COLOURS = (64, 32, 16, 8)
QGIS_WIDTH = 1000


def main() -> None:
    """Plan the demo and its week, and picture them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, help="folder for the plans")
    parser.add_argument("--qgis", type=Path, help="folder with qgis.png and qgis-layout.png")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = given.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        for name, command in COMMANDS.items():
            if not (folder / name).exists():
                subprocess.run(_patrolplan(*command), cwd=folder, check=True)  # noqa: S603
        for name, (pdf, dots) in PRINTED.items():
            _print(folder / pdf, HERE / f"{name}.png", dots)
        _show(folder)
        _plot()
        shown = {
            "patrol": patrol_shown(json.loads((folder / "plan/plan.json").read_text("utf-8"))),
            "week": week_shown(json.loads((folder / "week/week.json").read_text("utf-8"))),
        }
    for name in ("qgis", "qgis-layout") if given.qgis else ():
        with Image.open(given.qgis / f"{name}.png") as picture:
            picture.thumbnail((QGIS_WIDTH, QGIS_WIDTH))
            picture.save(HERE / f"{name}.png")
        _save_small(HERE / f"{name}.png")
    text = json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
    (HERE / "shown.json").write_text(text, encoding="utf-8")


def patrol_shown(plan: dict[str, Any]) -> list[list[str]]:
    """Times and places of the patrol in the pictures of card and map."""
    (patrol,) = (one for one in plan["patrols"] if one["urn"] == SCHOOL)
    stops = [[stop["arrive"], stop["leave"], stop["place"]] for stop in patrol["stops"]]
    return [[patrol["start"], patrol["end"], patrol["school"]], *stops]


def week_shown(week: dict[str, Any]) -> list[list[str]]:
    """Who is where, as the picture of the week shows it."""
    return [
        [one[name] for name in ("date", "urn", "officer", "start", "end")]
        for one in week["patrols"]
    ]


def _patrolplan(*arguments: str) -> list[str]:
    """A command that draws with the demo's seed instead of a new secret: every run is alike."""
    code = "from patrolplan.team import secret; secret.create_secret = lambda path: True"
    return [sys.executable, "-c", f"{code}; from patrolplan.cli import main; main()", *arguments]


def _print(pdf: Path, png: Path, dots: int) -> None:
    """First page of a PDF."""
    command = shutil.which("pdftoppm")
    if command is None:
        sys.exit("pdftoppm, of poppler-utils, is not installed")
    subprocess.run(  # noqa: S603 - a fixed command on our own file
        [command, "-r", str(dots), "-png", "-singlefile", str(pdf), str(png.with_suffix(""))],
        check=True,
    )
    _save_small(png)


def _show(folder: Path) -> None:
    """What phone and desk show in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        one = (folder / "plan/map.html").resolve().as_uri() + f"#{SCHOOL}"
        survey = (folder / f"survey/survey-{SCHOOL}.html").resolve().as_uri()
        _look(browser, one, "map", PHONE)
        _look(browser, one, "walk", PHONE, lambda page: page.click("#begin"))
        _look(browser, survey, "survey", PHONE, _drop_pin)
        serve = _patrolplan(
            *("board", "--config", str(SETTINGS), "--week", "week", "--no-browser", "--json")
        )
        with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as board:  # noqa: S603
            address = ""
            while '"address"' not in address:
                address = board.stdout.readline()
            address = address.split('"')[3]
            for name, size in (("board", DESK), ("board-phone", PHONE)):
                _look(browser, address, name, size)
            board.terminate()
        browser.close()


def _look(
    browser: Browser,
    address: str,
    name: str,
    size: dict[str, int],
    act: Callable[[Page], object] = lambda _: None,
) -> None:
    window = browser.new_page(viewport=size, locale="en-GB", timezone_id="Europe/London")
    window.clock.install(time=NOW)
    window.goto(address)
    window.wait_for_timeout(2000)
    act(window)
    window.wait_for_timeout(1500)
    window.screenshot(path=HERE / f"{name}.png")
    window.close()
    _save_small(HERE / f"{name}.png")


def _drop_pin(page: Page) -> None:
    page.click("#mark")
    page.wait_for_timeout(800)
    page.mouse.click(PHONE["width"] / 2, PHONE["height"] / 2)


def _plot() -> None:
    """What an analyst's plots look like."""
    mpl.use("Agg")
    area = pp.load_area(SETTINGS)
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots)
    week = pp.plan_week(area, plan, start=dt.date.fromisoformat(MONDAY))
    for name, draw in {
        "months": lambda: pp.plot.months(area),
        "risk": lambda: pp.plot.risk(area, risk),
        "disagreement": lambda: pp.plot.disagreement(area, risk),
        "hotspots": lambda: pp.plot.hotspots(area, risk, hotspots),
        "route": lambda: pp.plot.route(plan, SCHOOL),
        "doses": lambda: pp.plot.doses(week),
        "shares": lambda: pp.plot.shares(week),
    }.items():
        figure = draw().get_figure()
        figure.savefig(HERE / f"plot-{name}.png", dpi=80, bbox_inches="tight")
        plt.close(figure)
        _save_small(HERE / f"plot-{name}.png")


def _save_small(png: Path) -> None:
    """Store with as many colours as the greatest size allows."""
    with Image.open(png) as picture:
        full = picture.convert("RGB")
    for colours in COLOURS:
        full.quantize(colours).save(png, optimize=True)
        if png.stat().st_size <= MAX_BYTES:
            return
    sys.exit(f"{png.name} is larger than {MAX_BYTES} bytes: show less of it")


if __name__ == "__main__":
    main()
