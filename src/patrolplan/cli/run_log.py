"""The log of a run, for `--verbose` and `--log FILE`: what was read, stages, seconds, outcome.

It is for remote support. It has names of files, counts that may be shown, options without their
values, and problems as printed, but nothing from pupils' reports.
"""

from __future__ import annotations

import logging
import platform
import re
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from patrolplan.area import StudyArea

_RUN = logging.getLogger("patrolplan.run")
_MORE = _RUN.getChild("more")
"""Logger for what standard error shows only with `--verbose`."""


def open_log(path: Path | None, command: str, *, verbose: bool) -> None:
    """Begin to log this run of a command."""
    if path is not None:
        to_file = logging.FileHandler(path, encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        _RUN.addHandler(to_file)
    if verbose:
        to_screen = logging.StreamHandler()
        to_screen.setFormatter(logging.Formatter("%(message)s"))
        _MORE.addHandler(to_screen)
    if path is not None or verbose:
        from patrolplan.provenance import list_versions

        _RUN.propagate = False
        _RUN.setLevel(logging.INFO)
        _MORE.info("patrolplan %s", " ".join([command, *list_option_names(sys.argv[1:])]))
        _MORE.info(
            "%s %s, Python %s", platform.system(), platform.release(), platform.python_version()
        )
        _MORE.info(", ".join(f"{name} {number}" for name, number in list_versions().items()))


def list_option_names(args: Iterable[str]) -> list[str]:
    """The names of options, without their values.

    Examples
    --------
    >>> list_option_names(["week", "--replan", "--absent", "SSO-01:2026-12-01", "--out=week"])
    ['--replan', '--absent', '--out']
    """
    return [found[0] for arg in args if (found := re.match(r"--[a-z][a-z-]+", arg))]


def log_line(line: str) -> None:
    """Log a line that standard error always shows."""
    _RUN.info(line)


def log_more(line: str) -> None:
    """Log a line that standard error shows only with `--verbose`."""
    _MORE.info(line)


def log_area(area: StudyArea) -> None:
    """Log the sources of an area; counts of reports are suppressed and rounded."""
    if not _RUN.isEnabledFor(logging.INFO):
        return
    log_more(f"settings: {area.settings.file}")
    for name, digest in area.inputs.items():
        log_more(f"read {name} ({digest[:12]})")
    for one in area.tables:
        log_more(f"{one.source}: {one.rows} rows, {one.used} used, {one.left_out} left out")


def close_log(code: object) -> None:
    """Log how the run ended, with its processor seconds, and close the file."""
    _MORE.info("ended with code %s after %.1f s of processor time", code, time.process_time())
    for logger in (_MORE, _RUN):
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
            handler.close()
    _RUN.setLevel(logging.NOTSET)
