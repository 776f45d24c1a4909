"""What a school is owed after a survey: its places, and what became of each."""

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from patrolplan.patrols.feared_places import FEARED_A_SCHOOL, find_feared_places
from patrolplan.patrols.planner import get_planner
from patrolplan.privacy import FACTOR_NAMES, ReportGroups, suppress_and_round
from patrolplan.team import school_answers as school
from patrolplan.team.ledger.monthly_return import RecentPresence
from patrolplan.times import SchoolTerm

MONDAY = dt.date(2026, 11, 30)
URN = "900001"


@pytest.fixture(scope="module")
def week(demo_week):
    """A week of the demo borough, without what it says of feared places."""
    demands = tuple(demand for demand in demo_week.demands if demand.kind != "feared")
    return replace(demo_week, demands=demands)


@pytest.fixture(scope="module")
def answers(week):
    """The answers to the first school, with nothing recorded."""
    return school.find_school_answers(week, None, [URN])[URN]


def test_each_heavy_place_of_the_school_is_answered(week, answers):
    """The places are the heaviest within reach, the heaviest first, with what may be shown."""
    plan, groups = week.plan, week.plan.area.reports
    places = find_feared_places(get_planner(plan), [URN])
    assert [answer.place.name for answer in answers] == [place.name for place in places]
    assert len(answers) == FEARED_A_SCHOOL
    for answer in answers:
        assert answer.gave.reports == groups.counts[answer.place.group]
        assert answer.gave.reports % 5 == 0
        assert answer.gave.max_reports == answer.gave.reports + 4
        shown = [int(n[answer.place.group]) for n in groups.by_term.values()]
        assert (answer.gave.latest is None) == (not any(shown))


def test_presence_is_counted_by_day_or_not_known(week, answers):
    """Days at several hotspots of a place count once; without a record none is claimed."""
    assert {answer.days_before for answer in answers} == {None}
    first, second = answers[0].place.hotspots[:2]
    days = [MONDAY - dt.timedelta(days=n) for n in (7, 6, 5)]
    presence = RecentPresence(2, {first: frozenset(days[:2]), second: frozenset(days[1:])})
    found = school.find_school_answers(week, presence, [URN])[URN]
    assert [answer.days_before for answer in found] == [3, 0, 0, 0, 0]
    assert {answer.weeks_recorded for answer in found} == {2}


def test_a_place_is_compared_with_those_in_reach_alone(week, answers):
    """A change is measured for places that show reports in the latest two terms near the school."""
    groups = week.plan.area.reports
    for answer in answers:
        if answer.change is not None:
            terms = (answer.change.before, answer.change.latest)
            assert any(groups.by_term[term][answer.place.group] for term in terms)
            assert terms == (sorted(groups.by_term)[-2], max(groups.by_term))
    assert any(answer.change is not None for answer in answers)
    assert any(answer.change is None for answer in answers)


SPRING, SUMMER, AUTUMN = SchoolTerm(2026, 0), SchoolTerm(2026, 1), SchoolTerm(2026, 2)

# x1/n1 less x2/n2 in Newcombe (1998), table II, method 10.
PUBLISHED = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]


def _groups(by_term, *, counts=None, step=5):
    """Groups of these true counts by term, suppressed and rounded as at the door."""
    true = {term: np.asarray(n, dtype=np.int64) for term, n in by_term.items()}
    total = sum(true.values()) if counts is None else np.asarray(counts, dtype=np.int64)
    shown = {term: suppress_and_round(n, step) for term, n in true.items()}
    size = len(total)
    return ReportGroups(
        threshold=step,
        group_of_piece=np.arange(size),
        counts=suppress_and_round(total, step),
        share_inside=np.ones(size),
        factor_counts=np.zeros((size, len(FACTOR_NAMES)), dtype=np.int64),
        by_term={term: n for term, n in shown.items() if n.any()},
        all_by_term={term: int(n.sum()) for term, n in shown.items() if n.any()},
    )


def _measure(groups, row=0):
    return school.measure_change(groups, row, np.ones(len(groups), dtype=bool))


@pytest.mark.parametrize(("latest", "before", "ends"), PUBLISHED)
def test_intervals_are_the_published_ones(latest, before, ends):
    """Newcombe's examples come out to four decimals."""
    counts = [(x, n - x) for x, n in (before, latest)]
    assert school.compute_newcombe_interval(*counts) == pytest.approx(ends, abs=6e-5)


SMALL = st.integers(0, 6)


@given(*[st.tuples(SMALL, st.integers(0, 5)) for _ in range(4)])
def test_two_corners_hold_every_true_count(one, two, three, four):
    """The interval is the union of those of all counts within the bounds, tried one by one."""
    before, latest = (
        ((here[0], sum(here)), (1 + there[0], 1 + sum(there)))
        for here, there in ((one, two), (three, four))
    )
    slow = [
        school.compute_newcombe_interval((x, rest), (y, other))
        for x, rest, y, other in itertools.product(
            *(range(lowest, highest + 1) for lowest, highest in (*before, *latest))
        )
    ]
    union = min(low for low, _ in slow), max(high for _, high in slow)
    assert school.compute_interval_of_change(before, latest) == pytest.approx(union, abs=1e-9)


def test_what_cannot_be_compared_is_not():
    """One term alone, none of the place shown, no other place, or none near: no change is given."""
    single = _groups({AUTUMN: [30, 60]})
    assert _measure(single) is None
    hidden = _groups({SUMMER: [4, 60], AUTUMN: [4, 60]}, counts=[8, 120])
    assert _measure(hidden) is None
    assert _measure(hidden, 1) is not None
    alone = _groups({SUMMER: [30], AUTUMN: [60]})
    assert _measure(alone) is None
    far = _groups({SUMMER: [30, 60], AUTUMN: [30, 60]})
    assert school.measure_change(far, 0, np.array([True, False])) is None


SHOWN = st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda pair: sum(pair) >= 5)


@given(st.lists(SHOWN, min_size=2, max_size=6), st.integers(0, 5))
def test_true_counts_lie_within_the_interval_given(counts, row):
    """Whatever the true counts, the interval holds theirs, among the squares that are compared."""
    group = row % len(counts)
    groups = _groups(dict(zip((SUMMER, AUTUMN), zip(*counts, strict=True), strict=True)))
    change = _measure(groups, group)
    if change is None:  # what is shown of a term, or of the others, may be nothing
        return
    assert -1 <= change.low <= change.high <= 1
    others = [pair for row, pair in enumerate(counts) if row != group]
    large = [pair for pair in others if sum(pair) >= 20]
    compared = [counts[group], *(large if len(large) >= 2 else others)]
    (x, y), n, m = counts[group], *map(sum, zip(*compared, strict=True))
    low, high = school.compute_newcombe_interval((x, n - x), (y, m - y))
    assert change.low <= low + 1e-12
    assert change.high >= high - 1e-12


@pytest.mark.parametrize("threshold", [7, 10, 12])
def test_thresholds_above_the_step_are_held_to_what_they_hide(threshold):
    """At a higher threshold the interval holds that of the true counts as well."""
    true = {SUMMER: np.array([33, 41, 52, 9]), AUTUMN: np.array([14, 47, 58, 16])}
    groups = _groups(true, step=threshold)
    change = _measure(groups)
    low, high = school.compute_newcombe_interval((33, 102), (14, 121))
    assert change.low <= low
    assert change.high >= high


def test_small_squares_do_not_blur_the_change():
    """Forty squares of a few reports each leave the interval as it is without them."""
    few = {SUMMER: [60, 80, 90], AUTUMN: [15, 100, 110]}
    many = {term: [*counts, *[3] * 40] for term, counts in few.items()}
    alone, crowded = _groups(few), _groups(many)
    assert _measure(crowded) == _measure(alone)
    # With one other large square alone, all are compared.
    single = _groups({term: [counts[0], counts[1], *[3] * 40] for term, counts in few.items()})
    change = _measure(single)
    assert change.low < _measure(alone).low - 0.05
    assert change.direction == "unclear"


SURVEYS = [((60, 60), (0.1, 0.1), 25), ((200, 80), (0.3, 0.15), 0), ((150, 400), (0.45, 0.05), 25)]


@pytest.mark.parametrize(("reports", "shares", "small"), SURVEYS)
def test_the_truth_lies_in_95_of_100_intervals(reports, shares, small):
    """Of 500 pairs of surveys, drawn with planted shares, the interval holds the truth."""
    random = np.random.default_rng(7)
    rest = np.array([0.3, 0.25, 0.15, 0.15, 0.15]) * (0.75 if small else 1.0)
    rest = np.concatenate([rest, np.full(small, 0.25 / max(small, 1))])
    odds = [np.array([share, *(1 - share) * rest]) for share in shares]
    held, exact, worlds = 0, 0, 500
    for _ in range(worlds):
        drawn = [random.multinomial(n, each) for n, each in zip(reports, odds, strict=True)]
        total = drawn[0] + drawn[1]
        groups = _groups({SUMMER: drawn[0], AUTUMN: drawn[1]}, counts=np.maximum(total, 5))
        of = total >= 20
        of[0] = False
        of |= of.sum() < 2
        of[0] = True
        p, q = (each[0] / each[of].sum() for each in odds)
        (x, n), (y, m) = ((int(each[0]), int(each[of].sum())) for each in drawn)
        low, high = school.compute_newcombe_interval((x, n - x), (y, m - y))
        exact += low <= q - p <= high
        change = _measure(groups)
        held += change is None or change.low <= q - p <= change.high
    assert 0.93 <= exact / worlds <= 0.985
    assert held / worlds >= 0.95
