"""Trials made up the slow way, to compare the power and the test with."""

import numpy as np

from patrolplan.team.secret import Secret
from patrolplan.team.trial.analysis import Outcome, estimate_effect
from patrolplan.team.trial.design import Block, draw_blocks, list_references


def simulate_trials(layout, effect, *, trials, seed):
    """The effects found in trials that are drawn by keys and counted one cell after the other."""
    rng = np.random.default_rng(seed)
    sets, size, blocks = layout.expected.shape
    labels = [Block(f"{number}", ()) for number in range(blocks)]
    found = []
    for number in range(trials):
        key = Secret(rng.bytes(32)).make_trial_key("Area", f"{number}")
        treated = draw_blocks(key, labels, sets=sets, ratio=layout.ratio)
        counts = np.zeros(layout.expected.shape)
        for place in np.ndindex(sets, size):
            moods = [1.0] * (1 + layout.factor.max())
            if layout.dispersion:
                shape = 1 / layout.dispersion
                moods = [rng.gamma(shape, layout.dispersion) for _ in moods]
            for block in range(blocks):
                mean = layout.expected[(*place, block)] * moods[layout.factor[block]]
                if treated[(*place, block)]:
                    mean *= 1 - effect
                counts[(*place, block)] = rng.poisson(mean)
        references = list_references(sets, blocks, layout.ratio, seed=number)
        found.append(estimate_effect(Outcome(counts, layout.expected, treated), references))
    return found
