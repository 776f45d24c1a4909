"""The check of cards finds nothing on plans, and finds what is taken out of them."""

import json
from copy import deepcopy

import check_cards
import numpy as np
import pytest

from patrolplan.crs import Projection
from patrolplan.inputs.streets import read_osm_streets
from patrolplan.network import build_network
from patrolplan.network.crossings import find_crossed_roads
from patrolplan.network.names import label_streets
from patrolplan.network.paths import WalkFinder
from patrolplan.outputs.card.card import render_cards
from patrolplan.patrols.directions import PieceTraits, build_leg
from patrolplan.patrols.plan import build_patrol_document
from patrolplan.tables import LeftOut

STREETS = ("bloomsbury_walk_2024-02-09.osm.pbf", "camberwell_full_2023-08.osm.gz")


@pytest.fixture(scope="module")
def documents(demo_plan):
    """The patrols of the demo as `plan.json` has them."""
    projection = demo_plan.area.projection
    patrols = [build_patrol_document(patrol, projection) for patrol in demo_plan.patrols]
    return json.loads(json.dumps(patrols))


@pytest.mark.slow
def test_directions_of_the_demo_hide_nothing(demo_plan, documents):
    """Every turn, flight, level and passage of every leg is in the directions."""
    assert check_cards.check_lines(demo_plan.area, documents) == []
    lines = [
        one for patrol in documents for _, one in check_cards.read_lines(demo_plan.area, patrol)
    ]
    assert sum(len(check_cards.find_corners(line)) for line in lines) > 50


def test_a_turn_that_is_taken_out_is_found(demo_plan, documents):
    """Of directions that join two streets as one, or name the other side."""
    for change in (_swap_sides, _join_first_turn):
        spoilt = deepcopy(documents)
        number = next(k for k, leg in enumerate(spoilt[0]["legs"]) if len(leg["directions"]) > 1)
        leg = spoilt[0]["legs"][number]
        leg["directions"] = change(leg["directions"])
        found = check_cards.check_lines(demo_plan.area, spoilt)
        assert {(one.kind, one.card, one.leg) for one in found} == {
            ("turns", spoilt[0]["urn"], number)
        }


def _swap_sides(steps):
    other = {"left": "right", "right": "left"}
    return [{**step, "turn": other.get(step["turn"], step["turn"])} for step in steps]


def _join_first_turn(steps):
    """The first two of the directions that turn at once, as one along the first street."""
    row = next(k for k, step in enumerate(steps) if step["turn"] in {"left", "right"})
    one = {**steps[row - 1], "metres": steps[row - 1]["metres"] + steps[row]["metres"]}
    return [*steps[: row - 1], one, *steps[row + 1 :]]


def test_a_street_that_is_not_on_the_map_is_found(demo_plan, documents, tmp_path):
    """Names are looked for in the words of the map alone, not in those of the directions."""
    few = demo_plan.patrols[:1]
    (tmp_path / "cards").mkdir()
    for name, content in render_cards(demo_plan, patrols=few).items():
        (tmp_path / name).write_bytes(content)
    assert check_cards.check_names(tmp_path, documents[:1]) == []
    spoilt = deepcopy(documents[:1])
    spoilt[0]["legs"][0]["streets"].append("Nowhere Street")
    found = check_cards.check_names(tmp_path, spoilt)
    assert [one.what for one in found] == ["Nowhere Street"]


def _draw_walks(network, areas, seed):
    """Walks between places drawn within 500 m of each other, with the labels of their pieces."""
    rng, labels = np.random.default_rng(seed), label_streets(network)
    for _ in range(areas):
        centre = network.piece_middle[rng.integers(len(network))]
        near = network.find_pieces_within(centre, 500)
        part = network.take(near)
        places = part.middles(rng.choice(len(part), min(7, len(part)), replace=False))
        walks = WalkFinder(part, places)
        traits = PieceTraits.from_network(network, labels, near)
        for start in range(len(places)):
            for end in range(start + 1, len(places)):
                if 30 < walks.metres[start, end] < np.inf:
                    yield walks.find_shortest(start, end), traits


def _describe_step(step):
    return {
        "turn": step.turn,
        "street": step.street,
        "metres": round(step.metres),
        "flight": step.flight,
        "level": step.level,
        "passage": step.passage,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", STREETS)
def test_directions_on_real_streets_hide_nothing(shared, name):
    """On hundreds of drawn walks and back, over streets that no patrol was planned on."""
    path, projection = shared / "data" / "streets" / name, Projection()
    streets = read_osm_streets(path, projection, LeftOut())
    network = build_network(streets, projection, LeftOut()).walkable
    corners, hidden = 0, []
    for walk, traits in _draw_walks(network, 20, seed=4):
        for way in (walk, walk.reversed_walk):
            leg = build_leg(way, traits, 80.0, crossed=find_crossed_roads(way))
            steps = [_describe_step(step) for step in leg.steps]
            line = check_cards.match_line(network, leg.line, steps)
            corners += len(check_cards.find_corners(line))
            hidden += [
                (kind, line.point(at).round().tolist(), what)
                for kind, find in check_cards.LINE_CHECKS.items()
                for at, what in find(network, line)
            ]
    assert corners > 1000
    assert hidden == []


@pytest.mark.slow
def test_directions_of_bloomsbury_hide_nothing(bloomsbury_plan):
    """Every leg of every patrol there."""
    area = bloomsbury_plan.area
    patrols = [build_patrol_document(one, area.projection) for one in bloomsbury_plan.patrols]
    assert check_cards.check_lines(area, patrols) == []
