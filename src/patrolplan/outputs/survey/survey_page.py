"""The survey page, on which a school's pupils mark in turn where they do not feel safe.

It opens from a folder on the school's own tablet or phone, without a network. It has no field for
text, and requests no name, account or location. The marks leave it only as one file, which the
teacher saves; see `patrolplan.inputs.survey_form`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.area.study_area import find_school
from patrolplan.inputs.survey_form import ANSWERS_FORM, APART_METRES, MAX_PLACES
from patrolplan.outputs.offline_page import read_asset, read_script, render_page
from patrolplan.outputs.survey.choices import QUESTIONS
from patrolplan.outputs.survey.street_map import build_street_map
from patrolplan.outputs.webmap.map_page import (
    OPENSTREETMAP,
    TEMPLATES as MAP_FILES,
    read_leaflet_script,
    read_leaflet_style,
)
from patrolplan.outputs.wording import is_fictional_area
from patrolplan.privacy import ROUNDING_STEP

if TYPE_CHECKING:
    from patrolplan.area import StudyArea

FILES = Path(__file__).parent

MAP_SCRIPTS = (
    *("packed.js", "nearest.js", "room.js", "names.js", "sheet.js", "transport.js", "ground.js"),
)
"""Scripts of `map.html` that draw streets; each uses only those before it."""

SCRIPTS = ("class_answers.js", "street_map.js", "survey.js")
"""Scripts of the survey, which use all of the map's."""


def render_survey_page(area: "StudyArea", urn: str) -> str:
    """The survey page of one school as HTML; equal areas give equal text.

    It holds script, styles and map, and a policy that forbids every request.
    """
    row = find_school(area, urn)
    school = str(area.schools["name"].iloc[row])
    data = build_street_map(area, row) | {
        "school": {"urn": urn, "name": school},
        "form": ANSWERS_FORM,
        "max_places": MAX_PLACES,
        "apart_metres": APART_METRES,
        "least_pupils": ROUNDING_STEP,
        "credit": "Fictional" if is_fictional_area(area.name) else OPENSTREETMAP,
    }
    scripts = (
        read_leaflet_script(),
        *(read_script(MAP_FILES / name) for name in MAP_SCRIPTS),
        *(read_script(FILES / name) for name in SCRIPTS),
    )
    styles = (read_leaflet_style(with_images=False), read_asset(FILES / "survey.css"))
    return render_page(
        FILES / "survey.html.j2",
        scripts,
        styles,
        data,
        school=school,
        questions=QUESTIONS,
        max_places=MAX_PLACES,
        least_pupils=ROUNDING_STEP,
    )
