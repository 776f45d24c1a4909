"""`form-URN.pdf`: the map with its lettered grid, and a sheet of tally boxes, for one class.

Two pages of A4 for a copier in black and white. The map shows streets and nothing of crime, and the
sheet has no room for a name or for words.
"""

from typing import Any

from patrolplan.area.study_area import StudyArea, find_school
from patrolplan.crs import find_squares
from patrolplan.inputs.survey_form import MAX_PLACES
from patrolplan.outputs.cartography.fonts import make_printable, typeset_template
from patrolplan.outputs.survey.choices import QUESTIONS, list_counted_choices
from patrolplan.outputs.survey.form_grid import FormGrid, build_form_grid
from patrolplan.outputs.survey.form_map import draw_form_map
from patrolplan.outputs.wording import is_fictional_area, list_area_attributions
from patrolplan.text import shorten

TEMPLATE = "form.typ"
POINTS_PER_MM = 72 / 25.4
MAP_WIDTH = 186 * POINTS_PER_MM
MAP_HEIGHT = 231 * POINTS_PER_MM
TALLY_ROWS = 14
"""Number of squares on a tally sheet."""
LONGEST_NAME = 70
SAMPLE_LABEL = "Z0"
"""Square of the sheet's example: no form has it, so that it suggests no place."""
NUMBER_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}


def render_paper_form(area: StudyArea, urn: str) -> bytes:
    """Typeset the paper form of a school, a tagged PDF of two pages.

    The map is upright, the tally sheet across. Equal areas give equal bytes.
    """
    grid = build_form_grid(area, urn)
    drawn = draw_form_map(area, grid, urn, width=MAP_WIDTH, height=MAP_HEIGHT)
    data = build_form_data(area, grid, urn)
    return typeset_template(__package__, TEMPLATE, data, map_svg=drawn.svg)


def build_form_data(area: StudyArea, grid: FormGrid, urn: str) -> dict[str, Any]:
    """Texts of the form, for the template."""
    row = find_school(area, urn)
    name = shorten(make_printable(area.schools["name"].iloc[row]), LONGEST_NAME)
    [gate] = find_squares(area.network.xy(area.gates.take([row])), area.projection.crs).tolist()
    home = [cell.label for cell in grid.cells if cell.square == tuple(gate)]
    return {
        "title": f"Where do you not feel safe? Survey of {name}",
        "school": name,
        "urn": urn,
        "marking": make_printable(area.settings.output.marking),
        "home": home[0] if home else "",
        "sample": SAMPLE_LABEL,
        "max_places": NUMBER_WORDS[MAX_PLACES],
        "groups": [
            {
                "title": question.words,
                "answers": [choice.words for choice in list_counted_choices(question)],
            }
            for question in QUESTIONS
        ],
        "rows": TALLY_ROWS,
        "map_alt": f"Street map around {name} under a grid of squares, lettered A to "
        f"{grid.letters[-1]} from left to right and numbered 1 to {grid.down} from the top",
        "basis": make_printable(list_map_attributions(area)),
    }


def list_map_attributions(area: StudyArea) -> str:
    """Attribution of a map with only streets, as its licence requires."""
    if is_fictional_area(area.name):
        return "Fictional place: its streets and schools are made up."
    return list_area_attributions(area.name, snapped=False)[0]
