"""Find hotspots: stretches of street with a stopping place, a name and their reasons."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import (
    cluster_by_dbscan,
    cluster_by_hdbscan,
    find_stretches,
    flatten_stretches,
    sum_by_stretch,
)
from patrolplan.hotspots.names import name_hotspots
from patrolplan.hotspots.reasons import find_reasons, list_window_bands
from patrolplan.hotspots.significance import assess_certainty
from patrolplan.network import StreetNetwork
from patrolplan.network.names import describe_positions
from patrolplan.risk.scores import round_significant
from patrolplan.risk.surface import Risk
from patrolplan.tables import HOTSPOTS

COLUMN_ORDER = [
    *("hotspot", "worth", "crime_share", "reports_share", "length_metres", "place", "reasons"),
    *("carried_by", "mainly_reports", "p_value", "stands_out", "trend", "survived"),
    *("pieces", "stop_piece", "stop_metres", "stop_stand", "stop_lit", "stop", "geometry"),
]


def find_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """Find the stretches of street that hold the most risk.

    Parameters
    ----------
    area
        The study area; `[hotspots]` of its settings names the method, the longest stretch and
        how many are wanted.
    risk
        Risk of each piece of `area.network`.

    Returns
    -------
    geopandas.GeoDataFrame
        See `patrolplan.tables.HOTSPOTS`; one row a hotspot, most risk first, the same columns for
        every method. With `[hotspots] earlier` places that were hotspots before have their names.

    Raises
    ------
    InputError
        When no street has any risk.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    >>> bool((hotspots["length_metres"] <= 300).all())
    True
    """
    if not risk.joined.any():
        where, what = "hotspots", "no street has any risk: nothing recorded or reported counts"
        remedy = "check [crimes] categories and [risk] harm against the categories in your data"
        raise InputError.one(where, what, remedy)
    bare = locate_hotspots(area, risk)
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in bare["pieces"]]
    certainty = assess_certainty(area, risk, stretches)
    stops = area.network.middles(bare["stop_piece"].to_numpy())
    frame = bare.assign(
        hotspot=name_hotspots(bare.geometry, area.earlier_hotspots),
        crime_share=sum_by_stretch(risk.crime, stretches),
        reports_share=sum_by_stretch(risk.reports, stretches),
        carried_by=find_carriers(risk, stretches),
        place=describe_positions(area.network, stops),
        reasons=find_reasons(area, risk, stretches, certainty, bands=list_window_bands(area, risk)),
        **certainty,
        stop_stand="street",
        stop_lit="unknown",
        stop=gpd.points_from_xy(*area.network.xy(stops).T, crs=bare.crs),
    )
    return HOTSPOTS.check(frame[COLUMN_ORDER])


def locate_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """The hotspots of `find_hotspots` with what a patrol needs alone, without reasons.

    Returns
    -------
    geopandas.GeoDataFrame
        `hotspot`, `worth`, `length_metres`, `pieces`, `stop_piece` and the line.
    """
    settings = area.settings.hotspots
    network = area.network
    cluster_by = {"dbscan": cluster_by_dbscan, "hdbscan": cluster_by_hdbscan}.get(settings.method)
    stretches = find_stretches(
        network,
        risk.joined,
        max_length_metres=settings.max_length_metres,
        count=None if settings.count == "auto" else settings.count,
        cluster=None if cluster_by is None else cluster_by(network, risk.joined),
    )
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)
    stop_piece = _find_stop_pieces(area, risk, stretches)
    lines = shapely.line_merge(shapely.multilinestrings(network.lines(pieces), indices=row))
    return gpd.GeoDataFrame(
        {
            "hotspot": name_hotspots(lines),
            "worth": sum_by_stretch(risk.joined, stretches),
            "length_metres": sum_by_stretch(network.piece_metres, stretches),
            "pieces": [stretch.tolist() for stretch in stretches],
            "stop_piece": stop_piece,
            "stop_metres": network.piece_metres[stop_piece] / 2,
        },
        geometry=lines,
        crs=network.projection.crs,
    )


def _find_stop_pieces(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """(h,) the piece of each stretch to stand on.

    Where pupils count, that from which most of the stretch's risk is in sight: pupils make a part
    of a stretch count, such as a bus stop at its end. Else that nearest the middle of its risk.
    """
    network, joined = area.network, risk.joined
    if risk.in_time is not None and risk.in_time.pupils is not None:
        sight = area.settings.way_home.sight_metres
        return np.array(
            [_find_best_view(network, joined, pieces, sight) for pieces in stretches],
            dtype=np.int64,
        )
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)
    weighted = [sum_by_stretch(along * joined, stretches) for along in network.piece_middle.T]
    centre = np.column_stack(weighted) / sum_by_stretch(joined, stretches)[:, None]
    metres = np.hypot(*(network.piece_middle[pieces] - centre[row]).T)
    order = np.lexsort((np.round(metres, 2), row))  # of two as near, the same one everywhere
    return np.asarray(pieces[order][np.cumsum(size) - size])


def _find_best_view(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    pieces: NDArray[np.int64],
    sight_metres: float,
) -> int:
    """The piece of a stretch that has most of its risk in sight, of equals the most itself."""
    apart = network.piece_middle[pieces][:, None] - network.piece_middle[pieces]
    seen = (np.hypot(*apart.T) <= sight_metres) @ risk[pieces]
    order = np.lexsort((-round_significant(risk[pieces], 9), -round_significant(seen, 9)))
    return int(pieces[order[0]])
