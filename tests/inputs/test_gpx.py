"""GPX tracks: points with times in order, and nothing that a file should not hold."""

import datetime as dt

import numpy as np
import pytest
from table_files import write_content

from patrolplan.errors import InputError
from patrolplan.inputs.gpx import MAX_TRACK_BYTES, read_track

HEAD = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
TAIL = "</trkseg></trk></gpx>"


def _point(time, latitude=51.53, longitude=0.87):
    when = "" if time is None else f"<time>{time}</time>"
    return f'<trkpt lat="{latitude}" lon="{longitude}"><ele>3</ele>{when}</trkpt>'


@pytest.fixture
def track(tmp_path):
    """What writes a file and reads it."""
    return lambda content: read_track(write_content(tmp_path, content, "walk.gpx"))


def test_points_come_in_the_order_of_time(track):
    """Points out of order are put in order, those of one time once, those without a time not."""
    times = ["2026-12-01T15:00:10Z", "2026-12-01T15:00:00Z", None, "2026-12-01T15:00:10Z"]
    found = track(HEAD + "".join(map(_point, times)) + TAIL)
    assert np.diff(found.seconds).tolist() == [10.0]


def test_days_are_local(track):
    """Half past eleven at night in universal time is tomorrow in a British summer."""
    points = _point("2026-06-30T22:30:00Z") + _point("2026-06-30T23:30:00.5+00:00")
    found = track(HEAD + points + TAIL)
    assert found.days == [dt.date(2026, 6, 30), dt.date(2026, 7, 1)]
    assert len(found.select_day(dt.date(2026, 7, 1)).seconds) == 1


BOMB = '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
AT = "2026-12-01T15:00:00Z"


@pytest.mark.parametrize(("content", "message"), [
    (BOMB + HEAD + TAIL, "declares a document type"),
    ((BOMB + HEAD + TAIL).encode("utf-16"), "declares a document type"),
    *((content, "is not GPX") for content in (HEAD + _point(AT), "", b"\x00\xff\x00")),
    ("<html></html>", "is not GPX but <html>"),
    (HEAD + TAIL, "holds 0 track points, 0 of them with a time; record a track"),
    (HEAD + _point(None) * 3 + TAIL, "holds 3 track points, 0 of them with a time"),
    (HEAD + _point(AT) + _point("x", latitude=95) + TAIL,
     "1 track points have no latitude, the first is number 2"),
    (HEAD + _point(AT, longitude="nan") + TAIL, "have no longitude"),
])  # fmt: skip
def test_a_file_that_is_not_a_track_is_refused(track, content, message):
    """The message says what the file is or lacks."""
    with pytest.raises(InputError) as raised:
        track(content)
    assert message in str(raised.value)
    assert "walk.gpx" in str(raised.value)


def test_a_huge_file_is_not_read(tmp_path):
    """One that is not there is refused by the same door; see the surveys' files."""
    path = tmp_path / "huge.gpx"
    with path.open("wb") as stream:
        stream.truncate(MAX_TRACK_BYTES + 1)
    with pytest.raises(InputError, match="is larger than 50 MB"):
        read_track(path)
