"""Back-test of a force's own hotspots against ours of the same length, by recorded crime.

A force has its own hexagons, wards or beats that it patrols. Whether they will have more harm than
streets chosen by a model is tested on the hold-out months of the back-test: the crime of each month
is counted in theirs, in ours, and in the streets with most crime in the year before. Both of the
latter are chosen from the months before, and have exactly the same length of street as theirs,
since a larger share would look like a better choice. One set of streets is chosen for all
categories, by harm, since patrols go to one set.

Theirs are fixed. If they were drawn with knowledge of some of these months, they look better than
they are: the number of these months is counted if the date of drawing is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.find import locate_hotspots
from patrolplan.network.shapes import measure_parts
from patrolplan.patrols.patrol_backtest import cut_area, use_crime_only
from patrolplan.risk.backtest import Backtest, backtest_risk, hide_categories
from patrolplan.risk.estimate import estimate_risk
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.intervals import compute_interval, draw_months
from patrolplan.risk.models import PriorCount, build_models, fit_or_reuse
from patrolplan.risk.origin_streets import OriginStreets
from patrolplan.risk.rolling_origin import Trials, combine_models, select_components
from patrolplan.risk.scorer import Scorer
from patrolplan.risk.scores import append_harm, divide, sum_unit_slices
from patrolplan.text import list_rows

SOURCE = "compare_hotspots"

ChosenBy = Literal["theirs", "ours", "our hotspots", "prior count"]
"""How streets are chosen: by the force; by most expected harm in our model; our hotspots, the best
first; by most harm in the last twelve months."""

CHOSEN_BY: tuple[ChosenBy, ...] = get_args(ChosenBy)

DRAWN = "drawn"
"""Column with the month or day on which a place was drawn."""


@dataclass(frozen=True)
class ComparisonRow:
    """A row of `HotspotComparison.results`; in files null means unknown."""

    category: str
    chosen_by: ChosenBy
    coverage: float | None
    hit_rate: float | None
    pai: float | None
    n_events: float | None
    ratio: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None


COLUMNS = tuple(one.name for one in fields(ComparisonRow))
"""Columns of `HotspotComparison.results`."""


@dataclass(frozen=True, eq=False)
class HotspotComparison:
    """Crime recorded in the hold-out months in a force's own hotspots, and in ours.

    Parameters
    ----------
    results
        One row for each category and `ChosenBy`, with the `COLUMNS`: `coverage` is the share of the
        street that is held, `hit_rate` the share of crime (of harm for "all") recorded there, `pai`
        the second divided by the first; `ratio` and `difference` of PAI compare with theirs, with
        the 95 % interval of the difference over months. Our hotspots have less street than theirs
        if there are too few of them.
    months
        First days of the hold-out months.
    flattered_months
        How many of them had begun when theirs were drawn; None if unknown.
    places, outside
        Number of places, and of those without a street of the area.
    snapped
        Whether crimes are counted on the streets around their snap points, in all rows.
    """

    results: pd.DataFrame
    months: pd.DatetimeIndex
    flattered_months: int | None
    places: int
    outside: int
    snapped: bool

    def __repr__(self) -> str:
        span = f"{self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m}"
        return f"<HotspotComparison: {self.places} places, {span}>"


def compare_hotspots(
    area: StudyArea,
    theirs: gpd.GeoDataFrame,
    *,
    backtest: Backtest | None = None,
    origins: tuple[str, str] | None = None,
    seed: int | None = None,
) -> HotspotComparison:
    """Compare a force's own hotspots with ours, on months that were not used to choose ours.

    Parameters
    ----------
    area
        The study area.
    theirs
        Polygons in any CRS; where they overlap, street counts once. A column `drawn` has the date
        of drawing, YYYY-MM or YYYY-MM-DD.
    backtest
        A back-test of the area, whose months and models are used; by default one is made.
    origins
        First and last month to be scored, without a back-test; see `patrolplan.backtest_risk`.
    seed
        Seed for ties and for the bootstrap; by default that of the settings.

    Raises
    ------
    InputError
        When `theirs` has no CRS, a row is not a polygon, a date is invalid, or no street is in any
        polygon; when there are too few months.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> hexagon = gpd.GeoDataFrame(geometry=[shapely.box(0.866, 51.524, 0.872, 51.53)], crs=4326)
    >>> compared = pp.compare_hotspots(area, hexagon, origins=("2026-07", "2026-09"))
    >>> table = compared.results.set_index(["category", "chosen_by"])
    >>> float(table.loc[("all", "theirs"), "ratio"])
    1.0
    """
    settings = area.settings
    seed = settings.seed if seed is None else seed
    shapes, drawn = _read_places(theirs, area.network.projection.crs)
    network = area.network
    lines = network.piece_lines[: len(network)]
    union = np.array([shapely.union_all(shapes)], dtype=object)
    inside = np.minimum(measure_parts(lines, union).toarray()[:, 0] / shapely.length(lines), 1.0)
    if not inside.any():
        what = f"none of the {len(shapes)} places has a street of the area"
        raise InputError.one(SOURCE, what, "check their CRS, and that they overlap the area")
    if backtest is None:
        backtest = backtest_risk(area, origins=origins, seed=seed)
    elif backtest.results["window"].notna().any():
        what = "the back-test is of a window of the day, and places are compared at all hours"
        raise InputError.one(SOURCE, what, "give one without a window")
    trials = backtest.trials
    scored = list(_score_months(area, inside, trials, seed))
    return HotspotComparison(
        results=_build_table(scored, trials, seed),
        months=trials.origins,
        flattered_months=None if drawn is None else int((trials.origins <= drawn).sum()),
        places=len(shapes),
        outside=int((~_find_with_street(shapes, lines)).sum()),
        snapped=area.snapped,
    )


@dataclass(frozen=True, eq=False)
class _Month:
    """One month, with k ways to choose streets."""

    hits: NDArray[np.float64]
    """(k, j + 1) incidents of each category, and harm, on the chosen streets."""
    coverage: NDArray[np.float64]
    """(k,) share of the held street that they have."""
    totals: NDArray[np.float64]
    """(j + 1,) all incidents, and all harm."""


def _score_months(
    area: StudyArea, inside: NDArray[np.float64], trials: Trials, seed: int
) -> Iterator[_Month]:
    """Hits of each way in each hold-out month, given the (p,) share of each piece in theirs."""
    settings, targets = area.settings, trials.categories[:-1]
    history = build_history(area)
    if history.targets != targets:
        history = build_history(area, targets)
    harm = get_harm_days(targets, settings.risk.harm)
    components = list(
        select_components(build_models(settings.risk.half_life_months, settings.seed)).values()
    )
    scorer = Scorer(history, harm, seed)
    crime_only = replace(use_crime_only(area), designated=None)  # only ours, also on their street
    for month, stack in zip(trials.origins, trials.stacks, strict=False):
        streets = scorer.find_origin_streets(int(history.months.searchsorted(month)))
        cut = history.cut_before(month)
        amounts = streets.gather(append_harm(history.get_month_counts(month), harm))
        parts = _share_of_units(streets, area.network.piece_metres * inside)
        coverage = _cover(streets, parts)
        expected = combine_models(components, stack, cut), _count_before(cut)
        ours, counts = (
            sum_unit_slices(streets.gather(rates @ harm), streets.units, amounts, (coverage,))[0]
            for rates in expected
        )
        found = _find_hotspots(cut_area(crime_only, month), streets, coverage)
        yield _Month(
            hits=np.stack([parts @ amounts, ours, found @ amounts, counts]),
            coverage=np.array([coverage, coverage, _cover(streets, found), coverage]),
            totals=amounts.sum(axis=0),
        )


def _count_before(cut: History) -> NDArray[np.float64]:
    """(c, j) last year's count."""
    return fit_or_reuse(PriorCount(), cut).get_unit_rates()


def _share_of_units(streets: OriginStreets, metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) share of the street of each known place, from (p,) metres of chosen pieces."""
    units = streets.units
    chosen = metres[streets.held_pieces]
    return np.bincount(units.piece_unit, chosen, minlength=len(units.metres)) / units.metres


def _cover(streets: OriginStreets, parts: NDArray[np.float64]) -> float:
    """Share of the held street, from (n,) shares of known places."""
    return float(parts @ streets.units.metres / streets.units.metres.sum())


def _find_hotspots(cut: StudyArea, streets: OriginStreets, coverage: float) -> NDArray[np.float64]:
    """(n,) share of known places in our hotspots, the best up to a share of the street.

    The last one counts partly, like the last street of a slice.
    """
    hotspots = locate_hotspots(cut, estimate_risk(cut))
    pieces = [np.asarray(one, dtype=np.int64) for one in hotspots["pieces"]]
    metres = np.zeros(len(cut.network.piece_metres))
    is_held = np.zeros(len(metres), dtype=bool)
    is_held[streets.held_pieces] = True
    remaining = coverage * streets.units.metres.sum()
    for stretch in pieces:
        held = stretch[is_held[stretch]]
        length = cut.network.piece_metres[held]
        part = min(1.0, remaining / max(length.sum(), 1e-9))
        metres[held] = part * length
        remaining -= part * length.sum()
        if remaining <= 0:
            break
    return _share_of_units(streets, metres)


def _build_table(scored: Sequence[_Month], trials: Trials, seed: int) -> pd.DataFrame:
    """`HotspotComparison.results`."""
    months = len(scored)
    hits = np.stack([one.hits for one in scored], axis=1)
    totals = np.stack([one.totals for one in scored])
    # The expectation for streets of that length if crime were uniform along all street.
    even = np.stack([one.coverage for one in scored], axis=1)[..., None] * totals
    weights = draw_months(months, seed=seed)
    pai = divide(hits.sum(axis=1), even.sum(axis=1))
    drawn = divide(np.einsum("do,koj->dkj", weights, hits), np.einsum("do,koj->dkj", weights, even))
    low, high = compute_interval(pai - pai[0], drawn - drawn[:, :1], months)
    measures = {
        "coverage": divide(even.sum(axis=1), totals.sum(axis=0)),
        "hit_rate": divide(hits.sum(axis=1), totals.sum(axis=0)),
        "pai": pai,
        "n_events": trials.events.sum(axis=0),
        "ratio": divide(pai, pai[0]),
        "difference": pai - pai[0],
        "difference_low": low,
        "difference_high": high,
    }
    rows = pd.MultiIndex.from_product(
        [trials.categories, CHOSEN_BY], names=["category", "chosen_by"]
    )
    columns = {
        name: np.broadcast_to(values, pai.shape).T.ravel() for name, values in measures.items()
    }
    table = pd.DataFrame(columns, index=rows).reset_index()[[*COLUMNS]]
    least, events = trials.min_crime_count, trials.events.sum(axis=0)
    few = events < least
    if least > 1:  # users choose places: none may reveal a small number, in it or out of it
        inside = hits.sum(axis=1)
        inside[:, -1] = inside[:, :-1].sum(axis=1)
        few |= (np.minimum(inside, events - inside) < least).any(axis=0)
    return hide_categories(table, trials.categories, few)


def _read_places(
    theirs: gpd.GeoDataFrame, crs: str
) -> tuple[NDArray[np.object_], pd.Timestamp | None]:
    """(k,) valid polygons in a metric CRS, and when the last of them was drawn, if known."""
    if not isinstance(theirs, gpd.GeoDataFrame) or theirs.active_geometry_name is None:
        message = f"{SOURCE} takes a GeoDataFrame, not a {type(theirs).__name__}"
        raise TypeError(message)
    if theirs.empty:
        raise InputError.one(SOURCE, "has no place", "give at least one")
    if theirs.crs is None:
        raise InputError.one(SOURCE, "has places without a CRS", "set it with set_crs")
    wrong = ~theirs.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    if wrong.any():
        where = list_rows(np.flatnonzero(wrong).tolist())
        raise InputError.one(SOURCE, "has a shape that is not a polygon", "give polygons", where)
    shapes = np.asarray(theirs.geometry.to_crs(crs).make_valid().array, dtype=object)
    return shapes, _read_drawn(theirs) if DRAWN in theirs else None


def _read_drawn(theirs: gpd.GeoDataFrame) -> pd.Timestamp | None:
    """When the last place was drawn; None if any date is missing."""
    given = theirs[DRAWN].where(theirs[DRAWN].astype(str).str.strip() != "")
    dates = pd.to_datetime(
        given.astype(str).where(given.notna()), errors="coerce", format="ISO8601"
    )
    wrong = (dates.isna() & given.notna()).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        what = f"'{str(given.iloc[row])[:40]}' is not a valid date"
        place = f"row {row}, column '{DRAWN}'"
        raise InputError.one(SOURCE, what, "write YYYY-MM or YYYY-MM-DD", place)
    return None if dates.isna().any() else pd.Timestamp(dates.max())


def _find_with_street(shapes: NDArray[np.object_], lines: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(k,) whether any street is in each place."""
    has = np.zeros(len(shapes), dtype=bool)
    has[shapely.STRtree(lines).query(shapes, predicate="intersects")[0]] = True
    return has
