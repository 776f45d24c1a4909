"""How a patrol would differ without pupils' reports, in a sentence for card and map."""

from patrolplan.outputs.reason_words import join_words
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.reports_change import SchoolWithoutReports


def describe_without_reports(plan: Plan, patrol: Patrol) -> str:
    """How the stops would differ without pupils' reports; empty if they would not.

    Stops are named by their number on the patrol. If a school has several officers, each patrol has
    the sentence for its own stops, and the first one's also mentions further stops. A patrol of a
    week has it only if it is the plan's best one: for others the answer is unknown.
    """
    changes = () if plan.without_reports is None else plan.without_reports.changes
    change = next((one for one in changes if one.urn == patrol.urn), None)
    if change is None or not any(_has_same_stops(patrol, own) for own in plan.patrols):
        return ""
    return _describe_change(change, patrol)


def _has_same_stops(patrol: Patrol, other: Patrol) -> bool:
    """Whether two patrols are of the same officer and school, with the same stops in any order."""
    keys = ((one.urn, one.number, {stop.hotspot for stop in one.stops}) for one in (patrol, other))
    first, second = keys
    return first == second


def _describe_change(change: SchoolWithoutReports, patrol: Patrol) -> str:
    numbers = [
        str(number)
        for number, stop in enumerate(patrol.stops, start=1)
        if stop.hotspot in change.only_with
    ]
    others = join_words(list(change.only_without))
    stops = f"{'stop' if len(numbers) == 1 else 'stops'} {join_words(numbers)}"
    if numbers and others:
        return f"Without pupils' reports: {others} instead of {stops}."
    if numbers:
        return f"Without pupils' reports: no {stops}."
    if others and not change.only_with and patrol.number == 1:
        return f"Without pupils' reports: {others} as well."
    return ""
