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

    def find_others(self):
        """The tests that were skipped for a reason which holds none of the texts, with it."""
        return [one for one in self.skipped if not any(map(one[1].__contains__, self.reasons))]

    def pytest_sessionfinish(self, session):
        """Fail the run; workers leave that to the process that started them."""
        is_worker, passed = hasattr(session.config, "workerinput"), pytest.ExitCode.OK
        if not is_worker and self.find_others() and session.exitstatus == passed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Name the tests, and what to do."""
        if others := self.find_others():
            terminalreporter.section("skipped, and not on the list of what may skip", red=True)
            for test, reason in sorted(set(others)):
                terminalreporter.line(f"{test}: {reason}")
            terminalreporter.line("Install what is missing, or add the reason to the list.")


def pytest_configure(config):
    """Add the list to a run, where the environment names one."""
    if path := os.environ.get(VARIABLE):
        config.pluginmanager.register(SkipList(path), "patrolplan-skip-list")
