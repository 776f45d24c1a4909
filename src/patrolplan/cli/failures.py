"""How a command ends that cannot go on: plain messages, an exit code, and no traceback.

What patrolplan foresees is a `PatrolplanError`. What the system reports, such as a file that may
not be read or too little memory, gets one sentence. Anything else is an error in the program: its
place in the code is written to a file, for the people who look after patrolplan, and no data.
"""

import io
import platform
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn
from uuid import uuid4

from patrolplan.atomic import TEMPORARY_PREFIX
from patrolplan.errors import PatrolplanError

INTERRUPTED_CODE, TERMINATED_CODE = 130, 143
"""Exit codes after Ctrl-C and after SIGTERM, as shells have them."""


def use_utf8_streams() -> None:
    """Print every name as it is, whatever the console's or the pipe's own encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def stop_on_sigterm() -> None:
    """End on SIGTERM as on any error, so that temporary folders are removed on the way out."""
    if threading.current_thread() is threading.main_thread():  # no other may set it
        signal.signal(signal.SIGTERM, _exit_terminated)


def _exit_terminated(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED_CODE)


def describe_failure(error: Exception) -> list[str]:
    """One line for each problem; an error in the program is written to a file as well."""
    if isinstance(error, PatrolplanError):
        return str(error).splitlines()
    if isinstance(error, MemoryError):
        remedy = "close other programs, use fewer --workers, or plan a smaller area"
        return [f"there is not enough memory; {remedy}"]
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}"
        where = f"{_shorten_path(name)}: " if error.filename else ""
        remedy = "check that the file or folder is there, that you may use it, and the disk's space"
        return [f"{where}the system reports '{error.strerror}'; {remedy}"]
    return [_report_fault(error)]


LONGEST_PATH = 200
"""Letters of a path in a message."""


def _shorten_path(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}..."


def _report_fault(error: Exception) -> str:
    """Write where in the code an error arose, and name it with the file in one sentence."""
    what = f"an error in patrolplan itself ({type(error).__name__})"
    outputs = "every output folder is complete, as it was before or new"
    report = "\n".join(list_code_lines(error)) + "\n"
    path = Path(tempfile.gettempdir()) / f"{TEMPORARY_PREFIX}error-{uuid4().hex[:12]}.txt"
    try:
        path.write_text(report, encoding="utf-8")
    except OSError:
        return f"{what}; {outputs}"
    send = (
        "send it to the people who look after patrolplan: it names lines of code and holds no data"
    )
    return f"{what}; {outputs}. {path} says where: {send}"


def list_code_lines(error: BaseException) -> Iterator[str]:
    """Versions, then the kind of each error and the lines of code that it passed, without data."""
    from patrolplan.provenance import list_versions

    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    yield system
    yield ", ".join(f"{name} {number}" for name, number in list_versions().items())
    cause: BaseException | None = error
    while cause is not None:
        yield type(cause).__name__
        for frame in traceback.extract_tb(cause.__traceback__):
            yield f"  {'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
        cause = cause.__cause__ or cause.__context__
