"""Errors: built-in kin, and every problem reported."""

import pytest

from patrolplan.errors import (
    InputError,
    OutputError,
    PatrolplanError,
    Problem,
    Problems,
    SettingsError,
)


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            Problem("bells.csv", "'25:00' is no time of day", "write HH:MM", "row 2"),
            "bells.csv, row 2: '25:00' is no time of day; write HH:MM.",
        ),
        (Problem("a.csv", "is empty", "export it again"), "a.csv: is empty; export it again."),
        (
            Problem("a.osm", "is broken (XML error:\n  line 3)", "fetch it again"),
            "a.osm: is broken (XML error: line 3); fetch it again.",
        ),
        (
            Problem("my.toml", "unknown key; did you mean 'seed'?", "correct or remove it"),
            "my.toml: unknown key; did you mean 'seed'? Correct or remove it.",
        ),
    ],
)
def test_a_problem_is_one_line(problem, sentence):
    """File, place, what is wrong and what to do; after a question a new sentence begins."""
    assert str(problem) == sentence


def test_input_error_tells_every_problem_on_a_line_of_its_own():
    """An input error lists all its problems, a line each, in their order."""
    error = InputError(Problem(f"{name}.csv", "is empty", "fill it") for name in "abc")
    assert str(error).splitlines() == [f"{name}.csv: is empty; fill it." for name in "abc"]
    assert [problem.file for problem in error.problems] == ["a.csv", "b.csv", "c.csv"]


@pytest.mark.parametrize(
    ("ours", "builtin"),
    [(InputError, ValueError), (SettingsError, ValueError), (OutputError, OSError)],
)
def test_errors_are_ours_and_the_builtin_one(ours, builtin):
    """Who catches the built-in error that they expect catches ours as well."""
    assert issubclass(ours, PatrolplanError)
    assert issubclass(ours, builtin)


def test_collecting_goes_on_after_a_problem():
    """Problems met on the way are all raised at the end, in the order they were met."""
    problems = Problems()
    for name in ("a", "b"):
        with problems.collect():
            raise InputError.one(name, "is wrong", "fix it")
    problems.add("c", "is wrong", "fix it")
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    assert [problem.file for problem in caught.value.problems] == ["a", "b", "c"]


def test_collecting_lets_other_errors_through():
    """A fault of the program is not mistaken for a problem of the input."""
    problems = Problems()
    with pytest.raises(KeyError), problems.collect():
        raise KeyError
    problems.raise_if_any()
