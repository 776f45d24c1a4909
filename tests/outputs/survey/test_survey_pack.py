"""The folder that a school gets: four files and a manifest, written completely or not at all."""

import json

import pytest

from patrolplan.errors import OutputError
from patrolplan.outputs.survey import survey_pack

RENDERERS = {
    "survey_page": lambda area, urn: f"<html>{area.name} {urn}",
    "paper_form": lambda area, urn: f"%PDF {area.name} {urn}".encode(),
    "tally_page": lambda area, urn: f"<html>tally {area.name} {urn}",
    "leaflet": lambda area, urn: f"%PDF leaflet {area.name} {urn}".encode(),
}
NAMES = ["form-900003.pdf", "leaflet-900003.pdf", "survey-900003.html", "tally-900003.html"]


@pytest.fixture
def pack(monkeypatch):
    """The module of the pack, with renderers that take no time."""
    for name, render in RENDERERS.items():
        monkeypatch.setattr(survey_pack, f"render_{name}", render)
    return survey_pack


def test_a_pack_has_the_four_files_and_a_manifest(pack, demo_area, tmp_path):
    """And the manifest, which goes to the school, names no crime, no settings and no seed."""
    out = pack.write_survey_pack(demo_area, "900003", tmp_path / "s")
    assert sorted(path.name for path in out.iterdir()) == sorted([*NAMES, "manifest.json"])
    assert (out / "survey-900003.html").read_text(encoding="utf-8").startswith("<html>")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {"schema", "school", "inputs", "versions", "files"}
    assert {name.partition(":")[0] for name in manifest["inputs"]} == {
        "streets",
        "schools",
        "gates",
    }
    assert "seed" not in json.dumps(manifest)
    assert sorted(manifest["files"]) == NAMES


def test_a_pack_replaces_an_older_one_alone(pack, demo_area, tmp_path):
    """A folder with a file that patrolplan did not write, such as answers, is refused."""
    out = pack.write_survey_pack(demo_area, "900003", tmp_path / "s")
    pack.write_survey_pack(demo_area, "900004", out)
    assert (out / "form-900004.pdf").exists()
    assert not (out / "form-900003.pdf").exists()
    (out / "survey-900004-0123abcd.json").write_text("{}", encoding="utf-8")
    with pytest.raises(OutputError, match="holds 1 file that patrolplan did not write"):
        pack.write_survey_pack(demo_area, "900004", out)


def test_a_pack_is_written_completely_or_not_at_all(pack, demo_area, tmp_path, monkeypatch):
    """Where one paper fails, the folder is as it was."""

    def fail(*_):
        raise OutputError

    monkeypatch.setattr(pack, "render_leaflet", fail)
    with pytest.raises(OutputError):
        pack.write_survey_pack(demo_area, "900003", tmp_path / "s")
    assert list(tmp_path.iterdir()) == []
