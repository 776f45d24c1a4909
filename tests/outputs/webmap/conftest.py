"""Pages on a phone or a desk with the network off, which may request nothing."""

import pytest
from page_visits import PHONE, PLACE, Visit


@pytest.fixture
def open_page(browser, tmp_path):
    """Open pages, at a time of day in London if one is given; none may ask or complain."""
    visits = []

    def open_one(page, fragment="", *, now=None, size=PHONE, allowed=True, script=""):
        file = tmp_path / "map.html"
        file.write_bytes(page)
        context = browser.new_context(
            viewport=size,
            offline=True,
            timezone_id="Europe/London",
            geolocation=PLACE,
            permissions=["geolocation"] if allowed else [],
        )
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
