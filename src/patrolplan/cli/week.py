"""The team lead's command: week."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.cli.trial import check_trial_is_named, choose_or_analyse, load_trial_draw
from patrolplan.outputs.papers import WEEK_PAPERS, list_papers
from patrolplan.text import pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.team.repair import Repair
    from patrolplan.team.week import Week


PrintedPart = tuple[str | None, dt.date | None]
"""The officer and the day whose papers are printed; None means all."""


@command
def week(
    start: str | None = options.option(
        None,
        "--from",
        "First day of the week to plan; needed unless --replan or --audit is given.",
        options.DAY,
    ),
    replan: bool = options.option(False, "--replan", "Repair the week in --week after absences."),
    absent: list[str] | None = options.option(
        None,
        "--absent",
        "Who is absent when: OFFICER:DATE or OFFICER:FROM:TO; in the week to plan, or, "
        "with --replan, to repair.",
        "ABSENCE",
    ),
    audit: bool = options.option(
        False, "--audit", "Draw the week in --week again, and compare it with the file."
    ),
    trial: Path | None = options.option(
        None,
        "--trial",
        "A trial's file: choose its pairs, plan a week of it with --from, or analyse it.",
        options.FILE,
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    folder: Path | None = options.option(
        None,
        "--week",
        f"The week's folder, for --replan and --audit; default {options.DEFAULT_WEEK_FOLDER}.",
        options.FOLDER,
    ),
    officer: str | None = options.option(
        None, "--officer", "With --out: print only the papers of this officer.", "NAME"
    ),
    date: str | None = options.option(
        None, "--date", "With --out: print only the papers of this day.", options.DAY
    ),
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    as_json: options.Json = False,
) -> None:
    """Plan who patrols which school on which day, or repair a week after absences.

    With --out FOLDER it writes the rota, each officer's papers and calendar, and the map. Leave and
    other duties that are known go into the table that [sources] duties names.
    """
    from patrolplan.outputs.pack import check_partial_pack, write_pack
    from patrolplan.team.week_file import build_week_document

    absences = _parse_absences(absent or ())
    _check_usage(
        start, replan=replan, has_absences=bool(absences), audit=audit, has_trial=trial is not None
    )
    options.check_worker_options(workers, cluster)
    worker_options = (workers, cluster)
    out = _choose_folder(out, folder)
    if audit:
        out = out or options.DEFAULT_WEEK_FOLDER
        _audit_week(config, out, worker_options, trial, as_json=as_json)
        return
    if not replan and choose_or_analyse(config, trial, start, as_json=as_json):
        return
    part = (officer, None if date is None else options.parse_date(date, "--date"))
    if replan:
        out = out or options.DEFAULT_WEEK_FOLDER
    elif out is None and part != (None, None):
        options.refuse("name the folder for these papers with --out", "--officer, --date")
    else:
        steps.check_out(out)
    if out is not None:
        check_partial_pack(out, *part)  # before the slow part
    repair: Repair | None = None
    if replan and out is not None:
        repair = _repair_week(config, out, absences, part, worker_options, trial)
        result = repair.week
    else:
        day = options.parse_date(str(start), "--from")
        result = _choose_week(config, day, absences, part, worker_options, out, trial)
    if out is not None:
        with (
            steps.open_executor(*worker_options, len(result.duties)) as executor,
            console.report_stage("Writing tables, map, sheets and cards"),
            console.show_progress_bar() as report,
        ):
            write_pack(
                result,
                out,
                officer=part[0],
                date=part[1],
                executor=executor,
                report_progress=report,
            )
    if as_json:
        extra = {} if repair is None else _build_repair_document(repair)
        console.print_json(build_week_document(result) | extra)
        return
    _print_result(result, repair, out)


def _choose_folder(out: Path | None, folder: Path | None) -> Path | None:
    """The week's folder, for output or input."""
    if out is not None and folder is not None and out != folder:
        options.refuse(
            "name one folder: --out for a week to write, --week for a week that exists",
            "--out, --week",
        )
    return out or folder


def _audit_week(
    config: Path,
    out: Path,
    worker_options: options.WorkerOptions,
    trial: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print whether a folder's week was drawn as recorded; exit code 1 if it cannot be shown."""
    from patrolplan.cli.audit import audit_folder, build_audit_document, describe_audit

    outcome = audit_folder(config, out, worker_options, trial)
    if as_json:
        console.print_json(build_audit_document(outcome))
    else:
        console.print_lines(describe_audit(outcome))
    if outcome.verdict != "holds":
        raise typer.Exit(1)


def _check_usage(
    start: str | None, *, replan: bool, has_absences: bool, audit: bool, has_trial: bool
) -> None:
    """Refuse options that cannot be combined."""
    message = ""
    if audit and (replan or start is not None or has_absences):
        message = "--audit looks at the week in --week: give nothing else of a week"
    elif audit:
        return
    elif replan and start is not None:
        message = "--replan repairs the week in --week: give --absent, not --from"
    elif replan and not has_absences:
        message = "--replan needs --absent OFFICER:DATE"
    elif not replan and start is None and has_trial and has_absences:
        message = "--trial without --from plans no week: leave --absent out"
    elif not replan and start is None and not has_trial:
        message = (
            "give --from DATE to plan a week, --replan to repair one, or --audit to draw one again"
        )
    if message:
        raise typer.BadParameter(message)


def _choose_week(
    config: Path,
    day: dt.date,
    absences: dict[str, set[dt.date]],
    part: PrintedPart,
    worker_options: options.WorkerOptions,
    out: Path | None,
    trial: Path | None,
) -> Week:
    from patrolplan.area.relations import check_age
    from patrolplan.outputs.week.roster import check_officer_and_date
    from patrolplan.team.draw import make_draw_key
    from patrolplan.team.ledger.dose_history import load_delivered_before
    from patrolplan.team.repair import check_absences
    from patrolplan.team.rota import check_officers, plan_week
    from patrolplan.team.week import Ban, list_school_days

    days = list_school_days(day)
    area = check_age(steps.load_study_area(config), days[0])
    check_officers(area)  # before the slow part
    steps.check_term(area, days)
    absent = {name: away & set(days) or away for name, away in absences.items()}
    check_absences(days, area.officers["officer"], absent)
    check_officer_and_date(list(area.officers["officer"]), days, *part)
    steps.ensure_secret(area.settings)
    key = make_draw_key(area, days[0], 1 + _count_draws(out, days[0]))
    drawn = None if trial is None else load_trial_draw(trial, days)
    _, _, plans = steps.plan_area_days(area, days, worker_options, drawn)
    delivered = load_delivered_before(area, plans[days[0]].hotspots, days[0])
    bans = [Ban(name, None, at) for name, away in absent.items() for at in away]
    with console.report_stage("Choosing the week"):
        week = plan_week(area, plans, start=day, delivered=delivered, bans=bans, key=key)
    if drawn is None:
        return week
    from patrolplan.team.trial import mark_trial_week

    return mark_trial_week(week, *drawn)


def _count_draws(out: Path | None, first: dt.date) -> int:
    """How often the week in a folder was drawn so far; 0 without one, or for another week."""
    from patrolplan.errors import InputError
    from patrolplan.team.week import list_school_days
    from patrolplan.team.week_file import read_week_alone

    if out is None:
        return 0
    try:
        entry = read_week_alone(out)
    except InputError:  # absent or unreadable: it is replaced
        return 0
    is_same = list_school_days(entry.days[0])[-1] == list_school_days(first)[-1]
    return entry.draw.number if entry.draw is not None and is_same else 0


def _repair_week(
    config: Path,
    out: Path,
    absent: dict[str, set[dt.date]],
    part: PrintedPart,
    worker_options: options.WorkerOptions,
    trial: Path | None,
) -> Repair:
    from patrolplan.outputs.week.roster import check_officer_and_date
    from patrolplan.team.repair import check_absences, repair_week
    from patrolplan.team.week_file import read_week, read_week_alone

    console.stderr.print(f"Repairing the week in {out}")
    area = steps.load_study_area(config)
    entry = read_week_alone(out / "week.json")  # before the slow part
    check_trial_is_named(out, entry.trial, trial)
    steps.check_out(out)
    officers = [*area.officers["officer"], *(row.officer for row in entry.duties)]
    # Only days of the week count in a span of days, if there are any.
    absent = {name: days & set(entry.days) or days for name, days in absent.items()}
    check_absences(entry.days, officers, absent)
    check_officer_and_date(list(area.officers["officer"]), entry.days, *part)
    drawn = None if trial is None else load_trial_draw(trial, entry.days, entry.trial)
    _, _, plans = steps.plan_area_days(area, entry.days, worker_options, drawn)
    handed_out = read_week(out / "week.json", area, plans)
    with console.report_stage("Repairing the week"):
        return repair_week(handed_out, area, plans, absent=absent, max_moves=0)


def _parse_absences(texts: Sequence[str]) -> dict[str, set[dt.date]]:
    """OFFICER:DATE or OFFICER:FROM:TO as typed, by officer; an invalid one is a usage error."""
    absent: dict[str, set[dt.date]] = {}
    for text in texts:
        match = re.fullmatch(r"\s*(.*?)\s*:\s*([0-9-]+)\s*(?::\s*([0-9-]+)\s*)?", text)
        if match is None or not match[1]:
            options.refuse(f"'{text}' is not OFFICER:DATE, such as SSO-01:2026-12-01", "--absent")
        first = options.parse_date(match[2], "--absent")
        last = options.parse_date(match[3] or match[2], "--absent")
        if last < first:
            options.refuse(f"'{text}': the last day is before the first", "--absent")
        days = absent.setdefault(match[1], set())
        days |= {first + dt.timedelta(days=n) for n in range((last - first).days + 1)}
    return absent


def _print_result(week: Week, repair: Repair | None, out: Path | None) -> None:
    """Print the week, the changes in it, and the paths of its papers."""
    console.print_week(week)
    if repair is not None:
        for change in repair.changes:
            console.stdout.print(f"change: {change}", soft_wrap=True)
        if not repair.changes:
            console.stdout.print("change: none; every card stays as it is")
    if out is None:
        console.stderr.print("Nothing was written: --out FOLDER writes the papers of this week.")
        return
    console.print_written_to(out)
    for name, what in list_papers(WEEK_PAPERS).items():
        if (out / name).exists():
            console.stdout.print(f"  {out / name}  {what}", soft_wrap=True)


def _build_repair_document(repair: Repair) -> dict[str, Any]:
    """The changes of a repair, for other programs."""
    return {
        "changes": [
            {
                "kind": change.kind,
                **pick_fields(change.duty, "officer", "urn", "date", "variant"),
                "number": change.duty.patrol.number,
            }
            for change in repair.changes
        ]
    }
