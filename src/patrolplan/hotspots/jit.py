"""A typed door to numba, which has no type hints of its own."""

from collections.abc import Callable
from typing import TypeVar
from typing import cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile for one signature and keep the result on disk; threads may run it side by side."""
    return cast("Callable[[Function], Function]", numba.njit(signature, cache=True, nogil=True))
