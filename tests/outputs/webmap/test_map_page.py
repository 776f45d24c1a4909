"""The phone map: one page without requests, for touch, keys and the ear; names at their street."""

import base64
import datetime as dt
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from itertools import combinations

import numpy as np
import pytest
import shapely
import shapely.affinity
from outputs.printed import change_settings
from page_visits import DESK, LISTENING, PHONE

from patrolplan.area.square_names import format_grid_reference
from patrolplan.hotspots.reasons import ReportsReason, read_reasons, write_reasons
from patrolplan.outputs.cartography.map_content import MapContent, fit_patrol_viewport
from patrolplan.outputs.cartography.symbols import SYMBOLS, PhoneSign
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.outputs.webmap.map_layers import (
    ONLY_RECORDED,
    ONLY_REPORTED,
    classify_voices,
    format_patrol_id,
)
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.outputs.wording import describe_barred, describe_tasking
from patrolplan.patrols.plan import BarredPlace, Tasking

HOSTILE = 'St. </script><img src=x onerror=alert(1)> & "Søn\'s" \u2013 École ${1}{{ 7*7 }}'
BLOCK = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk", marks=pytest.mark.slow)]
ALSO = "Also walked: "
LETTER_HEIGHT = 0.7
"""Of capitals, as a share of the size of the letters."""


@pytest.fixture(scope="module")
def plan(demo_plan):
    """Take the demo borough's plan, with a barred place and a second officer."""
    first, second, *others = demo_plan.patrols
    assert first.barred
    first = replace(first, barred=(replace(first.barred[0], point=first.stops[-1].point),))
    return replace(demo_plan, patrols=(first, second, replace(second, number=2), *others))


@pytest.fixture(scope="module")
def html(plan):
    """Write the plan's page once."""
    return render_map(plan).decode()


def _find_data(html):
    return re.search(r'id="map-data">(.*?)</script>', html, re.DOTALL)[1]


def test_links_to_nothing(html):
    """No script, style, image or form of the page comes from or goes anywhere else."""
    tags = " ".join(re.findall(r"<[^>]*>", BLOCK.sub("", html)))
    assert not re.search(r"\s(?:src|srcset|data|action)\s*=", tags)
    assert re.findall(r"<link [^>]*>", tags) == ['<link rel="icon" href="data:,">']
    libraries = "jquery|bootstrap|fontawesome|cdn[.]|sourceMappingURL"
    assert not re.search(libraries, html, re.IGNORECASE)


def _read_policy(html):
    return unescape(re.search(r'"Content-Security-Policy" content="([^"]*)"', html)[1])


def test_policy_names_every_script_and_style_by_hash(html):
    """The policy forbids all requests and lets exactly the page's own blocks run."""
    policy = dict(part.split(" ", 1) for part in _read_policy(html).split("; "))
    own = {"script": set(), "style": set()}
    for kind, block in BLOCK.findall(html):
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        own[kind].add(f"'sha256-{digest}'")
    assert {kind: {*policy[f"{kind}-src"].split()} for kind in own} == own
    closed = dict.fromkeys(("default-src", "connect-src", "base-uri", "form-action"), "'none'")
    assert policy.items() >= (closed | {"img-src": "data:"}).items()


def test_tiles_are_requested_only_when_set_and_named(plan):
    """With a tile address the policy opens for that server alone, and the page says so."""
    address = "https://{s}.tiles.example/{z}/{x}/{y}.png"
    area = change_settings(plan.area, output={"tiles": address})
    broken = replace(plan.patrols[0], school="Alder\ud800School")
    html = render_map(replace(plan, area=area, patrols=(broken,))).decode()
    assert "Alder?School" in html  # half a character, as broken files hold
    assert "img-src data: https://*.tiles.example;" in _read_policy(html)
    assert "this page asks the server tiles.example" in html
    assert "sends no requests" not in html
    assert json.loads(_find_data(html))["tiles"]["url"] == address


def test_a_kind_of_map_feature_is_drawn_by_its_record_alone(demo_plan, monkeypatch):
    """A kind that has a sign is on card and phone, where there are any."""
    look = replace(SYMBOLS["station"], name=None, phone=PhoneSign("Shops", 4))
    monkeypatch.setitem(SYMBOLS, "shop", look)
    patrol = demo_plan.patrols[0]
    content = MapContent(fit_patrol_viewport(demo_plan, patrol, 500, 300), demo_plan, patrol)
    assert len(content.point_symbols["shop"][1])
    assert "Shops</label>" in render_map(demo_plan).decode()


def _unpack(packed):
    points = np.cumsum(np.array(packed["steps"]).reshape(-1, 2), axis=0) / 1e6
    return np.split(points, np.cumsum(packed["counts"])[:-1])


def test_streets_and_routes_are_drawn_where_they_are(plan, html):
    """Packed streets and legs unpack to their own coordinates, to a tenth of a metre."""
    layers, network = json.loads(_find_data(html)), plan.area.network
    lines, legs = _unpack(layers["streets"]["lines"]), _unpack(layers["patrols"][0]["legs"])
    assert len(lines) == len(network)
    pairs = zip(legs, (leg.line for leg in plan.patrols[0].legs), strict=True)
    for drawn, xy in ((np.concatenate(lines), network.parts.coordinates), *pairs):
        degrees = np.column_stack(plan.area.projection.to_degrees(*xy.T))
        np.testing.assert_allclose(drawn[:, ::-1], degrees, atol=1e-6)


def test_walked_streets_have_pieces_on_the_walk(plan, html):
    """Each named street of the directions has its own pieces, which the legs follow."""
    layers, network = json.loads(_find_data(html)), plan.area.network.walkable
    for patrol, drawn in zip(plan.patrols, layers["patrols"], strict=True):
        walk = shapely.union_all([shapely.LineString(leg.line) for leg in patrol.legs])
        names = {layers["streets"]["names"][row]: pieces for row, pieces in drawn["streets"]}
        steps = {step.street for leg in patrol.legs for step in leg.steps}
        assert set(names) == steps & set(network.piece_name)
        for name, pieces in names.items():
            assert set(network.piece_name[pieces]) == {name}
            assert walk.distance(shapely.points(network.piece_middle[pieces])).max() < 40


def test_disagreement_is_feared_or_recorded(plan):
    """Reported but hardly recorded and recorded but not reported are two classes."""
    crime, reports = np.repeat([[0.1, 0.0, 0.0], [0.0, 0.0, 0.1]], [10, 80, 10], axis=1)
    risk = replace(plan.risk, crime=crime, reports=reports, without_exposure=crime + reports)
    differ = classify_voices(risk, np.full(100, 30.0))["differ"]
    assert differ.tolist() == [ONLY_RECORDED] * 10 + [0] * 80 + [ONLY_REPORTED] * 10


def test_reports_leave_as_classes_only(plan, html):
    """No number of the reports' layer is in the page, only one digit a piece."""
    voices = json.loads(_find_data(html))["voices"]
    assert set(voices) == {"joined", "crime", "reports", "differ"}
    for digits in voices.values():
        assert re.fullmatch(rf"[0-4]{{{len(plan.area.network)}}}", digits)


@pytest.fixture(scope="module", params=SIZES)
def opened(request, open_shared_page, html):
    """The plan's page at the size of a phone and of a desk."""
    return open_shared_page(html.encode(), size=request.param)


@pytest.fixture
def visit(opened):
    """That page as it is when it has just been opened."""
    opened.open()
    return opened


def _find_middle(page, selector):
    """From the left edge of the window, in pixels."""
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2


def _drawn(page, pane):
    """Count the pixels that are painted on a canvas of the map."""
    script = """(pane) => {
      const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
      const paint = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return paint.filter((value, at) => at % 4 === 3 && value > 0).length;
    }"""
    return int(page.evaluate(script, pane))


def test_shows_streets_route_and_numbered_stops(visit, plan):
    """With the network off the map shows streets, the route, the gate and the numbered stops."""
    page = visit.page
    assert _drawn(page, "ground") > 5000
    assert _drawn(page, "ink") > 500
    numbers = page.locator(".leaflet-marker-icon.number").all_inner_texts()
    assert numbers == [str(row + 1) for row in range(len(plan.patrols[0].stops))]
    assert page.locator(".leaflet-marker-icon.gate").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_fragment_picks_the_patrol(visit, plan):
    """The address names the patrol and follows the choice; a broken one shows the first."""
    first, second, *_ = plan.patrols
    page = visit.open(f"#{second.urn}-2")
    assert page.locator(".patrol:visible h2").inner_text() == f"{second.school}, officer 2"
    page.select_option("#patrol-choice", first.urn)
    assert page.evaluate("location.hash") == f"#{first.urn}"
    page.evaluate("urn => { location.hash = `#${urn}`; }", second.urn)
    page.wait_for_selector(f'[data-patrol="{second.urn}"]:visible')
    assert page.locator(".patrol:visible").count() == 1
    visit.open("#%E0%A4%A")
    page.reload()
    assert page.locator(".patrol:visible h2").inner_text() == first.school
    assert "%E0%A4%A" in page.locator("#said").inner_text()


def test_feared_stops_have_a_speech_bubble(visit, plan):
    """A bubble is at exactly those stops that pupils report, in the list as on the map."""
    for patrol in plan.patrols[:3]:
        page = visit.open(f"#{format_patrol_id(patrol)}")
        told = [any(isinstance(one, ReportsReason) for one in stop.why) for stop in patrol.stops]
        feared = [f"{number}" for number, is_told in enumerate(told, start=1) if is_told]
        for places in (".leaflet-marker-icon.feared", ".patrol:visible .badge.feared"):
            bubbles = page.locator(places)
            assert bubbles.all_inner_texts() == feared
            content = "element => getComputedStyle(element, '::after').content"
            assert all(one.evaluate(content) == '"!"' for one in bubbles.all())


def test_a_tasked_place_has_its_sign_where_it_is(visit, plan):
    """The tip of its diamond, or a lifted one, is at the point that intelligence names."""
    stops = ((patrol, stop) for patrol in plan.patrols for stop in patrol.stops)
    patrol, stop = next(pair for pair in stops if pair[1].tasked)
    page = visit.open(f"#{format_patrol_id(patrol)}")
    point = plan.area.tasked_places.set_index("place_id").geometry[stop.tasked]
    words = f"{describe_tasking(stop.tasking)}. The place is at "
    words += f"{format_grid_reference(point.x, point.y)}."
    sign = page.locator(".leaflet-marker-icon.task")
    assert sign.inner_text() == "T"
    assert words in (sign.get_attribute("aria-label") or "")
    (lon,), (lat,) = plan.area.projection.to_degrees(np.array([point.x]), np.array([point.y]))
    script = "([lat, lng]) => map_patrol.latLngToContainerPoint([lat, lng]).x"
    x = page.evaluate(script, [float(lat), float(lon)])
    x += page.locator("#map_patrol").bounding_box()["x"]
    assert _find_middle(page, ".leaflet-marker-icon.task") == pytest.approx(x, abs=2)
    sign.focus()
    page.keyboard.press("Enter")
    assert words in page.locator(".leaflet-popup-content").inner_text()


def test_places_to_keep_away_from_are_crosses(visit, plan):
    """Each has a sign on the map that opens with its words, and the list moves the map there."""
    page = visit.page
    (barred,) = plan.patrols[0].keep_away
    cross = page.locator(".leaflet-marker-icon.away")
    assert cross.all_inner_texts() == ["\N{MULTIPLICATION SIGN}"]
    assert cross.get_attribute("aria-label") == describe_barred(barred)
    page.locator(".patrol:visible [data-away]").click()
    assert page.locator(".leaflet-popup-content").inner_text().strip() == describe_barred(barred)
    middle = _find_middle(page, "#map-frame")
    assert _find_middle(page, ".leaflet-marker-icon.away") == pytest.approx(middle, abs=3)


def test_list_moves_the_map(visit):
    """Choosing a stop in the list brings its marker to the middle of the map and marks both."""
    page = visit.page
    page.locator('.patrol:visible [data-stop="2"]').click()
    page.wait_for_timeout(400)
    middle = _find_middle(page, "#map-frame")
    assert _find_middle(page, ".leaflet-marker-icon.here") == pytest.approx(middle, abs=3)
    assert page.locator('[aria-current="location"]').count() == 1


def test_keyboard_reaches_everything(visit):
    """Tab reaches the map, the choice, the search, every stop and every switch; Enter works."""
    page = visit.page
    reached = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        script = "(({ id, dataset, name }) => [id, dataset.stop, name])(document.activeElement)"
        reached.update(page.evaluate(script))
    assert {"map_patrol", "patrol-choice", "search", "1", "2", "voice", "show-area"} <= reached
    page.locator('.patrol:visible [data-stop="1"]').focus()
    page.keyboard.press("Enter")
    assert page.locator("#said").inner_text() == "Map moved to stop 1."


def test_paper_has_the_directions(visit, plan):
    """On paper the directions of every leg of the chosen patrol are open."""
    page = visit.page
    are_open = """Array.from(document.querySelectorAll(".patrol:not([hidden]) .walk ol"),
        (list) => list.checkVisibility())"""
    assert not any(page.evaluate(are_open))
    page.emulate_media(media="print")
    assert page.evaluate(are_open) == [True] * len(plan.patrols[0].legs)
    page.emulate_media(media="screen")


def test_search_finds_streets_and_schools(visit, plan):
    """Part of a name finds the street or the school; Enter goes to the first one found."""
    page = visit.page
    street = plan.patrols[0].legs[0].steps[-1].street
    page.fill("#search", street.upper())
    assert f"Street: {street}" in page.locator("#found button").all_inner_texts()
    page.fill("#search", plan.patrols[-1].school[:-2])
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == f"#{plan.patrols[-1].urn}"
    page.fill("#search", street)
    page.locator("#found button").first.click()
    assert page.locator(".leaflet-found-pane path").count() == 1
    page.fill("#search", "zzz")
    assert page.locator("#said").inner_text() == "Nothing found."


def test_layers_switch(visit):
    """Each voice gives the streets other colours and its own legend."""
    page = visit.page
    page.check('input[value="differ"]')
    assert page.locator('[data-legend="differ"]').is_visible()
    assert not page.locator('[data-legend="classes"]').is_visible()
    page.check('input[value="none"]')
    assert not page.locator('[data-legend="differ"]').is_visible()
    page.uncheck('input[value="schools"]')
    assert page.locator(".leaflet-marker-icon.school").count() == 0


def test_hotspot_opens_with_its_reasons(visit, plan):
    """A hotspot in the list opens on the map with place, reasons and how sure they are."""
    page = visit.page
    page.click("#hotspots summary")
    page.click('[data-hotspot="H1"] > .place')
    text = page.locator(".leaflet-popup-content").inner_text()
    row = plan.hotspots.iloc[0]
    assert f"H1: {row['place']}" in text
    assert all(reason in text for reason in describe_reasons(read_reasons(row["reasons"])))
    assert describe_certainty(plan.area, plan.risk, plan.hotspots)[0] in text


def test_empty_plan_is_a_map_of_streets(open_page, plan):
    """Without any patrol or hotspot the page still opens, shows the streets and says so."""
    bare = replace(plan, patrols=(), hotspots=plan.hotspots.iloc[:0])
    page = open_page(render_map(bare)).page
    assert "This plan has no patrols" in page.locator("#stops").inner_text()
    assert _drawn(page, "ground") > 5000


def test_hostile_names_arrive_as_text(open_page, plan):
    """In the browser a hostile name is read as written, in list, search, popup and marker."""
    why = (ReportsReason(time_band=None, factors=(HOSTILE,)),)
    schools, hotspots, first = plan.area.schools.copy(), plan.hotspots.copy(), plan.patrols[0]
    schools.loc[schools.index[0], "name"] = HOSTILE
    hotspots.loc[hotspots.index[0], ["place", "reasons"]] = HOSTILE, write_reasons(why)
    tasking = Tasking(HOSTILE, HOSTILE, HOSTILE, dt.date(2026, 12, 18))
    stop = replace(first.stops[0], place=HOSTILE, why=why, tasking=tasking)
    barred = BarredPlace(point=first.point, place=HOSTILE, tasking=tasking)
    mean = replace(first, school=HOSTILE, stops=(stop, *first.stops[1:]), barred=(barred,))
    area, patrols = replace(plan.area, schools=schools), (mean, *plan.patrols[1:])
    written = render_map(replace(plan, area=area, hotspots=hotspots, patrols=patrols))
    page = open_page(written).page
    assert page.locator(".patrol:visible h2").inner_text() == HOSTILE
    assert page.locator(".patrol:visible .why").first.inner_text().endswith(HOSTILE)
    page.fill("#search", "ecole")
    assert f"School: {HOSTILE}" in page.locator("#found button").all_inner_texts()
    page.click("#hotspots summary")
    page.click('[data-hotspot="H1"] > .place')
    assert HOSTILE in page.locator(".leaflet-popup-content").inner_text()
    page.select_option("#patrol-choice", patrols[1].urn)
    assert page.get_by_label(f"{HOSTILE}: show its patrol", exact=True).count() == 1
    assert page.locator("img").count() == 0
    assert not re.search(r"[<>&\u2028\u2029]", _find_data(written.decode()))


def _outline(word):
    """The letters of a word on the screen."""
    half, rise = word["width"] / 2, word["size"] * LETTER_HEIGHT / 2
    box = shapely.box(-half, -rise, half, rise)
    box = shapely.affinity.rotate(box, word["angle"], origin=(0, 0), use_radians=True)
    return shapely.affinity.translate(box, word["x"], word["y"])


def _look(visit, network, names):
    """Names that are fully visible, and those that are listed below the map."""
    page = visit.page
    frame = page.locator("#map_patrol").bounding_box()
    sight = shapely.box(0, 0, frame["width"], frame["height"])
    words = [word for word in page.evaluate("written") if word["text"] in names]
    outlines = [_outline(word) for word in words]
    assert not [(a, b) for a, b in combinations(outlines, 2) if a.intersects(b)]
    for word in words:
        metres = network.projection.to_metres([word["longitude"]], [word["latitude"]])
        apart = shapely.distance(network.piece_lines, shapely.Point(*metres))
        is_named, is_own = network.piece_name != "", network.piece_name == word["text"]
        assert apart[is_own].min() <= apart[is_named].min() + 2 * word["pixel"], word["text"]
    shown = zip(words, outlines, strict=True)
    seen = {word["text"] for word, outline in shown if sight.contains(outline)}
    also = page.locator("#also")
    listed = also.inner_text().removeprefix(ALSO) if also.is_visible() else ""
    return seen, set(listed.split(", ")) - {""}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [(PHONE, 0.5), (DESK, 0.1)], ids=["phone", "desk"])
@pytest.mark.parametrize("area", ["demo_plan", "bloomsbury_plan"])
def test_every_walked_street_is_named_at_the_first_view(request, open_page, area, size, most):
    """Each is written where no other street is nearer, or listed below; short ones on phones."""
    plan = request.getfixturevalue(area)
    network, html = plan.area.network.walkable, render_map(plan)
    names = set(network.piece_name.astype(str)) - {""}
    for patrol in plan.patrols:
        visit = open_page(html, f"#{format_patrol_id(patrol)}", size=size, script=LISTENING)
        seen, listed = _look(visit, network, names)
        walked = {step.street for leg in patrol.legs for step in leg.steps} & names
        assert listed == walked - seen, patrol.urn
        assert len(listed) <= most * len(walked), patrol.urn
        visit.page.close()


def test_who_stays_at_the_gate_walks_no_street(open_page, demo_plan):
    """Nothing is listed for a patrol without a walk."""
    still = replace(demo_plan.patrols[0], stops=(), legs=(), variants=())
    html = render_map(replace(demo_plan, patrols=(still,)))
    assert not open_page(html).page.locator("#also").is_visible()
