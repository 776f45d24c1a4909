"""Stretches of street as hotspots: where one stands, what they are worth in a window, and why."""

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots import OWN
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import find_best_stretch, flatten_stretches, sum_by_stretch
from patrolplan.hotspots.ground import Ground, choose_standing_places
from patrolplan.hotspots.reasons import DesignatedReason, Reason, find_reasons, write_reasons
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.network import Positions, StreetNetwork
from patrolplan.network.names import describe_positions
from patrolplan.risk.surface import Risk
from patrolplan.tables import HOTSPOTS, LIST, TEXT


def add_designations(
    area: StudyArea, names: Iterable[str], reasons: Sequence[list[Reason]]
) -> list[list[Reason]]:
    """(h,) the reasons of hotspots; for those of the force, that it designates them comes first."""
    if area.designated is None:
        return list(reasons)
    of_force = {
        str(place["place_id"]): DesignatedReason(
            place_id=str(place["place_id"]),
            name=str(place["name"]),
            days=() if len(place["days"]) == len(ALL_DAYS) else tuple(place["days"]),
            hours=f"{place['from']}-{place['to']}" if place["from"] else "",
        )
        for place in area.designated.to_dict("records")
    }
    rows = zip(names, reasons, strict=True)
    return [[of_force[name], *own] if name in of_force else own for name, own in rows]


def cut_to_walk(
    area: StudyArea, amounts: NDArray[np.float64], polygons: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """The connected pieces of most risk (p,) in each polygon, walked up and down in a dwell."""
    patrol = area.settings.patrol
    max_length = patrol.dwell_minutes * patrol.walking_speed_kmh * 1000 / 60 / 2
    return [find_best_stretch(area.network, amounts, pieces, max_length) for pieces in polygons]


def give_empty_some(
    network: StreetNetwork, risk: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(p,) risk, and in stretches without any their metres, so that there is something to watch."""
    amounts = risk.copy()
    for pieces in stretches:
        if not risk[pieces].any():
            amounts[pieces] = network.piece_metres[pieces]
    return amounts


def place_stretches(
    area: StudyArea, amounts: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> gpd.GeoDataFrame:
    """Stretches with what a patrol needs to watch amounts (p,), numbered in their order."""
    network = area.network
    pieces, size = flatten_stretches(stretches)
    ground = Ground(network, area.features)
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


def describe_stops(area: StudyArea, bare: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Stretches with their stopping place in metres and, `place`, in words."""
    piece, metres = bare["stop_piece"].to_numpy(), bare["stop_metres"].to_numpy()
    stops = Positions(piece, metres, np.zeros(len(bare)))
    x, y = area.network.xy(stops).T
    return bare.assign(place=describe_positions(area.network, stops), stop_x=x, stop_y=y)


def rate_hotspots(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Hotspots in a window: what they are worth by its risk, and why; all else stays as it is."""
    stretches = [np.asarray(pieces, dtype=np.int64) for pieces in hotspots["pieces"]]
    reasons = find_reasons(area, risk, stretches, hotspots)
    rated = hotspots.assign(
        worth=sum_by_stretch(risk.joined, stretches),
        crime_share=sum_by_stretch(risk.crime, stretches),
        reports_share=sum_by_stretch(risk.reports, stretches),
        carried_by=find_carriers(risk, stretches),
        reasons=list(map(write_reasons, add_designations(area, hotspots["hotspot"], reasons))),
    )
    words = [column.name for column in HOTSPOTS.columns if column.form in (TEXT, LIST)]
    # Where risk is even there is no hotspot: pandas takes empty lists for numbers.
    return rated if len(rated) else rated.astype(dict.fromkeys(words, object))
