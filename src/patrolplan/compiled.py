"""Functions that are compiled on their first call.

Loading numba, and the machine code of a function from its cache, takes a tenth of a second or more,
so it does not happen before a compiled function runs: a command that computes nothing, or finds
everything in the cache, never spends this time.

Nor does a command with little to compute, such as a patrol of forty minutes: Python itself runs the
same function in less time than numba needs to load. The time of such a call is estimated from its
values by the function's own rule; both ways give identical bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import RLock, local
from typing import Any, TypeVar, cast

import numpy as np

from patrolplan.compile_clock import CLOCK

Function = TypeVar("Function", bound=Callable[..., object])

_LOCK = RLock()
"""Only one thread compiles at a time; others that call the same function wait for its code."""


Estimate = Callable[..., float]
"""Microseconds that Python itself needs for a call with these values."""

CALL_MICROSECONDS = 20_000
"""Maximum microseconds of a call that Python runs itself; longer ones use numba."""

PATIENCE_MICROSECONDS = 250_000
"""Total of calls run by Python after which numba is loaded, which takes two to three times as
long."""


class _Python(local):
    """Per thread, the time of calls run by Python, and whether one is running."""

    microseconds, is_running = 0.0, False

    def run(self, function: Callable[..., object], values: tuple[Any, ...]) -> object:
        """Run a function, and all compiled ones that it calls, in Python, with numba's results."""
        self.is_running = True
        try:
            with np.errstate(all="ignore"):  # integers overflow silently in machine code
                return function(*values)
        finally:
            self.is_running = False


_PYTHON = _Python()


def _view_items(value: Any) -> Any:  # noqa: ANN401 - an array, a tuple of them, or a number
    """Arrays as views whose items are Python numbers, which are faster."""
    if isinstance(value, tuple):
        return tuple(map(_view_items, value))
    return value.data if isinstance(value, np.ndarray) else value


class _CompiledFunction:
    """A function that numba compiles when it, or a compiled caller, first runs."""

    def __init__(
        self,
        function: Callable[..., object],
        signature: str | None,
        *,
        is_inner: bool,
        is_inlined: bool,
        allocates: bool,
        is_by_item: bool,
        estimate: Estimate | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self._signature, self._estimate = signature, estimate
        self._is_inner, self._is_inlined, self._is_by_item = is_inner, is_inlined, is_by_item
        self._allocates, self._compiled = allocates, cast("Any", None)

    @property
    def compiled(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's dispatcher of the function, with its code."""
        if self._compiled is None:
            with _LOCK:
                if self._compiled is None:
                    with CLOCK.stand_still():
                        from patrolplan.machine_code import compile_function  # noqa: PLC0415

                        self._compiled = compile_function(
                            self.__wrapped__,  # type: ignore[attr-defined]
                            self._signature,
                            is_inner=self._is_inner,
                            is_inlined=self._is_inlined,
                            allocates=self._allocates,
                            parts=find_parts(self.__wrapped__),  # type: ignore[attr-defined]
                        )
        return self._compiled

    def __call__(self, *values: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        if _PYTHON.is_running:
            return self.__wrapped__(*values)  # type: ignore[attr-defined]
        if self._compiled is None and self._is_short(values):
            given = _view_items(values) if self._is_by_item else values
            return _PYTHON.run(self.__wrapped__, given)  # type: ignore[attr-defined]
        compiled = self._compiled or self.compiled
        if self._is_inner and compiled is not self.__wrapped__:  # type: ignore[attr-defined]
            # A call would crash; with compiling switched off it is a plain function.
            message = f"{self.__name__}: Python cannot call it while it `is_inner`"  # type: ignore[attr-defined]
            raise TypeError(message)
        return compiled(*values)

    def _is_short(self, values: tuple[Any, ...]) -> bool:
        """Whether Python should run a call; adds its time to the total."""
        if self._estimate is None:
            return False
        microseconds = self._estimate(*values)
        if microseconds > min(CALL_MICROSECONDS, PATIENCE_MICROSECONDS - _PYTHON.microseconds):
            return False
        _PYTHON.microseconds += microseconds
        return True

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's type of this function, for compiled callers."""
        return self.compiled._numba_type_


def jit_compile(
    signature: str | None = None,
    *,
    is_inner: bool = False,
    is_inlined: bool = False,
    allocates: bool = True,
    is_by_item: bool = False,
    python_microseconds: Estimate | None = None,
) -> Callable[[Function], Function]:
    """Compile a function when it first runs; it releases the GIL, and its code is cached.

    Parameters
    ----------
    signature
        In numba's syntax, such as ``"f8(f8[::1], i8)"``. With it numba compiles exactly one version
        rather than one for each combination of types; functions with named tuples of arrays are
        written without one.
    is_inner
        Only compiled functions call it. That saves compiling an entry point from Python, which for
        a named tuple of arrays takes longer than a short function; a call from Python raises
        TypeError.
    is_inlined
        Whether its code is inlined into every compiled caller. For small functions with named
        tuples of arrays, since passing those takes longer than the function itself.
    allocates
        Whether it creates, copies or returns arrays. If not, numba does not count references to its
        arrays at every call and branch: for a search over a named tuple of sixty arrays that took
        eighteen times as long as the search itself. Functions that it calls with its arrays must
        not allocate either, to benefit from that.
    is_by_item
        Whether it only reads and writes its arrays item by item: Python then runs it in half the
        time.
    python_microseconds
        Estimate of Python's time for a call, from its values; None if it is always too long.
    """

    def defer(function: Function) -> Function:
        deferred = _CompiledFunction(
            function,
            signature,
            is_inner=is_inner,
            is_inlined=is_inlined,
            allocates=allocates,
            is_by_item=is_by_item,
            estimate=python_microseconds,
        )
        return cast("Function", deferred)

    return defer


def find_parts(function: Callable[..., object]) -> set[Callable[..., object]]:
    """A function and all compiled ones that are inlined into it, as plain functions."""
    from patrolplan.machine_code import find_globals  # noqa: PLC0415 - loads numba

    found: set[Callable[..., object]] = set()
    waiting = [function]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += [
                value.__wrapped__  # type: ignore[attr-defined]
                for value in find_globals(part)
                if isinstance(value, _CompiledFunction)
            ]
    return found


@jit_compile("u8(u8, u8)")
def mix_bits(word: np.uint64, shift: np.uint64) -> np.uint64:
    """Spread a word's high bits over the low ones, for hash tables in compiled loops.

    One step of the generator SplitMix64 (Steele, Lea and Flood 2014).
    """
    return (word ^ (word >> shift)) * np.uint64(0xBF58476D1CE4E5B9)


@jit_compile("i8(i8)", is_inner=True)
def widen(number: int) -> int:
    """Give a constant the general integer type.

    In numba a constant has its own type, for which functions would be compiled again.
    """
    return number
