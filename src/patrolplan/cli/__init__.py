"""The command line: the calls of Python, with progress and messages; a module adds commands."""

import atexit
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from patrolplan.cli import failures
from patrolplan.cli.app import app as app
from patrolplan.cli.console import announce, print_json, stderr

for _module in iter_modules(__path__):  # importing a command adds it
    import_module(f"patrolplan.cli.{_module.name}")

TRACEBACK_VARIABLE = "PATROLPLAN_TRACEBACK"  # 1 shows tracebacks, with values of the data


def main() -> None:
    """Run a command; a problem gives its messages and exit code 1, and no traceback unasked."""
    # Few of a command's many objects are in cycles: by default Python would go through all of them
    # hundreds of times, and three times more at exit, and free hardly any memory.
    gc.set_threshold(500_000, 5, 10)
    atexit.register(gc.freeze)
    # Matrices are small here, and starting threads for their products would take longer. Also, the
    # last digits of sums then do not depend on the number of processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Pydantic would search all installed packages for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    failures.use_utf8_streams()
    failures.stop_on_sigterm()
    code: object = 0
    try:
        app()
    except SystemExit as ended:
        code = ended.code or 0
        # typer has shown a usage error itself, and set it as the context of its exit.
        if problem := failures.build_usage_document(ended.__context__):
            failures.RUN.info(f"wrong usage: {problem['where']}")
            _print_problems([problem])
        raise
    except KeyboardInterrupt:
        code = failures.INTERRUPTED_CODE
        announce("patrolplan: stopped; nothing was changed")
        raise SystemExit(code) from None
    except Exception as error:  # noqa: BLE001 - the outermost place that can say what happened
        code = 1
        if os.environ.get(TRACEBACK_VARIABLE) == "1":
            traceback.print_exception(error)
        lines = failures.describe_failure(error)
        for line in lines:
            stderr.print(f"patrolplan: {line}", markup=False, style="red")
            failures.RUN.info(line)
        _print_problems(failures.build_problem_documents(error, lines))
        raise SystemExit(code) from None
    finally:
        failures.close_log(code)


def _print_problems(problems: Sequence[object]) -> None:
    """Print the problems as JSON, if the command has `--json`."""
    if "--json" in sys.argv:
        print_json({"problems": problems})
