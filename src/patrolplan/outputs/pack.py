"""A plan as a folder: cards, phone map, GPX, layers, plan file and manifest."""

from pathlib import Path

from patrolplan.outputs.card.sheet import render_cards
from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.files import write_json
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.layers import plan_layers
from patrolplan.outputs.layers import write_layers
from patrolplan.outputs.planfile import plan_document
from patrolplan.outputs.webmap.page import render_map
from patrolplan.patrols.plans import Plan
from patrolplan.provenance import about


def write_pack(plan: Plan, out: str | Path) -> Path:
    """Write everything that people hold, whole or not at all.

    Parameters
    ----------
    plan
        Patrols of an area.
    out
        Folder; an older pack in it is replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    out = Path(out)
    with whole_folder(out, about(plan.area)) as folder:
        write_json(folder / "plan.json", plan_document(plan))
        write_layers(folder / "plan.gpkg", plan_layers(plan))
        (folder / "map.html").write_bytes(render_map(plan))
        for urn in dict.fromkeys(patrol.urn for patrol in plan.patrols):
            _write(folder / "gpx" / f"{urn}.gpx", render_gpx(plan, urn))
        for name, pdf in render_cards(plan).items():
            _write(folder / name, pdf)
    return out


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
