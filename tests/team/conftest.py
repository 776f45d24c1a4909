"""The demo borough's risk, hotspots and patrols, which the tests of the week share."""

import dataclasses
import datetime as dt

import pytest

import patrolplan as pp


@pytest.fixture(scope="session")
def found(static_risk, static_hotspots):
    """Risk, the same in every minute, and hotspots of the demo borough, under any settings."""
    return dataclasses.replace(static_risk, made_from=None), static_hotspots


@pytest.fixture(scope="session")
def plan(demo_area, found):
    """Patrols of the demo borough, without the back-test."""
    return pp.plan_patrols(demo_area, *found)


@pytest.fixture(scope="session")
def week(demo_area, plan):
    """A week of the demo borough, drawn by the settings' seed."""
    return pp.plan_week(demo_area, plan, start=dt.date(2026, 11, 30))
