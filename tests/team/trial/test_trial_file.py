"""The trial file."""

import json

import pytest

import patrolplan as pp
from patrolplan.team.trial.trial_file import Trial, build_trial_document, read_trial, write_trial


@pytest.mark.parametrize("fixture", ["by_days", "by_pairs"])
def test_a_trial_comes_back_equal(fixture, request, tmp_path):
    """What is written is read as it was, with the same digest, and written again alike."""
    trial, _ = request.getfixturevalue(fixture)
    path = tmp_path / "trial.json"
    write_trial(trial, path)
    again = read_trial(path)
    assert again == trial
    assert again.compute_digest() == trial.compute_digest()
    before = path.read_bytes()
    write_trial(again, path)
    assert path.read_bytes() == before


def test_a_lead_need_write_two_dates_only(tmp_path):
    """All else has a default."""
    path = tmp_path / "trial.json"
    path.write_text('{"start": "2027-01-04", "end": "2027-03-26"}', encoding="utf-8")
    trial = read_trial(path)
    assert (trial.randomise, trial.ratio, trial.effect, trial.power) == ("days", (1, 1), 0.2, 0.8)
    assert trial.sealed is None
    assert trial.title == "of 2027-01-04"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("start", "2027-02-30", "start"),
        ("efect", 0.2, "did you mean 'effect'"),
        ("effect", 1.2, "effect"),
        ("effect", "a fifth", "effect"),
        ("randomise", "hours", "randomise"),
        ("ratio", [1, 0], "ratio"),
        ("form", "patrolplan survey 1", "form"),
        ("end", "2027-01-04", "is not after start"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, key, value, message):
    """The message names file, key and value."""
    document = {"start": "2027-01-04", "end": "2027-03-26", key: value}
    path = tmp_path / "trial.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(pp.InputError, match=message) as refused:
        read_trial(path)
    assert "trial.json" in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "null"])
def test_what_is_no_trial_is_refused(tmp_path, content):
    """Neither an empty file nor one of another form ends in a traceback."""
    path = tmp_path / "trial.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(pp.InputError, match=r"trial\.json: is not"):
        read_trial(path)


def test_a_seal_that_contradicts_itself_is_refused(by_days, tmp_path):
    """Hotspots in sets of another size, or days in another order, are not as they were sealed."""
    path = tmp_path / "trial.json"
    for change in ("set", "days"):
        document = build_trial_document(by_days[0])
        if change == "set":
            document["sealed"]["hotspots"][0]["set"] = 2
        else:
            document["sealed"]["days"].reverse()
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(
            pp.InputError, match=r"the hotspots are not in sets|days are not rising"
        ):
            read_trial(path)


def test_an_unsealed_trial_has_no_seal(wishes):
    """Asking an unsealed trial for its seal is a fault in the code."""
    with pytest.raises(ValueError, match="was not sealed"):
        _ = wishes.seal


def test_documents_have_the_keys_of_their_schema(by_days):
    """Every key that is written is in the JSON Schema, and the schema forbids any other."""
    schema, document = Trial.model_json_schema(), build_trial_document(by_days[0])
    assert set(document) == set(schema["properties"])
    assert schema["additionalProperties"] is False
    for part in ("Seal", "TrialHotspot"):
        assert schema["$defs"][part]["additionalProperties"] is False
    assert set(document["sealed"]) == set(schema["$defs"]["Seal"]["properties"])
    assert {*document["sealed"]["hotspots"][0]} == {*schema["$defs"]["TrialHotspot"]["properties"]}
    assert schema["properties"]["start"]["format"] == "date"
    assert isinstance(Trial.model_validate_json(json.dumps(document)), Trial)
