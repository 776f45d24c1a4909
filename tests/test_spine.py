"""From files to a written plan, recomputed by code that shares nothing with the package."""

import gzip
import json
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
import shapely
from patrols.recount import Papers, read_minutes
from pyproj import Transformer

import patrolplan as pp

TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)


@pytest.fixture(scope="module")
def demo_pack(demo_plan, tmp_path_factory):
    """The demo borough's pack, written once."""
    return pp.write_pack(demo_plan, tmp_path_factory.mktemp("pack") / "demo")


@pytest.fixture(scope="module")
def bloomsbury_pack(bloomsbury_plan, tmp_path_factory):
    """The pack of the six Bloomsbury schools, written once."""
    return pp.write_pack(bloomsbury_plan, tmp_path_factory.mktemp("pack") / "bloomsbury")


def _plan(pack):
    return json.loads((pack / "plan.json").read_text(encoding="utf-8"))


def _street_segments(path):
    """Every segment of every way with a highway tag, straight from the XML, in metres."""
    with gzip.open(path) as stream:
        root = ET.parse(stream).getroot()
    nodes = {one.get("id"): one for one in root.iter("node")}
    places = {name: (float(one.get("lon")), float(one.get("lat"))) for name, one in nodes.items()}
    pairs = [
        (places[a.get("ref")], places[b.get("ref")])
        for way in root.iter("way")
        if any(tag.get("k") == "highway" for tag in way.iter("tag"))
        for a, b in pairwise(way.iter("nd"))
        if a.get("ref") in places and b.get("ref") in places
    ]
    ends = np.array(pairs)
    x, y = TO_METRES.transform(ends[..., 0], ends[..., 1])
    return shapely.linestrings(np.stack([x, y], axis=-1))


def _check_legs_lie_on_streets(plan, segments):
    tree = shapely.STRtree(segments)
    for patrol in plan["patrols"]:
        for leg in patrol["legs"]:
            line = np.column_stack(TO_METRES.transform(*np.array(leg["line"]).T))
            steps = shapely.linestrings(np.stack([line[:-1], line[1:]], axis=1))
            step, found = tree.query(steps, predicate="dwithin", distance=0.3)
            starts, ends = shapely.points(line[:-1])[step], shapely.points(line[1:])[step]
            far = [shapely.distance(one, segments[found]) for one in (starts, ends)]
            assert set(step[np.max(far, axis=0) < 0.3]) == set(range(len(steps)))
            metres = np.hypot(*np.diff(line, axis=0).T).sum()
            assert metres == pytest.approx(leg["metres"], rel=0.01, abs=1)


def _check_times_and_ends(plan):
    hotspots = {hotspot["id"]: hotspot for hotspot in plan["hotspots"]}
    for patrol in plan["patrols"]:
        stops, legs = patrol["stops"], patrol["legs"]
        assert len(legs) == (len(stops) + 1 if stops else 0)
        # One stands where the hotspot says, and of a tasking at the place itself.
        for stop in stops:
            if stop["kind"] == "hotspot" and not stop["tasked"]:
                assert stop["point"] == pytest.approx(hotspots[stop["hotspot"]]["stop"], abs=2e-6)
        gate = patrol["gate"]["point"]
        points = [gate, *(stop["point"] for stop in stops), gate]
        now = read_minutes(patrol["gate_until"])
        ways = zip(legs, pairwise(points), [*stops, None], strict=bool(legs))
        for leg, (start, end), stop in ways:
            assert leg["line"][0] == pytest.approx(start, abs=2e-6)
            assert leg["line"][-1] == pytest.approx(end, abs=2e-6)
            assert leg["minutes"] == pytest.approx(leg["metres"] / 80, abs=0.01)
            now += leg["minutes"] + leg.get("waiting_minutes", 0.0)
            if stop:
                assert read_minutes(stop["arrive"]) == pytest.approx(now, abs=1.01)
                now = read_minutes(stop["leave"])
        assert now - 1.01 <= read_minutes(patrol["end"]) == read_minutes(patrol["latest_end"])
        assert sum(leg["metres"] for leg in legs) == pytest.approx(patrol["walked_metres"], abs=1)


def _check_worth(plan):
    """Stops are worth shares of the patrol in steps of 5 %, together no more than all of it."""
    for patrol in plan["patrols"]:
        worths = [stop["worth"] for stop in patrol["stops"]]
        assert all(20 * worth == pytest.approx(round(20 * worth)) for worth in worths)
        assert sum(worths) <= 1 + 0.025 * len(worths)
        assert patrol["worth"] <= patrol["bound"] + 1e-9


def test_every_demo_patrol_can_be_walked_as_written(demo_pack, demo):
    """Legs are on the demo streets, times add up, gate to gate, within the window."""
    plan = _plan(demo_pack)
    assert len(plan["patrols"]) == 12
    _check_legs_lie_on_streets(plan, _street_segments(demo.parent / "streets.osm.gz"))
    _check_times_and_ends(plan)
    _check_worth(plan)


def test_every_demo_card_is_recounted(demo_pack, demo_plan):
    """Arrival, waiting, distance and worth are those of the streets, the risk and the pupils."""
    papers = Papers(demo_pack, demo_plan.risk)
    patrols = [p for p in papers.plan["patrols"] if not any(s["tasked"] for s in p["stops"])]
    ratios = [papers.check(patrol) for patrol in patrols]
    assert len(ratios) >= 10
    # Where staying at the gate is the better of the two references, the ratio is that to it.
    assert sum(0.95 <= ratio <= 1.05 for ratio in ratios) >= 2
    assert min(ratios) > 0.2


def test_every_bloomsbury_patrol_can_be_walked_as_written(bloomsbury_pack, bloomsbury_plan, shared):
    """Legs are on the real streets, times add up, gate to gate, within the window."""
    plan = _plan(bloomsbury_pack)
    streets = shared / "data" / "streets" / "bloomsbury_walk_2024-02-09.osm.gz"
    assert len(plan["patrols"]) == 6
    _check_legs_lie_on_streets(plan, _street_segments(streets))
    _check_times_and_ends(plan)
    _check_worth(plan)
    papers = Papers(bloomsbury_pack, bloomsbury_plan.risk)
    for patrol in plan["patrols"]:
        papers.check(patrol)


def test_equal_runs_write_equal_bytes(demo_pack, demo, tmp_path):
    """The same command twice writes the same pack, byte by byte."""
    area = pp.load_area(demo)
    risk = pp.estimate_risk(area)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    again = pp.write_pack(plan, tmp_path / "again")
    names = {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    assert names == {p.relative_to(demo_pack) for p in demo_pack.rglob("*") if p.is_file()}
    for name in names:
        assert (again / name).read_bytes() == (demo_pack / name).read_bytes(), name
