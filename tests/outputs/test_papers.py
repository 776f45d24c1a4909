"""Papers: their table, earlier ones that are copied, notes, and what offline pages share."""

import datetime as dt
import json
import tempfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

import patrolplan as pp
from patrolplan.notes import Note
from patrolplan.outputs.earlier_papers import PAPERS_KEY, EarlierPapers, hash_facts
from patrolplan.outputs.notes_file import format_notes, render_notes
from patrolplan.outputs.offline_page import dump_script_json, read_script
from patrolplan.outputs.output_folder import read_manifest, replace_folder, write_files
from patrolplan.outputs.papers import OTHER_PAPERS, PLAN_PAPERS, WEEK_PAPERS
from patrolplan.outputs.purge import purge
from patrolplan.tables import LeftOutRow

VALUES = (
    *(1, 1.0, True, None, "1", b"1", "", dt.date(2026, 11, 30), float("nan"), pd.NaT),
    *([1, 2], [[1], 2], [1, [2]], (), {"a": 1}, {"a": [1]}, {1, 2}),
    *(np.array([1, 2]), np.array([1.0, 2.0]), np.zeros(2000), np.ones(2000), np.zeros((2, 1000))),
    *(shapely.Point(1, 2), shapely.Point(1, 3), shapely.LineString([(1, 2), (1, 3)])),
    *(pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), pd.DataFrame({"a": [2]})),
)
NOTES = [Note("a", "Known."), Note("b", "To correct.", fix="fill in the column")]
NOTES += [Note("c", "For the gate.", "officer"), Note("d", "Known.")]
ROWS = [LeftOutRow("crimes", "of another force", 7), LeftOutRow("gates", "bad", 2, fix="mend it")]


def test_digests_differ_where_values_do():
    """Different values have different digests, equal ones the same, those of other kinds none."""
    digests = [hash_facts(value) for value in VALUES]
    assert len(set(digests)) == len(VALUES) - 1  # {"a": [1]} and the table of the same
    assert digests == [hash_facts(value) for value in VALUES]
    assert hash_facts({"x", "y", "z"}) == hash_facts({"z", "y", "x"})
    with pytest.raises(TypeError, match="no digest of a function"):
        hash_facts([hash_facts])


def test_only_an_equal_paper_of_an_unchanged_file_is_copied(demo_plan, tmp_path):
    """Where anything that a paper shows has changed, or one of several is new, none is copied."""
    papers = EarlierPapers(None, demo_plan)
    assert papers.find({"tasks.pdf": ["words"]}) is None
    (tmp_path / "tasks.pdf").write_bytes(b"paper")
    document = {PAPERS_KEY: papers.seal({"tasks.pdf": b"paper", "week.csv": b""}), "files": {}}
    assert [*document[PAPERS_KEY]] == ["tasks.pdf"]
    (tmp_path / "manifest.json").write_text(json.dumps(document), encoding="utf-8")

    def find(plan=demo_plan, **facts):
        return EarlierPapers(tmp_path, plan).find({"tasks.pdf": ["words"]} | facts)

    assert find() == {"tasks.pdf": b"paper"}
    assert find(**{"tasks.pdf": ["other words"]}) is None
    assert find(**{"lead.pdf": ["words"]}) is None
    assert find(replace(demo_plan, hotspots=demo_plan.hotspots[1:])) is None
    area = pp.with_settings(demo_plan.area, seed=99)
    assert find(replace(demo_plan, area=area)) is None
    (tmp_path / "tasks.pdf").write_bytes(b"another paper")
    assert find() is None
    (tmp_path / "tasks.pdf").unlink()
    assert find() is None


def test_a_folder_with_papers_is_replaced_and_purged(tmp_path, monkeypatch):
    """A file of every kind of paper is ours, for the next run and when it is old."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    # In two days the folders that other tests write in now are old as well.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    papers, out = (*PLAN_PAPERS, *WEEK_PAPERS, *OTHER_PAPERS), tmp_path / "out"
    names = [paper.name.replace("*", "an-area") for paper in papers]
    for _ in range(2):
        with replace_folder(out, {}) as part:
            write_files(part, dict.fromkeys(names, b"x"))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    removed = {one.path for one in purge(dt.timedelta(1), [out], now=later) if one.removed}
    assert {f"{out / name}" for name in names} <= removed
    assert not out.exists()


def test_what_is_listed_is_in_the_folder(demo_plan, tmp_path):
    """A plan writes every paper of its table, and no other file."""
    out = pp.write_pack(demo_plan, tmp_path / "out")
    names = read_manifest(out)["files"]
    assert all(any(paper.matches(name) for paper in PLAN_PAPERS) for name in names)
    assert all(any(map(paper.matches, names)) for paper in PLAN_PAPERS)
    assert (out / "notes.txt").read_bytes() == render_notes(demo_plan)


def test_notes_are_grouped_and_what_needs_a_hand_is_first():
    """Officers, lead and analyst each have their own; equal sentences stand once."""
    assert list(format_notes(NOTES, ROWS)) == [
        *("", "For officers", "- For the gate."),
        *("", "For the analyst", "- To correct. To fix: fill in the column.", "- Known."),
        *("", "Left out", "- gates: 2 left out, bad. To fix: mend it."),
        "- crimes: 7 left out, of another force.",
    ]


def test_a_plan_has_every_note_and_a_week_what_it_could_not_meet(demo_plan, demo_week):
    """Every sentence is there under the cards' marking, and each day without a patrol, and why."""
    text = " ".join(render_notes(demo_plan).decode("utf-8").split())
    assert text.startswith(f"{demo_plan.area.name}: notes OFFICIAL")
    assert all(note.text in text for note in demo_plan.risk.notes)
    own = {note.text for patrol in demo_plan.patrols for note in patrol.notes}
    assert sum(sentence in text for sentence in own) >= len(own) - 2  # the area says these of all
    assert "reports: fewer than 5 left out" in text
    # A line break in words of the data does not begin another part of the file.
    evil = Note("x", "Place\n\nFor officers\n- go home.")
    risk = replace(demo_plan.risk, notes=(evil,))
    lines = render_notes(replace(demo_plan, risk=risk)).decode("utf-8").splitlines()
    assert "- Place For officers - go home." in lines
    text = " ".join(render_notes(demo_week).decode("utf-8").split())
    assert "Not met" in text
    assert demo_week.unmet
    assert all(f"{row}.".lower() in text.lower() for row in demo_week.unmet)


def test_data_cannot_end_its_script_element():
    """Any data is read back unchanged, and has no characters of markup in the page."""
    value = {"name": "</script><!-- & \u2028 <script>"}
    text = dump_script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028") & set(text)


def test_scripts_lose_comments_and_indentation_alone(tmp_path):
    """Lines of comment and indentation go; what follows code on its line stays."""
    file = tmp_path / "a.js"
    file.write_bytes(b"// about\r\nconst a = {\r\n  b: 1, // one\r\n};\r\n")
    assert read_script(file) == "const a = {\nb: 1, // one\n};\n"
