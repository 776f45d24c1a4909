"""A survey's pages in a browser with the network off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from page_visits import DESK, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext


@pytest.fixture
def open_offline(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Prepare a page on a device; at the end nothing may have been requested or stored."""
    opened: list[tuple[Visit, BrowserContext]] = []

    def open_one(text: str, size: dict[str, int] = DESK, **options: Any) -> Visit:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport=size,
            has_touch=size["width"] < DESK["width"],
            offline=True,
            locale="en-GB",
            timezone_id="Europe/London",
            **options,
        )  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        opened.append((Visit(context.new_page(), file), context))
        return opened[-1][0]

    yield open_one
    for visit, context in opened:
        visit.assert_quiet()
        if not visit.page.is_closed():
            stored = "Object.keys({...localStorage, ...sessionStorage}).length"
            assert visit.page.evaluate(stored) == 0
            assert visit.page.evaluate("indexedDB.databases()") == []
        assert context.cookies() == []
        context.close()
