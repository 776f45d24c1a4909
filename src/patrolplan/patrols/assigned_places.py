"""Tasked places of a plan without a week: each is assigned to the schools that serve it best."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.errands import Answer, Errand, find_other_hours, find_visits, plan_errands
from patrolplan.patrols.nearest_miss import list_left_out
from patrolplan.patrols.plan import Patrol, Plan, Unserved, Variant
from patrolplan.patrols.planning_inputs import PlanningInputs

UNSERVED = 1e6
"""Cost of a visit that is not made: more than the worth of any patrol."""

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

    The number of schools that visit a place is its number of visits; they are those whose patrols
    lose the least worth. If there are enough schools, none visits two places; one that does has a
    patrol to both. The patrols of other schools do not change. `inputs` are those of the plan,
    which has no further patrols; `all_schools` says whether it is for all schools of the area.
    """
    best: dict[str, list[Patrol]] = {}
    for patrol in plan.patrols:
        best.setdefault(patrol.urn, []).append(patrol)
    urns, window = list(best), inputs.window

    def plan_visits(errands: Sequence[Errand]) -> list[Answer]:
        items = [(errand, best[errand.urn]) for errand in errands]
        return plan_errands(
            plan, window, items, inputs=inputs, executor=executor, report_progress=report_progress
        )

    errands = list(find_visits(plan.area, plan.date, window, urns))
    answers = plan_visits(errands)
    served = {
        (errand.visit[0], errand.urn): answer
        for errand, answer in zip(errands, answers, strict=True)
        if isinstance(answer, Variant)
    }
    given = _give_places(_count_wanted(plan, served), best, served, plan_visits)
    unserved = (
        *find_other_hours(plan.area, plan.date, window, urns),
        *(answer for answer in answers if isinstance(answer, Unserved)),
    )
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


def _pair_at_least_loss(loss: NDArray[np.float64]) -> Iterable[tuple[int, int]]:
    """Row and column of each pair of the assignment with the minimum sum."""
    if len(loss) <= 1:
        return ((0, int(np.argmin(row))) for row in loss if len(row))
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - heavy, and for this alone

    return zip(*linear_sum_assignment(loss), strict=True)


def _give_places(
    wanted: Sequence[str],
    best: Schools,
    served: Mapping[tuple[str, str], Variant],
    plan_visits: Callable[[Sequence[Errand]], list[Answer]],
) -> dict[str, Variant]:
    """The patrol of each school: first at most one place per school, then further ones.

    The first step is an assignment of minimum loss. Places left over are then tried with schools
    that already visit others, in ascending order of loss.
    """
    urns = list(best)
    loss = np.full((len(wanted), len(urns)), UNSERVED)
    for row, name in enumerate(wanted):
        for column, urn in enumerate(urns):
            if (name, urn) in served:
                loss[row, column] = _measure_loss(best[urn], served[name, urn])
    given: dict[str, Variant] = {}
    left = dict(enumerate(wanted))
    for row, column in _pair_at_least_loss(loss):
        if loss[row, column] < UNSERVED:
            given[urns[column]] = served[left.pop(int(row)), urns[column]]
    for row, name in left.items():
        for column in np.argsort(loss[row], kind="stable"):
            urn = urns[column]
            if loss[row, column] == UNSERVED or urn not in given or name in given[urn].serves:
                continue
            (answer,) = plan_visits([Errand(urn, visit=(*given[urn].serves, name))])
            if isinstance(answer, Variant):
                given[urn] = answer
                break
    return given


def _measure_loss(best: Sequence[Patrol], variant: Variant) -> float:
    """Worth that a school's patrols lose if they are replaced by those of a variant."""
    return sum(patrol.worth for patrol in best) - sum(patrol.worth for patrol in variant.patrols)


def _take_patrol(patrol: Patrol, best: Sequence[Patrol], variant: Variant) -> Patrol:
    """An officer's patrol of a variant; the best ones, without its places, become a variant."""
    without = Variant(
        worth_share=1.0,
        hotspots=tuple(stop.hotspot for each in best for stop in each.stops),
        patrols=tuple(replace(each, variants=()) for each in best),
    )
    (mine,) = (each for each in variant.patrols if each.number == patrol.number)
    return replace(mine, variants=(without, *patrol.variants))
