"""Answers to a school in words: a sentence for each outcome, without unknown claims."""

import dataclasses
from typing import get_args

import pytest

from patrolplan.outputs.week.answer_words import (
    describe_change,
    describe_presence,
    describe_promise,
)
from patrolplan.patrols.feared_places import FearedPlace
from patrolplan.patrols.obstacles import WORDS, Obstacle, ObstacleKind
from patrolplan.team.school_answers import PlaceAnswer, Promise, SurveyChange, WhatPupilsGave
from patrolplan.times import SchoolTerm

SINCE = "since the spring term 2026"
SPRING, SUMMER = SchoolTerm(2026, 0), SchoolTerm(2026, 1)
GAVE = WhatPupilsGave(
    25,
    29,
    SUMMER,
    is_spread=True,
    factors=("followed", "isolated", "drug_use"),
    bands=("after_school",),
)
PLACE = FearedPlace("P1-2", 0, ("Mill Lane",), 0.5, ("1",), ("H1",))
ANSWER = PlaceAnswer(
    PLACE, GAVE, None, 0, Promise(days=0, of_days=5, was_last_week=False, why_not=None), None
)


@pytest.mark.parametrize(
    ("days", "weeks", "words"),
    [
        (None, 0, "not known: no visits are recorded for the last 4 weeks"),
        (0, 4, "on no day in the last 4 weeks"),
        (1, 4, "on 1 day in the last 4 weeks"),
        (6, 3, "on 6 days in 3 of the last 4 weeks; no visits are recorded for the others"),
    ],
)
def test_presence_is_not_known_or_counted(days, weeks, words):
    """Unrecorded presence is unknown; recorded presence is counted, with missing weeks."""
    answer = dataclasses.replace(ANSWER, days_before=days, weeks_recorded=weeks)
    assert describe_presence(answer) == words


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Promise(days=2, of_days=5, was_last_week=True, why_not=None), "a patrol on several days"),
        (Promise(days=3, of_days=5, was_last_week=False, why_not=None), "a patrol on several days"),
        (Promise(days=4, of_days=5, was_last_week=False, why_not=None), "a patrol on most days"),
        (Promise(days=5, of_days=5, was_last_week=False, why_not=None), "a patrol on most days"),
        (Promise(days=1, of_days=5, was_last_week=False, why_not=None), "a patrol on one day"),
        (
            Promise(days=0, of_days=5, was_last_week=True, why_not=Obstacle("unfit")),
            "not this week: a patrol was there last week",
        ),
        (
            Promise(days=0, of_days=5, was_last_week=False, why_not=None),
            "no patrol is planned there this week",
        ),
        (
            Promise(days=0, of_days=5, was_last_week=False, why_not=Obstacle("unfit")),
            "not this fortnight: it is too far to fit into a patrol",
        ),
        (
            Promise(
                days=0,
                of_days=5,
                was_last_week=False,
                why_not=Obstacle("near_barred", barred="T-02"),
            ),
            "not this fortnight: no patrol could be planned there",
        ),
    ],
)
def test_promise_is_days_or_why_not(promise, words):
    """How often, but on no day for sure; or why not, and never because of a barred place."""
    assert describe_promise(promise) == words


def test_no_reason_names_who_or_what_is_secret():
    """Every kind of obstacle has fixed words: no officer, barred or tasked place is named."""
    assert set(WORDS) == set(get_args(ObstacleKind))
    for _, words in WORDS.values():
        assert "{" not in words
        assert not {"barred", "tasked", "intelligence", "crime"} & set(words.split())


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (
            -0.204,
            -0.031,
            "named less often than in the spring term 2026 (its share fell by 3 to 20 points)",
        ),
        (
            0.004,
            0.3,
            "named more often than in the spring term 2026 (its share rose by 1 to 30 points)",
        ),
        (
            0.001,
            0.008,
            "named more often than in the spring term 2026 (its share rose by about 1 points)",
        ),
        (-0.1, 0.0, f"no clear change {SINCE} (its share: between 10 points less and 0 more)"),
        (-0.3, 0.3, "no clear change since the spring term 2026: too few answers to say more"),
    ],
)
def test_change_is_named_where_the_interval_is_clear_of_zero(low, high, words):
    """Less, more, or no clear change, with the ends of the interval in whole points."""
    assert describe_change(SurveyChange(SPRING, SUMMER, low, high)) == words
