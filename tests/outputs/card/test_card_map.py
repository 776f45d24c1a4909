"""The map: fits its frame, keeps the route readable, and keeps words off each other."""

import datetime as dt
import html
import io
import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pypdf
import pytest
import shapely
from hypothesis import given, settings, strategies as st
from outputs.printed import assert_labels_apart, assert_on_map, typeset_picture

from patrolplan.hotspots.reasons import ReportsReason
from patrolplan.outputs.card.card import BODY_WIDTH
from patrolplan.outputs.card.card_map import draw_patrol_map
from patrolplan.outputs.cartography.fonts import measure_text_width
from patrolplan.outputs.cartography.labels import (
    compute_corners,
    find_overlaps,
    find_places_around_point,
)
from patrolplan.outputs.cartography.legend import (
    MARGIN,
    ROW_HEIGHT,
    build_sign_entries,
    compute_strip_height,
    count_rows,
    draw_strip,
    list_signs,
)
from patrolplan.outputs.cartography.map_content import MapContent, fit_patrol_viewport
from patrolplan.outputs.cartography.page import Page, Window
from patrolplan.outputs.cartography.place_names import build_symbol_labels, find_symbols
from patrolplan.outputs.cartography.route import (
    build_arrow_heads,
    cut_pushed,
    separate_legs,
    separate_points,
)
from patrolplan.outputs.cartography.symbols import (
    FEARED_TEXT,
    KEEP_AWAY_TEXT,
    STOP_RADIUS,
    place_north_arrow,
)
from patrolplan.outputs.cartography.viewport import MIN_ROTATION_GAIN, Viewport, fit_viewport
from patrolplan.patrols.legs import Leg, Step
from patrolplan.patrols.plan import BarredPlace, Tasking

SIZE = {"width": 538.0, "height": 380.0}
MOST_BYTES = 400_000

places = st.lists(
    st.tuples(st.floats(520_000, 540_000), st.floats(170_000, 190_000)), min_size=1, max_size=12
).map(np.array)


class RecordingWindow(Window):
    """A window that also says which texts were written, from where on, and how large."""

    def __init__(self, page, place):
        super().__init__(page, place)
        self.texts = []

    def draw_text(self, text, place, style):
        """Note the text, and write it."""
        self.texts.append((text, *place[:2], style.size))
        super().draw_text(text, place, style)


@pytest.fixture(scope="module")
def drawn(demo_plan):
    """Maps of six patrols of the demo borough."""
    return [draw_patrol_map(demo_plan, patrol, **SIZE) for patrol in demo_plan.patrols[:6]]


def test_every_stop_and_leg_is_marked(demo_plan, drawn):
    """Each map shows the gate, every stop's number and a tag on each leg."""
    for patrol, picture in zip(demo_plan.patrols, drawn, strict=False):
        shown = set(picture.label_texts)
        assert {"G", *(str(row + 1) for row in range(len(patrol.stops)))} <= shown
        tags = [text for text in picture.label_texts if "\u2192" in text]
        assert len(tags) >= len(patrol.legs) - 1


def _read_words(picture):
    found = re.findall(r"<text[^>]*>(.*?)</text>", picture.svg.decode())
    return " ".join(map(html.unescape, found))


@pytest.mark.parametrize(
    "area", ["demo_plan", pytest.param("bloomsbury_plan", marks=pytest.mark.slow)]
)
def test_every_street_of_the_words_is_named(request, area):
    """Streets of directions and stops are on the map by name."""
    plan = request.getfixturevalue(area)
    streets = set(plan.area.network.walkable.piece_name) - {""}
    for patrol in plan.patrols[:6]:
        picture = draw_patrol_map(plan, patrol, **SIZE)
        said = {step.street for leg in patrol.legs for step in leg.steps}
        said |= {part for stop in patrol.stops for part in stop.place.split(" near ")}
        words = _read_words(picture)
        for name in said & streets:
            assert name in picture.label_texts
            assert name in words


def _change_stop(patrol, **fields):
    """The patrol with some fields of its first stop changed."""
    return replace(patrol, stops=(replace(patrol.stops[0], **fields), *patrol.stops[1:]))


def test_a_stop_says_that_it_is_tasked(demo_plan):
    """A stop that intelligence asks for has its own sign, which the legend explains."""
    patrol = demo_plan.patrols[2]
    stops = tuple(replace(stop, tasking=None) for stop in patrol.stops)
    plain = replace(patrol, stops=stops)
    tasking = Tasking("T", "robbery", "A", dt.date(2026, 5, 4))
    for one, count in ((plain, 0), (_change_stop(plain, tasking=tasking), 1)):
        frame = fit_patrol_viewport(demo_plan, one, 538.0, 360.0)
        content = MapContent(frame, demo_plan, one)
        assert content.markers.kinds.count("tasked") == count
        words = _read_words(draw_patrol_map(demo_plan, one, **SIZE))
        assert ("tasked stop" in words) == bool(count)


def _fear(plan, patrol, feared):
    """Plan and patrol in which pupils' reports carry only the hotspots of these names."""
    hotspots = plan.hotspots.assign(mainly_reports=plan.hotspots["hotspot"].isin(feared))
    reports = ReportsReason(time_band=None, factors=())
    stops = tuple(
        replace(stop, sees=(), why=(reports,) if stop.hotspot in feared else ())
        for stop in patrol.stops
    )
    return replace(plan, hotspots=hotspots), replace(patrol, stops=stops)


def test_feared_places_have_their_sign(demo_plan):
    """If reports are a reason of a stop, a bubble is at its stretch; otherwise there is none."""
    patrol = demo_plan.patrols[4]
    stop = patrol.stops[1]
    for feared in ((), (stop.hotspot,)):
        plan, one = _fear(demo_plan, patrol, feared)
        picture = draw_patrol_map(plan, one, **SIZE)
        assert picture.label_texts.count(FEARED_TEXT) == len(feared)
        assert ("pupils feel unsafe" in _read_words(picture)) == bool(feared)
    stretch = demo_plan.hotspots.set_index("hotspot").geometry[stop.hotspot]
    [sign] = picture.viewport.to_metres(
        picture.label_boxes[[picture.label_texts.index(FEARED_TEXT)], :2]
    )
    metres = picture.viewport.metres_per_point
    assert stretch.distance(shapely.Point(sign)) < 30 * metres


def test_map_is_vector_and_small_and_its_words_stay_text(drawn):
    """A map holds no picture of dots, stays under 400 kB, and its names can be searched."""
    pdf = typeset_picture(drawn[0].svg)
    assert len(pdf) < MOST_BYTES
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    assert not page.images
    words = page.extract_text()
    assert "last leg" in words
    assert "priority street" in words
    assert float(page.mediabox.height) == pytest.approx(SIZE["height"], abs=0.1)


def _barred(patrol, east, place_id="T"):
    """A place to keep away from, `east` metres from the patrol's easternmost place."""
    line = np.vstack([(patrol.x, patrol.y), *(leg.line for leg in patrol.legs)])
    x, y = line[np.argmax(line[:, 0])]
    tasking = Tasking(place_id, "crime scene", "A", dt.date(2026, 5, 4))
    return BarredPlace(point=(x + east, y), place="Mill Lane", tasking=tasking)


def test_places_to_keep_away_from_are_crosses_on_the_map(demo_plan):
    """A place near the route is a cross on the map and in the legend, and no words touch it."""
    patrol = demo_plan.patrols[2]
    patrol = replace(patrol, keep_away=(_barred(patrol, 240.0),))
    picture = draw_patrol_map(demo_plan, patrol, **SIZE)
    assert picture.label_texts.count(KEEP_AWAY_TEXT) == 1
    cross = picture.label_texts.index(KEEP_AWAY_TEXT)
    assert_on_map(picture.viewport, picture.label_boxes[[cross]])
    assert_labels_apart(picture)
    assert "keep away" in _read_words(picture)


def test_a_cross_and_a_stop_do_not_hide_each_other(demo_plan):
    """A place to keep away from at a stop's own corner stays in place; the stop's sign moves."""
    patrol = demo_plan.patrols[2]
    stop = patrol.stops[0]
    barred = replace(_barred(patrol, 0.0), point=(stop.x + 1.0, stop.y))
    patrol = replace(patrol, keep_away=(barred,))
    scene = MapContent(fit_patrol_viewport(demo_plan, patrol, 538.0, 360.0), demo_plan, patrol)
    assert scene.markers.texts[:3] == ["G", KEEP_AWAY_TEXT, "1"]
    assert scene.markers.centres[1].tolist() == scene.markers.true_points[1].tolist()
    assert np.hypot(*(scene.markers.centres[2] - scene.markers.centres[1])) > 2 * STOP_RADIUS


def test_a_name_stands_by_a_sign_that_is_seen():
    """Of two bus stops of one name the visible one is named; with none visible, neither is."""
    frame = Viewport(500.0, 300.0, 250.0, 150.0, 1.0)
    shapes = shapely.points([(100, 100), (300, 200)])
    features = gpd.GeoDataFrame({"kind": ["bus_stop"] * 2, "name": "Mill Lane"}, geometry=shapes)
    near, far = (shapely.Point(x, y).buffer(STOP_RADIUS) for x, y in ((105, 100), (302, 200)))
    stops = find_symbols(features, frame, "bus_stop")
    [first] = build_symbol_labels("bus_stop", *stops, covered=shapely.Point())
    [second] = build_symbol_labels("bus_stop", *stops, covered=near)
    assert np.hypot(*(first.boxes[:, :2] - (100, 100)).T).min() < 40
    assert np.hypot(*(second.boxes[:, :2] - (300, 200)).T).min() < 40
    assert not build_symbol_labels("bus_stop", *stops, covered=near | far)


def test_the_fullest_legend_fits():
    """With every sign and at any scale, the strip holds all its words."""
    shown = [kind for kind, *_ in list_signs()]
    for scale in (0.8, 1.85, 3.7, 5.0, 9.1, 19.0):
        frame = Viewport(BODY_WIDTH, 300.0, 0.0, 0.0, scale)
        entries = build_sign_entries(frame, shown, way="bicycle", speed_kmh=12.0, grid_square="TQ")
        height = compute_strip_height(count_rows(entries, BODY_WIDTH))
        strip = RecordingWindow(Page(BODY_WIDTH, height), (0.0, 0.0, BODY_WIDTH, height))
        draw_strip(strip, entries, BODY_WIDTH, height)
        assert {entry.text for entry in entries} <= {text for text, *_ in strip.texts}
        for text, x, y, size in strip.texts:
            assert x + measure_text_width(text, size) <= BODY_WIDTH
            assert MARGIN <= y <= height - ROW_HEIGHT / 2


@given(places)
@settings(max_examples=100, deadline=None)
def test_all_content_is_inside_the_frame(content):
    """All places are on the map with a margin, wherever they are, and lead back to metres."""
    frame = fit_viewport([content], width=500.0, height=300.0, padding=30.0)
    points = frame.to_page(content)
    assert (points >= 30 - 1e-6).all()
    assert (points <= np.array([470, 270]) + 1e-6).all()
    np.testing.assert_allclose(frame.to_metres(points), content, atol=1e-3)


def test_map_is_turned_only_where_it_gains_much():
    """A route across the short side turns the map; one that fits north-up leaves it."""
    tall = np.array([[0.0, 0.0], [0.0, 3000.0]])
    wide = np.array([[0.0, 0.0], [3000.0, 0.0]])
    assert fit_viewport([wide], width=500.0, height=300.0).rotation_degrees == 0
    turned = fit_viewport([tall], width=500.0, height=300.0)
    assert turned.rotation_degrees != 0
    assert 3000 / 232 / turned.metres_per_point >= MIN_ROTATION_GAIN


def test_north_arrow_gives_way_to_signs():
    """The north arrow takes another corner where a sign stands in its own."""
    frame = Viewport(500.0, 300.0, 0.0, 0.0, 1.0)
    nothing = np.empty((0, 5))
    assert place_north_arrow(frame, nothing)[0, :2].tolist() == [481.0, 281.0]
    sign = np.array([[470.0, 270.0, 20.0, 20.0, 0.0]])
    assert place_north_arrow(frame, sign)[0, :2].tolist() == [19.0, 281.0]
    turned = Viewport(500.0, 300.0, 0.0, 0.0, 1.0, rotation_degrees=40.0)
    for marks in (nothing, sign):
        box = place_north_arrow(turned, marks)
        assert_on_map(turned, box)
        assert not find_overlaps(box, marks).any()


def test_a_long_name_slides_along_a_sign_at_the_edge():
    """Next to a sign at the edge, some place for a long label is entirely on the map."""
    boxes, cost = find_places_around_point(
        20.0, 150.0, (120.0, 10.0), radius=9.0, extra_distances=(), slide_distances=(0.0,)
    )
    left = compute_corners(boxes)[..., 0].min(axis=1)
    assert (left >= 0).any()
    assert (cost >= 20).all()
    assert not find_overlaps(boxes, np.array([[20.0, 150.0, 17.0, 17.0, 0.0]])).any()


def test_pushed_parts_are_cut_from_the_line():
    """A part where the bicycle is pushed is drawn over its part of the leg's line."""
    steps = (Step("head east", "A", 150, "ride"), Step("left", "B", 50, "push"))
    line = np.array([[0.0, 0.0], [200.0, 0.0]])
    leg = Leg(
        metres=200,
        moving_minutes=1,
        unlit_metres=0.0,
        lighting_unknown_metres=0.0,
        steps=steps,
        line=line,
        pieces=np.arange(1),
    )
    [strand] = separate_legs([leg.line])
    [part] = cut_pushed(leg, strand)
    np.testing.assert_allclose(part[[0, -1], 0], [150, 200], atol=2.1)


def test_frame_moves_towards_the_streets():
    """Where the area ends, the window is moved in, but never off the content."""
    content = np.array([[0.0, 0.0], [1000.0, 0.0]])
    frame = fit_viewport(
        [content], width=500.0, height=300.0, street_bounds=(-500, -2000, 1500, 50)
    )
    assert frame.centre_y < -100
    assert (frame.to_page(content)[:, 1] <= 300 - 34 + 1e-6).all()


def test_there_and_back_are_two_lines():
    """A street walked both ways shows two lines, each to the right of its own heading."""
    out = np.array([[0.0, 0.0], [200.0, 0.0]])
    onward, back = separate_legs([out, out[::-1]])
    assert (onward.line[:, 1] < -1.5).all()
    assert (back.line[:, 1] > 1.5).all()


def test_every_leg_has_an_arrow():
    """Short legs get one arrow, long ones several, and they point the way that is walked."""
    drawn = separate_legs([np.array([[0.0, 0.0], [300.0, 0.0]])])
    heads = build_arrow_heads(drawn, spacing=46.0, size=9.0, clear=np.empty((0, 2)), radius=0.0)
    assert len(heads) == 7
    assert (heads[:, 0, 0] > heads[:, 1:, 0].max(axis=1)).all()


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), min_size=1, max_size=6).map(np.array)
)
@settings(max_examples=100, deadline=None)
def test_circles_do_not_touch(points):
    """Stops that nearly coincide are moved apart, the gate stays where it is."""
    moved = separate_points(points, 20.0, fixed=1)
    assert moved[0].tolist() == points[0].tolist()
    apart = np.hypot(*(moved[:, None] - moved[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 17
