"""Risk on hexagons of any size, for maps that a force already has: plain ones, or H3 cells.

Risk is estimated on pieces of street; a hexagon has the sum over the street in it, and a piece that
crosses a border is divided by its metres, so the hexagons together have all of the risk. They sum
the columns of the layer `risk` and the expected incidents, neither of which uses where pupils are:
they show nothing that the layer of streets does not.
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.atomic import explain_os_errors, write_beside
from patrolplan.crs import Projection
from patrolplan.errors import InputError, OutputError, describe_install
from patrolplan.inputs.formats import PARQUET
from patrolplan.network.shapes import measure_parts
from patrolplan.outputs.geopackage import write_layers
from patrolplan.risk.history import get_harm_days
from patrolplan.risk.surface import Risk

SOURCE = "hexagons"
MIN_SIDE_METRES, MAX_SIDE_METRES = 10.0, 100_000.0
MAX_RESOLUTION = 12
"""H3 cells of this resolution have sides of about 10 m; finer ones are smaller than a street."""

FRAME_SUFFIXES = (".gpkg", ".geojson", *PARQUET)

CORNERS = np.pi / 6 + np.pi / 3 * np.arange(6)
"""Angles of the corners: two sides run north."""

NEIGHBOURS = np.array([(0, 0), (1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)])
"""Offsets of a hexagon itself and of those around it."""

Cells = Mapping[str, shapely.Polygon]
"""Hexagons by name, in metres."""


def risk_on_hexagons(
    area: StudyArea,
    risk: Risk,
    *,
    side_metres: float | None = None,
    h3_resolution: int | None = None,
) -> gpd.GeoDataFrame:
    """Risk and expected incidents on hexagons.

    Parameters
    ----------
    area
        The study area.
    risk
        Its risk; see `patrolplan.estimate_risk`.
    side_metres
        Side of plain hexagons. Their grid is fixed: one hexagon is centred on the origin of the
        area's CRS, so that neighbouring areas and later months have the same ones.
    h3_resolution
        Resolution of H3 cells instead, 0 to 12; 9 has sides of about 200 m. It needs the package
        h3: `pip install h3`.

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
        When neither or both of the sizes are given, or an impossible one; when h3 is not installed;
        when the risk was built by hand.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> cells = pp.risk_on_hexagons(area, pp.estimate_risk(area), side_metres=250)
    >>> bool(abs(cells["risk"].sum() - 1) < 1e-9), cells["cell"].is_unique
    (True, True)
    """
    network = area.network
    lines = network.piece_lines[: len(network)]
    check_hexagon_size(side_metres, h3_resolution)
    if side_metres is not None:
        cells = _draw_plain_cells(_sample_points(lines, side_metres / 2), side_metres)
    else:
        cells = _draw_h3_cells(lines, network.projection, int(h3_resolution or 0))
    polygons = np.array(list(cells.values()), dtype=object)
    metres = measure_parts(lines, polygons)
    # Rounded corners must neither lose nor add street.
    share = metres.multiply(1.0 / metres.sum(axis=1)[:, None]).tocsr()
    streets, expected = risk.frame(network), risk.expected
    harm = get_harm_days(expected.columns, area.settings.risk.harm)
    by_category = share.T @ expected.to_numpy()
    street_metres = share.T @ network.piece_metres[: len(network)]
    columns = {name: share.T @ streets[name].to_numpy() for name in ("risk", "crime", "reports")}
    frame = gpd.GeoDataFrame(
        {
            "cell": list(cells),
            "street_metres": street_metres,
            **columns,
            "pai": columns["risk"] / np.maximum(street_metres / street_metres.sum(), 1e-12),
            "harm_days": by_category @ harm,
            "expected": by_category.sum(axis=1),
            **{
                f"expected_{re.sub('[^a-z0-9]+', '_', str(name).lower())}": by_category[:, column]
                for column, name in enumerate(expected)
            },
        },
        geometry=polygons,
        crs=network.projection.crs,
    )
    return frame[street_metres > 0].reset_index(drop=True)


def check_hexagon_size(side_metres: float | None, h3_resolution: int | None) -> None:
    """Raise if hexagons of this size are not possible, see `risk_on_hexagons`."""
    if (side_metres is None) == (h3_resolution is None):
        what = "the size is not clear"
        raise InputError.one(SOURCE, what, "give either side_metres or h3_resolution")
    if side_metres is not None and not MIN_SIDE_METRES <= side_metres <= MAX_SIDE_METRES:
        remedy = f"choose {MIN_SIDE_METRES:g} to {MAX_SIDE_METRES:,.0f} metres"
        raise InputError.one(SOURCE, f"{side_metres:g} is not a possible side", remedy)
    if h3_resolution is not None and h3_resolution not in range(MAX_RESOLUTION + 1):
        what = f"{h3_resolution} is not a possible resolution of H3"
        raise InputError.one(SOURCE, what, f"choose 0 to {MAX_RESOLUTION}")
    if h3_resolution is not None and find_spec("h3") is None:
        remedy = f"install it with: {describe_install('h3')}"
        raise InputError.one(SOURCE, "the package h3 is not installed", remedy)


def _sample_points(lines: NDArray[np.object_], spacing: float) -> NDArray[np.float64]:
    """(n, 2) points along lines, with the spacing as the maximum distance between neighbours."""
    return np.unique(shapely.get_coordinates(shapely.segmentize(lines, spacing)), axis=0)


def _draw_plain_cells(xy: NDArray[np.float64], side: float) -> Cells:
    """The hexagons around points (n, 2), and those next to them, named by their place in the grid.

    A hexagon is q columns to the east and r rows to the north, each row half a column farther east
    than the one below. The nearest middle is found by rounding the three coordinates q, r and -q -
    r, and correcting the one that was rounded most, so that their sum is 0.
    """
    r = xy[:, 1] / (1.5 * side)
    q = xy[:, 0] / (np.sqrt(3) * side) - r / 2
    exact = np.column_stack([q, r, -q - r])
    cubes = np.round(exact)
    most = np.argmax(np.abs(cubes - exact), axis=1)
    rows = np.arange(len(cubes))
    cubes[rows, most] -= cubes.sum(axis=1)
    own = np.unique(cubes[:, :2].astype(np.int64), axis=0)
    steps = np.unique((own[:, None] + NEIGHBOURS).reshape(-1, 2), axis=0)
    middle = np.column_stack(
        [np.sqrt(3) * side * (steps[:, 0] + steps[:, 1] / 2), 1.5 * side * steps[:, 1]]
    )
    corners = side * np.column_stack([np.cos(CORNERS), np.sin(CORNERS)])
    polygons = shapely.polygons(middle[:, None] + corners)
    names = (f"{side:g}m {q} {r}" for q, r in steps.tolist())
    return dict(zip(names, polygons.tolist(), strict=True))


def _draw_h3_cells(lines: NDArray[np.object_], projection: Projection, resolution: int) -> Cells:
    """The H3 cells around lines, and those next to them."""
    import h3  # noqa: PLC0415 - an extra

    spacing = h3.average_hexagon_edge_length(resolution, unit="m") / 4  # cells differ in size
    longitude, latitude = projection.to_degrees(*_sample_points(lines, spacing).T)
    points = zip(latitude.tolist(), longitude.tolist(), strict=True)
    own = {h3.latlng_to_cell(*point, resolution) for point in points}
    names = sorted({cell for one in own for cell in h3.grid_disk(one, 1)})
    polygons = {}
    for name in names:
        corners = np.array(h3.cell_to_boundary(name))
        polygons[name] = shapely.Polygon(
            np.column_stack(projection.to_metres(corners[:, 1], corners[:, 0]))
        )
    return polygons


def write_frame(path: Path, frame: gpd.GeoDataFrame, layer: str) -> None:
    """Write a table as GeoPackage, GeoJSON or GeoParquet, by the file's suffix, completely.

    An earlier file of that name stays unchanged until then.
    """
    suffix = path.suffix.lower()
    check_frame_name(path)
    with (
        explain_os_errors(path, "free some disk space or choose another folder"),
        write_beside(path, path.with_name(f".{path.stem}.part{suffix}")) as part,
    ):
        try:
            if suffix in PARQUET:
                frame.to_parquet(part)
            elif suffix == ".gpkg":
                part.unlink(missing_ok=True)  # of a run that was killed: layers are added to it
                write_layers(part, {layer: frame})
            else:
                pyogrio.write_dataframe(frame.to_crs(4326), part, driver="GeoJSON")
        except RuntimeError as error:  # how GDAL reports a full disk
            raise OSError(str(error)) from None


def check_frame_name(path: Path) -> None:
    """Raise if `write_frame` could not write a file of this name."""
    if path.suffix.lower() not in FRAME_SUFFIXES:
        message = f"{path}: not a name of a file of hexagons; end it in {', '.join(FRAME_SUFFIXES)}"
        raise OutputError(message)
    if path.is_dir() or not path.parent.is_dir():
        message = f"{path}: cannot be written; name a file in a folder that exists"
        raise OutputError(message)
