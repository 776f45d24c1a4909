"""A browser for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open Chromium once for all tests of a module."""
    from page_visits import open_chromium  # noqa: PLC0415 - the lowest versions come without it

    with open_chromium() as opened:
        yield opened
