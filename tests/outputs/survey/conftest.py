"""A survey's pages in a browser with the network off."""

import pytest
from page_visits import DESK, Visit


@pytest.fixture
def open_offline(browser, tmp_path):
    """Prepare a page on a device; at the end nothing may have been requested or stored."""
    opened = []

    def open_one(text, size=DESK, **options):
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        options |= {"locale": "en-GB", "timezone_id": "Europe/London", "viewport": size}
        has_touch = size["width"] < DESK["width"]
        context = browser.new_context(offline=True, has_touch=has_touch, **options)
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
