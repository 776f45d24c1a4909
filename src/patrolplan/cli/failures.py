"""How a failing command ends: with plain messages, an exit code, and no traceback.

Expected errors are `PatrolplanError`. Errors of the system, such as an unreadable file or too
little memory, get one sentence. Anything else is an error in the program: its place in the code is
written to a file, without data, for the maintainers of patrolplan.
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
from typing import Any, NoReturn
from uuid import uuid4

from patrolplan.atomic import TEMPORARY_PREFIX
from patrolplan.errors import InputError, PatrolplanError

INTERRUPTED_CODE, TERMINATED_CODE = 130, 143
"""Exit codes after Ctrl-C and after SIGTERM, as in shells."""


def use_utf8_streams() -> None:
    """Print every name correctly with any encoding of the console or pipe."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def stop_on_sigterm() -> None:
    """Exit on SIGTERM as on any error, so that temporary folders are removed."""
    if threading.current_thread() is threading.main_thread():  # no other thread may set it
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


def build_problem_documents(error: Exception, lines: list[str]) -> list[dict[str, str]]:
    """The place, description and remedy of each problem, for other programs."""
    if isinstance(error, InputError):
        return [
            {"where": one.where, "what": one.what, "remedy": one.remedy} for one in error.problems
        ]
    return [split_message(line) for line in lines]


def split_message(line: str) -> dict[str, str]:
    """The parts of a message of the form `where: what; remedy`; a part may be empty.

    Examples
    --------
    >>> split_message("out: is a file, not a folder; name another folder with --out")
    {'where': 'out', 'what': 'is a file, not a folder', 'remedy': 'name another folder with --out'}
    """
    where, colon, rest = line.partition(": ")
    if not colon or ";" in where:
        where, rest = "", line
    what, _, remedy = rest.partition("; ")
    return {"where": where, "what": what, "remedy": remedy}


def build_usage_document(error: Any) -> dict[str, str]:  # noqa: ANN401 - of typer, which hides its own
    """Which option or argument is wrong, why, and what to do; empty if usage is correct."""
    if not hasattr(error, "format_message"):
        return {}
    command = error.ctx.command_path if getattr(error, "ctx", None) else "patrolplan"
    where = getattr(error, "param_hint", None) or getattr(error, "option_name", None)
    parameter = getattr(error, "param", None)
    if where is None and parameter is not None:
        is_option = parameter.param_type_name == "option"
        where = parameter.opts[0] if is_option else parameter.name.upper()
    # A wrong value has its own message; the one around it repeats the name.
    is_value = hasattr(error, "param_hint") and error.message
    message = " ".join(str(error.message if is_value else error.format_message()).split())
    what, _, remedy = message.partition("; ")
    help_text = f"`{command} --help` says how it is used"
    return {"where": where or command, "what": what, "remedy": remedy or help_text}


LONGEST_PATH = 200
"""Maximum letters of a path in a message."""


def _shorten_path(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}..."


def _report_fault(error: Exception) -> str:
    """Write where in the code an error occurred; returns one sentence with the file's name."""
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
    """Versions, then the type of each error and the lines of its traceback, without data."""
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
