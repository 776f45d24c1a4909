"""`tally-URN.html`: the page on which a teacher enters what a class marked on paper.

It opens from a folder without a network, has only number fields and lists to choose from, stores
nothing, and saves one file in the format of `patrolplan.inputs.survey_form`. Its letters are those
of the paper form, see `form_grid`.
"""

from pathlib import Path

from patrolplan.area.study_area import StudyArea, find_school
from patrolplan.inputs.survey_form import MAX_PLACES, TALLY_FORM
from patrolplan.outputs.offline_page import read_asset, read_script, render_page
from patrolplan.outputs.survey.choices import QUESTIONS, list_counted_choices
from patrolplan.outputs.survey.form_grid import build_form_grid
from patrolplan.outputs.survey.paper_form import NUMBER_WORDS
from patrolplan.privacy import ROUNDING_STEP

FILES = Path(__file__).parent
SCRIPTS = ("tally_rules.js", "tally.js")
"""In order: each uses only those before it."""
MOST_PUPILS = 999
"""Maximum pupils of one file; larger numbers are typing errors."""


def render_tally_page(area: StudyArea, urn: str) -> str:
    """The tally page of one school as HTML; equal areas give equal text.

    It holds script, styles and the names of squares, and a policy that forbids every request.
    """
    school = str(area.schools["name"].iloc[find_school(area, urn)])
    grid = build_form_grid(area, urn)
    questions = [
        {
            "column": question.column,
            "words": question.words,
            "choices": [vars(choice) for choice in list_counted_choices(question)],
        }
        for question in QUESTIONS
    ]
    data = {
        "form": TALLY_FORM,
        "urn": urn,
        "cells": [
            {"label": cell.label, "square": cell.square, "streets": cell.streets}
            for cell in grid.cells
        ],
        "questions": questions,
        "max_places": MAX_PLACES,
        "most_pupils": MOST_PUPILS,
        "least_pupils": ROUNDING_STEP,
    }
    scripts = [read_script(FILES / name) for name in SCRIPTS]
    styles = [read_asset(FILES / "tally.css")]
    return render_page(
        FILES / "tally.html.j2",
        scripts,
        styles,
        data,
        school=school,
        letters=sorted({cell.letter for cell in grid.cells}),
        questions=questions,
        most_pupils=MOST_PUPILS,
        max_places=NUMBER_WORDS[MAX_PLACES],
    )
