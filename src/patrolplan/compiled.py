"""Functions that numba compiles when they first run, and a clock that stops meanwhile.

Numba is loaded when a compiled function first runs: a command that computes nothing, or finds
everything in the cache, does not wait for it. Machine code is cached in a folder of the user's own,
which is named by a hash of the sources: numba does not notice that a function inlined from another
file, or a constant from there, has changed. Whoever can write this folder runs code as the user, so
it is not used where that is anybody else; then each process compiles, which only costs time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Function = TypeVar("Function", bound="Callable[..., object]")

COMPILING = "Compiling for this computer, once: about 10 s for patrols, 20 s with a week ..."
NOT_STORED = (
    "What is compiled cannot be stored ({folder}: not writable, or not by you alone), so every run "
    "compiles again; set NUMBA_CACHE_DIR to a folder of your own."
)

NOTHING_COMPILED = ("board", "cli", "outputs")
"""Rooms that no compiled function is in or depends on: their sources are not hashed."""

_LOCK = threading.RLock()  # One thread compiles at a time; others that need the code wait


class CompileClock:
    """Seconds of this process, without those in which functions were compiled or loaded."""

    # A search with a limit of one second is given that second, also where its code has yet to be
    # compiled, so that its answer does not depend on it.

    def __init__(self) -> None:
        self.announce: Callable[[str], None] | None = None  # called once with each text for users
        self._announced: set[str] = set()
        self._lock = threading.Lock()
        self._depth, self._begun, self._compiling = 0, 0.0, 0.0

    def begin(self) -> None:
        """Stop the clock while something is compiled, which may be nested."""
        with self._lock:
            self._begun = self._begun if self._depth else time.perf_counter()
            self._depth += 1

    def end(self) -> None:
        """Let the clock go on."""
        with self._lock:
            self._depth -= 1
            self._compiling += 0.0 if self._depth else time.perf_counter() - self._begun

    @contextlib.contextmanager
    def stand_still(self) -> Iterator[None]:
        """Stop the clock while something else runs, in which no search makes progress."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def read(self) -> float:
        """Seconds since an arbitrary moment; only differences are meaningful."""
        with self._lock:
            return (self._begun if self._depth else time.perf_counter()) - self._compiling

    def say_once(self, text: str) -> None:
        """Announce a text, unless that was done before or there is no callback."""
        if self.announce is not None and text not in self._announced:
            self._announced.add(text)
            self.announce(text)


CLOCK = CompileClock()  # The one clock of the process


class _CompiledFunction:
    """A function that numba compiles when it, or a compiled caller, first runs."""

    def __init__(
        self, function: Callable[..., object], signature: str | None, options: dict[str, object]
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._signature, self._options = function, signature, options
        self._compiled: Any = None

    @property
    def compiled(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's dispatcher of the function, with its code."""
        with _LOCK:
            if self._compiled is None:
                with CLOCK.stand_still():
                    self._compiled = _compile(self._function, self._signature, self._options)
            return self._compiled

    def __call__(self, *values: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        compiled = self._compiled or self.compiled
        if self._options["no_cpython_wrapper"] and compiled is not self._function:
            # A call would crash; with compiling switched off it is a plain function.
            message = f"{self._function.__name__}: Python cannot call it while it `is_inner`"
            raise TypeError(message)
        return compiled(*values)

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
    # With a signature, such as "f8(f8[::1], i8)", numba compiles exactly one version rather than
    # one for each combination of types; functions with named tuples of arrays have none. An inner
    # function is only called by compiled ones: that saves compiling an entry point from Python,
    # which for a named tuple of arrays takes longer than a short function. Small functions with
    # named tuples are inlined, since passing those takes longer than the function itself. What
    # allocates creates, copies or returns arrays. If nothing does, numba does not count references
    # to arrays at every call and branch: for a search over a named tuple of sixty arrays that took
    # eighteen times as long as the search. What it calls with its arrays must not allocate either.
    options: dict[str, object] = {
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


def _compile(
    function: Callable[..., object], signature: str | None, options: dict[str, object]
) -> Any:  # noqa: ANN401 - numba's own kind
    """Numba's dispatcher of a function, with its cache; compiled if it has a signature."""
    numba, build_cache = _load_numba()
    dispatcher = numba.njit(**options)(function)
    if numba.config.DISABLE_JIT:
        return dispatcher
    folder = find_code_folder()
    if is_own_folder(folder):
        numba.config.CACHE_DIR = str(folder)
        dispatcher._cache = build_cache(function)  # noqa: SLF001 - as enable_caching sets its own
    else:
        CLOCK.say_once(NOT_STORED.format(folder=folder))
    if signature is not None:
        # As in njit with a signature, but after the cache was replaced.
        with numba.core.typeinfer.register_dispatcher(dispatcher):
            dispatcher.compile(signature)
            dispatcher.disable_compile()
    return dispatcher


@functools.cache
def _load_numba() -> tuple[Any, Callable[[object], object]]:
    """Numba, which stops the clock and informs users while it compiles, and our kind of cache."""
    import numba  # noqa: PLC0415 - takes long
    from numba.core import caching, event  # noqa: PLC0415

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, _: object) -> None:
            CLOCK.say_once(COMPILING)
            CLOCK.begin()

        def on_end(self, _: object) -> None:
            CLOCK.end()

    class Cache(caching.FunctionCache):  # type: ignore[misc]
        """What cannot be read or written here only costs time."""

        def load_overload(self, signature: object, target: object) -> object:
            with CLOCK.stand_still():
                try:
                    return super().load_overload(signature, target)
                except Exception:  # noqa: BLE001 - a damaged pickle may raise anything
                    with contextlib.suppress(OSError):
                        self.flush()
                    return None

        def save_overload(self, signature: object, code: object) -> None:
            try:
                super().save_overload(signature, code)
            except OSError:
                CLOCK.say_once(NOT_STORED.format(folder=self.cache_path))

    event.register("numba:compile", Listener())
    return numba, Cache


def find_code_folder() -> Path:
    """Folder of the machine code of these very sources."""
    named = os.environ.get("NUMBA_CACHE_DIR", "")
    parent = Path(named or platformdirs.user_cache_dir("patrolplan", appauthor=False))
    return parent.absolute() / f"compiled-{_hash_sources()}"


@functools.cache
def _hash_sources() -> str:
    root, hashed = Path(__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in NOTHING_COMPILED:
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


def is_own_folder(folder: Path) -> bool:
    """Whether a folder, made if it is absent, is the user's, and only the user can write it."""
    # On Windows it lies in the user's profile, which nobody else can write.
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()  # of a link itself, which may lead to a folder of somebody else
    except OSError:
        return False
    shared = stat.S_IWGRP | stat.S_IWOTH
    is_own = os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & shared)
    return is_own and stat.S_ISDIR(status.st_mode) and os.access(folder, os.W_OK)


@jit_compile("u8(u8, u8)")
def mix_bits(word: np.uint64, shift: np.uint64) -> np.uint64:
    """A word's high bits spread over the low ones: a step of SplitMix64 (Steele et al. 2014)."""
    return (word ^ (word >> shift)) * np.uint64(0xBF58476D1CE4E5B9)
