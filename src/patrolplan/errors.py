"""Errors, worded so that users know what to do next; validation collects all and raises once."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self


class PatrolplanError(Exception):
    """Base of every error that patrolplan raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, and its remedy.

    `file` is the file (or settings key, or argument) with the problem, `place` is where in the file
    ("row 12, column 'Month'", or empty). `what` is wrong, with the value; values of pupils' reports
    are never shown. `remedy` is an instruction.

    >>> print(Problem("bell.csv", "'25:00' is not a valid time", "write HH:MM", "row 2"))
    bell.csv, row 2: '25:00' is not a valid time; write HH:MM.
    >>> print(Problem("my.toml", "unknown key; did you mean 'seed'?", "correct or remove it"))
    my.toml: unknown key; did you mean 'seed'? Correct or remove it.
    """

    file: object
    what: str
    remedy: str
    place: str = ""

    @property
    def where(self) -> str:
        """The file and the place in it."""
        return f"{self.file}, {self.place}" if self.place else f"{self.file}"

    def __str__(self) -> str:
        what = " ".join(self.what.split())  # messages of other libraries may have several lines
        if what.endswith("?"):
            return f"{self.where}: {what} {self.remedy[:1].upper()}{self.remedy[1:]}."
        return f"{self.where}: {what}; {self.remedy}."


class InputError(PatrolplanError, ValueError):
    """The input cannot be used; `problems` names every reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, file: object, what: str, remedy: str, place: str = "") -> Self:
        """An error with a single problem."""
        return cls([Problem(file, what, remedy, place)])


def describe_install(package: str) -> str:
    """The command that installs a package for the running Python, with an offline bundle too."""
    # Not `patrolplan[extra]`, for which pip would search an index for patrolplan itself.
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install {package}"


@contextmanager
def name_source(argument: str, file: object) -> Iterator[None]:
    """Replace an argument's name by a file's in the problems that are found within the block."""
    try:
        yield
    except InputError as error:
        named = (replace(one, file=file) for one in error.problems if one.file == argument)
        others = (one for one in error.problems if one.file != argument)
        raise InputError([*named, *others]) from None


class SettingsError(InputError):
    """The settings file cannot be used."""


class FetchError(PatrolplanError, ConnectionError):
    """Open data could not be fetched as requested; answers so far are stored."""


class OutputError(PatrolplanError, OSError):
    """The output folder cannot be written, or has files that patrolplan did not write."""


class LedgerError(PatrolplanError, OSError):
    """The ledger cannot be reached, or has an unknown version."""


class ClusterError(PatrolplanError, ConnectionError):
    """Workers cannot be reached, have other versions, or are lost repeatedly."""


class Problems:
    """Collects problems so that all of them are reported, not only the first."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, file: object, what: str, remedy: str, place: str = "") -> None:
        """Add a problem."""
        self._problems.append(Problem(file, what, remedy, place))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add the problems of another error."""
        self._problems.extend(problems)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Add the problems of an `InputError` raised within the block, and continue after it."""
        try:
            yield
        except InputError as error:
            self.extend(error.problems)

    def raise_if_any(self) -> None:
        """Raise an `InputError` with all problems, if there are any."""
        if self._problems:
            raise InputError(self._problems)
