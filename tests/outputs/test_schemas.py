"""The documents are valid by their schemas, and changed ones are not."""

import copy
import datetime as dt
import json
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from patrolplan.cli.schema import Document
from patrolplan.outputs.geopackage import build_plan_document
from patrolplan.outputs.schemas import DOCUMENTS, HarmRatio, build_schema
from patrolplan.risk.backtest import BacktestRow
from patrolplan.team.week_file import build_week_document
from patrolplan.team.week_records import Ban, HandChange, Lock

MONDAY = dt.date(2026, 11, 30)


@cache
def _get_validator(name):
    return Draft202012Validator(build_schema(name))


def _list_faults(name, document):
    """What a document has that its schema does not allow."""
    faults = _get_validator(name).iter_errors(json.loads(json.dumps(document)))
    return [f"{fault.json_path}: {fault.message}"[:300] for fault in faults]


def test_the_command_prints_the_schema_of_every_document(run):
    """It is a valid schema, and the documents are named where another is wanted."""
    assert [*Document] == [*DOCUMENTS]
    for name in DOCUMENTS:
        Draft202012Validator.check_schema(build_schema(name))
    assert json.loads(run("schema", "week")[1]) == build_schema("week")
    code, _, err = run("schema", "plans")
    assert code == 2
    assert "backtest" in err


@pytest.fixture(scope="module")
def documents(demo_plan, demo_week):
    """A plan, a week with changes by hand and a back-test as files hold them."""
    week = replace(
        demo_week,
        locks=(Lock("SSO-01", "900006", MONDAY, 1),),
        bans=(Ban(officer="SSO-03", date=MONDAY),),
        history=(HandChange("2026-11-27 10:00", "SSO-03 is away"),),
    )
    numbers = dict.fromkeys(BacktestRow.__dataclass_fields__, 1.5)
    row = BacktestRow(
        **numbers
        | {"category": "Robbery", "model": "m", "chosen": True, "window": None}
        | {"observed_over_expected": [1.0] * 10, "pai": None}
    )
    return {
        "plan": build_plan_document(demo_plan),
        "week": build_week_document(week),
        "backtest": {
            "results": [asdict(row)],
            "patrols": [asdict(HarmRatio("plain loop", 1.2, None, None))],
        },
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_fits(documents, name):
    """Nothing in a document is unknown to its schema, or of another kind."""
    assert _list_faults(name, documents[name]) == []


def _list_objects(node, path=()):
    """Where a document holds keys of its schema, not those of free tables."""
    if isinstance(node, list):
        for row, one in enumerate(node):
            yield from _list_objects(one, (*path, row))
    elif isinstance(node, dict):
        yield path
        for key, one in node.items():
            if key not in FREE:
                yield from _list_objects(one, (*path, key))


FREE = {"inputs", "values", "delivered", "absent"}
"""Tables of a document whose keys are not declared."""


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("change", ["unknown key", "wrong kind", "unnamed"])
def test_what_is_changed_does_not_fit(documents, name, change):
    """A key that is not declared, a value of another kind or a nameless part is a fault."""
    document = json.loads(json.dumps(documents[name]))
    places = list(_list_objects(document))
    chosen = np.random.default_rng(1).choice(len(places), size=min(4, len(places)), replace=False)
    for row in chosen:
        changed = copy.deepcopy(document)
        part = changed
        for key in places[row]:
            part = part[key]
        if change == "unknown key":
            part["zaphod"] = 1
        elif change == "wrong kind":
            part[next(iter(part))] = {"zaphod": 1}
        else:
            part.clear()
        assert not _get_validator(name).is_valid(changed), places[row]
