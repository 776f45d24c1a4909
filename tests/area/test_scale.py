"""A CRS whose metres are none where the area lies is refused."""

import pytest
import shapely

import patrolplan as pp
from patrolplan.area.load import check_scale
from patrolplan.crs import Projection
from patrolplan.errors import InputError

LONDON, FRANKFURT, SYDNEY = (-0.13, 51.52), (8.68, 50.11), (151.2, -33.87)


def _check(crs, place):
    projection = Projection(crs)
    x, y = projection.to_metres([place[0]], [place[1]])
    check_scale(projection, shapely.box(x[0] - 2000, y[0] - 2000, x[0] + 2000, y[0] + 2000))


@pytest.mark.parametrize(
    ("crs", "place"),
    [
        ("EPSG:27700", LONDON),
        ("EPSG:27700", (-5.93, 54.6)),
        ("EPSG:27700", (-1.2, 60.3)),
        ("EPSG:32630", LONDON),
        ("EPSG:32631", LONDON),
        ("EPSG:25832", FRANKFURT),
        ("EPSG:3035", FRANKFURT),
        ("EPSG:32756", SYDNEY),
    ],
)
def test_a_crs_of_the_place_is_taken(crs, place):
    """National grids, UTM zones and equal-area CRSs pass where they are meant for."""
    _check(crs, place)


@pytest.mark.parametrize(
    ("crs", "place", "use"),
    [
        ("EPSG:3857", LONDON, "EPSG:27700"),
        ("EPSG:32718", LONDON, "EPSG:27700"),
        ("EPSG:4087", LONDON, "EPSG:27700"),
        ("EPSG:27700", FRANKFURT, "EPSG:32632"),
        ("EPSG:3857", SYDNEY, "EPSG:32756"),
    ],
)
def test_a_crs_of_another_place_is_refused_with_one_that_fits(crs, place, use):
    """The message names the key and the CRS, how far it is off, and which to use."""
    with pytest.raises(InputError) as told:
        _check(crs, place)
    line = str(told.value)
    assert line.startswith(f"[area] crs: '{crs}' ")
    assert use in line or "EPSG:27700 in Great Britain" in line


def test_loading_refuses_it(lane):
    """An area of web maps' metres is refused while it is loaded."""
    bounds = [-0.131, 51.51, -0.099, 51.53]
    with pytest.raises(
        pp.InputError, match=r"\[area\] crs: 'EPSG:3857' takes 1 km .* for 1\.61 km"
    ):
        lane(area={"crs": "EPSG:3857", "bounds": bounds})
