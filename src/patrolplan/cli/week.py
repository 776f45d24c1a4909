"""The team lead's command: week."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.cli.trial import choose_or_analyse, load_trial_draw
from patrolplan.outputs.papers import WEEK_PAPERS
from patrolplan.text import pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.team.repair import Change
    from patrolplan.team.rota import Audit


@dataclass(frozen=True)
class _WeekRequest:
    """How a week is planned or repaired, and which of its papers are printed."""

    config: Path
    out: Path | None
    worker_options: options.WorkerOptions
    trial: Path | None
    absent: dict[str, set[dt.date]]
    officer: str | None
    date: dt.date | None


def _parse_absence(text: str) -> tuple[str, set[dt.date]]:
    """OFFICER:DATE or OFFICER:FROM:TO as typed; anything else is a usage error."""
    match = re.fullmatch(r"\s*(.*?)\s*:\s*([0-9-]+)\s*(?::\s*([0-9-]+)\s*)?", text)
    if match is None or not match[1]:
        options.refuse(f"'{text}' is not OFFICER:DATE, such as SSO-01:2026-12-01")
    first, last = options.parse_date(match[2]), options.parse_date(match[3] or match[2])
    if last < first:
        options.refuse(f"'{text}': the last day is before the first")
    count = (last - first).days + 1
    return match[1], {first + dt.timedelta(days=n) for n in range(count)}


@command
def week(
    start: dt.date | None = options.day(
        "--from", "First day of the week to plan; needed unless --replan or --audit is given."
    ),
    replan: bool = options.flag("--replan", "Repair the week in --week after absences."),
    absent: list[Any] | None = options.option(
        "Who is absent when: OFFICER:DATE or OFFICER:FROM:TO; in the week to plan, or, "
        "with --replan, to repair.",
        "ABSENCE",
        parser=_parse_absence,
    ),
    audit: bool = options.flag(
        "--audit", "Draw the week in --week again, and compare it with the file."
    ),
    trial: Path | None = options.option(
        "A trial's file: choose its pairs, plan a week of it with --from, or analyse it.",
        options.FILE,
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    folder: Path | None = options.option(
        f"The week's folder, for --replan and --audit; default {options.DEFAULT_WEEK_FOLDER}.",
        *(options.FOLDER, "--week"),
    ),
    officer: str | None = options.option(
        "With --out: print only the papers of this officer.", "NAME"
    ),
    date: dt.date | None = options.day("--date", "With --out: print only the papers of this day."),
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    as_json: options.Json = False,
    notes: options.Notes = False,
) -> None:
    """Plan who patrols which school on which day, or repair a week.

    With --out FOLDER it writes the rota, each officer's papers and calendar, and the map. Leave and
    other duties that are known go into the table that [sources] duties names.
    """
    from patrolplan.outputs.pack import check_partial_pack
    from patrolplan.team.week_file import build_week_document

    absences: dict[str, set[dt.date]] = {}
    for who, days in absent or ():
        absences.setdefault(who, set()).update(days)
    has_week, papers = replan or audit or start is not None, officer or date
    options.refuse_if(
        (audit and (replan or start or absences), "--audit looks at the week in --week alone"),
        (replan and start, "--replan repairs the week in --week: leave --from out"),
        (replan and not absences, "--replan needs --absent OFFICER:DATE"),
        (not (has_week or trial), "give --from DATE to plan a week, --replan, or --audit"),
        (absences and not has_week, "--trial without --from plans no week: leave --absent out"),
        (out and folder and out != folder, "name one folder", "--out, --week"),
        (papers and not (out or folder or replan or audit), "needs --out", "--officer, --date"),
    )
    options.check_worker_options(workers, cluster)
    out = out or folder or (options.DEFAULT_WEEK_FOLDER if replan or audit else None)
    request = _WeekRequest(config, out, (workers, cluster), trial, absences, officer, date)
    if audit and out is not None:
        _audit_week(request, out, as_json=as_json)
        return
    if not replan and choose_or_analyse(config, trial, start, as_json=as_json):
        return
    if out is not None:  # before the slow part
        check_partial_pack(out, officer, date)
    if out is not None and replan:
        result, changes = _repair_week(request, out)
    elif start is not None:
        result, changes = _choose_week(request, start), None
    else:  # for the type checker: usage is checked already
        return
    if out is None:
        console.stderr.print("Nothing was written: --out FOLDER writes the papers of this week.")
    else:
        with (
            steps.open_executor(*request.worker_options, len(result.duties)) as executor,
            console.report_stage("Writing tables, map, sheets and cards") as report,
        ):
            pp.write_pack(
                result, out, officer=officer, date=date, executor=executor, report_progress=report
            )
    document = build_week_document(result)
    if changes is not None:
        document["changes"] = [
            {"kind": change.kind}
            | pick_fields(change.duty, "officer", "urn", "date", "variant")
            | {"number": change.duty.patrol.number}
            for change in changes
        ]
    console.print_result(document, _list_lines(result, changes, out, notes=notes), as_json=as_json)


def _check_people(
    request: _WeekRequest, area: pp.StudyArea, days: Sequence[dt.date], others: Sequence[str] = ()
) -> dict[str, set[dt.date]]:
    """The absences on days of a week, where there are any; raises for unknown officers and days."""
    from patrolplan.outputs.week.roster import check_officer_and_date
    from patrolplan.team.repair import check_absences

    names = list(area.officers["officer"])
    absent = {name: away & set(days) or away for name, away in request.absent.items()}
    check_absences(days, [*names, *others], absent)
    check_officer_and_date(names, days, request.officer, request.date)
    return absent


def _choose_week(request: _WeekRequest, day: dt.date) -> pp.Week:
    """The week from a day, planned and drawn."""
    from patrolplan.area.relations import check_age
    from patrolplan.team.draw import make_draw_key
    from patrolplan.team.free_time import list_school_days
    from patrolplan.team.ledger.monthly_return import load_delivered_before
    from patrolplan.team.rota import check_officers
    from patrolplan.team.trial import mark_trial_week

    steps.check_out(request.out)
    days = list_school_days(day)
    area = check_age(steps.load_study_area(request.config), days[0])
    check_officers(area)  # before the slow part
    steps.check_term(area, days)
    absent = _check_people(request, area, days)
    steps.ensure_secret(area.settings)
    key = make_draw_key(area, days[0], 1 + _count_draws(request.out, days[0]))
    drawn = load_trial_draw(request.trial, days)
    _, _, plans = steps.plan_area_days(area, days, request.worker_options, drawn)
    delivered = load_delivered_before(area, plans[days[0]].hotspots, days[0])
    bans = [pp.Ban(name, None, at) for name, away in absent.items() for at in away]
    with console.report_stage("Choosing the week"):
        week = pp.plan_week(area, plans, start=day, delivered=delivered, bans=bans, key=key)
    return week if drawn is None else mark_trial_week(week, *drawn)


def _count_draws(out: Path | None, first: dt.date) -> int:
    """How often the week in a folder was drawn so far; 0 without one, or for another week."""
    from patrolplan.team.free_time import list_school_days
    from patrolplan.team.week_file import read_week_alone

    if out is None:
        return 0
    try:
        entry = read_week_alone(out)
    except pp.InputError:  # absent or unreadable: it is replaced
        return 0
    is_same = list_school_days(entry.days[0])[-1] == list_school_days(first)[-1]
    return entry.draw.number if entry.draw is not None and is_same else 0


def _repair_week(request: _WeekRequest, out: Path) -> tuple[pp.Week, Sequence[Change]]:
    """The week of a folder, repaired after absences, and what changed."""
    from patrolplan.team.week_file import read_week_alone

    console.stderr.print(f"Repairing the week in {out}")
    area = steps.load_study_area(request.config)
    entry = read_week_alone(out / "week.json")  # before the slow part
    drawn = load_trial_draw(request.trial, entry.days, out, entry.trial)
    steps.check_out(out)
    absent = _check_people(request, area, entry.days, [row.officer for row in entry.duties])
    _, _, plans = steps.plan_area_days(area, entry.days, request.worker_options, drawn)
    handed_out = pp.read_week(out / "week.json", area, plans)
    with console.report_stage("Repairing the week"):
        repair = pp.repair_week(handed_out, area, plans, absent=absent, max_moves=0)
    return repair.week, repair.changes


def _list_lines(
    week: pp.Week, changes: Sequence[Change] | None, out: Path | None, *, notes: bool
) -> list[str]:
    """The week, the changes in it, and its papers; with every note if they are wanted."""
    from patrolplan.outputs.notes_file import list_unmet_lines

    none = ["change: none; every card stays as it is"]
    told = [] if changes is None else [f"change: {change}" for change in changes] or none
    lines = console.list_week(week, told, is_whole=notes)
    lines += [] if out is None else console.list_papers(out, WEEK_PAPERS)
    if notes:
        every = (*week.notes, *week.plan.risk.notes)
        unmet = list_unmet_lines(week)
        lines += console.list_all(every, week.plan.left_out, "Not met", unmet)
    return lines


OBSTACLES = {
    "not_drawn": "the week was not drawn: an earlier version of patrolplan made it",
    "no_secret": "the team's secret is not there",
    "other_secret": "the team's secret is another than the one that drew the week",
    "other_data": "data or settings have changed since",
    "other_version": "another version of patrolplan drew it",
}


def _audit_week(request: _WeekRequest, out: Path, *, as_json: bool) -> None:
    """Print whether a folder's week was drawn as recorded; exit code 1 if it cannot be shown."""
    from patrolplan.team.rota import Audit, audit_week, find_audit_obstacle
    from patrolplan.team.week_file import read_week_alone

    entry = read_week_alone(out)  # before the slow part
    drawn = load_trial_draw(request.trial, entry.days, out, entry.trial)
    area = steps.load_study_area(request.config)
    obstacle = find_audit_obstacle(area, entry.draw, entry.created_from, entry.days[0])
    if obstacle is not None:
        outcome = Audit(entry.draw, obstacle)
    else:
        _, _, plans = steps.plan_area_days(area, entry.days, request.worker_options, drawn)
        with console.report_stage("Drawing the week again"):
            outcome = audit_week(pp.read_week(out, area, plans), area, plans)
    console.print_result(build_audit_document(outcome), describe_audit(outcome), as_json=as_json)
    if outcome.verdict != "holds":
        raise typer.Exit(1)


def build_audit_document(audit: Audit) -> dict[str, Any]:
    """The outcome, for other programs."""
    return {
        "verdict": audit.verdict,
        "why": audit.obstacle,
        "number": None if audit.draw is None else audit.draw.number,
        "commitment": None if audit.draw is None else audit.draw.commitment,
        "withdrawn": [str(duty) for duty in audit.withdrawn],
        "new": [str(duty) for duty in audit.new],
        "history": [{"when": row.when, "what": row.what} for row in audit.history],
    }


def describe_audit(audit: Audit) -> list[str]:
    """The outcome, one line per fact, the verdict first."""
    if audit.obstacle is not None or audit.draw is None:
        return [f"The draw cannot be audited: {OBSTACLES[audit.obstacle or 'not_drawn']}."]
    number, commitment = audit.draw.number, audit.draw.commitment
    whose = f"commitment {commitment}" if commitment else "without a secret: anyone can draw it"
    which = f"draw number {number}, {whose}"
    lines = {
        "holds": [f"The draw holds: {which}."],
        "differs": [f"The draw does not hold: {which} gives other patrols than the file says."],
        "unrecorded": [f"The draw does not hold: patrols were changed without a record ({which})."],
    }[audit.verdict]
    lines += [f"no longer as drawn: {duty}" for duty in audit.withdrawn]
    lines += [f"not drawn: {duty}" for duty in audit.new]
    if not (audit.withdrawn or audit.new):
        return lines if audit.verdict == "differs" else [*lines, "Every patrol is as drawn."]
    lines += [f"recorded: {row.when} {row.what}" for row in audit.history]
    lines += [
        f"recorded: {officer} absent on {day}"
        for officer, days in sorted(audit.absent.items())
        for day in sorted(days)
    ]
    return lines
