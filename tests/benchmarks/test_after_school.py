"""The benchmark on crimes with minutes finds what was drawn, and learns nothing from its test."""

import itertools
import json

import after_school
import gate_patrols
import numpy as np
import pandas as pd
import pytest
import standing
import timed_crimes
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

DRAWS = 8
PERIOD = ("2012-01-01", "2018-12-01")


def draw_places(seed, *, side, schools):
    """Cells, violent and quiet parts of town, and gates, more of them where it is violent."""
    rng = np.random.default_rng(seed)
    squares = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    xy = (squares + 0.5) * timed_crimes.CELL_METRES
    part = gaussian_filter(rng.normal(size=(side, side)), 6, mode="wrap").ravel()
    part = np.exp(0.8 * part / part.std())
    rate = part * rng.gamma(0.8, 1 / 0.8, len(xy))
    gates = xy[rng.choice(len(xy), schools, p=part / part.sum(), replace=False)]
    return rng, xy, rate / rate.mean(), gates + rng.uniform(-60, 60, gates.shape)


def draw_counts(seed, exponent, *, side=40, schools=9):
    """A city without single crimes, counts at all hours and after school, and the pupils."""
    rng, xy, rate, gates = draw_places(seed, side=side, schools=schools)
    near = cKDTree(gates).query(xy)[0] < timed_crimes.NEAR_METRES
    block = timed_crimes.number_blocks(xy)
    city = timed_crimes.City(
        pd.DataFrame(), xy, near, block, 0 * block, gates, pd.Series(dtype=object), PERIOD, PERIOD
    )
    window = after_school.WINDOW
    pupils = timed_crimes.compute_pupil_minutes(xy, gates, timed_crimes.BELL, window, parts=1)[:, 0]
    raised = (pupils / pupils[near].mean()) ** exponent
    learned = rng.poisson(3.0 * rate).astype(float)
    return city, learned, rng.poisson(0.25 * rate * raised).astype(float), pupils


def draw_folder(folder, seed=1, *, side=24, schools=5, crimes=60_000):
    """Files in the form that the benchmark reads; crime of every kind at all hours."""
    rng, xy, rate, gates = draw_places(seed, side=side, schools=schools)
    days = pd.date_range("2012-01-01", "2018-11-12")
    kind = np.select(
        [days.day_of_week > 4, days.month.isin([7, 8])], ["weekend", "weekday_off"], "school"
    )
    at = rng.choice(days, crimes) + pd.to_timedelta(rng.integers(0, 1440, crimes), "min")
    point = xy[rng.choice(len(xy), crimes, p=rate / rate.sum())]
    point = point + rng.uniform(-70, 70, point.shape)
    scale = timed_crimes.METRES_A_DEGREE * np.array([np.cos(np.radians(41.8)), 1.0])
    table = pd.DataFrame(point / scale + [-87.6, 41.8], columns=["longitude", "latitude"])
    table["occurred_at"] = at.strftime("%Y-%m-%d %H:%M")
    what = ["BATTERY", "ROBBERY", "THEFT", "CRIMINAL DAMAGE", "NARCOTICS"]
    table["category"] = rng.choice(what, crimes, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    table["description"] = rng.choice(["POCKET-PICKING", "OVER $500", "SIMPLE"], crimes)
    where = ["STREET", "SIDEWALK", "APARTMENT", "BAR OR TAVERN", timed_crimes.AT_SCHOOL]
    table["place"] = rng.choice(where, crimes)
    table["domestic"] = rng.random(crimes) < 0.1
    table.to_parquet(folder / "crimes-2012.parquet")
    pd.DataFrame({"date": days, "kind": kind}).to_csv(folder / "school_days.csv", index=False)
    schools = pd.DataFrame(gates / scale + [-87.6, 41.8], columns=["longitude", "latitude"])
    schools.assign(level="HS").to_csv(folder / "schools_2015-16.csv", index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small drawn city in files."""
    folder = tmp_path_factory.mktemp("city")
    draw_folder(folder)
    return folder


@pytest.fixture(scope="module")
def city(folder):
    """The same, read."""
    return timed_crimes.lay_out(*timed_crimes.read_tables(folder))


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_known_exponent_is_recovered(exponent):
    """Over drawn cities the estimate is on average the true exponent, and as sure as it says."""
    cities = (draw_counts(seed, exponent) for seed in range(DRAWS))
    found = np.array([after_school.estimate_exponent(*city) for city in cities])
    error = found[:, 0].std(ddof=1) / np.sqrt(DRAWS)
    assert abs(found[:, 0].mean() - exponent) < 3 * error
    assert error < 0.04
    inside = (found[:, 1] <= exponent) & (exponent <= found[:, 2])
    assert inside.sum() >= DRAWS - 2


def test_equal_scores_share_what_is_left():
    """The part of a cell in a slice is its chance over all orders of cells of equal score."""
    scores = np.array([5.0, 1.0, 3.0, 3.0, 3.0, 0.0])
    for coverage in (0.1, 0.5, 0.6, 1.0):
        expected = np.zeros(6)
        every = map(list, itertools.permutations(range(6)))
        orders = [order for order in every if (np.diff(scores[order]) <= 0).all()]
        for order in orders:
            left = coverage * 6 - np.arange(6)
            expected[order] += np.clip(left, 0, 1) / len(orders)
        np.testing.assert_allclose(after_school.select_top(scores, coverage), expected, atol=1e-12)


def test_pupils_are_a_front_that_walks_outward():
    """Presence equals that of walkers drawn one by one, near and far, early and late."""
    rng = np.random.default_rng(2)
    count = 400_000
    curve = timed_crimes.CURVE
    minutes = np.linspace(0, 180, 20_001)
    left = np.interp(rng.random(count) * curve.left(180.0), curve.left(minutes), minutes)
    home = rng.gamma(2.0, timed_crimes.DECAY_METRES, count)
    edges, band, angle = np.array([900.0, 910.0, 930.0, 990.0]), 150.0, (np.arange(400) + 0.5) / 400
    for metres in (300.0, 1200.0):
        # Each walks through the band from metres - 75 to metres + 75, as far as home.
        first = left + (metres - band / 2) / timed_crimes.SPEED
        last = left + np.minimum(metres + band / 2, home) / timed_crimes.SPEED
        spans = itertools.pairwise(edges - 900)
        spent = [np.minimum(last, end) - np.maximum(first, begin) for begin, end in spans]
        ring = np.column_stack([angle * metres, (1 - angle) * metres])
        density = timed_crimes.compute_pupil_minutes(ring, np.zeros((1, 2)), 900, edges)
        found = density.mean(axis=0) * 4 * metres * band / 1e6
        expected = np.maximum(spent, 0).mean(axis=1)
        np.testing.assert_allclose(found, expected, rtol=0.08, atol=0.002)


def test_counts_around_are_a_weighted_mean():
    """The mean around a cell is that of a plain double loop, its own count left out."""
    rng = np.random.default_rng(3)
    xy, counts = rng.uniform(0, 1000, (30, 2)), rng.poisson(2.0, 30).astype(float)
    expected = []
    for place in range(30):
        far = np.hypot(*(xy - xy[place]).T)
        weight = np.exp(-(far**2) / (2 * 200.0**2)) * (far <= 600) * (np.arange(30) != place)
        expected.append((weight @ counts + 1e-3 * counts.mean()) / (weight.sum() + 1e-3))
    np.testing.assert_allclose(timed_crimes.average_around(xy, counts, 200.0), expected)


@pytest.mark.parametrize(
    ("first", "last", "middle", "after"),
    [
        ("2012-01-01", "2018-11-12", 2015, "2018-12-01"),
        ("2008-01-01", "2019-12-31", 2013, "2020-01-01"),
        ("2019-03-05", "2019-09-01", 2019, "2019-10-01"),
    ],
)
def test_summer_of_the_middle_year_parts_learning_from_testing(first, last, middle, after):
    """The first half of the years is learned from, the later half tested, whole months of each."""
    learned, tested = timed_crimes.split_years(pd.Series(pd.to_datetime([last, first])))
    assert learned == (f"{first[:8]}01", f"{middle}-07-01")
    assert tested == (f"{middle}-09-01", after)


@pytest.mark.parametrize("ends", [("2019-09-01", "2020-06-30"), ("2018-01-01", "2018-08-31")])
def test_crimes_on_one_side_of_the_summer_are_refused(ends):
    """Where there is nothing to learn from, or nothing to test, it is said."""
    with pytest.raises(SystemExit, match="both sides of the summer"):
        timed_crimes.split_years(pd.Series(pd.to_datetime([*ends])))


def test_nothing_is_learned_from_the_years_tested(city):
    """Scores and risk stay the same to the bit when every crime of the years tested is moved."""
    changed = city.crimes.copy()
    later = changed["day"] >= pd.Timestamp(city.learned[1])
    changed.loc[later, ["cell", "minute"]] = [0, 905]
    other = timed_crimes.City(**(vars(city) | {"crimes": changed}))
    pupils = np.linspace(1, 2, len(city.cell_xy))
    for category in ("violence", "robbery"):
        before = after_school.score_cells(city, pupils, category)
        after = after_school.score_cells(other, pupils, category)
        assert all(np.array_equal(before[name], after[name]) for name in before)
    by_minute = np.repeat(pupils[:, None], gate_patrols.MINUTES, axis=1)
    risks = [gate_patrols.compute_risk(one, by_minute, night_places=True) for one in (city, other)]
    np.testing.assert_array_equal(*risks)


def test_exposure_moves_harm_but_adds_none(city):
    """Pupils move a category's harm within the ranked cells; clock and places are as without."""
    minutes = np.arange(900, 900 + gate_patrols.MINUTES + 1)
    pupils = timed_crimes.compute_pupil_minutes(city.cell_xy, city.gate_xy, 900, minutes)
    plain = gate_patrols.compute_risk(city, np.ones_like(pupils), night_places=True)
    raised = gate_patrols.compute_risk(city, pupils, night_places=True)
    assert raised[city.is_near].sum() == pytest.approx(plain[city.is_near].sum())
    assert not np.allclose(raised, plain)


def test_patrols_keep_their_hours_and_both_ways_are_equal(city):
    """A patrol stays at the gate, dwells and is back in time; a static one can be walked back."""
    risk = np.repeat(city.count(city.crimes)[:, None], gate_patrols.MINUTES, axis=1)
    there, back = gate_patrols.plan_patrol(city, city.gate_xy[0], risk)
    assert [cell for cell, _ in back[::-1]] == [cell for cell, _ in there]
    for patrol in (there, back):
        cells, begins = zip(*patrol, strict=True)
        rows = np.concatenate([city.gate_xy[:1], city.cell_xy[list(cells)], city.gate_xy[:1]])
        legs = np.abs(np.diff(rows, axis=0)).sum(axis=1) / gate_patrols.SPEED
        leave = np.array([900 + 10, *(begin + gate_patrols.DWELL for begin in begins)])
        arrive = np.array([*begins, 900 + gate_patrols.MINUTES])
        assert (arrive - leave >= legs - 1e-6).all()


def run(monkeypatch, module, *words):
    """Run the command of a benchmark."""
    monkeypatch.setattr("sys.argv", ["x", *map(str, words)])
    module.main()


@pytest.mark.parametrize(("way", "outdoors"), [("none", 0), ("half", 1), ("all", 2)])
def test_crimes_at_a_school_count_as_the_option_says(folder, way, outdoors):
    """As where all crime is twice there, and of two rows at a school so many are in the street."""
    crimes, *others = timed_crimes.read_tables(folder)
    city = timed_crimes.lay_out(crimes, *others, school_address=way)
    is_there = crimes["place"] == timed_crimes.AT_SCHOOL
    copies = [
        crimes.assign(place=crimes["place"].mask(is_there, place))
        for place in ["STREET"] * outdoors + ["APARTMENT"] * (2 - outdoors)
    ]
    twice = timed_crimes.lay_out(pd.concat(copies, ignore_index=True), *others)

    def measure(city):
        learned = city.count(city.select("violence", city.learned))
        met = standing.Incidents(city).count_met(city.gate_xy[0], 0, 1440)
        patrols = np.repeat(np.arange(1.0, len(learned) + 1)[:, None], 90, axis=1)
        tested = city.select("violence", city.tested).sort_values("cell", kind="stable")
        by_patrols = gate_patrols.find_met(city, tested, patrols)["weight"].sum()
        return np.array([*learned, met, by_patrols])

    np.testing.assert_allclose(2 * measure(city), measure(twice))
    assert measure(city)[-2:].all()
    clocks = [gate_patrols.compute_clock(place, "violence") for place in (city, twice)]
    np.testing.assert_allclose(*clocks)
    pupils = np.ones(len(city.cell_xy))
    by_count = [after_school.measure_pai(place, pupils)[0]["pai"] for place in (city, twice)]
    assert by_count[0] == pytest.approx(by_count[1])


def test_standing_is_given_for_every_way_to_count_a_schools_address(
    folder, tmp_path, monkeypatch, capsys
):
    """Without the option each of the three ratios is that of the option, and half is the usual."""
    file = tmp_path / "standing.json"
    run(monkeypatch, standing, "--data", folder, "--json", file)
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert [*figures["school_address"]] == ["none", "half", "all"]
    printed = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[0] for line in printed] == ["none", "half", "all"]
    gate = {}
    for way, ratio in figures["school_address"].items():
        run(monkeypatch, standing, "--data", folder, "--json", file, "--school-address", way)
        alone = json.loads(file.read_text(encoding="utf-8"))
        assert alone["school_address"] == {way: ratio}
        assert alone["standing"]["patrol_over_gate"] == ratio
        gate[way] = alone["standing"]["gate"]["met_per_thousand"]
        if way == "half":
            assert alone["standing"] == figures["standing"]
    assert gate["none"] < gate["all"]
    assert gate["half"] == pytest.approx((gate["none"] + gate["all"]) / 2)


def test_gate_that_meets_nothing_has_no_ratio():
    """Where all that a gate meets is at the school's address and none of it counts."""
    table = pd.DataFrame({"patrol": [1.0, 0.0], "gate": 0.0})
    nothing = {"ratio": None, "low": None, "high": None}
    assert standing.divide_by_gate(table, table) == nothing


def test_written_figures_have_the_agreed_form(folder, tmp_path, monkeypatch, capsys):
    """The command writes every figure with its interval."""
    monkeypatch.setattr(after_school, "SHIFTS", timed_crimes.SHIFTS[:1])
    file = tmp_path / "figures.json"
    run(monkeypatch, after_school, "--data", folder, "--json", file)
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures["patrols"]["low"] < figures["patrols"]["harm_ratio"] < figures["patrols"]["high"]
    for row in figures["standing"].values():
        value = row["ratio"] if "ratio" in row else row["met_per_thousand"]
        assert 0 <= row["low"] <= value <= row["high"]
    assert figures["school_address"]["half"] == figures["standing"]["patrol_over_gate"]
    assert [*figures["school_address"]] == ["none", "half", "all"]
    assert "harm met" in capsys.readouterr().out


def test_met_crimes_are_those_of_a_plain_loop(city):
    """Crimes near the dwells are those that a loop over patrols, stops and crimes finds."""
    tested = city.select("violence", city.tested).sort_values("cell", kind="stable")
    risk = np.repeat(city.count(city.crimes)[:, None], gate_patrols.MINUTES, axis=1)
    expected = []
    for gate, gate_xy in enumerate(city.gate_xy):
        for patrol in gate_patrols.plan_patrol(city, gate_xy, risk):
            for cell, begin in patrol:
                minutes = tested["minute"][tested["cell"] == cell]
                near = minutes[(minutes >= begin - 15) & (minutes < begin + 30)]
                expected += [(gate, cell, minute, 0.5) for minute in near]
    met = gate_patrols.find_met(city, tested, risk)
    found = met[["gate", "cell", "minute", "weight"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(expected)
    assert expected


def test_sums_are_drawn_by_group():
    """Drawn sums are whole groups, as many as there are, and on average all of them."""
    values = np.array([[1.0], [2.0], [30.0], [400.0]])
    drawn = timed_crimes.bootstrap_sums(values, [7, 7, 8, 9], draws=4000)[:, 0]
    possible = itertools.combinations_with_replacement((3.0, 30.0, 400.0), 3)
    assert set(drawn) == set(map(sum, possible))
    assert drawn.mean() == pytest.approx(433.0, rel=0.03)


@pytest.fixture
def planted():
    """A school where violence is recorded every day at a corner 200 m away, and little elsewhere.

    In the years tested there is one incident at the gate, at a minute that is given.
    """

    def lay_out(minute):
        days = pd.date_range("2012-01-01", "2018-11-30")
        learned = days[days < "2015-07-01"]
        east = np.r_[np.full(len(learned), 225.0), np.arange(-500.0, 501.0, 50.0), 25.0]
        at = pd.DatetimeIndex([*learned, *learned[:1].repeat(21), pd.Timestamp("2018-03-01")])
        longitude = east / timed_crimes.METRES_A_DEGREE
        minutes = pd.to_timedelta(np.r_[np.full(len(at) - 1, 930), minute], "min")
        crimes = pd.DataFrame(
            {"longitude": longitude, "latitude": 0.0, "occurred_at": at + minutes}
        )
        crimes = crimes.assign(category="BATTERY", description="", place="STREET", domestic=False)
        gate = pd.DataFrame({"longitude": [25.0 / timed_crimes.METRES_A_DEGREE], "latitude": 0.0})
        kinds = pd.Series("school", index=days)
        return timed_crimes.lay_out(crimes, kinds, gate, cell_metres=timed_crimes.CORNER_METRES)

    return lay_out


def test_planted_corner_is_where_one_stands(planted):
    """Whoever stands where the prize is highest sees the corner where all is recorded."""
    city, edges = planted(930), np.arange(900, 900 + gate_patrols.MINUTES + 1)
    everybody = timed_crimes.compute_pupil_minutes(city.cell_xy, city.gate_xy, 900, edges, parts=1)
    risk = gate_patrols.compute_risk(city, everybody)
    around = standing.look_around(city, 0, risk, everybody)
    corner = city.cell_xy[np.argmax(city.count(city.crimes))]
    stays = standing.plan_patrol(around)
    assert stays[0][0] == -1
    assert stays[0][2] >= 900 + gate_patrols.GATE
    away = [(cell, end - begin) for cell, begin, end in stays if cell >= 0]
    assert sum(minutes for _, minutes in away) >= gate_patrols.DWELL
    for cell, _ in away:
        assert np.hypot(*(city.cell_xy[cell] - corner)) <= standing.SIGHT_METRES
    plain = [(-1, 900.0, 900.0 + gate_patrols.MINUTES)]
    assert standing.sum_worth(around, stays) > 2 * standing.sum_worth(around, plain)


@pytest.mark.parametrize("dwells", [1, 2, 4])
def test_place_is_kept_in_one_stay_as_often_as_the_program_allows(monkeypatch, dwells):
    """Dwells in a row at the only corner with risk are one stay, after the gate's ten minutes."""
    monkeypatch.setattr(standing, "PLACE_DWELLS", dwells)
    rates = np.array([[0.0], [1.0]]).repeat(gate_patrols.MINUTES, axis=1)
    walks = np.array([[0.0, 2.5], [2.5, 0.0]])
    around = standing.Around(
        cells=np.array([-1, 7]),
        minutes=walks,
        rates=rates,
        passing=np.ones(2),
        xy=np.array([[0.0, 0.0], [200.0, 0.0]]),
    )
    leave = 912.5 + dwells * gate_patrols.DWELL
    expected = [(-1, 900, 910), (7, 912.5, leave), (-1, leave + 2.5, 990)]
    np.testing.assert_allclose(standing.plan_patrol(around), expected)


@pytest.mark.parametrize(
    ("minute", "share"), [(930, 0.5), (945, 0.0), (925, 1.0), (932, 0.0), (929, 1.0)]
)
def test_incident_is_spread_over_the_minutes_it_was_rounded_from(planted, minute, share):
    """Half of an incident at :30 is before it, half after; other minutes are nearly sure."""
    city = planted(minute)
    incidents = standing.Incidents(city)
    assert incidents.count_met(city.gate_xy[0], 915, 930) == pytest.approx(share)
    assert incidents.count_met(city.gate_xy[0] + 100, 915, 930) == 0.0
