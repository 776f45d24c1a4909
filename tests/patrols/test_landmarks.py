"""Landmarks: what the map shows near a turn, and nothing else."""

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, strategies as st

from patrolplan.patrols.landmarks import LANDMARK_METRES, Landmarks
from patrolplan.patrols.legs import Landmark

KINDS = ("bus_stop", "station", "park", "building", "shop", "railway")


def _features(*rows):
    kinds, names, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"kind": kinds, "name": names}, geometry=list(shapes), crs="EPSG:27700")


def test_no_house_shop_or_nameless_green_is_a_landmark():
    """A bus stop without a name is one; a railway has no name on the map."""
    landmarks = Landmarks.from_features(
        _features(
            ("building", "Rose Cottage", shapely.Point(0, 0)),
            ("shop", "Corner Shop", shapely.Point(0, 0)),
            ("park", "", shapely.Point(0, 0)),
            ("bus_stop", "", shapely.Point(5, 0)),
            ("railway", "Main Line", shapely.LineString([(100, -9), (100, 9)])),
        )
    )
    assert landmarks.find_nearest(np.array([[0.0, 0.0], [99.0, 0.0]])) == [
        Landmark("bus_stop"),
        Landmark("railway"),
    ]


PLACES = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), PLACES), min_size=1, max_size=12),
    st.lists(PLACES, min_size=1, max_size=5),
)
def test_landmarks_are_those_of_a_search_through_all(signs, places):
    """One after the other, each place against each sign; the first of those as near."""
    rows = [(kind, f"{number}", shapely.Point(place)) for number, (kind, place) in enumerate(signs)]
    found = Landmarks.from_features(_features(*rows)).find_nearest(np.array(places, dtype=float))
    for place, landmark in zip(places, found, strict=True):
        near = [
            (np.hypot(x - place[0], y - place[1]), number, kind)
            for number, (kind, (x, y)) in enumerate(signs)
            if kind not in {"building", "shop"}
        ]
        near = [row for row in near if row[0] <= LANDMARK_METRES]
        if not near:
            assert landmark is None
            continue
        _, number, kind = min(near)
        assert landmark == Landmark(kind, "" if kind == "railway" else f"{number}")
