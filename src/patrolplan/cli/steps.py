"""Steps of several commands; packages are imported when used, so that help appears at once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

import patrolplan as pp
from patrolplan.cli import console
from patrolplan.cli.failures import log_area

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    import geopandas as gpd

    from patrolplan.cli import options
    from patrolplan.patrols.patrol_backtest import PatrolBacktest
    from patrolplan.risk.backtest import Backtest
    from patrolplan.team.trial import Trial
    from patrolplan.team.week_records import WeekTrial

TrialDraw: TypeAlias = "tuple[Trial, WeekTrial]"  # A trial, and its draw for a week


def check_out(out: Path | None) -> None:
    """Raise before the slow part if a folder cannot be written."""
    if out is not None:
        from patrolplan.outputs.output_folder import check_folder

        check_folder(out)


def ensure_secret(settings: pp.Settings) -> None:
    """Create the team's secret if it is missing, and print that."""
    from patrolplan.team.secret import create_secret, find_secret_path, read_secret

    path, keep = find_secret_path(settings), "and keep a copy in a safe place"
    if read_secret(settings) is not None:
        return
    line = f"Created {path}, the secret that weeks are drawn with. Let only the team's lead read it"
    try:
        create_secret(path)
        console.stderr.print(f"{line}, {keep}: without it no draw can be audited.")
    except pp.OutputError as error:
        console.stderr.print(f"{error}; the week is drawn without a secret")


def open_executor(
    workers: int | None, cluster: str | None, schools: int
) -> AbstractContextManager[Executor | None]:
    """Workers for this number of schools; None if this process does all work."""
    from patrolplan import parallel

    if cluster is not None:
        return parallel.connect_cluster(cluster)
    count = parallel.choose_worker_count(schools) if workers is None else workers
    if count == 1:
        return nullcontext()
    console.announce(f"{count} processes share the work")
    return parallel.Workers(count)


def load_study_area(config: Path | pp.Settings) -> pp.StudyArea:
    """The study area of a settings file, or of settings that were read from one."""
    with console.report_stage("Reading"):
        from patrolplan.compiled import CLOCK

        CLOCK.announce = console.stderr.print
        area = pp.load_area(config)
    log_area(area)
    return area


def estimate_area_risk(
    area: pp.StudyArea, window: pp.Window | None = None, date: dt.date | None = None
) -> pp.Risk:
    """The risk of an area's streets in a window; by default from the bell, on a school day."""
    with console.report_stage("Estimating risk"):
        return pp.estimate_risk(area, window=window, date=date)


def find_area_hotspots(area: pp.StudyArea, risk: pp.Risk) -> gpd.GeoDataFrame:
    """The hotspots of an area."""
    with console.report_stage("Finding hotspots"):
        return pp.find_hotspots(area, risk)


def plan_area_days(
    area: pp.StudyArea,
    days: Sequence[dt.date],
    worker_options: options.WorkerOptions,
    trial: TrialDraw | None = None,
) -> tuple[pp.Risk, gpd.GeoDataFrame, Mapping[dt.date, pp.Plan]]:
    """The risk and hotspots of the week's first window, and each day's plan, also of a trial."""
    from patrolplan.area.patrol_window import resolve_window
    from patrolplan.risk.estimate import estimate_in_window
    from patrolplan.team.day_plans import plan_days

    settings = area.settings
    windows = {name: resolve_window(settings.patrol, name=name) for name in settings.week.windows}
    first, *further = windows
    risk = estimate_area_risk(area, windows[first])
    risks = {name: estimate_in_window(area, risk, windows[name]) for name in further}
    hotspots = find_area_hotspots(area, risk)
    with (
        open_executor(*worker_options, len(area.schools)) as executor,
        console.report_stage("Planning patrols") as report,
    ):

        def plan_some(some: pp.StudyArea, of: Sequence[dt.date]) -> dict[dt.date, pp.Plan]:
            return plan_days(
                *(some, risk, hotspots, of),
                further_risks=risks,
                executor=executor,
                report_progress=report,
            )

        if trial is not None:
            from patrolplan.team.trial import plan_trial_days

            return risk, hotspots, plan_trial_days(area, days, trial[0], plan_some)
        return risk, hotspots, plan_some(area, days)


def run_backtest(
    area: pp.StudyArea, origins: tuple[str, str] | None = None, window: str | None = None
) -> tuple[Backtest, PatrolBacktest | None]:
    """Test risk models on hold-out months, and patrols too unless it is for a window of the day."""
    with console.report_stage("Testing risk models"):
        risk_test = pp.backtest_risk(area, origins=origins, window=window)
    if window is not None:
        return risk_test, None
    with console.report_stage("Testing patrols"):
        return risk_test, pp.backtest_patrols(area, origins=list(risk_test.origins))


def check_term(area: pp.StudyArea, days: Sequence[dt.date]) -> None:
    """Raise if no school is open on any of the days of a week."""
    from patrolplan.area.school_days import find_open_days
    from patrolplan.team.week import format_day

    if not find_open_days(area.term_dates, list(area.schools["urn"]), days).any():
        span = " to ".join(dict.fromkeys(format_day(day) for day in (days[0], days[-1])))
        where, remedy = "--from", "choose a week of term, or correct [sources] term_dates"
        raise pp.InputError.one(where, f"every school is closed ({span})", remedy)
