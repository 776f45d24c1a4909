"""Walking distances of osmnx and of patrolplan on the same streets, for `hotspot_peers.py`.

    PYTHON walking_peers.py STREETS.osm TASK.npz ANSWER.npz    # the side of osmnx

Both read the same file. Distances are measured from the junction nearest each gate to those nearest
the hotspots' stops, among junctions that both have; then for every piece of street of one it is
checked whether the other has a street there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.area import StudyArea

SAME_METRES = 1.0
"""Junctions within this distance are the same."""

SAME_SHARE = 0.005
"""Maximum difference of equal distances: osmnx measures on a sphere, patrolplan in the CRS."""

SAME_STREET_METRES = 3.0
MIN_JUNCTION_ENDS = 3
REACH_METRES = 1500.0
MOST_KINDS = 4


def run_osmnx(streets: str, task: str, answer: str) -> None:
    """Build the walking graph as in the user guide, and walk from gates to stops."""
    import networkx as nx  # noqa: PLC0415 - only the peers' Python has to have it
    import osmnx as ox  # noqa: PLC0415 - the same
    from scipy.spatial import cKDTree  # noqa: PLC0415 - the same

    with np.load(task) as held:
        crs, junctions, gates, stops = (held[n] for n in ("crs", "junctions", "gates", "stops"))
    ox.settings.useful_tags_way = [*ox.settings.useful_tags_way, "foot", "indoor", "layer"]
    begun = time.process_time()
    graph = ox.graph_from_xml(streets, bidirectional=True, simplify=True, retain_all=False)
    graph = ox.convert.to_undirected(ox.project_graph(graph, to_crs=str(crs)))
    built = time.process_time() - begun
    nodes = list(graph.nodes)
    xy = np.array([(graph.nodes[one]["x"], graph.nodes[one]["y"]) for one in nodes])
    gap, theirs = cKDTree(xy).query(junctions)
    shared = np.flatnonzero(gap < SAME_METRES)
    tree = cKDTree(junctions[shared])
    starts, ends = (shared[tree.query(points)[1]] for points in (gates, stops))
    begun = time.process_time()
    table = np.full((len(starts), len(ends)), np.inf)
    for row, start in enumerate(starts):
        reached = nx.single_source_dijkstra_path_length(
            graph, nodes[theirs[start]], weight="length"
        )
        table[row] = [reached.get(nodes[theirs[end]], np.inf) for end in ends]
    walked = time.process_time() - begun
    edges = ox.graph_to_gdfs(graph, nodes=False).reset_index()
    kinds = edges.apply(_name_kind, axis=1)
    np.savez(
        answer,
        starts=starts,
        ends=ends,
        metres=table,
        shared=len(shared),
        lines=shapely.to_wkb(edges.geometry.to_numpy(), hex=True).astype(np.str_),
        kinds=kinds.to_numpy().astype(np.str_),
        seconds=np.array([built, walked]),
        version=ox.__version__,
    )


def _name_kind(edge: Any) -> str:  # noqa: ANN401 - a row of a frame
    """Class of street, and tags that close it."""
    closed = (("access", {"private", "no"}), ("foot", {"private", "no"}), ("indoor", {"yes"}))
    words = [f"{tag} {edge[tag]}" for tag, values in closed if str(edge.get(tag)) in values]
    classes = edge["highway"] if isinstance(edge["highway"], list) else [edge["highway"]]
    return " ".join([" and ".join(classes), *(f"({one})" for one in words)])


def measure_walking(
    area: StudyArea, streets: Path, stops: NDArray[np.float64], peers: str
) -> dict[str, Any]:
    """Distances, seconds and streets of both, from one OSM file in XML."""
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - not for the side of osmnx

    network = area.network.walkable
    ends_at = np.bincount(network.piece_nodes.ravel(), minlength=len(network.node_xy))
    junctions = np.flatnonzero(ends_at >= MIN_JUNCTION_ENDS)
    gates = area.network.xy(area.gates)
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder) / "task.npz", Path(folder) / "answer.npz"
        xy = network.node_xy[junctions]
        np.savez(task, crs=area.projection.crs, junctions=xy, gates=gates, stops=stops)
        call = [peers, __file__, str(streets), str(task), str(answer)]
        subprocess.run(call, check=True, env={"PYTHONPATH": ""})  # noqa: S603 - our own file
        with np.load(answer) as held:
            theirs = {name: held[name] for name in held.files}
    begun = time.process_time()
    ours = dijkstra(network.node_graph, indices=junctions[theirs["starts"]])
    ours = ours[:, junctions[theirs["ends"]]]
    walked = time.process_time() - begun
    return {
        "area": area.name,
        "version": str(theirs["version"]),
        "junctions": len(junctions),
        "shared": int(theirs["shared"]),
        **compare_metres(ours, theirs["metres"]),
        "walk_seconds": {"patrolplan": walked, "osmnx": theirs["seconds"][1]},
        "build_seconds": {
            "patrolplan": measure_reading(area, streets),
            "osmnx": theirs["seconds"][0],
        },
        "streets": compare_streets(area, theirs),
    }


def measure_reading(area: StudyArea, streets: Path) -> float:
    """Processor seconds from the file to our network, without a cache."""
    from patrolplan.inputs.street_files import read_streets  # noqa: PLC0415
    from patrolplan.network.build import build_network  # noqa: PLC0415
    from patrolplan.tables import LeftOut  # noqa: PLC0415

    begun = time.process_time()
    left_out = LeftOut()
    build_network(read_streets([streets], area.projection, left_out), area.projection, left_out)
    return time.process_time() - begun


def compare_metres(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, Any]:
    """Agreement of the two tables of distances, where either is within reach."""
    near = (np.minimum(ours, theirs) <= REACH_METRES) & (np.maximum(ours, theirs) > 0)
    both = near & np.isfinite(ours) & np.isfinite(theirs)
    less = theirs[both] - ours[both]
    same = np.abs(less) <= np.maximum(SAME_METRES, SAME_SHARE * ours[both])
    return {
        "pairs": int(near.sum()),
        "only_ours": int((near & ~np.isfinite(theirs)).sum()),
        "only_theirs": int((near & ~np.isfinite(ours)).sum()),
        "same": int(same.sum()),
        "ours_shorter": int((~same & (less > 0)).sum()),
        "theirs_shorter": int((~same & (less < 0)).sum()),
        "median_metres_apart": float(np.median(np.abs(less))),
        "largest_metres_apart": float(np.abs(less).max()),
    }


def compare_streets(area: StudyArea, theirs: dict[str, Any]) -> dict[str, Any]:
    """Kilometres of street, by kind, in each but not in the other, within the area."""
    network = area.network.walkable
    inside = shapely.box(*shapely.total_bounds(area.network.piece_lines))
    lines = shapely.from_wkb(theirs["lines"])
    within = shapely.contains(inside, lines)
    tree = shapely.STRtree(network.piece_lines)
    extra = within & ~_lies_on(lines, tree)
    mine = shapely.contains(inside, network.piece_lines)
    missing = mine & ~_lies_on(network.piece_lines, shapely.STRtree(lines))
    return {
        "km": {
            "patrolplan": float(network.piece_metres[mine].sum() / 1000),
            "osmnx": float(shapely.length(lines[within]).sum() / 1000),
        },
        "only_osmnx": _sum_kinds(theirs["kinds"][extra], shapely.length(lines[extra])),
        "only_patrolplan": _sum_kinds(
            network.piece_highway[missing], network.piece_metres[missing]
        ),
    }


def _lies_on(lines: NDArray[np.object_], others: shapely.STRtree) -> NDArray[np.bool_]:
    """Whether a street of the others passes the middle of each line."""
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    found = np.zeros(len(lines), dtype=bool)
    found[others.query(middles, predicate="dwithin", distance=SAME_STREET_METRES)[0]] = True
    return found


def _sum_kinds(kinds: NDArray[Any], metres: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Kilometres by kind, in descending order."""
    names, which = np.unique(kinds.astype(str), return_inverse=True)
    sums = np.bincount(which, metres, len(names)) / 1000
    return [{"kind": str(names[i]), "km": float(sums[i])} for i in np.argsort(-sums)[:MOST_KINDS]]


if __name__ == "__main__":
    run_osmnx(*sys.argv[1:])
