"""What a report of a fault should carry: versions of Python, of the system and of the libraries."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version


def list_versions() -> dict[str, str]:
    """Versions of everything that results can depend on, by name.

    Examples
    --------
    >>> list_versions()["numpy"].count(".")
    2
    """
    needed = [text for text in requires("patrolplan") or () if ";" not in text]
    wanted = sorted({re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in needed})
    return {
        "patrolplan": version("patrolplan"),
        "python": sys.version.split()[0],
        "system": platform.platform(),
        **{name: _find_version(name) for name in wanted},
    }


def show_versions() -> None:
    """Print the versions, to be pasted into a report of a fault.

    Nothing about data, settings or people is in it.
    """
    for name, number in list_versions().items():
        print(f"{name:16} {number}")  # noqa: T201 - it is asked for to be read


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
