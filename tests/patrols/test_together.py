"""Schools that share hotspots, planned as one team."""

import pytest

import patrolplan as pp


@pytest.fixture(scope="module")
def together(demo_area, demo_plan):
    """Patrols of the demo borough, planned together."""
    return pp.plan_patrols(
        demo_area, demo_plan.risk, demo_plan.hotspots, held_out=False, together=True
    )


def _overlap(one, other):
    return max(one.start_minutes, other.start_minutes) < min(
        one.latest_end_minutes, other.latest_end_minutes
    )


def _covered(plan, patrols):
    worth = plan.hotspots.set_index("hotspot")["worth"]
    return sum(
        worth[stop.hotspot] for patrol in patrols for stop in patrol.stops if stop.hotspot in worth
    )


def test_no_hotspot_is_visited_twice_at_one_time(together):
    """Of patrols whose windows overlap, no two go to the same hotspot."""
    assert sum(len(patrol.stops) for patrol in together.patrols) > 20
    for number, patrol in enumerate(together.patrols):
        mine = {stop.hotspot for stop in patrol.stops}
        for other in together.patrols[:number]:
            if _overlap(patrol, other):
                assert mine.isdisjoint(stop.hotspot for stop in other.stops)


def test_more_is_covered_than_by_planning_in_turn(demo_area, demo_plan, together):
    """Together cover at least what schools cover in turn, each on the hotspots still left."""
    left, covered = demo_plan.hotspots, 0.0
    for urn in demo_area.schools["urn"]:
        plan = pp.plan_patrols(demo_area, demo_plan.risk, left, urns=[urn], held_out=False)
        covered += _covered(plan, plan.patrols)
        seen = [stop.hotspot for patrol in plan.patrols for stop in patrol.stops]
        left = left[~left["hotspot"].isin(seen)]
    assert _covered(together, together.patrols) >= covered - 1e-9


def test_a_patrol_is_worth_no_more_than_its_school_alone(demo_plan, together):
    """A patrol's own bound holds, it is worth its stops, and only at its bound it is proven."""
    alone = {patrol.urn: patrol for patrol in demo_plan.patrols}
    for patrol in together.patrols:
        assert patrol.worth == pytest.approx(sum(stop.worth for stop in patrol.stops))
        assert patrol.worth <= patrol.bound + 1e-9
        assert patrol.proven == (patrol.bound - patrol.worth <= 1e-9)
        if not any(stop.tasked for stop in alone[patrol.urn].stops):
            assert patrol.bound == pytest.approx(alone[patrol.urn].worth)
        assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6


def test_each_patrol_says_with_whom_and_how_good_they_are_together(together):
    """The last note names other schools, what all cover, and how far from the best it is."""
    for patrol in together.patrols:
        said = next(note for note in patrol.notes if note.startswith("Planned together with URN"))
        assert "% of the area's risk" in said
        assert said.endswith("the best possible.")
        assert patrol.urn not in said


def test_variants_keep_away_from_the_other_schools_stops(together):
    """A variant goes to no hotspot that another school's patrol visits at that time."""
    assert any(patrol.variants for patrol in together.patrols)
    for patrol in together.patrols:
        for variant in patrol.variants:
            assert 0 < variant.worth_share <= 1 + 1e-9
            for other in together.patrols:
                if other.urn != patrol.urn and _overlap(patrol, other):
                    theirs = {stop.hotspot for stop in other.stops}
                    assert theirs.isdisjoint(variant.hotspots)


def test_a_place_tasked_for_two_schools_is_visited_by_one(together):
    """A place that several schools are asked to visit is in one patrol; the others say so."""
    holders = [
        patrol.urn for patrol in together.patrols if any(stop.tasked for stop in patrol.stops)
    ]
    assert len(holders) == 1
    said = "Tasked place T-01 is in another school's patrol."
    assert [patrol.urn for patrol in together.patrols if said in patrol.notes] == [
        urn for urn in ("900001", "900007") if urn not in holders
    ]


def test_a_school_that_shares_nothing_is_planned_alone(demo_area, demo_plan):
    """With one school asked for, together is the same as alone, without a word about others."""
    urn = demo_plan.patrols[4].urn
    plan = pp.plan_patrols(
        demo_area, demo_plan.risk, demo_plan.hotspots, urns=[urn], held_out=False, together=True
    )
    assert plan.patrols[0].stops == demo_plan.patrols[4].stops
    assert plan.patrols[0].notes == demo_plan.patrols[4].notes


def test_equal_runs_have_equal_patrols(demo_area, demo_plan, together):
    """Planning together again gives the same stops at the same times."""
    again = pp.plan_patrols(
        demo_area, demo_plan.risk, demo_plan.hotspots, held_out=False, together=True
    )
    assert [patrol.stops for patrol in again.patrols] == [p.stops for p in together.patrols]
