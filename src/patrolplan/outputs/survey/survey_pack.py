"""The files with which a school surveys its pupils: page, paper form, tally page and leaflet.

A survey shows no crime, risk or hotspot, so it needs only the area, and the folder's manifest has
nothing else, since it goes to the school.
"""

from pathlib import Path
from typing import Any

from patrolplan.area import StudyArea
from patrolplan.area.study_area import find_school
from patrolplan.outputs.output_folder import replace_folder, write_files
from patrolplan.outputs.survey.leaflet import render_leaflet
from patrolplan.outputs.survey.paper_form import render_paper_form
from patrolplan.outputs.survey.survey_page import render_survey_page
from patrolplan.outputs.survey.tally_page import render_tally_page
from patrolplan.provenance import read_package_versions


def write_survey_pack(area: StudyArea, urn: str, out: str | Path) -> Path:
    """Write a school's survey into a folder, completely or not at all."""
    out = Path(out)
    find_school(area, urn)
    with replace_folder(out, _describe_survey(area, urn)) as folder:
        write_files(folder, render_survey_files(area, urn))
    return out


def _describe_survey(area: StudyArea, urn: str) -> dict[str, Any]:
    """Content of the manifest: without crime, and without the seed with which patrols are drawn."""
    drawn = ("streets: ", "schools: ", "gates: ", "stops: ", "boundary: ")
    inputs = {name: digest for name, digest in area.inputs.items() if name.startswith(drawn)}
    return {"schema": 1, "school": urn, "inputs": inputs, "versions": read_package_versions()}


def render_survey_files(area: StudyArea, urn: str) -> dict[str, bytes]:
    """The four files of a school, by name."""
    return {
        f"survey-{urn}.html": render_survey_page(area, urn).encode("utf-8"),
        f"form-{urn}.pdf": render_paper_form(area, urn),
        f"tally-{urn}.html": render_tally_page(area, urn).encode("utf-8"),
        f"leaflet-{urn}.pdf": render_leaflet(area, urn),
    }
