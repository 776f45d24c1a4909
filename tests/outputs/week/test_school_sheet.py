"""The sheet that may stay at a school: streets and times, and what became of a survey; no crime."""

import dataclasses
import datetime as dt
import json
import re

import pytest
from outputs.printed import find_words_off_page, read_pages, strip_spaces

from patrolplan.outputs.reason_words import CATEGORY_WORDS, describe_reasons
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.school_sheet import build_school_data, render_school_sheets
from patrolplan.patrols.plan import Tasking
from patrolplan.settings.models import CrimeSettings
from patrolplan.team.school_answers import find_school_answers

URN = "900001"
CRIME = ("crime", "robber", "violen", "theft", "drug", "weapon", "harm", "report", "unsafe", "gang")


@pytest.fixture(scope="module")
def answers(roll):
    """What became of the places that pupils marked, without a record of the weeks before."""
    return find_school_answers(roll.week, None, [school.urn for school in roll.schools])


@pytest.fixture(scope="module")
def sheet(roll, answers):
    """The demo borough's first school."""
    return render_school_sheets(roll, [URN], answers)[URN]


@pytest.fixture(scope="module")
def texts(roll, answers):
    """Everything that any school's sheet says, the words for the ear included."""
    data = {
        school.urn: build_school_data(roll, school, answers[school.urn]) for school in roll.schools
    }
    return {urn: json.dumps(each, ensure_ascii=False) for urn, each in data.items()}


def test_no_crime_stands_on_it(roll, texts):
    """No category, offence, reason, hotspot or officer is on a school's sheet."""
    categories = [*CrimeSettings().categories, *CATEGORY_WORDS.values()]
    for urn, text in texts.items():
        low = text.lower().replace("schools, crimes and reports are made up", "")
        for word in (*categories, *CRIME):
            assert word.lower() not in low, (urn, word)
        for duty in roll.week.duties:
            assert duty.officer.lower() not in low
        assert not re.search(r"\bH\d+\b|P\d+-", text)
        stops = [stop for duty in roll.week.duties for stop in duty.patrol.stops]
        for reason in (line for stop in stops for line in describe_reasons(stop.why)):
            assert reason not in text


def test_every_number_is_a_day_a_time_or_an_answer(texts):
    """Without days, times, pupils in steps of five and their answers no number is left."""
    allowed = (
        *(r"\d\d:\d\d", r"\d{1,2} (?:November|December)", "202[56]", "last 4 weeks"),
        *(r"(\d*[05]) to \d*[49] pupils", r'"threshold": "5"'),
        r"between \d+ points less and \d+ more",
    )
    for urn, text in texts.items():
        rest = re.sub("|".join(allowed), "", text)
        assert not re.search(r"\d", rest), (urn, rest)


def test_a_low_threshold_is_printed_with_its_reason(roll, answers):
    """Where groups under five count, the sheet says so, and why."""
    area = roll.week.plan.area
    privacy = area.settings.privacy.model_copy(update={"threshold": 3, "reason": "a trial of two"})
    low = dataclasses.replace(area, settings=area.settings.model_copy(update={"privacy": privacy}))
    plan = dataclasses.replace(roll.week.plan, area=low)
    other = Roster(dataclasses.replace(roll.week, plan=plan))
    _, page = read_pages(render_school_sheets(other, [URN], answers)[URN])
    assert "fewerthan3pupils" in page
    assert "atrialoftwo" in page


@pytest.mark.parametrize("name", ["T-09", "H1"])
def test_what_intelligence_tasked_is_not_told(roll, name):
    """A place that intelligence alone names, and a tasking's words, never reach the school.

    Also where it has the name of a hotspot at which another stop is.
    """
    duty = roll.week.duties[0]
    tasking = Tasking(name, "an informant's tip", "Insp. Nobody", dt.date(2026, 12, 18))
    secret = dataclasses.replace(
        duty.patrol.stops[0], hotspot=name, kind="tasked", place="Secret Mews", tasking=tasking
    )
    tasked_hotspot = dataclasses.replace(
        duty.patrol.stops[1],
        hotspot=roll.week.plan.hotspots["hotspot"].iloc[-1],
        kind="hotspot",
        tasking=tasking,
        place="Secret Steps",
        street="Secret Steps",
    )
    patrol = dataclasses.replace(duty.patrol, stops=(secret, tasked_hotspot))
    duties = (dataclasses.replace(duty, patrol=patrol), *roll.week.duties[1:])
    other = Roster(dataclasses.replace(roll.week, duties=duties))
    school = next(one for one in other.schools if one.urn == duty.urn)
    own = find_school_answers(other.week, None, [duty.urn])[duty.urn]
    text = json.dumps(build_school_data(other, school, own))
    assert "Secret" not in text
    assert "informant" not in text
    assert "Nobody" not in text
    hotspots = roll.week.plan.hotspots.set_index("hotspot")
    assert hotspots.loc[tasked_hotspot.hotspot, "place"].split(" near ")[0] in text


def test_only_schools_with_a_patrol_get_a_sheet(roll):
    """A school without a patrol this week gets no sheet."""
    duties = tuple(duty for duty in roll.week.duties if duty.urn != URN)
    other = Roster(dataclasses.replace(roll.week, duties=duties))
    assert render_school_sheets(other, [URN], {}) == {}


def test_pages_are_two_and_nothing_is_cut(sheet):
    """It is a page of the week and one of answers, all words on them."""
    assert len(read_pages(sheet)) == 2
    assert find_words_off_page(sheet) == []


def test_many_streets_with_long_names_are_all_told(roll):
    """With very many streets the map turns the page, and no word is cut."""
    duties = [duty for duty in roll.week.duties if duty.patrol.stops]
    urn = duties[0].urn
    hotspots = roll.week.plan.hotspots.iloc[:20]
    point = zip(hotspots["hotspot"], hotspots["stop"], strict=True)
    stops = [
        dataclasses.replace(
            duties[0].patrol.stops[0],
            hotspot=name,
            kind="hotspot",
            tasking=None,
            stand="street",
            point=(at.x, at.y),
            place=f"{name}y " + "Long " * 12,
        )
        for name, at in point
    ]
    patrol = dataclasses.replace(duties[0].patrol, stops=tuple(stops))
    full = (dataclasses.replace(duties[0], patrol=patrol),)
    other = Roster(dataclasses.replace(roll.week, duties=full))
    sheet = render_school_sheets(other, [urn], {})[urn]
    text, back = read_pages(sheet)
    assert strip_spaces(duties[0].patrol.school) in back
    assert find_words_off_page(sheet) == []
    assert all(f"{stop.hotspot}y" in text for stop in stops)
    assert text.count("Long") == 12 * len(stops)


def test_name_is_text_and_nothing_else(hostile):
    """A school's name full of markup is printed letter by letter."""
    roll = Roster(hostile)
    (text,) = read_pages(render_school_sheets(roll, [URN], {})[URN])
    assert strip_spaces(next(one.name for one in roll.schools if one.urn == URN)) in text
