"""Compiling with numba, and its cache; imported when the first compiled function is called.

Numba stores machine code next to the source, or in the user's cache folder, and runs whatever it
reads there. Here each of its files has a checksum: one that was truncated, emptied or changed by a
bit counts as absent, so the function is compiled again and the file replaced. If no folder can be
written, functions are compiled in each process, which only costs some seconds. Time limits exclude
these seconds, and users are informed, see `patrolplan.compile_clock`.
"""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import filelock
import numba
import numpy as np
from numba.core import event, typeinfer
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.serialize import dumps

from patrolplan.cache import cache_folder
from patrolplan.compile_clock import CLOCK, NOT_STORED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Function = TypeVar("Function", bound="Callable[..., object]")

WAIT_SECONDS = 60
"""Seconds to wait for another process that compiles functions of the same file."""

CONSTANT = (bool, int, float, str, tuple, np.generic)
"""Types of values that are compiled into machine code as constants."""

SEAL_BYTES = hashlib.sha256().digest_size
"""Length of the checksum at the start of each file."""


class _SealedFiles(IndexDataCacheFile):  # type: ignore[misc]
    """The index and the code of one function, with a checksum in each file.

    The checksum is a hash of numba's version, of the sources (see `stamp_sources`) and of the
    content, so that it also shows whether the content is from this version and these sources.
    """

    def _load_index(self) -> dict[Any, str]:
        try:
            return dict(pickle.loads(self._read(self._index_path)))  # noqa: S301 - sealed
        except OSError:
            return {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, dumps(overloads))

    def _load_data(self, name: str) -> Any:  # noqa: ANN401 - numba's own form
        return pickle.loads(self._read(self._data_path(name)))  # noqa: S301 - sealed

    def _save_data(self, name: str, data: Any) -> None:  # noqa: ANN401 - numba's own form
        self._write(self._data_path(name), dumps(data))

    def _read(self, path: str) -> bytes:
        """The content of a file; raises OSError, as for an absent one, if the checksum is wrong."""
        stored = Path(path).read_bytes()
        seal, content = stored[:SEAL_BYTES], stored[SEAL_BYTES:]
        if seal != self._seal(content):
            message = f"{path} is damaged, or of another version"
            raise OSError(message)
        return content

    def _write(self, path: str, content: bytes) -> None:
        with self._open_for_write(path) as stream:
            stream.write(self._seal(content) + content)

    def _seal(self, content: bytes) -> bytes:
        source = repr((self._version, self._source_stamp)).encode("utf-8")
        return hashlib.sha256(source + content).digest()


class _SealedCache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, in files with checksums; failing to write only costs time.

    If several processes start at once, one compiles the functions of a source file, and the others
    wait for its code: a lock is held from when code is missing until it is stored. The functions
    that it calls are compiled meanwhile, those of the same file within the same lock. Modules have
    no circular imports, so there is no deadlock.
    """

    def __init__(
        self, function: Callable[..., object], parts: Collection[Callable[..., object]]
    ) -> None:
        super().__init__(function)
        self._cache_file = _SealedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=stamp_sources(parts),
        )
        module = function.__module__
        self._lock = filelock.FileLock(
            Path(self._cache_path) / f"{module}.lock", timeout=WAIT_SECONDS, is_singleton=True
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 - numba's own
        with CLOCK.stand_still():
            found = super().load_overload(sig, target_context)
            if found is None and self._await_lock():
                found = super().load_overload(sig, target_context)
                if found is not None:
                    self._lock.release()
            return found

    def _await_lock(self) -> bool:
        """Wait until no other process compiles functions of the same file; whether it succeeded."""
        CLOCK.begin()
        try:
            self._lock.acquire()
        except (OSError, filelock.Timeout):  # it is then compiled here as well
            return False
        finally:
            CLOCK.end()
        return True

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401 - numba's own form
        try:
            super().save_overload(sig, data)
        except OSError:
            CLOCK.say_once(NOT_STORED.format(folder=self._cache_path))
        finally:
            if self._lock.is_locked:
                self._lock.release()


def stamp_sources(parts: Collection[Callable[..., object]]) -> tuple[object, ...]:
    """The dependencies of machine code with the code of these functions.

    The date and size of each of their files, of which numba has only the first, and the constants
    that they use, which may be from any file.
    """
    ordered = sorted(parts, key=lambda part: (part.__module__, part.__qualname__))
    files = sorted({part.__code__.co_filename for part in ordered})
    constants = [
        repr(value)
        for part in ordered
        for value in find_globals(part)
        if isinstance(value, CONSTANT)
    ]
    return (*(_stamp_file(Path(file)) for file in files), *constants)


def find_globals(function: Callable[..., object]) -> list[object]:
    """Values of a function's global names, in the order of their first use."""
    names, code = function.__globals__, function.__code__
    return [names[name] for name in code.co_names if name in names]


def _stamp_file(path: Path) -> tuple[str, float, int] | None:
    """Name, date and size of a file; None for code without a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return path.name, status.st_mtime, status.st_size


def _open_cache(
    function: Callable[..., object], parts: Collection[Callable[..., object]]
) -> _SealedCache | None:
    """The cache of a function in numba's folder, otherwise in ours; None if neither is possible."""
    try:
        return _SealedCache(function, parts)
    except RuntimeError:  # neither the source's folder nor the user's is writable
        pass
    folder = cache_folder() / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        numba.config.CACHE_DIR = str(folder)
        return _SealedCache(function, parts)
    except (OSError, RuntimeError):
        numba.config.CACHE_DIR = ""
        CLOCK.say_once(NOT_STORED.format(folder=folder))
        return None


class _CompileListener(event.Listener):  # type: ignore[misc]
    """Stops the clock of time limits while numba compiles, and informs users."""

    def on_start(self, _: event.Event) -> None:
        CLOCK.begin()

    def on_end(self, _: event.Event) -> None:
        CLOCK.end()


event.register("numba:compile", _CompileListener())


def compile_function(
    function: Function,
    signature: str | None,
    *,
    is_inner: bool,
    is_inlined: bool,
    allocates: bool,
    parts: Collection[Callable[..., object]],
) -> Function:
    """Compile a function that releases the GIL, and cache the result on disk.

    `parts` are all functions that are inlined into it, and itself.
    """
    dispatcher: Any = numba.njit(
        error_model="numpy",
        nogil=True,
        no_cfunc_wrapper=True,
        no_cpython_wrapper=is_inner,
        forceinline=is_inlined,
        _nrt=allocates,  # numba's runtime, which counts references
    )(function)
    cache = None if numba.config.DISABLE_JIT else _open_cache(function, parts)
    if cache is not None:
        dispatcher._cache = cache  # noqa: SLF001 - as enable_caching sets its own
    if signature is not None and not numba.config.DISABLE_JIT:
        # As in njit with a signature, but after the cache was replaced.
        with typeinfer.register_dispatcher(dispatcher):
            dispatcher.compile(signature)
            dispatcher.disable_compile()
    return cast("Function", dispatcher)
