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


def compute_area_provenance(area: StudyArea) -> dict[str, Any]:
    """Hashes of inputs and settings, the seed and the version: equal for equal runs."""
    return compute_provenance(area.settings, area.inputs)


def compute_provenance(settings: Settings, inputs: dict[str, str]) -> dict[str, Any]:
    """What `created_from` says, from settings and the digests of their files alone."""
    return {
        "inputs": _hash_json(inputs),
        # Where the ledger is kept, and what is fetched, have no part in a plan.
        "settings": _hash_json(
            settings.model_dump(mode="json", by_alias=True, exclude={"ledger", "fetch"})
        ),
        "seed": settings.seed,
        "version": version("patrolplan"),
    }


def compute_area_id(area: StudyArea) -> str:
    """Eight signs that name everything a plan was made from.

    The same inputs, settings, seed and version give the same plan, so they name it.
    """
    return compute_short_id(compute_area_provenance(area))


def compute_short_id(provenance: Mapping[str, Any]) -> str:
    """Eight signs that name an origin, see `created_from`."""
    return _hash_json(dict(provenance))[:8]


def read_package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def build_manifest_header(area: StudyArea) -> dict[str, Any]:
    """What a manifest says: origin, versions, settings, inputs, what was left out and why."""
    return {
        "schema": 1,
        "created_from": compute_area_provenance(area),
        "versions": read_package_versions(),
        "settings": area.settings.model_dump(mode="json", by_alias=True),
        "inputs": area.inputs,
        "left_out": [
            {"source": row.source, "reason": row.reason, "count": row.count_text}
            for row in area.left_out
        ],
        "notes": list(area.notes),
    }


def _hash_json(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
