"""Whether the plan in a folder is the one that would be made now, so that it need not be made."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patrolplan.area.provenance import versions
from patrolplan.outputs.files import MANIFEST


def stands(folder: Path, origin: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a folder holds, whole and untouched, the plan that was asked for.

    The plan's settings, seed, version and the bytes of every input must be those of now, and so
    must the packages that it was made with; every file must be the one that was written.

    Parameters
    ----------
    folder
        The output folder.
    origin
        What a plan would be created from, see `patrolplan.area.provenance`.
    asked
        What is asked for beside them, see `patrolplan.outputs.pack.write_pack`.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        same = (
            manifest.get("asked") == dict(asked)
            and manifest["versions"] == versions()
            and manifest["created_from"] == dict(origin)
        )
        return bool(same and "plan.json" in manifest["files"] and _whole(folder, manifest["files"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _whole(folder: Path, files: Mapping[str, str]) -> bool:
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    there.pop(MANIFEST)
    return there.keys() == files.keys() and all(
        hashlib.sha256(path.read_bytes()).hexdigest() == files[name] for name, path in there.items()
    )
