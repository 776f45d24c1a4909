"""What a week's folder hands out is what the week promises."""

import json

import pytest

from patrolplan.atomic import WEEK_FILE
from patrolplan.errors import InputError
from patrolplan.outputs.output_folder import write_json
from patrolplan.team.ledger.promised import (
    HOTSPOTS_FILE,
    build_hotspots_document,
    read_promised_week,
)
from patrolplan.team.week_file import build_week_document


@pytest.fixture
def folder(tmp_path, week):
    """The two files of a week's folder that the ledger reads."""
    write_json(tmp_path / WEEK_FILE, build_week_document(week))
    write_json(tmp_path / HOTSPOTS_FILE, build_hotspots_document(week))
    return tmp_path


def test_a_folder_hands_out_what_the_week_promises(folder, promised_week):
    """Days, doses and hotspots read from the folder are those of the calls."""
    assert read_promised_week(folder) == promised_week


def test_a_hotspot_that_is_lost_is_reported(folder, promised_week):
    """A dose in a place that the folder does not know is no dose."""
    name = promised_week.doses[0]["hotspot"]
    spots = json.loads((folder / HOTSPOTS_FILE).read_text(encoding="utf-8"))
    others = [row for row in spots["features"] if row["properties"]["hotspot"] != name]
    write_json(folder / HOTSPOTS_FILE, {**spots, "features": others})
    with pytest.raises(InputError, match=rf"hotspots\.geojson lacks {name}"):
        read_promised_week(folder)
