"""How much one incident weighs: harm by category, and recency."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

HARM_DAYS: Mapping[str, float] = {
    "Robbery": 365.0,
    "Violence and sexual offences": 190.0,
    "Theft from the person": 2.0,
    "Bicycle theft": 2.0,
    "Other theft": 2.0,
    "Criminal damage and arson": 10.0,
    "Anti-social behaviour": 1.0,
    "Burglary": 220.0,
    "Shoplifting": 1.0,
    "Vehicle crime": 5.0,
    "Drugs": 3.5,
    "Possession of weapons": 273.75,
    "Public order": 7.5,
    "Other crime": 10.0,
}
"""Days of sentence by category of data.police.uk, after the Cambridge Crime Harm Index.

Sherman, Neyroud and Neyroud (2016), Policing 10(3): 171-183, index of 2026: the median of each
offence subgroup, and where a category of data.police.uk joins several, their mean at the mix that
forces of England and Wales recorded in 2024/25 (violence and sexual offences 159 to 235 by force,
burglary 191 to 253, criminal damage and arson 5 to 18, drugs 3 to 4: the middle is taken).
Anti-social behaviour is no crime and stands outside the index: it is given its floor, one day.
"""

UNKNOWN_DAYS = 1.0
"""For categories of another naming that the settings give no harm: all count the same."""


def get_harm_days(
    categories: Iterable[str], overrides: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Harm of each category in days; the settings' `[risk] harm` overrides the index.

    Examples
    --------
    >>> get_harm_days(["Robbery", "Theft from the person"], {"Theft from the person": 20})
    array([365.,  20.])
    """
    table = {**HARM_DAYS, **(overrides or {})}
    return np.array([table.get(name, UNKNOWN_DAYS) for name in categories], dtype=np.float64)


def compute_recency(age_months: ArrayLike, half_life_months: float) -> NDArray[np.float64]:
    """Weight of an incident by its age: it halves every `half_life_months`.

    Examples
    --------
    >>> compute_recency([0, 6, 12], 6)
    array([1.  , 0.5 , 0.25])
    """
    return np.asarray(0.5 ** (np.asarray(age_months, dtype=np.float64) / half_life_months))
