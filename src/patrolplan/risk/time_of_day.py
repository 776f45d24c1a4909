"""Which days are school days."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WEEKDAYS = 5

MIN_IN_WINDOW = 50
"""With fewer timed incidents on such days, days of that kind are not looked at alone."""


def is_in_term(dates: pd.DataFrame, at: pd.Series) -> NDArray[np.bool_]:
    """Which dates lie in a term, and not in a closed period of all schools."""
    day = at.dt.normalize().to_numpy()[:, None]
    inside = (day >= dates["from"].to_numpy()) & (day <= dates["to"].to_numpy())
    term = (dates["kind"] == "term").to_numpy()
    closed = ((dates["kind"] == "closed") & (dates["urn"] == "*")).to_numpy()
    return np.asarray(inside[:, term].any(axis=1) & ~inside[:, closed].any(axis=1))
