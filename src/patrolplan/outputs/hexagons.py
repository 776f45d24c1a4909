"""Risk on the hexagons of H3, for maps that a force already has.

A hexagon has sums over the street in it, of what the layer of streets shows: not where pupils are.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.atomic import explain_os_errors, write_beside
from patrolplan.errors import InputError, OutputError, describe_install
from patrolplan.network import StreetNetwork
from patrolplan.network.shapes import measure_parts
from patrolplan.outputs.geopackage import write_layers
from patrolplan.risk.history import get_harm_days
from patrolplan.risk.surface import Risk

MAX_RESOLUTION = 12  # Sides of about 10 m; finer cells are smaller than a street


def risk_on_hexagons(area: StudyArea, risk: Risk, *, h3_resolution: int) -> gpd.GeoDataFrame:
    """Risk and expected incidents on hexagons.

    Parameters
    ----------
    area
        The study area.
    risk
        Its risk; see `patrolplan.estimate_risk`.
    h3_resolution
        Resolution of the cells, 0 to 12; 9 has sides of about 200 m. It needs the package h3:
        `pip install h3`.

    Returns
    -------
    geopandas.GeoDataFrame
        One row per hexagon with street, in the area's CRS: `cell` (its name), `street_metres`;
        `risk`, `crime` and `reports`, each as a share of the area's (without pupils' exposure, as
        in the layer of streets); `pai`, the share of risk divided by that of street; `harm_days`
        and `expected`, harm and incidents of recorded crime expected in the window on one day, and
        `expected_CATEGORY` of each category.

    Raises
    ------
    InputError
        When the resolution is impossible, h3 is not installed, or the risk was built by hand.
    """
    check_resolution(h3_resolution)
    network, expected = area.network, risk.expected
    cells = _draw_cells(network, h3_resolution)
    polygons = np.array(list(cells.values()), dtype=object)
    metres = measure_parts(network.piece_lines[: len(network)], polygons)
    # Rounded corners must neither lose nor add street.
    share = metres.multiply(1.0 / metres.sum(axis=1)[:, None]).T.tocsr()
    streets = risk.frame(network)
    sums = pd.DataFrame({"cell": list(cells), "street_metres": share @ streets["metres"]})
    sums[["risk", "crime", "reports"]] = share @ streets[["risk", "crime", "reports"]].to_numpy()
    street_share = sums["street_metres"] / sums["street_metres"].sum()
    names = [re.sub("[^a-z0-9]+", "_", f"expected {name}".lower()) for name in expected]
    by_category = share @ expected.to_numpy()
    frame = sums.assign(
        pai=sums["risk"] / np.maximum(street_share, 1e-12),
        harm_days=by_category @ get_harm_days(expected.columns, area.settings.risk.harm),
        expected=by_category.sum(axis=1),
    ).join(pd.DataFrame(by_category, columns=names))
    frame = gpd.GeoDataFrame(frame, geometry=polygons, crs=network.projection.crs)
    return frame[frame["street_metres"] > 0].reset_index(drop=True)


def check_resolution(h3_resolution: int) -> None:
    """Raise if cells of this resolution are not possible, see `risk_on_hexagons`."""
    where, what = "hexagons", f"{h3_resolution} is not a possible resolution of H3"
    if h3_resolution not in range(MAX_RESOLUTION + 1):
        raise InputError.one(where, what, f"choose 0 to {MAX_RESOLUTION}")
    if find_spec("h3") is None:
        remedy = f"install it with: {describe_install('h3')}"
        raise InputError.one(where, "the package h3 is not installed", remedy)


def _draw_cells(network: StreetNetwork, resolution: int) -> dict[str, shapely.Polygon]:
    """Polygons in metres, by name, of the cells around all streets and those next to them."""
    import h3  # noqa: PLC0415 - an extra

    spacing = h3.average_hexagon_edge_length(resolution, unit="m") / 4  # cells differ in size
    lines = shapely.segmentize(network.piece_lines[: len(network)], spacing)
    xy = np.unique(shapely.get_coordinates(lines), axis=0)
    longitude, latitude = network.projection.to_degrees(*xy.T)
    points = zip(latitude.tolist(), longitude.tolist(), strict=True)
    own = {h3.latlng_to_cell(*point, resolution) for point in points}
    names = sorted({cell for one in own for cell in h3.grid_disk(one, 1)})
    corners = [np.array(h3.cell_to_boundary(name)).T[::-1] for name in names]
    metres = (np.column_stack(network.projection.to_metres(*degrees)) for degrees in corners)
    return dict(zip(names, map(shapely.Polygon, metres), strict=True))


def write_hexagons(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write hexagons as a GeoPackage, completely; an earlier file stays unchanged until then."""
    check_file_name(path)
    part, remedy = path.with_name(f".{path.stem}.part.gpkg"), "choose another folder"
    with explain_os_errors(path, remedy), write_beside(path, part):
        part.unlink(missing_ok=True)  # of a run that was killed: layers are added to it
        write_layers(part, {"risk_hexagons": frame})


def check_file_name(path: Path) -> None:
    """Raise if `write_hexagons` could not write a file of this name."""
    if path.suffix.lower() != ".gpkg" or path.is_dir() or not path.parent.is_dir():
        message = f"{path}: is no file of hexagons; name one ending in .gpkg in an existing folder"
        raise OutputError(message)
