"""Find hotspots: stretches of street with a stopping place, a name and their reasons."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.designated import find_designated_pieces
from patrolplan.errors import InputError
from patrolplan.hotspots import DESIGNATED, OWN
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import (
    cluster_pieces,
    find_stretches,
    flatten_stretches,
    sum_by_stretch,
)
from patrolplan.hotspots.designated import add_designations, cut_to_walk, give_empty_some
from patrolplan.hotspots.ground import Ground
from patrolplan.hotspots.reasons import find_reasons, write_reasons
from patrolplan.hotspots.significance import assess_certainty
from patrolplan.hotspots.standing import choose_standing_places
from patrolplan.network import Positions
from patrolplan.network.names import describe_positions
from patrolplan.risk.surface import Risk
from patrolplan.tables import HOTSPOTS


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
        every method. Names are numbers by risk: a place that stays has an ID, see `Stop.id`.

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
    return complete_hotspots(area, risk, bare, bare["hotspot"].tolist())


def complete_hotspots(
    area: StudyArea, risk: Risk, bare: gpd.GeoDataFrame, names: Sequence[str]
) -> gpd.GeoDataFrame:
    """Stretches as hotspots with these names: what they are based on, how sure, and why."""
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in bare["pieces"]]
    certainty = assess_certainty(area, risk, stretches)
    frame = describe_stops(area, bare).assign(hotspot=names, **certainty)
    return rate_hotspots(area, risk, frame)[list(HOTSPOTS.columns)]


def describe_stops(area: StudyArea, bare: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Stretches with their stopping place in metres and, `place`, in words."""
    piece, metres = bare["stop_piece"].to_numpy(), bare["stop_metres"].to_numpy()
    stops = Positions(piece, metres, np.zeros(len(bare)))
    x, y = area.network.xy(stops).T
    return bare.assign(place=describe_positions(area.network, stops), stop_x=x, stop_y=y)


def rate_hotspots(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Hotspots in a window: what they are worth by its risk, and why.

    How sure they are, and where one stands, stays as it is.
    """
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in hotspots["pieces"]]
    reasons = find_reasons(area, risk, stretches, hotspots)
    rated = hotspots.assign(
        worth=sum_by_stretch(risk.joined, stretches),
        crime_share=sum_by_stretch(risk.crime, stretches),
        reports_share=sum_by_stretch(risk.reports, stretches),
        carried_by=find_carriers(risk, stretches),
        reasons=list(map(write_reasons, add_designations(area, hotspots["hotspot"], reasons))),
    )
    words = [name for name, one in HOTSPOTS.columns.items() if one.kind in {"text", "list"}]
    # Where risk is even there is no hotspot: pandas takes empty lists for numbers.
    return HOTSPOTS.check(rated if len(rated) else rated.astype(dict.fromkeys(words, object)))


def locate_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """The hotspots of `find_hotspots` with only what a patrol needs, without reasons.

    Those that the force designates are in their polygons, see `patrolplan.hotspots.designated`;
    others are found on the remaining street.

    Returns `hotspot`, `kind`, `worth`, `length_metres`, `pieces`, the columns of the stopping place
    apart from its point, and the line.
    """
    settings = area.settings.hotspots
    network, designated = area.network, find_designated_pieces(area)
    method = settings.method
    stretches = find_stretches(
        network,
        risk.joined,
        max_length_metres=settings.max_length_metres,
        count=None if settings.count == "auto" else settings.count,
        cluster=None if method == "network" else cluster_pieces(network, risk.joined, method),
        taken=np.concatenate([*designated, np.empty(0, dtype=np.int64)]),
    )
    if area.designated is None:
        return place_stretches(area, risk.joined, stretches)
    amounts = give_empty_some(network, risk.joined, designated)
    walked = cut_to_walk(area, amounts, designated)
    bare = place_stretches(area, amounts, [*walked, *stretches])
    bare["worth"] = sum_by_stretch(risk.joined, [*walked, *stretches])
    bare["kind"] = [DESIGNATED] * len(walked) + [OWN] * len(stretches)
    bare["hotspot"] = [*area.designated["place_id"], *bare["hotspot"][: len(stretches)]]
    order = np.argsort(-bare["worth"].to_numpy().round(12), kind="stable")
    return bare.iloc[order].reset_index(drop=True)


def place_stretches(
    area: StudyArea, amounts: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> gpd.GeoDataFrame:
    """Stretches with what a patrol needs to watch amounts (p,), numbered in their order."""
    network, features = area.network, area.features
    pieces, size = flatten_stretches(stretches)
    ground = area.catchments.reuse("ground", (network, features), lambda: Ground(network, features))
    places = choose_standing_places(ground, amounts, stretches)
    rows = np.repeat(np.arange(len(size)), size)
    lines = shapely.line_merge(shapely.multilinestrings(network.lines(pieces), indices=rows))
    return gpd.GeoDataFrame(
        {
            "hotspot": [f"H{number}" for number in range(1, len(stretches) + 1)],
            "kind": OWN,
            "worth": sum_by_stretch(amounts, stretches),
            "length_metres": sum_by_stretch(network.piece_metres, stretches),
            "pieces": [stretch.tolist() for stretch in stretches],
            "stop_piece": places["piece"].to_numpy(),
            "stop_metres": places["offset"].to_numpy(),
            "stop_stand": places["stand"].to_numpy(dtype=object),
            "stop_at": places["at"].to_numpy(dtype=object),
            "stop_lit": places["lit"].to_numpy(dtype=object),
        },
        geometry=lines,
        crs=network.projection.crs,
    )
