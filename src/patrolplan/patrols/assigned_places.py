"""Tasked places of a plan without a week: each is assigned to the schools that serve it best."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.errands import Answer, Errand, find_errands, group_by_school, plan_errands
from patrolplan.patrols.nearest_miss import list_left_out
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs


def assign_places(
    plan: Plan,
    inputs: PlanningInputs,
    *,
    all_schools: bool = True,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Plan:
    """The plan with each place on the patrols of the schools that serve it best, one a visit."""
    best, visits = group_by_school(plan.patrols), plan.area.tasked_places.set_index("place_id")
    plan_visits = partial(
        plan_errands, plan, inputs=inputs, executor=executor, report_progress=report_progress
    )
    errands = find_errands(plan, ["tasked"])
    answers = plan_visits(errands)
    served = {
        (errand.visit[0], errand.urn): answer
        for errand, answer in zip(errands, answers, strict=True)
        if isinstance(answer, Variant)
    }
    names = dict.fromkeys(name for name, _ in served)
    wanted = [name for name in names for _ in range(int(visits["visits"][name]))]
    given = _give_places(wanted, best, served, plan_visits)
    patrols = []
    for patrol in plan.patrols:
        own = given[patrol.urn].patrols if patrol.urn in given else ()
        # The best ones, without its places, become a variant.
        without = Variant.from_patrols(best[patrol.urn])
        found = [
            replace(each, variants=(without, *patrol.variants))
            for each in own
            if each.number == patrol.number
        ]
        patrols += found or [patrol]
    unserved = tuple(answer for answer in answers if isinstance(answer, Unserved))
    served_by = Counter(name for variant in given.values() for name in variant.serves)
    left_out = list_left_out(plan, list(best), unserved, served_by, all_schools=all_schools)
    left_out = (*plan.left_out, *left_out)
    return replace(plan, patrols=tuple(patrols), unserved=unserved, left_out=left_out)


def _give_places(
    wanted: Sequence[str],
    best: Mapping[str, Sequence[Patrol]],
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
