"""No child is found by computing: from a manifest, from copies, or from several thresholds."""

import json

import pandas as pd
import pytest
from attacks import small_town as town
from survey_forms import answer, answers_file, save, tally_file, tally_square

import patrolplan as pp
from patrolplan.atomic import hash_content, hash_file
from patrolplan.crs import find_squares
from patrolplan.errors import InputError
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.survey_counts import count_surveys
from patrolplan.settings import parse_settings

VISIT = {"officer": "SSO-01", "date": "2026-11-30", "from": "09:00", "to": "10:00"}
VISIT |= {"kind": "home_visit", "urn": ""}


def _load(folder, sources=(), **sections):
    """The town in a folder, with more sources and sections."""
    data = town.describe_settings(town.write_town(folder), **sections)
    return pp.load_area(
        parse_settings(data | {"sources": data["sources"] | dict(sources)}, folder=folder)
    )


def test_a_home_cannot_be_tried_against_the_manifest(tmp_path):
    """No digest is one of a row with a place, and the place that is held is a square of 500 m."""
    town.write_reports(tmp_path / "reports.csv", town.scatter(0, 0, 9))
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-17:00")
    officer = {"officer": "SSO-01", "school_urns": town.URN, "max_patrols_per_week": 4} | days
    path, home, inputs = tmp_path / "duties.csv", town.to_degrees(100, 100), set()
    officer |= {"mode": "walk", "base_longitude": home[0], "base_latitude": home[1]}
    pd.DataFrame([officer]).to_csv(tmp_path / "officers.csv", index=False)
    sources = {name: f"{name}.csv" for name in ("officers", "duties")}
    for east, north in ((0, 0), (1e-6, 0), (0, 1e-6), (4e-4, 1e-6), (1e-3, 1e-3)):
        row = VISIT | {"longitude": home[0] + east, "latitude": home[1] + north}
        pd.DataFrame([row]).to_csv(path, index=False)
        area = _load(tmp_path, sources)
        inputs.add(json.dumps(area.inputs))
        assert hash_file(path) not in json.dumps(area.inputs)
        assert hash_content(path.read_bytes()) not in json.dumps(area.inputs)
        point = area.duties.geometry.iloc[0]
        assert (point.x % 500, point.y % 500) == (250, 250)
    assert len(inputs) == 1
    pd.DataFrame([row | {"to": "11:00"}]).to_csv(path, index=False)
    assert json.dumps(_load(tmp_path, sources).inputs) not in inputs


@pytest.fixture
def reports(demo, tmp_path):
    """The demo borough's reports without IDs, as a table and as a file."""
    table = pd.read_csv(demo.parent / "reports.csv", dtype=str, keep_default_na=False)
    table = table.drop_duplicates(["reported_on", "time_band", "longitude", "latitude"])
    table = table.assign(report_id="")
    path = tmp_path / "reports.csv"
    table.to_csv(path, index=False)
    return table, path


COPIES = {
    "line ends": lambda table: table,
    "new IDs": lambda table: table.assign(report_id=[f"N{k}" for k in range(len(table))]),
    "another order": lambda table: table[::-1],
    "half of it": lambda table: table[::2].assign(report_id=""),
    "fewer decimals": lambda table: table.assign(
        longitude=pd.to_numeric(table["longitude"]).round(5),
        latitude=pd.to_numeric(table["latitude"]).round(5),
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_copied_reports_are_the_same_children(reports, tmp_path, name):
    """A copy raises no count, whatever its line ends, IDs or order: it is refused by name."""
    table, path = reports
    copy = tmp_path / "copy.csv"
    COPIES[name](table).to_csv(copy, index=False, lineterminator="\r\n")
    with pytest.raises(
        InputError, match=r"copy\.csv: has reports alike .* those of .*reports\.csv"
    ):
        read_reports([path, copy])


def test_three_reports_do_not_become_six(reports, tmp_path):
    """Also where the files are so short that they hold three children."""
    table, _ = reports
    paths = [tmp_path / f"{number}.csv" for number in range(2)]
    for number, path in enumerate(paths):
        ids = [f"{number}{k}" for k in range(3)]
        table[:3].assign(report_id=ids).to_csv(path, index=False)
    with pytest.raises(InputError, match="alike in place, day and words"):
        read_reports(paths)


SQUARE = (27700, 2393, 738)
TALLY = [tally_square(SQUARE, 3, time_band={"lunch": 3})]
SEVEN = [answer(latitude=51.531521 + k / 1e5) for k in range(7)]
TWICE = {
    "a tally on two devices": (tally_file(TALLY), tally_file(TALLY)),
    "a tally of two squares, one counted anew": (
        tally_file([*TALLY, tally_square((27700, 2394, 738), 6)]),
        tally_file([*TALLY, tally_square((27700, 2394, 738), 7)]),
    ),
    "seven answers, and six of them": (answers_file(SEVEN), answers_file(SEVEN[:6])),
    "two answers, and the same": (answers_file(SEVEN[:2]), answers_file(SEVEN[:2])),
}


@pytest.mark.parametrize("name", TWICE)
def test_one_class_counts_once(tmp_path, name):
    """Whatever its IDs, form and device, a class that was entered twice is refused by name."""
    paths = [
        save(tmp_path / f"{number}.json", document | {"id": f"{number}" * 32})
        for number, document in enumerate(TWICE[name], start=1)
    ]
    with pytest.raises(InputError, match=r"1\.json: has the answers of .*2\.json again"):
        count_surveys(paths)


def test_a_tally_and_the_page_of_one_class_count_once(tmp_path):
    """The same squares of one school and day, ticked on paper and tapped on a tablet."""
    page = answers_file([answer(latitude=51.531521 + k / 1e5) for k in range(4)], id="1" * 32)
    path = save(tmp_path / "page.json", page)
    first = page["answers"][0]
    square = find_squares([[first["longitude"], first["latitude"]]])[0].tolist()
    tally = save(tmp_path / "tally.json", tally_file([tally_square(square, 4)], id="2" * 32))
    with pytest.raises(InputError, match="has the answers of"):
        count_surveys([path, tally])


def test_thresholds_one_after_another_are_refused(tmp_path):
    """The first threshold under five is the only one under five that these reports ever have."""
    town.write_reports(tmp_path / "reports.csv", town.scatter(0, 0, 12))
    low = {"threshold": 3, "reason": "a trial"}
    first, again = (_load(tmp_path, privacy=low) for _ in range(2))
    assert first.reports.digest == again.reports.digest
    for threshold in (2, 4):
        refused = r"not the one that reports\.csv was first counted with"
        with pytest.raises(InputError, match=refused):
            _load(tmp_path, privacy=low | {"threshold": threshold})
    assert _load(tmp_path, privacy={"threshold": 5}).reports.threshold == 5
