"""Reading a settings file, writing one to start from, and finding the demo borough's.

The file to start from is generated from the models, so that it always shows the true defaults.
"""

import errno
import json
import shutil
import tomllib
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from patrolplan.errors import SettingsError
from patrolplan.settings.messages import list_problems
from patrolplan.settings.models import Settings, SourceSettings


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
    """Every key with its meaning; all but required ones are commented out, with their default."""
    seed = Settings.model_fields["seed"]
    lines = [
        "# Settings of patrolplan. Paths start at this file's folder.",
        "# A line that begins with # shows a default: remove the # to change it.",
        "",
        f"# {seed.description}",
        f"seed = {seed.default}",
        "",
    ]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += [f"[{name}]", *_format_section(kind), ""]
    lines += [
        '# Tables of another layout: our name = "their name".',
        "# [columns.schools]",
        '# urn = "URN"',
        "",
    ]
    return "\n".join(lines)


def _format_section(model: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        lines.append(f"# {field.description}" + (" (required)" if field.is_required() else ""))
        value = field.get_default(call_default_factory=True)
        if field.examples:
            value = field.examples if model is SourceSettings else field.examples[0]
        mark = "" if field.is_required() else "# "
        lines.append(f"{mark}{field.alias or name} = {_format_toml(value)}")
    return lines


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
