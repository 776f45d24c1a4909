"""The governance pack: every figure is one of its sources, and nothing of a report stands in it."""

import datetime as dt
import html
import json
import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from patrolplan.errors import InputError
from patrolplan.outputs import governance
from patrolplan.team.burden import Burden

RESULT = {"category": "Robbery | <b>", "model": "poisson", "chosen": True, "coverage": 0.05}
RESULT |= {"pai": 6.71, "hit_rate": 0.3355, "n_events": 1848}
RESULT |= {"difference": 0.451, "difference_low": 0.123, "difference_high": None}
RATIO = {"against": "greedy", "harm_per_officer_hour_ratio": 1.107, "low": 1.02, "high": 1.2}
RESULTS = [RESULT, RESULT | {"chosen": False, "pai": 99.99}, RESULT | {"coverage": 0.1}]
TESTED = {"results": RESULTS, "patrols": [RATIO]}


@pytest.fixture(scope="module")
def burden():
    """Two areas, one with a hostile name, and the rest outside."""
    given = {"minutes": [120.04, 30.0, 0.0], "share": [0.8, 0.2, 0.0], "ratio": [1.6, 0.4, np.nan]}
    given |= {"per_1000_residents": [100.0, np.nan, np.nan], "per_pupil": [0.3, np.nan, np.nan]}
    promised = {f"promised_{name}": numbers for name, numbers in given.items()}
    presence = {f"presence_{name}": [np.nan] * 3 for name in given}
    people = {"residents": [1200.0, np.nan, np.nan], "pupils": [400.0, 0.0, 0.0]}
    harm = {"harm_per_month": [1000.0, 1000.0, np.nan], "harm_share": [0.5, 0.5, np.nan]}
    areas = pd.Index(["north | <b>", "south", "outside"])
    table = pd.DataFrame(promised | presence | people | harm, index=areas)
    by_area = gpd.GeoDataFrame(table.assign(inside=1.0), geometry=[None] * 3, crs=27700)
    months = pd.Timestamp("2025-07-01"), pd.Timestamp("2026-06-01")
    days = dt.date(2026, 11, 30), dt.date(2026, 12, 4)
    groups = {"decile": table.set_axis(["1", "10", "outside"])}
    return Burden(by_area, groups, is_of_stops=True, days=days, months=months, left_out=3)


@pytest.fixture(scope="module")
def pack(demo_area, demo_plan, burden, tmp_path_factory):
    """The texts of all files of the demo borough's pack, by name."""
    out = tmp_path_factory.mktemp("governance") / "out"
    governance.write_governance(demo_area, demo_plan.risk, TESTED, out, burden=burden)
    return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}


def test_figures_are_those_of_their_sources(pack, demo_area):
    """Counts, months and the back-test's chosen results stand in the papers as in their sources."""
    first, last = demo_area.incidents["month"].min(), demo_area.incidents["month"].max()
    for text in map(pack.get, governance.PAPERS):
        assert f"{first:%Y-%m} to {last:%Y-%m}" in text
        assert f"{len(demo_area.incidents):,} incidents" in text
        assert f"{len(demo_area.reports)} groups" in text
    card = pack["model-card.md"]
    row = r"| Robbery \| \<b\> | poisson | 1848 | 0.3355 | 6.71 | 0.451 | 0.123 | not known |"
    assert card.count(row) == 1
    assert "| greedy | 1.107 | 1.02 | 1.2 |" in card
    assert "99.99" not in card


def test_nothing_of_a_report_and_no_blank_is_hidden(pack, demo):
    """No report's number, comment or place stands in a paper; blanks are marked for the force."""
    rows = pd.read_csv(demo.parent / "reports.csv", dtype=str, keep_default_na=False)
    for name, text in ((name, pack[name]) for name in governance.PAPERS):
        words = set(re.findall(r"[\w.-]+", text))
        for column in ("report_id", "longitude", "latitude"):
            assert not words & {value for value in rows[column] if len(value) > 4}
        assert not any(comment in text for comment in set(rows["comment"]) - {""})
        assert "[to be filled by the force]" in text
        assert "{{" not in text, name
        assert "None" not in text, name


def test_a_back_test_is_read_from_its_folder(tmp_path):
    """A folder of the back-test gives its document; any other is refused."""
    (tmp_path / "backtest.json").write_text(json.dumps(TESTED), encoding="utf-8")
    assert governance.read_backtest(tmp_path) == TESTED
    for spoiled in ("", "[]", '{"results": 3}'):
        (tmp_path / "backtest.json").write_text(spoiled, encoding="utf-8")
        with pytest.raises(InputError, match=r"back-test.*backtest --out"):
            governance.read_backtest(tmp_path)


def test_the_record_is_the_standard_as_data(pack, demo_area):
    """Every field is there once, in order; what only the force can say is null, and no text is."""
    record = json.loads(pack[governance.RECORD_FILE])
    assert record["standard"] == "Algorithmic Transparency Recording Standard"
    fields = [row for section in record["sections"] for row in section["fields"]]
    numbers = [tuple(map(int, row["reference"].split("."))) for row in fields if row["reference"]]
    assert numbers == sorted(set(numbers))
    blanks = [row["name"] for row in fields if row["value"] is None]
    assert {"Senior responsible owner", "Contact email", "Required training", "Region"} <= {*blanks}
    assert not {"Name", "Risks and mitigations", "System-level input", "Models"} & {*blanks}
    assert pack["transparency-record.md"].count("**: [to be filled by the force]") == len(blanks)
    sources = next(row["value"] for row in fields if row["name"] == "Data sources")
    assert all(any(digest in line for line in sources) for digest in demo_area.inputs.values())


def test_who_gets_the_patrols_in_words(pack, burden):
    """Figures are rounded, unknown ones are named so, and names are escaped."""
    paper = pack[governance.BURDEN_PAPER]
    row = r"| north \| \<b\> | 1,200 | 400 | 50.0 % | 120 | 80.0 % | 100.0 | 0.30 |"
    assert f"{row} 1.60 |" in paper
    assert "| south | not known | 0 | 50.0 % | 30 | 20.0 % | not known | \N{EN DASH} |" in paper
    assert "outside |" not in paper
    assert "delivered" not in paper.split("## ")[1]
    assert "## By decile" in paper
    assert "2025-07 to 2026-06" in paper
    shown = replace(burden, by_area=burden.by_area.assign(presence_minutes=[1.0, 2.0, 0.0]))
    assert "minutes delivered" in governance.build_burden_tables(shown)[0]["header"]


def test_the_page_for_residents_names_no_place(pack, demo_area, demo_plan):
    """No street, hotspot or school stands on it, nothing is fetched, and hostile text is text."""
    text = html.unescape(re.sub("<[^>]*>", " ", pack[governance.RESIDENTS_FILE]))
    names = {*demo_area.network.piece_name, *demo_area.schools["name"]}
    names |= {*demo_plan.hotspots["hotspot"]}
    assert len(names) > 50
    assert not [name for name in names if name and re.search(rf"\b{re.escape(name)}\b", text)]
    assert "[to be filled by the force]" in text
    assert not re.search(r"https?:|src=|@import|url\(", pack[governance.RESIDENTS_FILE])
