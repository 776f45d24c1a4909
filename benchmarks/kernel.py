"""The network kernel at city size, and compared with plain networkx.

python benchmarks/kernel.py            # prints JSON
python benchmarks/kernel.py --write    # also writes benchmarks/kernel.md
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.network import StreetNetwork
from patrolplan.network.pieces import Pieces
from patrolplan.risk.kernels import compute_tail, spread_on_network

BANDWIDTH = 300.0
BLOCK_METRES = 90.0
PIECES_A_BLOCK = 3


def build_town(side: int, seed: int = 1) -> StreetNetwork:
    """Blocks of three pieces of about 30 m; one in eight is missing, as in real towns."""
    rng = np.random.default_rng(seed)
    junction = np.arange(side * side).reshape(side, side)
    along = np.column_stack([junction[:, :-1].ravel(), junction[:, 1:].ravel()])
    across = np.column_stack([junction[:-1].ravel(), junction[1:].ravel()])
    section = np.concatenate([along, across])
    section = section[rng.random(len(section)) > 1 / 8]
    joint = side * side + np.arange(len(section) * (PIECES_A_BLOCK - 1)).reshape(len(section), -1)
    chain = np.column_stack([section[:, 0], joint, section[:, 1]])
    nodes = np.stack([chain[:, :-1].ravel(), chain[:, 1:].ravel()], axis=1)
    metres = BLOCK_METRES / PIECES_A_BLOCK * rng.uniform(0.8, 1.2, len(section))
    count = len(nodes)
    parts = Pieces(
        node_xy=np.zeros((int(nodes.max()) + 1, 2)),
        piece_nodes=nodes.astype(np.int64),
        piece_metres=np.repeat(metres, PIECES_A_BLOCK),
        piece_way=np.zeros(count, dtype=np.int64),
        piece_section=np.repeat(np.arange(len(section)), PIECES_A_BLOCK),
        coordinates=np.zeros((2 * count, 2)),
        first=2 * np.arange(count),
        last=2 * np.arange(count) + 2,
        ways=pd.DataFrame({"osm_id": [1], "name": [""], "highway": ["residential"], "lit": [""]}),
    )
    return StreetNetwork(parts, Projection())


def draw_events(network: StreetNetwork, count: int, seed: int = 2) -> NDArray[np.float64]:
    """Weighted events on pieces, more on some than on others."""
    rng = np.random.default_rng(seed)
    chance = rng.gamma(0.5, size=len(network))
    piece = rng.choice(len(network), count, p=chance / chance.sum())
    return np.bincount(piece, rng.uniform(0.5, 1.5, count), minlength=len(network))


def compute_with_networkx(
    network: StreetNetwork, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The same kernel with networkx and Python loops."""
    graph = nx.MultiGraph()
    for piece, (start, end) in enumerate(network.piece_nodes.tolist()):
        graph.add_edge(start, end, key=piece, metres=float(network.piece_metres[piece]))
    mass = np.zeros(len(network))
    for source in np.flatnonzero(weights).tolist():
        start, end = network.piece_nodes[source].tolist()
        half = float(network.piece_metres[source]) / 2
        mass[source] += weights[source] * 2 * compute_tail(half / BANDWIDTH)
        walks = [(start, source, half, weights[source]), (end, source, half, weights[source])]
        while walks:
            node, arrived, walked, share = walks.pop()
            edges = list(graph.edges(node, keys=True, data="metres"))
            on = [edge for edge in edges if edge[2] != arrived] or edges
            for _, other, piece, metres in on:
                given = share / len(on)
                reached = walked + metres
                behind = compute_tail(walked / BANDWIDTH)
                mass[piece] += given * (compute_tail(reached / BANDWIDTH) - behind)
                if reached < BANDWIDTH:
                    walks.append((other, piece, reached, given))
    return mass


def read_peak_gigabytes() -> float:
    """Peak memory of this process."""
    unit = 1024**2 if sys.platform != "darwin" else 1024**3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure() -> dict[str, float | int]:
    """Measure at city size, then at a size that plain networkx can handle."""
    network = build_town(283)
    weights = draw_events(network, 100_000)
    started = time.perf_counter()
    mass = spread_on_network(network, weights, BANDWIDTH)
    seconds = time.perf_counter() - started
    memory = read_peak_gigabytes()
    small = build_town(40)
    few = draw_events(small, 1_000)
    started = time.perf_counter()
    ours = spread_on_network(small, few, BANDWIDTH, floor=0.0)
    quick = time.perf_counter() - started
    started = time.perf_counter()
    slow_mass = compute_with_networkx(small, few)
    slow = time.perf_counter() - started
    return {
        "nodes": len(network.node_xy),
        "pieces": len(network),
        "events": 100_000,
        "bandwidth_metres": BANDWIDTH,
        "seconds": round(seconds, 2),
        "peak_gigabytes": round(memory, 2),
        "mass_lost": float(abs(mass.sum() - weights.sum()) / weights.sum()),
        "plain_events": 1_000,
        "plain_seconds": round(slow, 2),
        "times_faster_than_networkx": round(slow / quick),
        "largest_difference_to_networkx": float(np.abs(ours - slow_mass).max()),
    }


def main() -> None:
    """Measure, print, and write the section file if requested."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="write kernel.md beside this file")
    found = measure()
    if parser.parse_args().write:
        against = f"{found['plain_events']:,} events, {found['plain_seconds']} s"
        text = f"""## Network kernel

Equal-split discontinuous kernel, {found["events"]:,} weighted events, {BANDWIDTH:.0f} m, on
{found["nodes"]:,} nodes and {found["pieces"]:,} pieces of street of a made-up town; one thread.

| what | measured | wanted |
| --- | --- | --- |
| time | {found["seconds"]} s | 3 s |
| most memory of the whole process | {found["peak_gigabytes"]} GB | 1.5 GB |
| share of mass lost | {found["mass_lost"]:.1e} | 0 |
| against networkx ({against}) | {found["times_faster_than_networkx"]:,} times faster | |
| largest difference to it | {found["largest_difference_to_networkx"]:.1e} | 0 |

`python benchmarks/kernel.py --write` measures again.
"""
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
