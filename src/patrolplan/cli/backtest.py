"""The command that tests risk models and patrols on past months: backtest."""

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def backtest(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    first: str | None = options.month("--first-month", "First hold-out month."),
    last: str | None = options.month("--last-month", "Last hold-out month."),
    window: options.WindowName = None,
    as_json: options.Json = False,
) -> None:
    """Test risk models and patrols on past months.

    With --window the risk alone is tested, on crime inside that window on school days.
    """
    from patrolplan.outputs import governance as papers
    from patrolplan.outputs.output_folder import build_manifest_header, replace_folder

    if (first is None) != (last is None):
        options.refuse("give both --first-month and --last-month, or neither")
    origins = None if first is None or last is None else (first, last)
    steps.check_out(out)
    area = steps.load_study_area(config)
    risk_test, patrol_test = steps.run_backtest(area, origins, window)
    if out is not None:
        with replace_folder(out, build_manifest_header(area)) as folder:
            papers.write_backtest(risk_test, patrol_test, folder)
    lines = [str(risk_test)]
    if patrol_test is not None:
        what = "Patrols: harm recorded per officer-hour on the stretches where they stop:"
        lines += [what, str(patrol_test)]
    document = papers.build_backtest_document(risk_test, patrol_test)
    console.print_result(document, [*lines, *console.list_written(out)], as_json=as_json)
