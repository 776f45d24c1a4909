"""The brief: threshold, words, one page, one object."""

import dataclasses
import datetime as dt
import io
import json

import numpy as np
import pandas as pd
import pypdf
import pytest

from patrolplan import cli
from patrolplan.errors import InputError
from patrolplan.hotspots.reasons import ReportsReason
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    format_brief_lines,
    render_brief,
)

HOSTILE = (
    'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*] $x$'
)
JULY = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def hotspots(demo_plan):
    """Hotspots of the demo borough."""
    return demo_plan.hotspots


@pytest.fixture(scope="module")
def brief(demo_area, hotspots):
    """Brief of a school with rising crime near it."""
    return build_brief(demo_area, hotspots, "900010", dt.date(2026, 6, 1))


def settings_of(whole, **changes):
    """The area with one section of its settings changed."""
    update = {
        name: getattr(whole.settings, name).model_copy(update=values)
        for name, values in changes.items()
    }
    return dataclasses.replace(whole, settings=whole.settings.model_copy(update=update))


def words_of(pdf):
    """Text of the page without spaces: lines break anywhere in a name."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def test_unknown_school_is_refused(demo_area, hotspots):
    """A school that is not there is named, with those that are."""
    with pytest.raises(InputError, match="URN '123' in the area; choose from: 900001"):
        build_brief(demo_area, hotspots, "123", JULY)


def test_changed_hotspots_are_within_the_walk(demo_area, hotspots, brief):
    """Only new or rising hotspots are listed, nearest first, none beyond the radius."""
    trend = hotspots.set_index("hotspot")["trend"]
    assert brief.hotspots
    for spot in brief.hotspots:
        assert trend[spot.hotspot] == spot.trend
        assert spot.trend in {"new", "rising"}
        assert spot.walk_metres <= demo_area.settings.patrol.radius_metres
    walks = [spot.walk_metres for spot in brief.hotspots]
    assert walks == sorted(walks)


def test_reports_come_as_bands_of_whole_groups(demo_area, brief):
    """Groups have multiples of the threshold, and are never dated since a day."""
    threshold = demo_area.reports.threshold
    assert brief.reports
    for group in brief.reports:
        assert group.min_reports >= threshold
        assert group.min_reports % threshold == 0
        assert group.max_reports == group.min_reports + threshold - 1
    document = build_brief_document(brief)
    assert document["reports"]["since"] is None
    assert "of all dates, not only of this period" in "\n".join(format_brief_lines(brief))


def test_crime_under_the_threshold_is_held_back_where_asked(demo_area, hotspots):
    """With crime held to the threshold, no small count is shown, nor a sum that tells it."""
    area = settings_of(
        demo_area, privacy={"threshold_for_crime": True}, patrol={"radius_metres": 300.0}
    )
    small_brief = build_brief(area, hotspots, "900001", dt.date(2026, 9, 1))
    plain = build_brief(
        settings_of(demo_area, patrol={"radius_metres": 300.0}),
        hotspots,
        "900001",
        dt.date(2026, 9, 1),
    )
    small = [one.name for one in plain.categories if round(one.now.value) < 5]
    assert small
    for one in small_brief.categories:
        assert (one.now.value is None) == (one.name in small)
        if one.now.value is None:
            assert one.now.text == "fewer than 5"
            assert one.p_value is None
            assert not one.rising
    assert small_brief.total.now.value is None
    numbers = [one["recorded"] for one in build_brief_document(small_brief)["categories"]]
    assert all(number is None or round(number) >= 5 for number in numbers)
    assert all(round(one.now.value) >= 5 for one in small_brief.streets)
    assert "fewerthan5" in words_of(render_brief(small_brief))
    assert "not shown" in "\n".join(format_brief_lines(small_brief))


def test_days_are_counted_where_they_are_known(demo_area, hotspots):
    """A force's own extract counts from the very day, and names the latest day."""
    incidents = demo_area.incidents.copy()
    day = np.arange(len(incidents)) % 28
    incidents["occurred_at"] = incidents["month"] + pd.to_timedelta(day * 24 + 16, unit="h")
    area = dataclasses.replace(demo_area, incidents=incidents, times_known=True, snapped=False)
    small_brief = build_brief(area, hotspots, "900001", dt.date(2026, 9, 10))
    around = build_brief(area, hotspots, "900001", dt.date(2026, 9, 1))
    text = "\n".join(format_brief_lines(small_brief))
    assert "10 to 28 September 2026 (19 days)" in text
    assert "The latest day in the data is 28 September 2026." in text
    assert "Open data" not in text
    assert 0 < small_brief.total.now.value < around.total.now.value


def test_names_arrive_as_text(demo_area, brief):
    """Markup of typst or HTML in names, reasons and the area is printed letter by letter."""
    named = settings_of(demo_area, area={"name": HOSTILE})
    spots = tuple(
        dataclasses.replace(
            spot, place=HOSTILE, reasons=(ReportsReason(time_band=None, factors=(HOSTILE,)),)
        )
        for spot in brief.hotspots
    )
    streets = tuple(dataclasses.replace(one, name=HOSTILE) for one in brief.streets)
    mean = dataclasses.replace(brief, area=named, school=HOSTILE, hotspots=spots, streets=streets)
    pdf = render_brief(mean)
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
    assert words_of(pdf).count("".join(HOSTILE.split())) >= 3
    assert json.loads(json.dumps(build_brief_document(mean)))["school"] == HOSTILE


def test_longest_brief_stays_on_one_page(brief):
    """Any number of hotspots and groups with long names, and many categories, fit the page."""
    long = "Saint Somebody the Great and All Angels " * 10
    why = (ReportsReason(time_band=None, factors=(long, long)),)
    spots = tuple(dataclasses.replace(spot, place=long, reasons=why) for spot in brief.hotspots * 5)
    groups = tuple(dataclasses.replace(group, place=long) for group in brief.reports * 5)
    rows = tuple(dataclasses.replace(one, name=long) for one in brief.categories * 3)
    full = dataclasses.replace(brief, school=long, hotspots=spots, reports=groups, categories=rows)
    assert len(pypdf.PdfReader(io.BytesIO(render_brief(full))).pages) == 1


@pytest.mark.parametrize(
    ("request_words", "code", "message"),
    [
        (("123", "2026-06"), 1, "there is no school with URN '123' in the area"),
        (("900001", "2027-01"), 1, "is after the latest month in the data, 2026-09"),
        (("900001", "June"), 2, "is not a valid month or day"),
    ],
)
def test_command_refuses_plainly(demo, monkeypatch, capsys, request_words, code, message):
    """An unknown school or a day after the data ends with 1, a wrong date with 2."""
    args = ["--config", demo, "--school", request_words[0], "--since", request_words[1]]
    monkeypatch.setattr("sys.argv", ["patrolplan", "brief", *map(str, args)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    error = capsys.readouterr().err
    assert ended.value.code == code
    assert message in " ".join(error.replace("│", " ").split())
    assert "Traceback" not in error
