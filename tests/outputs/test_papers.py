"""The table of papers: each is known as ours, purged, listed in its folder, and written."""

import datetime as dt

import pytest

import patrolplan as pp
from patrolplan.outputs.output_folder import read_manifest, replace_folder, write_files
from patrolplan.outputs.papers import OTHER_PAPERS, PLAN_PAPERS, WEEK_PAPERS, list_papers
from patrolplan.outputs.purge import purge

PAPERS = {paper.name: paper for paper in (*PLAN_PAPERS, *WEEK_PAPERS, *OTHER_PAPERS)}


@pytest.mark.parametrize("name", PAPERS)
def test_a_folder_with_a_paper_is_replaced_and_purged(name, tmp_path, monkeypatch):
    """A file of every kind of paper is ours, for the next run and when it is old."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    file, out = name.replace("*", "an-area"), tmp_path / "out"
    for _ in range(2):
        with replace_folder(out, {}) as part:
            write_files(part, {file: b"x"})
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    assert any(
        one.removed and one.path.endswith(file) for one in purge(dt.timedelta(1), [out], now=later)
    )
    assert not out.exists()


def test_what_is_listed_is_in_the_folder(demo_plan, tmp_path):
    """A plan writes every paper of its table, and no other file."""
    out = pp.write_pack(demo_plan, tmp_path / "out", geoparquet=True)
    names = read_manifest(out)["files"]
    assert all(any(paper.matches(name) for paper in PLAN_PAPERS) for name in names)
    assert all(any(map(paper.matches, names)) for paper in PLAN_PAPERS)
    assert all((out / name).exists() for name in list_papers(PLAN_PAPERS))
