"""A settings file to start from, written from the settings' own models so that it is true."""

import json
from datetime import time
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from patrolplan.settings.models import Settings
from patrolplan.settings.models import SourceSettings

EXAMPLES = {
    "crimes": ["crimes/*/*-street.csv*"],
    "schools": ["schools.csv"],
    "streets": ["streets.osm.pbf"],
    "reports": ["reports.csv"],
    "bell_times": ["bell_times.csv"],
    "officers": ["officers.csv"],
    "gates": ["gates.csv"],
    "term_dates": ["term_dates.csv"],
    "tasked_places": ["tasked_places.csv"],
}

UNSET_EXAMPLES = {
    "bounds": [-0.149, 51.513, -0.1212, 51.5302],
    "boundary": "boundary.geojson",
    "tiles": "https://tiles.example.org/{z}/{x}/{y}.png",
}
"""For keys that are not set by default: what they could be."""


def settings_template() -> str:
    """Every key with its meaning; all but the needed ones are commented out at their default."""
    lines = [
        "# Settings of patrolplan. Paths start at this file's folder.",
        "# A line that begins with # shows a default: remove the # to change it.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += [f"[{name}]", *_section(kind), ""]
    seed = Settings.model_fields["seed"]
    top = [f"# {seed.description}", f"seed = {seed.default}", ""]
    mapping = [
        '# Tables of another layout: our name = "their name".',
        "# [columns.schools]",
        '# urn = "URN"',
        "",
    ]
    return "\n".join([*lines[:3], *top, *lines[3:], *mapping])


def _section(model: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        lines.append(f"# {field.description}" + (" (needed)" if field.is_required() else ""))
        if model is SourceSettings:
            needed = "" if field.is_required() else "# "
            lines.append(f"{needed}{name} = {json.dumps(EXAMPLES[name])}")
        else:
            value = UNSET_EXAMPLES.get(name, _default(field))
            lines.append(f"# {field.alias or name} = {_toml(value)}")
    return lines


def _default(field: FieldInfo) -> Any:  # noqa: ANN401 - whatever the model holds
    return field.get_default(call_default_factory=True)


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever the model holds
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, dict):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
