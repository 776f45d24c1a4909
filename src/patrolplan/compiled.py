"""Functions that numba compiles when they first run, and a clock that stops meanwhile.

Loading numba takes some tenths of a second: a command that runs no such function never loads it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from patrolplan.atomic import hash_content
from patrolplan.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., object]")

COMPILING = "Compiling for this computer, once: about 10 s for patrols, 20 s with a week ..."
NOT_STORED = (
    "What is compiled cannot be stored ({folder}: not writable, or not by you alone), so every run "
    "compiles again; set NUMBA_CACHE_DIR to a folder of your own."
)

NOTHING_COMPILED = ("board", "cli", "outputs")
"""Rooms that no compiled function is in or depends on: their sources are not hashed."""

_LOCK = threading.RLock()


class CompileClock:
    """Seconds of this process, without those in which functions were compiled or loaded."""

    # The first run on a computer compiles for some seconds, in which no search makes progress; each
    # later process loads the code. A limit of one second must give a search that second, so that
    # its answer depends on neither.

    announce: Callable[[str], None] | None = None  # called once with each text to show to users

    def __init__(self) -> None:
        self._announced: set[str] = set()

    def read(self) -> float:
        """Seconds since an arbitrary moment; only differences are meaningful."""
        compiling = _time_numba()
        return time.perf_counter() - (compiling.duration if compiling.done else 0.0)

    def say_once(self, text: str) -> None:
        """Announce a text, unless that was done before or there is no callback."""
        if self.announce is not None and text not in self._announced:
            self._announced.add(text)
            self.announce(text)


CLOCK = CompileClock()  # The one clock of the process


class _CompiledFunction:
    """A function that numba compiles when it, or a compiled caller, first runs."""

    def __init__(self, function: Any, signature: str | None, options: dict[str, Any]) -> None:  # noqa: ANN401
        functools.update_wrapper(self, function)
        self._function = function
        self._signature = signature
        self._options = options
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's dispatcher of the function, with its code."""
        with _LOCK:
            if self._compiled is None:
                self._compiled = _compile(self._function, self._signature, self._options)
        return self._compiled

    def __call__(self, *values: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        return (self._compiled or self.compiled)(*values)

    @property
    def _numba_type_(self) -> Any:  # noqa: ANN401 - numba's own kind, for compiled callers
        return self.compiled._numba_type_


def jit_compile(
    signature: str | None = None,
    *,
    is_inner: bool = False,
    is_inlined: bool = False,
    allocates: bool = True,
) -> Callable[[Function], Function]:
    """Compile a function when it first runs; it releases the GIL, and its code is cached."""
    # With a signature, such as "f8(f8[::1], i8)", numba compiles exactly one version; functions
    # with named tuples of arrays have none. An inner function is only called by compiled ones (a
    # call from Python would crash), which saves compiling an entry point. Small functions with
    # named tuples are inlined, as passing those takes longer than the function. If nothing
    # allocates (creates, copies or returns arrays), nor what it calls, numba counts no references
    # at every call and branch: for a search over sixty arrays that took 18 times the search.
    options = {
        "error_model": "numpy",
        "nogil": True,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": is_inner,
        "forceinline": is_inlined,
        "_nrt": allocates,  # numba's runtime, which counts references
    }

    def defer(function: Function) -> Function:
        return cast("Function", _CompiledFunction(function, signature, options))

    return defer


@functools.cache
def _time_numba() -> Any:  # noqa: ANN401 - numba's own kind
    """The time that numba takes to compile and to load code, from now on; loads numba."""
    from numba.core import event  # noqa: PLC0415 - takes long

    timer = event.TimingListener()
    event.register("numba:compiler_lock", timer)  # held while anything is compiled or loaded
    return timer


@functools.cache
def _build_cache() -> Any:  # noqa: ANN401 - numba's own kind
    """Numba's cache of the code of one function, which damage and a full disk do not stop."""
    from numba.core import caching  # noqa: PLC0415 - takes long

    class Cache(caching.FunctionCache):  # type: ignore[misc]
        def load_overload(self, *key: object) -> object:
            try:
                code = super().load_overload(*key)
            except Exception:  # noqa: BLE001 - a pickle that was cut short may raise anything
                code = self.flush()
            if code is None:
                CLOCK.say_once(COMPILING)
            return code

        def save_overload(self, *code: object) -> None:
            with contextlib.suppress(OSError):  # a full disk: the next process compiles again
                super().save_overload(*code)

    return Cache


def _compile(function: Any, signature: str | None, options: dict[str, Any]) -> Any:  # noqa: ANN401 - numba's own kind
    """Numba's dispatcher of a function, with its cache; compiled if it has a signature."""
    _time_numba()  # before anything is compiled
    import numba  # noqa: PLC0415 - takes long

    dispatcher = numba.njit(**options)(function)
    folder = find_code_folder()
    if is_own_folder(folder):
        numba.config.CACHE_DIR = str(folder)
        dispatcher._cache = _build_cache()(function)  # noqa: SLF001 - as enable_caching sets its own
    else:
        CLOCK.say_once(NOT_STORED.format(folder=folder))
    if signature is not None:  # as in njit with a signature, but after the cache was replaced
        dispatcher.compile(signature)
        dispatcher.disable_compile()
    return dispatcher


@functools.cache
def _hash_sources() -> str:
    # Numba itself notices a change in the file of a function, but not in one from which it calls a
    # compiled function or takes a constant.
    root = Path(__file__).parent
    paths = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    hashed = [path for path in paths if path.parts[0] not in NOTHING_COMPILED]
    return hash_content(*((root / path).read_bytes() for path in hashed))[:16]


def find_code_folder() -> Path:
    """Folder of the machine code of these very sources."""
    return cache_folder("NUMBA_CACHE_DIR").absolute() / f"compiled-{_hash_sources()}"


def is_own_folder(folder: Path) -> bool:
    """Whether a folder, made if it is absent, is the user's and nobody else can write it."""
    # Whoever can write it runs code as the user. A link may lead to a folder of somebody else. On
    # Windows it lies in the user's profile, which nobody else can write.
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    is_own = os.name == "nt" or (status.st_uid == os.getuid() and not others_write)
    return is_own and stat.S_ISDIR(status.st_mode) and os.access(folder, os.W_OK)
