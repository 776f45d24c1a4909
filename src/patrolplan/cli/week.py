"""The team lead's commands: week."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from patrolplan.cli.console import (
    DEFAULT_CONFIG,
    DEFAULT_WEEK_FOLDER,
    Cluster,
    Config,
    Json,
    OptionalOut,
    Workers,
    app,
    check_out,
    check_worker_options,
    estimate_area_risk,
    load_study_area,
    open_executor,
    parse_date,
)
from patrolplan.terminal import (
    print_json,
    print_week,
    print_written_to,
    report_stage,
    show_progress_bar,
    stderr_console,
    stdout_console,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.area import StudyArea
    from patrolplan.patrols.plan import Plan
    from patrolplan.team.replan import Change
    from patrolplan.team.week import Week


WILDCARD = "*"
WorkerOptions = tuple[int | None, str | None]
"""Workers and cluster, see `patrolplan.cli.console.crew`."""

PatrolRule = tuple[str | None, str | None, dt.date | None, int | None]


@app.command()
def week(
    start: Annotated[
        str | None, typer.Option("--from", help="A day of the week to plan, YYYY-MM-DD.")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            help="Set a patrol: OFFICER:URN:DATE, or OFFICER:URN:DATE:VARIANT (0 is route 1)."
        ),
    ] = None,
    ban: Annotated[
        list[str] | None,
        typer.Option(help="Rule patrols out: as --lock; * stands for all, '*:900001:*'."),
    ] = None,
    replan: Annotated[
        bool, typer.Option("--replan", help="Repair the week in --out after absences.")
    ] = False,
    absent: Annotated[
        list[str] | None, typer.Option(help="Who is away when: OFFICER:DATE; with --replan.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    out: OptionalOut = None,
    officer: Annotated[
        str | None, typer.Option(help="With --out: print the papers of this officer alone.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="With --out: print the papers of this day alone.")
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:
    """Choose who patrols which school on which day, or repair a week after absences."""
    from patrolplan.team.week_file import build_week_document

    locks = [_parse_rule(text, "--lock") for text in lock or ()]
    bans = [_parse_rule(text, "--ban") for text in ban or ()]
    away = [_parse_absence(text) for text in absent or ()]
    _check_usage(start, replan=replan, has_rules=bool(locks or bans), has_absences=bool(away))
    check_worker_options(workers, cluster)
    who = (workers, cluster)
    part = _PrintSelection(officer, None if date is None else parse_date(date, "--date"))
    if out is None and not replan and part.is_partial:
        message = "nothing is printed without --out"
        raise typer.BadParameter(message, param_hint="--officer, --date")
    changes: Sequence[Change] = ()
    if replan:
        out = out or DEFAULT_WEEK_FOLDER
        part.check_folder(out)
        chosen, changes = _repair_week(config, out, away, part, who)
    else:
        check_out(out)
        part.check_folder(out)
        chosen = _choose_week(config, parse_date(str(start), "--from"), (locks, bans), part, who)
    if out is not None:
        from patrolplan.outputs.pack import write_pack

        with (
            open_executor(*who, len(chosen.duties)) as executor,
            report_stage("Writing tables, map, sheets and cards"),
            show_progress_bar() as tell,
        ):
            write_pack(
                chosen,
                out,
                officer=part.officer,
                date=part.date,
                executor=executor,
                report_progress=tell,
            )
    if as_json:
        told = {"changes": [_change_document(change) for change in changes]} if replan else {}
        print_json(build_week_document(chosen) | told)
        return
    print_week(chosen)
    for change in changes:
        stdout_console.print(f"change: {change}", soft_wrap=True)
    if replan and not changes:
        stdout_console.print("change: none; every card stays as it is")
    print_written_to(out)


@dataclass(frozen=True)
class _PrintSelection:
    """Whose papers of which day are printed; None stands for all."""

    officer: str | None = None
    date: dt.date | None = None

    @property
    def is_partial(self) -> bool:
        """Whether only a part is wanted."""
        return self.officer is not None or self.date is not None

    def check_folder(self, out: Path | None) -> None:
        """Say before the work that a whole week's papers are there, which stay."""
        from patrolplan.outputs.pack import check_partial_pack

        if out is not None:
            check_partial_pack(out, self.officer, self.date)

    def check(self, area: StudyArea, days: Sequence[dt.date]) -> None:
        """Say before the work that there is no such officer or day."""
        from patrolplan.outputs.week.roster import check_officer_and_date

        check_officer_and_date(list(area.officers["officer"]), days, self.officer, self.date)


def _check_usage(start: str | None, *, replan: bool, has_rules: bool, has_absences: bool) -> None:
    """Refuse options that do not go together."""
    message = ""
    if replan and (start is not None or has_rules):
        message = "--replan repairs the week in --out: give --absent, not --from, --lock or --ban"
    elif replan and not has_absences:
        message = "--replan needs --absent OFFICER:DATE"
    elif has_absences and not replan:
        message = "--absent goes with --replan; for a week to come, write --ban 'OFFICER:*:DATE'"
    elif not replan and start is None:
        message = "give --from DATE to plan a week, or --replan to repair one"
    if message:
        raise typer.BadParameter(message)


def _plan_area_days(
    area: StudyArea, days: Sequence[dt.date], worker_options: WorkerOptions
) -> dict[dt.date, Plan]:
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.team.day_plans import plan_days

    surface = estimate_area_risk(area)
    with report_stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    with (
        open_executor(*worker_options, len(area.schools)) as executor,
        report_stage("Planning patrols"),
        show_progress_bar() as tell,
    ):
        return plan_days(area, surface, found, days, executor=executor, report_progress=tell)


def _choose_week(
    config: Path,
    day: dt.date,
    rules: tuple[Sequence[PatrolRule], Sequence[PatrolRule]],
    selection: _PrintSelection,
    worker_options: WorkerOptions,
) -> Week:
    locks, bans = rules
    from patrolplan.team.ledger.monthly_return import load_delivered_before
    from patrolplan.team.rota import check_officers, plan_week
    from patrolplan.team.week import Ban, Lock, list_school_days

    area = load_study_area(config)
    check_officers(area)  # before the work, not after it
    days = list_school_days(day)
    selection.check(area, days)
    plans = _plan_area_days(area, days, worker_options)
    delivered = load_delivered_before(area, plans[days[0]].hotspots, days[0])
    with report_stage("Choosing the week"):
        return plan_week(
            area,
            plans,
            start=day,
            delivered=delivered,
            locks=[Lock(str(who), str(urn), when, n) for who, urn, when, n in locks if when],
            bans=[Ban(*row) for row in bans],
        )


def _repair_week(
    config: Path,
    out: Path,
    absences: Sequence[tuple[str, dt.date]],
    selection: _PrintSelection,
    worker_options: WorkerOptions,
) -> tuple[Week, Sequence[Change]]:
    from patrolplan.team.replan import check_absences, replan
    from patrolplan.team.week_file import read_week, read_week_entry

    absent: dict[str, set[dt.date]] = {}
    for officer, day in absences:
        absent.setdefault(officer, set()).add(day)
    stderr_console.print(f"Repairing the week in {out}")
    area = load_study_area(config)
    entry = read_week_entry(out / "week.json")  # before the work, not after it
    check_out(out)
    there = [*area.officers["officer"], *(row.officer for row in entry.patrols)]
    check_absences(entry.days, there, absent)
    selection.check(area, entry.days)
    plans = _plan_area_days(area, entry.days, worker_options)
    handed_out = read_week(out / "week.json", area, plans)
    with report_stage("Repairing the week"):
        return replan(handed_out, area, plans, absent=absent)


def _parse_rule(text: str, option: str) -> PatrolRule:
    """OFFICER:URN:DATE[:VARIANT] as typed; a wrong one is wrong usage."""
    parts = [part.strip() for part in text.split(":")]
    few, many = 3, 4
    if len(parts) not in {few, many} or not all(parts):
        message = f"'{text}' is not OFFICER:URN:DATE or OFFICER:URN:DATE:VARIANT"
        raise typer.BadParameter(message, param_hint=option)
    officer, urn, date, variant = (
        None if part == WILDCARD else part for part in (*parts, WILDCARD)[:many]
    )
    if option == "--lock" and None in {officer, urn, date}:
        message = f"'{text}' leaves open who, where or when; a lock names all three"
        raise typer.BadParameter(message, param_hint=option)
    if variant is not None and not re.fullmatch(r"[0-9]{1,3}", variant):
        message = f"'{variant}' is no variant; write 0 for route 1, 1 for route 2..."
        raise typer.BadParameter(message, param_hint=option)
    day = None if date is None else parse_date(date, option)
    return officer, urn, day, None if variant is None else int(variant)


def _parse_absence(text: str) -> tuple[str, dt.date]:
    """OFFICER:DATE as typed; a wrong one is wrong usage."""
    officer, mark, date = (part.strip() for part in text.rpartition(":"))
    if not (officer and mark):
        message = f"'{text}' is not OFFICER:DATE, such as SSO-01:2026-12-01"
        raise typer.BadParameter(message, param_hint="--absent")
    return officer, parse_date(date, "--absent")


def _change_document(change: Change) -> dict[str, Any]:
    """A change of a card, for other programs."""
    duty = change.duty
    return {
        "kind": change.kind,
        "officer": duty.officer,
        "urn": duty.urn,
        "date": duty.date.isoformat(),
        "variant": duty.variant,
        "number": duty.patrol.number,
    }
