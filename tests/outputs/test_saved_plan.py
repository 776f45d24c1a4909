"""A plan's file read back: the tables of the plan, and errors that name wrong values."""

import json

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.outputs.geopackage import build_plan_document
from patrolplan.outputs.output_folder import format_json


@pytest.fixture(scope="module")
def text(demo_plan):
    """The plan's file."""
    return format_json(build_plan_document(demo_plan))


@pytest.fixture
def write(tmp_path):
    """What writes a file as `plan.json` and gives its folder."""

    def write_file(content):
        (tmp_path / "plan.json").write_text(content, encoding="utf-8")
        return tmp_path

    return write_file


def test_tables_are_those_of_the_plan(demo_plan, text, write):
    """Read back, patrols, stops and legs have the plan's rows, columns and values, as rounded."""
    saved = pp.read_plan(write(text))
    for name in ("patrols", "stops", "legs"):
        back, table = getattr(saved, name), getattr(pp, f"frame_{name}")(demo_plan)
        assert list(back.columns) == list(table.columns)
        assert len(back) == len(table) > 0
        apart = back.geometry.to_crs(table.crs).hausdorff_distance(table.geometry)
        assert (apart[~table.geometry.is_empty] < 0.2).all()
        for column in table.columns.drop("geometry"):
            if pd.api.types.is_float_dtype(table[column]):
                assert np.allclose(
                    back[column], table[column], rtol=0.02, atol=0.06, equal_nan=True
                )
            else:
                assert back[column].fillna("").tolist() == table[column].fillna("").tolist(), column
    assert saved.hotspots["hotspot"].tolist() == demo_plan.hotspots["hotspot"].tolist()
    assert saved.hotspots["place"].tolist() == demo_plan.hotspots["place"].tolist()
    assert saved.date is None
    assert set(saved.created_from) >= {"inputs", "settings", "seed", "version"}
    assert repr(saved) == repr(demo_plan).replace("<Plan", "<SavedPlan")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda plan: plan.pop("patrols"), "patrols: Field required"),
        (lambda plan: plan.update(schema=7), "schema 7 is not 1"),
        (lambda plan: plan["patrols"][0].update(start="25h"), r"patrols.0.start: .* '25h'"),
        (lambda plan: plan["patrols"][0].update(worth=-1.0), r"patrols.0.worth: .* -1.0"),
        (lambda plan: plan["hotspots"][1].update(stop=[0.0, 99.0]), r"hotspots.1.stop.1: .* 99.0"),
        (lambda plan: plan["hotspots"][1].update(stop=[0.0]), r"hotspots.1.stop"),
    ],
    ids=["missing", "schema", "clock", "negative", "latitude", "point"],
)
def test_what_is_wrong_is_named(text, write, change, seen):
    """The error names the file, the place in it, the value and what to do."""
    plan = json.loads(text)
    change(plan)
    with pytest.raises(InputError, match=seen) as raised:
        pp.read_plan(write(json.dumps(plan)))
    assert "plan.json" in str(raised.value)
    assert "the file as it was written" in str(raised.value) or "version" in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, '{"schema": NaN}', "null"])
def test_what_is_no_plan_is_refused(write, content):
    """For any content of the file, there is an error of ours and no other."""
    with pytest.raises(InputError):
        pp.read_plan(write(content))


def test_a_file_that_cannot_be_read(tmp_path):
    """A missing file, and one that is not text, are named."""
    with pytest.raises(InputError, match="cannot be read"):
        pp.read_plan(tmp_path / "missing.json")
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="not text in UTF-8"):
        pp.read_plan(tmp_path)


def test_all_wrong_values_are_named_up_to_twenty(text, write):
    """A file full of mistakes gives twenty lines, not thousands."""
    plan = json.loads(text)
    for hotspot in plan["hotspots"]:
        hotspot["worth"] = "much"
    with pytest.raises(InputError) as raised:
        pp.read_plan(write(json.dumps(plan)))
    assert len(raised.value.problems) == 20
