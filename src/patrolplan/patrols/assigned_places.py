"""Tasked places of a plan without a week: each is assigned to the schools that serve it best."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.errands import Answer, Errand, find_errands, group_by_school, plan_errands
from patrolplan.patrols.nearest_miss import list_left_out
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs

Schools = Mapping[str, Sequence[Patrol]]
"""The best patrols of each school, by URN."""


def assign_places(
    plan: Plan,
    inputs: PlanningInputs,
    *,
    all_schools: bool = True,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """The plan with each place to visit on the patrols of the schools that serve it best.

    As many schools visit a place as it has visits, see `_give_places`; the patrols of others do
    not change. `inputs` are those of the plan, which has no further patrols; `all_schools` says
    whether it is for all schools of the area.
    """
    best = group_by_school(plan.patrols)
    urns = list(best)

    def plan_visits(errands: Sequence[Errand]) -> list[Answer]:
        return plan_errands(
            plan, errands, inputs=inputs, executor=executor, report_progress=report_progress
        )

    errands = find_errands(plan, ["tasked"])
    answers = plan_visits(errands)
    served = {
        (errand.visit[0], errand.urn): answer
        for errand, answer in zip(errands, answers, strict=True)
        if isinstance(answer, Variant)
    }
    given = _give_places(_count_wanted(plan, served), best, served, plan_visits)
    unserved = tuple(answer for answer in answers if isinstance(answer, Unserved))
    visits = Counter(name for variant in given.values() for name in variant.serves)
    left_out = list_left_out(plan, urns, unserved, visits, all_schools=all_schools)
    return replace(
        plan,
        patrols=tuple(
            _take_patrol(patrol, best[patrol.urn], given[patrol.urn])
            if patrol.urn in given
            else patrol
            for patrol in plan.patrols
        ),
        unserved=unserved,
        left_out=(*plan.left_out, *left_out),
    )


def _count_wanted(plan: Plan, served: Mapping[tuple[str, str], Variant]) -> list[str]:
    """Each place that a school can visit, repeated for its number of visits."""
    places = plan.area.tasked_places.set_index("place_id")["visits"]
    names = dict.fromkeys(name for name, _ in served)
    return [name for name in names for _ in range(int(places[name]))]


def _give_places(
    wanted: Sequence[str],
    best: Schools,
    served: Mapping[tuple[str, str], Variant],
    plan_visits: Callable[[Sequence[Errand]], list[Answer]],
) -> dict[str, Variant]:
    """The patrol of each school that visits places.

    One place after the other goes to the school that loses least by it, of those that visit none;
    only if all of these are taken, to one whose patrol has time for both.
    """
    given: dict[str, Variant] = {}
    for name in wanted:
        loss = {
            urn: sum(patrol.worth for patrol in own)
            - sum(patrol.worth for patrol in served[name, urn].patrols)
            for urn, own in best.items()
            if (name, urn) in served
        }
        for urn in sorted(loss, key=lambda urn: (urn in given, loss[urn])):
            if urn not in given:
                given[urn] = served[name, urn]
                break
            if name not in given[urn].serves:
                (answer,) = plan_visits([Errand(urn, visit=(*given[urn].serves, name))])
                if isinstance(answer, Variant):
                    given[urn] = answer
                    break
    return given


def _take_patrol(patrol: Patrol, best: Sequence[Patrol], variant: Variant) -> Patrol:
    """An officer's patrol of a variant; the best ones, without its places, become a variant."""
    without = Variant(
        worth_share=1.0,
        hotspots=tuple(stop.hotspot for each in best for stop in each.stops),
        patrols=tuple(replace(each, variants=()) for each in best),
    )
    (mine,) = (each for each in variant.patrols if each.number == patrol.number)
    return replace(mine, variants=(without, *patrol.variants))
