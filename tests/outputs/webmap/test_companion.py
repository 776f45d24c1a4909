"""The phone as a companion: a patrol walked by thumb, from the gate to a file that record takes."""

import datetime as dt
import json
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from page_access import CONTRAST, SMALL
from page_visits import PHONE, PLACE
from playwright.sync_api import expect
from survey_class import tab_to

from patrolplan.crs import BRITISH_GRID
from patrolplan.inputs.small_tables import read_visits
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.week_pack import render_week_map
from patrolplan.settings import load_settings
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.promised import build_promised_week
from patrolplan.times import format_time

MONDAY = dt.date(2026, 11, 30)
DOT = ".leaflet-position-pane path"


@pytest.fixture(scope="module")
def patrol(demo_plan):
    """A patrol with more than two stops, such as a week may draw."""
    variants = [variant for own in demo_plan.patrols for variant in own.variants]
    walks = (walk for variant in variants for walk in variant.patrols)
    return next(walk for walk in walks if len(walk.stops) > 2)


@pytest.fixture(scope="module")
def html(demo_plan, patrol):
    """The page of the demo borough's plan with that patrol."""
    patrols = [patrol if own.urn == patrol.urn else own for own in demo_plan.patrols]
    return render_map(replace(demo_plan, patrols=tuple(patrols)))


@pytest.fixture
def page(open_page, html, patrol):
    """The page of that patrol when it is to begin."""
    return open_page(html, f"#{patrol.urn}", now=_at(patrol.start_minutes)).page


def _at(minutes, day: dt.date = MONDAY):
    """A time of day in London's winter, when it is the world's."""
    return dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=minutes)


def _wait_until(page, minutes, *, jump=True):
    """Let the page's clock jump, or run, to a minute after midnight."""
    now = page.evaluate("(Date.now() - new Date().setHours(0, 0, 0, 0)) / 60000")
    pass_time = page.clock.fast_forward if jump else page.clock.run_for
    pass_time(round((minutes - now) * 60_000))


def _save(page, folder):
    with page.expect_download() as download:
        page.click("#save")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def _walk(page, patrol):
    """Walk a patrol by its taps, late, with reloads, the second stop not made: minutes stayed."""
    stayed = {stop.hotspot: 0.0 for stop in patrol.stops}
    now = patrol.start_minutes
    places = [one.place for one in list_stop_facts(patrol, BRITISH_GRID)]
    for number, (stop, place) in enumerate(zip(patrol.stops, places, strict=True), start=1):
        now = max(now, stop.arrive_minutes) + 3.5 * (number == 1)
        _wait_until(page, now)
        expect(page.locator("#now")).to_have_text(f"Go to stop {number}")
        if number == 2:
            page.click("#skip")
            page.click("[data-why=incident]")
            continue
        page.click("#tap")
        expect(page.locator("#now")).to_have_text(f"Stop {number}")
        page.reload()
        expect(page.locator("#place")).to_have_text(place)
        page.click("#more")
        page.click("#more")
        stayed[stop.hotspot] += 11.2 + number
        now += 11.2 + number
        _wait_until(page, now)
        page.click("#tap")
    return stayed


def _record(week, demo, run, file, day: dt.date):
    """Hand the week out, let the command record take the file, and read what was delivered."""
    shutil.copytree(demo.parent, file.parent / "area")
    config = file.parent / "area" / demo.name
    with open_ledger(load_settings(config)) as ledger:
        ledger.hand_out(build_promised_week(week))
    code, _, err = run("record", "--csv", file, "--config", config)
    assert code == 0, err
    with open_ledger(load_settings(config)) as ledger:
        return ledger.read_delivered(day, day)


def test_a_walked_patrol_is_recorded_to_the_minute(open_page, demo_week, demo, run, tmp_path):
    """Late, reloaded, one stop not made: the file that record takes has the minutes stayed."""
    duty = next(duty for duty in demo_week.duties if len(duty.patrol.stops) > 2)
    roster = Roster(demo_week)
    officer = roster.officers_by_name[duty.officer].file_name
    fragment = f"#{duty.date}-{roster.school_file_names[duty.urn]}-{officer}"
    start = _at(duty.patrol.start_minutes - 5, duty.date)
    page = open_page(render_week_map(roster), fragment, now=start).page
    page.click("#begin")
    expect(page.locator("#count")).to_have_text("5 min to go")
    page.click("#position")
    expect(page.locator(DOT)).to_have_count(2)
    stayed = _walk(page, duty.patrol)
    expect(page.locator("#tap")).to_have_text("End the patrol")
    page.click("#tap")
    expect(page.locator("#who")).to_have_value(duty.officer)
    file = _save(page, tmp_path)
    held = json.dumps(page.evaluate("({...localStorage, ...sessionStorage})")) + file.read_text()
    assert not any(str(value)[:7] in held for value in (PLACE["latitude"], PLACE["longitude"]))
    assert (page.evaluate("indexedDB.databases()"), page.context.cookies()) == ([], [])
    table = _record(demo_week, demo, run, file, duty.date).set_index("hotspot")
    assert table.index.is_unique
    assert set(table.index) == set(stayed) == {stop.hotspot for stop in duty.patrol.stops}
    assert all(abs(table["minutes"][name] - stayed[name]) <= 1 for name in stayed)
    first, second, *others = (stop.hotspot for stop in duty.patrol.stops)
    assert table["engagements"][first] == 2 * (1 + others.count(first))
    assert table["reason"][second] == "incident"
    assert second in others or pd.isna(table["arrive"][second])
    assert table["arrive"][first] >= format_time(duty.patrol.stops[0].arrive_minutes)


def test_the_position_is_shown_where_it_is_and_hidden_again(page):
    """The dot stands at the phone's place, follows it, and goes with one tap."""
    dot = page.locator(DOT)
    expect(dot).to_have_count(0)
    page.click("#position")
    expect(dot).to_have_count(2)
    for east in (0.0, 0.0005):
        place = {**PLACE, "longitude": PLACE["longitude"] + east}
        page.context.set_geolocation(place)
        page.wait_for_function(
            """([dot, lat, lng]) => {
              const point = map_patrol.latLngToContainerPoint([lat, lng]);
              const frame = document.querySelector("#map_patrol").getBoundingClientRect();
              const box = [...document.querySelectorAll(dot)].at(-1).getBoundingClientRect();
              const [x, y] = [box.x + box.width / 2 - frame.x, box.y + box.height / 2 - frame.y];
              return Math.hypot(x - point.x, y - point.y) < 2;
            }""",
            arg=[DOT, place["latitude"], place["longitude"]],
        )
    page.click("#position")
    expect(dot).to_have_count(0)


def test_who_is_late_sees_both_times(page, patrol):
    """A stop begun six minutes late shifts all that follows; the planned times stay in sight."""
    first, second, *_ = patrol.stops
    page.click("#begin")
    _wait_until(page, round(first.arrive_minutes) + 6)
    page.click("#tap")
    leave, arrive = format_time(first.leave_minutes), format_time(second.arrive_minutes)
    late = format_time(round(first.leave_minutes) + 6)
    expect(page.locator("#when")).to_have_text(f"until {late} (planned {leave})")
    expect(page.locator("#next")).to_contain_text(f"(planned {arrive})")
    page.click("#undo")
    expect(page.locator("#now")).to_have_text("Go to stop 1")
    expect(page.locator("#count")).to_have_text("6 min late")
    expect(page.locator("#undo")).to_be_disabled()


def test_what_is_near_is_announced_once(page, patrol):
    """A screen reader hears of the end two minutes before and at it, not with every minute."""
    stop = patrol.stops[0]
    page.click("#begin")
    _wait_until(page, stop.arrive_minutes)
    page.click("#tap")
    page.evaluate("""() => {
      window.heard = [];
      const aloud = document.querySelector("#aloud");
      new MutationObserver(() => heard.push(aloud.textContent)).observe(aloud, { childList: true });
    }""")
    _wait_until(page, stop.leave_minutes + 4, jump=False)
    page.wait_for_function("heard.length >= 2")
    soon, due = page.evaluate("heard")
    assert soon.startswith("Stop 1: 2 min left. Next: Stop 2")
    assert due.startswith("Time to leave stop 1. Next: Stop 2")


@pytest.mark.slow
def test_a_week_opens_on_today_and_records_today(open_page, demo_week, tmp_path):
    """It shows today's patrol of the last officer; one of another day is recorded as of today."""
    duties = [duty for duty in demo_week.duties if duty.patrol.stops]
    pairs = combinations(duties, 2)
    first, second = next((one, other) for one, other in pairs if one.officer == other.officer)
    roster = Roster(demo_week)
    officer = roster.officers_by_name[first.officer].file_name
    page = open_page(render_week_map(roster), now=_at(13 * 60, first.date)).page
    expect(page.locator("#day-choice")).to_have_value(f"{first.date}")
    page.select_option("#officer-choice", officer)
    expect(page.locator("#preview")).to_contain_text(first.patrol.school)
    page.clock.set_fixed_time(_at(13 * 60, second.date))
    page.reload()
    expect(page.locator("#day-choice")).to_have_value(f"{second.date}")
    expect(page.locator("#officer-choice")).to_have_value(officer)
    expect(page.locator("#preview")).to_contain_text(second.patrol.school)
    expect(page.locator("#preview")).not_to_contain_text("Not today")
    box = page.locator("#preview").bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"]
    page.select_option("#day-choice", f"{first.date}")
    expect(page.locator("#preview")).to_contain_text("Not today but")
    page.click("#begin")
    expect(page.locator("#said")).to_contain_text("the record will say today")
    page.click("#end")
    expect(page.locator("#after-title")).to_contain_text(f"{second.date.day}")
    assert f",{second.date}," in _save(page, tmp_path).read_text()


def test_taps_are_cleared_by_button_by_another_plan_and_after_a_day(page, patrol, demo_plan):
    """What was tapped goes with one button, when another plan is opened, and a day later."""
    page.click("#begin")
    assert page.evaluate("localStorage.length") == 1
    page.click("#end")
    page.click("#clear")
    expect(page.locator("#clear")).to_have_text("Not saved: tap again to clear")
    assert page.evaluate("localStorage.length") == 1
    page.click("#clear")
    assert page.evaluate("localStorage.length") == 0
    expect(page.locator("#begin")).to_be_visible()
    page.click("#begin")
    page.clock.fast_forward(23 * 3_600_000)
    assert page.evaluate("localStorage.length") == 1
    page.clock.fast_forward(2 * 3_600_000)
    assert page.evaluate("localStorage.length") == 0
    page.click("#begin")
    other = replace(patrol, end_minutes=patrol.end_minutes - 1)
    plan = replace(demo_plan, patrols=(other,))
    Path(page.url.split("#")[0].removeprefix("file://")).write_bytes(render_map(plan))
    page.reload()
    assert page.evaluate("localStorage.length") == 0


def test_a_plans_map_asks_who_it_was(page, patrol, tmp_path):
    """Without a week the officer enters an id; only then the record can be saved, with no guess."""
    page.click("#begin")
    page.click("#end")
    save = page.locator("#save")
    assert save.get_attribute("href") is None
    page.fill("#who", '=1+1"')
    assert save.get_attribute("href") is None
    page.fill("#who", "SSO-01")
    page.locator("#rows input").first.fill("12.5")
    page.locator("#rows input").first.blur()
    table = read_visits(_save(page, tmp_path))
    page.click("#clear")
    assert page.evaluate("localStorage.length") == 0
    places = list(dict.fromkeys(stop.hotspot for stop in patrol.stops))
    assert table["hotspot"].tolist() == places
    assert table["minutes"].tolist() == [12.5, *[0.0] * (len(places) - 1)]
    assert table["engagements"].isna().all()
    assert (set(table["date"]), set(table["officer"])) == ({MONDAY}, {"SSO-01"})


def test_a_refused_position_is_explained(open_page, html):
    """Without permission for the position the page says what to do, and continues without it."""
    page = open_page(html, allowed=False).page
    page.click("#position")
    expect(page.locator("#said")).to_contain_text("Allow location")
    expect(page.locator("#position")).to_have_attribute("aria-pressed", "false")
    assert page.locator(DOT).count() == 0


def test_works_by_keyboard_alone(page):
    """Tab from the skip link reaches the bar; the main button has the focus after each tap."""
    press = page.keyboard.press
    for key in ("Tab", "Tab", "Enter", "Tab"):
        press(key)
    for expected, key in (("begin", "Enter"), ("tap", "Enter"), ("tap", "Space")):
        assert page.evaluate("document.activeElement.id") == expected
        press(key)
    assert page.evaluate("document.activeElement.id") == "tap"
    expect(page.locator("#now")).to_have_text("Go to stop 2")
    tab_to(page, "#skip")
    press("Enter")
    assert page.evaluate("document.activeElement.dataset.why") == "abstracted"
    press("Enter")
    expect(page.locator("#tap")).to_be_focused()
    tab_to(page, "#end")
    press("Enter")
    expect(page.locator("#after-title")).to_be_focused()
    tab_to(page, "#who")
    page.keyboard.type("SSO-01")
    press("Tab")
    expect(page.locator("#save")).to_be_focused()


def test_reads_in_the_sun_and_taps_by_thumb(page):
    """At each moment text has 7:1 contrast, controls 44 pixels, and the bar leaves a map."""
    for press in (None, "#begin", "#skip", "#tap", "#more", "#tap", "#end"):
        if press:
            page.click(press)
        page.wait_for_timeout(100)
        contrast = page.evaluate(CONTRAST, "#companion")
        assert len(contrast) >= 2
        assert min(contrast)[0] >= 7, min(contrast)
        assert page.evaluate(SMALL, [44, "#companion"]) == []
        bar = page.locator("#companion").bounding_box()
        assert bar["y"] + bar["height"] <= PHONE["height"] + 1
        assert press == "#end" or bar["y"] > PHONE["height"] / 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_storage_that_refuses_is_announced(page):
    """If the browser cannot store data, the patrol continues and the page warns."""
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    page.click("#begin")
    expect(page.locator("#warning")).to_contain_text("do not close the page")
    page.click("#tap")
    expect(page.locator("#now")).to_have_text("Stop 1")
