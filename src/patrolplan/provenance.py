"""What a result was made from: inputs, settings, seed, and versions of packages."""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib.metadata import requires, version
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import hash_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patrolplan.settings import Settings

NO_PART: dict[str, Any] = {"ledger": True, "fetch": True, "week": {"secret"}}
"""Settings that do not affect a plan: places of ledger and secret, and what is fetched."""


def compute_provenance(settings: Settings, inputs: dict[str, str]) -> dict[str, Any]:
    """Hashes of inputs and settings, the seed and the version: equal for equal runs."""
    # Settings count by what differs from their defaults, which belong to the version: a key that
    # a later version adds changes no ID.
    differing = settings.model_dump(
        mode="json", by_alias=True, exclude=NO_PART, exclude_defaults=True
    )
    return {
        "inputs": hash_json(inputs),
        "settings": hash_json({name: part for name, part in differing.items() if part != {}}),
        "seed": settings.seed,
        "version": version("patrolplan"),
    }


def compute_area_provenance(area: Any) -> dict[str, Any]:  # noqa: ANN401 - a room below
    """Provenance of anything made from an area, see `compute_provenance`."""
    return compute_provenance(area.settings, area.inputs)


def compute_short_id(provenance: Mapping[str, Any]) -> str:
    """Eight characters that identify a provenance."""
    return hash_json(dict(provenance))[:8]


@cache
def read_package_versions() -> dict[str, str]:
    """Versions of Python and of everything that patrolplan requires, by name."""
    needed = [text for text in requires("patrolplan") or () if ";" not in text]
    names = sorted({re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in needed})
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def list_versions() -> dict[str, str]:
    """Versions of patrolplan, the system, Python, and everything that patrolplan requires."""
    own = {"patrolplan": version("patrolplan"), "system": platform.platform()}
    return own | read_package_versions()


__version__ = version("patrolplan")


def show_versions() -> None:
    """Print the versions, for bug reports: nothing about data, settings or people."""
    for name, number in list_versions().items():
        print(f"{name:16} {number}")  # noqa: T201 - printing is its purpose
