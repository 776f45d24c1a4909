"""Risk on the hexagons of H3, for maps that a force already has.

Risk is estimated on pieces of street; a hexagon has the sum over the street in it, and a piece that
crosses a border is divided by its metres, so the hexagons together have all of the risk. They sum
the columns of the layer `risk` and the expected incidents, neither of which uses where pupils are:
they show nothing that the layer of streets does not.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from patrolplan.area import StudyArea
from patrolplan.atomic import explain_os_errors, write_beside
from patrolplan.errors import InputError, OutputError, describe_install
from patrolplan.inputs.formats import PARQUET
from patrolplan.network import StreetNetwork
from patrolplan.network.shapes import measure_parts
from patrolplan.outputs.geopackage import write_layers
from patrolplan.risk.history import get_harm_days
from patrolplan.risk.surface import Risk

SOURCE = "hexagons"
MAX_RESOLUTION = 12
"""H3 cells of this resolution have sides of about 10 m; finer ones are smaller than a street."""

FRAME_SUFFIXES = (".gpkg", ".geojson", *PARQUET)


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
        When the resolution is impossible; when h3 is not installed; when the risk was built by
        hand.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> cells = pp.risk_on_hexagons(area, pp.estimate_risk(area), h3_resolution=9)
    >>> bool(abs(cells["risk"].sum() - 1) < 1e-9), cells["cell"].is_unique
    (True, True)
    """
    check_resolution(h3_resolution)
    network = area.network
    lines = network.piece_lines[: len(network)]
    cells = _draw_cells(network, h3_resolution)
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


def check_resolution(h3_resolution: int) -> None:
    """Raise if cells of this resolution are not possible, see `risk_on_hexagons`."""
    if h3_resolution not in range(MAX_RESOLUTION + 1):
        what = f"{h3_resolution} is not a possible resolution of H3"
        raise InputError.one(SOURCE, what, f"choose 0 to {MAX_RESOLUTION}")
    if find_spec("h3") is None:
        remedy = f"install it with: {describe_install('h3')}"
        raise InputError.one(SOURCE, "the package h3 is not installed", remedy)


def _draw_cells(network: StreetNetwork, resolution: int) -> dict[str, shapely.Polygon]:
    """The cells around all streets and those next to them by name, in metres."""
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


def write_frame(path: Path, frame: gpd.GeoDataFrame, layer: str) -> None:
    """Write a table as GeoPackage, GeoJSON or GeoParquet, by the file's suffix, completely.

    An earlier file of that name stays unchanged until then.
    """
    check_frame_name(path)
    suffix = path.suffix.lower()
    with (
        explain_os_errors(path, "free some disk space or choose another folder"),
        write_beside(path, path.with_name(f".{path.stem}.part{suffix}")) as part,
    ):
        if suffix in PARQUET:
            frame.to_parquet(part)
        elif suffix == ".gpkg":
            part.unlink(missing_ok=True)  # of a run that was killed: layers are added to it
            write_layers(part, {layer: frame})
        else:
            try:
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
