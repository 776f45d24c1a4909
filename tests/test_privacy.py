"""The table of reports and the groups made of it: none small, all counted, the same in any CRS."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan import privacy as door
from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.notes import list_texts
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportGroups, ReportTable, suppress_and_round
from patrolplan.settings import parse_settings
from patrolplan.times import SchoolTerm

BNG = "EPSG:27700"
WEST, SOUTH = 530_000, 180_000
SHIFT = np.array([WEST, SOUTH])
PLACE = st.tuples(st.integers(-300, 1200), st.integers(-300, 1200))
EVERYWHERE = shapely.box(0, 0, 1e6, 1e6)
TERMS = [SchoolTerm(2024, 2), SchoolTerm(2025, 0), SchoolTerm(2025, 1)]


@st.composite
def returns(draw):
    """Pieces of street anywhere, squares with reports and what they gave, and a threshold."""
    pieces = draw(st.lists(PLACE, min_size=1, max_size=15, unique=True))
    places, people = FACTORS["place_factor"][:3], FACTORS["behaviour_factor"][:2]
    words = (FACTORS["time_band"], (*places, "none"), (*people, "none"), TERMS)
    row = st.tuples(st.sampled_from(pieces) | PLACE, *map(st.sampled_from, words))
    rows = draw(st.lists(row, max_size=60))
    return rows, np.array(pieces) + SHIFT, draw(st.integers(2, 12))


def _square(place):
    return tuple(np.floor(np.asarray(place) / SQUARE_METRES).astype(int))


def _by_square(rows):
    """Rows by their square, which is one of the British grid."""
    squares = {}
    for row in rows:
        place = np.array(row[0]) + SHIFT
        squares.setdefault(_square(place), []).append(row)
    return squares


def _tabulate(rows, threshold):
    """The table of the reader for rows, counted one by one."""
    step, held = door.get_rounding_step(threshold), _by_square(rows)
    large = {square: rows_ for square, rows_ in sorted(held.items()) if len(rows_) >= step}
    few = sum(len(rows_) for rows_ in held.values() if len(rows_) < step)
    factors = [
        [sum(name in row for row in rows_) for name in FACTOR_NAMES] for rows_ in large.values()
    ]
    in_terms = ([sum(row[4] == one for row in rows_) for rows_ in large.values()] for one in TERMS)
    by_term = {one: suppress_and_round(n, step) for one, n in zip(TERMS, in_terms, strict=True)}
    by_year = Counter[int]()
    for term, counts in by_term.items():
        by_year[term.year] += int(counts.sum())
    factors = np.array(factors, dtype=np.int64).reshape(-1, len(FACTOR_NAMES))
    return ReportTable(
        step=step,
        squares=np.array([(27700, *square) for square in large], dtype=np.int64).reshape(-1, 3),
        counts=suppress_and_round([len(rows_) for rows_ in large.values()], step),
        factor_counts=suppress_and_round(factors, step),
        in_small_squares=int(suppress_and_round(few, step)),
        refused={},
        by_year=dict(by_year),
        by_term={term: counts for term, counts in by_term.items() if counts.any()},
    )


def _group(case, limits=EVERYWHERE):
    rows, pieces, threshold = case
    table = _tabulate(rows, threshold)
    return door.group_reports(table, pieces, limits, crs=BNG, threshold=threshold)


def _held(case):
    """Rows of the reports in each square that has a street, in the squares' order."""
    held = _by_square(case[0])
    return {square: held.get(square, []) for square in sorted({_square(p) for p in case[1]})}


def _round_by_hand(count, threshold):
    """The shown count, computed in another way: the largest multiple that the steps passed."""
    step = min(5, threshold)
    passed = max(steps * step for steps in range(count // step + 1))
    return max(k * threshold for k in range(passed // threshold + 1))


@given(returns())
def test_groups_are_the_squares_that_reach_the_threshold(case):
    """Counted one by one, the groups are the squares with enough reports, rounded down."""
    groups, _ = _group(case)
    _, pieces, threshold = case
    counts = {square: _round_by_hand(len(rows), threshold) for square, rows in _held(case).items()}
    assert list(groups.counts) == [count for count in counts.values() if count]
    assert (groups.counts >= threshold).all()
    enough = [square for square, count in counts.items() if count]
    expected = [enough.index(s) if s in enough else -1 for s in map(_square, pieces)]
    assert list(groups.group_of_piece) == expected


@given(st.integers(0, 200), st.integers(2, 60))
def test_shown_counts_never_show_more(count, threshold):
    """A shown count is at most the true one, and 0 if that is below the threshold."""
    shown = int(suppress_and_round(count, threshold))
    assert shown == _round_by_hand(count, threshold) <= count
    assert shown == 0 or shown >= threshold
    if threshold % 5 == 0 or threshold < 5:
        assert count - shown < threshold


@given(st.integers(0, 300), st.integers(2, 80))
def test_a_threshold_needs_the_rounded_count_alone(count, threshold):
    """A threshold shows the same for a true count and for the count in the table."""
    rounded = suppress_and_round(count, door.get_rounding_step(threshold))
    assert suppress_and_round(rounded, threshold) == suppress_and_round(count, threshold)


@given(st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_comparing_the_counts_of_a_square_never_gives_one_value(bands):
    """Over all counts of time bands with the same table, no band has a single value."""
    fits = np.stack(np.meshgrid(*[np.arange(14)] * 4), axis=-1).reshape(-1, 4)
    alike = (suppress_and_round(fits, 5) == suppress_and_round(bands, 5)).all(axis=1)
    alike &= suppress_and_round(fits.sum(axis=1), 5) == suppress_and_round(sum(bands), 5)
    assert all(len(set(values)) > 1 for values in fits[alike].T)


@given(returns())
def test_nothing_is_lost_but_what_is_counted(case):
    """Reports without a group are recorded by reason, in steps, small squares also at 0."""
    groups, rows = _group(case)
    reports, pieces, threshold = case
    table, streets = _tabulate(reports, threshold), {_square(piece) for piece in pieces}
    has_street = np.array([tuple(square) in streets for square in table.squares[:, 1:]], dtype=bool)
    shown = suppress_and_round(table.counts, threshold) > 0
    few = table.in_small_squares + table.counts[has_street & ~shown].sum()
    expected = {"in a group under the threshold": _round_by_hand(int(few), threshold)}
    if not has_street.all():
        none = int(table.counts[~has_street].sum())
        expected["no walkable street near"] = _round_by_hand(none, threshold)
    assert {row.reason: row.count for row in rows} == expected
    assert all(row.shown_from == threshold for row in rows)
    assert len(groups) == (has_street & shown).sum()


@given(returns())
def test_the_most_a_group_may_hold_is_true_and_depends_on_its_count_alone(case):
    """The upper end of a group's band is at least its true count, and the next count's start."""
    groups, _ = _group(case)
    _, _, threshold = case
    true = [len(rows) for rows in _held(case).values() if _round_by_hand(len(rows), threshold)]
    assert (groups.max_counts >= np.array(true, dtype=int)).all()
    for count, most in zip(groups.counts, groups.max_counts, strict=True):
        reach = [n for n in range(200) if _round_by_hand(n, threshold) == count]
        assert most >= max(reach)
        assert most - max(reach) < 5


@given(returns())
def test_reasons_are_those_that_the_threshold_gave(case):
    """A factor is named exactly when enough of the group's reports gave it, the most first."""
    groups, _ = _group(case)
    threshold = case[2]
    large = [rows for rows in _held(case).values() if _round_by_hand(len(rows), threshold)]
    for rows, shown in zip(large, groups.reasons, strict=True):
        given_ = Counter(factor for row in rows for factor in row[1:4] if factor != "none")
        counts = {factor: _round_by_hand(count, threshold) for factor, count in given_.items()}
        assert set(shown) == {factor for factor, count in counts.items() if count}
        order = [(-counts[factor], factor) for factor in shown]
        assert order == sorted(order)


@given(returns())
def test_terms_are_those_that_the_threshold_was_made_in(case):
    """Each group's terms are counted one by one and rounded, and never add up to more than it."""
    groups, _ = _group(case)
    threshold = case[2]
    large = [rows for rows in _held(case).values() if _round_by_hand(len(rows), threshold)]
    none = np.zeros(len(groups), dtype=int)
    for term in TERMS:
        counts = [_round_by_hand(sum(row[4] == term for row in rows), threshold) for rows in large]
        assert groups.by_term.get(term, none).tolist() == counts
        assert groups.all_by_term.get(term, 0) >= sum(counts)
    assert (sum(groups.by_term.values(), none) <= groups.counts).all()


@given(returns(), st.integers(0, 30))
def test_the_digest_covers_terms(case, pick):
    """Groups that differ in the term of their reports alone have another digest."""
    groups, _ = _group(case)
    assert groups.digest == _group(case)[0].digest
    if groups.by_term:
        terms = list(groups.by_term)
        other = terms[pick % len(terms)]._replace(year=2019)
        renamed = {other if t == terms[pick % len(terms)] else t: groups.by_term[t] for t in terms}
        assert dataclasses.replace(groups, by_term=renamed).digest != groups.digest


def _list_counts(shown):
    """(n, k) all counts that are shown as these: each is up to four more."""
    return np.stack(np.meshgrid(*(count + np.arange(5) for count in shown)), -1).reshape(
        -1, len(shown)
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=5, max_size=40))
def test_comparing_bands_with_terms_never_gives_one_value(drawn):
    """Of all counts by band and by term that show the same, none has one value alone.

    Both add up to the square's number. Two more terms than those drawn may hold up to four reports
    each, for terms have no fixed number.
    """
    shown = int(suppress_and_round(len(drawn), 5))
    bands = [suppress_and_round(sum(band == k for band, _ in drawn), 5) for k in range(4)]
    terms = [suppress_and_round(sum(term == k for _, term in drawn), 5) for k in range(5)]
    fits = [_list_counts(bands), _list_counts(terms)]
    numbers = set(range(shown, shown + 5)).intersection(*(fit.sum(axis=1) for fit in fits))
    assert len(numbers) > 1
    for fit in fits:
        possible = fit[np.isin(fit.sum(axis=1), list(numbers))]
        assert (possible.min(axis=0) < possible.max(axis=0)).all()


def _one_square(count=5):
    none = np.zeros((1, len(FACTOR_NAMES)), dtype=np.int64)
    square = np.array([[27700, WEST // 250, SOUTH // 250]])
    return ReportTable(5, square, np.array([count]), none, 0, {"unknown time band": 0})


def test_the_part_of_a_square_within_the_area_is_given():
    """For a square that the limits cut, the share within them is given with the whole count."""
    limits = shapely.box(WEST, SOUTH, WEST + 50, SOUTH + 1000)
    piece = [[WEST + 10.0, SOUTH + 10.0]]
    groups, _ = door.group_reports(_one_square(), piece, limits, crs=BNG, threshold=5)
    assert groups.counts.tolist() == [5]
    assert groups.share_inside.tolist() == pytest.approx([0.2])


def test_squares_without_a_street_are_counted_by_where_they_lie():
    """A square outside the limits and one without a street are left out for their own reasons."""
    away = [[WEST + 9000.0, SOUTH]]
    for limits, why in (
        (shapely.box(WEST - 9, SOUTH - 9, WEST + 9999, SOUTH + 9), "no walkable street near"),
        (shapely.box(WEST + 800, SOUTH, WEST + 9999, SOUTH + 9), "outside the area"),
    ):
        groups, rows = door.group_reports(_one_square(10), away, limits, crs=BNG, threshold=5)
        assert len(groups) == 0
        assert [(row.reason, row.count_text) for row in rows] == [
            ("unknown time band", "fewer than 5"),
            (why, "10"),
            ("in a group under the threshold", "fewer than 5"),
        ]


def test_squares_at_the_end_of_the_world_are_outside_the_area():
    """Squares that the area's CRS does not reach are outside the area, without a fault."""
    places = find_squares([[170.1, -45.1], [-0.1, -89.9]])
    none = np.zeros((2, len(FACTOR_NAMES)), dtype=np.int64)
    table = ReportTable(5, places, np.array([5, 10]), none, 0, {})
    piece = [[WEST + 10.0, SOUTH + 10.0]]
    groups, rows = door.group_reports(table, piece, EVERYWHERE, crs=BNG, threshold=5)
    assert len(groups) == 0
    assert {row.reason: row.count for row in rows}["outside the area"] == 15


NONE = np.zeros((1, len(FACTOR_NAMES)), dtype=np.int64)


def test_groups_below_the_threshold_cannot_be_made():
    """The type itself refuses a group that is too small, or a count that shows too much."""
    nowhere = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="smaller than the threshold of 5"):
        ReportGroups(5, nowhere, np.array([10, 4]), np.ones(1), NONE)
    with pytest.raises(ValueError, match="multiples of the threshold of 5"):
        ReportGroups(5, nowhere, np.array([7]), np.ones(1), NONE)
    with pytest.raises(ValueError, match="multiples of the threshold of 5"):
        ReportGroups(5, nowhere, np.array([10]), np.ones(1), NONE + 3)
    assert len(ReportGroups(5, nowhere, np.array([10]), np.ones(1), NONE)) == 1


@pytest.mark.parametrize(
    ("count", "by_factor", "in_small_squares", "refused"),
    [(4, 0, 0, 0), (7, 0, 0, 0), (5, 3, 0, 0), (5, 0, 4, 0), (5, 0, 0, 1), (0, 0, 0, 0)],
)
def test_a_table_that_shows_too_much_cannot_be_made(count, by_factor, in_small_squares, refused):
    """The table of the door refuses any count between the steps, and a square under them."""
    square = np.array([[27700, 1, 1]])
    given_ = np.array([count]), NONE + by_factor, in_small_squares, {"x": refused}
    with pytest.raises(ValueError, match="5"):
        ReportTable(5, square, *given_)


def test_years_that_show_more_than_squares_cannot_be_made():
    """More reports by year than by square would say how far the squares were rounded down."""
    square = np.array([[27700, 1, 1]])
    assert ReportTable(5, square, np.array([5]), NONE, 5, {}, {2025: 5, 2026: 5}).by_year
    with pytest.raises(ValueError, match="more reports by year than by square"):
        ReportTable(5, square, np.array([5]), NONE, 0, {}, {2025: 5, 2026: 5})


@pytest.mark.parametrize(("by_year", "by_term", "why"), [
    ({2025: 10}, {TERMS[1]: 5, TERMS[2]: 10}, "more reports by term than by square"),
    ({2025: 5, 2024: 5}, {TERMS[1]: 5, TERMS[2]: 5}, "more reports by term than by year"),
    ({2025: 5}, {TERMS[1]: 3}, "multiples of 5"),
])  # fmt: skip
def test_terms_that_show_more_than_squares_or_years_cannot_be_made(by_year, by_term, why):
    """Terms are in steps, and never add up to more than their square or their year shows."""
    square = np.array([[27700, 1, 1]])
    terms = {term: np.array([count]) for term, count in by_term.items()}
    with pytest.raises(ValueError, match=why):
        ReportTable(5, square, np.array([10]), NONE, 0, {}, by_year, terms)
    if "year" not in why:
        nowhere = np.zeros(1, dtype=np.int64)
        with pytest.raises(ValueError, match=why.replace("multiples of 5", "multiples of the")):
            ReportGroups(5, nowhere, np.array([10]), np.ones(1), NONE, terms, {})


def test_tables_and_groups_hold_nothing_of_a_single_report():
    """Only counts leave the door, by square, term or year: no row, place, identifier or day."""
    assert set(ReportGroups.__dataclass_fields__) == {
        *("threshold", "group_of_piece", "counts", "share_inside", "factor_counts"),
        *("by_term", "all_by_term", "squares"),
    }
    assert set(ReportTable.__dataclass_fields__) == {
        *("step", "squares", "counts", "factor_counts", "in_small_squares", "refused"),
        *("by_year", "by_term"),
    }


def test_a_threshold_under_the_steps_is_announced():
    """Readers learn how reports are counted, and warned where the threshold is a low one."""
    sources = {"crimes": "c", "schools": "s", "streets": "o", "reports": "r"}
    notes = []
    for threshold in (5, 10, 3):
        privacy = {"threshold": threshold, "reason": "a trial in June."}
        settings = parse_settings({"sources": sources, "privacy": privacy}, folder=Path())
        notes.append(list_texts(door.note_report_grouping(settings)))
    assert len(notes[0]) == len(notes[1]) == 1
    assert "in 250 m squares. A square counts only if it has 10 reports or more" in notes[1][0]
    assert notes[2][1].endswith(
        "is 3, under 5: it could identify a person. Reason: a trial in June."
    )
