"""`patrolplan week --audit`: whether a week was drawn as recorded in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.trial import check_trial_is_named, load_trial_draw

if TYPE_CHECKING:
    from pathlib import Path

    from patrolplan.team.rota import Audit


OBSTACLES = {
    "not_drawn": "the week was not drawn: an earlier version of patrolplan made it",
    "no_secret": "the team's secret is not there",
    "other_secret": "the team's secret is another than the one that drew the week",
    "other_data": "data or settings have changed since",
    "other_version": "another version of patrolplan drew it",
}


def audit_folder(
    config: Path, out: Path, worker_options: options.WorkerOptions, trial: Path | None = None
) -> Audit:
    """Draw the week of a folder again, and compare."""
    from patrolplan.team.rota import Audit, audit_week, find_audit_obstacle
    from patrolplan.team.week_file import read_week_alone

    entry = read_week_alone(out)  # before the slow part
    check_trial_is_named(out, entry.trial, trial)
    area = steps.load_study_area(config)
    obstacle = find_audit_obstacle(area, entry.draw, entry.created_from, entry.days[0])
    if obstacle is not None:
        return Audit(entry.draw, obstacle)
    drawn = None if trial is None else load_trial_draw(trial, entry.days, entry.trial)
    _, _, plans = steps.plan_area_days(area, entry.days, worker_options, drawn)
    with console.report_stage("Drawing the week again"):
        return audit_week(pp.read_week(out, area, plans), area, plans)


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
