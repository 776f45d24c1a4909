"""The survey page in Chromium with the network off: a class fills it in, and what it leaves."""

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import survey_class as pupils
from page_access import CONTRAST, SMALL
from page_visits import DESK
from playwright.sync_api import expect

from patrolplan.inputs.survey_counts import count_surveys
from patrolplan.inputs.survey_form import ANSWERS_FORM, APART_METRES, MAX_PLACES
from patrolplan.outputs.survey.survey_pack import render_survey_page
from patrolplan.privacy import FACTORS

URN = "900003"
SMALL_PHONE = {"width": 360, "height": 640}
TABLET = {"width": 768, "height": 1024}
ON_ITS_SIDE = {"width": 640, "height": 360}
OLD_PHONE = {"width": 320, "height": 568}
SIZES = (SMALL_PHONE, ON_ITS_SIDE, OLD_PHONE, TABLET, DESK)
CALM = {"reduced_motion": "reduce"}
TAP_METRES = 2.0
METRES_A_DEGREE = 111_195.0
HOSTILE = "</script><img src=x onerror=\"alert('x')\">{{ 7 * 7 }}"
BY = {"finger": (SMALL_PHONE, {}, pupils.fill_in_by_finger)}
BY |= {"keyboard": (TABLET, CALM, pupils.fill_in_by_keyboard)}
OTHER_ENDINGS = ("safe", "given up", "stepped back", "teacher looked")
SLOW_ENDINGS = (pytest.param(one, marks=pytest.mark.slow) for one in OTHER_ENDINGS)
MOVING = """() => [...document.querySelectorAll("body *")].filter((one) => {
  const { transitionDuration, animationName } = getComputedStyle(one);
  return one.checkVisibility() && (parseFloat(transitionDuration) > 0 || animationName !== "none");
}).map((one) => one.className)"""


@pytest.fixture(scope="module")
def survey(demo_area):
    """The page of a school of the demo borough."""
    return render_survey_page(demo_area, URN)


@pytest.fixture
def open_page(open_offline, survey):
    """Open the page on a device."""

    def open_one(size, text=survey, **options):
        visit = open_offline(text, size, **options)
        pupils.open_survey(visit)
        return visit

    return open_one


def _answer(page):
    for value in ("evening", "isolated", "traffic"):
        page.locator(f"[data-step]:not([hidden]) [data-value={value}]").tap()


@pytest.mark.parametrize("by", BY)
def test_five_pupils_leave_one_file(open_page, tmp_path, by):
    """By finger or keys alone: the file holds exactly their answers, where they put them."""
    size, options, fill_in = BY[by]
    visit = open_page(size, **options)
    group = pupils.Class(visit.page, np.random.default_rng(5))
    group.run(5, fill_in)
    file = pupils.save(visit.page, tmp_path)
    document = json.loads(file.read_text(encoding="utf-8"))
    today = visit.page.evaluate("new Date().toLocaleDateString('en-CA')")
    head = {"form": ANSWERS_FORM, "school_urn": URN, "day": today, "pupils": 5}
    assert document == head | {name: document[name] for name in ("id", "answers")}
    assert re.fullmatch(r"[0-9a-f]{32}", document["id"])
    assert file.name == f"survey-{URN}-{document['id'][:8]}.json"
    assert [entry.id for entry in count_surveys([file]).entries] == [document["id"]]
    answers = pupils.read_answers(file)
    assert len(answers) == len(group.answers) > 0
    _assert_same_places(answers, group.answers)
    assert visit.page.evaluate("history.length") <= 2


def _assert_same_places(answers, wanted):
    """Every answer is one of those entered, with its values, within the reach of a finger."""
    left = list(wanted)
    for *values, longitude, latitude in answers:
        east = np.cos(np.radians(latitude)) * METRES_A_DEGREE
        alike = [row for row in left if list(row[:3]) == values]
        assert alike, values
        steps = np.array([row[3:] for row in alike]) - (longitude, latitude)
        metres = np.hypot(*(steps * (east, METRES_A_DEGREE)).T)
        assert metres.min() < TAP_METRES, (values, longitude, latitude)
        left.remove(alike[metres.argmin()])
    assert not left


def test_answers_stand_in_any_order_alike(open_page):
    """Each order of three answers comes up as often as any other, whoever entered what when."""
    page = open_page(SMALL_PHONE).page
    orders = page.evaluate("""() => {
      let state = 20261126;
      crypto.getRandomValues = (row) => row.map(() => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state ^ (state >>> 15);
      });
      return Array.from({ length: 1200 }, () => {
        const group = makeClassAnswers({ form: "f", school: { urn: "1" }, least_pupils: 1 });
        ["a", "b"].forEach((place) => group.add([place]));
        group.add(["c"]);
        return JSON.parse(group.write()).answers.join("");
      });
    }""")
    counts = Counter(orders)
    assert len(counts) == 6
    assert max(abs(count - 200) for count in counts.values()) < 60


def _serialise(page):
    """The page as it stands: elements, values of lists, place of the scroll bar."""
    expect(page.locator(".settling")).to_have_count(0)
    return page.evaluate("""() => [
      document.documentElement.outerHTML,
      ...[...document.querySelectorAll("select, input")].map(({ value }) => value),
      scrollX, scrollY, location.href, history.length,
      // Leaflet leaves its register of listeners, which must be empty.
      Object.keys(window).filter((name) => name !== "_leaflet_events").sort().join(),
      Object.values(window._leaflet_events ?? {}).filter((listener) => listener).length,
    ].join("|")""")


@pytest.mark.parametrize("ending", ["finished", *SLOW_ENDINGS])
def test_nothing_of_a_pupil_is_left_on_the_page(open_page, ending):
    """After a pupil has finished or given up, the page is as a fresh one, to the last character."""
    page = open_page(SMALL_PHONE).page
    before = _serialise(page)
    places = {"finished": 2, "safe": 0}
    if ending in places:
        pupils.fill_in_by_finger(pupils.Class(page, np.random.default_rng(1)), places[ending])
    elif ending == "teacher looked":
        page.locator("#teacher").tap()
        page.get_by_role("button", name="Close").tap()
        expect(page.locator("#class")).to_be_empty()
        page.evaluate("scrollTo(0, 0)")
    else:
        page.locator("#mark").tap()
        page.locator("#places").select_option("3")
        page.locator(".leaflet-control-zoom-in").tap()
        page.locator("#here").tap()
        page.locator("[data-value=evening]").tap()
        if ending == "given up":
            page.locator("#restart").tap()
        else:
            for step in ("place_factor", "time_band", "map"):
                page.locator(f"[data-step={step}] .back").tap()
    assert _serialise(page) == before


@pytest.mark.slow
def test_places_of_one_pupil_are_few_and_apart(open_page):
    """A place within a square's diagonal of an own one is refused in words; three are the most."""
    page = open_page(TABLET, reduced_motion="reduce").page
    data = json.loads(page.locator("#survey-data").text_content() or "")
    assert data["apart_metres"] == APART_METRES
    at = np.array([entry["at"] for listed in data["places"] for entry in listed["entries"]])
    xy = METRES_A_DEGREE * at * (1.0, np.cos(np.radians(at[0, 0])))
    metres = np.hypot(*(xy[:, None] - xy).T)  # from each to each
    near, chosen = np.flatnonzero((metres[0] > 20) & (metres[0] < 350))[0], [0]
    chosen += [row for row in range(len(at)) if (metres[row, chosen] > 370).all()][:1]
    chosen += [row for row in range(len(at)) if (metres[row, chosen] > 370).all()][:1]
    for number, row in enumerate(chosen[:MAX_PLACES]):
        page.locator("#another" if number else "#mark").tap()
        if number == 1:
            page.locator("#places").select_option(str(near))
            expect(page.locator("#prompt")).to_contain_text("Too close to your other place")
            expect(page.locator("#here")).to_be_disabled()
        page.locator("#places").select_option(str(row))
        page.locator("#here").tap()
        _answer(page)
    expect(page.locator("#own li")).to_have_count(MAX_PLACES)
    expect(page.locator("#another")).to_be_hidden()
    expect(page.locator("#full")).to_be_visible()
    page.get_by_role("button", name="Remove place 2").tap()
    expect(page.locator("#another")).to_be_visible()


@pytest.mark.slow
def test_no_file_shows_what_a_few_pupils_answered(open_page, tmp_path):
    """Under five pupils there is no file, and it is renewed only when five more have finished."""
    page = open_page(SMALL_PHONE).page
    group = pupils.Class(page, np.random.default_rng(3))
    opener = page.get_by_role("button", name="Teacher: finish and save")
    group.run(4, pupils.fill_in_by_finger)
    opener.click()
    expect(page.locator("#class")).to_contain_text("4 pupils have finished")
    expect(page.locator("#save")).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    group.run(1, pupils.fill_in_by_finger)
    first = pupils.save(page, tmp_path).read_bytes()
    group.run(4, pupils.fill_in_by_finger)
    assert pupils.save(page, tmp_path).read_bytes() == first
    group.run(1, pupils.fill_in_by_finger)
    second = json.loads(pupils.save(page, tmp_path).read_bytes())
    assert (second["id"], second["pupils"]) == (json.loads(first)["id"], 10)
    both = (json.loads(first), second)
    fewer, more = (Counter(map(json.dumps, document["answers"])) for document in both)
    assert fewer <= more


def test_names_that_try_to_be_code_stay_text(open_page, demo_area):
    """A school, a park and streets full of markup open no element and run nothing."""
    parts = demo_area.network.walkable.parts
    features, ways = (
        table.assign(name=table["name"].where(table["name"] == "", HOSTILE))
        for table in (demo_area.features, parts.ways)
    )
    network = replace(demo_area.network, parts=replace(parts, ways=ways))
    schools = demo_area.schools.assign(name=HOSTILE)
    area = replace(demo_area, schools=schools, features=features, network=network)
    page = open_page(TABLET, render_survey_page(area, URN)).page
    assert page.locator("header p").inner_text() == HOSTILE
    page.locator("#mark").tap()
    assert HOSTILE in page.locator("#places option").all_inner_texts()
    page.locator("#places").select_option("0")
    expect(page.locator("#prompt")).to_contain_text(HOSTILE)
    page.locator("#here").tap()
    _answer(page)
    expect(page.locator("#own")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0


def _walk_steps(page):
    """Every step of the page, the too close place and the teacher's end among them."""
    yield "start"
    page.locator("#mark").click()
    yield "map"
    page.locator("#places").select_option("3")
    yield "pin"
    page.locator("#here").click()
    for column, value in zip(FACTORS, ("evening", "isolated", "traffic"), strict=True):
        yield column
        page.locator(f"[data-step={column}] [data-value={value}]").click()
    yield "review"
    page.locator("#another").click()
    page.locator("#places").select_option("3")
    yield "too close"
    page.locator("[data-step=map] .back").click()
    page.locator("#finish").click()
    yield "thanks"
    page.locator("#next").click()
    page.locator("#teacher").click()
    yield "teacher"


@pytest.mark.parametrize(
    "size", [SIZES[0], *(pytest.param(size, marks=pytest.mark.slow) for size in SIZES[1:])]
)
def test_every_step_can_be_read_and_hit(open_page, size):
    """Text has a contrast of 4.5 and more, targets 44 pixels and names; a heading has the focus."""
    page = open_page(size, reduced_motion="reduce").page
    assert page.locator("html").get_attribute("lang") == "en-GB"
    for step in _walk_steps(page):
        disabled = page.locator("[disabled]").all_inner_texts()
        texts = [row for row in page.evaluate(CONTRAST) if row[1] not in disabled]
        assert texts, step
        assert min(texts)[0] >= 4.5, (step, min(texts))
        assert page.evaluate(SMALL, 44.5) == [], step
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step
        assert page.evaluate(MOVING) == [], step
        headings = page.locator("h1:visible")
        expect(headings).to_have_count(1)
        if step not in {"start", "teacher", "pin", "too close"}:
            expect(headings).to_be_focused()
        controls = page.locator("button:visible, select:visible, .map:visible, a:visible")
        for control in controls.all():
            words = control.evaluate(
                "one => one.getAttribute('aria-label') || one.labels?.[0]?.textContent"
                " || one.textContent.trim()"
            )
            assert words, (step, control)


def test_the_focus_can_be_seen(open_page):
    """Every control that Tab reaches has a ring of at least three pixels, also the map."""
    page = open_page(TABLET).page
    page.locator("#mark").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".crosshair")).to_be_hidden()
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        name, width = page.evaluate("""() => {
          const { outlineWidth, outlineStyle } = getComputedStyle(document.activeElement);
          const at = document.activeElement;
          return [at.id || at.className, outlineStyle === "none" ? 0 : parseFloat(outlineWidth)];
        }""")
        if name and name != "survey":  # the page itself
            assert width >= 3, name
            reached.add(name.split()[0])
            if name.startswith("map"):  # its cross is shown while keys move it
                expect(page.locator(".crosshair")).to_be_visible()
    assert {"map", "places", "restart"} <= reached
