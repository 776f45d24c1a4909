"""Which months are held: a force that drops out is missing, one that records little is not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, strategies as st

from patrolplan.area.missing_months import (
    LOW_SHARE,
    MIN_HELD_SHARE,
    MIN_TYPICAL_IN_FILES,
    MIN_TYPICAL_NEARBY,
    NEIGHBOURHOOD,
    Exposure,
    build_exposure,
    find_missing_parts,
    note_missing_months,
)

MONTHS = pd.date_range("2024-01-01", periods=8, freq="MS")
XY = np.column_stack([np.arange(6) * 100.0, np.zeros(6)])


def rows(counts):
    """Incidents from (force, catchment, counts by month) and the place of each."""
    parts = [
        pd.DataFrame({"force": force, "catchment": catchment, "month": MONTHS.repeat(by_month)})
        for force, catchment, by_month in counts
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(force=pd.Categorical(table["force"]))


def build(counts, inside=None):
    """The exposure of such incidents; `inside` is whether each is in the area."""
    table = rows(counts)
    inside = np.ones(len(table), dtype=bool) if inside is None else inside(table)
    return build_exposure(table, inside, table["catchment"].to_numpy(), XY)


def missing(exposure):
    """The months that are missing, as text."""
    return [(one.force, f"{one.month:%Y-%m}") for one in exposure.missing]


def test_a_force_that_records_little_is_not_missing_by_chance():
    """Few crimes of a force in the area prove nothing; its files as a whole do."""
    counts = [("A", 0, [50] * 8), ("B", 1, [1, 0, 2, 0, 0, 1, 0, 1])]
    assert build(counts).missing == ()
    elsewhere = ("B", 5, [90, 90, 0, 90, 90, 90, 90, 90])
    found = build([*counts, elsewhere], inside=lambda table: (table["catchment"] != 5).to_numpy())
    assert missing(found) == [("B", "2024-03")]


@given(st.lists(st.integers(0, 200), min_size=8, max_size=8))
def test_what_is_missing_is_what_a_plain_loop_finds(by_month):
    """A month is missing when it has less than a tenth of the median of the larger months."""
    found = build([("A", 0, [500] * 8), ("B", 5, by_month)])
    some = [count for count in by_month if count >= max(1, LOW_SHARE * max(by_month))]
    typical = 2 * float(np.median(some)) if some else 0.0
    expected = [
        ("B", f"{month:%Y-%m}")
        for month, count in zip(MONTHS, by_month, strict=True)
        if typical / 2 >= MIN_TYPICAL_IN_FILES and count < LOW_SHARE * typical / 2
    ]
    assert missing(found) == expected


def test_each_catchment_belongs_to_the_force_that_records_there():
    """A catchment of both forces is held in part, one of a single force fully or not at all."""
    gap = [40, 40, 0, 40, 40, 40, 40, 40]
    counts = [
        ("A", 0, [40] * 8),
        ("A", 2, [10] * 8),
        ("B", 2, [30, 30, 0, *[30] * 5]),
        ("B", 5, gap),
    ]
    held = build(counts).find_shares(MONTHS)
    assert held[2, 0] == 1.0
    assert held[2, 5] == 0.0
    assert held[2, 2] == pytest.approx(0.25)
    assert (held[[0, 1, 3, 4, 5, 6, 7]] == 1.0).all()


def test_a_catchment_without_crime_belongs_to_those_around_it():
    """Where nothing is recorded, the forces of the nearest catchments say whose it is."""
    found = build([("A", 0, [40] * 8), ("B", 5, [40] * 7 + [0])])
    held = found.find_shares(MONTHS[-1:])[0]
    assert held[0] == 1.0
    assert held[5] == 0.0
    assert (held[1:5] < 1.0).all()


def test_nothing_missing_is_no_table_of_shares():
    """If everything is held, there is nothing to look up, and other months count as held."""
    found = build([("A", 0, [40] * 8)])
    assert found.find_shares(MONTHS) is None
    assert note_missing_months(found) == []
    assert Exposure.complete().find_shares(MONTHS) is None
    later = MONTHS + pd.DateOffset(years=3)
    gap = build([("A", 0, [40, 0, 40, 40, 40, 40, 40, 40])])
    assert gap.find_shares(later) is None
    assert gap.find_shares(MONTHS[:2]).tolist() == [[1.0] * 6, [0.0] * 6]


def part_of_area(seed, gaps, *, west=8, side=6, mean=4.0):
    """(t, c) counts of 24 months on a grid; the western columns record nothing in `gaps`."""
    x, y = np.meshgrid(np.arange(2 * west), np.arange(side))
    counts = np.random.default_rng(seed).poisson(mean, size=(24, x.size))
    there = (x < west).ravel()
    counts[np.ix_(gaps, there)] = 0
    return counts, 100.0 * np.column_stack([x.ravel(), y.ravel()]), there


@example(461, 2)
@given(st.integers(0, 500), st.integers(2, 18))
def test_a_part_without_data_is_missing_there_alone(seed, months):
    """Where the files hold nothing of one side of the area for months, that side is missing.

    A catchment next to it that by chance recorded nothing in just these months may count as well.
    """
    counts, xy, there = part_of_area(seed, list(range(months)))
    found = find_missing_parts(counts, None, xy)
    assert found[:months][:, there].mean() > 0.95
    assert found[:, ~there].any(axis=0).sum() <= 1
    assert not found[months:].any()


@given(st.integers(0, 500), st.floats(0.2, 4))
def test_crime_that_only_varies_is_nowhere_missing(seed, mean):
    """Chance, season and sparse crime make no part of an area missing."""
    counts, xy, _ = part_of_area(seed, [], mean=mean)
    counts[::3] = np.random.default_rng(seed).poisson(0.5 * mean, size=counts[::3].shape)
    assert not find_missing_parts(counts, None, xy).any()


def find_parts_slowly(counts, held, xy):
    """Months missing in parts, with the typical month of every place and plain loops."""
    is_held = held >= MIN_HELD_SHARE
    near = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1)).argsort(axis=1)[:, :NEIGHBOURHOOD]
    empty = np.zeros(counts.shape, dtype=bool)
    for place, around in enumerate(near):
        here = counts[:, around].sum(axis=1)
        some = here[is_held[:, place] & (here >= max(1.0, LOW_SHARE * here.max()))]
        typical = float(np.median(some)) if len(some) else 0.0
        if typical >= MIN_TYPICAL_NEARBY:
            empty[:, place] = is_held[:, place] & (here < LOW_SHARE * typical)
    found = np.zeros(counts.shape, dtype=bool)
    for place, around in enumerate(near):
        in_doubt = empty[:, around].any(axis=1) & is_held[:, place]
        clear = is_held[:, place] & ~in_doubt
        expected = in_doubt.sum() * counts[clear, place].sum() / max(clear.sum(), 1)
        if expected < MIN_TYPICAL_IN_FILES:
            found[:, place] = empty[:, place] & (counts[:, place] == 0)
        elif counts[in_doubt, place].sum() < LOW_SHARE * expected:
            found[:, place] = in_doubt
    return found


@given(st.integers(0, 500), st.sets(st.integers(0, 23), max_size=20), st.floats(0.3, 4))
def test_parts_are_those_that_a_look_at_every_place_finds(seed, gaps, mean):
    """That most places are passed over, where no month is low enough, changes nothing."""
    counts, xy, there = part_of_area(seed, sorted(gaps), mean=mean)
    xy = xy + np.random.default_rng(seed).uniform(0, 9, xy.shape)  # none as far as another
    held = np.ones(counts.shape)
    held[5, there] = 0.2
    assert np.array_equal(find_missing_parts(counts, held, xy), find_parts_slowly(counts, held, xy))


def test_a_part_of_the_area_changes_what_is_held():
    """A missing part of the area is not held there, and has a separate note."""
    counts, xy, there = part_of_area(1, [3, 4])
    month, catchment = np.nonzero(counts)
    repeat = counts[month, catchment]
    months = pd.date_range("2023-01-01", periods=24, freq="MS")
    table = pd.DataFrame({"force": "A", "month": months[month.repeat(repeat)]})
    table = table.assign(force=pd.Categorical(table["force"]))
    inside = np.ones(len(table), dtype=bool)
    found = build_exposure(table, inside, catchment.repeat(repeat), xy)
    held = found.find_shares(months)
    assert found.missing_part is not None
    assert found.missing == ()
    assert held[3:5][:, there].mean() < 0.05
    assert (held[:, ~there] == 1).all()
    (note,) = note_missing_months(found)
    assert note.text.startswith("In a part of the area (")


@given(st.integers(1, 6), st.lists(st.integers(20, 60), min_size=8, max_size=8))
def test_a_missing_month_changes_no_catchment_of_other_forces(month, by_month):
    """Catchments of one force are held as before when a month of the other is taken away."""
    gap = [0 if number == month else count for number, count in enumerate(by_month)]
    held = build([("A", 0, [40] * 8), ("B", 5, gap)]).find_shares(MONTHS)
    assert (held[:, 0] == 1.0).all()
    assert held[:, 5].tolist() == [float(number != month) for number in range(8)]


def test_the_note_names_force_and_months():
    """A reader sees which months of which force are missing, as spans."""
    found = build([("A", 0, [40] * 8), ("B", 5, [0, 0, 40, 0, 40, 40, 40, 40])])
    (note,) = note_missing_months(found)
    assert note.text.startswith(
        "Missing from the files: 3 of 8 months of B (2024-01 to 2024-02, 2024-04)."
    )


def test_a_gap_of_all_forces_is_missing():
    """A month between the first and the last that no file has is missing for every force."""
    found = build([("A", 0, [30, 0, 30, 30, 30, 30, 30, 30]), ("B", 5, [9, 0, 9, 9, 9, 9, 9, 9])])
    assert missing(found) == [("A", "2024-02"), ("B", "2024-02")]


def test_where_every_catchment_has_crime_each_belongs_to_its_own_force():
    """With two forces and no catchment without crime, nothing has to be looked for nearby."""
    gap = [40] * 7 + [0]
    crime = [("A", place, [40] * 8) if place < 3 else ("B", place, gap) for place in range(6)]
    assert build(crime).find_shares(MONTHS).tolist() == [[1.0] * 6] * 7 + [[1.0] * 3 + [0.0] * 3]
