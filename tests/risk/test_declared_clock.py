"""The declared clock reproduces what is published, and is complete."""

import numpy as np
import pytest

from patrolplan.risk.day_kinds import DAY_KINDS, HALF_HOURS
from patrolplan.risk.declared_clock import ANY_PLACE, YEAR_DAYS, build_declared_profile
from patrolplan.settings import CATEGORIES

SCHOOL, WEEKEND = DAY_KINDS.index("school_day"), DAY_KINDS.index("weekend")

PUBLISHED_SHARES = {
    "Violence and sexual offences": 0.234,
    "Robbery": 0.132,
    "Theft from the person": 0.172,
    "Criminal damage and arson": 0.104,
    "Other theft": 0.117,
}
"""Of crime in the streets of the whole city on school days, what falls between 14:30 and 17:00."""

PUBLISHED_RATIOS = {
    "Violence and sexual offences": (0.80, 0.59, 0.46, 0.12),
    "Robbery": (0.94, 0.76, 0.49),
}
"""Share from 15:00 to 17:00 near 1-2, 3-5, 6-11 and 12+ licensed addresses, over that near none."""


def test_every_category_has_a_mean_of_one_and_no_empty_half_hour():
    """At every kind of place a category's mean over a school year is 1, and no half-hour is 0."""
    profile = build_declared_profile(CATEGORIES)
    mean = np.einsum("jsdh,d->js", profile, YEAR_DAYS / YEAR_DAYS.sum()) / HALF_HOURS
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert profile.shape == (len(CATEGORIES), ANY_PLACE + 1, len(DAY_KINDS), HALF_HOURS)
    assert profile.min() > 0
    school, other, weekend, holiday = np.moveaxis(profile, 2, 0)
    assert np.array_equal(holiday, other)
    assert not np.allclose(school, other)
    assert not np.allclose(weekend, other)


def test_the_year_is_that_of_english_schools():
    """190 school days by regulation, eight bank holidays, 52 weekends; the rest is holidays."""
    assert YEAR_DAYS.tolist() == [190, 8, 104, 365 - 190 - 8 - 104]


@pytest.mark.parametrize(("category", "published"), PUBLISHED_SHARES.items())
def test_the_afternoon_of_a_school_day_is_the_published_one(category, published):
    """From half the city the afternoon's share is within two points of that of the whole."""
    day = build_declared_profile([category])[0, ANY_PLACE, SCHOOL]
    assert day[29:34].sum() / day.sum() == pytest.approx(published, abs=0.02)


@pytest.mark.parametrize(("category", "published"), PUBLISHED_RATIOS.items())
def test_kinds_of_place_differ_as_published(category, published):
    """Near pubs and bars, less of a school day's crime falls into the hours after school."""
    day = build_declared_profile([category])[0, :ANY_PLACE, SCHOOL]
    share = day[:, 30:34].sum(axis=1) / day.sum(axis=1)
    ratio = (share / share[0])[1:]
    np.testing.assert_allclose(ratio[: len(published)], published, atol=0.16)
    assert (np.diff(share) < 0).all()
