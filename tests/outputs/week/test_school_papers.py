"""The sheet that may stay at a school: gate, streets, what became of a survey; never a crime."""

import datetime as dt
import json
import re
from dataclasses import replace
from typing import get_args

import pytest
from outputs.printed import change_settings, find_words_off_page, read_pages, rendered, strip_spaces

from patrolplan.outputs.reason_words import CATEGORY_WORDS, FACTOR_WORDS, describe_reasons
from patrolplan.outputs.week import school_sheet as papers
from patrolplan.outputs.week.roster import Roster
from patrolplan.patrols.obstacles import WORDS, Obstacle, ObstacleKind
from patrolplan.patrols.plan import Tasking
from patrolplan.settings.models import CrimeSettings
from patrolplan.team.ledger.monthly_return import RecentPresence
from patrolplan.team.school_answers import Promise, SurveyChange, find_school_answers
from patrolplan.team.week_records import DemandOutcome
from patrolplan.times import SchoolTerm, format_time

URN = "900001"
CRIME = ("crime", "robber", "violen", "theft", "drug", "weapon", "harm", "report", "unsafe", "gang")


@pytest.fixture(scope="module")
def answers(roll):
    """What became of the places that pupils marked, without a record of the weeks before."""
    return find_school_answers(roll.week, None, [school.urn for school in roll.schools])


def render_sheet(roll, answers=(), urn=URN):
    """A school's sheet."""
    return papers.build_school_sheet(roll, roll.schools_by_urn[urn], answers).render(roll.week.plan)


def render_poster(roll, answers, presence=None):
    """The first school's poster, if it has one."""
    poster = papers.build_poster(roll, roll.schools_by_urn[URN], answers, presence)
    return poster and poster.render(roll.week.plan)


@pytest.fixture(scope="module")
def texts(roll, answers):
    """Everything that any school's sheet says, the words for the ear included."""
    build = papers.build_school_sheet
    sheets = {one.urn: build(roll, one, answers[one.urn]) for one in roll.schools}
    return {urn: json.dumps(one.data, ensure_ascii=False) for urn, one in sheets.items()}


def test_no_crime_no_officer_and_no_hotspot_stands_on_them(roll, texts, poster_texts):
    """No offence, reason, hotspot or officer is on either; on a poster nor what people do."""
    people = [FACTOR_WORDS[name] for name in ("followed", "verbal_abuse", "robbery_or_threat")]
    stops = [stop for duty in roll.week.duties for stop in duty.patrol.stops]
    refused = {*CrimeSettings().categories, *CATEGORY_WORDS.values(), *CRIME}
    refused |= {line for stop in stops for line in describe_reasons(stop.why)}
    refused |= {duty.officer for duty in roll.week.duties}
    for text in (*texts.values(), *poster_texts):
        low = text.lower().replace("schools, crimes and reports are made up", "")
        assert not [word for word in refused if word.lower() in low]
        assert not re.search(r"\bH\d+\b|P\d+-", text)
    assert not [word for word in people for text in poster_texts if word in text.lower()]


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


def test_no_time_but_the_gates_stands_on_it(roll, texts):
    """As the poster promises, when officers are in which street, or leave, is not told."""
    for school in roll.schools:
        told = {school.bell[-5:]}
        for duty in roll.select_duties(urn=school.urn):
            times = duty.patrol.start_minutes, duty.patrol.gate_until_minutes
            told |= {*map(format_time, times)}
        assert {*re.findall(r"\d\d:\d\d", texts[school.urn])} <= told


def _lower_threshold(roll, threshold):
    """The week where smaller groups of reports count, and why."""
    changes = {"threshold": threshold, "reason": "a trial of two"}
    plan = replace(roll.week.plan, area=change_settings(roll.week.plan.area, privacy=changes))
    return Roster(replace(roll.week, plan=plan))


def test_a_low_threshold_is_printed_with_its_reason(roll, answers):
    """Where groups under five count, the second page says so, nothing cut; there is no poster."""
    sheet = render_sheet(_lower_threshold(roll, 3), answers[URN])
    assert find_words_off_page(sheet) == []
    _, page = read_pages(sheet)
    assert "fewerthan3pupils" in page
    assert "atrialoftwo" in page
    assert render_poster(_lower_threshold(roll, 4), answers[URN]) is None


@pytest.mark.parametrize("name", ["T-09", "H1"])
def test_what_intelligence_tasked_is_not_told(roll, name):
    """A place that intelligence alone names, also as a hotspot, and a tasking never reach it."""
    duty = roll.week.duties[0]
    tasking = Tasking(name, "an informant's tip", "Insp. Nobody", dt.date(2026, 12, 18))
    first, second, *_ = (replace(stop, tasking=tasking, is_sent=True) for stop in duty.patrol.stops)
    secret = replace(first, hotspot=name, kind="tasked", place="Secret Mews")
    last = roll.week.plan.hotspots.iloc[-1]
    steps = {"hotspot": last["hotspot"], "place": "Secret Steps", "street": "Secret Steps"}
    patrol = replace(duty.patrol, stops=(secret, replace(second, kind="hotspot", **steps)))
    duties = (replace(duty, patrol=patrol), *roll.week.duties[1:])
    other = Roster(replace(roll.week, duties=duties))
    school = next(one for one in other.schools if one.urn == duty.urn)
    own = find_school_answers(other.week, None, [duty.urn])[duty.urn]
    text = json.dumps(papers.build_school_sheet(other, school, own).data)
    assert not [word for word in ("Secret", "informant", "Nobody") if word in text]
    assert last["place"].split(" near ")[0] in text


def test_many_streets_with_long_names_are_all_told(roll):
    """With very many streets the map turns the page, and no word is cut."""
    duty = next(duty for duty in roll.week.duties if duty.patrol.stops)
    hotspots = roll.week.plan.hotspots.iloc[:20]
    point = zip(hotspots["hotspot"], hotspots["stop_x"], hotspots["stop_y"], strict=True)
    stop = replace(duty.patrol.stops[0], kind="hotspot", tasking=None, stand="street")
    stops = tuple(
        replace(stop, hotspot=name, point=tuple(at), place=f"{name}y " + "Long " * 12)
        for name, *at in point
    )
    full = replace(duty, patrol=replace(duty.patrol, stops=stops))
    sheet = render_sheet(Roster(replace(roll.week, duties=(full,))), urn=duty.urn)
    text, back = read_pages(sheet)
    assert strip_spaces(duty.patrol.school) in back
    assert find_words_off_page(sheet) == []
    assert all(f"{stop.hotspot}y" in text for stop in stops)
    assert text.count("Long") == 12 * len(stops)


@pytest.fixture(scope="module")
def poster(roll, answers):
    """One of them."""
    return render_poster(roll, answers[URN])


@pytest.fixture(scope="module")
def poster_texts(roll, answers, poster):
    """All that any poster says, from data, and what is printed on one."""
    posters = [papers.build_poster(roll, one, answers[one.urn], None) for one in roll.schools]
    words = [json.dumps(one.data, ensure_ascii=False) for one in posters]
    return [*words, *read_pages(poster)]


def _presence(answer, *days):
    day = dt.date(2026, 11, 23)
    name = answer.place.hotspots[0]
    return RecentPresence(4, {name: frozenset(day + dt.timedelta(days=n) for n in days)})


def test_we_were_there_is_claimed_only_where_it_is_recorded(roll, answers, poster):
    """Without a record, or none of a visit to these places, the title claims no presence."""
    assert "Weheardyou." in read_pages(poster)[0]
    first, *_, last = answers[URN]
    visits = (_presence(first, 0, 2), _presence(last, 0, 2), RecentPresence(4, {}))
    for presence, was_there in zip(visits, (True, False, False), strict=True):
        (text,) = read_pages(render_poster(roll, answers[URN], presence))
        assert ("Wewerethere." in text, "Weheardyou." in text) == (was_there, not was_there)
        assert ("placeson2days." in text) == was_there


def test_nothing_lets_others_foresee_a_patrol(poster_texts):
    """No day, date or time stands on it, and no other number than pupils and the term's year."""
    for text in poster_texts:
        rest = re.sub(r"\d*[05] ?to ?\d*[49] ?pupils|term ?202[56]|ODbL1.0|call999", "", text)
        assert not re.search(r"\d|(?:Mon|Tues|Wednes|Thurs|Fri)day", rest), rest


def test_the_week_to_come_changes_no_byte(roll, answers, poster):
    """Another week, or demands that are not met, leave the poster as it is."""
    name = answers[URN][0].place.name
    unmet = DemandOutcome("feared", name, None, 1)
    other = replace(roll.week, duties=roll.week.duties[:1], demands=(unmet,))
    changed = find_school_answers(other, None, [URN])
    assert changed[URN][0].promise != answers[URN][0].promise
    assert render_poster(Roster(other), changed[URN]) == poster


def test_a_school_without_a_named_place_has_no_poster(roll, answers):
    """Nothing to show, or squares without a named street alone, make no poster."""
    nameless = [replace(answer, place=replace(answer.place, streets=())) for answer in answers[URN]]
    assert render_poster(roll, nameless) is render_poster(roll, ()) is None
    mixed = [*nameless[:2], *answers[URN][2:]]
    (text,) = read_pages(render_poster(roll, mixed))
    assert text.count("pupilsmarkedit") == papers.MAX_PLACES


def test_it_is_one_page_whatever_the_names(roll, answers):
    """With the longest names and reasons it is still one page, no word cut off."""
    streets = ("The Very Long Road of Saint Somebody " * 3, "W" * 90)
    factors = ("litter_or_damage", "blocked_pavement", "followed")
    gave = replace(answers[URN][0].gave, factors=factors, bands=("evening", "before_school"))
    long = [replace(a, gave=gave, place=replace(a.place, streets=streets)) for a in answers[URN]]
    schools = tuple(replace(school, name="Saint Somebody " * 9) for school in roll.schools)
    other = Roster(roll.week)
    vars(other)["schools"] = schools
    poster = render_poster(other, long, _presence(long[0], 0))
    assert (len(read_pages(poster)), find_words_off_page(poster)) == (1, [])


def test_names_are_text(answers, hostile):
    """A school's and a street's name full of markup are printed letter by letter."""
    first = answers[URN][0]
    street = replace(first, place=replace(first.place, streets=("#x[*y*]",)))
    other = Roster(hostile)
    name = strip_spaces(other.schools_by_urn[URN].name)[:40]
    for paper in (render_sheet(other, [street]), render_poster(other, [street])):
        text = "".join(read_pages(paper))
        assert name in text
        assert strip_spaces("Around #x[*y*]") in text


def test_it_is_black_and_white(poster):
    """Rendered, every dot has as much red as green as blue."""
    (dots,) = rendered(poster)
    assert (dots.max(axis=2) == dots.min(axis=2)).all()
    assert dots.min() < 30


@pytest.mark.parametrize(("days", "was_last_week", "why_not", "words"), [
    (2, True, None, "a patrol on several days"),
    (4, False, None, "a patrol on most days"),
    (1, False, None, "a patrol on one day"),
    (0, True, "unfit", "not this week: a patrol was there last week"),
    (0, False, None, "no patrol is planned there this week"),
    (0, False, "unfit", "not this fortnight: it is too far to fit into a patrol"),
    (0, False, "near_barred", "not this fortnight: no patrol could be planned there"),
])  # fmt: skip
def test_promise_is_days_or_why_not(days, was_last_week, why_not, words):
    """How often, but on no day for sure; or why not, and never because of a barred place."""
    why = None if why_not is None else Obstacle(why_not, barred="T-02")
    promise = Promise(days=days, of_days=5, was_last_week=was_last_week, why_not=why)
    assert papers.describe_promise(promise) == words


def test_no_reason_names_who_or_what_is_secret():
    """Every kind of obstacle has fixed words: no officer, barred or tasked place is named."""
    assert set(WORDS) == set(get_args(ObstacleKind))
    for words in WORDS.values():
        assert "{" not in words.school
        assert not {"barred", "tasked", "intelligence", "crime"} & set(words.school.split())


@pytest.mark.parametrize(("low", "high", "words"), [
    (-0.204, -0.031, "named less often than in {} (its share fell by 3 to 20 points)"),
    (0.004, 0.3, "named more often than in {} (its share rose by 1 to 30 points)"),
    (0.001, 0.008, "named more often than in {} (its share rose by about 1 points)"),
    (-0.1, 0.0, "no clear change since {} (its share: between 10 points less and 0 more)"),
    (-0.3, 0.3, "no clear change since {}: too few answers to say more"),
])  # fmt: skip
def test_change_is_named_where_the_interval_is_clear_of_zero(low, high, words):
    """Less, more, or no clear change, with the ends of the interval in whole points."""
    change = SurveyChange(SchoolTerm(2026, 0), SchoolTerm(2026, 1), low, high)
    assert papers.describe_change(change) == words.format("the spring term 2026")
