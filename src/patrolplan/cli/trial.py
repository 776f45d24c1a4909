"""`patrolplan week --trial FILE`: seals a trial, plans its weeks, and opens it when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.cli import console, options, steps

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.team.secret import Secret
    from patrolplan.team.trial.delivery import Delivery
    from patrolplan.team.trial.trial_file import Trial
    from patrolplan.team.week import WeekTrial


def seal_or_open(
    config: Path, path: Path | None, start: str | None, out: Path | None, *, as_json: bool
) -> bool:
    """Seal an unsealed trial, or open one that is over; False if a week should be planned."""
    from patrolplan.team.trial.trial_file import read_trial

    if path is None:
        return False
    trial = read_trial(path) if path.exists() else None
    if trial is None or trial.sealed is None:
        day = None if start is None else options.parse_date(start, "--from")
        _seal(config, path, trial, day, as_json=as_json)
        return True
    if start is None:
        _open(config, path, trial, out, as_json=as_json)
        return True
    return False


def load_trial_draw(
    path: Path, area: StudyArea, days: Sequence[dt.date], recorded: WeekTrial | None = None
) -> steps.TrialDraw:
    """A trial, and its draw for a week."""
    from patrolplan.errors import InputError
    from patrolplan.team.trial.trial_file import read_trial
    from patrolplan.team.trial.trial_week import draw_trial_week

    trial = read_trial(path)
    if trial.sealed is None:
        what = "the trial is not sealed"
        raise InputError.one(path, what, "seal it first with `patrolplan week --trial FILE`")
    drawn = draw_trial_week(path, trial, area, _get_secret(area), days)
    if recorded is not None and recorded.commitment != drawn.commitment:
        what = f"the week is part of another trial, {recorded.title}"
        raise InputError.one(path, what, "name the file of that one")
    return trial, drawn


def check_trial_is_named(folder: Path, recorded: WeekTrial | None, path: Path | None) -> None:
    """Raise if a folder's week is part of a trial whose file is not named."""
    from patrolplan.errors import InputError

    if recorded is not None and path is None:
        what = f"the week is part of the trial {recorded.title}"
        raise InputError.one(folder, what, "name the trial's file with --trial")
    if recorded is None and path is not None:
        what = "the week is part of no trial"
        raise InputError.one(folder, what, "leave --trial out")


def _seal(
    config: Path, path: Path, trial: Trial | None, start: dt.date | None, *, as_json: bool
) -> None:
    """Find a trial's hotspots and power, and seal it; print its power."""
    from patrolplan.errors import InputError
    from patrolplan.outputs.trial_words import build_power_document, describe_seal
    from patrolplan.team.trial.sealing import propose_trial, seal_trial
    from patrolplan.team.trial.trial_file import write_trial

    if trial is None and start is None:
        what = "there is no such file"
        raise InputError.one(path, what, "give --from DAY, the first day of a new trial")
    area = steps.load_study_area(config)
    if trial is None and start is not None:
        trial = propose_trial(area, start)
    steps.ensure_secret(area.settings)
    secret = _get_secret(area)
    hotspots = steps.find_area_hotspots(area, steps.estimate_area_risk(area))
    assert trial is not None  # noqa: S101 - read or proposed above
    with console.report_stage("Simulating the trial"):
        sealed, power = seal_trial(path, trial, area, hotspots, secret)
    write_trial(sealed, path)
    if as_json:
        console.print_json(build_power_document(sealed, power))
        return
    for line in describe_seal(sealed, power):
        console.stdout.print(line, soft_wrap=True)
    console.print_written_to(path)


def _open(config: Path, path: Path, trial: Trial, out: Path | None, *, as_json: bool) -> None:
    """Analyse a trial that is over; print the result, and write its page."""
    from patrolplan.outputs.trial_page import build_result_document, write_trial_page
    from patrolplan.outputs.trial_words import describe_result
    from patrolplan.team.trial.results import analyse_trial, check_is_over
    from patrolplan.team.trial.trial_file import check_commitment

    steps.check_out(out)
    area = steps.load_study_area(config)
    secret = _get_secret(area)
    check_commitment(path, trial, trial.make_key(secret, area.name))
    check_is_over(path, trial, area)
    with console.report_stage("Analysing the trial"):
        delivery = _measure_delivery(area, trial, secret)
        result = analyse_trial(path, trial, area, secret, delivery)
    if out is not None:
        write_trial_page(result, area, out)
    if as_json:
        console.print_json(build_result_document(result, area))
        return
    for line in describe_result(result, area):
        console.stdout.print(line, soft_wrap=True)
    console.print_written_to(out)


def _measure_delivery(area: StudyArea, trial: Trial, secret: Secret) -> Delivery | None:
    """Patrols in the ledger at a trial's hotspots; None without a ledger."""
    from patrolplan.team.ledger.existing import open_existing_ledger
    from patrolplan.team.trial.delivery import measure_delivery
    from patrolplan.team.trial.results import draw_by_day

    ledger = open_existing_ledger(area.settings)
    if ledger is None:
        return None
    with ledger:
        drawn = draw_by_day(trial, trial.make_key(secret, area.name))
        return measure_delivery(trial, drawn, ledger, area.projection)


def _get_secret(area: StudyArea) -> Secret:
    """The team's secret."""
    from patrolplan.errors import InputError
    from patrolplan.team.secret import find_secret_path, read_secret

    secret = read_secret(area.settings)
    if secret is None:
        path = find_secret_path(area.settings)
        what = "there is no secret, and without one a trial cannot be sealed"
        raise InputError.one(path, what, "let `patrolplan` write there, or restore the file")
    return secret
