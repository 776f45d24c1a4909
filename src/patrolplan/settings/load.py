"""Reading a settings file, writing one to start from, and finding the demo borough's."""

import errno
import json
import shutil
import tomllib
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from patrolplan.errors import SettingsError
from patrolplan.settings.messages import list_problems
from patrolplan.settings.models import Settings

STARTING_KEYS: dict[str, tuple[str, ...]] = {
    "area": ("name", "bounds"),
    "sources": (),
    "patrol": ("window_minutes", "way", "default_finish_time"),
    "week": ("min_patrols_per_school", "crew"),
    "privacy": ("threshold",),
    "output": ("marking", "contacts"),
    "fetch": ("months", "contact"),
}
"""The keys of a file to start from, by section; none means all of the section."""


def load_settings(path: str | Path) -> Settings:
    """Read and check a `patrolplan.toml`; defaults are filled in.

    Raises
    ------
    SettingsError
        With one problem for every key that is unknown, missing or wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad writes a byte order mark
        data = tomllib.loads(text)
    except FileNotFoundError:
        remedy = (
            "go to its folder or below, name it with --config or PATROLPLAN_CONFIG, or create one "
            "with `patrolplan init` (`init --demo`: the fictional borough's, with its files)"
        )
        raise SettingsError.one(path, "the settings file does not exist", remedy) from None
    except IsADirectoryError:
        raise SettingsError.one(path, "is a folder", "name the settings file in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError.one(path, f"cannot be read ({error})", "save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # also a number too long, tables too deep
        raise SettingsError.one(path, f"is not TOML: {error}", "correct that line") from None
    return parse_settings(data, folder=path.parent, file=path)


def parse_settings(
    data: dict[str, Any], *, folder: Path, file: str | Path = "settings"
) -> Settings:
    """Check settings given as a mapping; relative paths start at `folder`."""
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(list_problems(file, error, data, Settings)) from None
    settings._folder = Path(folder)  # noqa: SLF001 - set once, here
    settings._file = str(file)  # noqa: SLF001
    return settings


def build_settings_template() -> str:
    """Keys that most teams set, with meaning and default or example; optional ones as comments."""
    lines = [
        "# Settings of patrolplan. Paths start at this file's folder. A # before a key shows its",
        "# default, or an example: remove the # to change it. Every key is in the documentation.",
    ]
    for section, names in STARTING_KEYS.items():
        fields = Settings.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
        lines += ["", f"[{section}]"]
        lines += [_format_key(name, fields[name]) for name in names or fields]
    return "\n".join([*lines, ""])


def _format_key(name: str, field: FieldInfo) -> str:
    value = field.examples[0] if field.examples else field.get_default()
    mark = "" if field.is_required() else "# "
    return f"{mark}{name} = {_format_toml(value)}  # {field.description}"


def _format_toml(value: object) -> str:
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_format_toml(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def demo_settings() -> Path:
    """Settings file of the demo borough: in the package, or in `data/` of a checkout.

    Examples
    --------
    >>> demo_settings().name
    'patrolplan.toml'
    """
    packed = Path(__file__).parents[1] / "demo_data" / "patrolplan.toml"
    return packed if packed.is_file() else Path(__file__).parents[3] / "data" / "patrolplan.toml"


def copy_demo_files(folder: Path) -> None:
    """Copy the files that the demo borough's settings name, without the settings."""
    source = demo_settings()
    sources = load_settings(source).sources
    names = {
        Path(pattern).parts[0]
        for field in type(sources).model_fields
        for pattern in getattr(sources, field)
    }
    for name in sorted(names):
        if (folder / name).exists():
            raise FileExistsError(errno.EEXIST, "exists", str(folder / name))
    for name in sorted(names):
        copy = shutil.copytree if (source.parent / name).is_dir() else shutil.copyfile
        copy(source.parent / name, folder / name)
