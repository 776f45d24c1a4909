"""What a plan was made from: inputs, settings, seed and versions, as short fixed names."""

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from patrolplan.area.study_area import StudyArea
from patrolplan.settings import Settings

PACKAGES = ("numpy", "scipy", "pandas", "geopandas", "shapely", "scikit-learn", "pyproj")


def created_from(area: StudyArea) -> dict[str, Any]:
    """Hashes of inputs and settings, the seed and the version: equal for equal runs."""
    return origin_of(area.settings, area.inputs)


def origin_of(settings: Settings, inputs: dict[str, str]) -> dict[str, Any]:
    """What `created_from` says, from settings and the digests of their files alone."""
    return {
        "inputs": _hash(inputs),
        # Where the ledger is kept, and what is fetched, have no part in a plan.
        "settings": _hash(
            settings.model_dump(mode="json", by_alias=True, exclude={"ledger", "fetch"})
        ),
        "seed": settings.seed,
        "version": version("patrolplan"),
    }


def plan_id(area: StudyArea) -> str:
    """Eight signs that name everything a plan was made from.

    The same inputs, settings, seed and version give the same plan, so they name it.
    """
    return short_id(created_from(area))


def short_id(origin: Mapping[str, Any]) -> str:
    """Eight signs that name an origin, see `created_from`."""
    return _hash(dict(origin))[:8]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def about(area: StudyArea) -> dict[str, Any]:
    """What a manifest says: origin, versions, settings, inputs, what was left out and why."""
    return {
        "schema": 1,
        "created_from": created_from(area),
        "versions": versions(),
        "settings": area.settings.model_dump(mode="json", by_alias=True),
        "inputs": area.inputs,
        "left_out": [
            {"source": row.source, "reason": row.reason, "count": row.said} for row in area.left_out
        ],
        "notes": list(area.notes),
    }


def _hash(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
