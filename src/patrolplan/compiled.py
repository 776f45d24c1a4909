"""Typed access to numba, apart so that commands that compute nothing need not load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., object]")


def jit_compile(signature: str | None = None) -> Callable[[Function], Function]:
    """Compile a function that lets other threads run, and cache the result on disk.

    Parameters
    ----------
    signature
        Numba's text form, such as ``"f8(f8[::1], i8)"``. Naming it makes numba compile exactly
        one version, when the module is imported, rather than one for each kind of caller. Without
        it the first call compiles; functions that take named tuples of arrays are left to that.
    """
    return cast(
        "Callable[[Function], Function]",
        numba.njit(signature, cache=True, error_model="numpy", nogil=True),
    )


@jit_compile("u8(u8, u8)")
def mix_bits(word: np.uint64, shift: np.uint64) -> np.uint64:
    """Spread a word's high bits over the low ones, for hash tables in compiled loops.

    One step of the generator SplitMix64 (Steele, Lea and Flood 2014).
    """
    return (word ^ (word >> shift)) * np.uint64(0xBF58476D1CE4E5B9)
