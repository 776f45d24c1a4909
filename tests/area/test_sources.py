"""A CRS that distorts lengths in the area is refused; wrong patterns and columns are reported."""

import pytest
import shapely

import patrolplan as pp
from patrolplan.area.sources import (
    SOURCE_FIELDS,
    check_scale,
    find_source_files,
    get_column_mapping,
)
from patrolplan.crs import Projection
from patrolplan.errors import InputError, SettingsError
from patrolplan.settings import SourceSettings, parse_settings

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


def test_loading_refuses_it(lane):
    """An area of web maps' metres is refused while it is loaded."""
    bounds = [-0.131, 51.51, -0.099, 51.53]
    with pytest.raises(pp.InputError, match=r"'EPSG:3857' is not made .* 1 km .* 1\.61 km long"):
        lane(area={"crs": "EPSG:3857", "bounds": bounds})


def _settings(folder=".", columns=None, **sources):
    needed = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    data = {"sources": needed | sources, "columns": columns or {}}
    return parse_settings(data, folder=folder, file="my.toml")


def test_every_source_but_streets_has_columns():
    """No table is forgotten."""
    assert {*SOURCE_FIELDS, "streets"} == set(SourceSettings.model_fields)


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
