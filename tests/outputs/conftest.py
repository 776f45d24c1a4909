"""A browser for pages."""

from collections.abc import Iterator

import pytest
from page_visits import open_chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open Chromium once for all tests of a module."""
    with open_chromium() as opened:
        yield opened
