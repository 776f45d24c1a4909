"""The command line: the same calls as in Python, progress on standard error, plain messages.

A module here holds the commands of one person's work; importing it adds them to `app`.
"""

import atexit
import gc
import os
import sys

from patrolplan.cli import (
    board,  # noqa: F401
    data,  # noqa: F401
    evidence,  # noqa: F401
    inspect,  # noqa: F401
    plan,  # noqa: F401
    record,  # noqa: F401
    survey,  # noqa: F401
    ways,  # noqa: F401
    week,  # noqa: F401
)
from patrolplan.cli.app import app as app, select_command
from patrolplan.cli.console import announce, print_json, stderr
from patrolplan.cli.failures import (
    INTERRUPTED_CODE,
    build_problem_documents,
    build_usage_document,
    describe_failure,
    stop_on_sigterm,
    use_utf8_streams,
)
from patrolplan.cli.run_log import close_log, log_line

NEW_OBJECTS = 500_000
"""Objects after which Python looks for garbage among them; by default 700. Few of ours are ever in
a circle, so that looking more often costs time and gives back hardly any memory."""


def main() -> None:
    """Run a command; a problem ends with its messages and exit code 1, never with a traceback."""
    spare_collector()
    # Products of matrices are small here, and starting threads for them takes longer than they do.
    # Nor do sums then depend, in their last digits, on the number of processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Pydantic would look through all installed packages for additions to itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    use_utf8_streams()
    stop_on_sigterm()
    code: object = 0
    try:
        select_command(sys.argv[1:])()
    except SystemExit as ended:
        code = ended.code or 0
        # typer has shown an error of usage itself, and left it as the context of its exit.
        if problem := build_usage_document(ended.__context__):
            log_line(f"wrong usage: {problem['where']}")
            _print_problems([problem])
        raise
    except KeyboardInterrupt:
        code = INTERRUPTED_CODE
        announce("patrolplan: stopped; nothing was changed")
        raise SystemExit(code) from None
    except Exception as error:  # noqa: BLE001 - the outermost place that can say what happened
        code = 1
        lines = describe_failure(error)
        for line in lines:
            stderr.print(f"patrolplan: {line}", markup=False, style="red")
            log_line(line)
        _print_problems(build_problem_documents(error, lines))
        raise SystemExit(code) from None
    finally:
        close_log(code)


def spare_collector() -> None:
    """Let Python look for cyclic garbage rarely, and not at all as it ends.

    A command loads some 300,000 objects that live as long as it does. By default Python goes
    through them hundreds of times meanwhile, and three times more at its end.
    """
    gc.set_threshold(NEW_OBJECTS, 5, 10)
    atexit.register(gc.freeze)


def _print_problems(problems: list[dict[str, str]]) -> None:
    """Print what is wrong as JSON, where the command has `--json`."""
    if "--json" in sys.argv:
        print_json({"problems": problems})
