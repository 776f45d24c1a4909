"""The settings file that `init` writes."""

import re
import tomllib

from patrolplan.settings import SourceSettings, parse_settings
from patrolplan.settings.load import STARTING_KEYS, build_settings_template

EXAMPLES = {name: field.examples[0] for name, field in SourceSettings.model_fields.items()}
NEEDED = ("crimes", "schools", "streets")


def _from(text):
    return parse_settings(tomllib.loads(text), folder=".")


def test_the_template_is_short_and_says_the_defaults():
    """At most 45 lines of 120 letters; as written only the defaults and example paths."""
    lines = build_settings_template().splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 120
    expected = {"sources": {name: EXAMPLES[name] for name in NEEDED}}
    assert _from("\n".join(lines)) == parse_settings(expected, folder=".")


def test_every_commented_key_can_be_used_as_it_stands():
    """With every # before a key taken away, each key but examples of paths has its default."""
    text = re.sub(r"^# (\w+ = )", r"\1", build_settings_template(), flags=re.MULTILINE)
    area = {"bounds": tomllib.loads(text)["area"]["bounds"]}
    expected = parse_settings({"sources": EXAMPLES, "area": area}, folder=".")
    assert _from(text) == expected
    assert {name: len(keys) for name, keys in tomllib.loads(text).items()} == {
        name: len(keys) or len(EXAMPLES) for name, keys in STARTING_KEYS.items()
    }
