"""From a class's answers to what an officer reads: simulated surveys with planted fears."""

import dataclasses
import datetime as dt
import json
import shutil
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from pypdf import PdfReader
from survey_forms import answers_file, save

import patrolplan as pp
from patrolplan.crs import find_squares
from patrolplan.hotspots.reasons import ReportsReason, list_reasons
from patrolplan.inputs.reports import ALLOWED_VALUES
from patrolplan.inputs.survey_form import MAX_PLACES, find_record_path
from patrolplan.inputs.survey_reading import take_in_surveys
from patrolplan.outputs.reason_words import describe_reason, describe_reasons
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportGroups
from patrolplan.risk.report_voice import TIME_BANDS, count_in_band

URN = "900003"
PLANTED = (0.8834954, 51.5250678)
"""Longitude and latitude of the middle of the square that pupils fear: Ludlam Road, quiet by
recorded crime, about 350 m from the gate."""

SQUARE = find_squares(np.array([PLANTED]))
SIGHT_METRES = 75.0
DARK = ("poor_lighting", "poor_lighting", "isolated")
METRES_A_DEGREE = 111_200  # of latitude
FACTORS_IN_WORDS = {
    "groups_loitering": "groups loitering", "isolated": "an isolated place",
    "poor_lighting": "poor lighting",
}  # fmt: skip
"""What the class says of the planted place; at equal counts in the order of the first."""


@dataclass(frozen=True)
class Survey:
    """A class whose pupils fear one place, and say so at a time of day.

    Each pupil marks it, and up to two others within a kilometre; where `alone`, none of those.
    """

    pupils: int
    bands: tuple[str, ...] = ("after_school",) * 4 + ("unknown",)
    alone: bool = False

    def draw_answers(self):
        """What the page's file holds, in an order that no pupil can be read from."""
        rng = np.random.default_rng(7)
        answers = []
        for _ in range(self.pupils):
            others = 0 if self.alone else int(rng.integers(0, MAX_PLACES))
            for mark in (self._mark_planted(rng), *self._mark_others(rng, others)):
                answers.insert(int(rng.integers(0, len(answers) + 1)), mark)
        return answers

    def _mark_planted(self, rng):
        """The place that all fear, anywhere within 80 m of its middle."""
        choices = self.bands, DARK, ("groups_loitering", "none")
        words = [str(rng.choice(one)) for one in choices]
        return _answer(words, *rng.uniform(-80, 80, 2))

    @staticmethod
    def _mark_others(rng, count):
        """Places half a kilometre away or more, and as far from each other."""
        angle, metres = rng.uniform(0, 2 * np.pi), rng.uniform(500, 900)
        for turn in np.arange(count) * np.pi:
            words = [str(rng.choice([*ALLOWED_VALUES[column]])) for column in FACTORS]
            east, north = metres * np.cos(angle + turn), metres * np.sin(angle + turn)
            yield _answer(words, east, north)

    def write(self, folder):
        """The file that a device saves; gives its path."""
        document = answers_file(self.draw_answers(), pupils=self.pupils, day="2026-10-15")
        return save(folder / f"answers-{self.pupils}.json", document)


def _answer(words, east, north):
    """An answer so many metres from the middle of the planted square."""
    longitude = PLANTED[0] + east / (METRES_A_DEGREE * np.cos(np.radians(PLANTED[1])))
    latitude = PLANTED[1] + north / METRES_A_DEGREE
    place = {"longitude": round(float(longitude), 6), "latitude": round(float(latitude), 6)}
    return dict(zip(FACTORS, words, strict=True)) | place


@pytest.fixture(scope="module")
def borough(demo, tmp_path_factory):
    """A copy of the demo borough whose reports can be replaced; gives its settings file."""
    folder = tmp_path_factory.mktemp("borough")
    shutil.copytree(demo.parent, folder, dirs_exist_ok=True)
    return folder / demo.name


@pytest.fixture(scope="module")
def survey_area(borough, tmp_path_factory):
    """What gives the borough with this survey as its only reports, as `survey --read` has it."""
    reports, folder = borough.parent / "reports.csv", tmp_path_factory.mktemp("answers")

    @cache
    def build(survey):
        for path in (reports, find_record_path(reports)):
            path.unlink(missing_ok=True)
        files, today = [survey.write(folder)], dt.date(2026, 11, 26)
        take_in_surveys(files, reports, urns=[URN], threshold=5, today=today)
        return pp.load_area(borough)

    return build


def _find_planted(area):
    """(p,) whether each piece of street is in the planted square."""
    return (find_squares(area.network.piece_middle, area.projection.crs) == SQUARE).all(axis=1)


def _plan(area, **window):
    """The plan of the school, and its stops in sight of the planted square that name its fear."""
    risk = pp.estimate_risk(area, **window)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=[URN], **window)
    there = area.network.piece_middle[_find_planted(area)]
    (patrol,) = plan.patrols
    near = [one for one in patrol.stops if np.hypot(*(there - one.point).T).min() <= SIGHT_METRES]
    return plan, [one for one in near if isinstance(one.why[0], ReportsReason)]


def _recount(answers):
    """The sentence that a card must have for the planted place, counted one by one."""
    places = find_squares(np.array([[one["longitude"], one["latitude"]] for one in answers]))
    pairs = zip(answers, places, strict=True)
    here = [{*one.values()} for one, at in pairs if (at == SQUARE).all()]
    number = len(here) // 5 * 5
    words = {said: sum(name in one for one in here) // 5 for name, said in FACTORS_IN_WORDS.items()}
    assert all(words.values())
    assert sum("after_school" in one for one in here) >= 5
    first, second, third = sorted(words, key=lambda said: -words[said])
    return (
        f"{number} to {number + 4} pupils feel unsafe here after school (autumn term 2026): "
        f"{first}, {second} and {third}"
    )


@pytest.mark.parametrize("pupils", [30, pytest.param(50, marks=pytest.mark.slow)])
def test_a_planted_fear_is_the_first_reason_of_a_stop(survey_area, pupils):
    """Band, number, term and factors of what the class planted stand first at its stop."""
    survey = Survey(pupils)
    _, stops = _plan(survey_area(survey))
    assert stops
    assert _recount(survey.draw_answers()) in [describe_reason(stop.why[0]) for stop in stops]


def test_five_reports_move_at_most_a_twentieth_and_fifty_move_more(survey_area):
    """The share of the risk that moves with five reports is within the cap; with fifty larger."""
    moved, shares = [], []
    for pupils in (5, 50):
        area = survey_area(Survey(pupils, bands=("after_school",), alone=True))
        assert len(area.reports) == 1
        none = ReportGroups.empty(len(area.network.piece_metres), area.reports.threshold)
        risk = pp.estimate_risk(area)
        without = pp.estimate_risk(dataclasses.replace(area, reports=none))
        moved.append(float(np.abs(risk.joined - without.joined).sum() / 2))
        shares.append(float(risk.reports_part.sum()))
    assert 0 < moved[0] <= shares[0] <= 0.05 + 1e-9
    assert 0.15 < moved[1] <= shares[1] <= 0.2 + 1e-9


@pytest.mark.slow
def test_a_fear_flipped_to_the_morning_leaves_the_afternoon(survey_area):
    """Flipped, the fear leads the patrol of the morning there, and not that of the afternoon."""
    survey, flipped = (
        Survey(50, (band,), alone=True) for band in ("after_school", "before_school")
    )
    before, after = (_plan(survey_area(one)) for one in (survey, flipped))
    assert before[1]
    assert after[1] == []
    one, other = ([stop.hotspot for stop in plan.patrols[0].stops] for plan, _ in (before, after))
    assert one != other
    morning = {"window": pp.Window(90, start_minutes=7 * 60)}
    assert _plan(survey_area(survey), **morning)[1] == []
    _, stops = _plan(survey_area(flipped), **morning)
    assert stops
    assert describe_reason(stops[0].why[0]).startswith(
        "50 to 54 pupils feel unsafe here before school (autumn term 2026)"
    )


def test_fears_of_no_known_time_count_by_a_quarter_in_each(survey_area):
    """Reports whose time is not known are of each band by an equal share, and name none."""
    area = survey_area(Survey(40, bands=("unknown",), alone=True))
    (given,) = area.reports.factor_counts
    assert not any(given[FACTOR_NAMES.index(band)] for band in TIME_BANDS)
    for band in TIME_BANDS:
        assert count_in_band(area.reports, band).tolist() == [10.0]
    after_school = survey_area(Survey(50, bands=("after_school",), alone=True))
    shares = [float(pp.estimate_risk(one).reports_part.sum()) for one in (area, after_school)]
    assert shares == pytest.approx([0.3 * 10 / 35, 0.3 * 50 / 75], rel=1e-6)
    hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    there = set(np.flatnonzero(_find_planted(area)).tolist())
    is_there = [there >= set(pieces) for pieces in hotspots["pieces"]]
    words = [describe_reasons(reasons) for reasons in list_reasons(hotspots[is_there])]
    start = "40 to 44 pupils feel unsafe here (autumn term 2026): "
    assert any(lines[0].startswith(start) for lines in words)


@pytest.mark.slow
def test_the_card_of_the_school_prints_what_the_class_planted(borough, run, tmp_path):
    """From the file of a class to the words in the plan, on the map and, in short, on the card."""
    survey, read, out = Survey(30), tmp_path / "read.csv", tmp_path / "out"
    files = survey.write(tmp_path), "--config", borough, "--out", read
    assert run("survey", "--read", *files)[0] == 0
    shutil.copy(read, borough.parent / "reports.csv")
    options = ("--config", borough, "--school", URN, "--out", out, "--workers", 1)
    assert run("plan", *options)[0] == 0
    expected = _recount(survey.draw_answers())
    (patrol,) = json.loads((out / "plan.json").read_text(encoding="utf-8"))["patrols"]
    assert expected in [stop["why"][0] for stop in patrol["stops"]]
    card = PdfReader(out / "cards" / f"{URN}.pdf").pages[0].extract_text()
    factors = expected.partition("): ")[2]
    assert f"Pupils feel unsafe: {factors}." in " ".join(card.split())
    assert expected in (out / "map.html").read_text(encoding="utf-8")
