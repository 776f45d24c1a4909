"""Patrols as they are walked."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

import patrolplan as pp


def test_detours_pass_more_risk_within_the_window(demo_area, demo_plan):
    """With detours the legs pass at least as much risk, are a little longer, and fit the window."""
    straight = demo_area.settings.model_copy(
        update={"patrol": demo_area.settings.patrol.model_copy(update={"detour": 0.0})}
    )
    area = dataclasses.replace(demo_area, settings=straight)
    without = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, held_out=False)
    passed = {"with": 0.0, "without": 0.0}
    for patrol, plain in zip(demo_plan.patrols, without.patrols, strict=True):
        assert [s.hotspot for s in patrol.stops] == [s.hotspot for s in plain.stops]
        for leg, short in zip(patrol.legs, plain.legs, strict=True):
            assert short.metres - 1e-6 <= leg.metres <= 1.05 * short.metres + 1e-6
            passed["with"] += demo_plan.risk.joined[np.unique(leg.pieces)].sum()
            passed["without"] += demo_plan.risk.joined[np.unique(short.pieces)].sum()
        assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
    assert passed["with"] > passed["without"]


def test_times_follow_from_the_legs(demo_plan):
    """Every arrival is the last leaving plus the leg's minutes, every dwell is the settings'."""
    for patrol in demo_plan.patrols:
        times = [patrol.gate_until_minutes]
        for stop, leg in zip(patrol.stops, patrol.legs, strict=False):
            assert stop.arrive_minutes == pytest.approx(times[-1] + leg.minutes)
            assert stop.leave_minutes - stop.arrive_minutes == pytest.approx(15)
            times.append(stop.leave_minutes)
        assert all(early <= late for early, late in pairwise(times))


def test_variants_share_legs_they_have_in_common(demo_plan):
    """A leg that a variant has in common with the best patrol is one and the same."""
    shared = 0
    for patrol in demo_plan.patrols:
        known = {(leg.line.tobytes(), leg.metres): leg for leg in patrol.legs}
        for variant in patrol.variants:
            for leg in (leg for other in variant.patrols for leg in other.legs):
                mine = known.get((leg.line.tobytes(), leg.metres))
                shared += mine is leg
    assert shared > 0
