"""The week command: planned, set by hand, repaired at short notice, or refused."""

import datetime as dt
import json
from base64 import b64encode

import pytest

import patrolplan as pp
from patrolplan.cli import steps
from patrolplan.settings.load import load_settings
from patrolplan.team.secret import Secret

DAY = "2026-12-01"


@pytest.fixture(scope="module")
def small(copy_demo, tmp_path_factory):
    """The demo borough with one month of crimes and two schools; gives its settings file."""
    settings = copy_demo(tmp_path_factory.mktemp("area"), "2026-09")
    text = settings.read_text(encoding="utf-8")
    assert "[schools]" not in text
    text += '\n[schools]\nurns = ["900001", "900006"]\n'
    settings.write_text(text, encoding="utf-8")
    return settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --from DATE"),
        (["--from", "soon"], "is not a valid date"),
        (["--trial", "t.json", "--absent", f"SSO-01:{DAY}"], "leave --absent out"),
        (["--audit", "--from", DAY], "--audit looks at the week in --week"),
        (["--replan"], "--replan needs --absent"),
        (["--replan", "--absent", "SSO-01"], "is not OFFICER:DATE"),
        (["--replan", "--absent", f"SSO-01:{DAY}", "--from", DAY], "leave --from out"),
    ],
)
def test_wrong_usage_ends_with_two(run, options, message):
    """Options that do not go together, and values of no such form."""
    code, _, stderr = run("week", *options)
    assert code == 2
    assert message in " ".join(stderr.replace("│", " ").split())


def test_a_week_with_leave_is_planned_and_repaired(run, small, tmp_path):
    """Leave holds; an absence later moves the fewest cards and says which."""
    out = tmp_path / "week"
    leave = ["--absent", "SSO-01:2026-12-02:2026-12-20"]
    code, stdout, _ = run("week", "--config", small, "--from", DAY, *leave, "--out", out, "--json")
    assert code == 0
    planned = json.loads(stdout)
    assert planned == json.loads((out / "week.json").read_text(encoding="utf-8"))
    held = {(row["officer"], row["date"]): row for row in planned["patrols"]}
    card = out / "cards" / "SSO-01" / f"{DAY}-{held['SSO-01', DAY]['urn']}.pdf"
    assert card.exists()
    assert not {("SSO-01", f"2026-12-0{day}") for day in (2, 3, 4)} & set(held)
    away = ["--absent", f"SSO-01:{DAY}"]
    code, stdout, stderr = run("week", "--config", small, "--replan", *away, "--out", out, "--json")
    assert code == 0
    assert f"Repairing the week in {out}" in stderr
    repaired = json.loads(stdout)
    gone = [row for row in repaired["changes"] if row["kind"] == "withdrawn"]
    assert [(row["officer"], row["date"]) for row in gone] == [("SSO-01", DAY)]
    assert ("SSO-01", DAY) not in {(row["officer"], row["date"]) for row in repaired["patrols"]}
    assert repaired["absent"] == {"SSO-01": [DAY]}
    others = [row for row in planned["patrols"] if (row["officer"], row["date"]) != ("SSO-01", DAY)]
    plain = [{k: v for k, v in row.items() if k != "route"} for row in repaired["patrols"]]
    assert all({k: v for k, v in row.items() if k != "route"} in plain for row in others)
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
