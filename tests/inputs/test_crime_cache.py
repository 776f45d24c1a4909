"""Open crime files are read once; a force's own extract is never copied."""

import pandas as pd
import pytest

from patrolplan.crs import Projection
from patrolplan.inputs import crimes as crime_cache
from patrolplan.inputs.crimes import read_crimes
from patrolplan.tables import LeftOut

OPEN = (
    "Crime ID,Month,Reported by,Longitude,Latitude,Crime type\n"
    "a1,2024-01,Some Police,-0.1281,51.5226,Robbery\n"
    ",2024-01,Some Police,-0.1290,51.5230,Anti-social behaviour\n"
    "a2,2024-01,Some Police,,,Robbery\n"
)
OWN = "date_time,category,longitude,latitude\n2024-01-05 15:40,Robbery,-0.1281,51.5226\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(folder))
    return folder


def read(path):
    """Incidents of a file, and what was left out."""
    told = LeftOut()
    return read_crimes([path], Projection("EPSG:27700"), told).incidents, told.rows


def test_second_reading_equals_the_first(cache, tmp_path, monkeypatch):
    """The second time rows and what was left out are the same, and the file is not parsed."""
    path = tmp_path / "2024-01-street.csv"
    path.write_text(OPEN, encoding="utf-8")
    first, told = read(path)
    monkeypatch.setattr("patrolplan.inputs.crimes.read_table", None)
    second, told_again = read(path)
    pd.testing.assert_frame_equal(first, second)
    assert told == told_again
    assert len(list(cache.rglob("*.parquet"))) == 1


def test_changed_bytes_are_read_anew(cache, tmp_path):  # noqa: ARG001 - a fresh cache
    """A file of the same name, size and date but other content is another file."""
    path = tmp_path / "2024-01-street.csv"
    path.write_text(OPEN, encoding="utf-8")
    read(path)
    path.write_text(OPEN.replace("Robbery", "Larceny"), encoding="utf-8")
    assert set(read(path)[0]["category"]) == {"Larceny", "Anti-social behaviour"}


def test_own_extract_is_not_copied(cache, tmp_path):
    """Rows with clock times are read from their file every time."""
    path = tmp_path / "extract.csv"
    path.write_text(OWN, encoding="utf-8")
    assert len(read(path)[0]) == 1
    assert not list(cache.rglob("*.parquet"))


def test_broken_entry_is_passed_over(cache, tmp_path):
    """A spoilt entry of the cache is read from the file again, and mended."""
    path = tmp_path / "2024-01-street.csv"
    path.write_text(OPEN, encoding="utf-8")
    first = read(path)[0]
    entry = next(cache.rglob("*.parquet"))
    entry.write_bytes(b"no parquet")
    pd.testing.assert_frame_equal(first, read(path)[0])
    assert crime_cache.pd.read_parquet(entry).shape[0] == 3
