"""Commands that take a window: risk and hotspots, and the plan whose risk is that of its window."""

import json

import pyogrio
import pytest


@pytest.fixture(scope="module")
def config(copy_demo, tmp_path_factory):
    """The demo borough with its last months, and a window in the morning."""
    months = [f"2026-{month:02d}" for month in range(4, 10)]
    path = copy_demo(tmp_path_factory.mktemp("windows"), *months)
    with path.open("a", encoding="utf-8") as stream:
        stream.write('\n[patrol.windows.early]\nfrom = "07:30"\nto = "09:00"\n')
    return path


def _run_json(run, *args):
    code, out, err = run(*args, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize(
    ("options", "window", "day"),
    [
        ((), {"from": None, "minutes": 90.0}, "school_day"),
        (("--window", "early"), {"from": "07:30", "minutes": 90.0}, "school_day"),
        (("--start", "01:00", "--minutes", "60"), {"from": "01:00", "minutes": 60.0}, None),
        (("--date", "2026-12-05"), {"from": None, "minutes": 90.0}, "weekend"),
    ],
    ids=["bell", "named", "night", "weekend"],
)
def test_risk_says_its_window_and_day(run, config, options, window, day):
    """The risk is that of the window and day that the options name."""
    found = _run_json(run, "risk", "--config", config, *options)
    assert (found["window"], found["day"]) == (window, day)


def test_hotspots_follow_the_window(run, config, tmp_path):
    """Before school other stretches hold the risk than after it; the layer says what carries."""
    after, early = (
        _run_json(run, "hotspots", "--config", config, "--out", tmp_path / name, *options)
        for name, options in (("after", ()), ("early", ("--window", "early")))
    )
    places = [[row["place"] for row in one["hotspots"]] for one in (after, early)]
    assert places[0] != places[1]
    text = json.dumps(early["hotspots"])
    assert "after school" not in text
    assert "way home" not in text
    layer = pyogrio.read_dataframe(tmp_path / "early" / "hotspots.gpkg")
    assert "<qgis" in (tmp_path / "early" / "hotspots.qml").read_text(encoding="utf-8")
    assert list(layer["carried_by"]) == [row["carried_by"] for row in early["hotspots"]]


@pytest.mark.slow
def test_a_plan_has_the_risk_of_its_window(run, config, tmp_path):
    """A plan's risk, and its reasons, are those of its own window and day."""
    options = ("--school", "900003", "--window", "early", "--date", "2026-12-01")
    plan = _run_json(run, "plan", "--config", config, "--out", tmp_path / "plan", *options)
    assert plan["risk"]["window"] == {"from": "07:30", "minutes": 90.0}
    assert plan["risk"]["day"] == "school_day"
    assert "after school" not in json.dumps([plan["hotspots"], plan["patrols"]])


def test_a_back_test_inside_a_window_needs_times(run, config):
    """Where only months are known, a back-test of a window ends with what it needs."""
    code, _, err = run("backtest", "--config", config, "--window", "early")
    assert code == 1
    assert "times of day are not known" in err
    assert "occurred_at" in err
    assert "Traceback" not in err
