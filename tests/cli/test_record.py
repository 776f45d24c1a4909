"""The command record: from a week handed out to the return, at the keyboard and from files."""

import io
import json
import shutil
from dataclasses import replace

import pytest

import patrolplan as pp
from patrolplan.times import minutes_after_midnight

MONDAY = "2026-11-30"


@pytest.fixture(scope="module")
def folder(demo_week, tmp_path_factory):
    """Folder of the demo week, written with the cards of its first two duties only, to be quick."""
    duties = [duty for duty in demo_week.duties if duty.date == demo_week.start][:2]
    short = replace(demo_week, duties=tuple(duties))
    return pp.write_pack(short, tmp_path_factory.mktemp("week") / "out")


@pytest.fixture
def settings(demo, tmp_path):
    """A copy of the demo borough's folder; gives its settings file."""
    shutil.copytree(demo.parent, tmp_path / "area")
    return tmp_path / "area" / demo.name


@pytest.fixture
def run(run, monkeypatch, settings):
    """Run record; gives exit code, standard output and error."""

    def call(*args, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return run("record", *args, "--config", settings)

    return call


@pytest.fixture
def duty(folder):
    """The first duty of the week, as its document holds it, with the stops of its route."""
    week = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    first = week["patrols"][0]
    return {**first, "stops": week["routes"][first["route"]]["stops"]}


def _count_minutes(stop):
    return minutes_after_midnight(stop["leave"]) - minutes_after_midnight(stop["arrive"])


def test_from_the_hand_out_to_the_return(run, folder, duty, settings, tmp_path):
    """A week is handed out, recorded at the keyboard, corrected, and returned."""
    code, out, _ = run("--week", folder)
    assert code == 0
    assert out.startswith("Handed out: 2026-11-30 to 2026-12-04")
    assert "Already handed out, nothing changed" in run("--week", folder)[1]
    assert (settings.parent / "patrolplan-ledger.sqlite").is_file()
    stops, minutes = len(duty["stops"]), sum(map(_count_minutes, duty["stops"]))
    places = len({stop["id"] for stop in duty["stops"]})
    options = ("--officer", duty["officer"], "--date", duty["date"])
    code, out, err = run(*options, typed="x\n12/3\n" + "\n" * (stops - 1))
    assert code == 0
    assert f"the first line may hold all {stops} answers" in err
    assert "'x' is not a number of minutes from 0 to 720; type it again" in err
    assert duty["stops"][0]["place"] in err
    assert f"{places} recorded." in out
    in_line = " ".join(["12/3"] + ["="] * (stops - 1))
    assert f"{places} already recorded." in run(*options, typed=in_line + "\n")[1]
    answer = json.loads(run(*options, "--answers", " ".join(["-"] * stops), "--json")[1])
    assert (answer["corrected"], answer["recorded"], answer["already_recorded"]) == (places, 0, 0)
    again = [stop for stop in duty["stops"][1:] if stop["id"] == duty["stops"][0]["id"]]
    before = 12 + sum(_count_minutes(stop) for stop in again)
    assert answer["visits"][0]["minutes_before"] == before
    assert answer["visits"][0]["engagements"] == 3
    assert f"0 of {minutes:.0f}" in run("--return", "2026-11", "--out", tmp_path / "return")[1]
    rows = json.loads(run("--return", "2026-11", "--json")[1])["by_officer"]
    mine = next(row for row in rows if row["officer"] == duty["officer"])
    assert (mine["promised_visits"], mine["delivered_visits"]) == (places, 0)
    assert mine["delivered_percent"] == 0.0
    names = sorted(path.name for path in (tmp_path / "return").iterdir())
    assert names == ["by-hotspot.csv", "by-officer.csv", "by-reason.csv", "by-school.csv",
                     "by-week.csv", "manifest.json", "return-2026-11.csv"]  # fmt: skip


def test_a_table_and_its_mistakes(run, folder, duty, tmp_path):
    """A table is taken whole; one with mistakes leaves the ledger as it was."""
    run("--week", folder)
    path = tmp_path / "visits.csv"
    row = f"{duty['officer']},{duty['date']},1,15"
    path.write_text(f"officer,date,stop,minutes\n{row}\nSSO-77,{MONDAY},1,15\n", encoding="utf-8")
    code, out, err = run("--csv", path)
    assert (code, out) == (1, "")
    assert "visits.csv, row 3, column 'officer': there is no officer 'SSO-77'" in err
    path.write_text(f"officer,date,stop,minutes\n{row}\n", encoding="utf-8")
    assert "1 recorded." in run("--csv", path)[1]
    assert "1 already recorded." in run("--csv", path)[1]


def _write_walk_elsewhere(path, folder, duty):
    """A track of the whole afternoon that stands 800 m from the gate: no stop is visited."""
    week = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    longitude, latitude = week["routes"][duty["route"]]["gate"]
    place = f'<trkpt lat="{latitude}" lon="{longitude + 0.012}"><time>{duty["date"]}T'
    times = (f"{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(14 * 60, 18 * 60))
    points = "".join(f"{place}{time}</time></trkpt>" for time in times)
    path.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>", encoding="utf-8")
    return path


def test_a_track_below_typed_minutes_leaves_them(run, folder, duty, tmp_path):
    """Typed minutes stay, and what the track gives is told; typed again, it counts."""
    run("--week", folder)
    who = ("--officer", duty["officer"], "--date", duty["date"])
    run(*who, "--answers", " ".join(["15"] * len(duty["stops"])))
    count = len({stop["id"] for stop in duty["stops"]})
    path = _write_walk_elsewhere(tmp_path / "gate.gpx", folder, duty)
    track = json.loads(run(*who, "--gpx", path, "--json")[1])
    assert (track["corrected"], track["already_recorded"]) == (0, 0)
    assert sum("the track gives 0; type it again" in note for note in track["notes"]) == count
    typed = json.loads(run(*who, "--answers", " ".join("-" * len(duty["stops"])), "--json")[1])
    assert typed["corrected"] == count


@pytest.mark.parametrize(("name", "text", "why"), [
    ("week.json", "", "week.json: the week cannot be read (No such file"),
    ("week.json", '{"patrols": [{}], "days": []}', "patrols.0.officer: Field required"),
    ("hotspots.geojson", "{}", "is not in the form that `patrolplan week` writes (KeyError"),
])  # fmt: skip
def test_a_folder_that_is_no_week_is_refused(run, tmp_path, folder, name, text, why):
    """The file that is missing or spoilt is named."""
    shutil.copytree(folder, tmp_path / "spoilt")
    (tmp_path / "spoilt" / name).unlink()
    if text:
        (tmp_path / "spoilt" / name).write_text(text, encoding="utf-8")
    code, _, err = run("--week", tmp_path / "spoilt")
    assert code == 1
    assert why in err


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_an_unreachable_ledger_is_one_line(run, folder, monkeypatch):
    """The environment's address goes before the settings'; its password is not printed."""
    monkeypatch.setenv("PATROLPLAN_LEDGER_URL", "postgresql://lead:s3cr3t@127.0.0.1:9/doses")
    code, out, err = run("--week", folder)
    assert (code, out) == (1, "")
    assert "127.0.0.1:9/doses: the ledger cannot be used" in err
    assert "s3cr3t" not in err
