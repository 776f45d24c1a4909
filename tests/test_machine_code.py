"""Compiled functions are cached in sealed files, and run where nothing can be cached."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest

from patrolplan import compiled, machine_code

KEY = ("signature", "processor")


def _open_files(folder, stamp=(1.0, 2)):
    return machine_code._SealedFiles(str(folder), "function", stamp)


def test_an_entry_is_read_back_as_it_was_stored(tmp_path):
    """An entry is read by another process with the same key, but not with another key."""
    _open_files(tmp_path).save(KEY, ("code", b"\x00\x01"))
    assert _open_files(tmp_path).load(KEY) == ("code", b"\x00\x01")
    assert _open_files(tmp_path).load(("other", "processor")) is None


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_no_damaged_file_is_used(tmp_path, suffix):
    """If any bit is flipped, or a file is truncated, it counts as absent and is replaced."""
    _open_files(tmp_path).save(KEY, "code")
    (path,) = tmp_path.glob(f"*.{suffix}")
    whole = path.read_bytes()
    flipped = [
        whole[:place] + bytes([byte ^ (1 << place % 8)]) + whole[place + 1 :]
        for place, byte in enumerate(whole)
    ]
    cut = [whole[:length] for length in range(len(whole))]
    for content in [*flipped, *cut, whole + b"more"]:
        path.write_bytes(content)
        assert _open_files(tmp_path).load(KEY) is None
    _open_files(tmp_path).save(KEY, "code")
    assert path.read_bytes() == whole
    assert _open_files(tmp_path).load(KEY) == "code"


def test_an_entry_of_another_source_is_not_used(tmp_path):
    """Code compiled from another state of the source file counts as absent."""
    _open_files(tmp_path, (1.0, 2)).save(KEY, "code")
    assert _open_files(tmp_path, (3.0, 2)).load(KEY) is None


PROGRAM = """
import numba
import numpy as np
from patrolplan.compiled import mix_bits
print(mix_bits(np.uint64(5), np.uint64(3)), sum(mix_bits.compiled.stats.cache_hits.values()))
"""


def _begin(folder):
    return subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )


def _run(folder):
    return _begin(folder).communicate()[0].split()


def test_of_two_processes_one_compiles_and_the_other_waits_for_it(tmp_path):
    """Both have the answer, and one of them had the code from the other."""
    runs = [_begin(tmp_path), _begin(tmp_path)]
    (one, hits), (other, more_hits) = (run.communicate()[0].split() for run in runs)
    assert one == other
    assert sorted([hits, more_hits]) == ["0", "1"]


def test_a_process_compiles_again_what_was_damaged(tmp_path):
    """Emptied files give the same answer as valid ones, and are replaced."""
    expected = str(np.uint64(compiled.mix_bits(np.uint64(5), np.uint64(3))))
    assert _run(tmp_path) == [expected, "0"]
    assert _run(tmp_path) == [expected, "1"]
    files = sorted(path for path in Path(tmp_path).rglob("*.nb*"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(b"")
    assert _run(tmp_path) == [expected, "0"]
    assert _run(tmp_path) == [expected, "1"]


def test_functions_run_where_no_folder_can_be_written(monkeypatch):
    """Without a place for a cache a function is compiled all the same."""

    def refuse(*_):
        message = "cannot cache function: no locator available"
        raise RuntimeError(message)

    monkeypatch.setattr(machine_code, "_SealedCache", refuse)
    double = compiled.jit_compile("f8(f8)")(lambda value: 2 * value)
    assert double(4.0) == 8.0


def test_the_cache_folder_serves_where_the_source_is_read_only(monkeypatch, tmp_path):
    """If numba finds no folder, compiled code is stored in patrolplan's cache folder."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    monkeypatch.setattr(machine_code.numba.config, "CACHE_DIR", "")
    real, tries = machine_code._SealedCache, []

    def refuse_once(function, parts):
        tries.append(function)
        if len(tries) == 1:
            message = "cannot cache function: no locator available"
            raise RuntimeError(message)
        return real(function, parts)

    monkeypatch.setattr(machine_code, "_SealedCache", refuse_once)

    def triple(value):
        return 3 * value

    assert compiled.jit_compile("f8(f8)")(triple)(2.0) == 6.0
    assert list((tmp_path / "compiled").rglob("*.nbc"))


def test_a_function_is_compiled_when_it_first_runs_and_with_those_that_it_calls():
    """Nothing is compiled before the first call; a compiled function may call another."""

    @compiled.jit_compile("i8(i8)")
    def double(value):
        return 2 * value

    @compiled.jit_compile("i8(i8)")
    def double_twice(value):
        return double(double(value))

    assert (double._compiled, double_twice._compiled) == (None, None)
    assert double_twice(3) == 12
    assert double._compiled is not None


def test_an_inner_function_is_called_by_compiled_ones_only():
    """Called from Python it raises an error that names it, rather than crash the process."""

    @compiled.jit_compile("i8(i8)", is_inner=True)
    def double_within(number):
        return 2 * number

    @compiled.jit_compile("i8(i8)")
    def add_double(number):
        return number + double_within(number)

    assert add_double(5) == 15
    with pytest.raises(TypeError, match="double_within"):
        double_within(5)


class _Pair(NamedTuple):
    """Two arrays."""

    first: np.ndarray
    second: np.ndarray


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
@pytest.mark.parametrize("allocates", [True, False])
def test_who_does_not_allocate_counts_no_references(monkeypatch, allocates):
    """Its machine code leaves references alone, that of others does not."""
    monkeypatch.setattr(
        machine_code, "_open_cache", lambda *_: None
    )  # none but fresh code is shown

    @compiled.jit_compile(allocates=allocates)
    def read_either(pair, place):
        array = pair.first if place > 1 else pair.second
        return array[place]

    assert read_either(_Pair(np.arange(3.0), np.ones(3)), 2) == 2.0
    (code,) = read_either.compiled.inspect_llvm().values()
    assert ("NRT_decref" in code) == allocates


INNER = """
from patrolplan.compiled import jit_compile
SHIFT = {shift}
@jit_compile(is_inner=True)
def add(value):
    return value + {step} + SHIFT
"""

OUTER = """
from patrolplan.compiled import jit_compile
from inner import SHIFT, add
@jit_compile("i8(i8)")
def run(value):
    return add(value) * SHIFT
print(run(1), sum(run.compiled.stats.cache_hits.values()))
"""


def test_code_of_another_file_that_has_changed_is_compiled_again(tmp_path):
    """Functions that a function calls, and constants that it uses, may be in another file."""
    program = tmp_path / "outer.py"
    program.write_text(OUTER, encoding="utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run(shift, step):
        inner = tmp_path / "inner.py"
        inner.write_text(INNER.format(shift=shift, step=step), encoding="utf-8")
        os.utime(inner, (10.0 * shift + step, 10.0 * shift + step))
        command = [sys.executable, "-B", str(program)]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603
        return done.stdout.split()

    assert run(shift=2, step=3) == [b"12", b"0"]
    assert run(shift=2, step=3) == [b"12", b"1"]
    assert run(shift=2, step=4) == [b"14", b"0"]
    assert run(shift=5, step=4) == [b"50", b"0"]
