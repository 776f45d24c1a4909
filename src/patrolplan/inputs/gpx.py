"""GPX tracks: where a recorder was, and when."""

import datetime as dt
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError
from patrolplan.inputs.formats import read_bounded
from patrolplan.inputs.table_reader import MAX_DEGREES

MAX_TRACK_BYTES = 50_000_000  # A day recorded every second has about 10 million
LOCAL = "Europe/London"
SAVE_AGAIN = "export the track as GPX again"


@dataclass(frozen=True, eq=False)
class Track:
    """Points of a track in order of time: (k,) universal seconds since 1970, and (k,) degrees."""

    seconds: NDArray[np.float64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    @property
    def days(self) -> list[dt.date]:
        """(k,) local day of each point."""
        return list(pd.to_datetime(self.seconds, unit="s", utc=True).tz_convert(LOCAL).date)

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
    tracks = [(one.seconds, one.longitude, one.latitude) for one in map(read_track, paths)]
    joined = [np.concatenate(values) for values in zip(*tracks, strict=True)]
    _, rows = np.unique(joined[0], return_index=True)  # the first of equal times counts
    return Track(*(values[rows] for values in joined))


def read_track(path: Path) -> Track:
    """Read the track points of a GPX file that have a time; of equal times the first counts."""
    # Times without a zone are universal, as GPX defines them.
    _check_file(path)
    import pyogrio.errors  # noqa: PLC0415 - GDAL is heavy, and most commands read no track

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of older versions of the format
            table = pyogrio.read_dataframe(
                path, layer="track_points", columns=["time"], datetime_as_string=True
            )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError.one(path, f"is not GPX ({error})", SAVE_AGAIN) from None
    points = {"longitude": table.geometry.x, "latitude": table.geometry.y}
    for name, degrees in points.items():
        wrong = ~(degrees.abs() <= MAX_DEGREES[name]).to_numpy()
        if wrong.any():
            what = f"{int(wrong.sum())} track points have no {name}, the first is number "
            what += f"{int(np.flatnonzero(wrong)[0]) + 1}"
            raise InputError.one(path, what, SAVE_AGAIN)
    times = pd.to_datetime(table["time"], errors="coerce", format="ISO8601", utc=True)
    rows = pd.DataFrame({"time": times, **points}).dropna(subset="time")
    rows = rows.sort_values("time", kind="stable").drop_duplicates("time")
    if len(rows) < 2:  # noqa: PLR2004 - two points make a track
        what = f"holds {len(table)} track points, {len(rows)} of them with a time"
        raise InputError.one(path, what, "record a track with times (a planned route has none)")
    seconds = (rows["time"] - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    seconds_since = np.asarray(seconds, dtype=np.float64)
    return Track(seconds_since, rows["longitude"].to_numpy(), rows["latitude"].to_numpy())


ROOT = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<([^\s/>]{1,20})", re.DOTALL)
"""The first element of an XML file, after declarations and comments."""


def _check_file(path: Path) -> None:
    """Refuse a file that is too large, of another format, or declares a document type."""
    # GDAL detects formats by content: another could have it open further files.
    content = read_bounded(path, MAX_TRACK_BYTES, "use the track of one day")
    if b"<!DOCTYPE" in content.replace(b"\0", b""):  # also in UTF-16
        what = "declares a document type, which no GPX file needs"
        raise InputError.one(path, what, SAVE_AGAIN)
    root = ROOT.match(content.removeprefix(b"\xef\xbb\xbf"))
    if root is None or root[1] != b"gpx":
        name = "" if root is None else f" but <{root[1].decode(errors='replace')}>"
        raise InputError.one(path, f"is not GPX{name}", SAVE_AGAIN)
