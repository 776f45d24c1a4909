"""The demo borough's risk, hotspots, patrols and week, which the tests of the week share."""

from dataclasses import replace

import pytest


@pytest.fixture(scope="session")
def found(demo_risk, demo_hotspots):
    """Risk and hotspots of the demo borough, under any settings."""
    return replace(demo_risk, made_from=None), demo_hotspots


@pytest.fixture(scope="session")
def plan(demo_plan):
    """Patrols of the demo borough."""
    return demo_plan


@pytest.fixture(scope="session")
def week(demo_week):
    """A week of the demo borough, drawn by the settings' seed."""
    return demo_week
