"""Hotspots as they are given to a plan: as found, read back from a file, or edited by hand."""

import json
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.clusters import sum_by_stretch
from patrolplan.hotspots.stretches import describe_stops, place_stretches, rate_hotspots
from patrolplan.risk.surface import Risk
from patrolplan.tables import HOTSPOTS
from patrolplan.text import list_first

WITHIN_METRES = 1.0  # a CRS of degrees and back moves a line by millimetres
SOURCE = "hotspots"


def take_hotspots(area: StudyArea, risk: Risk, given: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The hotspots on the area's streets, by their lines in any CRS; edited ones are rated anew."""
    missing = [name for name in HOTSPOTS.names if name not in given]
    if missing:
        what, remedy = f"lack {list_first(missing)}", "take those of find_hotspots or snap_hotspots"
        raise InputError.one(SOURCE, what, remedy)
    if given.empty:
        return given
    if given.crs is None:
        raise InputError.one(SOURCE, "have shapes without a CRS", "set it with set_crs")
    frame = _restore_types(given.to_crs(area.projection.crs).reset_index(drop=True))
    stretches = find_pieces(area, frame)
    absent = [
        str(name) for name, own in zip(frame["hotspot"], stretches, strict=True) if not len(own)
    ]
    if absent:
        what = f"{list_first(absent)}: no street of the area lies along them"
        raise InputError.one(SOURCE, what, "give the area that they were found in")
    metres = sum_by_stretch(area.network.piece_metres, stretches)
    # Its length or its stopping place tells a line that was moved, cut or drawn.
    is_edited = ~(np.abs(metres - frame["length_metres"].to_numpy()) <= WITHIN_METRES)
    rows = zip(frame["stop_piece"], stretches, strict=True)
    is_edited |= np.array([piece not in own for piece, own in rows], dtype=bool)
    worth = sum_by_stretch(risk.joined, stretches)
    is_other = ~np.isclose(worth, frame["worth"].to_numpy(), rtol=1e-6)
    if (is_other & ~is_edited).any() and is_other.all():
        what = "were found with another risk: their worth is not that of this one"
        raise InputError.one(SOURCE, what, "find them with the risk that is given")
    frame["pieces"] = [own.tolist() for own in stretches]
    if not is_edited.any():
        return frame
    placed = describe_stops(area, place_stretches(area, risk.joined, stretches))
    changed = ["length_metres", *(name for name in placed if name.startswith("stop_")), "place"]
    frame.loc[is_edited, changed] = placed.loc[is_edited, changed]
    return rate_hotspots(area, risk, frame)


def _restore_types(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The types that a file changed: whole numbers, empty text, and JSON that it took apart."""
    for column in HOTSPOTS.columns:
        name, kind = column.name, column.form.kind
        if kind == "text":
            texts = frame[name].astype(object).where(frame[name].notna(), "")
            frame[name] = [one if isinstance(one, str) else json.dumps(one) for one in texts]
        elif kind in {"int64", "float64", "bool"}:
            empty = {"int64": -1, "float64": np.nan, "bool": False}[kind]
            frame[name] = frame[name].where(frame[name].notna(), empty).astype(kind)
    return frame


def find_pieces(area: StudyArea, hotspots: gpd.GeoDataFrame) -> list[NDArray[np.int64]]:
    """(h,) the pieces whose middle is on each hotspot's line; each belongs to the first only."""
    network, lines = area.network, hotspots.geometry.to_crs(area.projection.crs).to_numpy()
    middle = shapely.points(network.piece_middle)
    piece, row = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=WITHIN_METRES)
    owner = np.full(len(network), len(lines))
    np.minimum.at(owner, piece, row)
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(lines) + 1))
    return [np.sort(order[start:end]) for start, end in pairwise(ends)]
