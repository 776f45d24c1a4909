"""The UK's Algorithmic Transparency Recording Standard: a record of this installation, as data.

Sections, names and order of the fields are those of version 4.0 (May 2025), as its guidance and its
change log give them; numbers that these do not print are counted on from version 3.0. The words are
in `governance_templates/transparency-record.toml.j2`: a row a field, with its number, its name and
its texts. What only the force can say has no text there: nothing is guessed.
"""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from jinja2 import Template

STANDARD, VERSION = "Algorithmic Transparency Recording Standard", "4.0"


def build_record_document(template: Template, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record; a value of null is to be filled by the force, a list has a text each.

    Parameters
    ----------
    template
        TOML whose values go through `escape_toml`.
    facts
        See `patrolplan.outputs.governance.collect_facts`.
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
    """One text by itself; None for none."""
    return texts if len(texts) > 1 else next(iter(texts), None)


def escape_toml(value: object) -> object:
    r"""A value inside the quotes of a TOML text; a missing one becomes "not known".

    Examples
    --------
    >>> escape_toml('a "b" \\ c\n'), escape_toml(None), escape_toml(1.5)
    ('a \\"b\\" \\\\ c', 'not known', 1.5)
    """
    if value is None:
        return "not known"
    return json.dumps(" ".join(value.split()))[1:-1] if isinstance(value, str) else value
