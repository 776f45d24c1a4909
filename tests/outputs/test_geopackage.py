"""A plan for other programs: documents as documented, and the tables of its GeoPackage."""

import copy
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import patrolplan as pp
from patrolplan.atomic import format_json
from patrolplan.outputs.geopackage import write_layers
from patrolplan.outputs.gis.geopackage_tables import LAYERS, write_tables
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.outputs.schemas import DOCUMENTS, HarmRatio, build_schema
from patrolplan.outputs.ways_layer import build_way_layers
from patrolplan.risk.backtest import BacktestRow
from patrolplan.team.week_file import build_week_document
from patrolplan.team.week_records import Ban, HandChange, Lock

FREE = {"about", "inputs", "values", "delivered", "absent"}  # tables whose keys are not declared
CHANGES = (
    lambda part: part.update(zaphod=1),
    lambda part: part.update({next(iter(part)): {"zaphod": 1}}),
    lambda part: part.clear(),
)


@pytest.fixture(scope="module")
def document(demo_plan):
    """The plan of the demo borough as other programs read it."""
    return json.loads(format_json(build_plan_document(demo_plan)))


@pytest.fixture(scope="module")
def package(layers, tmp_path_factory):
    """The GeoPackage of the demo borough's plan."""
    path = tmp_path_factory.mktemp("gis") / "plan.gpkg"
    write_layers(path, layers)
    return path


@pytest.fixture(scope="module")
def query(package):
    """What asks the GeoPackage."""

    def ask(text):
        with closing(sqlite3.connect(package)) as database:
            return database.execute(text).fetchall()

    return ask


def test_what_carries_where_pupils_walk_is_rounded(document, layers):
    """Worth, bound and ratios of patrols and stops are in steps of 0.05 in every file."""
    shown = [layers["patrols"]["worth"], layers["patrols"]["bound"]]
    for patrol in document["patrols"]:
        shown.append([patrol["worth"], patrol["bound"]])
        shown.append([one["worth"] for one in patrol["stops"]])
        shown.append([one["worth_share"] for one in patrol["variants"]])
        shown.append([ratio for ratio in (patrol["reference"] or {}).values() if ratio is not None])
    steps = np.concatenate(shown) / 0.05
    assert np.allclose(steps, steps.round(), atol=1e-6)


def test_numbers_agree_with_each_other(document, demo_plan):
    """Directions are as long as their leg, stops worth no more than the patrol; some stand out."""
    told = ["more than chance" in hotspot["how_sure"] for hotspot in document["hotspots"]]
    reported = demo_plan.hotspots["mainly_reports"] & demo_plan.hotspots["stands_out"]
    assert document["stands_out"] == sum(told) + reported.sum()
    for patrol in document["patrols"]:
        worths = [stop["worth"] for stop in patrol["stops"]]
        assert sum(worths) <= 1 + 0.025 * len(worths) + 1e-9
        for leg in patrol["legs"]:
            steps = sum(step["metres"] for step in leg["directions"])
            assert steps == pytest.approx(leg["metres"], abs=len(leg["directions"]))


def test_small_counts_of_reports_are_in_no_file(document, query, demo_plan):
    """No count of reports is below the threshold, in the document or in the layer."""
    counts = [row["count"] for row in document["left_out"] if row["source"] == "reports"]
    assert counts
    assert all(count == "fewer than 5" or int(count) >= 5 for count in counts)
    counts = query("SELECT reports_low, reports_high FROM hotspots WHERE reports_low IS NOT NULL")
    assert counts
    threshold = demo_plan.area.settings.privacy.threshold
    assert all(threshold <= low <= high for low, high in counts)


def test_risk_layer_sums_to_one(layers, query):
    """Risk, and each voice, sums to one over the streets; the band holds what is expected."""
    risk = layers["risk"]
    for voice in ("crime", "reports", "risk"):
        assert risk[voice].sum() == pytest.approx(1)
    np.testing.assert_allclose(risk["risk_per_metre"] * risk["metres"], risk["risk"])
    inside = "SELECT count(*), sum(expected BETWEEN expected_low AND expected_high) FROM risk"
    assert query(inside) == [(len(risk),) * 2]
    assert query("SELECT max(incident_months) FROM hotspots WHERE incidents") == [(12,)]


def test_legs_and_stops_lie_where_the_plan_says(layers, demo_plan):
    """The layer's lines are the legs' and its points the stops', in their order."""
    legs = [leg for patrol in demo_plan.patrols for leg in patrol.legs]
    for line, leg in zip(layers["legs"].geometry, legs, strict=True):
        assert line.length == pytest.approx(leg.metres, abs=0.05)
    stops = [stop for patrol in demo_plan.patrols for stop in patrol.stops]
    for point, stop in zip(layers["stops"].geometry, stops, strict=True):
        assert (point.x, point.y) == (stop.x, stop.y)
    assert len(layers["patrols"]) == len(demo_plan.patrols)


def test_written_layers_are_read_back(layers, package, tmp_path):
    """A GeoPackage holds every layer with its rows, columns and shapes, and no time of writing."""
    write_layers(tmp_path / "again.gpkg", layers)
    assert (tmp_path / "again.gpkg").read_bytes() == package.read_bytes()
    assert set(pyogrio.list_layers(package)[:, 0]) == {*layers, "layer_styles"}
    for name, frame in layers.items():
        back = gpd.read_file(package, layer=name)
        assert len(back) == len(frame) > 0
        assert set(back.columns) == set(frame.columns)
        written = shapely.get_coordinates(frame.geometry.values)
        np.testing.assert_allclose(shapely.get_coordinates(back.geometry.values), written)


def test_tables_for_analysts_are_the_layers(demo_plan, demo_week, layers, tmp_path):
    """The GeoPackage holds what analysts get, which other files take; a week's begin with days."""
    frames = {"patrols": pp.frame_patrols, "stops": pp.frame_stops, "legs": pp.frame_legs}
    own = {name: frame(demo_plan) for name, frame in frames.items()}
    own["hotspots"] = pp.frame_hotspots(demo_plan.area, demo_plan.risk, demo_plan.hotspots)
    own["risk"] = demo_plan.risk.frame()
    for name, table in own.items():
        pd.testing.assert_frame_equal(pd.DataFrame(layers[name]), pd.DataFrame(table))
        assert (table.dtypes == "geometry").sum() == 1
        table.to_parquet(tmp_path / f"{name}.parquet")
        table.to_file(tmp_path / f"{name}.geojson")
        whole = gpd.read_parquet(tmp_path / f"{name}.parquet")
        assert whole.crs == table.crs
        for back in (whole, gpd.read_file(tmp_path / f"{name}.geojson")):
            assert len(back) == len(table) > 0
            assert set(back) == set(table)
    for frame in frames.values():
        assert [*frame(demo_week)][:2] == ["date", "officer"]
        assert {*frame(demo_week)["urn"]} <= {duty.urn for duty in demo_week.duties}


def test_every_column_has_a_meaning_and_no_meaning_is_stale(layers, demo_area, demo_pupils, query):
    """Columns of all layers and their meanings are the same names, and the file says them."""
    all_layers = layers | build_way_layers(demo_area, demo_pupils, "OFFICIAL", "a reason")
    assert set(all_layers) == set(LAYERS)
    for name, frame in all_layers.items():
        assert set(frame.columns) - {"geometry"} == set(LAYERS[name].columns) - {"geometry"}, name
    described = query("SELECT table_name, column_name, description FROM gpkg_data_columns")
    wanted = {(name, column) for name in layers for column in layers[name] if column != "geometry"}
    assert {row[:2] for row in described} == wanted
    assert all(text for _, _, text in described)
    registered = query("SELECT table_name FROM gpkg_extensions WHERE extension_name='gpkg_schema'")
    assert ("gpkg_data_columns",) in registered
    about = dict(query("SELECT table_name, description FROM gpkg_contents"))
    assert {name: about[name] for name in layers} == {n: LAYERS[n].about for n in layers}


def test_times_are_times_in_the_file(query):
    """Clock times are columns of the type for times, and agree with the text next to them."""
    types = dict(query("SELECT name, type FROM pragma_table_info('stops')"))
    assert types["arrives"] == types["leaves"] == "DATETIME"
    rows = query("SELECT arrive, substr(arrives, 12, 5), leave, substr(leaves, 12, 5) FROM stops")
    rows += query("SELECT finish_time, substr(finishes, 12, 5), 1, 1 FROM schools")
    assert rows
    assert all(text == time and left == leaves for text, time, left, leaves in rows)


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    """A file that is not a database is refused like a full disk."""
    path = tmp_path / "plan.gpkg"
    path.write_text("not a database, but long enough to be read as one" * 40, encoding="utf-8")
    with pytest.raises(OSError, match=r"plan\.gpkg"):
        write_tables(path, {})


@cache
def _get_validator(name):
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - takes a second in each process

    return Draft202012Validator(build_schema(name))


def test_the_command_prints_the_schema_of_every_document(run):
    """It is a valid schema, and the documents are named where another is wanted."""
    for name in DOCUMENTS:
        _get_validator(name).check_schema(build_schema(name))
    assert json.loads(run("schema", "week")[1]) == build_schema("week")
    code, _, err = run("schema", "plans")
    assert code == 2
    assert all(name in err for name in DOCUMENTS)


@pytest.fixture(scope="module")
def documents(demo_plan, demo_week):
    """A plan, a week with changes by hand and a back-test as files hold them."""
    monday, history = demo_week.start, (HandChange("2026-11-27 10:00", "SSO-03 is away"),)
    locks, bans = Lock("SSO-01", "900006", monday, 1), Ban(officer="SSO-03", date=monday)
    week = replace(demo_week, locks=(locks,), bans=(bans,), history=history)
    numbers = dict.fromkeys(BacktestRow.__dataclass_fields__, 1.5)
    numbers |= {"category": "Robbery", "model": "m", "chosen": True, "window": None, "pai": None}
    row = BacktestRow(**numbers | {"observed_over_expected": [1.0] * 10})
    ratio = HarmRatio("plain loop", 1.2, None, None)
    backtest = {"results": [asdict(row)], "patrols": [asdict(ratio)]}
    plan, week = build_plan_document(demo_plan), build_week_document(week)
    return {"plan": plan, "week": week, "backtest": backtest}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_fits(documents, name):
    """Nothing in a document is unknown to its schema, or of another kind."""
    faults = _get_validator(name).iter_errors(json.loads(json.dumps(documents[name])))
    assert [f"{fault.json_path}: {fault.message}"[:300] for fault in faults] == []


def _list_objects(node, path=()):
    """Where a document holds keys of its schema, not those of free tables."""
    is_table = isinstance(node, dict)
    if is_table:
        yield path
    for key, one in node.items() if is_table else enumerate(node):
        if isinstance(one, dict | list) and key not in FREE:
            yield from _list_objects(one, (*path, key))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("change", CHANGES, ids=["unknown key", "wrong kind", "unnamed"])
def test_what_is_changed_does_not_fit(documents, name, change):
    """A key that is not declared, a value of another kind or a nameless part is a fault."""
    document = json.loads(json.dumps(documents[name]))
    places = list(_list_objects(document))
    chosen = np.random.default_rng(1).choice(len(places), size=min(4, len(places)), replace=False)
    for row in chosen:
        changed = copy.deepcopy(document)
        part = changed
        for key in places[row]:
            part = part[key]
        change(part)
        assert not _get_validator(name).is_valid(changed), places[row]
