"""How QGIS draws each layer: signs and tones as on the cards, legible in black and white.

A style is a QML document beside this module: with the least and the most risk of each class, and
the form of times filled in, it is in the GeoPackage, so that a layer always has it, and in the
project. QGIS 3.22 or later reads it. Words of the legend are fixed, and never from the data.
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.outputs.cartography.basemap import STREETS
from patrolplan.outputs.frames import NO_DAY
from patrolplan.outputs.offline_page import load_template

RISK_SHARES = (0.02, 0.05, 0.10, 0.25)
"""Share of street length with at least the risk a metre of each class but the last, cumulative."""

STARTS = {"patrols": "starts", "stops": "arrives", "schools": "opens"}
"""Columns with the beginning of times."""

STYLED = ("risk", "hotspots", "patrols", "legs", "stops", "schools")


def build_styles(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """QML of the layers that have a style, by name."""
    return {
        name: build_style(name, frame)
        for name, frame in layers.items()
        if name in STYLED and (name != "risk" or "risk_per_metre" in frame)
    }


def build_style(name: str, frame: gpd.GeoDataFrame, *, over_streets: bool = False) -> str:
    """QML of a style; `over_streets` leaves out streets with little risk, which lie below it."""
    limits = find_breaks(frame["risk_per_metre"], frame["metres"]) if name == "risk" else []
    times = frame[STARTS[name]] if STARTS.get(name) in frame else pd.Series(dtype="datetime64[ns]")
    shown = "yyyy-MM-dd HH:mm" if (times.dt.date != NO_DAY).any() else "HH:mm"
    template = load_template(Path(__file__).with_name(f"{name}.qml"))
    return template.render(
        limits=limits, shown=shown, covers_streets=over_streets, streets=[*STREETS.values()]
    )


def find_breaks(values: pd.Series, metres: pd.Series) -> list[float]:
    """Limits of the classes of risk by length of street, from the highest value to the lowest.

    Examples
    --------
    >>> find_breaks(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([90.0, 5.0, 3.0, 2.0]))
    [4.0, 4.0, 3.0, 2.0, 1.0, 1.0]
    """
    amounts = values.to_numpy(dtype=np.float64)
    if not len(amounts):
        return [0.0] * (len(RISK_SHARES) + 2)
    order = np.argsort(-amounts, kind="stable")
    share = np.cumsum(metres.to_numpy()[order]) / metres.sum()
    limits = [amounts[order][np.searchsorted(share, one - 1e-9)] for one in RISK_SHARES]
    return [float(one) for one in (amounts.max(), *limits, amounts.min())]
