"""`check` has the same counts for every format of the files."""

import json
import shutil

import pandas as pd
import pytest
from table_files import FORMATS, write_table

MONTHS = ("2026-08", "2026-09")


@pytest.fixture(scope="module")
def frames(demo):
    """Schools, gates, bells and two months of crime of the demo borough, typed as pandas does."""
    crimes = [
        pd.read_csv(path)
        for month in MONTHS
        for path in sorted((demo.parent / "crimes" / month).glob("*-eastmere-street.csv"))
    ]
    return {
        "crimes": pd.concat(crimes),
        "schools": pd.read_csv(demo.parent / "schools.csv", encoding="cp1252"),
        "gates": pd.read_csv(demo.parent / "gates.csv"),
        "bell_times": pd.read_csv(demo.parent / "bell_times.csv"),
        "reports": pd.read_csv(demo.parent / "reports.csv"),
    }


POINTS = {
    "crimes": {"points": ("Longitude", "Latitude"), "crs": "EPSG:32631"},
    "schools": {"points": ("Easting", "Northing"), "given": "EPSG:27700"},
}


@pytest.fixture(scope="module")
def write_area(demo, frames):
    """What writes the settings of an area whose tables are all of one format."""

    def write(folder, kind):
        sources = {}
        for source, frame in frames.items():
            name = f"{source}.{kind}"
            write_table(folder / name, frame, **POINTS.get(source, {}))
            sources[source] = name
        if kind == "shp":  # its header cuts the names that would then be alike
            sources["schools"] = "schools.gpkg"
            write_table(folder / "schools.gpkg", frames["schools"], **POINTS["schools"])
        shutil.copy(demo.parent / "streets.osm.gz", folder)
        lines = [f'{source} = "{name}"' for source, name in sources.items()]
        text = "\n".join(["[sources]", 'streets = "streets.osm.gz"', *lines])
        (folder / "area.toml").write_text(text, encoding="utf-8")
        return folder / "area.toml"

    return write


@pytest.fixture
def count(run, write_area, tmp_path):
    """What says how many rows `check` counts with files of a format."""

    def call(kind):
        folder = tmp_path / kind
        folder.mkdir()
        code, printed, errors = run("check", "--config", write_area(folder, kind), "--json")
        assert code == 0, errors
        found = json.loads(printed)
        return {key: found[key] for key in ("tables", "incidents", "months", "forces", "left_out")}

    return call


@pytest.mark.parametrize("kind", FORMATS)
def test_rows_are_counted_alike_from_every_format(count, kind):
    """Gates, schools, bells, reports and crimes of any format are those of CSV files."""
    expected = count("csv")
    assert {one["source"]: one["used"] for one in expected["tables"]}["gates"] == 5
    assert count(kind) == expected
