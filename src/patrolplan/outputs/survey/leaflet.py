"""`leaflet-URN.pdf`: for the teacher who runs a survey in one lesson.

It has what to do minute by minute, what to say to pupils, how their marks are used, and what to do
when a child discloses something. Its advice on disclosures follows "Keeping children safe in
education", part one (Department for Education): listen, do not promise secrecy, take the child
seriously, and go to the designated safeguarding lead at once; in immediate danger call 999.
"""

from typing import Any

from patrolplan.area.study_area import StudyArea, find_school
from patrolplan.crs import SQUARE_METRES
from patrolplan.inputs.survey_form import MAX_PLACES
from patrolplan.outputs.cartography.fonts import make_printable, typeset_template
from patrolplan.outputs.survey.paper_form import LONGEST_NAME, NUMBER_WORDS
from patrolplan.privacy import ROUNDING_STEP
from patrolplan.text import shorten

TEMPLATE = "leaflet.typ"


def render_leaflet(area: StudyArea, urn: str) -> bytes:
    """Typeset the teacher's leaflet of a school: a tagged PDF of two pages, one sheet of A4."""
    return typeset_template(__package__, TEMPLATE, build_leaflet_data(area, urn))


def build_leaflet_data(area: StudyArea, urn: str) -> dict[str, Any]:
    """Texts of the leaflet that depend on the school and the settings, for the template."""
    name = area.schools["name"].iloc[find_school(area, urn)]
    school = shorten(make_printable(name), LONGEST_NAME)
    return {
        "title": f"Running the survey: for the teacher, {school}",
        "school": school,
        "urn": urn,
        "marking": make_printable(area.settings.output.marking),
        "max_places": NUMBER_WORDS[MAX_PLACES],
        "square_metres": f"{SQUARE_METRES:.0f}",
        "threshold": str(max(ROUNDING_STEP, area.settings.privacy.threshold)),
        "step": str(ROUNDING_STEP),
        "least_pupils": NUMBER_WORDS[ROUNDING_STEP],
        "half_life": f"{area.settings.reports.half_life_months:,.0f}",
    }
