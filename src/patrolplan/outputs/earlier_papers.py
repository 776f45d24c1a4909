"""Unchanged papers of an earlier week are copied, not typeset again.

The manifest has digests of what each was made from; if equal, typesetting gives the same bytes.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping, Set as AbstractSet
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.atomic import hash_content
from patrolplan.outputs.output_folder import read_manifest
from patrolplan.patrols.plan import Plan
from patrolplan.provenance import compute_area_provenance, read_package_versions

PAPERS_KEY = "papers"  # Key of the manifest: a digest of what each paper was made from, see `seal`


class EarlierPapers:
    """The papers of an earlier folder, with digests of what they and the new ones are made from."""

    def __init__(self, folder: Path | None, plan: Plan) -> None:
        self._folder = folder
        self._sealed = {} if folder is None else read_manifest(folder).get(PAPERS_KEY, {})
        origin = compute_area_provenance(plan.area)
        self._ground = hash_facts(origin, read_package_versions(), plan.hotspots)
        self._digests: dict[str, str] = {}

    def find(self, facts: Mapping[str, object]) -> dict[str, bytes] | None:
        """Papers that are made together, if none of them changed; otherwise None."""
        self._digests |= {name: hash_facts(self._ground, own) for name, own in facts.items()}
        if self._folder is None or not {*facts} <= {*self._sealed}:
            return None
        try:
            papers = {name: (self._folder / name).read_bytes() for name in facts}
        except OSError:
            return None
        return papers if self.seal(papers).items() <= self._sealed.items() else None

    def seal(self, papers: Mapping[str, bytes]) -> dict[str, str]:
        """Digests for the manifest of the facts and bytes of each paper that was looked for."""
        found = sorted(papers.keys() & self._digests.keys())
        return {name: hash_content(self._digests[name], papers[name])[:32] for name in found}


@lru_cache(maxsize=16)
def hash_template(package: str, name: str) -> str:
    """Digest of a template of one of our packages."""
    return hash_content((resources.files(package) / name).read_bytes())


def hash_facts(*facts: object) -> str:
    """A digest that differs if any of these tables, shapes, arrays or dataclasses does."""
    parts: list[bytes] = []
    _collect_parts(facts, parts)
    return hashlib.sha256(b"".join(b"%d %b" % (len(part), part) for part in parts)).hexdigest()


def _collect_parts(fact: object, parts: list[bytes]) -> None:  # noqa: C901, PLR0912 - a case a kind of value
    """Add the bytes of a value and its type, so that different values have different bytes."""
    match fact:
        case None | bool() | int() | float() | str() | dt.date() | dt.time() | np.generic():
            parts.append(repr(fact).encode())
        case bytes():
            parts.extend((b"bytes", fact))
        case BaseGeometry():
            parts.append(shapely.to_wkb(fact))
        case np.ndarray() if fact.dtype != object:
            parts.append(f"{fact.dtype}{fact.shape}".encode())
            parts.append(np.ascontiguousarray(fact).tobytes())
        case pd.DataFrame():
            _collect_parts({str(name): fact[name].tolist() for name in fact.columns}, parts)
        case Mapping():
            parts.append(f"mapping {len(fact)}".encode())
            for item in fact.items():
                _collect_parts(item, parts)
        case AbstractSet():
            parts.append(b"set")
            _collect_parts(sorted(fact, key=repr), parts)
        case list() | tuple() | np.ndarray():
            parts.append(f"row {len(fact)}".encode())
            for one in fact:
                _collect_parts(one, parts)
        case _ if dataclasses.is_dataclass(fact):
            parts.append(type(fact).__name__.encode())
            for one in dataclasses.fields(fact):
                _collect_parts(getattr(fact, one.name), parts)
        case _ if pd.api.types.is_scalar(fact):  # of pandas: times and missing values
            parts.append(repr(fact).encode())
        case _:
            message = f"no digest of a {type(fact).__name__}"
            raise TypeError(message)
