"""Names of the streets that are walked, at the first look at the phone map."""

import dataclasses
import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import shapely
from page_visits import DESK, LISTENING, PHONE, Visit
from playwright.sync_api import Browser

from patrolplan.outputs.webmap.map_layers import format_patrol_id
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.patrols.plan import Patrol, Plan

ALSO = "Also walked: "
LETTER_HEIGHT = 0.7
"""Of capitals, as a share of the size of the letters."""


def _list_walked(plan: Plan, patrol: Patrol) -> set[str]:
    """Named streets of the directions."""
    named = set(plan.area.network.walkable.piece_name.astype(str)) - {""}
    return {step.street for leg in patrol.legs for step in leg.steps} & named


def _outline(word: dict[str, Any]) -> shapely.Polygon:
    """The letters of a word on the screen."""
    half, rise = word["width"] / 2, word["size"] * LETTER_HEIGHT / 2
    along = math.cos(word["angle"]), math.sin(word["angle"])
    return shapely.Polygon(
        [
            (word["x"] + a * along[0] - b * along[1], word["y"] + a * along[1] + b * along[0])
            for a, b in ((-half, -rise), (half, -rise), (half, rise), (-half, rise))
        ]
    )


def _look(
    browser: Browser, plan: Plan, folder: Path, size: Any
) -> Iterator[tuple[Patrol, set[str], set[str]]]:
    """Each patrol, with the names that are fully visible and those that are listed below."""
    file = folder / "map.html"
    file.write_bytes(render_map(plan))
    for patrol in plan.patrols:
        context = browser.new_context(viewport=size, offline=True)
        visit = Visit(context.new_page(), file)
        visit.page.add_init_script(LISTENING)
        page = visit.open(f"#{format_patrol_id(patrol)}")
        frame = page.locator("#map_patrol").bounding_box()
        assert frame is not None
        sight = shapely.box(0, 0, frame["width"], frame["height"])
        names = set(plan.area.network.walkable.piece_name.astype(str))
        words = [word for word in page.evaluate("written") if word["text"] in names]
        outlines = [_outline(word) for word in words]
        assert not [(a, b) for a, b in combinations(outlines, 2) if a.intersects(b)]
        seen = {
            word["text"]
            for word, outline in zip(words, outlines, strict=True)
            if sight.contains(outline)
        }
        also = page.locator("#also")
        listed = also.inner_text().removeprefix(ALSO) if also.is_visible() else ""
        yield patrol, seen, set(listed.split(", ")) - {""}
        visit.assert_quiet()
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [(PHONE, 0.5), (DESK, 0.1)], ids=["phone", "desk"])
def test_every_walked_street_is_named_at_the_first_view(
    browser: Browser, demo_plan: Plan, tmp_path: Path, size: Any, most: float
) -> None:
    """Each is written on the map, touching no other name, or listed below it; most are written."""
    for patrol, seen, listed in _look(browser, demo_plan, tmp_path, size):
        walked = _list_walked(demo_plan, patrol)
        assert walked
        assert walked <= seen | listed, patrol.urn
        assert listed == walked - seen, patrol.urn
        assert len(listed) <= most * len(walked), patrol.urn


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [(PHONE, 0.5), (DESK, 0.1)], ids=["phone", "desk"])
def test_so_are_those_of_a_real_city(
    browser: Browser, bloomsbury_plan: Plan, tmp_path: Path, size: Any, most: float
) -> None:
    """Bloomsbury has many short streets: a phone lists some of them, a desk hardly any."""
    for patrol, seen, listed in _look(browser, bloomsbury_plan, tmp_path, size):
        walked = _list_walked(bloomsbury_plan, patrol)
        assert listed == walked - seen, patrol.urn
        assert len(listed) <= most * len(walked), patrol.urn


def test_who_stays_at_the_gate_walks_no_street(
    browser: Browser, demo_plan: Plan, tmp_path: Path
) -> None:
    """Nothing is listed for a patrol without a walk."""
    still = dataclasses.replace(demo_plan.patrols[0], stops=(), legs=(), variants=())
    plan = dataclasses.replace(demo_plan, patrols=(still,))
    ((_, _, listed),) = _look(browser, plan, tmp_path, PHONE)
    assert not listed
