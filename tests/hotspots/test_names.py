"""Names of hotspots: new numbers, or those that the same places had in an earlier plan."""

import dataclasses
import tomllib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.area import compute_input_digests
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.hotspots.names import MIN_SHARED, NEAR_METRES, list_former_hotspots, name_hotspots
from patrolplan.inputs.earlier_hotspots import (
    digest_hotspots,
    note_earlier_plan,
    read_earlier_hotspots,
)
from patrolplan.outputs.frames import frame_hotspots
from patrolplan.outputs.geopackage import write_layers
from patrolplan.settings import parse_settings

BNG = "EPSG:27700"


def _name_slowly(lines, earlier):
    """Of all pairs the one that shares most is matched, until none is left that shares enough."""
    shared = {}
    for row, line in enumerate(lines):
        for other, before in enumerate(earlier):
            one = line.intersection(before.buffer(NEAR_METRES)).length
            two = before.intersection(line.buffer(NEAR_METRES)).length
            if min(one, two) >= MIN_SHARED * min(line.length, before.length):
                shared[row, other] = round(min(one, two), 2)
    names = {}
    while shared:
        row, other = min(shared, key=lambda pair: (-shared[pair], pair))
        names[row] = earlier.index[other]
        shared = {pair: n for pair, n in shared.items() if pair[0] != row and pair[1] != other}
    number = max(int(name[1:]) for name in earlier.index)
    for row in range(len(lines)):
        if row not in names:
            number += 1
            names[row] = f"H{number}"
    return [names[row] for row in range(len(lines))]


def _draw_stretches(rng, count):
    """Stretches along a few parallel streets, a little off them."""
    street = 100 * rng.integers(0, 3, count) + rng.uniform(-4, 4, count)
    start, metres = 50 * rng.integers(0, 8, count), 30 * rng.integers(1, 9, count)
    ends = np.stack([np.stack([start, street], -1), np.stack([start + metres, street], -1)], 1)
    return shapely.linestrings(ends)


@given(st.integers(0, 2**32), st.integers(0, 8), st.integers(1, 8))
def test_names_are_those_of_matching_pair_after_pair(seed, count, before):
    """The quick matching gives the names of a plain search over all pairs; none is given twice."""
    rng = np.random.default_rng(seed)
    names = [f"H{number}" for number in rng.permutation(99)[:before] + 1]
    earlier = gpd.GeoSeries(_draw_stretches(rng, before), index=names)
    lines = _draw_stretches(rng, count)
    found = name_hotspots(lines, earlier)
    assert found == _name_slowly(lines, earlier)
    assert len(set(found)) == len(found)
    new = [int(name[1:]) for name in found if name not in names]
    assert all(number > max(int(name[1:]) for name in names) for number in new)


def _carry(lines, earlier):
    """Names of a month's stretches, and what its plan hands on to the next one."""
    names = name_hotspots(lines, earlier)
    spots = gpd.GeoDataFrame({"hotspot": names}, geometry=lines, crs=BNG)
    former = list_former_hotspots(spots, earlier)
    assert not set(former["hotspot"]) & set(names)
    return names, gpd.GeoSeries(
        [*lines, *former.geometry], index=[*names, *former["hotspot"]], crs=BNG
    )


@given(st.integers(0, 2**32), st.lists(st.integers(1, 8), min_size=2, max_size=5))
def test_a_name_belongs_to_a_place_for_good(seed, counts):
    """Planned twice, a month has the same names; a new place has none that any month ever gave."""
    rng = np.random.default_rng(seed)
    earlier, given_out = None, set()
    for count in counts:
        lines = _draw_stretches(rng, count)
        names, after = _carry(lines, earlier)
        again, same = _carry(lines, after)
        assert again == names
        assert digest_hotspots(same) == digest_hotspots(after)
        earlier_names = set() if earlier is None else set(earlier.index)
        assert earlier_names == given_out
        assert not (set(names) - earlier_names) & given_out
        given_out |= set(names)
        earlier = after


def test_a_place_that_returns_has_its_own_name():
    """A month without a place retires its name, which nothing else has until it returns."""
    here, there, new = shapely.linestrings([[[0, y], [90, y]] for y in (0, 500, 900)])
    _, plan = _carry([here, there], None)
    names, plan = _carry([there], plan)
    assert (names, plan.index.tolist()) == (["H2"], ["H2", "H1"])
    names, plan = _carry([new, there], plan)
    assert (names, plan.index.tolist()) == (["H3", "H2"], ["H3", "H2", "H1"])
    assert _carry([here, new], plan)[0] == ["H1", "H3"]


def _area(demo, months, **hotspots):
    """The demo with its crime up to a month, planned on prior counts."""
    text = (demo.parent / "patrolplan.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    held = sorted(path.name for path in (demo.parent / "crimes").iterdir())[:months]
    data["sources"]["crimes"] = [f"crimes/{month}/*-street.csv" for month in held]
    data |= {"risk": {"model": "prior"}, "hotspots": hotspots}
    data["accept"] = {"report_dates": "reports are later than these crimes"}
    return pp.load_area(parse_settings(data, folder=demo.parent))


@pytest.fixture(scope="module")
def months(demo, tmp_path_factory):
    """Hotspots of a month, the file they are in, and the area and risk of the next month."""
    folder = tmp_path_factory.mktemp("earlier")
    area = _area(demo, -1)
    risk = pp.estimate_risk(area)
    before = pp.find_hotspots(area, risk)
    write_layers(folder / "plan.gpkg", {"hotspots": frame_hotspots(area, risk, before)})
    later = _area(demo, None, earlier=str(folder))
    return before, folder / "plan.gpkg", later


def _count_persisting(before, after):
    """How many stretches share half of the shorter with one before, and how many have its name."""
    persisting = same = 0
    of_piece = {piece: row for row, pieces in enumerate(before["pieces"]) for piece in pieces}
    for name, pieces in zip(after["hotspot"], after["pieces"], strict=True):
        rows = [of_piece[piece] for piece in pieces if piece in of_piece]
        most = max(set(rows), key=rows.count) if rows else -1
        if rows and 2 * rows.count(most) >= min(len(pieces), len(before["pieces"].iloc[most])):
            persisting += 1
            same += name == before["hotspot"].iloc[most]
    return persisting, same


def test_places_keep_their_names_from_month_to_month(months):
    """Of stretches that stay from one month to the next, four in five or more have their name."""
    before, _, area = months
    risk = pp.estimate_risk(area)
    after = pp.find_hotspots(area, risk)
    persisting, same = _count_persisting(before, after)
    assert persisting > 50
    assert same >= 0.8 * persisting
    plain = pp.find_hotspots(dataclasses.replace(area, earlier_hotspots=None), risk)
    assert plain["hotspot"].tolist() == [f"H{number}" for number in range(1, len(plain) + 1)]
    assert _count_persisting(before, plain)[1] < 0.5 * persisting
    columns = [name for name in after.columns if name != "hotspot"]
    assert after[columns].equals(plain[columns])
    highest = max(int(name[1:]) for name in before["hotspot"])
    new = set(after["hotspot"]) - set(before["hotspot"])
    assert new
    assert min(int(name[1:]) for name in new) > highest


def test_the_earlier_file_is_an_input(months):
    """Its names and lines are among the inputs of the area; its other columns are not."""
    _, path, area = months
    (name,) = [name for name in area.inputs if name.startswith("earlier hotspots: ")]
    content, frame = path.read_bytes(), gpd.read_file(path, layer="hotspots")
    try:
        found = []
        for changed in (frame.assign(worth=0.5), frame[1:]):
            path.unlink()
            write_layers(path, {"hotspots": changed})
            given = compute_input_digests(area.settings, area.reports, duties=area.duties)
            found.append(given)
    finally:
        path.write_bytes(content)
    assert found[0] == area.inputs
    assert found[1].pop(name) != area.inputs[name]
    assert found[1] == {key: value for key, value in area.inputs.items() if key != name}


def _layer(**columns):
    line = shapely.linestrings([[530_000, 180_000], [530_090, 180_000]])
    return gpd.GeoDataFrame({"hotspot": ["H1"], "geometry": [line]} | columns, crs=BNG)


POINT = [shapely.Point(530_000, 180_000)]


@pytest.mark.parametrize(
    ("layers", "what"),
    [
        (None, "the file does not exist"),
        (b"{}", "is not a GeoPackage"),
        (b"SQLite format 3\0 and then nothing", "cannot be read"),
        ({"roads": _layer()}, r"has no layer 'hotspots' \(its layers: roads"),
        ({"hotspots": _layer().drop(columns="hotspot")}, "has no column 'hotspot'"),
        ({"hotspots": _layer(hotspot=["<b>1"])}, "'<b>1' is not the name of a hotspot"),
        ({"hotspots": _layer(hotspot=[None])}, "is not the name of a hotspot"),
        ({"hotspots": _layer(geometry=POINT)}, "H1 is not a line along streets"),
        ({"hotspots": pd.concat([_layer(), _layer()])}, "two hotspots have the name H1"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(tmp_path, area_settings, layers, what):
    """Whatever is wrong with the earlier plan, the message names the file and the key."""
    path = tmp_path / "plan.gpkg"
    if isinstance(layers, bytes):
        path.write_bytes(layers)
    elif layers is not None:
        write_layers(path, layers)
    settings = area_settings(earlier="plan.gpkg")
    with pytest.raises(InputError, match=what) as error:
        read_earlier_hotspots(settings, Projection(BNG))
    assert str(error.value).startswith(str(path))
    assert str(error.value).count("[hotspots] earlier") == 1


@pytest.fixture
def area_settings(tmp_path):
    """What makes settings in a folder."""

    def make(**hotspots):
        sources = {"crimes": "c", "schools": "s", "streets": "o"}
        return parse_settings({"sources": sources, "hotspots": hotspots}, folder=tmp_path)

    return make


def test_former_hotspots_follow_and_names_of_a_force_are_passed_over(tmp_path, area_settings):
    """Both layers are read, the last plan's first; a force's own places have names of their own."""
    path = tmp_path / "plan.gpkg"
    force = pd.concat([_layer(hotspot=[name], kind=["designated"]) for name in ("HO-12", "H1")])
    former = _layer(hotspot=["H7"])
    write_layers(
        path, {"hotspots": pd.concat([force, _layer(kind=["hotspot"])]), "former_hotspots": former}
    )
    lines = read_earlier_hotspots(area_settings(earlier="plan.gpkg"), Projection(BNG))
    assert lines.index.tolist() == ["H1", "H7"]
    path.unlink()
    write_layers(path, {"hotspots": _layer(), "former_hotspots": _layer()})
    with pytest.raises(InputError, match="two hotspots have the name H1"):
        read_earlier_hotspots(area_settings(earlier="plan.gpkg"), Projection(BNG))


def test_a_plan_that_does_not_exist_yet_is_a_note(tmp_path, area_settings):
    """A folder without a plan is announced, and names nothing; a file that is named must exist."""
    settings = area_settings(earlier="plan")
    (note,) = note_earlier_plan(settings)
    assert pp.describe_note(note) == (
        "No earlier plan in 'plan' yet ([hotspots] earlier): hotspots are numbered from H1."
    )
    assert read_earlier_hotspots(settings, Projection(BNG)) is None
    (tmp_path / "plan").mkdir()
    write_layers(tmp_path / "plan" / "plan.gpkg", {"hotspots": _layer()})
    assert note_earlier_plan(settings) == []
    assert len(read_earlier_hotspots(settings, Projection(BNG))) == 1
