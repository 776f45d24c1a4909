"""`StudyArea`: every row left out is counted, and equal inputs give equal areas."""

import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings as limits, strategies as st

import patrolplan as pp
from patrolplan.notes import list_texts
from patrolplan.settings import parse_settings

HEADER = "Crime ID,Month,Reported by,Longitude,Latitude,Crime type"
STREETS = """<osm version='0.6'>
<node id='1' version='1' lon='-0.1300' lat='51.5200'/>
<node id='2' version='1' lon='-0.1260' lat='51.5200'/>
<node id='3' version='1' lon='-0.1260' lat='51.5220'/>
<way id='5' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/>
<tag k='highway' v='residential'/><tag k='name' v='Mill Lane'/></way>
</osm>"""


@pytest.fixture(scope="session")
def village(tmp_path_factory):
    """One street, one school: an area as small as can be."""
    folder = tmp_path_factory.mktemp("village")
    (folder / "x.osm").write_text(STREETS, encoding="utf-8")
    (folder / "s.csv").write_text(
        "URN,EstablishmentName,Longitude,Latitude\n1,Mill School,-0.128,51.5201\n", encoding="utf-8"
    )
    (folder / "c.csv").write_text(f"{HEADER}\n1,2024-05,Met,-0.128,51.52,Robbery\n", "utf-8")
    return folder


def _area(folder, **sections):
    sources = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    sources |= sections.pop("sources", {})
    return pp.load_area(parse_settings({"sources": sources} | sections, folder=folder))


def _count(area, source):
    return sum(row.count for row in area.left_out if row.source == source)


REPORT = st.tuples(
    st.sampled_from(["R1", "R2", "R3", "R4", "R5", "R6"]),
    st.sampled_from(["2024-05-01", "2024-02-30"]),
    st.sampled_from(["lunch", "noon"]),
    st.sampled_from(["-0.128,51.52", "-0.1262,51.5219", ",", "0,0", "51.52,-0.128", "2.35,48.85"]),
)


@limits(max_examples=15)
@given(st.lists(REPORT, max_size=14))
def test_every_report_is_grouped_or_counted(village, rows):
    """Reports that were read are, except for the rounding of groups, grouped or left out."""
    header = "report_id,reported_on,time_band,place_factor,behaviour_factor,longitude,latitude"
    lines = [header, *(f"{i},{day},{band},none,none,{place}" for i, day, band, place in rows)]
    (village / "r.csv").write_text("\n".join(lines), encoding="utf-8")
    area = _area(
        village, sources={"reports": "r.csv"}, privacy={"threshold": 3, "reason": "a test"}
    )
    lost = _count(area, "reports")
    grouped = int(area.reports.counts.sum())
    reasons = sum(row.source == "reports" for row in area.left_out)
    assert 0 <= len(rows) - lost - grouped <= 2 * (len(area.reports) + reasons)
    assert all(row.shown_from == 3 for row in area.left_out if row.source == "reports")


def _same_way_home(one, other):
    for name, value in vars(one).items():
        pd.testing.assert_frame_equal(pd.DataFrame(value), pd.DataFrame(getattr(other, name)))


def _same(one, other):
    _same_way_home(one.way_home, other.way_home)
    for name, value in vars(one).items():
        if name in {"network", "catchments", "gates", "reports", "exposure", "way_home"}:
            continue
        if isinstance(value, gpd.GeoDataFrame | pd.DataFrame):
            pd.testing.assert_frame_equal(pd.DataFrame(value), pd.DataFrame(getattr(other, name)))
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(other, name))
        elif name == "settings":
            assert value.model_dump() == other.settings.model_dump()
        else:
            assert value == getattr(other, name), name
    assert one.reports.reasons == other.reports.reasons
    for room in ("catchments", "gates", "reports", "exposure"):
        for name, value in vars(getattr(one, room)).items():
            if name == "reasons" or isinstance(value, dict):  # a cache of results
                continue
            np.testing.assert_array_equal(value, getattr(getattr(other, room), name))
    for name in ("node_xy", "piece_nodes", "piece_metres", "piece_name"):
        np.testing.assert_array_equal(getattr(one.network, name), getattr(other.network, name))


def test_every_input_has_its_digest(demo_area, village):
    """Each file has its own digest, also two with the same name, and the boundary."""
    assert len(demo_area.inputs) == 48 + 9
    for folder in ("a", "b"):
        (village / folder).mkdir(exist_ok=True)
        (village / folder / "c.csv").write_text(
            f"{HEADER}\n{folder},2024-05,Met,-0.128,51.52,Robbery\n", encoding="utf-8"
        )
    gpd.GeoSeries.from_wkt(
        ["POLYGON ((-0.2 51.5, -0.1 51.5, -0.1 51.6, -0.2 51.6, -0.2 51.5))"], crs="EPSG:4326"
    ).to_file(village / "edge.geojson")
    area = _area(village, sources={"crimes": "*/c.csv"}, area={"boundary": "edge.geojson"})
    assert list(area.inputs) == [
        "crimes: a/c.csv",
        "crimes: b/c.csv",
        "schools: s.csv",
        "streets: x.osm",
        "boundary: edge.geojson",
    ]
    assert len(set(area.inputs.values())) == 5


def test_gate_is_the_nearest_street_unless_one_is_given(village):
    """Without a gate the nearest street is used and noted; a given gate stays where it is."""
    area = _area(village)
    assert area.schools["gate_assumed"].tolist() == [True]
    assert "1 of 1 school has no gate: the nearest walkable street is used." in list_texts(
        area.notes
    )
    assert area.gates.moved_metres[0] == pytest.approx(11.1, abs=0.2)
    (village / "g.csv").write_text("urn,longitude,latitude\n1,-0.126,51.5219\n", "utf-8")
    gated = _area(village, sources={"gates": "g.csv"})
    assert gated.schools["gate_assumed"].tolist() == [False]
    assert gated.gates.moved_metres[0] < 1
    assert gated.network.xy(gated.gates)[0, 1] > area.network.xy(area.gates)[0, 1] + 100


def test_crimes_far_from_any_street_are_counted(village):
    """A crime inside the bounds but far from every street is left out and counted."""
    (village / "far_crimes.csv").write_text(
        f"{HEADER}\n1,2024-05,Met,-0.128,51.52,Robbery\n2,2024-05,Met,-0.128,51.54,Robbery\n",
        encoding="utf-8",
    )
    area = _area(
        village, sources={"crimes": "far_crimes.csv"}, area={"bounds": [-0.14, 51.51, -0.11, 51.55]}
    )
    assert len(area.incidents) == 1
    assert [str(row) for row in area.left_out] == ["crimes: 1 left out, no walkable street near"]


def test_nothing_of_a_forces_own_extract_is_cached(village, tmp_path, monkeypatch):
    """Where crimes have times of day, only streets are cached for the next run."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    (village / "own.csv").write_text(
        "date_time,category,longitude,latitude\n2024-05-03 15:40,Robbery,-0.1279,51.5201\n",
        encoding="utf-8",
    )
    columns = {"crimes": {"category": "category"}}
    area = _area(village, sources={"crimes": "own.csv"}, columns=columns)
    assert not area.snapped
    cached = {path.name.split("-")[0] for path in tmp_path.iterdir()}
    assert cached == {"arrays", "streets"}
    assert len(list((tmp_path / "arrays").iterdir())) == 1  # the network


def test_only_what_is_named_changes(demo_area):
    """The other settings, and everything that was read, stay as they are."""
    changed = pp.with_settings(
        demo_area, patrol={"dwell_minutes": 20}, hotspots={"method": "dbscan"}
    )
    assert changed.settings.patrol.dwell_minutes == 20
    assert changed.settings.hotspots.method == "dbscan"
    assert changed.settings.patrol.gate_minutes == demo_area.settings.patrol.gate_minutes
    assert changed.incidents is demo_area.incidents
    assert changed.settings.folder == demo_area.settings.folder


def test_a_gate_moves_to_the_nearest_street(demo_area):
    """Only that school's patrols start elsewhere, and the place counts as known."""
    row = int(np.flatnonzero(demo_area.schools["gate_assumed"])[0])
    urn = demo_area.schools["urn"][row]
    target = demo_area.network.node_xy[100]
    x, y = demo_area.projection.to_degrees(*target[:, None])
    moved = pp.with_gate(demo_area, urn, float(x[0]), float(y[0]))
    where = moved.network.xy(moved.gates)
    assert np.hypot(*(where[row] - target)) < 1
    others = np.arange(len(where)) != row
    assert np.array_equal(where[others], demo_area.network.xy(demo_area.gates)[others])
    assert not moved.schools["gate_assumed"][row]
    assert (
        np.hypot(
            moved.schools.geometry[row].x - target[0], moved.schools.geometry[row].y - target[1]
        )
        < 1
    )


def test_what_cannot_change_is_not_touched(demo_area):
    """A ledger's password is masked on the way through the check, and must stay."""
    url = "postgresql://lead:s3cr3t@host/doses"
    settings = demo_area.settings
    ledger = settings.ledger.model_copy(update={"url": url})
    area = replace(demo_area, settings=settings.model_copy(update={"ledger": ledger}))
    changed = pp.with_settings(area, seed=5).settings
    assert (changed.seed, changed.ledger.url, changed.file) == (5, url, settings.file)


def test_area_does_not_depend_on_where_it_lies(demo, demo_area, tmp_path):
    """A copy of the files in another folder gives the same area in every part, names included."""
    shutil.copytree(demo.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("*.py*"))
    _same(pp.load_area(tmp_path / "copy" / demo.name), demo_area)
