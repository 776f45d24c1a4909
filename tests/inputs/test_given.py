"""What the settings give for a source: told wrong once, before a file is read."""

import pytest

from patrolplan.area.load import FIELDS, columns_of, files_of
from patrolplan.errors import InputError, SettingsError
from patrolplan.settings import SourceSettings, settings_from


def _settings(folder=".", columns=None, **sources):
    needed = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    data = {"sources": needed | sources, "columns": columns or {}}
    return settings_from(data, folder=folder, file="my.toml")


def test_every_source_but_streets_has_columns():
    """No table is forgotten."""
    assert {*FIELDS, "streets"} == set(SourceSettings.model_fields)


def test_each_pattern_of_a_list_must_match(tmp_path):
    """A pattern that finds nothing is told even where another finds files; each by itself."""
    (tmp_path / "a.csv").touch()
    settings = _settings(tmp_path, crimes=["*.csv", "b/*.csv", "c?.csv"])
    with pytest.raises(InputError) as told:
        files_of(settings, "crimes")
    assert [(problem.file, problem.what) for problem in told.value.problems] == [
        ("b/*.csv", "no file matches"),
        ("c?.csv", "no file matches"),
    ]
    assert files_of(_settings(tmp_path, crimes=["*.csv", "a.*"]), "crimes") == (tmp_path / "a.csv",)


def test_a_source_that_is_not_set_has_no_files():
    """Nothing is asked of a key that nobody wrote."""
    assert files_of(_settings(), "gates") == ()


def test_an_unknown_column_of_ours_is_told_by_its_key():
    """The settings file, the key and the nearest name that is known."""
    settings = _settings(columns={"crimes": {"categry": "Crime type", "zzz": "a", "month": "M"}})
    with pytest.raises(SettingsError) as told:
        columns_of(settings, "crimes")
    first, second = map(str, told.value.problems)
    assert first.startswith(
        "my.toml, key 'columns.crimes.categry': no such column of ours, did you mean 'category'?;"
    )
    assert "key 'columns.crimes.zzz'" in second
    assert "(known: crime_id, month, " in second
