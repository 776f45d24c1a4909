"""Worlds that several papers share: a browser for pages, and the layers of the demo's plan."""

import pytest

collect_ignore = ["gis/qgis_script.py"]  # run by QGIS's own Python


@pytest.fixture(scope="module")
def browser():
    """Open Chromium once for all tests of a module."""
    from page_visits import open_chromium  # noqa: PLC0415 - the lowest versions come without it

    with open_chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    from patrolplan.outputs.geopackage import build_plan_layers  # noqa: PLC0415 - heavy

    return build_plan_layers(demo_plan)
