"""Where fetched files go: where the settings will look for them."""

import pytest

from patrolplan.errors import SettingsError
from patrolplan.inputs.download.manifest import build_month_path, build_source_path, parse_month
from patrolplan.settings import parse_settings


def settings(folder, crimes="c/*/*.csv", schools="s.csv", streets="s.osm.pbf"):
    """Settings that name these files."""
    sources = {"crimes": crimes, "schools": schools, "streets": streets}
    return parse_settings({"sources": sources}, folder=folder)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("crimes/*/*.csv", "crimes/2026-09/2026-09-street.csv"),
        ("crimes/*/*-street.csv", "crimes/2026-09/2026-09-street.csv"),
        ("crimes/*.csv", "crimes/2026-09-street.csv"),
        ("crimes/**/*.csv", "crimes/2026-09/2026-09-street.csv"),
        ("../data/crimes/20*/*.csv.gz", "../data/crimes/2026-09/2026-09-street.csv.gz"),
        ("a/crimes-*.csv", "a/crimes-2026-09-street.csv"),
        ("????-??/*", "2026-09/2026-09-street.csv"),
        ("*.csv", "2026-09-street.csv"),
    ],
)
def test_a_months_file_is_found_by_its_pattern(tmp_path, pattern, name):
    """The name chosen is one that the pattern finds, and that tells its month."""
    folder = tmp_path / "here"
    chosen = settings(folder, crimes=[pattern])
    path = build_month_path(chosen, "2026-09")
    assert (
        path.relative_to(folder.parent if ".." in name else folder)
        .as_posix()
        .endswith(name.removeprefix("../"))
    )
    path.parent.mkdir(parents=True)
    path.touch()
    assert [one.resolve() for one in chosen.find_files("crimes")] == [path.resolve()]
    assert parse_month(path) == "2026-09"


@pytest.mark.parametrize("pattern", ["crimes.csv", "crimes/*.parquet", "x/*-metropolitan.tsv"])
def test_a_pattern_without_a_target_is_refused(tmp_path, pattern):
    """One file for all crimes, or another kind of file, is refused with what to write."""
    with pytest.raises(SettingsError, match=r'write crimes = \["crimes/\*/\*\.csv"\]'):
        build_month_path(settings(tmp_path, crimes=[pattern]), "2026-09")


def test_streets_and_schools_go_to_their_own_names(tmp_path):
    """Single files have the names that the settings give; a graph is not written."""
    assert build_source_path(settings(tmp_path), "streets") == tmp_path / "s.osm.pbf"
    assert build_source_path(settings(tmp_path, schools="d/*.csv"), "schools") == (
        tmp_path / "d/schools.csv"
    )
    with pytest.raises(SettingsError, match=r'write streets = "streets\.osm\.pbf"'):
        build_source_path(settings(tmp_path, streets="s.graphml"), "streets")
