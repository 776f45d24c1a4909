"""Attack: neither where pupils walk nor what was counted there can be read off what is written.

The attacker knows recorded risk, has every column that is written for single pieces of street, and
looks for what is left in it of the modelled flow of pupils, by partial correlation, of values and
of ranks.
"""

import dataclasses
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import patrolplan as pp
from patrolplan.atomic import hash_file
from patrolplan.inputs.small_tables import read_counts
from patrolplan.outputs.geopackage import build_plan_layers
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.outputs.webmap.map_layers import classify_voices
from patrolplan.parallel import map_parallel
from patrolplan.patrols.planner import get_occasion, get_planner

MOST = 0.1


def _residuals(values, columns):
    """(p,) what the known (p, k) columns leave of some values, by least squares."""
    design = np.column_stack([np.ones(len(values)), columns])
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    scale = np.ptp(values)
    return left if scale and np.abs(left).max() > 1e-6 * scale else np.zeros(len(values))


def correlate_partially(values, flow, columns):
    """Largest size of the partial correlation with the flow, of values and of ranks."""
    found = []
    for see in (np.asarray, stats.rankdata):
        seen = [see(column).astype(float) for column in (values, flow)]
        given = np.column_stack([see(column) for column in columns])
        left = [_residuals(column, given) for column in seen]
        found.append(np.corrcoef(*left)[0, 1] if all(column.any() for column in left) else 0.0)
    return max(map(abs, found))


def _gather(area, risk):
    """Every column that is written or drawn for single pieces of street, by its name."""
    layer = risk.frame(area.network)
    numbers = layer.select_dtypes("number")
    columns = {f"layer {name}": numbers[name].to_numpy() for name in numbers}
    classes = classify_voices(risk, area.network.piece_metres)
    return columns | {f"map {name}": values for name, values in classes.items()}


def _estimate_recorded(area):
    """What the attacker knows: the risk with no pupils in it."""
    return pp.estimate_risk(pp.with_settings(area, way_home={"exposure": {}}))


def _attack(area, risk, recorded):
    """Partial correlations of all columns, and that of the joined risk, which is not written."""
    metres = area.network.piece_metres
    flow = risk.pupils.sum_between(0, 24 * 60, unaccompanied=False) / metres
    voices = (recorded.crime, recorded.reports, recorded.joined)
    columns = [metres, *voices, *(voice / metres for voice in voices), recorded.disagreement]
    columns += [*classify_voices(recorded, metres).values(), *recorded.expected_in_all.to_numpy().T]
    seen = _gather(area, risk).items()
    written = {name: correlate_partially(values, flow, columns) for name, values in seen}
    return written, correlate_partially(risk.joined / metres, flow, columns)


def _check(area, risk, recorded):
    written, joined = _attack(area, risk, recorded)
    assert joined > 3 * MOST  # the attack works on what holds the flow
    assert {"layer risk", "layer risk_per_metre", "map joined"} <= written.keys()
    assert max(written.values()) < MOST, written


@pytest.fixture(scope="module")
def recorded(demo_area):
    """Recorded risk of the demo borough."""
    return _estimate_recorded(demo_area)


def test_demo_shows_no_way_home(demo_area, demo_risk, recorded):
    """No column that is written of the demo's streets holds the flow of pupils."""
    _check(demo_area, demo_risk, recorded)


@pytest.mark.slow
def test_bloomsbury_shows_no_way_home(bloomsbury_area):
    """No column that is written of Bloomsbury's streets holds the flow of pupils."""
    risk = pp.estimate_risk(bloomsbury_area)
    _check(bloomsbury_area, risk, _estimate_recorded(bloomsbury_area))


def test_files_hold_what_the_attack_looked_at(demo_plan):
    """The risk in a plan's layers is the one without pupils, and nothing else is by street."""
    layers, pieces = build_plan_layers(demo_plan), len(demo_plan.area.network)
    assert [name for name, layer in layers.items() if len(layer) == pieces] == ["risk"]
    layer = layers["risk"]
    assert np.array_equal(layer["risk"], demo_plan.risk.without_exposure)
    assert not np.allclose(layer["risk"], demo_plan.risk.joined)
    document = build_plan_document(demo_plan)
    assert pieces not in {len(value) for value in document.values() if isinstance(value, list)}


def test_plots_draw_no_way_home(demo_plan):
    """A plot of the joined risk draws it without pupils."""
    area, risk = demo_plan.area, demo_plan.risk
    axes = pp.plot.risk(area, risk)
    drawn = next(one for one in axes.collections if one.get_array() is not None).get_array()
    density = np.sort(risk.without_exposure / area.network.piece_metres)
    drawn = np.sort(np.asarray(drawn))
    assert np.allclose(drawn / drawn.max(), density / density.max())


def list_files(_, folder):
    """Files in a folder, listed by a worker that has all it needs."""
    return [path.name for path in Path(folder).iterdir()]


def test_no_number_of_pupils_lies_in_a_file_for_workers(demo_plan, tmp_path, monkeypatch):
    """What workers are sent goes through memory: nothing is in the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planner = get_planner(demo_plan)
    planner.get_places(0, get_occasion(demo_plan).window)
    with pp.Workers(1) as workers:
        for common in (planner, demo_plan):
            assert map_parallel(list_files, common, [tmp_path], executor=workers) == [[]]
            assert not list(tmp_path.iterdir())


def _list_worths(document):
    """Every figure of a document that the flow of own pupils is a factor of."""
    figures = []
    for patrol in document["patrols"]:
        figures += [patrol["worth"], patrol["bound"], *(patrol["reference"] or {}).values()]
        figures += [stop["worth"] for stop in patrol["stops"]]
    return [figure for figure in figures if figure is not None]


def test_worths_of_stops_do_not_say_which_share_of_the_pupils_there_is_the_schools(demo_plan):
    """Who divides a stop's worth by the risk there has the own share, but not from a file.

    The attacker computes the recorded risk of the streets in sight, minute by minute, even knows
    what all places together are worth, and divides. From exact worths the shares follow to a
    fiftieth; what is written leaves an error of a twentieth and more.
    """
    area, risk = demo_plan.area, demo_plan.risk
    document = build_plan_document(demo_plan)
    written = np.array(_list_worths(document))
    assert len(written) > 2 * len(demo_plan.patrols)
    assert np.allclose(written, np.round(written / 0.05) * 0.05)
    planner, window = get_planner(demo_plan), get_occasion(demo_plan).window
    errors = []
    for patrol, form in zip(demo_plan.patrols, document["patrols"], strict=True):
        row = area.schools["urn"].tolist().index(patrol.urn)
        standing = planner.get_places(row, window)
        for stop, shown in zip(patrol.stops, form["stops"], strict=True):
            place = min(standing.places, key=lambda place: math.dist(place.xy, stop.point))
            begin, end = round(stop.arrive_minutes), round(stop.leave_minutes)
            here = sum(
                risk.in_time.compute_rate(minute)[place.seen_pieces].sum()
                for minute in range(begin, end)
            )
            truth = standing.gather(place, begin, end) / here
            exact = stop.worth * patrol.worth * standing.total / here
            guess = shown["worth"] * form["worth"] * standing.total / here
            errors.append((abs(exact / truth - 1), abs(guess / truth - 1)))
    exact, guessed = np.array(errors).T
    assert np.median(exact) < 0.02  # the attack works on what the plan holds in memory
    assert np.median(guessed) > 0.05


def test_small_counts_cannot_be_tried_against_a_manifest(demo, copy_demo, tmp_path):
    """Whatever was counted, what manifests hold of the file is the same, and no digest of it."""
    settings = copy_demo(tmp_path, "2026-09")
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[sources]", '[sources]\ncounts = "counts.csv"'))
    table, held = pd.read_csv(demo.parent / "counts.csv"), set()
    for pupils in (2, 4):  # under five, so of pupils who may be known
        file = tmp_path / "counts.csv"
        table.assign(pupils=table["pupils"].mask(table["pupils"] == 1, pupils)).to_csv(file)
        area = pp.load_area(settings)
        held.add(json.dumps(area.inputs))
        assert hash_file(file) not in json.dumps(area.inputs)
        said = [*area.notes, *area.left_out, *area.tables, area]
        assert "pupils=" not in repr(said)
    assert len(held) == 1


def test_no_column_of_streets_and_no_worker_has_what_was_counted(demo, demo_area, recorded):
    """What is written of streets holds the counted ways home as little as the modelled ones."""
    counts = read_counts([demo.parent / "counts.csv"], demo_area.projection)
    assert 1 in counts["pupils"].to_numpy()
    way_home = dataclasses.replace(demo_area.way_home, counts=counts)
    area = dataclasses.replace(demo_area, way_home=way_home)
    _check(area, pp.estimate_risk(area), recorded)
    assert area.strip_for_workers().way_home.counts.empty
