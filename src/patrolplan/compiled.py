"""Functions that are compiled when they are first called.

Loading numba, and the machine code of a function from its cache, costs a tenth of a second and
more, so nothing of it happens before a compiled function runs: a command that computes nothing, or
finds everything in the cache, never pays for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., object])

_LOCK = RLock()
"""One thread compiles at a time; another that calls the same function waits for its code."""


class _CompiledFunction:
    """A function that numba compiles when it, or another compiled one that uses it, first runs."""

    def __init__(
        self, function: Callable[..., object], signature: str | None, *, is_inlined: bool
    ) -> None:
        functools.update_wrapper(self, function)
        self._signature, self._is_inlined = signature, is_inlined
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's form of the function, with its code."""
        if self._compiled is None:
            with _LOCK:
                if self._compiled is None:
                    from patrolplan.machine_code import compile_function  # noqa: PLC0415

                    self._compiled = compile_function(
                        self.__wrapped__,  # type: ignore[attr-defined]
                        self._signature,
                        is_inlined=self._is_inlined,
                    )
        return self._compiled

    def __call__(self, *values: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        return (self._compiled or self.compiled)(*values)

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 - numba's own kind
        """What numba reads where another compiled function calls this one."""
        return self.compiled._numba_type_


def jit_compile(
    signature: str | None = None, *, is_inlined: bool = False
) -> Callable[[Function], Function]:
    """Compile a function when it first runs. Other threads may run then; its code is cached.

    Parameters
    ----------
    signature
        Numba's text form, such as ``"f8(f8[::1], i8)"``. Naming it makes numba compile exactly
        one version rather than one for each kind of caller; functions that take named tuples of
        arrays are left to that.
    is_inlined
        Whether its code becomes a part of every compiled function that calls it. For small ones
        that take named tuples of arrays: handing those over takes longer than what they do.
    """

    def defer(function: Function) -> Function:
        return cast("Function", _CompiledFunction(function, signature, is_inlined=is_inlined))

    return defer


@jit_compile("u8(u8, u8)")
def mix_bits(word: np.uint64, shift: np.uint64) -> np.uint64:
    """Spread a word's high bits over the low ones, for hash tables in compiled loops.

    One step of the generator SplitMix64 (Steele, Lea and Flood 2014).
    """
    return (word ^ (word >> shift)) * np.uint64(0xBF58476D1CE4E5B9)


@jit_compile("i8(i8)")
def widen(number: int) -> int:
    """Give a constant the type of all whole numbers.

    To numba a constant is a type of its own, for which it compiles all that takes it once more.
    """
    return number
