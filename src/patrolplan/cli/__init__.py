"""The command line: the same calls as in Python, progress on standard error, plain messages.

A module here holds the commands of one person's work; importing it adds them to `app`.
"""

import json
import sys

from patrolplan.cli import (
    board,  # noqa: F401
    data,  # noqa: F401
    evidence,  # noqa: F401
    inspect,  # noqa: F401
    plan,  # noqa: F401 - in the order that help shows them
    record,  # noqa: F401
    week,  # noqa: F401
)
from patrolplan.cli.console import app, stderr
from patrolplan.errors import PatrolplanError


def main() -> None:
    """Run a command; a problem with the input ends with its messages and exit code 1."""
    try:
        app()
    except PatrolplanError as error:
        for line in str(error).splitlines():
            stderr.print(f"patrolplan: {line}", markup=False, style="red")
        _print_problems(str(error))
        raise SystemExit(1) from None
    except SystemExit as ended:
        # typer has shown an error of usage itself, and left it as the context of its exit.
        if format_message := getattr(ended.__context__, "format_message", None):
            _print_problems(format_message())
        raise
    except KeyboardInterrupt:
        stderr.print("patrolplan: stopped; nothing was changed")
        raise SystemExit(130) from None


def _print_problems(text: str) -> None:
    """Print the lines of a message as JSON, where the command has `--json`."""
    if text and "--json" in sys.argv:
        sys.stdout.write(json.dumps({"problems": text.splitlines()}) + "\n")
