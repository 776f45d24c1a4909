"""The declared clock: when crime happens where only its month is known, by kind of place.

No force of the United Kingdom publishes clock times. The form of the day is therefore a loan,
`declared_clock.csv`: per cent of a weekend's mean rate by half-hour. City of Chicago, "Crimes -
2001 to Present", 2012 to 2018, north of latitude 41.86, 204,565 crimes in streets and other open
places, domestic crime left out; school days are inferred from how much crime was recorded inside
schools. Each half-hour is averaged with its neighbours, as reports favour full hours. Days without
school lie mostly in summer: their level is that against weekends of the same season. Kinds of place
are the profile of all places times a ratio by two hours, drawn to 1 with a weight of three
incidents. The shape is sure (violence outside doubles as schools close, crime near pubs and bars
happens at night); for London the numbers are a stand-in: give `[sources] clock`, or crimes with
their times, where a force has them.

"Violence and sexual offences" of data.police.uk also holds domestic crime and crime indoors, which
happens later in the day and more at weekends. For what a patrol in the street can prevent, the
street's own clock is the better one.
"""

from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.day_kinds import HALF_HOURS

SOURCE = "City of Chicago, Crimes 2001 to present, 2012-2018, street places"

PLACE_KINDS = ("none", "1-2", "3-5", "6-11", "12+")
"""Kinds of place by the number of pubs, bars and nightclubs within 150 m, as tables name them."""

ANY_PLACE = len(PLACE_KINDS)  # all places together, where no pubs and bars are given: "*"

YEAR_DAYS = np.array([190.0, 8.0, 104.0, 63.0])
"""The school year of England by `DAY_KINDS`: 190 days (Education (School Day and School Year)
(England) Regulations 1999), eight bank holidays."""

GROUP_OF_CATEGORY: Mapping[str, str] = {
    "Violence and sexual offences": "violence",
    "Robbery": "robbery",
    "Theft from the person": "theft from the person",
    "Criminal damage and arson": "damage",
    "Anti-social behaviour": "damage",
    "Other theft": "other theft",
    "Bicycle theft": "other theft",
}
"""Whose clock a category has; all others have the mean of the groups. That anti-social behaviour
has the hours of criminal damage is an assumption: the city records none."""


def build_declared_profile(categories: Sequence[str]) -> NDArray[np.float64]:
    """(j, 6, 4, 48) rate by kind of place, kind of day and half-hour, over its mean of a year."""
    with resources.files("patrolplan.risk").joinpath("declared_clock.csv").open() as file:
        table = pd.read_csv(file, index_col=["group", "kind", "day"])
    # The file has three kinds of day: holidays are like other weekdays without school.
    groups = table.index.unique("group")
    rates = table.to_numpy().reshape(len(groups), ANY_PLACE + 1, 3, HALF_HOURS)[:, :, [0, 1, 2, 1]]
    by_group = dict(zip(groups, rates, strict=True))
    chosen = [by_group.get(GROUP_OF_CATEGORY.get(name, ""), rates.mean(0)) for name in categories]
    # Near bars there is more crime at all hours, which the monthly counts there say already. Only
    # its spread over the day is a matter of the clock: each place's own mean is 1.
    return normalise_profile(np.array(chosen).reshape(-1, *rates.shape[1:]), YEAR_DAYS)


def normalise_profile(
    profile: NDArray[np.float64], days: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The profile (..., 4, 48), its mean over half-hours and days (4,) of each kind being 1."""
    mean = np.einsum("...dh,d->...", profile, days / days.sum()) / HALF_HOURS
    return np.asarray(profile / mean[..., None, None])
