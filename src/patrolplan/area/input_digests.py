"""Digests of an area's inputs, by which equal inputs are recognised."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd

from patrolplan.inputs.duties import digest_duties
from patrolplan.inputs.formats import hash_source
from patrolplan.inputs.origins import digest_origins
from patrolplan.privacy import ReportGroups
from patrolplan.settings import Settings, SourceSettings


def compute_input_digests(
    settings: Settings,
    reports: ReportGroups | None = None,
    origins: pd.DataFrame | None = None,
    duties: pd.DataFrame | None = None,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Digest of every file that the settings name, and of what was given in memory."""
    # Of reports, origins and duties it is that of what may be known, empty without them: the
    # content of a short file could be guessed from the file's own digest.
    given = given or {}
    sources = [source for source in SourceSettings.model_fields if source not in given]
    files = {source: settings.find_files(source) for source in sources}
    if settings.area.boundary is not None and "boundary" not in given:
        files["boundary"] = (settings.folder / settings.area.boundary,)
    counted = {
        "reports": "" if reports is None else reports.digest,
        "origins": "" if origins is None else digest_origins(origins),
        "duties": "" if duties is None else digest_duties(duties),
    }
    digests = {
        format_input_name(source, path, settings): (
            counted[source] if source in counted else hash_source(path)
        )
        for source, paths in files.items()
        for path in paths
    }
    return digests | {
        f"{source}: in memory": counted.get(source, digest) for source, digest in given.items()
    }


def format_input_name(source: str, path: Path, settings: Settings) -> str:
    """Source and path of a file from the settings' folder on, the same on every machine."""
    with suppress(ValueError):
        path = Path(os.path.relpath(path, settings.folder))
    return f"{source}: {path.as_posix()}"
