"""The settings file that `init` writes."""

import re
import tomllib

from pydantic import BaseModel

from patrolplan.settings import Settings, SourceSettings, parse_settings
from patrolplan.settings.load import build_settings_template

EXAMPLES = {name: field.examples for name, field in SourceSettings.model_fields.items()}
UNSET_EXAMPLES = ("bounds", "boundary", "tiles")


def _from(text):
    return parse_settings(tomllib.loads(text), folder=".")


def _defaults(**sources):
    return parse_settings({"sources": sources}, folder=".")


def test_template_as_written_equals_the_defaults():
    """The template is valid, and says only the defaults and example paths."""
    needed = {name: EXAMPLES[name] for name in ("crimes", "schools", "streets")}
    assert _from(build_settings_template()) == _defaults(**needed)


def test_every_commented_default_is_the_default():
    """With every # before a default taken away, the settings are still the defaults."""
    lines = build_settings_template().splitlines()
    unset = tuple(UNSET_EXAMPLES)
    text = "\n".join(
        line[2:]
        if re.match(r"# (\w+) = ", line) and not line[2:].startswith((*unset, "urn ="))
        else line
        for line in lines
    )
    assert _from(text) == _defaults(**EXAMPLES)


def test_examples_of_unset_keys_are_valid():
    """The examples for keys without a default can be used as they stand."""
    for name in UNSET_EXAMPLES:
        line = next(
            line
            for line in build_settings_template().splitlines()
            if line.startswith(f"# {name} = ")
        )
        section = "output" if name == "tiles" else "area"
        text = '[sources]\ncrimes = "c"\nschools = "s"\nstreets = "x"\n'
        _from(f"{text}[{section}]\n{line[2:]}\n")


def test_every_key_is_in_the_template_with_its_meaning():
    """No key of the settings is missing from the template."""
    lines = build_settings_template().splitlines()
    for section, info in Settings.model_fields.items():
        kind = info.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            continue
        start = lines.index(f"[{section}]")
        for name, field in kind.model_fields.items():
            message = next(
                row
                for row in range(start, len(lines))
                if re.match(rf"(# )?{field.alias or name} = ", lines[row])
            )
            assert lines[message - 1].startswith(f"# {field.description}")
