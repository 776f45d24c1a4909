"""Where one could stand in an area, from the cache where the same streets were surveyed before.

It rests on streets and map features alone, so a new month of crime finds it there.
"""

from functools import partial
from typing import get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.atomic import hash_content
from patrolplan.cache import Arrays, hash_arrays, load_or_compute_arrays
from patrolplan.hotspots.ground import (
    FEATURE_STANDS,
    PATHS,
    STREETS,
    Ground,
    Lighting,
    PieceKinds,
    Stand,
    StandingPlaces,
    survey_ground,
)
from patrolplan.network import Positions, StreetNetwork
from patrolplan.network.build import NETWORKS
from patrolplan.risk.spatial_units import hash_code

PIECE_ARRAYS = (
    "node_xy",
    "piece_nodes",
    "piece_metres",
    "piece_way",
    "coordinates",
    "first",
    "last",
)

CODED: dict[str, tuple[str, ...]] = {"stand": get_args(Stand), "lit": get_args(Lighting)}
"""What is stored of each place as a number, and the words that the numbers stand for."""


def load_or_survey_ground(network: StreetNetwork, features: gpd.GeoDataFrame) -> Ground:
    """Find every place where one could stand, see `survey_ground`; once for the same streets."""
    arrays = load_or_compute_arrays(
        NETWORKS, _hash_ground(network, features), partial(_survey, network, features)
    )
    piece = arrays["piece"].astype(np.int64)
    words = {
        name: np.array(meanings, dtype=object)[arrays[name]] for name, meanings in CODED.items()
    }
    places = StandingPlaces(
        Positions(piece, arrays["offset"], np.zeros(len(piece))),
        at=arrays["names"].astype(object)[arrays["at"]],
        **words,
    )
    kinds = PieceKinds(arrays["is_street"], arrays["is_place"], arrays["rank"].astype(np.int64))
    return Ground(network, kinds, places)


def _survey(network: StreetNetwork, features: gpd.GeoDataFrame) -> Arrays:
    """The ground as it is stored."""
    ground = survey_ground(network, features)
    kinds, places = ground.kinds, ground.places
    at, names = pd.factorize(places.at)
    codes = {
        name: pd.Index(meanings).get_indexer(getattr(places, name)).astype(np.int8)
        for name, meanings in CODED.items()
    }
    return {
        "is_street": kinds.is_street,
        "is_place": kinds.is_place,
        "rank": kinds.rank.astype(np.int8),
        "piece": places.positions.piece.astype(np.int32),
        "offset": places.positions.offset_metres,
        "names": names.astype(np.str_),
        "at": at.astype(np.int32),
        **codes,
    }


def _hash_ground(network: StreetNetwork, features: gpd.GeoDataFrame) -> str:
    """Digest of streets, features, and the code that surveys them."""
    parts, crossings = network.walkable.parts, network.crossing_points
    points = features[features["kind"].isin(FEATURE_STANDS)]
    texts, numbers = [], {}
    for name, column in [*parts.ways.items(), *points[["kind", "name"]].items()]:
        if pd.api.types.is_numeric_dtype(column):
            numbers[f"way {name}"] = column.to_numpy()
        else:
            texts.append("\n".join(map(str, column.tolist())))
    code = [hash_code(f"patrolplan.{room}") for room in ("network", "hotspots")]
    basis = [shapely.geos_version_string, *sorted(STREETS | PATHS), str(len(network)), *code]
    arrays = numbers | {name: getattr(parts, name) for name in PIECE_ARRAYS}
    arrays |= {"crossings": crossings.xy, "crossing_kinds": crossings.kind.astype(np.str_)}
    arrays |= {"shapes": np.frombuffer(b"".join(shapely.to_wkb(points.geometry)), dtype=np.uint8)}
    return hash_arrays(f"ground {hash_content(*basis, *texts)}", arrays)
