"""The teacher's leaflet: how to run the lesson, and what to do when a child discloses something."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib import image
from outputs import printed
from survey_areas import HOSTILE, make_hostile, strip_findings

from patrolplan.outputs.survey.survey_pack import render_leaflet

URN = "900003"


@pytest.fixture(scope="module")
def leaflet(demo_area):
    """The leaflet of a school of the demo borough."""
    return render_leaflet(demo_area, URN)


def test_it_is_one_full_sheet(leaflet):
    """Two pages, each printed from top to bottom without a large gap, all words on them."""
    assert len(printed.read_pages(leaflet)) == 2
    assert printed.find_words_off_page(leaflet) == []
    command = shutil.which("pdftoppm")
    for page in ("1", "2"):
        made = subprocess.run(  # noqa: S603 - a fixed command on our own bytes
            [command, "-r", "60", "-gray", "-png", "-f", page, "-l", page, "-"],
            input=leaflet,
            capture_output=True,
            check=True,
        )
        pixels = image.imread(io.BytesIO(made.stdout))[..., 0]
        rows = np.flatnonzero((pixels < 0.9).any(axis=1))
        assert rows[-1] > 0.94 * len(pixels)
        assert np.diff(rows).max() < 0.08 * len(pixels)


def test_it_says_the_settings_threshold_and_half_life(demo_area):
    """The smallest group, the steps and the fading on the leaflet are those of the settings."""
    settings = demo_area.settings
    changed = settings.model_copy(
        update={
            "privacy": settings.privacy.model_copy(update={"threshold": 8}),
            "reports": settings.reports.model_copy(update={"half_life_months": 6}),
        }
    )
    area = strip_findings(demo_area)
    object.__setattr__(area, "settings", changed)
    text = "".join(printed.read_pages(render_leaflet(area, URN)))
    assert "ofatleast8pupils,roundeddowntomultiplesof5" in text
    assert "after6monthsitcountshalf" in text


def test_it_depends_on_the_school_alone(leaflet, demo_area):
    """Without any crime, report and tasked place in the area it has the same bytes."""
    assert render_leaflet(strip_findings(demo_area), URN) == leaflet


def test_hostile_name_is_text(demo_area):
    """A school's name full of markup is printed letter by letter, or cut at a word."""
    first, _ = printed.read_pages(render_leaflet(make_hostile(demo_area, URN), URN))
    assert printed.strip_spaces(HOSTILE[:48]) in first
