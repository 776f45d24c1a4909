"""The clock: kinds of day, the declared profile, the user's own table, kinds of place."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from clock_areas import YEAR, build, draw
from hypothesis import given, strategies as st

from patrolplan.risk.clock import build_clock, find_place_kinds
from patrolplan.risk.day_kinds import DAY_KINDS, find_day_kind, find_day_kinds, join_day_kinds
from patrolplan.risk.declared_clock import ANY_PLACE, YEAR_DAYS, build_declared_profile
from patrolplan.settings import CATEGORIES as EVERY_CATEGORY

CATEGORIES = ("Robbery", "Other theft")
SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY, UNKNOWN_WEEKDAY = range(5)


def _rows(*, timed, count=60):
    """Incidents of two categories on the pieces of a square town."""
    rng = np.random.default_rng(1)
    rows = pd.concat([draw(rng, count, np.arange(60), name) for name in CATEGORIES])
    return rows if timed else rows.drop(columns="occurred_at")


def _own_table(category, kinds, shares):
    """An own table: shares of the 48 half-hours, alike at these kinds of place."""
    table = {"category": category, "from_minutes": 30 * np.arange(48), "share": shares}
    return pd.concat([pd.DataFrame(table | {"kind": kind}) for kind in kinds])


def test_kinds_of_place_follow_licensed_places_near(make):
    """By as many pubs, bars and nightclubs as a loop finds within 150 m; no takeaway counts."""
    rng = np.random.default_rng(2)
    network = make.grid(6)
    names = rng.choice(["pub", "bar", "nightclub", "takeaway"], 25)
    spots = 530_000 + rng.uniform(-100, 600, size=(25, 2))
    places = [(name, *spot) for name, spot in zip(names, spots, strict=True)]
    area, _ = build(make, _rows(timed=False), network, places=places)
    counted = spots[names != "takeaway"]
    kinds = []
    for middle in network.piece_middle:
        near = sum(np.hypot(*(spot - middle)) <= 150 for spot in counted)
        kinds.append(int((np.array([0, 1, 3, 6, 12]) <= near).sum()) - 1)
    found = find_place_kinds(network.piece_middle, area.way_home.places)
    assert found.tolist() == kinds
    assert set(kinds) == {0, 1, 2, 3}


@pytest.mark.parametrize(("count", "kind"), [(1, 1), (2, 1), (3, 2), (5, 2), (11, 3), (12, 4)])
def test_kinds_begin_at_these_numbers(make, count, kind):
    """One, three, six and twelve licensed places; the names of kinds say so."""
    places = [("bar", 530_000.0, 530_000.0)] * count
    area, _ = build(make, _rows(timed=False), places=places)
    found = find_place_kinds(np.array([[530_000.0, 530_149.0], [0, 0]]), area.way_home.places)
    assert found.tolist() == [kind, 0]


def test_a_flat_clock_is_one_always(make):
    """Switched off, no half-hour differs, whatever is known, and a note says so."""
    places, flat = [("pub", 0, 0)], {"clock": "flat"}
    clock = build_clock(*build(make, _rows(timed=True), places=places, way_home=flat))
    assert clock.source == "flat"
    assert [note.key for note in clock.notes] == ["clock_flat"]
    for day in (*DAY_KINDS, None):
        np.testing.assert_array_equal(clock.compute_factor(31, day), np.ones((60, 2)))


@pytest.mark.parametrize(
    ("timed", "with_places", "own"),
    [(False, False, False), (False, True, False), (False, False, True), (True, True, True)],
)
def test_the_mean_over_all_time_is_one(make, timed, with_places, own):
    """On every piece and in every category, what one hour lacks, others have."""
    spots = 530_000 + np.random.default_rng(3).uniform(0, 500, size=(40, 2))
    places = [("bar", *spot) for spot in spots] if with_places else ()
    table = _own_table("Robbery", ["*"], np.random.default_rng(4).dirichlet(np.ones(48)))
    area, history = build(make, _rows(timed=timed), places=places, table=table if own else None)
    clock = build_clock(area, history)
    assert clock.source == ("learned" if timed else "own_table" if own else "declared")
    mean = sum(
        share * sum(clock.compute_factor(hour, day) for hour in range(48)) / 48
        for day, share in zip(DAY_KINDS, clock.day_shares, strict=True)
        if share
    )
    np.testing.assert_allclose(mean, 1.0, rtol=1e-9)


def test_an_own_table_replaces_the_declared_clock_of_its_categories(make):
    """Its shares are used on every kind of day, other categories stay declared, and it is named."""
    shares = np.full(48, 0.5 / 47)
    shares[31] = 0.5
    area, history = build(make, _rows(timed=False), table=_own_table("Robbery", ["*"], shares))
    clock, declared = (build_clock(area, history), build_clock(*build(make, _rows(timed=False))))
    own, other = (history.targets.index(name) for name in CATEGORIES)
    assert clock.source == "own_table"
    assert [note.key for note in clock.notes] == ["clock_declared", "clock_own_table"]
    assert clock.notes[1].text == "[sources] clock says when Robbery happens."
    for day in DAY_KINDS:
        found, before = (one.compute_factor(31, day) for one in (clock, declared))
        np.testing.assert_allclose(found[:, own], 24.0)
        np.testing.assert_allclose(found[:, other], before[:, other])


def test_an_own_table_of_kinds_of_place_is_used_by_kind(make):
    """Kinds that it names have their shares, others those of all kinds."""
    early, late = np.eye(48)[[16, 44]]
    table = pd.concat([_own_table("Robbery", ["12+"], late), _own_table("Robbery", ["*"], early)])
    places = [("bar", 530_050.0, 530_000.0)] * 12
    area, history = build(make, _rows(timed=False), places=places, table=table)
    clock = build_clock(area, history)
    near = find_place_kinds(area.network.piece_middle, area.way_home.places) == 4
    robbery = history.targets.index("Robbery")
    at_eight, at_ten = (clock.compute_factor(hour, "school_day")[:, robbery] for hour in (16, 44))
    assert min(at_eight[~near].min(), at_ten[near].min()) > 40
    least = 0.01 * 48 / (48 + 47 * 0.01)  # a hundredth of the mean, which is then 1 again
    assert at_eight[near] == pytest.approx(least)
    assert at_ten[~near] == pytest.approx(least)


def test_an_own_table_without_all_kinds_gives_their_mean_where_no_places_are_known(make):
    """Where the kind of a street is not known, the mean of the kinds that are named is used."""
    early, late = np.eye(48)[[16, 44]]
    shares = {"none": early, "12+": late}
    table = pd.concat([_own_table("Robbery", [kind], of) for kind, of in shares.items()])
    area, history = build(make, _rows(timed=False), table=table)
    clock, robbery = build_clock(area, history), history.targets.index("Robbery")
    for hour in (16, 44):
        assert clock.compute_factor(hour, None)[0, robbery] == pytest.approx(24, rel=0.02)


def test_a_clock_learned_before_a_month_knows_nothing_later(make):
    """What happens from that month on changes nothing: a back-test cannot see its future."""
    rows = _rows(timed=True)
    area, history = build(make, rows)
    month = pd.Timestamp("2026-03-01")
    at_three = rows["occurred_at"].dt.normalize() + pd.Timedelta("3h")
    rows["occurred_at"] = rows["occurred_at"].where(rows["month"] < month, at_three)
    changed, _ = build(make, rows)
    one, two = (build_clock(each, history, before=month) for each in (area, changed))
    for hour in (6, 31):
        np.testing.assert_array_equal(
            one.compute_factor(hour, "school_day"), two.compute_factor(hour, "school_day")
        )
    whole = build_clock(changed, history)
    assert (whole.compute_factor(6, "school_day") > one.compute_factor(6, "school_day")).all()
    # Of a back-test's first months no time is known.
    assert build_clock(area, history, before=YEAR[0]).source == "declared"


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
    assert YEAR_DAYS.tolist() == [190, 8, 104, 365 - 190 - 8 - 104]
    profile = build_declared_profile(EVERY_CATEGORY)
    mean = np.einsum("jsdh,d->js", profile, YEAR_DAYS / YEAR_DAYS.sum()) / 48
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert profile.shape == (len(EVERY_CATEGORY), ANY_PLACE + 1, len(DAY_KINDS), 48)
    assert profile.min() > 0
    school, other, weekend, holiday = np.moveaxis(profile, 2, 0)
    assert np.array_equal(holiday, other)
    assert not np.allclose(school, other)
    assert not np.allclose(weekend, other)


@pytest.mark.parametrize(("category", "published"), PUBLISHED_SHARES.items())
def test_the_afternoon_of_a_school_day_is_the_published_one(category, published):
    """From half the city the afternoon's share is within two points of that of the whole."""
    day = build_declared_profile([category])[0, ANY_PLACE, SCHOOL_DAY]
    assert day[29:34].sum() / day.sum() == pytest.approx(published, abs=0.02)


@pytest.mark.parametrize(("category", "published"), PUBLISHED_RATIOS.items())
def test_kinds_of_place_differ_as_published(category, published):
    """Near pubs and bars, less of a school day's crime falls into the hours after school."""
    day = build_declared_profile([category])[0, :ANY_PLACE, SCHOOL_DAY]
    share = day[:, 30:34].sum(axis=1) / day.sum(axis=1)
    ratio = (share / share[0])[1:]
    np.testing.assert_allclose(ratio[: len(published)], published, atol=0.16)
    assert (np.diff(share) < 0).all()


NO_DATES = pd.DataFrame({"urn": [], "from": [], "to": [], "kind": []})


def _dates(*rows):
    """Term dates of (from, to, kind), or (from, to, kind, urn)."""
    table = pd.DataFrame([(*row, "*")[:4] for row in rows], columns=["from", "to", "kind", "urn"])
    return table.assign(**{name: pd.to_datetime(table[name]) for name in ("from", "to")})


SOME_TERMS = _dates(
    ("2026-01-05", "2026-03-27", "term"),
    ("2026-02-16", "2026-02-20", "closed"),
    ("2026-03-06", "2026-03-06", "closed"),
    ("2026-03-09", "2026-03-10", "closed", "900001"),
    ("2026-04-13", "2026-07-21", "term"),
    ("2026-05-11", "2026-05-14", "closed"),
)


def _find_slowly(dates, days):
    """The kind of each day, by walking to both ends of its run of weekdays without school."""
    one_day, rows = dt.timedelta(days=1), list(dates.itertuples(index=False))
    spans = [(row[0].date(), row[1].date(), row.kind, row.urn) for row in rows]
    terms = [(first, last) for first, last, kind, _ in spans if kind == "term"]
    closures = [(a, b) for a, b, kind, urn in spans if kind == "closed" and urn == "*"]
    begin, end = min(a for a, _ in terms), max(b for _, b in terms)

    def has_school(day):
        in_term = any(a <= day <= b for a, b in terms)
        return in_term and not any(a <= day <= b for a, b in closures)

    def find(day):
        if day.weekday() >= 5:
            return WEEKEND
        if not begin <= day <= end:
            return UNKNOWN_WEEKDAY
        if has_school(day):
            return SCHOOL_DAY
        run = 1
        for step in (-one_day, one_day):
            other = day + step
            while begin <= other <= end and (other.weekday() >= 5 or not has_school(other)):
                run += other.weekday() < 5
                other += step
        return OTHER_WEEKDAY if run <= 4 else HOLIDAY

    return [find(day.date()) for day in days]


PERIODS = st.tuples(st.integers(0, 200), st.integers(0, 60), st.sampled_from(["term", "closed"]))


@given(st.lists(PERIODS, min_size=1, max_size=6))
def test_kinds_are_those_of_a_day_by_day_walk(periods):
    """The kinds of all days at once are those found one day after the other."""
    day = pd.date_range("2026-01-01", periods=261)
    rows = [(day[first], day[first + length], kind) for first, length, kind in periods]
    rows = [("2026-01-05", "2026-07-21", "term"), *rows]
    dates, days = _dates(*rows), pd.date_range("2025-12-20", "2026-10-20")
    assert find_day_kinds(dates, days).tolist() == _find_slowly(dates, days)


def test_each_kind_of_day_is_recognised():
    """A week is a holiday, four days are not, and one school's closure closes no other."""
    for kind, days in {
        "school_day": ("2026-01-06", "2026-03-09"),
        "weekend": ("2026-01-10", "2026-02-21"),
        "holiday": ("2026-02-18", "2026-04-01"),
        "other_weekday": ("2026-03-06", "2026-05-12"),
    }.items():
        assert {find_day_kind(SOME_TERMS, dt.date.fromisoformat(day)) for day in days} == {kind}


def test_without_term_dates_weekdays_are_not_known():
    """A weekend is one all the same; a plan takes every weekday for a school day."""
    days = pd.DatetimeIndex(["2026-09-01", "2026-09-05"])
    assert find_day_kinds(NO_DATES, days).tolist() == [UNKNOWN_WEEKDAY, WEEKEND]
    assert find_day_kind(NO_DATES, dt.date(2026, 8, 12)) == "school_day"


@pytest.mark.parametrize(("other", "holiday", "joined"), [(1, 19, False), (3, 16, True)])
def test_weekdays_without_school_are_one_class_if_there_are_enough(other, holiday, joined):
    """Holidays and single days off are alike; fewer than twenty of both go with school days."""
    kinds = np.repeat([SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY], [100, other, 60, holiday])
    found = join_day_kinds(kinds)
    assert found.of_kind[OTHER_WEEKDAY] == found.of_kind[HOLIDAY]
    assert (found.of_kind[HOLIDAY] == found.of_kind[SCHOOL_DAY]) == joined
    assert found.of_kind[WEEKEND] != found.of_kind[SCHOOL_DAY]
    assert found.kind_shares == pytest.approx(np.array([100, other, 60, holiday]) / len(kinds))


@pytest.mark.parametrize("kind", [SCHOOL_DAY, HOLIDAY])
def test_weekdays_of_one_kind_only_are_one_class(kind):
    """Where all are school days, or holidays, they are not divided; nor are few weekends apart."""
    days = join_day_kinds(np.repeat([kind, WEEKEND], [50, 20]))
    assert len(days.shares) == 2
    assert len(set(days.of_kind[[SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]])) == 1
    two_weeks = join_day_kinds(np.repeat([kind, WEEKEND], [10, 4]))
    assert two_weeks.shares == pytest.approx([1.0])


def test_unknown_weekdays_are_mixed_as_the_known_ones():
    """Data from before the first term has school days and holidays in the known proportions."""
    kinds = np.repeat([SCHOOL_DAY, HOLIDAY, WEEKEND, UNKNOWN_WEEKDAY], [60, 30, 60, 60])
    shares = join_day_kinds(kinds).kind_shares
    assert shares == pytest.approx(np.array([100, 0, 60, 50]) / 210)
    none_known = join_day_kinds(np.repeat([UNKNOWN_WEEKDAY, WEEKEND], [50, 20])).kind_shares
    assert none_known == pytest.approx(np.array([50, 0, 20, 0]) / 70)


def test_rates_of_kinds_are_joined_by_their_days():
    """A class has the mean rate of its days, and a density over all time."""
    kinds = np.repeat([SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY], [90, 10, 60, 40])
    days = join_day_kinds(kinds)
    rates = days.join_rates(np.repeat([1.0, 2.0, 3.0, 4.0], 48).reshape(4, 48))
    assert rates[:, 0] == pytest.approx([1.0, (10 * 2 + 40 * 4) / 50, 3.0])
    density = days.to_density(rates)
    both = days.to_density(np.stack([rates, 2 * rates]))
    assert both == pytest.approx(np.stack([density, density]))
    assert density.sum(axis=1) == pytest.approx(np.array([90, 180, 180]) / 450)
    assert days.find_class(np.array([SCHOOL_DAY, UNKNOWN_WEEKDAY])).tolist() == [0, 3]
    assert days.weekday_shares == pytest.approx(np.array([90, 50, 0]) / 140)
