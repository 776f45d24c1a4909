"""Sources as they are declared, a CRS that distorts lengths, wrong patterns and columns."""

import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.area.sources import SOURCES, check_scale, find_source_files, get_column_mapping
from patrolplan.crs import Projection
from patrolplan.errors import InputError, SettingsError
from patrolplan.settings import Settings, parse_settings
from patrolplan.settings.load import build_settings_template

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/_ext"))
import reference_pages

LONDON, FRANKFURT, SYDNEY = (-0.13, 51.52), (8.68, 50.11), (151.2, -33.87)


def _check(crs, place):
    projection = Projection(crs)
    x, y = projection.to_metres([place[0]], [place[1]])
    check_scale(projection, shapely.box(x[0] - 2000, y[0] - 2000, x[0] + 2000, y[0] + 2000))


@pytest.mark.parametrize(
    ("crs", "place"),
    [
        ("EPSG:27700", LONDON),
        ("EPSG:27700", (-5.93, 54.6)),
        ("EPSG:27700", (-1.2, 60.3)),
        ("EPSG:32630", LONDON),
        ("EPSG:32631", LONDON),
        ("EPSG:25832", FRANKFURT),
        ("EPSG:3035", FRANKFURT),
        ("EPSG:32756", SYDNEY),
    ],
)
def test_a_crs_of_the_place_is_accepted(crs, place):
    """National grids, UTM zones and equal-area CRSs pass where they are meant for."""
    _check(crs, place)


@pytest.mark.parametrize(
    ("crs", "place", "use"),
    [
        ("EPSG:3857", LONDON, "EPSG:27700"),
        ("EPSG:32718", LONDON, "EPSG:27700"),
        ("EPSG:4087", LONDON, "EPSG:27700"),
        ("EPSG:27700", FRANKFURT, "EPSG:32632"),
        ("EPSG:3857", SYDNEY, "EPSG:32756"),
    ],
)
def test_a_crs_of_another_place_is_refused_with_one_that_fits(crs, place, use):
    """The message names the key and the CRS, how far it is off, and which to use."""
    with pytest.raises(InputError) as error:
        _check(crs, place)
    line = str(error.value)
    assert line.startswith(f"[area] crs: '{crs}' ")
    assert use in line or "EPSG:27700 in Great Britain" in line


def _settings(folder=".", columns=None, **sources):
    needed = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    data = {"sources": needed | sources, "columns": columns or {}}
    return parse_settings(data, folder=folder, file="my.toml")


def test_each_pattern_of_a_list_must_match(tmp_path):
    """Each pattern that matches no file is reported, even where another one matches."""
    (tmp_path / "a.csv").touch()
    settings = _settings(tmp_path, crimes=["*.csv", "b/*.csv", "c?.csv"])
    with pytest.raises(InputError) as error:
        find_source_files(settings, "crimes")
    assert [(problem.file, problem.what) for problem in error.value.problems] == [
        ("b/*.csv", "no file matches"),
        ("c?.csv", "no file matches"),
    ]
    assert find_source_files(_settings(tmp_path, crimes=["*.csv", "a.*"]), "crimes") == (
        tmp_path / "a.csv",
    )


def test_an_unknown_column_is_reported_by_its_key():
    """The settings file, the key and the nearest name that is known."""
    settings = _settings(columns={"crimes": {"categry": "Crime type", "zzz": "a", "month": "M"}})
    with pytest.raises(SettingsError) as error:
        get_column_mapping(settings, "crimes")
    first, second = map(str, error.value.problems)
    assert first.startswith(
        "my.toml, key 'columns.crimes.categry': unknown column; did you mean 'category'?"
    )
    assert "key 'columns.crimes.zzz'" in second
    assert "(known: crime_id, month, " in second


DECLARED = list(SOURCES.items())


@pytest.mark.parametrize(("name", "source"), DECLARED, ids=list(SOURCES))
def test_every_source_is_a_key_with_columns_that_say_what_they_mean(name, source):
    """Settings, template and reference have each source, and no column is without a meaning."""
    field = Settings.model_fields["sources"].annotation.model_fields[name]
    assert f"# {field.description}" in build_settings_template()
    assert field.examples
    assert [column.name for column in source.fields if not column.meaning] == []
    page = "\n".join(reference_pages.list_inputs())
    part = page.partition(f"## `{name}`")[2].partition("## `")[0]
    assert [column.name for column in source.fields if f"`{column.name}`" not in part] == []


def test_no_source_of_the_settings_is_without_a_declaration():
    """All but the streets, which are no table, are declared."""
    named = Settings.model_fields["sources"].annotation.model_fields
    assert set(SOURCES) | {"streets"} == set(named)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_read_and_checked_from_a_file(tmp_path, name):
    """A file with none of the columns is refused by name, whichever source it is given as."""
    ending = "geojson" if name in {"areas", "designated"} else "csv"
    path = tmp_path / f"{name}.{ending}"
    frame = gpd.GeoDataFrame({"zzz": ["1"]}, geometry=[shapely.box(0, 51, 1, 52)], crs=4326)
    frame.to_file(path) if ending == "geojson" else path.write_text("zzz\n1\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        pp.load_area(_settings(tmp_path, **{name: str(path)}))
    assert any(str(path) == str(problem.file) for problem in error.value.problems)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_an_argument_of_build_area(name):
    """A frame with none of the columns is refused by the argument's name."""
    frame = pd.DataFrame({"zzz": ["1"]})
    if name in {"areas", "designated"}:
        frame = gpd.GeoDataFrame(frame, geometry=[shapely.box(0, 51, 1, 52)], crs=4326)
    with pytest.raises(InputError, match=f"argument {name}: "):
        pp.build_area(
            **{name: frame},
            settings={"sources": {"crimes": "c", "schools": "s", "streets": "x"} | {name: "y"}},
        )
