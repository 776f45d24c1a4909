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
    survey,  # noqa: F401
    ways,  # noqa: F401
    week,  # noqa: F401
)
from patrolplan.cli.console import app, stderr
from patrolplan.cli.failures import (
    INTERRUPTED_CODE,
    describe_failure,
    stop_on_sigterm,
    use_utf8_streams,
)


def main() -> None:
    """Run a command; a problem ends with its messages and exit code 1, never with a traceback."""
    use_utf8_streams()
    stop_on_sigterm()
    try:
        app()
    except SystemExit as ended:
        # typer has shown an error of usage itself, and left it as the context of its exit.
        if format_message := getattr(ended.__context__, "format_message", None):
            _print_problems(format_message().splitlines())
        raise
    except KeyboardInterrupt:
        stderr.print("patrolplan: stopped; nothing was changed")
        raise SystemExit(INTERRUPTED_CODE) from None
    except Exception as error:  # noqa: BLE001 - the outermost place that can say what happened
        lines = describe_failure(error)
        for line in lines:
            stderr.print(f"patrolplan: {line}", markup=False, style="red")
        _print_problems(lines)
        raise SystemExit(1) from None


def _print_problems(lines: list[str]) -> None:
    """Print the lines of a message as JSON, where the command has `--json`."""
    if lines and "--json" in sys.argv:
        sys.stdout.write(json.dumps({"problems": lines}) + "\n")
