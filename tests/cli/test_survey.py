"""The command survey: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest
from survey_forms import answer, answers_file, save

from patrolplan.inputs.survey_form import find_record_path


def _survey(folder, letter, *, count=6, **changes):
    one = answer()
    one |= {"longitude": one["longitude"] + 2e-6 * (ord(letter) - ord("a"))}
    document = answers_file([one] * count, id=letter * 32, **changes)
    return save(folder / f"survey-900003-{letter}.json", document)


def test_the_same_is_printed_as_json(run, demo, tmp_path):
    """One object, with the same numbers."""
    wrong = answer(longitude=0.0, latitude=0.0)
    document = answers_file([*[answer()] * 6, wrong], pupils=12)
    path = save(tmp_path / "a.json", document)
    out = tmp_path / "reports.csv"
    code, text, _ = run("survey", "--read", path, "--out", out, "--config", demo, "--json")
    assert code == 0
    read = json.loads(text)
    which = {"school_urn": "900003", "season": "autumn", "year": 2026, "pupils": 10}
    assert read["surveys"] == [{"id": document["id"], "form": document["form"], **which}]
    assert (read["written"], read["reports"], read["squares"]) == (f"{out}", 5, 1)
    assert read["refused"] == {"coordinates are zero": "fewer than 5"}
    assert read["in_small_squares"] == "fewer than 5"
    assert read["schools_checked"] is True


def test_a_pattern_is_expanded_where_the_shell_did_not(run, tmp_path, monkeypatch):
    """The shell of Windows hands patterns on; one that matches nothing is a problem."""
    monkeypatch.chdir(tmp_path)
    _survey(tmp_path, "a")
    _survey(tmp_path, "b", count=7)
    code, out, _ = run("survey", "--read", "survey-*.json", "--out", "reports.csv")
    assert code == 0
    assert "patrolplan.toml: there is no settings file, so schools were not checked" in out
    assert "2 surveys of 1 school" in out
    code, _, err = run("survey", "--read", "tally-*.json", "--out", "other.csv")
    assert code == 1
    assert "tally-*.json: no file matches" in err
    code, _, _ = run("survey", "--read", "*.*", "--out", "reports.csv")
    assert code == 0


def test_a_school_that_the_settings_do_not_have_is_a_problem(run, demo, tmp_path):
    """With the URN, and exit code 1; settings that are named must exist."""
    path, out = _survey(tmp_path, "a", school_urn="123456"), tmp_path / "reports.csv"
    code, _, err = run("survey", "--read", path, "--out", out, "--config", demo)
    assert code == 1
    assert "is of the school '123456', which is not among those of the settings" in err
    code, _, err = run("survey", "--read", path, "--out", out, "--config", tmp_path / "no.toml")
    assert code == 1
    assert "the settings file does not exist" in err
    assert not out.exists()


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_file_that_stays_ends_with_a_problem(run, demo, tmp_path, monkeypatch, flags):
    """Reports are written, the file that could not be deleted is named and noted; exit code 1."""
    gone, path = _survey(tmp_path, "b", count=7), _survey(tmp_path, "a")
    out, unlink = tmp_path / "reports.csv", Path.unlink

    def refuse(one, **options):
        if one == path:
            raise PermissionError(13, "Permission denied")
        unlink(one, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    args = ("--out", out, "--config", demo, "--delete-files", *flags)
    code, text, err = run("survey", "--read", gone, path, *args)
    assert code == 1
    assert f"{path}: cannot be deleted (Permission denied); delete it by hand" in err
    assert (out.exists(), gone.exists(), path.exists()) == (True, False, True)
    surveys = json.loads(find_record_path(out).read_text(encoding="utf-8"))["surveys"]
    assert {one["id"][0]: one["deleted"] for one in surveys} == {"a": False, "b": True}
    if flags:
        assert list(json.loads(text)) == ["problems"]
