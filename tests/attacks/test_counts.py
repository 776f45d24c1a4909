"""Attack: what was counted at a corner stays on the analyst's machine."""

import dataclasses
import json

import pandas as pd
import pytest
from attacks.test_where_pupils_walk import _check as check_columns

import patrolplan as pp
from patrolplan.atomic import hash_file
from patrolplan.inputs.small_tables import read_counts

SMALL = 5  # a count under this is of pupils who may be known


@pytest.fixture(scope="module")
def counts(demo, demo_area):
    """The counts of the demo, some of them of one pupil."""
    table = read_counts([demo.parent / "counts.csv"], demo_area.projection)
    assert 1 in table["pupils"].to_numpy()
    return table


def test_small_counts_cannot_be_tried_against_a_manifest(demo, copy_demo, tmp_path):
    """Whatever was counted, what manifests hold of the file is the same, and no digest of it."""
    settings = copy_demo(tmp_path, "2026-09")
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[sources]", '[sources]\ncounts = "counts.csv"'))
    table, held = pd.read_csv(demo.parent / "counts.csv"), set()
    for pupils in range(SMALL - 3, SMALL):
        file = tmp_path / "counts.csv"
        table.assign(pupils=table["pupils"].mask(table["pupils"] == 1, pupils)).to_csv(file)
        area = pp.load_area(settings)
        held.add(json.dumps(area.inputs))
        assert hash_file(file) not in json.dumps(area.inputs)
        said = [*area.notes, *area.left_out, *area.tables, area]
        assert "pupils=" not in repr(said)
    assert len(held) == 1


def test_no_column_of_streets_and_no_worker_has_what_was_counted(demo_area, counts):
    """What is written of streets holds the counted ways home as little as the modelled ones."""
    way_home = dataclasses.replace(demo_area.way_home, counts=counts)
    area = dataclasses.replace(demo_area, way_home=way_home)
    check_columns(area)
    assert area.strip_for_workers().way_home.counts.empty
