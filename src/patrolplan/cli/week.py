"""The team lead's commands: week."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from patrolplan.cli.console import (
    HANDED_OUT,
    HERE,
    Cluster,
    Config,
    Json,
    MaybeOut,
    Workers,
    app,
    check_crew,
    check_out,
    crew,
    estimated,
    loaded,
    parsed_date,
)
from patrolplan.terminal import bar, print_json, print_week, printed, progress, say_written, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.area import StudyArea
    from patrolplan.patrols.plan import Plan
    from patrolplan.team.replan import Change
    from patrolplan.team.week import Week


ALL = "*"
Who = tuple[int | None, str | None]
"""Workers and cluster, see `patrolplan.cli.console.crew`."""

ByHand = tuple[str | None, str | None, dt.date | None, int | None]


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
    config: Config = HERE,
    out: MaybeOut = None,
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
    from patrolplan.team.week import week_document

    locks = [_by_hand(text, "--lock") for text in lock or ()]
    bans = [_by_hand(text, "--ban") for text in ban or ()]
    away = [_away(text) for text in absent or ()]
    _check_usage(start, replan=replan, by_hand=bool(locks or bans), away=bool(away))
    check_crew(workers, cluster)
    who = (workers, cluster)
    part = _Part(officer, None if date is None else parsed_date(date, "--date"))
    if out is None and not replan and part.asked:
        message = "nothing is printed without --out"
        raise typer.BadParameter(message, param_hint="--officer, --date")
    changes: Sequence[Change] = ()
    if replan:
        out = out or HANDED_OUT
        part.check_folder(out)
        chosen, changes = _repaired(config, out, away, part, who)
    else:
        check_out(out)
        part.check_folder(out)
        chosen = _chosen(config, parsed_date(str(start), "--from"), (locks, bans), part, who)
    if out is not None:
        from patrolplan.outputs.pack import write_pack

        with (
            crew(*who, len(chosen.duties)) as executor,
            stage("Writing tables, map, sheets and cards"),
            bar() as tell,
        ):
            write_pack(
                chosen, out, officer=part.officer, date=part.date, executor=executor, tell=tell
            )
    if as_json:
        told = {"changes": [_changed(change) for change in changes]} if replan else {}
        print_json(week_document(chosen) | told)
        return
    print_week(chosen)
    for change in changes:
        printed.print(f"change: {change}", soft_wrap=True)
    if replan and not changes:
        printed.print("change: none; every card stays as it is")
    say_written(out)


@dataclass(frozen=True)
class _Part:
    """Whose papers of which day are printed; None stands for all."""

    officer: str | None = None
    date: dt.date | None = None

    @property
    def asked(self) -> bool:
        """Whether only a part is wanted."""
        return self.officer is not None or self.date is not None

    def check_folder(self, out: Path | None) -> None:
        """Say before the work that a whole week's papers are there, which stay."""
        from patrolplan.outputs.pack import check_part

        if out is not None:
            check_part(out, self.officer, self.date)

    def check(self, area: StudyArea, days: Sequence[dt.date]) -> None:
        """Say before the work that there is no such officer or day."""
        from patrolplan.outputs.week.roster import check_choice

        check_choice(list(area.officers["officer"]), days, self.officer, self.date)


def _check_usage(start: str | None, *, replan: bool, by_hand: bool, away: bool) -> None:
    """Refuse options that do not go together."""
    message = ""
    if replan and (start is not None or by_hand):
        message = "--replan repairs the week in --out: give --absent, not --from, --lock or --ban"
    elif replan and not away:
        message = "--replan needs --absent OFFICER:DATE"
    elif away and not replan:
        message = "--absent goes with --replan; for a week to come, write --ban 'OFFICER:*:DATE'"
    elif not replan and start is None:
        message = "give --from DATE to plan a week, or --replan to repair one"
    if message:
        raise typer.BadParameter(message)


def _planned(area: StudyArea, days: Sequence[dt.date], who: Who) -> dict[dt.date, Plan]:
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.team.day_plans import plan_days

    surface = estimated(area)
    with stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    with crew(*who, len(area.schools)) as executor, stage("Planning patrols"), bar() as tell:
        return plan_days(area, surface, found, days, executor=executor, tell=tell)


def _chosen(
    config: Path,
    day: dt.date,
    by_hand: tuple[Sequence[ByHand], Sequence[ByHand]],
    part: _Part,
    who: Who,
) -> Week:
    locks, bans = by_hand
    from patrolplan.team.ledger.monthly_return import doses_before
    from patrolplan.team.rota import check_officers, plan_week
    from patrolplan.team.week import Ban, Lock, school_week

    area = loaded(config)
    check_officers(area)  # before the work, not after it
    days = school_week(day)
    part.check(area, days)
    plans = _planned(area, days, who)
    delivered = doses_before(area, plans[days[0]].hotspots, days[0])
    with stage("Choosing the week"):
        return plan_week(
            area,
            plans,
            start=day,
            delivered=delivered,
            locks=[Lock(str(who), str(urn), when, n) for who, urn, when, n in locks if when],
            bans=[Ban(*row) for row in bans],
        )


def _repaired(
    config: Path, out: Path, away: Sequence[tuple[str, dt.date]], part: _Part, who: Who
) -> tuple[Week, Sequence[Change]]:
    from patrolplan.team.replan import check_absent, replan
    from patrolplan.team.week_file import read_week, week_entry

    absent: dict[str, set[dt.date]] = {}
    for officer, day in away:
        absent.setdefault(officer, set()).add(day)
    progress.print(f"Repairing the week in {out}")
    area = loaded(config)
    entry = week_entry(out / "week.json")  # before the work, not after it
    check_out(out)
    there = [*area.officers["officer"], *(row.officer for row in entry.patrols)]
    check_absent(entry.days, there, absent)
    part.check(area, entry.days)
    plans = _planned(area, entry.days, who)
    handed_out = read_week(out / "week.json", area, plans)
    with stage("Repairing the week"):
        return replan(handed_out, area, plans, absent=absent)


def _by_hand(text: str, option: str) -> ByHand:
    """OFFICER:URN:DATE[:VARIANT] as typed; a wrong one is wrong usage."""
    parts = [part.strip() for part in text.split(":")]
    few, many = 3, 4
    if len(parts) not in {few, many} or not all(parts):
        message = f"'{text}' is not OFFICER:URN:DATE or OFFICER:URN:DATE:VARIANT"
        raise typer.BadParameter(message, param_hint=option)
    officer, urn, date, variant = (None if part == ALL else part for part in (*parts, ALL)[:many])
    if option == "--lock" and None in {officer, urn, date}:
        message = f"'{text}' leaves open who, where or when; a lock names all three"
        raise typer.BadParameter(message, param_hint=option)
    if variant is not None and not re.fullmatch(r"[0-9]{1,3}", variant):
        message = f"'{variant}' is no variant; write 0 for route 1, 1 for route 2..."
        raise typer.BadParameter(message, param_hint=option)
    day = None if date is None else parsed_date(date, option)
    return officer, urn, day, None if variant is None else int(variant)


def _away(text: str) -> tuple[str, dt.date]:
    """OFFICER:DATE as typed; a wrong one is wrong usage."""
    officer, mark, date = (part.strip() for part in text.rpartition(":"))
    if not (officer and mark):
        message = f"'{text}' is not OFFICER:DATE, such as SSO-01:2026-12-01"
        raise typer.BadParameter(message, param_hint="--absent")
    return officer, parsed_date(date, "--absent")


def _changed(change: Change) -> dict[str, Any]:
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
