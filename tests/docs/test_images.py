"""The README's pictures show what the program plans today."""

import importlib.util
import json
from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[2] / "docs" / "images"
STALE = "the pictures show another plan: run python docs/images/make_images.py, and look at them"


@pytest.fixture(scope="module")
def maker():
    """The script that makes the pictures."""
    spec = importlib.util.spec_from_file_location("make_images", IMAGES / "make_images.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shown():
    """What the pictures are noted to show."""
    return json.loads((IMAGES / "shown.json").read_text("utf-8"))


def test_pictures_are_small_and_each_is_on_a_page(maker):
    """No picture is larger than the script allows, and none is stored that no page shows."""
    text = "".join(path.read_text("utf-8") for path in IMAGES.parent.rglob("*.md"))
    pictures = sorted(IMAGES.glob("*.png"))
    assert len(pictures) >= 15
    assert [one.name for one in pictures if one.stat().st_size > maker.MAX_BYTES] == []
    assert [one.name for one in pictures if f"images/{one.name}" not in text] == []


def test_card_and_map_show_the_patrol_of_today(maker, shown, run, demo, tmp_path):
    """Times and places in the pictures of card and map are those of the demo's plan."""
    out = tmp_path / "plan"
    code, output, _ = run(
        "plan", "--config", demo, "--school", maker.SCHOOL, "--out", out, "--json"
    )
    assert code == 0
    assert shown["patrol"] == maker.patrol_shown(json.loads(output)), STALE


@pytest.mark.slow
def test_the_week_shown_is_the_week_of_today(maker, shown, run, demo):
    """Who is where in the picture of the week is what the README's command chooses."""
    code, output, _ = run("week", "--config", demo, "--from", maker.MONDAY, "--json")
    assert code == 0
    assert shown["week"] == maker.week_shown(json.loads(output)), STALE
