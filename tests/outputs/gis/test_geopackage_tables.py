"""What a GeoPackage says of itself: its layers, its columns, and its styles."""

import sqlite3
from contextlib import closing

import pytest

from patrolplan.outputs.geopackage import build_plan_layers, write_layers
from patrolplan.outputs.gis.geopackage_tables import LAYERS, write_tables
from patrolplan.outputs.ways_layer import build_way_layers
from patrolplan.pupils.presence import find_presence


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


@pytest.fixture(scope="module")
def query(layers, tmp_path_factory):
    """What asks the GeoPackage of the demo borough's plan."""
    path = tmp_path_factory.mktemp("gis") / "plan.gpkg"
    write_layers(path, layers)

    def ask(text):
        with closing(sqlite3.connect(path)) as database:
            return database.execute(text).fetchall()

    return ask


def test_every_column_has_a_meaning_and_no_meaning_is_stale(layers, demo_area):
    """Columns of all layers and their meanings are the same names."""
    ways, _ = find_presence(demo_area)
    all_layers = layers | build_way_layers(demo_area, ways, "OFFICIAL", "a reason")
    assert set(all_layers) == set(LAYERS)
    for name, frame in all_layers.items():
        assert set(frame.columns) - {"geometry"} == set(LAYERS[name].columns) - {"geometry"}, name


def test_columns_and_layers_are_described_in_the_file(query, layers):
    """The schema extension is registered and says what each column is."""
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
    assert rows
    assert all(text == time and left == leaves for text, time, left, leaves in rows)
    bells = query("SELECT finish_time, substr(finishes, 12, 5) FROM schools")
    assert all(text == time for text, time in bells)


def test_counts_and_intervals_hold_together(query, demo_plan):
    """Bands hold their middle, and no count of reports is below the threshold."""
    streets = query(
        "SELECT count(*), sum(expected BETWEEN expected_low AND expected_high) FROM risk"
    )
    assert streets == [(len(demo_plan.area.network),) * 2]
    counts = query("SELECT reports_low, reports_high FROM hotspots WHERE reports_low IS NOT NULL")
    assert counts
    threshold = demo_plan.area.settings.privacy.threshold
    assert all(threshold <= low <= high for low, high in counts)
    [(shown, months)] = query("SELECT count(incidents), max(incident_months) FROM hotspots")
    assert shown
    assert months == 12


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    """A file that is not a database is refused like a full disk."""
    path = tmp_path / "plan.gpkg"
    path.write_text("not a database, but long enough to be read as one" * 40, encoding="utf-8")
    with pytest.raises(OSError, match=r"plan\.gpkg"):
        write_tables(path, {})
