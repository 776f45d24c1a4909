"""A browser for the phone map."""

from collections.abc import Iterator

import pytest
from page_visits import CHROMIUM
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open Chromium once for all tests of a module."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed, so the page cannot be opened")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()
