"""The week command, also of a trial; and commands that take a window."""

import datetime as dt
import json
import shutil
from base64 import b64encode

import pytest

import patrolplan as pp
from patrolplan.cli import steps
from patrolplan.settings.load import load_settings
from patrolplan.team.secret import Secret

DAY = "2026-12-01"
MONTHS = [f"2025-{month:02}" for month in range(7, 13)] + [f"2026-{n:02}" for n in range(1, 7)]
LATER = ["2026-07", "2026-08", "2026-09"]
WISHES = {"start": "2026-07-01", "end": "2026-09-30", "randomise": "pairs", "apart_metres": 100.0}


@pytest.fixture(scope="module")
def small(copy_demo, tmp_path_factory):
    """The demo borough with one month of crimes and two schools; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), "2026-09")
    with settings.open("a", encoding="utf-8") as stream:
        stream.write('\n[schools]\nurns = ["900001", "900006"]\n')
    return settings


def _list_patrols(week):
    """The patrols by officer and day, without the numbers of their routes."""
    return {(row["officer"], row["date"]): row | {"route": 0} for row in week["patrols"]}


def test_a_week_with_leave_is_planned_and_repaired(run, small, tmp_path):
    """Leave holds; an absence later moves the fewest cards and says which."""
    out = tmp_path / "week"
    leave = ["--absent", "SSO-01:2026-12-02:2026-12-20"]
    code, stdout, _ = run("week", "--config", small, "--from", DAY, *leave, "--out", out, "--json")
    assert code == 0
    planned = json.loads(stdout)
    assert planned == json.loads((out / "week.json").read_text(encoding="utf-8"))
    held, who = _list_patrols(planned), ("SSO-01", DAY)
    card = out / "cards" / "SSO-01" / f"{DAY}-{held[who]['urn']}.pdf"
    assert card.exists()
    assert not {("SSO-01", f"2026-12-0{day}") for day in (2, 3, 4)} & set(held)
    away = ["--absent", f"SSO-01:{DAY}"]
    code, stdout, stderr = run("week", "--config", small, "--replan", *away, "--out", out, "--json")
    assert code == 0
    assert f"Repairing the week in {out}" in stderr
    repaired = json.loads(stdout)
    gone = [row for row in repaired["changes"] if row["kind"] == "withdrawn"]
    assert [(row["officer"], row["date"]) for row in gone] == [who]
    assert repaired["absent"] == {"SSO-01": [DAY]}
    del held[who]
    now = _list_patrols(repaired)
    assert who not in now
    assert {key: now[key] for key in held} == held
    assert not card.exists()


@pytest.mark.slow
def test_a_secret_draws_the_week_and_is_found_nowhere(run, small, tmp_path, monkeypatch, caplog):
    """It is created once; drawn again the number rises; no file, cache or message holds it."""
    out, cache = tmp_path / "week", tmp_path / "cache"
    monkeypatch.setenv("PATROLPLAN_CACHE", str(cache))
    path = small.parent / "week.secret"
    path.unlink(missing_ok=True)
    code, output, errors = run("week", "--config", small, "--from", DAY, "--out", out)
    assert code == 0
    assert f"Created {path}" in errors.replace("\n", " ").replace("  ", " ")
    first = json.loads((out / "week.json").read_text(encoding="utf-8"))
    code, more, warned = run("week", "--config", small, "--from", DAY, "--out", out, "--json")
    second = json.loads(more)
    assert "Created" not in warned
    assert (first["draw"]["number"], second["draw"]["number"]) == (1, 2)
    assert first["commitment"] != second["commitment"]
    assert run("week", "--config", small, "--audit", "--out", out)[0] == 0
    secret = Secret(path.read_bytes())
    area = pp.load_area(small)
    hidden = [secret._content]
    for number in (1, 2):
        key = secret.make_key(area.name, dt.date(2026, 11, 30), number)
        assert key.commitment in (first["commitment"], second["commitment"])
        hidden += [key._content, key.derive("week")._content]
    forms = [form for each in hidden for form in (each, each.hex().encode(), b64encode(each)[:40])]
    files = [path for folder in (out, cache) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    texts = [path.read_bytes() for path in files]
    texts += [text.encode() for text in (output, errors, more, warned, caplog.text)]
    assert not [form for form in forms for text in texts if form in text]


def test_a_folder_that_cannot_be_written_draws_without_a_secret(small, tmp_path, capsys):
    """The command prints it and continues."""
    settings = load_settings(small).model_copy()
    settings._folder = tmp_path / "missing"
    steps.ensure_secret(settings)
    assert "the week is drawn without a secret" in " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def trial_area(copy_demo, tmp_path_factory):
    """The demo borough with a year of crimes and four schools; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), *MONTHS)
    with settings.open("a", encoding="utf-8") as stream:
        stream.write('\n[schools]\nurns = ["900001", "900002", "900006", "900007"]\n')
    return settings


def test_a_new_trial_needs_a_first_day(run, trial_area, tmp_path):
    """Without a file and without --from there is no trial."""
    new = ("--trial", tmp_path / "none.json")
    _refuse(run, "give --from DAY, the first day of a new trial", "--config", trial_area, *new)


def _run_json(run, *args):
    """What a command that succeeds prints as JSON."""
    code, out, _ = run(*args, "--json")
    assert code == 0
    return json.loads(out)


def _refuse(run, why, *args):
    """Check that a week is refused in these words."""
    code, _, stderr = run("week", *args)
    assert code == 1
    assert why in " ".join(stderr.split())


@pytest.mark.slow
def test_a_trial_from_its_pairs_to_its_result(run, trial_area, demo, tmp_path):
    """Paired, planned, refused before its end, repaired only with its file, and analysed."""
    wishes = trial_area.parent / "trial.json"
    wishes.write_text(json.dumps(WISHES), encoding="utf-8")
    trial = ["--config", trial_area, "--trial", wishes]
    paired = _run_json(run, "week", *trial)
    assert json.loads(wishes.read_text(encoding="utf-8")) == paired
    week = _run_json(run, "week", *trial, "--from", "2026-07-06", "--out", tmp_path / "week")
    assert len(week["trial"]["drawn"]) == 5 * len(paired["hotspots"])
    none = {row["hotspot"] for row in week["trial"]["drawn"] if not row["treated"]}
    assert len(none) == len(paired["hotspots"]) // 2
    assert not none & {stop["hotspot"] for row in week["patrols"] for stop in row["stops"]}
    _refuse(run, "come back with all its months", *trial)
    away = ["--replan", "--absent", "SSO-01:2026-07-07", "--out", tmp_path / "week"]
    _refuse(run, "name the trial's file with --trial", "--config", trial_area, *away)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**paired, "seed": paired["seed"] ^ 1}), encoding="utf-8")
    why = "the week is part of another trial"
    _refuse(run, why, "--config", trial_area, *away, "--trial", other)
    assert _run_json(run, "week", *trial, *away)["trial"] == week["trial"]
    for month in LATER:
        shutil.copytree(demo.parent / "crimes" / month, trial_area.parent / "crimes" / month)
    assert 0 < _run_json(run, "week", *trial)["effect"]["p_value"] <= 1
    assert "95 % interval" in " ".join(run("week", *trial)[1].split())


@pytest.fixture(scope="module")
def windowed(copy_demo, tmp_path_factory):
    """The demo borough with its last months, and a window in the morning."""
    months = [f"2026-{month:02d}" for month in range(4, 10)]
    path = copy_demo(tmp_path_factory.mktemp("windows"), *months)
    with path.open("a", encoding="utf-8") as stream:
        stream.write('\n[patrol.windows.early]\nfrom = "07:30"\nto = "09:00"\n')
    return path


@pytest.mark.parametrize(
    ("options", "begin", "minutes", "day"),
    [
        ("", None, 90.0, "school_day"),
        ("--window early", "07:30", 90.0, "school_day"),
        ("--start 01:00 --minutes 60", "01:00", 60.0, None),
        ("--date 2026-12-05", None, 90.0, "weekend"),
    ],
)
def test_risk_says_its_window_and_day(run, windowed, options, begin, minutes, day):
    """The risk is that of the window and day that the options name."""
    code, out, err = run("risk", "--config", windowed, *options.split(), "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["window"], found["day"]) == ({"from": begin, "minutes": minutes}, day)


def test_a_back_test_inside_a_window_needs_times(run, windowed):
    """Where only months are known, a back-test of a window ends with what it needs."""
    code, _, err = run("backtest", "--config", windowed, "--window", "early")
    assert code == 1
    assert "times of day are not known" in err
    assert "occurred_at" in err
    assert "Traceback" not in err
