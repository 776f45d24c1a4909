"""The command that tests risk models and patrols on past months: backtest."""

from __future__ import annotations

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def backtest(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    first: str | None = options.option(
        None, "--first-month", "First hold-out month.", options.MONTH, parser=options.parse_month
    ),
    last: str | None = options.option(
        None, "--last-month", "Last hold-out month.", options.MONTH, parser=options.parse_month
    ),
    window: options.WindowName = None,
    as_json: options.Json = False,
) -> None:
    """Test risk models and patrols on past months.

    With --window the risk alone is tested, on crime inside that window on school days.
    """
    from patrolplan.outputs.governance import build_backtest_document, write_backtest
    from patrolplan.outputs.output_folder import build_manifest_header, replace_folder

    if (first is None) != (last is None):
        options.refuse("give both --first-month and --last-month, or neither")
    origins = None if first is None or last is None else (first, last)
    steps.check_out(out)
    area = steps.load_study_area(config)
    risk_test, patrol_test = steps.run_backtest(area, origins, window)
    if out is not None:
        with replace_folder(out, build_manifest_header(area)) as folder:
            write_backtest(risk_test, patrol_test, folder)
    if as_json:
        console.print_json(build_backtest_document(risk_test, patrol_test))
        return
    console.stdout.print(str(risk_test))
    if patrol_test is not None:
        console.stdout.print(
            "Patrols: harm recorded per officer-hour on the stretches where they stop:"
        )
        console.stdout.print(str(patrol_test))
    console.print_written_to(out)
