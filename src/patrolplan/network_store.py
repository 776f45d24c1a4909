"""A network kept as plain arrays on disk, opened without reading: processes share the pages."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from patrolplan.network import StreetNetwork
from patrolplan.pieces import Pieces
from patrolplan.projection import Projection

WAYS = "ways"


def keep_network(network: StreetNetwork, folder: Path) -> None:
    """Write a network's arrays into a folder, one file each.

    Parameters
    ----------
    network
        The streets.
    folder
        An empty folder, or one that does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _array_names():
        np.save(folder / f"{name}.npy", getattr(network.parts, name), allow_pickle=False)
    network.parts.ways.to_parquet(folder / f"{WAYS}.parquet")
    (folder / "crs.txt").write_text(network.projection.crs, encoding="utf-8")


def open_network(folder: Path) -> StreetNetwork:
    """Open a network that `keep_network` wrote.

    Its arrays are memory-mapped and cannot be written to: however many processes open it, the
    computer holds them once, and only the parts that are looked at.

    Raises
    ------
    FileNotFoundError
        When no network is kept there.
    """
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in _array_names()
    }
    ways = pd.read_parquet(folder / f"{WAYS}.parquet")
    crs = (folder / "crs.txt").read_text(encoding="utf-8")
    return StreetNetwork(Pieces(**arrays, ways=ways), Projection(crs))


def _array_names() -> list[str]:
    return [field.name for field in fields(Pieces) if field.name != WAYS]
