"""The governance pack: every figure is one of its sources, and nothing of a report stands in it."""

import json
import re

import pandas as pd
import pytest

from patrolplan.errors import InputError
from patrolplan.outputs.governance import PAPERS, read_backtest, write_governance
from patrolplan.settings import DISCOVERED_CATEGORIES

RESULT = {
    "category": "Robbery | <b>",
    "model": "poisson",
    "chosen": True,
    "coverage": 0.05,
    "pai": 6.71,
    "hit_rate": 0.3355,
    "n_events": 1848,
    "difference": 0.451,
    "difference_low": 0.123,
    "difference_high": None,
}
TESTED = {
    "results": [RESULT, RESULT | {"chosen": False, "pai": 99.99}, RESULT | {"coverage": 0.1}],
    "patrols": [
        {"against": "greedy", "harm_per_officer_hour_ratio": 1.107, "low": 1.02, "high": 1.2}
    ],
}


@pytest.fixture(scope="module")
def papers(demo_area, demo_plan, tmp_path_factory):
    """The pack of the demo borough, by name."""
    out = tmp_path_factory.mktemp("governance") / "out"
    write_governance(demo_area, demo_plan.risk, TESTED, out)
    return {name: (out / name).read_text(encoding="utf-8") for name in PAPERS}


def test_figures_are_those_of_their_sources(papers, demo_area):
    """Counts, dates, settings, hashes and back-test stand in the papers as in their sources."""
    first, last = demo_area.incidents["month"].min(), demo_area.incidents["month"].max()
    annex, record, card = (papers[name] for name in PAPERS)
    for text in papers.values():
        assert f"{first:%Y-%m} to {last:%Y-%m}" in text
        assert f"{len(demo_area.incidents):,} incidents" in text
        assert f"{len(demo_area.reports)} groups" in text
    assert f"{len(demo_area.schools)} schools" in annex
    assert f"{demo_area.network.metres / 1000:.1f} km" in record
    assert all(digest in record for digest in demo_area.inputs.values())
    assert all(name in annex and name in card for name in DISCOVERED_CATEGORIES)
    assert all(f"  - {name}\n" in record for name in demo_area.settings.crimes.risk_categories)
    assert "guard leaves out: Drugs, Possession of weapons, Public order |" in annex
    row = r"| Robbery \| \<b\> | poisson | 1848 | 0.3355 | 6.71 | 0.451 | 0.123 | not known |"
    assert card.count(row) == 1
    assert "| greedy | 1.107 | 1.02 | 1.2 |" in card
    assert "99.99" not in card


def test_nothing_of_a_report_and_no_blank_is_hidden(papers, demo):
    """No report's number, comment or place stands in a paper; blanks are marked for the force."""
    rows = pd.read_csv(demo.parent / "reports.csv", dtype=str, keep_default_na=False)
    for name, text in papers.items():
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
    assert read_backtest(tmp_path) == TESTED
    for spoiled in ("", "[]", '{"results": 3}'):
        (tmp_path / "backtest.json").write_text(spoiled, encoding="utf-8")
        with pytest.raises(InputError, match=r"back-test.*backtest --out"):
            read_backtest(tmp_path)
