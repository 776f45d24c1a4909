"""Risk -> hotspots: stretches with a stopping place, a name and their reasons."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.certainty import certainty_of
from patrolplan.hotspots.clusters import dbscan_groups
from patrolplan.hotspots.clusters import hdbscan_groups
from patrolplan.hotspots.clusters import network_stretches
from patrolplan.hotspots.reasons import how_sure
from patrolplan.hotspots.reasons import reasons
from patrolplan.places import describe
from patrolplan.risk.surface import Risk
from patrolplan.tables import HOTSPOTS

ORDER = [
    "hotspot",
    "worth",
    "crime_share",
    "reports_share",
    "length_metres",
    "place",
    "reasons",
    "how_sure",
    "p_value",
    "stands_out",
    "trend",
    "survived",
    "pieces",
    "stop_piece",
    "stop",
    "geometry",
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
        every method.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    >>> bool((hotspots["length_metres"] <= 300).all())
    True
    """
    bare = bare_hotspots(area, risk)
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in bare["pieces"]]
    certainty = certainty_of(area, risk, stretches)
    stops = area.network.middles(bare["stop_piece"].to_numpy())
    frame = bare.assign(
        crime_share=[float(risk.crime[stretch].sum()) for stretch in stretches],
        reports_share=[float(risk.reports[stretch].sum()) for stretch in stretches],
        place=describe(area.network, stops),
        reasons=reasons(area, risk, stretches, certainty),
        how_sure=how_sure(risk, certainty),
        p_value=certainty.p_value,
        stands_out=certainty.stands_out,
        trend=certainty.trend,
        survived=certainty.survived,
        stop=gpd.points_from_xy(*area.network.xy(stops).T, crs=bare.crs),
    )
    return HOTSPOTS.check(frame[ORDER])


def bare_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """The hotspots of `find_hotspots` with what a patrol needs, and nothing of what is told.

    Returns
    -------
    geopandas.GeoDataFrame
        `hotspot`, `worth`, `length_metres`, `pieces`, `stop_piece` and the line.
    """
    settings = area.settings.hotspots
    network = area.network
    group = None
    if settings.method == "dbscan":
        group = dbscan_groups(network, risk.joined)
    elif settings.method == "hdbscan":
        group = hdbscan_groups(network, risk.joined)
    stretches = network_stretches(
        network,
        risk.joined,
        max_length_metres=settings.max_length_metres,
        count=None if settings.count == "auto" else settings.count,
        group=group,
    )
    stop_piece = [_stopping_piece(area, risk, stretch) for stretch in stretches]
    return gpd.GeoDataFrame(
        {
            "hotspot": [f"H{number}" for number in range(1, len(stretches) + 1)],
            "worth": [float(risk.joined[stretch].sum()) for stretch in stretches],
            "length_metres": [float(network.piece_metres[stretch].sum()) for stretch in stretches],
            "pieces": [stretch.tolist() for stretch in stretches],
            "stop_piece": np.array(stop_piece, dtype=np.int64),
        },
        geometry=[_line(network.piece_lines[stretch]) for stretch in stretches],
        crs=network.projection.crs,
    )


def _stopping_piece(area: StudyArea, risk: Risk, stretch: NDArray[np.int64]) -> int:
    """The piece nearest the middle of the stretch's risk."""
    middle = area.network.piece_middle[stretch]
    centre = np.average(middle, axis=0, weights=risk.joined[stretch])
    apart = np.hypot(*(middle - centre).T)
    return int(stretch[np.argmin(np.round(apart, 2))])  # of two as near, the same one everywhere


def _line(lines: NDArray[np.object_]) -> shapely.Geometry:
    return shapely.line_merge(shapely.multilinestrings(lines))
