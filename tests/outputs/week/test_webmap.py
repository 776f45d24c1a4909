"""The week on the phone: the plan's page, chosen by day and officer."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from patrolplan.outputs import wording
from patrolplan.outputs.week.roster import Roll
from patrolplan.outputs.week.week_pack import render_week_map
from patrolplan.patrols.plan import clock
from patrolplan.team.week import day_name

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def duty(roll):
    """A duty of a day on which not every officer has one."""
    everyone = {duty.officer for duty in roll.week.duties}
    return next(duty for duty in roll.week.duties if everyone - _busy(roll, duty.date))


def _busy(roll, date):
    """Officers who have a patrol on a day."""
    return {duty.officer for duty in roll.week.duties if duty.date == date}


@pytest.fixture(scope="module")
def html(roll):
    """The demo week's page."""
    return render_week_map(roll).decode()


@pytest.fixture(scope="module", params=[(390, 844), (1366, 768)], ids=["phone", "desk"])
def page(request, html, tmp_path_factory):
    """That page, opened with the network off; it must ask for nothing and complain of nothing."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed, so the page cannot be opened")
    file = tmp_path_factory.mktemp("week") / "map.html"
    file.write_text(html, encoding="utf-8")
    told = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        size = dict(zip(("width", "height"), request.param, strict=True))
        opened = browser.new_context(viewport=size, offline=True).new_page()
        opened.on("pageerror", lambda error: told.append(str(error)))
        opened.on("console", lambda message: told.append(message.text))
        opened.goto(file.as_uri())
        yield opened
        browser.close()
    assert told == []


def offered(page):
    """Addresses of the patrols that the list offers."""
    return page.locator("#patrol-choice option").evaluate_all("all => all.map((o) => o.value)")


def test_every_duty_is_an_outing(roll, html):
    """Each duty is in the page's data once, with its day and officer, under its own address."""
    held = re.search(r'id="map-data">(.*?)</script>', html, re.DOTALL).group(1)
    patrols = json.loads(held)["patrols"]
    assert [(p["day"], p["officer"], p["urn"]) for p in patrols] == [
        (f"{duty.date}", duty.officer, duty.urn) for duty in roll.week.duties
    ]
    assert len({patrol["id"] for patrol in patrols}) == len(patrols)


def test_the_light_is_that_of_the_day(roll, html):
    """Each outing says when the sun sets on its day."""
    told = {
        wording.after_dark(dataclasses.replace(roll.week.plan, date=duty.date), duty.patrol)
        for duty in roll.week.duties
    }
    assert any(line.startswith("Sunset 15:") for line in told)
    assert all(f"<strong>Light:</strong> {line}" in html for line in told if line)


def test_day_and_officer_choose(roll, duty, page):
    """A day offers its patrols and draws them all; an officer as well leaves their own."""
    page.select_option("#officer-choice", "")
    page.select_option("#day-choice", f"{duty.date}")
    of_day = [other for other in roll.week.duties if other.date == duty.date]
    assert len(offered(page)) == len(of_day)
    drawn = page.locator(".leaflet-beside-pane path").count()
    assert drawn == len(of_day) - 1
    page.select_option("#officer-choice", duty.officer)
    (own,) = offered(page)
    assert own == f"{duty.date}-{duty.urn}-{duty.officer}"
    assert page.evaluate("location.hash") == f"#{own}"
    about = f"{day_name(duty.date)}, {duty.officer}, set out {clock(duty.leave_minutes)}"
    assert about in page.locator(".patrol:visible .about").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_free_officer_is_told(roll, duty, page):
    """A day on which an officer has no patrol shows none and says so; another choice goes on."""
    free = min({other.officer for other in roll.week.duties} - _busy(roll, duty.date))
    page.select_option("#day-choice", f"{duty.date}")
    page.select_option("#officer-choice", free)
    assert offered(page) == []
    assert page.locator(".patrol:visible").count() == 0
    assert "No patrol is planned" in page.locator("#said").inner_text()
    page.select_option("#day-choice", "")
    mine = [other for other in roll.week.duties if other.officer == free]
    assert len(offered(page)) == len(mine)
    assert page.locator(".patrol:visible").count() == 1


def test_an_address_outside_the_choice_widens_it(roll, duty, page):
    """An address of another day's patrol shows that patrol and offers all again."""
    page.select_option("#day-choice", f"{duty.date}")
    other = next(other for other in roll.week.duties if other.date != duty.date)
    address = f"{other.date}-{other.urn}-{other.officer}"
    page.evaluate("id => { location.hash = `#${id}`; }", address)
    page.wait_for_selector(f'[data-patrol="{address}"]:visible')
    assert len(offered(page)) == len(roll.week.duties)
    assert page.locator("#day-choice").input_value() == ""


def test_names_of_officers_open_no_tag(hostile):
    """Officers' names are text in the page, and their addresses are plain."""
    html = render_week_map(Roll(hostile)).decode()
    assert "<script>alert(1)" not in html
    assert "=HYPERLINK(&#34;http://x&#34;)" in html
    assert re.findall(r'<option value="([^"]*)"', html)
    assert all(re.fullmatch(r"[\w-]*", v) for v in re.findall(r'<option value="([^"]*)"', html))
