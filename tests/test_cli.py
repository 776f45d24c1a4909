"""The command line: exit codes, messages that name place and remedy, one JSON object."""

import json
import re

import pandas as pd
import pytest

from patrolplan.settings import load_settings

MONTHS = ("2026-08", "2026-09")


@pytest.fixture
def small(copy_demo, tmp_path):
    """A copy of the demo borough with two months of crimes; gives its settings file."""
    return copy_demo(tmp_path / "area", *MONTHS)


def _changed(settings, old, new):
    text = settings.read_text(encoding="utf-8")
    assert old in text
    settings.write_text(text.replace(old, new, 1), encoding="utf-8")


def _problems(stderr):
    begin = "patrolplan: "
    return [one.removeprefix(begin) for one in stderr.splitlines() if one.startswith(begin)]


def _refused(run, settings, *, expected):
    """The command ends with 1, and each of its problems names these places and remedies."""
    code, out, err = run("check", "--config", settings)
    assert code == 1
    assert out == ""
    problems = _problems(err)
    assert len(problems) == len(expected)
    for line, parts in zip(problems, expected, strict=True):
        assert [part for part in parts if part not in line] == []
        assert line.endswith(".")


def test_missing_files(run, small):
    """Each file that the settings name and that is not there is named, with the key to correct."""
    sources = list(load_settings(small).sources.model_fields_set)
    text = small.read_text(encoding="utf-8")
    for name in sources:
        text = re.sub(rf"^{name} = .*$", f'{name} = "{name}.gone"', text, flags=re.MULTILINE)
    small.write_text(text, encoding="utf-8")
    code, _, err = run("check", "--config", small)
    assert (code, len(sources)) == (1, 10)
    for name in sources:
        words = f"{name}.gone: the file does not exist", f"correct [sources] {name}"
        assert any(all(word in line for word in words) for line in _problems(err)), name


def _crime_files(small):
    return sorted((small.parent / "crimes").glob("*/*.csv"))


def test_all_coordinates_outside_the_streets(run, small):
    """Crimes of another place are reported with their location and the area's."""
    for path in _crime_files(small):
        table = pd.read_csv(path)
        table.assign(Longitude=table["Longitude"] + 2).to_csv(path, index=False)
    words = "no incident lies in the area: crimes in 2.8", "check that crimes, streets and [area] c"
    _refused(run, small, expected=[("crimes", *words)])


def test_all_problems_are_reported_at_once(run, small):
    """Faults in several files are all reported in one run, each with its place."""
    folder = small.parent
    (folder / "streets.osm.gz").write_bytes(b"")
    (folder / "reports.csv").unlink()
    (folder / "gates.csv").write_text("urn,longitude,latitude\n900001,,\n", encoding="utf-8")
    (folder / "bell_times.csv").write_text("urn,finish_time\n900001,25:00\n,x\n", encoding="utf-8")
    _crime_files(small)[1].write_text("<html>", encoding="utf-8")
    code, _, err = run("check", "--config", small)
    problems = _problems(err)
    assert code == 1
    assert len(problems) == 8  # the gate has neither of its two coordinates
    for part in ("streets.osm.gz", "reports.csv", "gates.csv, row 2", "'25:00'", "'x'", "web page"):
        assert any(part in line for line in problems), part


@pytest.mark.parametrize(("date", "expected"), [
    ("2026-12-25", ["every school is closed on Friday 25 December 2026", "term_dates"]),
    ("2026-10-28", ["every school is closed on Wednesday 28 October 2026", "term_dates"]),
    ("2026-11-28", ["Saturday 28 November 2026 is not a school day", "a school day"]),
])  # fmt: skip
def test_a_day_without_school_is_refused(run, small, date, expected):
    """No patrol is planned for a holiday or a weekend; the message names the day."""
    code, _, err = run("plan", "--config", small, "--date", date, "--out", small.parent / "out")
    assert code == 1
    (problem,) = _problems(err)
    assert all(part in problem for part in expected)


def test_a_plan_of_even_crime_begins_with_what_it_does_not_know(run, small):
    """Where no hotspot stands out from chance, that is the first line on screen."""
    for path in _crime_files(small):
        once = pd.read_csv(path, dtype=str).drop_duplicates(["Longitude", "Latitude"])
        once.to_csv(path, index=False)
    out = small.parent / "out"
    code, printed, _ = run("plan", "--config", small, "--school", "900003", "--out", out)
    assert code == 0
    assert json.loads((out / "plan.json").read_text(encoding="utf-8"))["stands_out"] == 0
    assert printed.startswith("Nothing here stands out from chance.")


KINDS = ("a parent that is a file", "a file", "a stranger's folder", "a name too long")


def _unwritable(tmp_path, kind):
    if kind == "a parent that is a file":
        (tmp_path / "file").write_text("x", encoding="utf-8")
        return tmp_path / "file" / "out", "cannot be written"
    if kind == "a file":
        (tmp_path / "out").write_text("x", encoding="utf-8")
        return tmp_path / "out", "is a file, not a folder"
    if kind == "a stranger's folder":
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.doc").write_text("x", encoding="utf-8")
        return tmp_path / "out", "holds 1 file that patrolplan did not write (thesis.doc)"
    return tmp_path / ("n" * 300), "cannot be written"


@pytest.mark.parametrize(("command", "kind"), [
    *(("plan", kind) for kind in KINDS),
    *zip(("demo", "risk", "hotspots"), KINDS[:3], strict=True),
])  # fmt: skip
def test_output_folder_that_cannot_be_written(run, small, tmp_path, command, kind):
    """An output folder that cannot be written is named, with what to do; nothing is touched."""
    out, what = _unwritable(tmp_path, kind)
    before = sorted(tmp_path.rglob("*"))
    config = () if command == "demo" else ("--config", small)
    code, _, err = run(command, *config, "--out", out)
    assert code == 1
    (problem,) = _problems(err)
    assert what in problem
    assert "--out" in problem
    assert sorted(tmp_path.rglob("*")) == before


def test_problems_as_json(run, small):
    """With --json the problems are one JSON object on standard output."""
    _changed(small, "seed = 1", "sead = 1")
    code, out, _ = run("check", "--config", small, "--json")
    assert code == 1
    (line,) = out.splitlines()
    (problem,) = json.loads(line)["problems"]
    assert problem["where"].startswith(f"{small}")
    assert problem["what"] == "unknown key; did you mean 'seed'?"
    assert problem["remedy"] == "correct or remove it"


@pytest.mark.parametrize("command", ["risk", "hotspots"])
def test_the_reason_without_the_guard_is_in_what_is_printed(run, small, command):
    """Where crime that patrols discover counts, the document and the lines on screen say why."""
    settings = small.read_text(encoding="utf-8")
    crimes = '\n[crimes]\ninclude_discovered = true\nreason = "joint operation"\n'
    small.write_text(settings + crimes, encoding="utf-8")
    note = "Offences that patrols discover count too: joint operation."
    assert note in json.loads(run(command, "--config", small, "--json")[1])["notes"]
    assert note in " ".join(run(command, "--config", small)[1].split())


def test_check_says_what_came_in_and_what_did_not(run, small):
    """Check counts what a plain reading of the files counts, of reports none that are few."""
    tables = [pd.read_csv(path, dtype=str) for path in _crime_files(small)]
    crimes = pd.concat(tables)
    placed = crimes["Longitude"].notna()
    btp = crimes["Reported by"] == "British Transport Police"
    code, out, _ = run("check", "--config", small, "--json")
    document = json.loads(out)
    assert code == 0
    left_out = {(row["source"], row["reason"]): row["count"] for row in document["left_out"]}
    few = [count for (source, _), count in left_out.items() if source == "reports"]
    assert "fewer than 5" in few
    assert all(count == "fewer than 5" or int(count) >= 5 for count in few)
    assert left_out["crimes", "without coordinates"] == str((~placed).sum())
    counts = [count for (source, _), count in left_out.items() if source == "crimes"]
    assert document["incidents"] + sum(int(n.replace(",", "")) for n in counts) == len(crimes)
    assert int(left_out["crimes", "recorded by British Transport Police"]) <= (placed & btp).sum()
    assert document["months"] == [crimes["Month"].min(), crimes["Month"].max()]
    assert document["schools"] == 12
    assert [one["check"] for one in document["alarms"]] == ["missing_months"]
    assert [one["source"] for one in document["tables"]][:3] == ["crimes", "schools", "reports"]
    for one in document["tables"]:
        assert set(one) == {"source", "rows", "used", "left_out"}
        assert one["source"] != "reports" or not any(one[key] % 5 for key in ("rows", "used"))


def test_week_papers_of_a_stranger_are_refused_at_once(run, demo, tmp_path):
    """An officer or a day that is not of the week is reported before anything is planned."""
    wish = ("--officer", "SSO-99", "--date", "2026-12-25")
    code, out, err = run("week", "--config", demo, "--from", "2026-11-30", "--out", tmp_path, *wish)
    assert code == 1
    assert "no officer 'SSO-99' in this week (officers: SSO-01, " in err
    assert "name a day from Monday 30 November to Friday 4 December" in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_pattern_that_cannot_be_one_matches_nothing(run, small):
    """A pattern that no system understands is reported like one that matches no file."""
    _changed(small, '"crimes/*/*-street.csv"', '"a**b/*.csv"')
    _refused(run, small, expected=[["a**b/*.csv", "no file matches", "[sources] crimes"]])
