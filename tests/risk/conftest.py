"""Builders of small areas and histories with known crime."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from clock_areas import build_empty_tables
from static_risk import STATIC

from patrolplan.area.missing_months import Exposure
from patrolplan.crs import Projection
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.network.pieces import Pieces
from patrolplan.privacy import ReportGroups
from patrolplan.risk.history import History, SpatialUnits
from patrolplan.settings import parse_settings


def grid(side, metres=100.0):
    """Streets of a square town: `side` by `side` junctions."""
    number = np.arange(side * side).reshape(side, side)
    xy = metres * np.column_stack([(number % side).ravel(), (number // side).ravel()]) + 530_000.0
    along = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    across = np.column_stack([number[:-1].ravel(), number[1:].ravel()])
    ends = np.concatenate([along, across])
    count = len(ends)
    way = {"osm_id": [1], "name": "Long Lane", "highway": "residential", "lit": ""}
    return StreetNetwork(
        Pieces(
            node_xy=xy,
            piece_nodes=ends,
            piece_metres=np.hypot(*(xy[ends[:, 1]] - xy[ends[:, 0]]).T),
            piece_way=np.zeros(count, dtype=np.int64),
            piece_section=np.arange(count),
            coordinates=xy[ends].reshape(-1, 2),
            first=2 * np.arange(count),
            last=2 * np.arange(count) + 2,
            ways=pd.DataFrame(way),
        ),
        Projection(),
    )


def catchments_of(network, per=2):
    """Every so many pieces are one catchment."""
    of_piece = np.arange(len(network)) // per
    metres = np.bincount(of_piece, network.piece_metres)
    first = np.unique(of_piece, return_index=True)[1]
    share = network.piece_metres / metres[of_piece]
    return Catchments(network.piece_middle[first], of_piece, share, public=per > 1)


def history(counts, network=None, per=2, categories=None, targets=None):
    """A history of (t, c, k) counts on a square town that is large enough."""
    counts = np.asarray(counts, dtype=np.int32)
    network = grid(int(np.ceil(np.sqrt(per * counts.shape[1]))) + 1) if network is None else network
    catchments = catchments_of(network, per)
    whole = np.zeros((counts.shape[0], len(catchments), counts.shape[2]), dtype=np.int32)
    whole[:, : counts.shape[1]] = counts[:, : len(catchments)]
    names = categories or tuple(f"kind {number}" for number in range(counts.shape[2]))
    months = pd.date_range("2022-01-01", periods=len(counts), freq="MS", unit="ns")
    return History(whole, months, names, targets or names, SpatialUnits(network, catchments))


def uneven(months=20, places=60, kinds=2, seed=3, mean=1.5):
    """Counts whose rates differ from place to place and stay as they are."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, 2.0, size=(places, kinds)) * mean
    return rng.poisson(rates, size=(months, places, kinds))


def area(incidents, network=None, *, settings=None, reports=None, term_dates=None):
    """As much of a study area as risk needs, with exact places; nothing moves risk in time."""
    network = grid(6) if network is None else network
    catchments = catchments_of(network, 1)
    table = pd.DataFrame(incidents)
    middle = network.piece_middle[table["piece"].to_numpy()]
    timed = "occurred_at" in table
    times = ("month", "occurred_at", "occurred_until")
    columns = {name: pd.to_datetime(table.get(name, pd.NaT)) for name in times}
    columns |= {"timed": table.get("timed", timed), "category": pd.Categorical(table["category"])}
    points = gpd.points_from_xy(*middle.T)
    frame = gpd.GeoDataFrame(columns, geometry=points, crs="EPSG:27700")
    sources = {"crimes": "c.csv", "schools": "s.csv", "streets": "s.osm"}
    given = {"sources": sources, **STATIC, **(settings or {})}
    return SimpleNamespace(
        settings=parse_settings(given, folder="."),
        network=network,
        catchments=catchments,
        incidents=frame,
        incident_catchment=table["piece"].to_numpy(),
        exposure=Exposure.complete(),
        designated=None,
        times_known=timed,
        snapped=not timed,
        reports=reports or ReportGroups.empty(len(network), 5),
        schools=pd.DataFrame({"finish_time": ["15:15", "15:30", "15:00"]}),
        way_home=build_empty_tables(network.projection),
        term_dates=pd.DataFrame({"urn": [], "from": [], "to": [], "kind": []})
        if term_dates is None
        else term_dates,
        notes=(),
        basis={},
        pupils_basis={},
    )


def rows(months, places, seed=1, category="Robbery", start="2022-01"):
    """Incidents of one category, the same number in every month, at random places of a list."""
    rng = np.random.default_rng(seed)
    names = pd.period_range(start, periods=len(months), freq="M").astype(str)
    return [
        {"piece": int(rng.choice(places)), "category": category, "month": f"{name}-01"}
        for name, count in zip(names, months, strict=True)
        for _ in range(count)
    ]


@pytest.fixture(scope="session")
def make():
    """The builders above."""
    return SimpleNamespace(
        grid=grid, catchments_of=catchments_of, history=history, uneven=uneven, area=area, rows=rows
    )
