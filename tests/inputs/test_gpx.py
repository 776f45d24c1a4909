"""GPX tracks: points with times in order, and nothing that a file should not hold."""

import datetime as dt

import numpy as np
import pytest

from patrolplan.errors import InputError
from patrolplan.inputs.gpx import MAX_TRACK_BYTES, read_track, read_tracks

HEAD = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
TAIL = "</trkseg></trk></gpx>"


def _point(time, latitude=51.53, longitude=0.87):
    when = "" if time is None else f"<time>{time}</time>"
    return f'<trkpt lat="{latitude}" lon="{longitude}"><ele>3</ele>{when}</trkpt>'


@pytest.fixture
def track(tmp_path):
    """Write a file and read it."""

    def call(content):
        path = tmp_path / "walk.gpx"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_track(path)

    return call


def test_points_come_in_the_order_of_time(track):
    """Points out of order are put in order, those of one time once, those without a time not."""
    times = ["2026-12-01T15:00:10Z", "2026-12-01T15:00:00Z", None, "2026-12-01T15:00:10Z"]
    found = track(HEAD + "".join(_point(time) for time in times) + TAIL)
    assert np.diff(found.seconds).tolist() == [10.0]


def test_days_are_local(track):
    """Half past eleven at night in universal time is tomorrow in a British summer."""
    points = _point("2026-06-30T22:30:00Z") + _point("2026-06-30T23:30:00.5+00:00")
    found = track(HEAD + points + TAIL)
    assert found.days == [dt.date(2026, 6, 30), dt.date(2026, 7, 1)]
    assert len(found.select_day(dt.date(2026, 7, 1)).seconds) == 1


def test_all_segments_and_older_forms_are_read(track):
    """Several tracks and segments are one recording, with any namespace or none."""
    first, last = _point("2026-12-01T15:00:00Z"), _point("2026-12-01T16:00:00")
    content = f"<gpx><trk><trkseg>{first}</trkseg><trkseg>{last}</trkseg></trk></gpx>"
    assert np.diff(track(content).seconds).tolist() == [3600.0]


BOMB = '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB + HEAD + TAIL, "declares a document type"),
        ((BOMB + HEAD + TAIL).encode("utf-16"), "declares a document type"),
        (HEAD + _point("2026-12-01T15:00:00Z"), "is not GPX"),
        ("", "is not GPX"),
        (b"\x00\xff\x00", "is not GPX"),
        ("<html></html>", "is not GPX but <html>"),
        (HEAD + TAIL, "holds 0 track points, 0 of them with a time; record a track"),
        (HEAD + _point(None) * 3 + TAIL, "holds 3 track points, 0 of them with a time"),
        (
            HEAD + _point("2026-12-01T15:00:00Z") + _point("x", latitude=95) + TAIL,
            "1 track points have no latitude, the first is number 2",
        ),
        (HEAD + _point("2026-12-01T15:00:00Z", longitude="nan") + TAIL, "have no longitude"),
    ],
)
def test_a_file_that_is_not_a_track_is_refused(track, content, message):
    """The message says what the file is or lacks."""
    with pytest.raises(InputError) as raised:
        track(content)
    assert message in str(raised.value)
    assert "walk.gpx" in str(raised.value)


def test_missing_and_huge_files_are_refused(tmp_path):
    """A file that is not there is named, one that is too large is not read."""
    with pytest.raises(InputError, match="the file does not exist"):
        read_track(tmp_path / "none.gpx")
    path = tmp_path / "huge.gpx"
    with path.open("wb") as stream:
        stream.truncate(MAX_TRACK_BYTES + 1)
    with pytest.raises(InputError, match="is larger than 50 million bytes"):
        read_track(path)


def test_several_files_are_one_track(tmp_path):
    """Points of all files stand in order of time; a moment that two have counts once."""
    paths = []
    for name, minutes in (("late", (30, 31)), ("early", (29, 30))):
        points = "".join(_point(f"2026-12-01T15:{minute}:00Z") for minute in minutes)
        paths.append(tmp_path / f"{name}.gpx")
        paths[-1].write_text(HEAD + points + TAIL, encoding="utf-8")
    assert read_tracks(paths).clock_seconds.tolist() == [
        15 * 3600 + 60 * minute for minute in (29, 30, 31)
    ]


def test_the_clock_is_local(track):
    """In summer a point of 14:30 universal time is at 15:30 on the clock."""
    found = track(HEAD + _point("2026-07-01T14:30:00Z") + _point("2026-07-01T14:31:00Z") + TAIL)
    assert (found.clock_seconds / 60).tolist() == [930, 931]
