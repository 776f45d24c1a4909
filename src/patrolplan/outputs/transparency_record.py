"""The UK's Algorithmic Transparency Recording Standard: a record of this installation, as data.

Sections, names and order of the fields are those of version 4.0 (May 2025), according to its
guidance and its change log; numbers that these do not print continue those of version 3.0. The
words are in `governance_templates/transparency-record.toml.j2`: a row per field, with its number,
name and texts. Fields that only the force can fill have no text there: nothing is guessed.
"""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from jinja2 import Template

STANDARD, VERSION = "Algorithmic Transparency Recording Standard", "4.0"


def build_record_document(template: Template, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record; the force must fill values that are null, and a list has several texts.

    The values of the template, which is TOML, are escaped by `escape_toml`.
    """
    sections = tomllib.loads(template.render(facts))["sections"]
    for section in sections:
        section["fields"] = [
            {"reference": reference or None, "name": name, "value": _join_texts(texts)}
            for reference, name, *texts in section["fields"]
        ]
    return {
        "schema": 1,
        "standard": STANDARD,
        "version": VERSION,
        "area": facts["area"],
        "created_from": facts["created_from"],
        "sections": sections,
    }


def _join_texts(texts: list[str]) -> str | list[str] | None:
    """A single text instead of a list of one; None if there is none."""
    return texts if len(texts) > 1 else next(iter(texts), None)


def escape_toml(value: object) -> object:
    r"""A value inside the quotes of a TOML text; None becomes "not known".

    Examples
    --------
    >>> escape_toml('a "b" \\ c\n'), escape_toml(None), escape_toml(1.5)
    ('a \\"b\\" \\\\ c', 'not known', 1.5)
    """
    if value is None:
        return "not known"
    return json.dumps(" ".join(value.split()))[1:-1] if isinstance(value, str) else value
