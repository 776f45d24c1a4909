"""`patrolplan.toml` -> `Settings`, with every problem of it told at once."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from patrolplan.errors import SettingsError
from patrolplan.settings.mistakes import problems_of
from patrolplan.settings.models import Settings


def load_settings(path: str | Path) -> Settings:
    """Read and check a settings file.

    Parameters
    ----------
    path
        A `patrolplan.toml`.

    Returns
    -------
    Settings
        Frozen settings, with the defaults filled in.

    Raises
    ------
    SettingsError
        With one problem for every key that is unknown, missing or wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad begins a file with a byte order mark
        data = tomllib.loads(text)
    except FileNotFoundError:
        remedy = "write one with `patrolplan init` or name it with --config"
        raise SettingsError.one(path, "there is no such settings file", remedy) from None
    except IsADirectoryError:
        raise SettingsError.one(path, "is a folder", "name the settings file in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError.one(path, f"cannot be read ({error})", "write it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # also a number too long, tables too deep
        raise SettingsError.one(path, f"is not TOML: {error}", "mend that line") from None
    return settings_from(data, folder=path.parent, file=path)


def settings_from(data: dict[str, Any], *, folder: Path, file: str | Path = "settings") -> Settings:
    """Check settings given as a mapping; `folder` is where relative paths start."""
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(problems_of(file, error, data, Settings)) from None
    settings._folder = Path(folder)  # noqa: SLF001 - set once, by the reader of the model
    settings._file = str(file)  # noqa: SLF001
    return settings
