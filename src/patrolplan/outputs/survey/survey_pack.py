"""The files with which a school surveys its pupils: page, paper form, tally page and leaflet.

They ask for no name or text; advice follows "Keeping children safe in education", part one (DfE).
"""

from pathlib import Path
from typing import NamedTuple

from patrolplan.area import StudyArea
from patrolplan.area.form_squares import build_form_grid
from patrolplan.area.study_area import GATE_RECORD, find_school
from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.inputs.survey_form import ANSWERS_FORM, APART_METRES, MAX_PLACES, TALLY_FORM
from patrolplan.outputs.cartography.fonts import POINTS_PER_MM, make_printable, typeset_template
from patrolplan.outputs.offline_page import read_asset, read_script, render_page
from patrolplan.outputs.output_folder import replace_folder, write_files
from patrolplan.outputs.survey.form_map import draw_form_map
from patrolplan.outputs.survey.street_map import build_street_map
from patrolplan.outputs.webmap import map_page
from patrolplan.outputs.wording import is_fictional_area, list_area_attributions
from patrolplan.privacy import ROUNDING_STEP
from patrolplan.provenance import read_package_versions
from patrolplan.text import pick_fields, shorten

MAP_WIDTH = 186 * POINTS_PER_MM
MAP_HEIGHT = 231 * POINTS_PER_MM
TALLY_ROWS = 14  # Number of squares on a tally sheet
LONGEST_NAME = 70
SAMPLE_LABEL = "Z0"  # Square of the sheet's example: no form has it, so that it suggests no place
NUMBER_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
MOST_PUPILS = 999  # Maximum pupils of one file of tallies; larger numbers are typing errors
FILES = Path(__file__).parent
MAP_SCRIPTS = (*("packed.js", "room.js", "names.js", "sheet.js", "points.js", "ground.js"),)
"""Scripts of `map.html` that draw streets; here and below each uses only those before it."""
SURVEY_SCRIPTS = ("class_answers.js", "street_map.js", "survey.js")
TALLY_SCRIPTS = ("tally_rules.js", "tally.js")


class Choice(NamedTuple):
    """One answer: its value in the files, and its words."""

    value: str
    words: str


class Question(NamedTuple):
    """A question with a fixed list of answers, for one column of the files."""

    column: str
    words: str
    choices: tuple[Choice, ...]

    @property
    def counted(self) -> tuple[Choice, ...]:
        """The answers that are counted: all but the last, which means no stroke on paper."""
        return self.choices[:-1]


def _ask(column: str, words: str, **choices: str) -> Question:
    return Question(column, words, tuple(Choice(*choice) for choice in choices.items()))


QUESTIONS = (
    _ask(
        "time_band",
        "When do you not feel safe here?",
        before_school="On the way to school",
        lunch="At lunch time",
        after_school="After school",
        evening="In the evening",
        unknown="Different times, or not sure",
    ),
    _ask(
        "place_factor",
        "What about the place?",
        poor_lighting="It is dark, with few lights",
        isolated="Hardly anyone is around",
        overgrown="Bushes or trees block the view",
        litter_or_damage="Litter, or things are broken",
        blocked_pavement="The pavement is blocked",
        none="None of these, or not sure",
    ),
    _ask(
        "behaviour_factor",
        "What about people?",
        groups_loitering="Groups hang around",
        followed="People follow you",
        verbal_abuse="People shout or say nasty things",
        robbery_or_threat="People rob or threaten others",
        drug_use="People use or sell drugs",
        traffic="Cars, bikes or scooters go too fast",
        none="None of these, or not sure",
    ),
)
"""In the order in which a pupil gets them, in the words of an eleven-year-old, the same on screen
and paper. Every value of `patrolplan.privacy.FACTORS` has words, and each list ends with a value
that is not counted: a pupil need not know, and need not answer."""


def write_survey_pack(area: StudyArea, urn: str, out: str | Path) -> Path:
    """Write a school's survey into a folder, completely or not at all."""
    out = Path(out)
    find_school(area, urn)
    # The manifest has neither crime nor the seed with which patrols are drawn.
    drawn = ("streets: ", "schools: ", "gates: ", f"{GATE_RECORD} {urn}", "stops: ", "boundary: ")
    inputs = {name: digest for name, digest in area.inputs.items() if name.startswith(drawn)}
    details = {"schema": 1, "school": urn, "inputs": inputs, "versions": read_package_versions()}
    with replace_folder(out, details) as folder:
        files = {
            f"survey-{urn}.html": render_survey_page(area, urn).encode("utf-8"),
            f"form-{urn}.pdf": render_paper_form(area, urn),
            f"tally-{urn}.html": render_tally_page(area, urn).encode("utf-8"),
            f"leaflet-{urn}.pdf": render_leaflet(area, urn),
        }
        write_files(folder, files)
    return out


def render_survey_page(area: StudyArea, urn: str) -> str:
    """The page on which a school's pupils mark in turn where they do not feel safe, as HTML."""
    row = find_school(area, urn)
    school = str(area.schools["name"].iloc[row])
    data = build_street_map(area, row) | {
        "school": {"urn": urn, "name": school},
        "form": ANSWERS_FORM,
        "max_places": MAX_PLACES,
        "apart_metres": APART_METRES,
        "least_pupils": ROUNDING_STEP,
        "credit": "Fictional" if is_fictional_area(area.name) else map_page.OPENSTREETMAP,
    }
    scripts = (
        map_page.read_leaflet_script(),
        *(read_script(map_page.TEMPLATES / name) for name in MAP_SCRIPTS),
        *(read_script(FILES / name) for name in SURVEY_SCRIPTS),
    )
    return render_page(
        FILES / "survey.html.j2",
        scripts,
        (map_page.read_leaflet_style(with_images=False), read_asset(FILES / "survey.css")),
        data,
        school=school,
        questions=QUESTIONS,
        max_places=MAX_PLACES,
        least_pupils=ROUNDING_STEP,
    )


def render_tally_page(area: StudyArea, urn: str) -> str:
    """The page on which a teacher enters what a class marked on paper, as HTML."""
    cells = build_form_grid(area, urn).cells
    counted = [(one, [choice._asdict() for choice in one.counted]) for one in QUESTIONS]
    questions = [one._asdict() | {"choices": choices} for one, choices in counted]
    data = {
        "form": TALLY_FORM,
        "urn": urn,
        "cells": [pick_fields(cell, "label", "square", "streets") for cell in cells],
        "questions": questions,
        "max_places": MAX_PLACES,
        "most_pupils": MOST_PUPILS,
        "least_pupils": ROUNDING_STEP,
    }
    return render_page(
        FILES / "tally.html.j2",
        [read_script(FILES / name) for name in TALLY_SCRIPTS],
        [read_asset(FILES / "tally.css")],
        data,
        school=str(area.schools["name"].iloc[find_school(area, urn)]),
        letters=sorted({cell.letter for cell in cells}),
        questions=questions,
        most_pupils=MOST_PUPILS,
        max_places=NUMBER_WORDS[MAX_PLACES],
    )


def render_paper_form(area: StudyArea, urn: str) -> bytes:
    """The map with its lettered grid, and a sheet of tally boxes, for one class."""
    grid, row = build_form_grid(area, urn), find_school(area, urn)
    drawn = draw_form_map(area, grid, urn, width=MAP_WIDTH, height=MAP_HEIGHT)
    [gate] = find_squares(area.network.xy(area.gates.take([row])), area.projection.crs).tolist()
    home = [cell.label for cell in grid.cells if cell.square == tuple(gate)]
    name, basis = _name_school(area, urn), list_area_attributions(area.name, snapped=False)[0]
    if is_fictional_area(area.name):
        basis = "Fictional place: its streets and schools are made up."
    data = {
        "title": f"Where do you not feel safe? Survey of {name}",
        "school": name,
        "urn": urn,
        "marking": make_printable(area.settings.output.marking),
        "home": home[0] if home else "",
        "sample": SAMPLE_LABEL,
        "max_places": NUMBER_WORDS[MAX_PLACES],
        "groups": [
            {"title": question.words, "answers": [choice.words for choice in question.counted]}
            for question in QUESTIONS
        ],
        "rows": TALLY_ROWS,
        "map_alt": f"Street map around {name} under a grid of squares, lettered A to "
        f"{grid.letters[-1]} from left to right and numbered 1 to {grid.down} from the top",
        "basis": make_printable(basis),
    }
    return typeset_template(__package__, "form.typ", data, map_svg=drawn.svg)


def render_leaflet(area: StudyArea, urn: str) -> bytes:
    """The teacher's leaflet: a tagged PDF of two pages, one sheet of A4."""
    school = _name_school(area, urn)
    data = {
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
    return typeset_template(__package__, "leaflet.typ", data)


def _name_school(area: StudyArea, urn: str) -> str:
    name = area.schools["name"].iloc[find_school(area, urn)]
    return shorten(make_printable(name), LONGEST_NAME)
