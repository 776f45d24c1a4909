"""The layer of pupils' ways home, for an analyst who gives a reason.

It must not spread: who wrote it, why and where is recorded first; `purge` removes what is named.
"""

import datetime as dt
import getpass
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.atomic import explain_os_errors
from patrolplan.errors import InputError
from patrolplan.outputs import output_folder
from patrolplan.outputs.geopackage import write_layers
from patrolplan.patrols.marking import raise_marking
from patrolplan.pupils.pupils import Pupils

LEAST_REASON_LETTERS = 10
WAYS_FILE = "ways.gpkg"
RECORD_FILE = "ways-shown.jsonl"  # Next to the settings: a line for each layer written


def check_reason(reason: str | None) -> str:
    """The given reason, without surrounding spaces; it must be long enough to be meaningful."""
    text = " ".join((reason or "").split())
    if len(text) < LEAST_REASON_LETTERS:
        short = f", and '{text}' is too short to be one" if text else ""
        where, what = "ways --show", f"pupils' ways home are shown only for a written reason{short}"
        remedy = "say what it is needed for, which is recorded: --reason TEXT"
        raise InputError.one(where, what, remedy)
    return text


def write_ways(area: StudyArea, pupils: Pupils, out: Path, *, reason: str) -> None:
    """Write the layers `ways` and `ways_by_school` into a folder, after recording it."""
    reason = check_reason(reason)
    marking = raise_marking(area.settings.output.marking)
    details = output_folder.build_manifest_header(area) | {"marking": marking, "reason": reason}
    path = area.settings.folder / RECORD_FILE
    line = {
        "at": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "by": _find_user(),
        "reason": reason,
        "written_to": str(output_folder.resolve_folder(out)),
        "area": area.name,
        "schools": len(area.schools),
    }
    remedy = "so pupils' ways are not shown; make the settings file's folder writable"
    with explain_os_errors(path, remedy):
        output_folder.append_records(path, [line])
    with output_folder.replace_folder(out, details) as folder:
        write_layers(folder / WAYS_FILE, build_way_layers(area, pupils, marking, reason))


def build_way_layers(
    area: StudyArea, pupils: Pupils, marking: str, reason: str
) -> dict[str, gpd.GeoDataFrame]:
    """Pupils on pieces of street, of all schools and by school; not how many walk alone."""
    names = {"pieces": "piece", "flow": "pupils"}
    columns = ("urn", "pieces", "flow", "gate_metres")
    own = ({name: getattr(school, name) for name in columns} for school in pupils.schools)
    shares = pd.concat(map(pd.DataFrame, own)).rename(columns=names)
    everyone = shares.groupby("piece", as_index=False)["pupils"].sum()
    everyone = everyone[everyone["pupils"] != 0]
    return {
        name: gpd.GeoDataFrame(
            table.drop(columns="piece").assign(marking=marking, reason=reason),
            geometry=area.network.walkable.piece_lines[table["piece"]],
            crs=area.projection.crs,
        ).reset_index(drop=True)
        for name, table in (("ways", everyone), ("ways_by_school", shares))
    }


def _find_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # the user's number has no name
        return "unknown"


def list_shown_folders(home: Path) -> list[Path]:
    """Folders that the record next to the settings names, without duplicates; empty without one."""
    try:
        lines = (home / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        try:
            folders.append(Path(json.loads(line)["written_to"]))
        except (ValueError, KeyError, TypeError):  # a line that was changed by hand
            continue
    return list(dict.fromkeys(folders))
