"""`StudyArea`: its sources as they are declared, what is left out, and a part of its crime."""

import dataclasses
import re
import shutil
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings as limits, strategies as st
from small_networks import write_lane

import patrolplan as pp
from patrolplan.area.sources import SOURCES, check_scale, find_source_files, get_column_mapping
from patrolplan.crs import Projection
from patrolplan.errors import InputError, SettingsError
from patrolplan.notes import list_texts
from patrolplan.settings import Settings, parse_settings
from patrolplan.settings.load import build_settings_template

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/_ext"))
import reference_pages

HEADER = "Crime ID,Month,Reported by,Longitude,Latitude,Crime type"
STREETS = write_lane("Mill Lane", (-0.13, 51.52), (-0.126, 51.52), (-0.126, 51.522))


@pytest.fixture(scope="session")
def village(tmp_path_factory):
    """One street, one school: an area as small as can be."""
    folder = tmp_path_factory.mktemp("village")
    (folder / "x.osm").write_text(STREETS, encoding="utf-8")
    school = "URN,EstablishmentName,Longitude,Latitude\n1,Mill School,-0.128,51.5201\n"
    (folder / "s.csv").write_text(school, encoding="utf-8")
    (folder / "c.csv").write_text(f"{HEADER}\n1,2024-05,Met,-0.128,51.52,Robbery\n", "utf-8")
    return folder


def _area(folder, **sections):
    sources = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    sources |= sections.pop("sources", {})
    return pp.load_area(parse_settings({"sources": sources} | sections, folder=folder))


def _count(area, source):
    return sum(row.count for row in area.left_out if row.source == source)


REPORT = st.tuples(
    st.sampled_from(["R1", "R2", "R3", "R4", "R5", "R6"]),
    st.sampled_from(["2024-05-01", "2024-02-30"]),
    st.sampled_from(["lunch", "noon"]),
    st.sampled_from(["-0.128,51.52", "-0.1262,51.5219", ",", "0,0", "51.52,-0.128", "2.35,48.85"]),
)


@limits(max_examples=15)
@given(st.lists(REPORT, max_size=14))
def test_every_report_is_grouped_or_counted(village, rows):
    """Reports that were read are, except for the rounding of groups, grouped or left out."""
    header = "report_id,reported_on,time_band,place_factor,behaviour_factor,longitude,latitude"
    lines = [header, *(f"{i},{day},{band},none,none,{place}" for i, day, band, place in rows)]
    (village / "r.csv").write_text("\n".join(lines), encoding="utf-8")
    privacy = {"threshold": 3, "reason": "a test"}
    area = _area(village, sources={"reports": "r.csv"}, privacy=privacy)
    lost = _count(area, "reports")
    grouped = int(area.reports.counts.sum())
    reasons = sum(row.source == "reports" for row in area.left_out)
    assert 0 <= len(rows) - lost - grouped <= 2 * (len(area.reports) + reasons)
    assert all(row.shown_from == 3 for row in area.left_out if row.source == "reports")


def _same(one, other):
    """Equal in every part, but for results that are cached there."""
    if isinstance(one, pd.DataFrame):
        typed = "osm_id" not in one  # Texts of ways are of another type if they were cached.
        frames = (pd.DataFrame(one), pd.DataFrame(other))
        pd.testing.assert_frame_equal(*frames, check_dtype=typed)
    elif isinstance(one, np.ndarray | pd.Index):
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, Settings):
        assert one.model_dump() == other.model_dump()
    elif dataclasses.is_dataclass(one) and "__eq__" not in vars(type(one)):
        for field in (part for part in dataclasses.fields(one) if part.init):
            _same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict) and any(isinstance(part, np.ndarray) for part in one.values()):
        assert list(one) == list(other)
        _same([*one.values()], [*other.values()])
    elif isinstance(one, list):
        for part, twin in zip(one, other, strict=True):
            _same(part, twin)
    else:
        assert one == other


def test_every_input_has_its_digest(demo_area, village):
    """Each file has its own digest, also two with the same name, and the boundary."""
    assert len(demo_area.inputs) == 48 + 9
    for folder in ("a", "b"):
        (village / folder).mkdir(exist_ok=True)
        text = f"{HEADER}\n{folder},2024-05,Met,-0.128,51.52,Robbery\n"
        (village / folder / "c.csv").write_text(text, encoding="utf-8")
    edge = gpd.GeoSeries([shapely.box(-0.2, 51.5, -0.1, 51.6)], crs="EPSG:4326")
    edge.to_file(village / "edge.geojson")
    area = _area(village, sources={"crimes": "*/c.csv"}, area={"boundary": "edge.geojson"})
    names = ("crimes: a/c.csv", "crimes: b/c.csv", "schools: s.csv", "streets: x.osm")
    assert list(area.inputs) == [*names, "boundary: edge.geojson"]
    assert len(set(area.inputs.values())) == 5


def test_gate_is_the_nearest_street_unless_one_is_given(village):
    """Without a gate the nearest street is used and noted; a given gate stays where it is."""
    area = _area(village)
    assert area.schools["gate_assumed"].tolist() == [True]
    text = "1 of 1 school has no gate: the nearest walkable street is used."
    assert text in list_texts(area.notes)
    assert area.gates.moved_metres[0] == pytest.approx(11.1, abs=0.2)
    (village / "g.csv").write_text("urn,longitude,latitude\n1,-0.126,51.5219\n", "utf-8")
    gated = _area(village, sources={"gates": "g.csv"})
    assert gated.schools["gate_assumed"].tolist() == [False]
    assert gated.gates.moved_metres[0] < 1
    assert gated.network.xy(gated.gates)[0, 1] > area.network.xy(area.gates)[0, 1] + 100


def test_crimes_far_from_any_street_are_counted(village):
    """A crime inside the bounds but far from every street is left out and counted."""
    rows = [f"{place},2024-05,Met,-0.128,{place},Robbery" for place in (51.52, 51.54)]
    (village / "far.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    bounds = {"bounds": [-0.14, 51.51, -0.11, 51.55]}
    area = _area(village, sources={"crimes": "far.csv"}, area=bounds)
    assert len(area.incidents) == 1
    assert [str(row) for row in area.left_out] == ["crimes: 1 left out, no walkable street near"]


def test_nothing_of_a_forces_own_extract_is_cached(village, tmp_path, monkeypatch):
    """Where crimes have times of day, only streets are cached for the next run."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    rows = "date_time,category,longitude,latitude\n2024-05-03 15:40,Robbery,-0.1279,51.5201\n"
    (village / "own.csv").write_text(rows, encoding="utf-8")
    columns = {"crimes": {"category": "category"}}
    area = _area(village, sources={"crimes": "own.csv"}, columns=columns)
    assert not area.snapped
    cached = {path.name.split("-")[0] for path in tmp_path.iterdir()}
    assert cached == {"arrays", "streets"}
    assert len(list((tmp_path / "arrays").iterdir())) == 1  # the network


def test_only_what_is_named_changes(demo_area):
    """The other settings, and everything that was read, stay as they are."""
    new = {"patrol": {"dwell_minutes": 20}, "hotspots": {"method": "dbscan"}}
    changed = pp.with_settings(demo_area, **new)
    assert changed.settings.patrol.dwell_minutes == 20
    assert changed.settings.hotspots.method == "dbscan"
    assert changed.settings.patrol.gate_minutes == demo_area.settings.patrol.gate_minutes
    assert changed.incidents is demo_area.incidents
    assert changed.settings.folder == demo_area.settings.folder


def test_a_gate_moves_to_the_nearest_street(demo_area):
    """Only that school's patrols start elsewhere, and the place counts as known."""
    row = int(np.flatnonzero(demo_area.schools["gate_assumed"])[0])
    urn = demo_area.schools["urn"][row]
    target = demo_area.network.node_xy[100]
    x, y = demo_area.projection.to_degrees(*target[:, None])
    moved = pp.with_gate(demo_area, urn, float(x[0]), float(y[0]))
    where = moved.network.xy(moved.gates)
    assert np.hypot(*(where[row] - target)) < 1
    others = np.arange(len(where)) != row
    assert np.array_equal(where[others], demo_area.network.xy(demo_area.gates)[others])
    assert not moved.schools["gate_assumed"][row]
    assert moved.schools.geometry[row].distance(shapely.Point(target)) < 1


@pytest.mark.parametrize(("longitude", "latitude", "what"), [
    (np.nan, np.nan, "longitude nan, latitude nan is not a place on the earth; give degrees"),
    (0.87, 91.0, "longitude 0.87, latitude 91.0 is not a place on the earth; give degrees"),
    (587000.0, 183000.0, "is not a place on the earth; give degrees: -180 to 180, and -90 to 90"),
    (0.0, 0.0, "no walkable street within 250 m of 0.0, 0.0"),
    (0.0, 90.0, "no walkable street within 250 m of 0.0, 90.0"),
])  # fmt: skip
def test_a_gate_that_is_nowhere_is_refused(demo_area, longitude, latitude, what):
    """The message repeats the place and says what to give."""
    with pytest.raises(pp.InputError, match=what):
        pp.with_gate(demo_area, demo_area.schools["urn"][0], longitude, latitude)


def test_a_moved_gate_is_recorded_and_needs_a_risk_of_its_own(demo_area, demo_risk, demo_hotspots):
    """Own pupils walk from the gate: a risk from before the move, or between two, is refused."""
    first = pp.with_gate(demo_area, "900003", 0.8751, 51.5271)
    both = pp.with_gate(first, 900001, 0.8725, 51.5287)
    moves = {name: value for name, value in both.inputs.items() if name not in demo_area.inputs}
    assert moves == {
        "gate of URN 900003": "0.875100, 51.527100",
        "gate of URN 900001": "0.872500, 51.528700",
    }
    with pytest.raises(pp.InputError) as error:
        pp.plan_patrols(both, demo_risk, demo_hotspots)
    assert str(error.value) == (
        "risk: was made from another area, which differs in gate of URN 900003, gate of URN "
        "900001; estimate it for this area."
    )
    risk = pp.estimate_risk(first)
    with pytest.raises(pp.InputError, match="differs in gate of URN 900001; estimate it"):
        pp.plan_patrols(both, risk, demo_hotspots)
    assert pp.plan_patrols(first, risk, pp.find_hotspots(first, risk), urns="900003").patrols


def test_a_table_of_gates_is_among_what_a_risk_rests_on(demo_area):
    """As bells are, and unlike who is on duty and what is tasked, which are a week's."""
    sources = {name.partition(":")[0] for name in demo_area.basis}
    assert {"gates", "bell_times"} <= sources
    assert not sources & {"officers", "duties", "tasked_places"}


def test_what_cannot_change_is_not_touched(demo_area):
    """A ledger's password is masked on the way through the check, and must stay."""
    url = "postgresql://lead:s3cr3t@host/doses"
    settings = demo_area.settings
    ledger = settings.ledger.model_copy(update={"url": url})
    area = dataclasses.replace(demo_area, settings=settings.model_copy(update={"ledger": ledger}))
    changed = pp.with_settings(area, seed=5).settings
    assert (changed.seed, changed.ledger.url, changed.file) == (5, url, settings.file)


def test_area_does_not_depend_on_where_it_lies(demo, demo_area, tmp_path):
    """A copy of the files in another folder gives the same area in every part, names included."""
    shutil.copytree(demo.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("*.py*"))
    _same(pp.load_area(tmp_path / "copy" / demo.name), demo_area)


LANE = shapely.LineString([(-0.13, 51.52), (-0.1, 51.52)])
SCHOOLS = pd.DataFrame({"urn": [1], "name": "Mill Road", "longitude": -0.128, "latitude": 51.5201})


def _build(times, categories, *, at=None, **settings):
    """An area of one lane whose crimes are exact, at these times, along it or at one place."""
    crimes = pd.DataFrame({"datetime": times, "category": categories})
    crimes["longitude"] = np.linspace(-0.129, -0.101, len(crimes)) if at is None else at
    streets = gpd.GeoDataFrame({"name": ["Long Lane"]}, geometry=[LANE], crs="EPSG:4326")
    crimes["latitude"] = 51.52
    return pp.build_area(crimes=crimes, schools=SCHOOLS, streets=streets, settings=settings)


def _take(area, *categories):
    """The area with incidents of these categories alone."""
    return area.where(area.incidents["category"].isin(categories))


@pytest.fixture(scope="module")
def timed_area():
    """400 crimes in two years, every hour and weekday among them; some without a time."""
    rng = np.random.default_rng(4)
    minutes = rng.integers(0, 2 * 365 * 24 * 60, 400)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min")
    text = times.strftime("%Y-%m-%d %H:%M").to_numpy(dtype=object)
    text[:40] = times[:40].strftime("%Y-%m-%d")
    return _build(text, rng.choice(["Robbery", "Bicycle theft", "Drugs"], 400))


MONTHS = st.integers(0, 23).map(lambda n: f"{2024 + n // 12}-{n % 12 + 1:02}")
SPANS = st.lists(st.tuples(MONTHS, MONTHS).map(lambda span: tuple(sorted(span))), max_size=2)


@given(SPANS, st.none() | st.sets(st.integers(0, 23)), st.sampled_from(["Robbery", "Drugs"]))
def test_a_selection_is_that_of_a_slow_loop(timed_area, spans, hours, category):
    """A mask and months narrow together; a month of which nothing is selected is unknown."""
    rows = list(timed_area.incidents.itertuples())
    mask = [
        hours is None or (row.category == category and row.timed and row.occurred_at.hour in hours)
        for row in rows
    ]
    months = [f"{row.month:%Y-%m}" for row in rows]
    inside = [not spans or any(a <= month <= b for a, b in spans) for month in months]
    chosen = [row for row, *good in zip(rows, mask, inside, strict=True) if all(good)]
    words = [f"{first} to {last}" for first, last in spans] or None
    given_mask = None if hours is None else mask
    if not any(row.category != "Drugs" for row in chosen) or (words is None and hours is None):
        with pytest.raises(pp.InputError, match=r"is left|selects nothing"):
            timed_area.where(given_mask, months=words)
        return
    part = timed_area.where(given_mask, months=words)
    assert len(part.incidents) == len(chosen) == len(part.incident_catchment)
    crimes = part.tables[0]
    assert (crimes.used, crimes.rows) == (len(chosen), crimes.used + crimes.left_out)
    held = {f"{row.month:%Y-%m}" for row in chosen}
    held |= {month for month in months if spans and any(a <= month <= b for a, b in spans)}
    exposure = part.exposure
    assert {f"{month:%Y-%m}" for month in exposure.months[exposure.held.any(axis=1)]} == held


def test_provenance_tells_a_part_from_the_whole(demo_area):
    """Inputs name the selection, also of a selection from a selection."""
    area = _take(demo_area, "Robbery").where(months="2026-01")
    name = "selection of crimes"
    assert re.fullmatch(r"incidents of a mask \(\w{8}\); 2026-01", area.inputs[name])
    one, other = _take(demo_area, "Robbery"), _take(demo_area, "Drugs", "Robbery")
    assert other.inputs[name] != one.inputs[name]
    assert name not in demo_area.inputs
    assert [note.key for note in area.accepted_checks] == ["incidents_selected"] * 2


def test_the_threshold_for_crime_holds_for_a_part():
    """Of groups of five, a month's few crimes are not used: they could be those of one person."""
    times = ["2024-03-01 15:00"] * 6 + ["2024-04-01 15:00"] * 3
    privacy = {"threshold": 5, "threshold_for_crime": True}
    area = _build(times, "Robbery", at=-0.12, privacy=privacy)
    assert len(area.incidents) == 9
    assert len(area.where(months="2024-03").incidents) == 6
    with pytest.raises(pp.InputError, match="no incident of a category that counts is left"):
        area.where(months="2024-04")


@pytest.mark.parametrize(("given_words", "match"), [
    ({"months": "2025-13"}, "'2025-13' is not a month or a span of months; write such as"),
    ({"months": ["x", "2026-02 to 2025-12"]}, r"'x' is not(.|\n)*ends before it begins"),
    ({"months": "2031-01"}, "not within the data; choose months from 2024-10 to 2026-09"),
    ({"mask": [True, False]}, "not one of true and false for each of 12,872 incidents"),
    ({"mask": np.ones(12_872)}, "not one of true and false for each"),
    ({"mask": np.zeros(12_872, dtype=bool)}, r"no incident of a category that counts is left"),
    ({}, "selects nothing; give a mask, or months"),
])  # fmt: skip
def test_what_cannot_be_selected_is_refused(demo_area, given_words, match):
    """The message names every value seen and what to do."""
    with pytest.raises(pp.InputError, match=match):
        demo_area.where(**given_words)


LONDON, FRANKFURT, SYDNEY = (-0.13, 51.52), (8.68, 50.11), (151.2, -33.87)


def _check(crs, place):
    projection = Projection(crs)
    x, y = projection.to_metres([place[0]], [place[1]])
    check_scale(projection, shapely.box(x[0] - 2000, y[0] - 2000, x[0] + 2000, y[0] + 2000))


@pytest.mark.parametrize(("code", "place", "use"), [
    *((code, LONDON, None) for code in (27700, 32630, 32631)),
    *((27700, place, None) for place in ((-5.93, 54.6), (-1.2, 60.3))),
    *((25832, FRANKFURT, None), (3035, FRANKFURT, None), (32756, SYDNEY, None)),
    *((code, LONDON, "EPSG:27700") for code in (3857, 32718, 4087)),
    *((27700, FRANKFURT, "EPSG:32632"), (3857, SYDNEY, "EPSG:32756")),
])  # fmt: skip
def test_a_crs_of_another_place_is_refused_with_one_that_fits(code, place, use):
    """Grids, UTM zones and equal-area CRSs pass where they belong; else the key and a good one."""
    if use is None:
        _check(f"EPSG:{code}", place)
        return
    with pytest.raises(InputError) as error:
        _check(f"EPSG:{code}", place)
    line = str(error.value)
    assert line.startswith(f"[area] crs: 'EPSG:{code}' ")
    assert use in line or "EPSG:27700 in Great Britain" in line


def _settings(folder=".", columns=None, **sources):
    needed = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
    data = {"sources": needed | sources, "columns": columns or {}}
    return parse_settings(data, folder=folder, file="my.toml")


def test_each_pattern_of_a_list_must_match(tmp_path):
    """Each pattern that matches no file is reported, even where another one matches."""
    (tmp_path / "a.csv").touch()
    settings = _settings(tmp_path, crimes=["*.csv", "b/*.csv", "c?.csv"])
    with pytest.raises(InputError) as error:
        find_source_files(settings, "crimes")
    found = [(problem.file, problem.what) for problem in error.value.problems]
    assert found == [("b/*.csv", "no file matches"), ("c?.csv", "no file matches")]
    settings = _settings(tmp_path, crimes=["*.csv", "a.*"])
    assert find_source_files(settings, "crimes") == (tmp_path / "a.csv",)


def test_an_unknown_column_is_reported_by_its_key():
    """The settings file, the key and the nearest name that is known."""
    settings = _settings(columns={"crimes": {"categry": "Crime type", "zzz": "a", "month": "M"}})
    with pytest.raises(SettingsError) as error:
        get_column_mapping(settings, "crimes")
    first, second = map(str, error.value.problems)
    assert first.startswith(
        "my.toml, key 'columns.crimes.categry': unknown column; did you mean 'category'?"
    )
    assert "key 'columns.crimes.zzz'" in second
    assert "(known: crime_id, month, " in second


@pytest.mark.parametrize(("name", "columns"), list(SOURCES.items()), ids=list(SOURCES))
def test_every_source_is_a_key_with_columns_that_say_what_they_mean(name, columns):
    """Settings, template and reference have each source, and no column is without a meaning."""
    named = Settings.model_fields["sources"].annotation.model_fields
    assert set(SOURCES) | {"streets"} == set(named)
    field = named[name]
    assert f"# {field.description}" in build_settings_template()
    assert field.examples
    assert [column.name for column in columns if not column.meaning] == []
    page = "\n".join(reference_pages.list_inputs())
    part = page.partition(f"## `{name}`")[2].partition("## `")[0]
    assert [column.name for column in columns if f"`{column.name}`" not in part] == []


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_checked_from_a_file_and_as_an_argument(tmp_path, name):
    """With none of the columns it is refused by name, of the file and of the argument."""
    frame, path = pd.DataFrame({"zzz": ["1"]}), tmp_path / f"{name}.csv"
    frame.to_csv(path, index=False)
    if name in {"areas", "designated"}:
        path = tmp_path / f"{name}.geojson"
        frame = gpd.GeoDataFrame(frame, geometry=[shapely.box(0, 51, 1, 52)], crs=4326)
        frame.to_file(path)
    with pytest.raises(InputError) as error:
        pp.load_area(_settings(tmp_path, **{name: str(path)}))
    assert any(str(path) == str(problem.file) for problem in error.value.problems)
    sources = {"crimes": "c", "schools": "s", "streets": "x"} | {name: "y"}
    with pytest.raises(InputError, match=f"argument {name}: "):
        pp.build_area(**{name: frame}, settings={"sources": sources})
