"""How the pooled stack weighs its models in each category, and what it gained over counts."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.intervals import MIN_INTERVAL_MONTHS, compute_interval, draw_months
from patrolplan.risk.models import MIN_EVENTS_TO_COMPARE, ModelChoice
from patrolplan.risk.rolling_origin import AUTO, Trials
from patrolplan.risk.scores import divide


def compute_log_score_gain(
    trials: Trials, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(m, j + 1) log score over the smoothed prior count in bits an incident, and its interval."""
    gains, events = trials.bits - trials.smoothed_bits, trials.events.astype(np.float64)
    weights = draw_months(len(trials.origins), seed=seed)
    gain = divide(gains.sum(axis=1), events.sum(axis=0))
    drawn = divide(np.einsum("do,moj->dmj", weights, gains), (weights @ events)[:, None])
    return gain, *compute_interval(gain, drawn, len(trials.origins))


def describe_stack(trials: Trials, seed: int) -> tuple[ModelChoice, ...]:
    """The weights of the models in each category for the month to come, and what they gained."""
    stack, months, auto = trials.stacks[-1], len(trials.origins), trials.models.index(AUTO)
    events = trials.events.sum(axis=0)
    is_enough = (events >= MIN_EVENTS_TO_COMPARE) & (months >= MIN_INTERVAL_MONTHS)
    gains = np.full((3, len(events)), np.nan)
    if is_enough.any():
        gains = np.stack([part[auto] for part in compute_log_score_gain(trials, seed)])
    choices = []
    for column, category in enumerate(trials.categories[:-1]):
        gain, low, high = gains[:, column].tolist() if is_enough[column] else (None, None, None)
        weights = dict(zip(stack.names, stack.weights[column].tolist(), strict=True))
        basis = int(events[column]), months, trials.min_crime_count
        choices.append(ModelChoice(category, weights, gain, low, high, *basis))
    return tuple(choices)
