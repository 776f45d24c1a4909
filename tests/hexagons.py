"""Hexagons as forces draw them, and what lies in them by a slow obvious loop."""

import dataclasses

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.inputs.polygons import ALL_DAYS


def make_hexagons(bounds, side):
    """Hexagons of a side in metres that cover a box on the British grid, named by number."""
    west, south, east, north = bounds
    width = side * np.sqrt(3)
    turn = np.pi / 6 + np.pi / 3 * np.arange(6)
    corners = side * np.column_stack([np.cos(turn), np.sin(turn)])
    rows, columns = np.arange(south, north + side, 1.5 * side), np.arange(west, east + width, width)
    centres = [(x + row % 2 * width / 2, y) for row, y in enumerate(rows) for x in columns]
    shapes = [shapely.Polygon(np.add(corners, centre)) for centre in centres]
    ids = [f"HEX {number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"id": ids}, geometry=shapes, crs="EPSG:27700")


def designate(area, *polygons, **columns):
    """The area with these polygons as the force's hotspots HO-1, HO-2..., on all days and hours."""
    ids, days = [f"HO-{n}" for n in range(1, len(polygons) + 1)], [list(ALL_DAYS)] * len(polygons)
    given = {"place_id": ids, "name": "", "days": days, "from": "", "to": "", "minutes": np.nan}
    table = gpd.GeoDataFrame(given, geometry=list(polygons), crs=area.projection.crs)
    return dataclasses.replace(area, designated=table.assign(**columns))


def measure_slowly(line, polygons):
    """Metres of a line in each polygon and outside, one polygon after another."""
    rest, metres = line, []
    for polygon in polygons:
        metres.append(rest.intersection(polygon).length)
        rest = rest.difference(polygon)
    return [*metres, rest.length]
