"""Where fetched files go: where the settings will look for them."""

import pytest

from patrolplan.inputs.download.manifest import build_month_path, parse_month
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
