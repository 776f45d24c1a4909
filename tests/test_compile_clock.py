"""The clock of time limits stops while code is compiled or loaded, and users are informed."""

import os
import subprocess
import sys
import time

import numba
import pytest

from patrolplan import compiled, machine_code
from patrolplan.compile_clock import COMPILING, CompileClock

SOLVE = """
import numpy as np, sys
from patrolplan import compiled
from patrolplan.compile_clock import CLOCK
from patrolplan.patrols.orienteering import MaxSeconds, Officer, OrienteeringProblem, solve
CLOCK.announce = lambda text: print(text, file=sys.stderr)
rng = np.random.default_rng(7)
xy = rng.uniform(0.0, 60.0, (150, 2))
problem = OrienteeringProblem(
    travel_minutes=np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)),
    prizes=np.r_[0.0, rng.integers(1, 20, 149)],
    dwell_minutes=np.zeros(150),
    officers=(Officer(start=0, end=0, latest_minutes=250.0),),
)
for _ in range(2):
    print(solve(problem, stop=MaxSeconds(2.0)).worth)
"""


def test_time_stands_still_while_something_is_compiled():
    """Neither a function being compiled nor one within it moves the clock on."""
    clock, heard = CompileClock(), []
    clock.announce = heard.append
    before = clock.read()
    clock.begin()
    clock.begin()
    time.sleep(0.02)
    clock.end()
    time.sleep(0.02)
    during = clock.read()
    clock.end()
    assert during - before < 0.01
    assert clock.read() - before < 0.01
    with clock.stand_still():
        time.sleep(0.02)
        assert clock.read() - before < 0.01
    time.sleep(0.02)
    assert clock.read() - before >= 0.02
    assert heard == [COMPILING]


def test_time_stands_still_while_what_is_compiled_is_loaded(tmp_path, monkeypatch):
    """Code is looked up, and loaded where it is stored, in no time of the clock."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    seen = []
    load = machine_code.FunctionCache.load_overload

    def watch(*values):
        seen.append(machine_code.CLOCK._depth)
        return load(*values)

    monkeypatch.setattr(machine_code.FunctionCache, "load_overload", watch)
    assert compiled.jit_compile("f8(f8)")(halve)(3.0) == 1.5
    assert compiled.jit_compile()(halve)(3.0) == 1.5
    assert len(seen) >= 2
    assert min(seen) > 0
    assert machine_code.CLOCK._depth == 0


def halve(number):
    """Half of a number."""
    return number / 2


@pytest.mark.slow
def test_a_limit_leaves_the_search_its_time_where_nothing_is_compiled_yet(tmp_path):
    """With an empty cache an answer is as good as the next, which finds all compiled."""
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SOLVE],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "compiled")},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = map(float, run.stdout.split())
    assert first >= 0.97 * second
    assert run.stderr.count(COMPILING) == 1


def test_where_no_folder_can_be_written_functions_run_and_one_line_says_so(monkeypatch):
    """Functions are compiled all the same, and it is announced once, however many there are."""
    clock, heard = CompileClock(), []
    clock.announce = heard.append

    def refuse(*_):
        message = "no locator available"
        raise RuntimeError(message)

    monkeypatch.setattr(machine_code, "CLOCK", clock)
    monkeypatch.setattr(machine_code, "_SealedCache", refuse)
    for name in ("first", "second"):
        answer = compiled.jit_compile("i8(i8)")(lambda number: 2 * number)
        assert answer(7) == 14, name
    assert sum("cannot be stored" in text for text in heard) == 1
