"""Make the README's pictures from the demo borough, all in one run, and note what they show.

Needs poppler's pdftoppm and Chromium. `python docs/images/make_images.py`; a test holds
`shown.json` against what the program plans, so that pictures that have become untrue are noticed.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
SCHOOL = "900003"
MONDAY = "2026-11-30"
PHONE = {"width": 390, "height": 844}
CARD_DOTS, WEEK_DOTS = 75, 80
"""Dots per inch of the pictures of pages."""


def main() -> None:
    """Plan the demo and its week, and picture them."""
    with tempfile.TemporaryDirectory() as folder:
        plan, week = Path(folder) / "plan", Path(folder) / "week"
        _patrolplan("demo", "--out", str(plan))
        settings = HERE.parents[1] / "data" / "patrolplan.toml"
        _patrolplan("week", "--config", str(settings), "--from", MONDAY, "--out", str(week))
        _page(plan / "cards" / f"{SCHOOL}.pdf", HERE / "card.png", CARD_DOTS)
        _page(week / "tasks.pdf", HERE / "week.png", WEEK_DOTS)
        _phone(plan / "map.html", HERE / "map.png")
        shown = {
            "patrol": patrol_shown(json.loads((plan / "plan.json").read_text("utf-8"))),
            "week": week_shown(json.loads((week / "week.json").read_text("utf-8"))),
        }
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


def _patrolplan(*arguments: str) -> None:
    code = "from patrolplan.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)  # noqa: S603


def _page(pdf: Path, png: Path, dots: int) -> None:
    """First page of a PDF, in 64 colours."""
    command = shutil.which("pdftoppm")
    if command is None:
        sys.exit("pdftoppm, of poppler-utils, is not installed")
    made = subprocess.run(  # noqa: S603 - a fixed command on our own file
        [command, "-r", str(dots), "-png", "-singlefile", str(pdf), str(png.with_suffix(""))],
        check=False,
    )
    made.check_returncode()
    _few_colours(png)


def _phone(page: Path, png: Path) -> None:
    """The map as a phone shows it, at one school."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        window = browser.new_page(viewport=PHONE)
        window.goto(f"{page.as_uri()}#{SCHOOL}")
        window.wait_for_timeout(2000)
        window.screenshot(path=png)
        browser.close()
    _few_colours(png)


def _few_colours(png: Path) -> None:
    with Image.open(png) as picture:
        few = picture.convert("RGB").quantize(64)
    few.save(png, optimize=True)


if __name__ == "__main__":
    main()
