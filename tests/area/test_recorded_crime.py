"""Recorded crime: snap points and exact places, months that are missing, eras of points."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, strategies as st
from small_networks import build_small_network, write_lane

import patrolplan as pp
from patrolplan.area import missing_months as rules
from patrolplan.area.incidents import has_known_times
from patrolplan.area.missing_months import build_exposure, find_missing_parts, note_missing_months
from patrolplan.area.snap_eras import carry_over, find_era_starts
from patrolplan.network.catchments import build_catchments
from patrolplan.patrols.patrol_backtest import cut_area
from patrolplan.settings import parse_settings

STREETS = write_lane("Long Lane", (-0.14, 51.52), (-0.13, 51.52), (-0.13, 51.521))
OPEN = ["-0.1390,51.5201", "-0.1375,51.5201"]
"""Two map points near the west end of 700 m of street."""
NEAR, FAR = "-0.1382,51.5200", "-0.1305,51.5200"


@pytest.fixture
def lane(tmp_path):
    """A lane of 700 m with a school, and a maker of areas from open and own rows."""
    (tmp_path / "x.osm").write_text(STREETS, encoding="utf-8")
    school = "URN,EstablishmentName,Longitude,Latitude\n1,Lane School,-0.135,51.5201\n"
    (tmp_path / "s.csv").write_text(school, encoding="utf-8")

    def area(*own):
        rows = {"open": ("Month", [f"2024-05,Robbery,{point}" for point in OPEN])}
        if own:
            rows["own"] = ("date_time", [f"2024-05-03 15:40,Robbery,{place}" for place in own])
        for name, (when, lines) in rows.items():
            text = "\n".join([f"{when},Crime type,Longitude,Latitude", *lines, ""])
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        files = [f"{name}.csv" for name in rows]
        sources = {"crimes": files, "schools": "s.csv", "streets": "x.osm"}
        return pp.load_area(parse_settings({"sources": sources}, folder=tmp_path))

    return area


def _lies(area):
    """For each incident, the eastings of the pieces that it is spread over."""
    middle = area.network.piece_middle[:, 0]
    return [middle[area.catchments.piece_catchment == own] for own in area.incident_catchment]


def test_exact_rows_leave_the_snap_points_their_streets(lane):
    """A crime of exact place takes no street from the map points, and counts with the nearest's."""
    alone, mixed = lane(), lane(NEAR)
    assert mixed.snapped
    assert len(mixed.incidents) == 3
    plain = {tuple(row) for row in alone.catchments.xy}
    assert plain <= {tuple(row) for row in mixed.catchments.xy}
    near = np.hypot(*(alone.catchments.xy[alone.catchments.piece_catchment]
                      - alone.network.piece_middle).T) <= 250  # fmt: skip
    for before, after in zip(_lies(alone), _lies(mixed), strict=False):
        inside = np.isin(before, alone.network.piece_middle[near, 0])
        np.testing.assert_array_equal(after, before[inside])
    assert len(_lies(mixed)[2]) > 1


def test_far_from_every_snap_point_a_place_is_exact(lane):
    """Where no map point is near, a crime of exact place stays on its own piece of street."""
    area = lane(FAR)
    (piece,) = _lies(area)[2]
    place = area.incidents.geometry.iloc[2].x
    assert abs(piece - place) < 30


def test_nothing_of_exact_places_is_cached_from_a_mix(lane, tmp_path, monkeypatch):
    """With open data in the mix too, no place of a force's own crimes is written to a cache."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "open"))
    lane()
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "mixed"))
    area = lane(NEAR)
    assert not area.catchments.public
    cached, mixed = (
        {path.name for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("open", "mixed")
    )
    assert mixed
    assert mixed <= cached


@pytest.mark.parametrize(
    ("timed", "count", "enough"),
    [(0, 0, False), (1, 4, False), (2, 4, True), (449, 900, False), (450, 900, True)],
)
def test_times_are_known_from_enough_of_them(timed, count, enough):
    """Half of all crimes that count are enough to say when harm happens; a few of many are not."""
    assert has_known_times(pd.Series(np.arange(count) < timed, dtype=bool)) is enough


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
    some = [count for count in by_month if count >= max(1, rules.LOW_SHARE * max(by_month))]
    typical = 2 * float(np.median(some)) if some else 0.0
    expected = [
        ("B", f"{month:%Y-%m}")
        for month, count in zip(MONTHS, by_month, strict=True)
        if typical / 2 >= rules.MIN_TYPICAL_IN_FILES and count < rules.LOW_SHARE * typical / 2
    ]
    assert missing(found) == expected


def test_each_catchment_belongs_to_the_force_that_records_there():
    """A catchment of both forces is held in part, one of a single force fully or not at all."""
    gap = np.array([1, 1, 0, 1, 1, 1, 1, 1])
    counts = [("A", 0, [40] * 8), ("A", 2, [10] * 8), ("B", 2, 30 * gap), ("B", 5, 40 * gap)]
    held = build(counts).find_shares(MONTHS)
    assert held[2, 0] == 1.0
    assert held[2, 5] == 0.0
    assert held[2, 2] == pytest.approx(0.25)
    assert (held[[0, 1, 3, 4, 5, 6, 7]] == 1.0).all()
    # Where none is without crime, nothing has to be looked for nearby.
    crime = [("AB"[place > 2], place, [40] * 7 + [40 * (place < 3)]) for place in range(6)]
    assert build(crime).find_shares(MONTHS).tolist() == [[1.0] * 6] * 7 + [[1.0] * 3 + [0.0] * 3]


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
    assert rules.Exposure.complete().find_shares(MONTHS) is None
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
    is_held = held >= rules.MIN_HELD_SHARE
    apart = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
    near = apart.argsort(axis=1)[:, : rules.NEIGHBOURHOOD]
    empty = np.zeros(counts.shape, dtype=bool)
    for place, around in enumerate(near):
        here = counts[:, around].sum(axis=1)
        some = here[is_held[:, place] & (here >= max(1.0, rules.LOW_SHARE * here.max()))]
        typical = float(np.median(some)) if len(some) else 0.0
        if typical >= rules.MIN_TYPICAL_NEARBY:
            empty[:, place] = is_held[:, place] & (here < rules.LOW_SHARE * typical)
    found = np.zeros(counts.shape, dtype=bool)
    for place, around in enumerate(near):
        in_doubt = empty[:, around].any(axis=1) & is_held[:, place]
        clear = is_held[:, place] & ~in_doubt
        expected = in_doubt.sum() * counts[clear, place].sum() / max(clear.sum(), 1)
        if expected < rules.MIN_TYPICAL_IN_FILES:
            found[:, place] = empty[:, place] & (counts[:, place] == 0)
        elif counts[in_doubt, place].sum() < rules.LOW_SHARE * expected:
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


def test_the_note_names_force_and_months():
    """A reader sees which months of which force are missing, as spans."""
    found = build([("A", 0, [40] * 8), ("B", 5, [0, 0, 40, 0, 40, 40, 40, 40])])
    (note,) = note_missing_months(found)
    assert note.text.startswith(
        "Missing from the files: 3 of 8 months of B (2024-01 to 2024-02, 2024-04)."
    )


LANE = build_small_network([(0, 0), (1200, 0)], [[0, 1]])


def crimes(months=10, points=60, per_month=120, *, replaced=None, first="2023-01-01", seed=1):
    """Months and points of crime; from month `replaced` on all points are new."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(months), per_month)
    place = rng.integers(points, size=len(month))
    place += points * (month >= (months if replaced is None else replaced))
    return pd.Series(pd.date_range(first, periods=months, freq="MS").to_numpy()[month]), place


@pytest.mark.parametrize("replaced", [1, 2, 5, 9])
def test_an_era_begins_where_points_are_replaced(replaced):
    """Points that are all new from a month on begin an era, at either end of the data too."""
    months, place = crimes(replaced=replaced)
    starts = find_era_starts(months, place)
    assert starts.tolist() == sorted(set(months))[::replaced][:2]


@given(st.integers(0, 1000), st.integers(5, 400))
def test_the_same_points_are_one_era(seed, points):
    """Points that stay are one era, however many are first seen late."""
    months, place = crimes(points=points, seed=seed)
    assert len(find_era_starts(months, place)) == 1


def test_a_force_that_starts_late_begins_no_era():
    """Many new points are not an era while the old ones continue."""
    months, place = crimes()
    more, new = crimes(replaced=0)
    late = more >= pd.Timestamp("2023-06-01")
    both = pd.concat([months, more[late]], ignore_index=True)
    assert len(find_era_starts(both, np.append(place, new[late]))) == 1


def test_the_known_era_needs_no_large_numbers():
    """In July 2022 data.police.uk replaced its points: so few crimes that none can tell are cut."""
    months, place = crimes(per_month=5, first="2022-03-01")
    assert find_era_starts(months, place)[-1] == pd.Timestamp("2022-07-01")
    months, place = crimes(first="2022-03-01")
    assert len(find_era_starts(months, place)) == 1


@given(st.integers(0, 100), st.integers(2, 8), st.integers(2, 8), st.integers(1, 40))
def test_crimes_are_carried_to_streets_that_both_eras_share(seed, before, after, number):
    """Every crime of an earlier era lands in a catchment that shares street with its own."""
    rng = np.random.default_rng(seed)
    old, new = (
        build_catchments(LANE, np.column_stack([rng.uniform(0, 1200, n), np.zeros(n)]))
        for n in (before, after)
    )
    own = rng.integers(-1, len(old), number)
    months = pd.Series(pd.Timestamp("2022-01-01")).repeat(number)
    category = rng.integers(3, size=number)
    found = carry_over(LANE, old, new, own, category, months)
    shared = set(zip(old.piece_catchment.tolist(), new.piece_catchment.tolist(), strict=True))
    for one, other in zip(own.tolist(), found.tolist(), strict=True):
        assert other == -1 if one == -1 else (one, other) in shared
    assert (found == carry_over(LANE, old, new, own, category, months)).all()


def test_crimes_are_divided_by_shared_street_in_every_run_of_months():
    """A point equally near to two new ones gives half of its crimes to each, every year."""
    old, new = (build_catchments(LANE, xy) for xy in ([[600.0, 0]], [[590.0, 0], [610.0, 0]]))
    months = pd.Series(pd.date_range("2020-01-01", periods=24, freq="MS")).repeat(5)
    found = carry_over(LANE, old, new, np.zeros(120, int), np.zeros(120, int), months)
    for part in np.split(found, 4):
        assert abs((part == 0).sum() - 15) <= 2


def test_the_order_of_files_decides_nothing():
    """Crimes carried over are as many in each catchment and month, whatever their order."""
    months = pd.Series(pd.date_range("2020-01-01", periods=20, freq="MS")).repeat(3)
    old, new = (build_catchments(LANE, [[x, 0.0], [1200.0 - x, 0]]) for x in (300.0, 500.0))
    own = np.arange(60) % 2
    order = np.random.default_rng(0).permutation(60)
    one, other = (
        carry_over(LANE, old, new, own[rows], own * 0, months.iloc[rows])
        for rows in (np.arange(60), order)
    )
    assert sorted(zip(one, months)) == sorted(zip(other, months.iloc[order]))  # noqa: B905


def test_a_new_point_nearby_gets_more_than_one_far_away():
    """Crime is densest around its point: the new point near the old one gets most of it."""
    old, new = (build_catchments(LANE, xy) for xy in ([[200.0, 0]], [[220.0, 0], [1000.0, 0]]))
    months = pd.Series(pd.Timestamp("2022-01-01")).repeat(50)
    found = carry_over(LANE, old, new, np.zeros(50, int), np.zeros(50, int), months)
    assert (found == 0).all()


CHANGE = "2026-01"


@pytest.fixture(scope="module")
def load_moved(copy_demo, demo, tmp_path_factory):
    """Load the demo borough up to a month, all points moved by some 40 m from January 2026 on."""
    months = sorted(path.name for path in (demo.parent / "crimes").iterdir())

    def load(last):
        held = [month for month in months if month <= last]
        settings = copy_demo(tmp_path_factory.mktemp("moved"), *held)
        for path in sorted(settings.parent.glob("crimes/*/*-street.csv")):
            if path.parent.name >= CHANGE:
                table = pd.read_csv(path)
                # Any angle, the same for a point.
                angle = 1e6 * (table["Longitude"] + table["Latitude"])
                table["Longitude"] = (table["Longitude"] + 0.0006 * np.cos(angle)).round(6)
                table["Latitude"] = (table["Latitude"] + 0.0004 * np.sin(angle)).round(6)
                table.to_csv(path, index=False)
        return pp.load_area(settings)

    return load


@pytest.fixture(scope="module")
def moved(load_moved):
    """The demo borough with all its months and both eras of points."""
    return load_moved("2026-09")


def test_a_change_of_points_is_noted_and_loses_no_crime(demo_area, moved):
    """Every crime keeps a catchment, those of the newest points alone, and the change is said."""
    assert len(moved.incidents) == pytest.approx(len(demo_area.incidents), abs=20)
    assert (moved.incident_catchment >= 0).all()
    (note,) = [note.text for note in moved.notes if note.key == "points_replaced"]
    assert "were replaced in January 2026: earlier crimes" in note
    newest = moved.incidents["month"] >= f"{CHANGE}-01"
    points = moved.incidents.geometry[newest]
    seen = set(zip(points.x, points.y, strict=True))
    assert all(tuple(point) in seen for point in moved.catchments.xy.tolist())
    assert (moved.catchments.first_month >= np.datetime64(f"{CHANGE}-01")).all()


@pytest.mark.parametrize(("last", "first_month"), [
    ("2025-09", "2025-10"),
    ("2026-01", "2026-02"),
    ("2026-03", "2026-04"),
])  # fmt: skip
def test_an_area_cut_before_a_month_knows_no_later_points(load_moved, moved, last, first_month):
    """Before a change of points and after it, its places are those of files that end there."""
    cut = cut_area(moved, pd.Timestamp(first_month))
    alone = load_moved(last)
    assert np.array_equal(cut.catchments.xy, alone.catchments.xy)
    assert np.array_equal(cut.catchments.piece_catchment, alone.catchments.piece_catchment)
    assert np.array_equal(cut.incident_catchment, alone.incident_catchment)
    assert len(cut.exposure.shares) == len(cut.catchments)


def test_in_one_era_a_cut_area_keeps_its_places(demo_area):
    """Nearly all points are seen in the months that every origin has before it."""
    cut = cut_area(demo_area, pd.Timestamp("2026-04"))
    assert cut.catchments is demo_area.catchments
    assert cut.exposure is demo_area.exposure
