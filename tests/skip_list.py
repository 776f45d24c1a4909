"""A run that may skip only for reasons that are on a list, so that a missing program is red.

`.ci/run` names its list by `PATROLPLAN_MAY_SKIP`; elsewhere a test may skip for whatever is absent.
"""

import os
from pathlib import Path

import pytest

VARIABLE = "PATROLPLAN_MAY_SKIP"


def read_reasons(path):
    """Texts that a reason may hold: a line each, without comments and empty lines."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def find_other_skips(skipped, reasons):
    """(test, reason) of those that were skipped for a reason which holds none of the texts."""
    return [
        (test, reason) for test, reason in skipped if not any(text in reason for text in reasons)
    ]


class SkipList:
    """Turns a passed run into a failed one where a test was skipped for another reason."""

    def __init__(self, path):
        self.reasons = read_reasons(path)
        self.skipped = []

    def _note(self, report):
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self.skipped.append((report.nodeid, str(reason)))

    # A test, or its set-up, and a whole module.
    pytest_runtest_logreport = pytest_collectreport = _note

    def pytest_sessionfinish(self, session):
        """Fail the run; workers leave that to the process that started them."""
        if hasattr(session.config, "workerinput"):
            return
        if (
            find_other_skips(self.skipped, self.reasons)
            and session.exitstatus == pytest.ExitCode.OK
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Name the tests, and what to do."""
        others = find_other_skips(self.skipped, self.reasons)
        if others:
            terminalreporter.section("skipped, and not on the list of what may skip", red=True)
            for test, reason in sorted(set(others)):
                terminalreporter.line(f"{test}: {reason}")
            terminalreporter.line("Install what is missing, or add the reason to the list.")


def register(config):
    """Add the list to a run, where the environment names one."""
    path = os.environ.get(VARIABLE)
    if path:
        config.pluginmanager.register(SkipList(path), "patrolplan-skip-list")
