"""From a class's answers to what an officer reads: simulated surveys with planted fears."""

import dataclasses
import datetime as dt
import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from pypdf import PdfReader

import patrolplan as pp
from patrolplan.crs import find_squares
from patrolplan.hotspots.reasons import ReportsReason, list_reasons
from patrolplan.inputs.survey_form import ANSWERS_FORM, MAX_PLACES, find_record_path
from patrolplan.outputs.reason_words import describe_reason, describe_reasons
from patrolplan.outputs.survey.survey_reading import take_in_surveys
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportGroups
from patrolplan.risk.report_voice import TIME_BANDS, count_in_band

URN = "900003"
PLANTED = (0.8834954, 51.5250678)
"""Longitude and latitude of the middle of the square that pupils fear: Ludlam Road, quiet by
recorded crime, about 350 m from the gate."""

SIGHT_METRES = 75.0

METRES_A_DEGREE = 111_200
"""Of latitude."""

FACTORS_IN_WORDS = {
    "groups_loitering": "groups loitering",
    "isolated": "an isolated place",
    "poor_lighting": "poor lighting",
}
"""What the class says of the planted place; at equal counts in the order of the first."""

MORNING = {"after_school": "before_school", "before_school": "after_school"}


@dataclass(frozen=True)
class Survey:
    """A class whose pupils fear one place, and say so at a time of day.

    Each pupil marks it, and up to two others within a kilometre; where `alone`, none of those.
    """

    pupils: int
    day: str = "2026-10-15"
    bands: tuple[str, ...] = ("after_school",) * 4 + ("unknown",)
    alone: bool = False
    seed: int = 7

    def draw_answers(self):
        """What the page's file holds, in an order that no pupil can be read from."""
        rng = np.random.default_rng(self.seed)
        answers = []
        for _ in range(self.pupils):
            others = 0 if self.alone else int(rng.integers(0, MAX_PLACES))
            for mark in (self._mark_planted(rng), *self._mark_others(rng, others)):
                answers.insert(int(rng.integers(0, len(answers) + 1)), mark)
        return answers

    def _mark_planted(self, rng):
        """The place that all fear, anywhere within 80 m of its middle."""
        return {
            "time_band": str(rng.choice(self.bands)),
            "place_factor": str(rng.choice(["poor_lighting", "poor_lighting", "isolated"])),
            "behaviour_factor": str(rng.choice(["groups_loitering", "none"])),
            **_find_place(*rng.uniform(-80, 80, 2)),
        }

    @staticmethod
    def _mark_others(rng, count):
        """Places half a kilometre away or more, and as far from each other."""
        angle, metres = rng.uniform(0, 2 * np.pi), rng.uniform(500, 900)
        return [
            {
                "time_band": str(rng.choice([*TIME_BANDS, "unknown"])),
                **{
                    column: str(rng.choice([*FACTORS[column], "none"]))
                    for column in ("place_factor", "behaviour_factor")
                },
                **_find_place(
                    metres * np.cos(angle + turn * np.pi), metres * np.sin(angle + turn * np.pi)
                ),
            }
            for turn in range(count)
        ]

    def write(self, folder):
        """The file that a device saves; gives its path."""
        path = folder / f"answers-{self.seed}-{self.pupils}.json"
        document = {
            "form": ANSWERS_FORM,
            "id": f"{self.seed:032x}",
            "school_urn": URN,
            "day": self.day,
            "pupils": self.pupils,
            "answers": self.draw_answers(),
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


def _find_place(east, north):
    """Longitude and latitude so many metres from the middle of the planted square."""
    longitude = PLANTED[0] + east / (METRES_A_DEGREE * np.cos(np.radians(PLANTED[1])))
    latitude = PLANTED[1] + north / METRES_A_DEGREE
    return {"longitude": round(float(longitude), 6), "latitude": round(float(latitude), 6)}


def _take_in(paths, out):
    """Read files of answers into a table of reports, as `survey --read` does."""
    folder = out.parent / f"read-{len(list(out.parent.glob('read-*')))}"
    folder.mkdir()
    read = folder / "reports.csv"
    take_in_surveys(paths, read, urns=[URN], threshold=5, today=dt.date(2026, 11, 26))
    shutil.copy(read, out)
    shutil.copy(find_record_path(read), find_record_path(out))


@pytest.fixture(scope="module")
def borough(demo, tmp_path_factory):
    """A copy of the demo borough whose reports can be replaced; gives its settings file."""
    folder = tmp_path_factory.mktemp("borough")
    shutil.copytree(demo.parent, folder, dirs_exist_ok=True)
    return folder / demo.name


@pytest.fixture
def survey_area(borough, tmp_path):
    """What gives the borough with this survey as its only reports, and other settings."""

    def build(survey, **sections):
        _take_in([survey.write(tmp_path)], borough.parent / "reports.csv")
        settings = pp.load_settings(borough)
        return pp.load_area(settings.model_copy(update=sections))

    return build


def _find_planted(area):
    """(p,) whether each piece of street is in the planted square."""
    square = find_squares(np.array([PLANTED]))
    return (find_squares(area.network.piece_middle, area.projection.crs) == square).all(axis=1)


def _plan(area, **window):
    """The patrol of the school, and its stops in sight of the planted square that name its fear."""
    risk = pp.estimate_risk(area, **window)
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), urns=[URN], **window)
    there = area.network.piece_middle[_find_planted(area)]
    (patrol,) = plan.patrols
    stops = [
        stop
        for stop in patrol.stops
        if np.hypot(*(there - stop.point).T).min() <= SIGHT_METRES
        and isinstance(stop.why[0], ReportsReason)
    ]
    return plan, stops


def _recount(answers):
    """The sentence that a card must have for the planted place, counted one by one."""
    square = find_squares(np.array([PLANTED]))
    places = [[one["longitude"], one["latitude"]] for one in answers]
    here = [
        one
        for one, at in zip(answers, find_squares(np.array(places)), strict=True)
        if (at == square).all()
    ]
    number = _round_down(len(here))
    factors = {
        words: _round_down(sum(name in {*one.values()} for one in here))
        for name, words in FACTORS_IN_WORDS.items()
    }
    shown = sorted(((-n, words) for words, n in factors.items() if n), key=lambda one: one[0])
    assert len(shown) == len(FACTORS_IN_WORDS)
    assert _round_down(sum(one["time_band"] == "after_school" for one in here))
    first, second, third = (words for _, words in shown)
    return (
        f"{number} to {number + 4} pupils feel unsafe here after school (autumn term 2026): "
        f"{first}, {second} and {third}"
    )


def _round_down(count):
    return count // 5 * 5


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
    survey = Survey(50, bands=("after_school",), alone=True)
    flipped = dataclasses.replace(survey, bands=tuple(MORNING[band] for band in survey.bands))
    before, after = (_plan(survey_area(one)) for one in (survey, flipped))
    assert before[1]
    assert after[1] == []
    assert [stop.hotspot for stop in before[0].patrols[0].stops] != [
        stop.hotspot for stop in after[0].patrols[0].stops
    ]
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
    after_school = survey_area(Survey(40, bands=("after_school",), alone=True))
    shares = [float(pp.estimate_risk(one).reports_part.sum()) for one in (area, after_school)]
    assert shares == pytest.approx([0.3 * 10 / 35, 0.3 * 40 / 65], rel=1e-6)
    hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    there = set(np.flatnonzero(_find_planted(area)).tolist())
    is_there = [there >= set(pieces) for pieces in hotspots["pieces"]]
    words = [describe_reasons(reasons) for reasons in list_reasons(hotspots[is_there])]
    start = "40 to 44 pupils feel unsafe here (autumn term 2026): "
    assert any(lines[0].startswith(start) for lines in words)


@pytest.mark.slow
def test_the_card_of_the_school_prints_what_the_class_planted(borough, run, tmp_path):
    """From the file of a class to the words in the plan, on the terminal, the map and the card."""
    survey = Survey(30)
    read = tmp_path / "read.csv"
    arguments = ("--config", borough, "--out", read)
    code, _, _ = run("survey", "--read", survey.write(tmp_path), *arguments)
    assert code == 0
    shutil.copy(read, borough.parent / "reports.csv")
    out, expected = tmp_path / "out", _recount(survey.draw_answers())
    code, _, _ = run("plan", "--config", borough, "--school", URN, "--out", out, "--workers", 1)
    assert code == 0
    document = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    (patrol,) = document["patrols"]
    stops = [stop["hotspot"] for stop in patrol["stops"] if stop["why"][0] == expected]
    assert stops
    card = PdfReader(out / "cards" / f"{URN}.pdf").pages[0].extract_text()
    words = " ".join(card.split())
    assert f"{expected}." in words
    page = (out / "map.html").read_text(encoding="utf-8")
    assert expected in page
