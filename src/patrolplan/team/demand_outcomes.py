"""What became of a week's demands: who meets each, or why nobody does."""

from collections.abc import Sequence

from patrolplan.team.demands import Demand
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week import DemandOutcome, Duty, Visitor
from patrolplan.times import format_time


def build_demand_outcomes(inputs: RotaInputs, duties: Sequence[Duty]) -> tuple[DemandOutcome, ...]:
    """The outcome of every demand of a week with these duties, in the order of the demands."""
    return tuple(_build_outcome(inputs, duties, demand) for demand in inputs.demands)


def _build_outcome(inputs: RotaInputs, duties: Sequence[Duty], demand: Demand) -> DemandOutcome:
    met_by = _find_visitors(inputs, duties, demand)
    return DemandOutcome(
        kind=demand.kind,
        place=demand.place,
        date=inputs.days[demand.days[0]] if demand.kind == "tasked" else None,
        visits=demand.visits,
        met_by=met_by,
    )


def _find_visitors(
    inputs: RotaInputs, duties: Sequence[Duty], demand: Demand
) -> tuple[Visitor, ...]:
    """Who comes to the place on days that count, in order of time."""
    days = {inputs.days[day] for day in demand.days}
    visits = [
        (duty.date, stop.arrive_minutes, duty)
        for duty in duties
        if duty.date in days
        for stop in duty.patrol.stops
        if (
            demand.place == stop.tasked if demand.kind == "tasked" else demand.place in stop.covered
        )
    ]
    visits.sort(key=lambda visit: visit[:2])
    return tuple(
        Visitor(duty.officer, duty.urn, date, format_time(arrive)) for date, arrive, duty in visits
    )
