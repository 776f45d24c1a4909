"""The place of a home visit cannot be computed from what is written."""

import json

import pandas as pd
import pytest

import patrolplan as pp

VISIT = {"officer": "SSO-01", "date": "2026-11-30", "from": "09:00", "to": "10:00"}


@pytest.fixture
def digest_visit(copy_demo, tmp_path):
    """What the inputs of an area say of a table of one home visit at a place."""

    def digest(longitude, latitude, **changed):
        folder = tmp_path / f"{longitude}-{latitude}-{len(changed)}"
        folder.mkdir()
        config = copy_demo(folder, "2026-08", "2026-09")
        row = VISIT | {"kind": "home_visit", "urn": "", "longitude": longitude} | changed
        pd.DataFrame([row | {"latitude": latitude}]).to_csv(folder / "duties.csv", index=False)
        return pp.load_area(config).inputs

    return digest


def test_digests_of_duties_hold_no_place(digest_visit):
    """Two places give the same digests, so none can be told by trying; another hour is another."""
    here, there = digest_visit(0.861, 51.527), digest_visit(0.862, 51.528)
    assert json.dumps(here) == json.dumps(there)
    assert here != digest_visit(0.861, 51.527, to="11:00")
