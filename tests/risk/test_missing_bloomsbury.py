"""Real crime with force-months taken away: rates hold, and nothing rises that did not."""

import datetime as dt

import numpy as np
import pytest
from missing_months import drop_months, split_forces

import patrolplan as pp
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.risk.history import build_history

pytestmark = pytest.mark.slow

MONTHS = [f"{y}-{m:02d}" for y in (2016, 2017, 2018) for m in range(1, 13)]
MONTHS = [month for month in MONTHS if "2016-05" <= month <= "2018-06"]

REMOVED = {
    "late": [("West", month) for month in MONTHS if month < "2017-10"],
    "early": [("West", month) for month in MONTHS if month >= "2018-03"],
    "gaps": [(force, m) for force in ("West", "East") for m in ("2017-09", "2017-12", "2018-01")],
    "holes": [("West", "2017-08"), ("West", "2018-03"), ("East", "2017-10"), ("East", "2018-04")],
}


@pytest.fixture(scope="module")
def forces(bloomsbury_area):
    """Bloomsbury with a force in the west and one in the east."""
    return split_forces(bloomsbury_area)


@pytest.fixture(scope="module")
def rising(bloomsbury_area):
    """Hotspots of full months, and the pieces of those that are new or rising."""
    hotspots = pp.find_hotspots(bloomsbury_area, pp.estimate_risk(bloomsbury_area))
    return hotspots, _find_rising(hotspots)


def _find_rising(hotspots):
    changed = hotspots["trend"].isin(["new", "rising"])
    return {piece for pieces in hotspots.loc[changed, "pieces"] for piece in pieces}


@pytest.mark.parametrize("removed", REMOVED)
def test_rates_of_months_held_are_those_of_full_months(forces, removed):
    """Crime per month held over the last year is within 2 % of that of full months."""
    area = drop_months(forces, REMOVED[removed])
    full, found = (build_history(one) for one in (forces, area))
    assert found.estimate_last(12).sum() == pytest.approx(full.estimate_last(12).sum(), rel=0.02)


@pytest.mark.parametrize("removed", REMOVED)
def test_nothing_rises_that_full_months_do_not_support(forces, rising, removed):
    """Streets called new or rising where months are missing are so in full months."""
    area = drop_months(forces, REMOVED[removed])
    hotspots = pp.find_hotspots(area, pp.estimate_risk(area))
    for pieces in hotspots.loc[hotspots["trend"].isin(["new", "rising"]), "pieces"]:
        assert len(set(pieces) & rising[1]) >= 0.5 * len(pieces)


@pytest.mark.parametrize("since", [dt.date(2018, 4, 1), dt.date(2018, 6, 1)])
@pytest.mark.parametrize("removed", REMOVED)
def test_briefs_say_what_full_months_say(forces, rising, removed, since):
    """Usual is within a tenth of that of full months per month compared, and nothing new rises."""
    area = drop_months(forces, REMOVED[removed])
    for urn in forces.schools["urn"]:
        full = build_brief(forces, rising[0], urn, since)
        found = build_brief(area, rising[0], urn, since)
        assert {one.name for one in found.rising} <= {one.name for one in full.rising}
        ratios = [one.total.now.value / one.total.usual.value for one in (full, found)]
        assert np.log(ratios[1] / ratios[0]) == pytest.approx(0, abs=0.15)
