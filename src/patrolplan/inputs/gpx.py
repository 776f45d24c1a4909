"""GPX tracks: where a recorder was, and when.

A document type declaration is refused, so that no entity is ever expanded.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.inputs.table_reader import parse_axis

MAX_TRACK_BYTES = 50_000_000
"""Maximum bytes of a file: a day recorded every second has about 10 million."""
LOCAL = "Europe/London"


@dataclass(frozen=True, eq=False)
class Track:
    """Points of a track in order of time.

    Parameters
    ----------
    seconds
        (k,) universal time, seconds since 1970, strictly increasing.
    longitude, latitude
        (k,) degrees.
    """

    seconds: NDArray[np.float64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    @property
    def days(self) -> list[dt.date]:
        """(k,) local day of each point."""
        universal = pd.to_datetime(self.seconds, unit="s", utc=True)
        return list(universal.tz_convert(LOCAL).date)

    @property
    def clock_seconds(self) -> NDArray[np.float64]:
        """(k,) local time of each point in seconds since midnight."""
        local = pd.to_datetime(self.seconds, unit="s", utc=True).tz_convert(LOCAL)
        return np.asarray(local.hour * 3600 + local.minute * 60 + local.second, dtype=np.float64)

    def select_day(self, day: dt.date) -> "Track":
        """The points of one local day."""
        rows = np.array([one == day for one in self.days], dtype=bool)
        return Track(self.seconds[rows], self.longitude[rows], self.latitude[rows])


def read_tracks(paths: Sequence[Path]) -> Track:
    """Read several files of one walk as one track, whatever their order; see `read_track`."""
    tracks = [read_track(path) for path in paths]
    seconds = np.concatenate([track.seconds for track in tracks])
    _, rows = np.unique(seconds, return_index=True)  # the first of equal times counts
    longitude = np.concatenate([track.longitude for track in tracks])
    latitude = np.concatenate([track.latitude for track in tracks])
    return Track(seconds[rows], longitude[rows], latitude[rows])


def read_track(path: Path) -> Track:
    """Read all track points of a GPX file that have a time.

    Points are sorted by time; of points with the same time only the first counts. Times without
    a zone are universal, as GPX defines them.

    Raises
    ------
    InputError
        When the file is missing, too large, not GPX, declares a document type, has a point off
        the globe, or fewer than two points with times.
    """
    try:
        size = path.stat().st_size
        content = b"" if size > MAX_TRACK_BYTES else path.read_bytes()
    except FileNotFoundError:
        raise InputError.one(path, "the file does not exist", "name another with --gpx") from None
    except OSError as error:
        raise InputError.one(path, f"cannot be read ({error})", "name a GPX file") from None
    if size > MAX_TRACK_BYTES:
        what = f"is larger than {MAX_TRACK_BYTES // 1_000_000} million bytes"
        raise InputError.one(path, what, "use the track of one day")
    points = _TrackPointParser()
    try:
        points.parser.Parse(content, True)  # noqa: FBT003 - a positional flag of the library
    except expat.ExpatError as error:
        what = f"is not GPX ({error})"
        raise InputError.one(path, what, "export the track as GPX again") from None
    except _RefusedError as error:
        raise InputError.one(path, str(error), "export the track as GPX again") from None
    return _build_track(points.rows, path)


class _RefusedError(Exception):
    """The parser refuses the file; the message says why."""


class _TrackPointParser:
    """Collects latitude, longitude and time of each `trkpt`."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self._place: tuple[str, str] | None = None  # of the point being read
        self._text: list[str] | None = None  # of the time being read
        self._time = ""
        self._depth = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_declared: object) -> None:
        message = "declares a document type, which no GPX file needs"
        raise _RefusedError(message)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if self._depth == 0 and tag != "gpx":
            message = f"is not GPX but <{tag[:20]}>"
            raise _RefusedError(message)
        self._depth += 1
        if tag == "trkpt":
            self._place = (attributes.get("lat", ""), attributes.get("lon", ""))
            self._time = ""
        elif tag == "time" and self._place is not None:
            self._text = []

    def _end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        self._depth -= 1
        if tag == "time" and self._text is not None:
            self._time = "".join(self._text).strip()
            self._text = None
        elif tag == "trkpt" and self._place is not None:
            self.rows.append((*self._place, self._time))
            self._place = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)


def _build_track(rows: list[tuple[str, str, str]], path: Path) -> Track:
    table = pd.DataFrame(rows, columns=["latitude", "longitude", "time"])
    for name in ("latitude", "longitude"):
        degrees = parse_axis(table[name], name)
        wrong = np.isnan(degrees)
        if wrong.any():
            what = f"{int(wrong.sum())} track points have no {name}, the first is number "
            what += f"{int(np.flatnonzero(wrong)[0]) + 1}"
            raise InputError.one(path, what, "export the track as GPX again")
        table[name] = degrees
    table["time"] = pd.to_datetime(table["time"], errors="coerce", format="ISO8601", utc=True)
    table = table.dropna(subset="time").sort_values("time", kind="stable").drop_duplicates("time")
    if len(table) < 2:  # noqa: PLR2004 - two points make a track
        what = f"holds {len(rows)} track points, {len(table)} of them with a time"
        raise InputError.one(path, what, "record a track with times (a planned route has none)")
    seconds = (table["time"] - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return Track(
        np.asarray(seconds, dtype=np.float64),
        table["longitude"].to_numpy(),
        table["latitude"].to_numpy(),
    )
