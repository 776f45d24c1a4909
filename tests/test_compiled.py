"""Compiled functions are cached in a folder of the user's own, and run where nothing is cached."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from patrolplan import compiled
from patrolplan.compiled import COMPILING, CompileClock

PROGRAM = """
import numpy as np
from patrolplan.compiled import find_code_folder
from patrolplan.patrols.solver.reduce import _shorten_times as shorten
print(find_code_folder())
minutes = np.array([[9.0, 1.0, 9.0], [9.0, 9.0, 1.0], [9.0, 9.0, 9.0]])
shorten(minutes, np.array([2.0, 2.0, 2.0]))
print(int(minutes[0, 2]), sum(shorten.compiled.stats.cache_hits.values()))
"""


def _run(parent):
    """Call a function of the package in a process of its own; gives folder, answer and hits."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(parent)}
    program = [sys.executable, "-c", PROGRAM]
    folder, answer, hits = subprocess.check_output(program, env=env, text=True).split()  # noqa: S603
    return Path(folder), int(answer), int(hits)


@pytest.fixture
def clock(monkeypatch):
    """A clock of the test's own, and what it announces."""
    own = CompileClock()
    own.heard = []
    own.announce = own.heard.append
    monkeypatch.setattr(compiled, "CLOCK", own)
    return own


def test_a_second_process_does_not_compile_again_unless_files_are_damaged(tmp_path):
    """The folder is the user's alone; emptied files give the same answer, and are replaced."""
    folder, answer, hits = _run(tmp_path)
    assert (answer, hits) == (4, 0)
    assert os.name == "nt" or folder.stat().st_mode & 0o777 == 0o700
    assert _run(tmp_path) == (folder, answer, 1)
    files = list(folder.rglob("*.nb*"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(path.read_bytes()[:9])
        assert _run(tmp_path) == (folder, answer, 0)
    assert _run(tmp_path) == (folder, answer, 1)


@pytest.mark.skipif(os.name == "nt", reason="a profile on Windows is the user's alone")
@pytest.mark.parametrize("way", ["link", "group", "others", "owner", "file"])
def test_a_planted_folder_is_not_used(tmp_path, monkeypatch, clock, way):
    """Where anybody else could write machine code, none is read or written; one line says so."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder, elsewhere = compiled.find_code_folder(), tmp_path / "elsewhere"
    if way == "link":
        elsewhere.mkdir(mode=0o700)
        folder.symlink_to(elsewhere)
    elif way == "file":
        folder.touch()
    else:
        folder.mkdir(mode=0o700)
        folder.chmod({"group": 0o770, "others": 0o702, "owner": 0o700}[way])
    if way == "owner":
        another = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: another)
    for _ in range(2):
        assert compiled.jit_compile("f8(f8)")(halve)(3.0) == 1.5
    assert not list(tmp_path.rglob("*.nb*"))
    assert sum("cannot be stored" in text for text in clock.heard) == 1


def test_another_state_of_the_sources_has_another_folder(tmp_path, monkeypatch):
    """Whatever compiled functions could depend on is hashed; rooms that have none are not."""
    root = Path(compiled.__file__).parent
    for room in compiled.NOTHING_COMPILED:
        assert not [p for p in (root / room).rglob("*.py") if "jit_compile" in p.read_text("utf-8")]
    for name in ("compiled.py", "constants.py", "cli/words.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("ONE = 1\n", encoding="utf-8")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    hash_sources = compiled._hash_sources.__wrapped__
    before = hash_sources()
    (tmp_path / "cli" / "words.py").write_text("ONE = 2\n", encoding="utf-8")
    assert hash_sources() == before
    (tmp_path / "constants.py").write_text("ONE = 2\n", encoding="utf-8")
    assert hash_sources() != before


def halve(number):
    """Half of a number."""
    return number / 2


def test_time_stands_still_while_something_is_compiled_or_loaded(clock, monkeypatch, tmp_path):
    """Neither a function being compiled, nor loading its code moves the clock on; waiting does."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = clock.read()
    time.sleep(0.02)
    assert clock.read() - before >= 0.02
    for signature in ("f8(f8)", None, "f8(f8)"):
        begun, clock_begun = time.perf_counter(), clock.read()
        assert compiled.jit_compile(signature)(halve)(3.0) == 1.5
        took, seen = time.perf_counter() - begun, clock.read() - clock_begun
        assert seen < max(0.3 * took, 0.02)
    assert clock.heard == [COMPILING]


def test_a_function_is_compiled_when_it_first_runs_and_with_those_that_it_calls():
    """Nothing is compiled before the first call; a compiled function may call another."""

    @compiled.jit_compile("i8(i8)", is_inner=True)
    def double(value):
        return 2 * value

    @compiled.jit_compile("i8(i8)")
    def double_twice(value):
        return double(double(value))

    assert (double._compiled, double_twice._compiled) == (None, None)
    assert double_twice(3) == 12
    assert double._compiled is not None


class _Pair(NamedTuple):
    """Two arrays."""

    first: np.ndarray
    second: np.ndarray


@pytest.mark.parametrize("allocates", [True, False])
def test_who_does_not_allocate_counts_no_references(monkeypatch, allocates):
    """Its machine code leaves references alone, that of others does not."""
    monkeypatch.setattr(compiled, "is_own_folder", lambda _: False)  # only fresh code is shown

    @compiled.jit_compile(allocates=allocates)
    def read_either(pair, place):
        array = pair.first if place > 1 else pair.second
        return array[place]

    assert read_either(_Pair(np.arange(3.0), np.ones(3)), 2) == 2.0
    (code,) = read_either.compiled.inspect_llvm().values()
    assert ("NRT_decref" in code) == allocates
