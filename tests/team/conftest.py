"""The demo borough's risk, hotspots and patrols, which the tests of the week share."""

import pytest

import patrolplan as pp


@pytest.fixture(scope="package")
def found(demo_area):
    """Risk and hotspots of the demo borough."""
    risk = pp.estimate_risk(demo_area)
    return risk, pp.find_hotspots(demo_area, risk)


@pytest.fixture(scope="package")
def plan(demo_area, found):
    """Patrols of the demo borough, without the back-test."""
    return pp.plan_patrols(demo_area, *found)
