"""Hexagons as forces draw them, and what lies in them by a slow obvious loop."""

import geopandas as gpd
import numpy as np
import shapely


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


def measure_slowly(line, polygons):
    """Metres of a line in each polygon and outside, one polygon after another."""
    rest, metres = line, []
    for polygon in polygons:
        metres.append(rest.intersection(polygon).length)
        rest = rest.difference(polygon)
    return [*metres, rest.length]
