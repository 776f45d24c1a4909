"""A plan that is there already is not made again."""

import shutil
from dataclasses import replace

import pytest

import patrolplan as pp
from patrolplan.area import input_digests
from patrolplan.area.provenance import created_from, origin_of
from patrolplan.outputs.output_folder import stands


@pytest.fixture(scope="module")
def made(demo_plan, tmp_path_factory):
    """A pack of one school, and the settings it was made with."""
    plan = replace(demo_plan, patrols=demo_plan.patrols[:1])
    return pp.write_pack(
        plan, tmp_path_factory.mktemp("standing") / "out", asked={"schools": ["x"]}
    )


@pytest.fixture
def copy(made, tmp_path):
    """A copy to be spoilt."""
    shutil.copytree(made, tmp_path / "out")
    return tmp_path / "out"


def test_same_wish_on_same_inputs_stands(demo_plan, made):
    """With nothing changed the plan stands; for other wishes it does not."""
    origin = created_from(demo_plan.area)
    assert stands(made, origin, {"schools": ["x"]})
    assert not stands(made, origin, {})
    assert not stands(made, origin, {"schools": ["x"], "minutes": 60})


def test_other_settings_ask_for_another_plan(demo_plan, made):
    """Another seed, or any other setting, makes the plan anew."""
    other = pp.with_settings(demo_plan.area, seed=2)
    assert not stands(made, created_from(other), {"schools": ["x"]})


@pytest.mark.parametrize("spoil", ["changed", "missing", "added"])
def test_folder_that_was_touched_does_not_stand(demo_plan, copy, spoil):
    """A file that was changed, taken away or added makes the plan anew."""
    if spoil == "changed":
        (copy / "map.html").write_text("something else", encoding="utf-8")
    elif spoil == "missing":
        (copy / "cards.pdf").unlink()
    else:
        (copy / "note.txt").write_text("a note", encoding="utf-8")
    assert not stands(copy, created_from(demo_plan.area), {"schools": ["x"]})


def test_changed_input_makes_the_plan_anew(demo_plan, made, tmp_path):
    """One letter more in one input file, and the plan does not stand."""
    old = demo_plan.area
    shutil.copytree(old.settings.folder, tmp_path / "data")
    settings = pp.load_settings(tmp_path / "data" / "patrolplan.toml")
    assert stands(
        made, origin_of(settings, input_digests(settings, old.reports)), {"schools": ["x"]}
    )
    with (tmp_path / "data" / "bell_times.csv").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    now = origin_of(settings, input_digests(settings, old.reports))
    assert not stands(made, now, {"schools": ["x"]})


def test_reports_are_known_again_by_their_groups_alone(demo_plan, made, tmp_path):
    """Without the groups nothing can be said; a report that changes no group changes nothing."""
    settings = demo_plan.area.settings
    without = origin_of(settings, input_digests(settings))
    assert not stands(made, without, {"schools": ["x"]})
    shutil.copytree(settings.folder, tmp_path / "data")
    reports = tmp_path / "data" / "reports.csv"
    lines = reports.read_text(encoding="utf-8").splitlines()
    first = lines[1].replace("R00001", "R99999")
    reports.write_text("\n".join([lines[0], first, *lines[2:]]) + "\n", encoding="utf-8")
    area = pp.load_area(tmp_path / "data" / "patrolplan.toml")
    assert stands(made, created_from(area), {"schools": ["x"]})


def test_empty_folder_does_not_stand(demo_plan, tmp_path):
    """Where nothing was written yet, there is nothing that stands."""
    assert not stands(tmp_path / "none", created_from(demo_plan.area), {})
