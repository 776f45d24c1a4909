"""Tables that do not go together are named or refused; tables in a harmless dress are neither."""

import dataclasses
import datetime as dt
import itertools
import re
import shutil
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.area import relations
from patrolplan.crs import Projection
from patrolplan.errors import PatrolplanError
from patrolplan.inputs.street_files import load_cached_streets
from patrolplan.notes import list_texts
from patrolplan.settings import load_settings
from patrolplan.tables import LeftOut

MONTHS = 12
AREA = {"name": "Eastmere", "crs": "EPSG:27700"}
TABLES = ("schools", "bell_times", "gates", "officers", "term_dates", "tasked_places", "duties")


def _read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="cp1252")


@pytest.fixture(scope="module")
def base(demo):
    """The demo borough as frames of text, with a table of every kind; and its streets."""
    folder = demo.parent
    frames = {name: _read(folder / f"{name}.csv") for name in (*TABLES, "reports")}
    paths = sorted(folder.glob("crimes/*/*eastmere-street.csv"))[-MONTHS:]
    crimes = pd.concat([_read(path) for path in paths])
    crimes = crimes[crimes["Longitude"] != ""]
    frames["crimes"] = crimes.reset_index(drop=True)
    frames |= _make_ways_home(frames["schools"])
    frames["designated"] = _draw_hexagons()
    streets = load_cached_streets([folder / "streets.osm.gz"], Projection("EPSG:27700"), LeftOut())
    return frames, streets


def _make_ways_home(schools):
    """Small areas as squares of 500 m, with residents; pupils, stops and places."""
    random = np.random.default_rng(1)
    squares = itertools.product(range(597_000, 602_000, 500), range(183_000, 188_000, 500))
    boxes = [shapely.box(x, y, x + 500, y + 500) for x, y in squares]
    names = [f"A{number:03}" for number in range(len(boxes))]
    residents = random.integers(900, 2000, len(boxes))
    areas = {"area": names, "residents": residents, "aged_5_16": residents // 7}
    rows = [
        (school.URN, names[k % len(names)], max(6, int(float(school.NumberOfPupils)) // 12))
        for number, school in enumerate(schools.itertuples())
        if school.NumberOfPupils
        for k in range(7 * number, 7 * number + 11)
    ]
    degrees = {"longitude": random.uniform(0.852, 0.885, 60)}
    points = pd.DataFrame(degrees | {"latitude": random.uniform(51.52, 51.54, 60)}).round(6)
    stops = points.assign(kind="bus_stop", boardings=random.lognormal(5, 0.7, 60).round())
    halves = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    clock = {"category": "Robbery", "kind": "*", "from": halves, "share": range(10, 58)}
    return {
        "areas": gpd.GeoDataFrame(areas, geometry=boxes, crs="EPSG:27700"),
        "origins": pd.DataFrame(rows, columns=["urn", "area", "pupils"]),
        "stops": stops,
        "places": points[::2].assign(kind="pub").reset_index(drop=True),
        "clock": pd.DataFrame(clock),
    }


def _draw_hexagons():
    """Three hotspots of a force."""
    places = [(599_200, 185_800), (598_500, 184_700), (599_600, 184_600)]
    cells = {"place_id": ["HO-1", "HO-2", "HO-3"], "name": "", "minutes": "60", "drawn": "2026-09"}
    shapes = [shapely.Point(place).buffer(180, 2) for place in places]
    return gpd.GeoDataFrame(cells, geometry=shapes, crs="EPSG:27700")


TOGETHER = {"areas": "origins", "origins": "areas", "duties": "officers", "designated": "officers"}
"""The table that a changed one is read with; all others are left away."""


@pytest.fixture
def load(base):
    """What is shown of the tables once a function has changed them: the ending and the words."""

    def run(change=lambda *_: None):
        frames, settings = dict(base[0]), {"area": AREA, "seed": 1}
        change(frames, settings)
        changed = {name for name, frame in frames.items() if frame is not base[0].get(name)}
        if "crimes" not in changed and changed:
            frames["crimes"] = frames["crimes"][-1_500:]
        if changed:
            needed = {"crimes", "schools", *changed}
            needed |= {TOGETHER[name] for name in changed & {*TOGETHER}}
            frames = {name: frame for name, frame in frames.items() if name in needed}
        streets = frames.pop("streets", base[1])
        try:
            area = pp.build_area(streets=streets, settings=settings, **frames)
        except PatrolplanError as error:
            return "refused", str(error)
        odd = [note for note in area.notes if note.key == "relation_odd"]
        return "noted" if odd else "silent", "\n".join(list_texts(odd))

    return run


def _on(table, change):
    """A change of one table: what the function gives for a copy of it."""

    def apply(frames, _):
        frames[table] = change(frames[table].copy())

    return apply


def _put(table, rows=(None,), **columns):
    """Values of columns replaced, in a slice of rows; a function is given what was there."""

    def change(frame):
        at = frame.index[slice(*rows)]
        for column, value in columns.items():
            frame[column] = frame[column].astype(object)
            frame.loc[at, column] = value(frame.loc[at, column]) if callable(value) else value
        return frame

    return _on(table, change)


def _put_years(table, old, new):
    days = dict.fromkeys(("from", "to"), lambda days: days.str.replace(old, new))
    return _put(table, **days)


def _all(*changes):
    def apply(frames, settings):
        for change in changes:
            change(frames, settings)

    return apply


def _set(**sections):
    return lambda _, settings: settings.update(sections)


def _add(table, **row):
    return _on(table, lambda t: pd.concat([t, pd.DataFrame([row])], ignore_index=True).fillna(""))


def _copy(*of, share=1.0, ids=False, digits=None, times=1, split=False):
    """Rows of crime again: of a category or month, without IDs, rounded, or in another file."""

    def apply(frames, _):
        crimes = some = frames["crimes"]
        for one in of:
            some = some[some[["Month", "Crime type"]].eq(one).any(axis=1)]
        again = pd.concat([some.iloc[: int(share * len(some))]] * times)
        if not ids:
            again = again.assign(**{"Crime ID": ""})
        if digits is not None:
            for axis in ("Longitude", "Latitude"):
                again[axis] = pd.to_numeric(again[axis]).round(digits).map(lambda v: f"{v:.6f}")
        both = [crimes, again]
        frames["crimes"] = both if split else pd.concat(both, ignore_index=True)

    return apply


def _time(first=0, end=24, *, minute=None):
    """Crimes with a day and time of a force's own extract: of some hours, or of one minute."""

    def change(crimes):
        random = np.random.default_rng(2)
        size = len(crimes)
        days = pd.to_datetime(crimes["Month"]) + pd.to_timedelta(random.integers(0, 28, size), "D")
        minutes = random.integers(first * 60, end * 60, size)
        if minute is not None:
            minutes = np.where(random.random(size) < 0.5, minute, minutes)
        times = days + pd.to_timedelta(minutes, "min")
        return crimes.assign(occurred_at=times.dt.strftime("%Y-%m-%d %H:%M")).drop(columns="Month")

    return _on("crimes", change)


def _drop(category, months):
    lost = {"Crime type": [category], "Month": months}
    return _on("crimes", lambda t: t[~t[[*lost]].isin(lost).all(axis=1)])


def _move(east, north):
    def change(crimes):
        x = pd.to_numeric(crimes["Longitude"]) + east
        y = pd.to_numeric(crimes["Latitude"]) + north
        return crimes.assign(Longitude=x.round(6).astype(str), Latitude=y.round(6).astype(str))

    return _on("crimes", change)


def _pin(share):
    def change(crimes):
        rows = np.random.default_rng(3).random(len(crimes)) < share
        crimes.loc[rows, ["Longitude", "Latitude"]] = ["0.868000", "51.531000"]
        return crimes

    return _on("crimes", change)


LAST = [f"2026-{month:02}" for month in (6, 7, 8, 9)]
NO_IDS, ROBBERY = _put("crimes", **{"Crime ID": ""}), {"Crime type": "Robbery"}
PIN = {"longitude": "0.868123", "latitude": "51.531456"}
AT_ONE = {"Easting": "599201", "Northing": "185870"}
AT_MILL = {"longitude": "0.871526", "latitude": "51.530686"}
SOON = {"from": "2026-11-02", "to": "2026-12-01"}
TASKED = {"place_id": "T-9", **AT_MILL, "schools": "*", "reason": "x", "by": "y", **SOON}
DUTY = {"officer": "SSO-01", "date": "2026-12-08", "from": "14:00", "to": "16:00", "kind": "court"}

# fmt: off
MUTATIONS = {
    # Of crimes, the copies.
    "all rows again without IDs": ("crime_rows", _copy()),
    "a third of the rows again without IDs": ("crime_rows", _copy(share=0.33)),
    "a month again without IDs": ("crime_rows", _copy("2026-08")),
    "all rows twice in the file": ("crime_rows", _copy(ids=True)),
    "a category five times": ("crime_rows", _copy("Burglary", ids=True, times=4)),
    "a category without ID twice": ("crime_rows", _copy("Anti-social behaviour")),
    "rows beside rounded ones": ("crime_", _copy(digits=4)),
    "rows beside ones to three decimals": ("crime_", _copy(digits=3, split=True)),
    "rows without IDs in another file": ("crime_", _copy(split=True)),
    "half of the rows in another file": ("crime_", _copy(share=0.5, split=True)),
    "no IDs, and each row twice": ("crime_rows_doubled", _all(NO_IDS, _copy())),
    "times, and a tenth of the rows twice": ("crime_rows", _all(_time(), _copy(share=0.1))),
    "a month twice, without any ID": ("crime_", _all(NO_IDS, _copy("2026-08"))),
    # Of crimes, the concentration.
    "a fifth at one point": ("crime_place", _pin(0.2)),
    "a category filled down": ("crime_", _put("crimes", **ROBBERY)),
    "a category filled down over most": ("crime_", _put("crimes", (500, None), **ROBBERY)),
    "a month filled down": ("crime_one_month", _put("crimes", Month="2026-09")),
    "a month filled down over half": ("crime_months", _put("crimes", (3500, None),
        Month="2026-09")),
    "a month twice as large": ("crime_", _copy("2026-05")),
    "half of a month lost": ("crime_months", _on("crimes", lambda t: t[(t["Month"] != "2026-05") | (
        t.index % 5 < 2)])),
    "half of the area, west": ("crime_part", _on("crimes", lambda t: t[t["Longitude"] > "0.869"])),
    "half of the area, south": ("crime_part", _on("crimes", lambda t: t[t["Latitude"] > "51.53"])),
    # Of crimes, the categories and months.
    "a category missing in the last months": ("crime_category_months", _drop("Robbery", LAST)),
    "a rare category missing for months": ("crime_category_months", _drop("Bicycle theft",
        LAST[:3])),
    "a common category missing for a month": ("crime_category_months", _drop("Other theft",
        LAST[1:2])),
    "a category five times in a month": ("crime_", _copy("Robbery", "2026-08", ids=True, times=4)),
    # Of crimes, the times.
    "half of the times noon": ("crime_time", _time(minute=720)),
    "half of the times midnight": ("crime_time", _time(minute=0)),
    "office hours": ("crime_hours", _time(8, 18)),
    "dates on the first of the month": ("crime_day", _all(_time(), _put("crimes",
        occurred_at=lambda t: t.str.replace(r"-\d\d ", "-01 ", regex=True)))),
    # Of crimes, the places.
    "shifted by 80 m": ("crime_shift", _move(0.0011, 0.0003)),
    "shifted by 200 m": ("crime_shift", _move(0.002, 0.0013)),
    "shifted by 30 m": ("crime_shift", _move(0.0003, 0.0002)),
    "a force to leave out that is not there": ("crime_forces", _set(crimes={"leave_out_forces": [
        "Eastmere Constabulery"]})),
    # Of reports.
    "reports to two decimals": ("report_places", _put("reports", longitude=lambda t: t.str[:4],
        latitude=lambda t: t.str[:5])),
    "reports at one pin": ("report_pin", _put("reports", longitude="0.868", latitude="51.531")),
    "most reports at one pin": ("report_pin", _put("reports", (200, None), **PIN)),
    "unknown bands": ("report_bands", _put("reports", time_band="unknown")),
    "reports of one day": ("report_days", _put("reports", reported_on="2026-03-05")),
    "reports of one pattern": ("report_words", _put("reports", time_band="after_school",
        place_factor="isolated", behaviour_factor="followed")),
    "reports again with new IDs": ("alike in place", _on("reports", lambda t: [t, t.assign(
        report_id="N" + t["report_id"])])),
    "reports again in one table": ("alike in place", _on("reports", lambda t: pd.concat([t,
        t.assign(report_id="N" + t["report_id"])]))),
    "most of the reports again, mixed": ("alike in place", _on("reports", lambda t: [t, t.sample(
        400, random_state=1).assign(report_id="")])),
    # Of schools.
    "coordinates filled down": ("school_places", _put("schools", **AT_ONE)),
    "coordinates filled down over a third": ("school_places", _put("schools", (1, 6), **AT_ONE)),
    "rolls ten times": ("school_", _put("schools", NumberOfPupils=lambda t: t + "0")),
    "a roll ten times": ("school_", _put("schools", (2, 3), NumberOfPupils=lambda t: t + "0")),
    "rolls a tenth": ("school_rolls", _put("schools", NumberOfPupils=lambda t: t.str[:-1])),
    "rolls filled down": ("1164.*school_filled", _put("schools", (2, None), NumberOfPupils="1164")),
    "capacities a tenth": ("school_", _put("schools", SchoolCapacity=lambda t: t.str[:-1])),
    "a secondary school for infants": ("school_ages", _put("schools", (1,), StatutoryLowAge="3",
        StatutoryHighAge="5")),
    "bells swapped with openings": ("bell", _put("bell_times", finish_time="11:30")),
    "a school day of three hours": ("bell_hours", _put("bell_times", (1,), finish_time="12:00")),
    "a school day of ten hours": ("bell", _put("bell_times", (1,), finish_time="18:45")),
    "one bell two hours early": ("bell_far", _put("bell_times", (4, 5), finish_time="13:10")),
    "one opening two hours late": ("bell_far", _put("bell_times", (2, 3), start_time="10:40")),
    "a term to 2037": ("term_spans", _put("term_dates", (11, 12), to="2037-07-21")),
    "terms of another decade": ("term_", _put_years("term_dates", "202", "203")),
    "terms of years ago": ("term_past", _put_years("term_dates", "202", "201")),
    "no half terms": ("term_halves", _on("term_dates", lambda t: t[t["kind"] == "term"])),
    # Of the team.
    "an officer in two cases": ("officer_twice", _on("officers", lambda t: pd.concat([t, t[
        :1].assign(officer="sso-01")]))),
    "an officer with a space for a hyphen": ("officer_twice", _on("officers", lambda t: pd.concat([
        t, t[:1].assign(officer="SSO 01")]))),
    "forty patrols a week": ("officer_patrols", _put("officers", (1,), max_patrols_per_week="40")),
    "hours of the whole day": ("officer_patrols", _put("officers", (1,), **dict.fromkeys(
        ("mon", "tue", "wed"), "00:00-23:59"))),
    "a duty on a 12-hour clock": ("duty_hours", _add("duties", **DUTY | {"from": "02:00",
        "to": "04:00"})),
    "a duty hundreds of kilometres away": ("duty_far", _add("duties", **DUTY, longitude="-3.19",
        latitude="55.95")),
    "duties twice": ("duty_twice", _on("duties", lambda t: pd.concat([t, t]))),
    "a place both to visit and barred": ("tasked_conflict", _add("tasked_places", **TASKED,
        must_visit="false")),
    "a place tasked twice": ("tasked_twice", _add("tasked_places", **TASKED, must_visit="true")),
    "barred for decades": ("tasked_spans", _put("tasked_places", (1, 2), to="2062-12-11")),
    "active only in ten years": ("tasked_spans", _put_years("tasked_places", "2026", "2036")),
    "over for years": ("tasked_spans", _put_years("tasked_places", "2026", "2021")),
    "designated in the future": ("designated_drawn", _put("designated", drawn="2031-05")),
    "designated twice": ("designated_twice", _on("designated", lambda t: pd.concat([t, t[:1].assign(
        place_id="HO-9", geometry=lambda t: t.buffer(-60))], ignore_index=True))),
    "designated over the whole area": ("designated_wide", _on("designated",
        lambda t: t.set_geometry(t.geometry.buffer(3000)))),
    "more minutes than a week of patrols": ("minutes", _put("designated", minutes="9000")),
    # Of ways home.
    "pupils ten times": ("origin_rolls", _put("origins", pupils=lambda t: t * 10)),
    "pupils a tenth": ("origin_rolls", _put("origins", pupils=lambda t: t // 10)),
    "pupils all in one area": ("origin", _on("origins", lambda t: t.groupby("urn",
        as_index=False).agg({"area": "first", "pupils": "sum"}))),
    "residents zero": ("area_residents", _put("areas", residents=0, aged_5_16=0)),
    "a third of the residents zero": ("area_residents", _put("areas", (0, None, 3), residents=0,
        aged_5_16=0)),
    "residents in thousands": ("area_residents", _put("areas", **dict.fromkeys(("residents",
        "aged_5_16"), lambda t: t / 1000))),
    "residents a thousand times": ("area_residents", _put("areas", residents=lambda t: t * 1000)),
    "half of the polygons": ("area_cover", _on("areas", lambda t: t[:len(t) // 2])),
    "polygons twice": ("area_overlaps", _on("areas", lambda t: pd.concat([t, t.assign(area="B" + t[
        "area"])], ignore_index=True))),
    "one stop": ("stop_few", _on("stops", lambda t: t[:1])),
    "stops at one point": ("stop_places", _put("stops", **PIN)),
    "boardings of a day and of a year": ("stop_boardings", _put("stops", (30,),
        boardings=lambda t: t * 365)),
    "pubs at one point": ("place_places", _put("places", **PIN)),
    "a clock in one half-hour": ("clock_peaks", _on("clock", lambda t: t.assign(share=[0] * 30 + [
        1] + [0] * 17))),
    # Of streets and settings.
    "a drive network": ("street_paths", lambda f, _: f.update(streets=_streets(names=True))),
    "streets without names": ("street_names", lambda f, _: f.update(streets=_streets(names=False))),
    "walking at 11 km/h": ("patrol_speed", _set(patrol={"walking_speed_kmh": 11.0})),
    "a radius of 20 m": ("patrol_radius", _set(patrol={"radius_metres": 20.0})),
    "no harm at all": ("no_harm", _set(risk={"harm": dict.fromkeys(load_settings(pp.demo_settings(
        )).crimes.risk_categories, 0.0)})),
}
# fmt: on


def _streets(*, names):
    """A grid of residential streets over the area, as a network for driving."""
    east, north = np.arange(597_900, 600_600, 100), np.arange(183_800, 186_500, 100)
    lines = [shapely.LineString([(x, y) for y in north]) for x in east]
    lines += [shapely.LineString([(x, y) for x in east]) for y in north]
    kinds = ["residential" if k % 5 else "tertiary" for k in range(len(lines))]
    called = [f"Road {k}" if names else "" for k in range(len(lines))]
    return gpd.GeoDataFrame({"name": called, "highway": kinds}, geometry=lines, crs="EPSG:27700")


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_does_not_go_together_is_named(load, name):
    """It stops, or a note names the check, the table, what is odd and what to do."""
    check, change = MUTATIONS[name]
    ending, text = load(change)
    assert ending != "silent", name
    assert re.search(check, text)
    assert ending == "refused" or re.search(r"To do: \w+", text)


def test_the_tables_themselves_raise_no_word(load):
    """Nothing is odd about the demo borough with a table of every kind."""
    assert load() == ("silent", "")


def _tables(*names, suffix="csv"):
    """A change of tables of the borough in a folder, saved with a suffix, as the settings say."""

    def decorate(change):
        def apply(folder):
            text = (folder / "patrolplan.toml").read_text(encoding="utf-8")
            for name in names:
                path = folder / f"{name}.csv"
                change(_read(path), path.with_suffix(f".{suffix}"))
                text = text.replace(f'"{name}.csv"', f'"{name}.{suffix}"')
            (folder / "patrolplan.toml").write_text(text, encoding="utf-8")

        return apply

    return decorate


def _save(change=lambda frame: frame, names=(*TABLES, "reports"), **options):
    options = {"encoding": "cp1252"} | options
    return _tables(*names)(lambda frame, path: change(frame).to_csv(path, index=False, **options))


def _type(frame):
    """Numbers and dates as their own types, as spreadsheets and databases hold them."""
    for column in {"from", "to", "date"}.intersection(frame):
        if frame[column].str.fullmatch(r"\d{4}-\d\d-\d\d").all():
            frame[column] = pd.to_datetime(frame[column])
    for column in (name for name in frame if "urn" in name.casefold()):
        numbers = pd.to_numeric(frame[column], errors="coerce")
        frame[column] = numbers if numbers.notna().all() else frame[column]
    return frame


def _place(frame, path, crs="EPSG:4326"):
    points = gpd.points_from_xy(*(pd.to_numeric(frame[axis]) for axis in ("longitude", "latitude")))
    table = frame.drop(columns=["longitude", "latitude"])
    gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326").to_crs(crs).to_file(path)


def _replace(form, new):
    return lambda frame: frame.replace(form, new, regex=True)


DAY = r"^(\d{4}-\d\d-\d\d)$"
KEYED = ("bell_times", "gates", "term_dates", "duties")
DRESSES = {
    "a byte order mark": _save(encoding="utf-8-sig"),
    "line ends of Windows": _save(lineterminator="\r\n"),
    "rows in another order": _save(lambda f: f[::-1], names=("gates", "bell_times", "duties")),
    "columns in another order": _save(lambda frame: frame[frame.columns[::-1]]),
    "columns of other programs": _save(lambda frame: frame.assign(Checked="yes", Remark="a, b")),
    "semicolons": _save(sep=";"),
    "tabs": _save(sep="\t"),
    "quotes around all": _save(quoting=1),
    "names in capitals": _save(lambda frame: frame.rename(columns=str.upper)),
    "names with spaces": _save(lambda frame: frame.rename(columns=lambda name: f" {name} ")),
    "cells with spaces": _save(lambda frame: frame.map(lambda cell: f" {cell} " if cell else cell)),
    "a workbook": _tables(*TABLES, suffix="xlsx")(lambda f, p: _type(f).to_excel(p, index=False)),
    "Parquet": _tables(*TABLES, suffix="parquet")(lambda f, p: _type(f).to_parquet(p)),
    "GeoPackage": _tables("gates", "tasked_places", suffix="gpkg")(_place),
    "metres of the British grid": _tables("gates", suffix="gpkg")(partial(_place, crs=27700)),
    "URNs with a decimal": _save(_replace(r"^(9000\d\d)$", r"\1.0"), names=KEYED),
    "days with a midnight": _save(_replace(DAY, r"\1T00:00:00"), names=(*TABLES, "reports")),
    "days with a midnight after a space": _save(_replace(DAY, r"\1 00:00:00"), names=TABLES),
}


@pytest.fixture(scope="module")
def borough(copy_demo, tmp_path_factory):
    """A folder with three months of the demo borough, and what is shown of it."""
    folder = tmp_path_factory.mktemp("borough")
    copy_demo(folder, "2026-07", "2026-08", "2026-09")
    return folder, _show(folder)


def _show(folder):
    """All that an area holds of its tables, and all its notes."""
    area = pp.load_area(folder / "patrolplan.toml")
    frames = (area.schools, area.officers, area.term_dates, area.tasked_places, area.duties)
    shown = [_sort(frame) for frame in frames]
    notes = list_texts(area.notes)
    return shown, notes, area.reports.digest, np.round(area.network.xy(area.gates), 1).tolist()


def _sort(frame):
    cells = pd.DataFrame(frame).astype(str)
    if "geometry" in frame:
        cells["geometry"] = frame.geometry.to_wkt(rounding_precision=1)
    return sorted(cells.itertuples(index=False, name=None))


@pytest.mark.parametrize("name", DRESSES)
def test_a_harmless_dress_raises_no_word(borough, tmp_path, name):
    """Tables in any dress are the same tables, and no note is added."""
    folder = shutil.copytree(borough[0], tmp_path / "copy")
    DRESSES[name](folder)
    assert _show(folder) == borough[1]


def _write_calendar(*lines, head=()):
    event = ["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *head, *event, "END:VCALENDAR", ""])


AT = ("DTSTART:20261208T140000", "DTEND:20261208T160000")
DAYS = ("DTSTART;VALUE=DATE:20261208", "DTEND;VALUE=DATE:20261209")
NOWHERE = [line.replace(":", ";TZID=No/Where:") for line in AT]
CALENDARS = {
    "cancelled as a whole": (_write_calendar(*AT, head=["METHOD:CANCEL"]), "METHOD:CANCEL"),
    "of an unknown zone": (_write_calendar(*NOWHERE), "time zone that is not known"),
    "ends on its own day": (_write_calendar(DAYS[0], DAYS[1][:-1] + "8"), "on their own day"),
    "leave shown as free": (_write_calendar(*DAYS, "TRANSP:TRANSPARENT"), "free for whole days"),
}


@pytest.mark.parametrize("name", CALENDARS)
def test_a_calendar_that_leaves_an_officer_free_is_named(borough, tmp_path, name):
    """Cancelled, of no zone, of no length, or free: the officer would be sent on patrol."""
    folder = shutil.copytree(borough[0], tmp_path / "copy")
    text, words = CALENDARS[name]
    (folder / "SSO-01.ics").write_text(text, encoding="utf-8")
    settings = (folder / "patrolplan.toml").read_text(encoding="utf-8")
    settings = settings.replace('"duties.csv"', '["duties.csv", "SSO-01.ics"]')
    (folder / "patrolplan.toml").write_text(settings, encoding="utf-8")
    try:
        shown = "\n".join(_show(folder)[1])
    except PatrolplanError as error:
        shown = str(error)
    assert words in shown


@pytest.mark.parametrize("name", ["H3", "P2118-727"])
def test_what_a_plan_cannot_hold_is_refused_at_the_door(borough, tmp_path, name):
    """Names of patrolplan's own."""
    folder = shutil.copytree(borough[0], tmp_path / "copy")
    path = folder / "tasked_places.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("T-01", name), encoding="utf-8")
    with pytest.raises(PatrolplanError, match="names hotspots"):
        _show(folder)


def test_accepting_takes_the_name_of_any_check_and_no_other(load):
    """A finding is then printed with the reason; a name that no check has is refused."""
    bells = _put("bell_times", (4, 5), finish_time="13:10")
    accept = _set(accept={"bell_far": "it closes early on every day"})
    assert load(_all(bells, accept)) == ("silent", "")
    ending, text = load(_set(accept={"bell_fair": "x"}))
    assert (ending, "did you mean 'bell_far'" in text) == ("refused", True)


@pytest.mark.parametrize(
    ("day", "ending"),
    [("2027-03-01", "silent"), ("2027-05-01", "first"), ("2029-01-01", "refused")],
)
def test_old_crime_is_said_first_and_then_refused(demo_area, day, ending):
    """After six months a note comes before all others; after two years only a reason helps."""
    day = dt.date.fromisoformat(day)
    if ending == "refused":
        with pytest.raises(PatrolplanError, match="more than two years before 2029-01-01"):
            relations.check_age(demo_area, day)
        accept = demo_area.settings.accept.model_copy(update={"old_crime": "a study"})
        settings = demo_area.settings.model_copy(update={"accept": accept})
        demo_area = dataclasses.replace(demo_area, settings=settings)
    area = relations.check_age(demo_area, day)
    is_first = area.notes[0].key == "crime_old"
    assert is_first == (ending != "silent")
    assert (area.notes[0] in area.accepted_checks) == is_first
