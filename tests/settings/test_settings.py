"""`patrolplan.toml`: what is written, understood and refused, each key in one plain message."""

import re
import tomllib
from datetime import time
from typing import get_args, get_origin

import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel

from patrolplan.errors import SettingsError
from patrolplan.settings import Settings, SourceSettings, load_settings, parse_settings
from patrolplan.settings.kinds import DISCOVERED_CATEGORIES
from patrolplan.settings.load import STARTING_KEYS, build_settings_template
from patrolplan.settings.models import CrimeSettings

EXAMPLES = {name: field.examples[0] for name, field in SourceSettings.model_fields.items()}
SOURCES = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
INTERNAL = (
    *("literal[", "constrained", "Field required", "nput should", "pydantic", "valid time format"),
    *(f"valid {kind}" for kind in ("string", "integer", "number", "boolean", "tuple", "dict")),
)
ODD = (True, 7, 1.5, "text", [], ["a", 1], {}, {"a": 1}, float("inf"), 10**5000)
"""A value of each kind that TOML knows: every key must refuse most of them."""


def _settings(folder=".", **sections):
    return parse_settings({"sources": SOURCES} | sections, folder=folder)


def _problems(**sections):
    with pytest.raises(SettingsError) as error:
        _settings(**sections)
    return [str(problem) for problem in error.value.problems]


def _from(text):
    return parse_settings(tomllib.loads(text), folder=".")


def test_the_template_is_short_and_says_the_defaults():
    """At most 45 lines of 120 letters; as written only the defaults and example paths."""
    lines = build_settings_template().splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 120
    expected = {"sources": {name: EXAMPLES[name] for name in SOURCES}}
    assert _from("\n".join(lines)) == parse_settings(expected, folder=".")


def test_every_commented_key_can_be_used_as_it_stands():
    """With every # before a key taken away, each key but examples of paths has its default."""
    text = re.sub(r"^# (\w+ = )", r"\1", build_settings_template(), flags=re.MULTILINE)
    area = {"bounds": tomllib.loads(text)["area"]["bounds"]}
    assert _from(text) == parse_settings({"sources": EXAMPLES, "area": area}, folder=".")
    assert {name: len(keys) for name, keys in tomllib.loads(text).items()} == {
        name: len(keys) or len(EXAMPLES) for name, keys in STARTING_KEYS.items()
    }


def _keys(model=Settings, above=()):
    """Every key of the settings, with its field; names of tables are made up."""
    for name, field in model.model_fields.items():
        path = (*above, field.alias or name)
        kind = field.annotation
        if get_origin(kind) is dict:
            made_up = "schools" if name == "columns" else "own"
            path, kind = (*path, made_up), get_args(kind)[1]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _keys(kind, path)
        else:
            yield path, kind


def _numbers(kind):
    return kind in {int, float} or any(map(_numbers, get_args(kind)))


KEYS = [path for path, _ in _keys()]
NUMERIC = [path for path, kind in _keys() if _numbers(kind)]


def _at(path, value):
    for part in reversed(path):
        value = {part: value}
    return value


@pytest.mark.parametrize("path", NUMERIC, ids=".".join)
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e308, 10**400])
def test_infinite_numbers_are_refused(path, value):
    """Every key that takes a number refuses one that is infinite, none, or beyond all sense."""
    four = [value] * 4 if path == ("area", "bounds") else value
    assert f"settings, key '{'.'.join(path)}'" in "\n".join(_problems(**_at(path, four)))


@pytest.mark.parametrize("path", NUMERIC, ids=".".join)
@pytest.mark.parametrize("value", [True, False, "5", "yes"])
def test_numbers_are_not_guessed(path, value):
    """Text and true are not accepted for a number."""
    [message] = _problems(**_at(path, value))
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    assert message.startswith(f"settings, key '{'.'.join(path)}': {shown} is not valid; write ")


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_is_reported_once_and_in_plain_words(path):
    """Whatever the value of a key, there is one message about it, without a library's words."""
    for value in ODD:
        try:
            parse_settings({"sources": SOURCES} | _at(path, value), folder=".")
        except SettingsError:
            lines = _problems(**_at(path, value))
            about = [line for line in lines if f"key '{'.'.join(path)}'" in line]
            assert len(about) <= 1
            assert max(map(len, lines)) < 400
            assert not any(word in line for word in INTERNAL for line in lines), lines


@pytest.mark.parametrize(("text", "message"), [
    *((f"area.bounds = {bounds}",
       f"'area.bounds': {bounds} is not valid; write [lon_min, lat_min, lon_max, lat_max]")
      for bounds in ("[0, 0, 1]", "[0, 0, 1, 1, 1]")),
    ('hotspots.count = "many"',
     "'hotspots.count': 'many' is not valid; write 'auto' or a whole number from 1"),
    ('hotspots.method = "Network"',
     "did you mean 'network'? Write 'network', 'dbscan' or 'hdbscan'"),
    ('risk.model = "poison"',
     "'risk.model': 'poison' is not valid; did you mean 'poisson'? Write 'auto', "),
    ('patrol.windows.x = "15:00"',
     "'patrol.windows.x': '15:00' is not valid; write a table of its keys (from, to, bell, "),
    ('patrol.windows.x.from = "15:00"',
     "'patrol.windows.x': give from and to, or bell with before_minutes and after_minutes"),
    ('[patrol.windows.x]\nfrom = "00:00"\nto = "23:59"',
     "from and to are 1439 minutes apart, a patrol lasts 720 at most"),
    ('crimes.categories = "Robbery"',
     "'crimes.categories': 'Robbery' is not valid; write a list of texts"),
    ("schools.urns = [true]", "'schools.urns': [true] is not valid; write a list of texts"),
    ("accept.far_places = 3",
     "'accept.far_places': 3 is not valid; write text in quotes of at most 300 characters"),
    ('columns.streets.name = "x"', "streets are not a table"),
    ("week.max_dose_minutes_per_day = 0", "0 is not valid; write a number from 1 to 10,000"),
])  # fmt: skip
def test_the_accepted_values_are_listed(text, message):
    """The message shows the value as it was written, and what the key takes."""
    [line] = _problems(**tomllib.loads(text))
    assert message in line


def test_a_secret_is_not_shown():
    """The ledger's address may hold a password, so a wrong one is not repeated."""
    [message] = _problems(ledger={"url": ["postgresql://lead:s3cr3t@host/doses"]})
    assert message == "settings, key 'ledger.url': the value is not valid; write text in quotes."


@pytest.mark.parametrize(("place", "value", "nearest"), [
    ("aera", {}, "area"), ("seeds", 2, "seed"), ("patrol.windows.x.fron", "x", "from"),
    ("sources.street", "x", "streets"), ("hotspots.max_length", 3, "max_length_metres"),
])  # fmt: skip
def test_unknown_key_names_the_nearest(place, value, nearest):
    """At every level a key that is not known is named, and so is the nearest that is."""
    line = f"settings, key '{place}': unknown key; did you mean '{nearest}'? Correct or remove it."
    lines = _problems(**_at(place.split("."), value))
    assert [one for one in lines if f"'{place}'" in one] == [line]


MORNING = {"windows": {"morning": {"bell": "opening", "before_minutes": 30}}}


@pytest.mark.parametrize(("sections", "message"), [
    ({"week": {"zzzz": 1}}, "(known: min_patrols_per_school, max_dose_minutes_per_day,"),
    ({"columns": {"school": {"urn": "URN"}}}, "is not a source; did you mean 'schools'?"),
    ({"patrol": MORNING, "week": {"windows": ["mornin"]}}, "did you mean 'morning'?"),
    ({"patrol": MORNING, "week": {"windows": ["morning"] * 2}}, "names 'morning' twice"),
    ({"patrol": MORNING, "week": {"windows": []}}, "[] is not valid"),
    ({"area": {"crs": "EPSG:4326"}}, "'EPSG:4326' is not in metres (unit: degree)"),
    ({"area": {"crs": "EPSG:2263"}}, "'EPSG:2263' is not in metres (unit: US survey foot)"),
    ({"area": {"crs": "EPSG:4978"}}, "'EPSG:4978' is not in metres"),
    ({"area": {"crs": "British"}}, "'British' is not a CRS that PROJ knows"),
    ({"area": {"bounds": [-0.14, 51.5, -0.12, 51.6], "boundary": "b.geojson"}},
     "bounds and boundary are both set"),
    *(({"privacy": {"threshold": 4, "reason": blank}},
       "threshold = 4 is under 5 and needs a reason") for blank in ("", "   ", "\t")),
    *(({"crimes": {"include_discovered": True, "reason": blank}},
       "include_discovered = true needs a reason") for blank in ("", "   ", "\t")),
    ({"ledger": {"url": "mysql://lead:s3cr3t@host/doses"}},
     "begins with 'mysql' is not a ledger; write sqlite:///FILE"),
])  # fmt: skip
def test_what_does_not_go_together_is_one_problem(sections, message):
    """Values that exclude each other, need a reason or name nothing have one message each."""
    (problem,) = _problems(**sections)
    assert message in problem
    assert "s3cr3t" not in problem
    assert "crs" not in sections.get("area", {}) or problem.endswith(" EPSG:27700.")


@pytest.mark.parametrize(("sections", "value"), [
    ({"privacy": {"threshold": 2, "reason": "a trial"}}, 2),
    ({"patrol": {"default_finish_time": time(15, 40)}}, time(15, 40)),
    ({"patrol": MORNING, "week": {"windows": ["morning"]}}, ("morning",)),
    ({"schools": {"urns": [100008, "100018"]}}, ("100008", "100018")),
])  # fmt: skip
def test_what_people_write_is_understood(sections, value):
    """Numbers for URNs, times of TOML, other signs in a name, and values just within bounds."""
    section, keys = list(sections.items())[-1]
    assert getattr(getattr(_settings(**sections), section), next(iter(keys))) == value


def test_guard_holds_against_categories_listed_by_hand():
    """A discovered category in the list counts only once the guard is lifted."""
    listed = ("Drugs", "Robbery")
    assert CrimeSettings(categories=listed).risk_categories == ("Robbery",)
    lifted = CrimeSettings(categories=listed, include_discovered=True, reason="trial of June")
    assert sorted(lifted.risk_categories) == sorted({"Robbery", *DISCOVERED_CATEGORIES})


NO_BOXES = (
    *([-0.12, 51.5, -0.14, 51.6], [-0.14, 51.6, -0.12, 51.5], [-0.14, 51.5, -0.14, 51.6]),
    *([51.5, -0.14, 51.6, -0.12, 0], [-0.14, 51.5, -0.12], ["west", 51.5, -0.12, 51.6]),
    *([529000, 181000, 530000, 182000], "here"),
)
NO_TIMES = ("15", "T15:15", "15:15:30", "15:15+01:00", "1515", "15:1\u0665", 15, time(15, 15, 30))


@pytest.mark.parametrize(("section", "values"), [
    *(("area", {"bounds": one}) for one in NO_BOXES),
    *(("risk", {"harm": {"Robbery": one}}) for one in (-1, float("nan"))),
    *(("hotspots", one) for one in ({"count": 0}, {"max_length_metres": 29})),
    *(("patrol", {"default_finish_time": one}) for one in ("25:00", "3pm", *NO_TIMES)),
    *(("patrol", {"windows": {"x": {"from": wrong, "to": "16:00"}}}) for wrong in NO_TIMES),
    ("patrol", {"windows": {"early": {"from": "09:00", "to": "08:00"}}}),
    *(("privacy", {"threshold": one}) for one in (1, "five")),
    ("sources", SOURCES | {"crimes": 7}),
])  # fmt: skip
def test_values_out_of_range_are_refused_by_key(section, values):
    """A value out of range, or no box in degrees, is reported with its key."""
    key = section if section == "area" else f"{section}."
    for problem in _problems(**{section: values}):  # at least one
        assert f"key '{key}" in problem
        assert "the key is missing" not in problem


def test_paths_start_at_the_settings_folder(tmp_path):
    """A relative path starts at the settings file's folder, an absolute one does not."""
    file = tmp_path / "patrolplan.toml"
    absolute = (tmp_path / "elsewhere" / "s.csv").as_posix()
    text = f'[sources]\ncrimes = "c.csv"\nschools = "{absolute}"\nstreets = "x.osm"\n'
    file.write_text(text, encoding="utf-8")
    found = [load_settings(file).find_files(name) for name in ("crimes", "schools", "reports")]
    assert found == [(tmp_path / "c.csv",), (tmp_path / "elsewhere" / "s.csv",), ()]


@given(names=st.permutations(["2025-10", "2025-09", "2026-01", "2024-12"]))
def test_globs_give_files_in_a_fixed_order(tmp_path_factory, names):
    """Files that a pattern finds come sorted, whichever was made first, and each once."""
    folder = tmp_path_factory.mktemp("globs")
    for name in names:
        (folder / name).mkdir()
        (folder / name / "street.csv").touch()
    (folder / "2027-01" / "street.csv").mkdir(parents=True)
    sources = SOURCES | {"crimes": ["*/street.csv", "2025-*/*.csv"]}
    settings = _settings(folder, sources=sources)
    found = [path.parent.name for path in settings.find_files("crimes")]
    assert found == ["2024-12", "2025-09", "2025-10", "2026-01"]


@pytest.mark.parametrize(("content", "message"), [
    (None, "the settings file does not exist"), ("folder", "is a folder"),
    (b"[area\nname = 1", "is not TOML"), (b"[area]\nname = '\xff'", "cannot be read"),
    (b"a = " + b"[" * 100_000, "is not TOML"), (b"a = " + b"9" * 5000, "is not TOML"),
    *((content, "key 'sources': the key is missing") for content in (b"", b"\xef\xbb\xbfseed = 1")),
])  # fmt: skip
def test_settings_file_that_cannot_be_used(tmp_path, content, message):
    """A settings file that is missing, broken or empty is named with the reason."""
    file = tmp_path / "patrolplan.toml"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert str(file) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(("url", "shown"), [
    ("postgresql+pg8000://lead:s3cr3t@host/doses", "postgresql+pg8000://lead:***@host/doses"),
    ("postgresql://lead:s3:cr@3t@host/d?password=s3", "postgresql://lead:***@host/d"),
    *((url, url) for url in ("postgresql://lead@host/doses", "sqlite:///doses.sqlite")),
])  # fmt: skip
def test_the_ledgers_password_is_in_no_file(url, shown):
    """Settings as manifests hold them have the ledger's address without its password."""
    settings = _settings(ledger={"url": url})
    assert settings.ledger.address == url
    assert settings.model_dump(mode="json")["ledger"] == {"url": shown}
    assert "s3" not in repr(settings)
