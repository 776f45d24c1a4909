"""Pages on a phone or a desk with the network off, which may request nothing."""

from contextlib import contextmanager

import pytest
from page_visits import PHONE, PLACE, Visit


@contextmanager
def _opening(browser, folder):
    visits = []

    def open_one(page, fragment="", *, now=None, size=PHONE, allowed=True, script=""):
        file = folder / f"map{len(visits)}.html"
        file.write_bytes(page)
        where = {"timezone_id": "Europe/London", "geolocation": PLACE}
        where["permissions"] = ["geolocation"] if allowed else []
        context = browser.new_context(viewport=size, offline=True, **where)
        context.set_default_timeout(5000)
        visit = Visit(context.new_page(), file)
        visits.append(visit)
        if now:
            visit.page.clock.install(time=now)
        visit.page.add_init_script(script)
        visit.open(fragment)
        return visit

    yield open_one
    for visit in visits:
        visit.assert_quiet()
        visit.page.context.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open pages, at a time of day in London if one is given; none may ask or complain."""
    with _opening(browser, tmp_path) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def open_shared_page(browser, tmp_path_factory):
    """Open pages that stay open for all tests of a module."""
    with _opening(browser, tmp_path_factory.mktemp("pages")) as open_one:
        yield open_one
