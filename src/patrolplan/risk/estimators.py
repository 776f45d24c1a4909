"""The user's own model: any estimator of scikit-learn's conventions in place of ours.

The estimator is cloned for every fit, so the one that was given stays as it is, and what was
learned at one month cannot leak into another. It is fitted on one category at a time, on the tables
of `patrolplan.risk.model_table`, and what it predicts is checked before it is used. Its results are
not cached: two models with the same `repr` may differ.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.errors import InputError, Problems
from patrolplan.risk.history import History
from patrolplan.risk.model_table import ModelTables
from patrolplan.risk.models import RiskModel

METHODS = ("fit", "predict", "get_params", "set_params")
"""What an estimator needs; `sklearn.base.BaseEstimator` brings the last two."""

CONVENTIONS = "derive it from sklearn.base.BaseEstimator, and give it fit(X, y) and predict(X)"

EXPECTED = "give the incidents expected in each row of X, each a finite number of 0 or more"


@runtime_checkable
class Estimator(Protocol):
    """The methods of a user's own model: the conventions of scikit-learn.

    See `patrolplan.risk.model_table.ModelTables` for the columns of X.
    """

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn one category's incidents `y`, a row of X a place and month."""

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803
        """Incidents expected in each row of X, in the whole month."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Parameters of the constructor by name."""

    def set_params(self, **params: Any) -> Self:  # noqa: ANN401 - whatever it has
        """Set some of them."""


class EstimatorModel(RiskModel):
    """An `Estimator` as one of our models; see `wrap_estimator`.

    `seed`: For every `random_state` that is None, so that equal runs are equal.
    """

    is_reusable = False

    def __init__(self, name: str, estimator: Estimator, seed: int = 1) -> None:
        self.name = name
        self.estimator = estimator
        self.seed = seed

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        tables = ModelTables(history)
        rates = [
            self._predict_category(tables, target, category)
            for target, category in enumerate(history.targets)
        ]
        return np.column_stack(rates)

    def _predict_category(
        self, tables: ModelTables, target: int, category: str
    ) -> NDArray[np.float64]:
        """(c,) incidents expected of one category in the month after the history.

        None are where none were in the months to learn from: many models cannot be fitted on them.
        """
        training, incidents = tables.build_training(target)
        coming = tables.build_next(target)
        if not incidents.any():
            return np.zeros(len(coming))
        month = f"{coming.index[0][0]:%Y-%m}"
        estimator = _seed_draws(_clone(self.estimator), self.seed)
        with _name_in_errors(self.name, category, month):
            predicted = estimator.fit(training, incidents).predict(coming)
        return check_prediction(predicted, len(coming), self.name, f"{category}, {month}")


def wrap_estimator(name: str, estimator: object, seed: int) -> EstimatorModel:
    """An estimator that the user gives, as one of our models.

    `name`: What it is called in tables and errors. `estimator`: An instance with the methods of
    `Estimator`, which `sklearn.base.clone` can copy. Raises `InputError` when it is a class, lacks
    a method, cannot be cloned, or holds columns for audit.
    """
    where = f"model '{name}'"
    refuse_audit_columns(where, estimator)
    if isinstance(estimator, type):
        what, remedy = f"{estimator.__name__} is a class", f"give {estimator.__name__}()"
        raise InputError.one(where, what, remedy)
    if isinstance(estimator, RiskModel):
        what = f"{type(estimator).__name__} is one of our own models"
        raise InputError.one(where, what, "name it by its name in the table of a back-test")
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
    return EstimatorModel(name, estimator, seed)  # type: ignore[arg-type]  # checked above


def wrap_estimators(
    given: Mapping[str, object], taken: Mapping[str, object], reserved: tuple[str, ...], seed: int
) -> dict[str, EstimatorModel]:
    """Estimators that the user gives, by name, as models of ours.

    Raises `InputError` when a name is one of `taken` or `reserved`, or see `wrap_estimator`; all
    problems at once.
    """
    problems, wrapped = Problems(), {}
    for name, estimator in given.items():
        if not isinstance(name, str) or not name.strip():
            problems.add("models", f"{name!r} is not a name", "give a text that names the model")
        elif name in taken or name in reserved:
            problems.add("models", f"'{name}' is the name of one of ours", "choose another name")
        else:
            with problems.collect():
                wrapped[name] = wrap_estimator(name, estimator, seed)
    problems.raise_if_any()
    return wrapped


def check_prediction(predicted: object, rows: int, name: str, what: str) -> NDArray[np.float64]:
    """(rows,) what a model predicted, as numbers.

    `name`, `what`: The model, and the category and month that were to be predicted, for the error.
    Raises `InputError` when it is not one finite number of 0 or more for each row.
    """
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


def _seed_draws(estimator: Estimator, seed: int) -> Estimator:
    """The estimator with a seed in place of every `random_state` that is None, nested ones too."""
    unset = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    return estimator.set_params(**unset) if unset else estimator


@contextmanager
def _name_in_errors(name: str, category: str, month: str) -> Iterator[None]:
    """Errors that the model's own code raises say which model it was, and where."""
    try:
        yield
    except Exception as error:
        error.add_note(f"raised by model '{name}' on {category}, with the months before {month}")
        raise
