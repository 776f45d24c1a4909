"""Functions that numba compiles when they first run, and a clock that stops meanwhile.

Loading numba takes some tenths of a second, so it does not happen before a compiled function runs:
a command that computes nothing, or finds everything in the cache, never spends this time.

Machine code is cached in a folder of the user's own, which is named by a hash of the sources:
numba itself does not notice that a function inlined from another file, or a constant from there,
has changed. Whoever can write this folder runs code as the user, so it is not used where that is
anybody else; functions are then compiled in each process, which only costs some seconds.
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

_LOCK = threading.RLock()
"""Only one thread compiles at a time; others that call the same function wait for its code."""


class CompileClock:
    """Seconds of this process, without those in which functions were compiled or loaded."""

    # The first run on a computer compiles for some seconds, in which no search makes progress; each
    # later process loads the code. A limit of one second must give a search that second, so that
    # its answer depends on neither.

    def __init__(self) -> None:
        self.announce: Callable[[str], None] | None = None
        """Called once with each text to show to users."""
        self._announced: set[str] = set()
        self._lock = threading.Lock()
        self._depth, self._begun, self._compiling = 0, 0.0, 0.0

    def begin(self) -> None:
        """Stop the clock while something is compiled, which may be nested."""
        with self._lock:
            if not self._depth:
                self._begun = time.perf_counter()
            self._depth += 1

    def end(self) -> None:
        """Let the clock go on."""
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._compiling += time.perf_counter() - self._begun

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
            now = self._begun if self._depth else time.perf_counter()
            return now - self._compiling

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
        if self._compiled is None:
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
    def _numba_type_(self) -> Any:  # noqa: ANN401 - numba's own kind
        """Numba's type of this function, for compiled callers."""
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
    numba = _load_numba()
    dispatcher = numba.njit(**options)(function)
    if numba.config.DISABLE_JIT:
        return dispatcher
    dispatcher._cache = _Cache(function)  # noqa: SLF001 - as enable_caching sets its own
    if signature is not None:
        # As in njit with a signature, but after the cache was replaced.
        with numba.core.typeinfer.register_dispatcher(dispatcher):
            dispatcher.compile(signature)
            dispatcher.disable_compile()
    return dispatcher


@functools.cache
def _load_numba() -> Any:  # noqa: ANN401 - a module
    """Numba, which stops the clock and informs users while it compiles."""
    import numba  # noqa: PLC0415 - takes long
    from numba.core import event  # noqa: PLC0415

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, _: object) -> None:
            CLOCK.say_once(COMPILING)
            CLOCK.begin()

        def on_end(self, _: object) -> None:
            CLOCK.end()

    event.register("numba:compile", Listener())
    return numba


class _Cache:
    """Numba's cache of one function; what cannot be read or written there only costs time."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._files = _open_files(function)
        self.cache_path = None if self._files is None else self._files.cache_path

    def load_overload(self, signature: object, target: object) -> Any:  # noqa: ANN401 - numba's own
        """The code of a signature, or None; a file that was cut short counts as absent."""
        if self._files is None:
            return None
        with CLOCK.stand_still():
            try:
                return self._files.load_overload(signature, target)
            except Exception:  # noqa: BLE001 - a damaged pickle may raise anything
                with contextlib.suppress(OSError):
                    self._files.flush()
                return None

    def save_overload(self, signature: object, code: object) -> None:
        """Store the code of a signature, if possible."""
        if self._files is None:
            return
        try:
            self._files.save_overload(signature, code)
        except OSError:
            CLOCK.say_once(NOT_STORED.format(folder=self.cache_path))


def _open_files(function: Callable[..., object]) -> Any:  # noqa: ANN401 - numba's own
    """Numba's files for a function in the user's own folder; None if there is no such folder."""
    numba = _load_numba()
    folder = find_code_folder()
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        if is_own_folder(folder):
            files = numba.core.caching.FunctionCache(function)
            if folder in Path(files.cache_path).parents:  # numba would take another one as well
                return files
    except RuntimeError:  # numba found none
        pass
    finally:
        numba.config.CACHE_DIR = before
    CLOCK.say_once(NOT_STORED.format(folder=folder))
    return None


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
    """Whether a folder, made if it is absent, is the user's and nobody else can write it."""
    # On Windows it lies in the user's profile, which nobody else can write.
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):  # a link, perhaps to a folder of somebody else
        return False
    others_write = stat.S_IWGRP | stat.S_IWOTH
    return os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & others_write)


@jit_compile("u8(u8, u8)")
def mix_bits(word: np.uint64, shift: np.uint64) -> np.uint64:
    """A word's high bits spread over the low ones: a step of SplitMix64 (Steele et al. 2014)."""
    return (word ^ (word >> shift)) * np.uint64(0xBF58476D1CE4E5B9)
