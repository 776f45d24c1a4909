"""Functions that Python runs itself, without numba, give the same bits as compiled code."""

import math
from dataclasses import replace

import numpy as np
from timed_towns import draw_town

from patrolplan import compiled
from patrolplan.patrols.solver import label_kernel, reduce, timed_kernel
from patrolplan.patrols.solver.label_setting import LabelExplorer
from patrolplan.patrols.solver.timed_labels import TimedExplorer, reduce_timed_problem


def _forget(patch, microseconds):
    """Start like a new process, with this time for Python; returns the functions."""
    patch.setattr(compiled, "_PYTHON", compiled._Python())
    patch.setattr(compiled, "PATIENCE_MICROSECONDS", microseconds)
    patch.setattr(compiled, "CALL_MICROSECONDS", microseconds)
    modules = (compiled, label_kernel, reduce, timed_kernel)
    kind = compiled._CompiledFunction
    functions = {f for module in modules for f in vars(module).values() if isinstance(f, kind)}
    for function in functions:
        patch.setattr(function, "_compiled", None)
    return functions


def _explore(seed):
    """All labels of a small problem with timed prizes, and of the same problem without."""
    town = draw_town(np.random.default_rng(seed), most_stops=6)
    prizes = np.append(0.0, np.random.default_rng(seed).uniform(1, 9, town.size - 1))
    plain = replace(town, timed_prizes=None, gate=None, prizes=prizes)
    for case, kind in (
        (reduce_timed_problem(town), TimedExplorer),
        (reduce.reduce_problem(plain), LabelExplorer),
    ):
        found = kind(case, case.officer_groups[0]).explore(case.value, 0.0, rising=seed % 2 == 0)
        for level in found.levels:
            yield from (level.sets, level.marks, level.links, case.officer_groups[0].min_times)


def test_python_and_machine_code_give_the_same_bits(monkeypatch):
    """All that they compute of small random problems is equal to the last bit."""
    answers = []
    for microseconds in (math.inf, -1.0):
        with monkeypatch.context() as patch:
            functions = _forget(patch, microseconds)
            arrays = [a for seed in range(8) for a in _explore(seed)]
            compiled_ones = [f for f in functions if f._compiled is not None]
            assert bool(compiled_ones) is (microseconds < 0)
            answers.append([(a.dtype, a.shape, a.tobytes()) for a in arrays])
    assert len(answers[0]) > 100
    assert answers[0] == answers[1]


def test_numba_comes_for_a_long_call_and_when_patience_is_at_an_end(monkeypatch):
    """Python runs a short call; a long one, and those after its time is used up, are compiled."""
    shorten = reduce._shorten_times
    times, dwell = np.ones((4, 4)), np.ones(2)
    with monkeypatch.context() as patch:
        _forget(patch, 100.0)
        shorten(times, dwell)
        shorten(times, dwell)
        assert shorten._compiled is None
        shorten(np.ones((9, 9)), np.ones(2))
        assert shorten._compiled is not None
        patch.setattr(shorten, "_compiled", None)
        shorten(times, dwell)
        shorten(times, dwell)
        assert shorten._compiled is not None
