"""Commands that take a window: risk and hotspots, and the plan whose risk is that of its window."""

import json

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


def test_a_back_test_inside_a_window_needs_times(run, config):
    """Where only months are known, a back-test of a window ends with what it needs."""
    code, _, err = run("backtest", "--config", config, "--window", "early")
    assert code == 1
    assert "times of day are not known" in err
    assert "occurred_at" in err
    assert "Traceback" not in err
