"""The log of a run, and how a failing command ends: with plain messages and an exit code.

The log, for `--verbose` and `--log FILE`, is for remote support. It has names of files, counts that
may be shown, options without their values, and problems, but nothing from pupils' reports.
"""

import io
import logging
import platform
import re
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import patrolplan as pp
from patrolplan.errors import InputError, PatrolplanError
from patrolplan.text import pick_fields

INTERRUPTED_CODE, TERMINATED_CODE = 130, 143  # after Ctrl-C and SIGTERM, as in shells


RUN = logging.getLogger("patrolplan.run")  # logger for what standard error always shows
MORE = RUN.getChild("more")  # logger for what it shows only with `--verbose`
LONGEST_PATH = 200  # maximum letters of a path in a message


def use_utf8_streams() -> None:
    """Print every name correctly with any encoding of the console or pipe."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def stop_on_sigterm() -> None:
    """Exit on SIGTERM as on any error, so that temporary folders are removed."""
    if threading.current_thread() is threading.main_thread():  # no other thread may set it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED_CODE))


def describe_failure(error: Exception) -> list[str]:
    """One line for each problem."""
    if isinstance(error, PatrolplanError):
        return str(error).splitlines()
    if isinstance(error, MemoryError):
        remedy = "close other programs, use fewer --workers, or plan a smaller area"
        return [f"there is not enough memory; {remedy}"]
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename or ''}"
        where = f"{name if len(name) <= LONGEST_PATH else f'{name[:LONGEST_PATH]}...'}: "
        remedy = "check that the file or folder is there, that you may use it, and the disk's space"
        what = f"the system reports '{error.strerror}'; {remedy}"
        return [f"{where}{what}" if name else what]
    return [_describe_fault(error)]


def build_problem_documents(error: Exception, lines: list[str]) -> list[dict[str, object]]:
    """The place, description and remedy of each problem, for other programs."""
    if isinstance(error, InputError):
        return [pick_fields(one, "where", "what", "remedy") for one in error.problems]
    return [{"where": "", "what": line, "remedy": ""} for line in lines]


def build_usage_document(error: Any) -> dict[str, str]:  # noqa: ANN401 - of typer, which hides its own
    """Which command is used wrongly, and why; empty if usage is correct."""
    if not hasattr(error, "format_message"):
        return {}
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "patrolplan"
    what, remedy = " ".join(error.format_message().split()), "says how it is used"
    return {"where": command, "what": what, "remedy": f"`{command} --help` {remedy}"}


def _describe_fault(error: BaseException) -> str:
    """An error in the program as one sentence, without data; every line of code goes to the log."""
    cause: BaseException | None = error
    where = type(error).__name__
    while cause is not None:
        for frame in traceback.extract_tb(cause.__traceback__):
            place = f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"
            MORE.info(f"{type(cause).__name__} at {place} {frame.name}")
            where = f"{type(error).__name__} at {place}" if cause is error else where
        cause = cause.__cause__ or cause.__context__
    outputs = "every output folder is complete, as it was before or new"
    send = "send this line, or the file of --log, to the people who look after patrolplan"
    return f"an error in patrolplan itself ({where}); {outputs}; {send}"


def open_log(path: Path | None, command: str, *, verbose: bool) -> None:
    """Begin to log this run of a command."""
    if path is not None:
        to_file = logging.FileHandler(path, encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        RUN.addHandler(to_file)
    if verbose:
        MORE.addHandler(logging.StreamHandler())
    if path is not None or verbose:
        from patrolplan.provenance import list_versions

        RUN.propagate = False
        RUN.setLevel(logging.INFO)
        # The names of options without their values.
        names = [found[0] for arg in sys.argv[1:] if (found := re.match(r"--[a-z][a-z-]+", arg))]
        MORE.info(" ".join(["patrolplan", command, *names]))
        MORE.info(f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
        MORE.info(", ".join(f"{name} {number}" for name, number in list_versions().items()))


def log_area(area: "pp.StudyArea") -> None:
    """Log the sources of an area; counts of reports are suppressed and rounded."""
    if not RUN.isEnabledFor(logging.INFO):
        return
    MORE.info(f"settings: {area.settings.file}")
    for name, digest in area.inputs.items():
        MORE.info(f"read {name} ({digest[:12]})")
    for one in area.tables:
        MORE.info(f"{one.source}: {one.rows} rows, {one.used} used, {one.left_out} left out")


def close_log(code: object) -> None:
    """Log how the run ended, with its processor seconds, and close the file."""
    MORE.info("ended with code %s after %.1f s of processor time", code, time.process_time())
    for logger in (MORE, RUN):
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
            handler.close()
    RUN.setLevel(logging.NOTSET)
