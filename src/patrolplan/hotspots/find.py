"""Find hotspots: stretches of street with a stopping place, a name and their reasons."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np

from patrolplan.area import StudyArea
from patrolplan.area.designated import find_designated_pieces
from patrolplan.errors import InputError
from patrolplan.hotspots import DESIGNATED, OWN
from patrolplan.hotspots.clusters import cluster_pieces, find_stretches, sum_by_stretch
from patrolplan.hotspots.significance import assess_certainty
from patrolplan.hotspots.stretches import (
    cut_to_walk,
    describe_stops,
    give_empty_some,
    place_stretches,
    rate_hotspots,
)
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
    return rate_hotspots(area, risk, frame)[HOTSPOTS.names]


def locate_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """The hotspots of `find_hotspots` with only what a patrol needs, without reasons."""
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
