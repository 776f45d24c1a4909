"""The layer of pupils' ways home, for an analyst who gives a reason.

A map of where children walk must not spread: the layer is written only for a reason, which is
recorded first each time, see `patrolplan.outputs.shown_ways`.
"""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.outputs.facts import raise_marking
from patrolplan.outputs.geopackage import write_layers
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder, resolve_folder
from patrolplan.outputs.shown_ways import WAYS_FILE, record_shown
from patrolplan.pupils.flows import Ways

LEAST_REASON_LETTERS = 10


def check_reason(reason: str | None) -> str:
    """The given reason, without surrounding spaces; it must be long enough to be meaningful."""
    text = " ".join((reason or "").split())
    if len(text) < LEAST_REASON_LETTERS:
        what = "pupils' ways home are shown only for a written reason"
        if text:
            what += f", and '{text}' is too short to be one"
        where, remedy = "ways --show", "say what it is needed for, which is recorded: --reason TEXT"
        raise InputError.one(where, what, remedy)
    return text


def write_ways(area: StudyArea, ways: Ways, out: Path, *, reason: str) -> None:
    """Write the layers `ways` (all schools) and `ways_by_school` into a folder, and record it.

    The record is written first: if that fails, no layer is written.
    """
    reason = check_reason(reason)
    marking = raise_marking(area.settings.output.marking)
    details = build_manifest_header(area) | {"marking": marking, "reason": reason}
    record_shown(area, resolve_folder(out), reason)
    with replace_folder(out, details) as folder:
        write_layers(folder / WAYS_FILE, build_way_layers(area, ways, marking, reason))


def build_way_layers(
    area: StudyArea, ways: Ways, marking: str, reason: str
) -> dict[str, gpd.GeoDataFrame]:
    """Pupils on each piece of street on which any walk: of all schools, and by school.

    The number who walk alone is left out: no output shows where they do.
    """
    shares = pd.concat(
        pd.DataFrame(
            {
                "urn": school.urn,
                "piece": school.pieces,
                "pupils": school.flow,
                "gate_metres": school.gate_metres,
            }
        )
        for school in ways.schools
    )
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
