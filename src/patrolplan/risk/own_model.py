"""The user's own model: any estimator of scikit-learn's conventions in place of ours.

Its table has a row a place and month, one category at a time: X depends only on the months before,
y is the category's incidents there in that month. The estimator is cloned for every fit, so nothing
that was learned at one month can leak into another; what it predicts is checked.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.errors import InputError, Problems
from patrolplan.risk.history import History

METHODS = ("fit", "predict", "get_params", "set_params")
"""What an estimator needs; `sklearn.base.BaseEstimator` brings the last two."""

CONVENTIONS = "derive it from sklearn.base.BaseEstimator, and give it fit(X, y) and predict(X)"

EXPECTED = "give the incidents expected in each row of X, each a finite number of 0 or more"

FIRST_MONTH = 3  # rows begin with the fourth month: features then use at least three months

SPANS, WIDE_SPANS = (1, 3, 6, 12), (3, 12)
"""Numbers of earlier months over which incidents are averaged in a place, and around it."""

STREET_KINDS: Mapping[str, tuple[str, ...]] = {
    "main": ("trunk", "trunk_link", "primary", "primary_link"),
    "secondary": ("secondary", "secondary_link", "tertiary", "tertiary_link"),
    "pedestrian": ("pedestrian", "living_street"),
    "path": ("footway", "path", "steps", "cycleway", "track", "bridleway"),
    "service": ("service",),
}
"""Kinds of street by OpenStreetMap's `highway`; all others are residential or unclassified."""


_ByMonths = dict[int, NDArray[np.float64]]  # (c, k) means over so many months


@runtime_checkable
class Estimator(Protocol):
    """The methods of a user's own model, as in scikit-learn."""

    fit: Callable[..., Any]  # learns one category's incidents y, a row of X a place and month
    predict: Callable[..., Any]  # incidents expected in each row of X, in the whole month
    get_params: Callable[..., dict[str, Any]]
    set_params: Callable[..., Any]


class ModelTables:
    """Tables by target, rows by `month` and `place`; X is in `docs/how-to/own-model.md`."""

    def __init__(self, history: History) -> None:
        self.history, self._known = history, dict[int, Any]()
        self._months = range(min(FIRST_MONTH, len(history)), len(history))

    def build_training(self, target: int) -> tuple[pd.DataFrame, pd.Series]:
        """X and y of a target: each month from the fourth on, in every place where it is held."""
        # The empty table is for histories that are too short to have a row.
        history, tables, counts = self.history, [self.build_next(target).iloc[:0]], [np.empty(0)]
        for month in self._months:
            is_held, share = history.is_held(month), history.held[month]
            tables.append(self._build_month(month, target)[is_held])
            counts.append(history.counts[month, is_held, target] / share[is_held])
        table = pd.concat(tables)
        return table, pd.Series(np.concatenate(counts), index=table.index, name="incidents")

    def build_next(self, target: int) -> pd.DataFrame:
        """X of the month after the history: one row a place, in their order."""
        return self._build_month(len(self.history), target)

    def _build_month(self, month: int, target: int) -> pd.DataFrame:
        """What is known of a target in every place before a month."""
        history = self.history
        if month not in self._known:
            self._known[month] = self._gather(month)
        here, around, shrunk, places = self._known[month]
        names = {span: f"mean_{span}_month{'' if span == 1 else 's'}" for span in SPANS}
        columns = {names[span]: here[span][:, target] for span in SPANS}
        columns |= {f"around_{span}_months": around[span][:, target] for span in WIDE_SPANS}
        for span in WIDE_SPANS:
            columns[f"all_{span}_months"] = here[span].sum(axis=1)
            columns[f"all_around_{span}_months"] = around[span].sum(axis=1)
        columns["shrunk"] = shrunk[:, target]
        year = here[max(SPANS)]
        columns |= {f"other: {name}": year[:, k] for k, name in enumerate(history.categories)}
        return pd.DataFrame(columns, index=places.index).join(places)

    def _gather(self, month: int) -> tuple[_ByMonths, _ByMonths, NDArray[np.float64], pd.DataFrame]:
        """What all targets share before a month: means here and around, shrunk counts, places."""
        history, units, network = self.history, self.history.units, self.history.units.network
        start = history.months[0] + pd.DateOffset(months=month)
        here = {
            span: history.estimate_last(span, before=month) / max(1, min(span, month))
            for span in SPANS
        }
        around = {span: units.sum_around(here[span]) for span in WIDE_SPANS}
        rows = pd.MultiIndex.from_product([[start], range(len(units))], names=["month", "place"])
        places = pd.DataFrame({"metres": units.metres}, index=rows)
        for name, kinds in STREET_KINDS.items():
            length = network.piece_metres * np.isin(network.piece_highway, kinds)
            places[name] = units.sum_pieces(length) / units.metres
        places["easting"], places["northing"] = units.catchments.xy.T
        places["month_of_year"], places["month_number"] = float(start.month), float(month)
        return here, around, history.cut_before(start).shrunk_rates.means, places


def predict_by_estimator(
    history: History, *, name: str, estimator: Estimator, seed: int
) -> NDArray[np.float64]:
    """(c, j) incidents that a user's model expects in the month after a history."""
    tables = ModelTables(history)
    rates = np.zeros((len(history.units), len(history.targets)))
    for target, category in enumerate(history.targets):
        (training, incidents), coming = tables.build_training(target), tables.build_next(target)
        if not incidents.any():  # many models cannot be fitted then
            continue
        month = f"{coming.index[0][0]:%Y-%m}"
        # A clone for each fit: what was learned of one category or month must not reach another.
        # Every `random_state` that is None gets the seed, so that equal runs are equal.
        fresh = _clone(estimator)
        names = (one for one in fresh.get_params(deep=True).items() if one[1] is None)
        unset = {one: seed for one, _ in names if one.split("__")[-1] == "random_state"}
        fresh = fresh.set_params(**unset) if unset else fresh
        try:
            predicted = fresh.fit(training, incidents).predict(coming)
        except Exception as error:
            error.add_note(
                f"raised by model '{name}' on {category}, with the months before {month}"
            )
            raise
        what = f"{category}, {month}"
        rates[:, target] = check_prediction(predicted, len(coming), name, what)
    return rates


def spread_surface(history: History, surface: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(p, j) incidents a month by a user's own rates, as many in all as in the last year."""
    where, network = "model", history.units.network
    refuse_audit_columns(where, surface)
    if "rate" not in surface or surface.crs is None:
        what, remedy = "the surface lacks a column 'rate' or a CRS", "give polygons with both"
        raise InputError.one(where, what, remedy)
    rate = check_prediction(surface["rate"], len(surface), "surface", "column 'rate'")
    polygons = surface.geometry.to_crs(network.projection.crs).to_numpy()
    middle = shapely.points(network.piece_middle)
    piece, row = shapely.STRtree(polygons).query(middle, predicate="intersects")
    amount = np.zeros(len(network))
    np.maximum.at(amount, piece, rate[row])
    amount *= network.piece_metres
    if not amount.any():
        what, remedy = "the surface has no rate on any street", "check its CRS and its extent"
        raise InputError.one(where, what, remedy)
    recorded = history.estimate_last(12).sum(axis=0) / min(12, len(history))
    return np.outer(amount / amount.sum(), recorded[: len(history.targets)])


def wrap_estimator(name: str, estimator: object, seed: int) -> "partial[NDArray[np.float64]]":
    """A user's estimator as one of our models, `name` in tables and errors; raises `InputError`."""
    where = f"model '{name}'"
    refuse_audit_columns(where, estimator)
    if isinstance(estimator, type):
        what, remedy = f"{estimator.__name__} is a class", f"give {estimator.__name__}()"
        raise InputError.one(where, what, remedy)
    missing = [method for method in METHODS if not callable(getattr(estimator, method, None))]
    if missing:
        what = f"{type(estimator).__name__} has no {', no '.join(missing)}"
        raise InputError.one(where, what, CONVENTIONS)
    try:
        _clone(estimator)
    except (TypeError, RuntimeError) as error:  # a constructor that changes or hides a parameter
        what = f"{type(estimator).__name__} cannot be cloned ({error})"
        remedy = "let its constructor store its parameters, each under its own name, and no more"
        raise InputError.one(where, what, remedy) from error
    parameters = estimator.get_params(deep=True)  # type: ignore[attr-defined]  # checked above
    # Tables that it holds are recognised only by their column names: nothing else shows where they
    # come from. What its own code reads from elsewhere cannot be checked.
    refuse_audit_columns(where, parameters, getattr(estimator, "__dict__", {}), by_name=True)
    return partial(predict_by_estimator, name=name, estimator=estimator, seed=seed)  # type: ignore[arg-type]


def wrap_estimators(
    given: Mapping[str, object], taken: tuple[str, ...], seed: int
) -> "dict[str, partial[NDArray[np.float64]]]":
    """Estimators that the user gives, by name, as models of ours; all problems at once."""
    problems, wrapped = Problems(), {}
    for name, estimator in given.items():
        if not isinstance(name, str) or not name.strip():
            problems.add("models", f"{name!r} is not a name", "give a text that names the model")
        elif name in taken:
            problems.add("models", f"'{name}' is the name of one of ours", "choose another name")
        else:
            with problems.collect():
                wrapped[name] = wrap_estimator(name, estimator, seed)
    problems.raise_if_any()
    return wrapped


def check_prediction(predicted: object, rows: int, name: str, what: str) -> NDArray[np.float64]:
    """(rows,) what a model predicted for `what`: one finite number of 0 or more for each row."""
    place = f"model '{name}'"
    try:
        values = np.asarray(predicted, dtype=np.float64)
    except (TypeError, ValueError):
        seen = f"predict gave {type(predicted).__name__} that is not all numbers"
        raise InputError.one(place, seen, EXPECTED, what) from None
    if values.shape not in {(rows,), (rows, 1)}:
        seen = f"predict gave an array of shape {values.shape} for {rows} rows"
        raise InputError.one(place, seen, EXPECTED, what)
    values = values.reshape(rows)
    for wrong, kind in ((~np.isfinite(values), "not finite"), (values < 0, "below 0")):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            count = f"{int(wrong.sum())} of {rows} predictions are {kind}"
            seen = f"{count}, the first in row {row}: {values[row]}"
            raise InputError.one(place, seen, EXPECTED, what)
    return values


def _clone(estimator: object) -> Estimator:
    """A copy that has not learned anything; may raise what the constructor raises."""
    from sklearn.base import clone  # noqa: PLC0415 - heavy, and of models of one's own alone

    return clone(estimator)  # type: ignore[no-any-return]  # scikit-learn has no type hints
