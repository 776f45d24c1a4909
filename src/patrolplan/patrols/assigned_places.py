"""Tasked places of a plan without a week: each is given to the schools that serve it best."""

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
"""What a visit costs that nobody makes: more than any patrol is worth."""

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

    As many schools visit a place as it asks visits for, those whose patrols lose least worth by
    it. As far as there are enough schools, none visits two places; one that does has a patrol to
    both. The patrols of other schools stay as they are.

    Parameters
    ----------
    plan
        Of one day or none, without further patrols.
    inputs
        What it was made from.
    all_schools
        Whether the plan is for all schools of the area.
    executor, report_progress
        As for `patrolplan.patrols.planner.plan_patrols`.
    """
    best: dict[str, list[Patrol]] = {}
    for patrol in plan.patrols:
        best.setdefault(patrol.urn, []).append(patrol)
    urns, window = list(best), inputs.window

    def plan_visits(errands: Sequence[Errand]) -> list[Answer]:
        items = [(errand, best[errand.urn]) for errand in errands]
        return plan_errands(
            plan,
            window,
            items,
            inputs=inputs,
            executor=executor,
            report_progress=report_progress,
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
    """Each place that somebody can visit, as often as it asks for visits."""
    places = plan.area.tasked_places.set_index("place_id")["visits"]
    names = dict.fromkeys(name for name, _ in served)
    return [name for name in names for _ in range(int(places[name]))]


def _pair_at_least_loss(loss: NDArray[np.float64]) -> Iterable[tuple[int, int]]:
    """Row and column of each pair of an assignment whose sum is lowest."""
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
    """Which school takes which patrol: one place for one school first, then further ones.

    The first is an assignment at least loss. What is left over is then tried with the schools that
    visit others already, those first that lose least by it.
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
    """Worth that a school's patrols lose where they are those of a variant."""
    return sum(patrol.worth for patrol in best) - sum(patrol.worth for patrol in variant.patrols)


def _take_patrol(patrol: Patrol, best: Sequence[Patrol], variant: Variant) -> Patrol:
    """An officer's patrol of a variant; the best ones without its places are a variant now."""
    without = Variant(
        worth_share=1.0,
        hotspots=tuple(stop.hotspot for each in best for stop in each.stops),
        patrols=tuple(replace(each, variants=()) for each in best),
    )
    (mine,) = (each for each in variant.patrols if each.number == patrol.number)
    return replace(mine, variants=(without, *patrol.variants))
