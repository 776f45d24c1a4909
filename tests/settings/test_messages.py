"""What is wrong with a key is reported once, in the words of the settings file."""

import tomllib
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from patrolplan.errors import SettingsError
from patrolplan.settings import Settings, parse_settings

SOURCES = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
INTERNAL = (
    *("literal[", "constrained", "Field required", "nput should", "pydantic", "valid string"),
    *("valid integer", "valid number", "valid boolean", "valid tuple", "valid dict"),
    "valid time format",
)
ODD = (True, 7, 1.5, "text", [], ["a", 1], {}, {"a": 1}, float("inf"), 10**5000)
"""A value of each kind that TOML knows: every key must refuse most of them."""


def _problems(data):
    with pytest.raises(SettingsError) as error:
        parse_settings({"sources": SOURCES} | data, folder=".", file="my.toml")
    return [str(problem) for problem in error.value.problems]


def _written(text):
    return _problems(tomllib.loads(text))


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
    message = "\n".join(_problems(_at(path, four)))
    assert f"my.toml, key '{'.'.join(path)}'" in message


@pytest.mark.parametrize("path", NUMERIC, ids=".".join)
@pytest.mark.parametrize("value", [True, False, "5", "yes"])
def test_numbers_are_not_guessed(path, value):
    """Text and true are not accepted for a number."""
    [message] = _problems(_at(path, value))
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    assert message.startswith(f"my.toml, key '{'.'.join(path)}': {shown} is not valid; write ")


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_is_reported_once_and_in_plain_words(path):
    """Whatever the value of a key, there is one message about it, without a library's words."""
    for value in ODD:
        try:
            parse_settings({"sources": SOURCES} | _at(path, value), folder=".")
        except SettingsError:
            lines = _problems(_at(path, value))
            about = [line for line in lines if f"key '{'.'.join(path)}'" in line]
            assert len(about) <= 1
            assert all(len(line) < 400 for line in lines)
            assert not any(word in line for word in INTERNAL for line in lines), lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[area]\nbounds = [0, 0, 1]",
         "'area.bounds': [0, 0, 1] is not valid; write [lon_min, lat_min, lon_max, lat_max]"),
        ("[area]\nbounds = [0, 0, 1, 1, 1]",
         "'area.bounds': [0, 0, 1, 1, 1] is not valid; write [lon_min, lat_min, lon_max, lat_max]"),
        ('[hotspots]\ncount = "many"',
         "'hotspots.count': 'many' is not valid; write 'auto' or a whole number from 1"),
        ('[hotspots]\nmethod = "Network"',
         "did you mean 'network'? Write 'network', 'dbscan' or 'hdbscan'"),
        ('[risk]\nmodel = "poison"',
         "'risk.model': 'poison' is not valid; did you mean 'poisson'? Write 'auto', "),
        ('[patrol]\nwindows.x = "15:00"',
         "'patrol.windows.x': '15:00' is not valid; write a table of its keys (from, to, bell, "),
        ('[patrol.windows.x]\nfrom = "15:00"',
         "'patrol.windows.x': give from and to, or bell with before_minutes and after_minutes"),
        ('[patrol.windows.x]\nfrom = "00:00"\nto = "23:59"',
         "from and to are 1439 minutes apart, a patrol lasts 720 at most"),
        ('[crimes]\ncategories = "Robbery"',
         "'crimes.categories': 'Robbery' is not valid; write a list of texts"),
        ("[schools]\nurns = [true]", "'schools.urns': [true] is not valid; write a list of texts"),
        ("[accept]\nfar_places = 3",
         "'accept.far_places': 3 is not valid; write text in quotes of at most 300 characters"),
        ('[columns.streets]\nname = "x"', "streets are not a table"),
        ("[week]\nmax_dose_minutes_per_day = 0", "0 is not valid; write a number from 1 to 10,000"),
    ],
)  # fmt: skip
def test_the_accepted_values_are_listed(text, message):
    """The message shows the value as it was written, and what the key takes."""
    [line] = _written(text)
    assert message in line


def test_a_secret_is_not_shown():
    """The ledger's address may hold a password, so a wrong one is not repeated."""
    [message] = _written('[ledger]\nurl = ["postgresql://lead:s3cr3t@host/doses"]')
    assert message == "my.toml, key 'ledger.url': the value is not valid; write text in quotes."
