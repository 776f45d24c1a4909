"""A typed door to numba, which has no type hints of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import TypeVar
from typing import cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., object]")


def compiled(signature: str | None = None) -> Callable[[Function], Function]:
    """Compile a function, for threads to run side by side, and keep the result on disk.

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
