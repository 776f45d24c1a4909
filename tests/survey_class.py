"""A class that fills in the survey page in a browser: by finger or keys."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from page_visits import Visit
from playwright.sync_api import Page, expect

from patrolplan.outputs.survey.survey_pack import QUESTIONS

Answer = tuple[str, str, str, float, float]
"""Time, place factor, behaviour factor, longitude, latitude."""

WATCHING = """() => {
  window.maps = [];
  L.Map.addInitHook(function () { window.maps.push(this); });
}"""
"""Lists every map that Leaflet makes, so that its own arithmetic says where a finger was."""

FINGER_PLACES = ((0.18, 0.1), (0.22, 0.86))
"""Shares of the map's width and height: so far apart that both may be marked by one pupil."""


@dataclass
class Class:
    """A class at one page, and what its pupils have answered."""

    page: Page
    rng: np.random.Generator
    answers: list[Answer] = field(default_factory=list)
    pupils: int = 0

    def run(self, count: int, fill_in: Callable[["Class", int], None]) -> None:
        """So many pupils, every fourth of whom feels safe everywhere."""
        for number in range(count):
            fill_in(self, 0 if number % 4 == 3 else 1 + number % 2)
            self.pupils += 1

    def choose(self) -> list[tuple[int, str, str]]:
        """Row, value and words of one answer to each question."""
        chosen = []
        for question in QUESTIONS:
            row = int(self.rng.integers(len(question.choices)))
            chosen.append((row, question.choices[row].value, question.choices[row].words))
        return chosen

    def note(self, chosen: list[tuple[int, str, str]], latitude: float, longitude: float) -> None:
        """Remember what the file must hold."""
        when, place, people = (value for _, value, _ in chosen)
        self.answers.append((when, place, people, longitude, latitude))


def open_survey(visit: Visit) -> Page:
    """Open the page, and watch its maps."""
    page = visit.open()
    page.evaluate(WATCHING)
    return page


def _settle(page: Page) -> None:
    expect(page.locator(".settling")).to_have_count(0)


def fill_in_by_finger(group: Class, places: int) -> None:
    """One pupil, by taps alone."""
    page = group.page
    if not places:
        page.locator("#safe").tap()
    for number in range(places):
        page.locator("#another" if number else "#mark").tap()
        _settle(page)
        box = page.locator(".map").bounding_box()
        assert box is not None
        across, down = FINGER_PLACES[number]
        # A screen has whole pixels: the finger's own, seen from the corner of the map.
        x = round(box["x"] + box["width"] * (across + group.rng.uniform(-0.05, 0.05)))
        y = round(box["y"] + box["height"] * (down + group.rng.uniform(-0.05, 0.05)))
        latitude, longitude = page.evaluate(
            "([x, y]) => { const { lat, lng } = maps.at(-1).containerPointToLatLng([x, y]);"
            " return [lat, lng]; }",
            [x - box["x"], y - box["y"]],
        )
        page.touchscreen.tap(x, y)
        page.locator("#here").tap()
        chosen = group.choose()
        for _, value, _ in chosen:
            page.locator(f"[data-step]:not([hidden]) [data-value={value}]").tap()
        group.note(chosen, latitude, longitude)
    if places:
        page.locator("#finish").tap()
    page.locator("#next").tap()


def fill_in_by_keyboard(group: Class, places: int) -> None:
    """One pupil, by keys alone: the map is moved below its cross."""
    page, press = group.page, group.page.keyboard.press
    if not places:
        tab_to(page, "#safe")
        press("Enter")
    for number in range(places):
        tab_to(page, "#another" if number else "#mark")
        press("Enter")
        expect(page.locator("#title-map")).to_be_focused()
        tab_to(page, ".map")
        for _ in range(group.rng.integers(2, 4)):
            press("Shift+ArrowLeft" if number else "Shift+ArrowUp")
        for _ in range(group.rng.integers(3)):
            press("ArrowLeft")
        latitude, longitude = page.evaluate(
            "() => { const { lat, lng } = maps.at(-1).getCenter(); return [lat, lng]; }"
        )
        press("Enter")
        expect(page.locator("#here")).to_be_focused()
        press("Enter")
        chosen = group.choose()
        for question, (_, value, _) in zip(QUESTIONS, chosen, strict=True):
            expect(page.locator(f"#title-{question.column}")).to_be_focused()
            tab_to(page, f"[data-value={value}]")
            press("Space")
        group.note(chosen, latitude, longitude)
    if places:
        tab_to(page, "#finish")
        press("Enter")
    expect(page.locator("#title-thanks")).to_be_focused()
    tab_to(page, "#next")
    press("Enter")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what is sought has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    message = f"Tab never reaches {selector}"
    raise AssertionError(message)


def save(page: Page, folder: Path) -> Path:
    """Save the class's file as its teacher does."""
    page.get_by_role("button", name="Teacher: finish and save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="save the file").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    page.get_by_role("button", name="Close").click()
    return path


def read_answers(file: Path) -> list[Answer]:
    """Answers of a saved file, in its order."""
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["answers"]
    names = ("time_band", "place_factor", "behaviour_factor", "longitude", "latitude")
    return [tuple(row[name] for name in names) for row in rows]
