"""`patrolplan week --trial FILE`: chooses a trial's pairs, plans its weeks, and analyses it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import patrolplan as pp
from patrolplan.cli import console, steps

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from patrolplan.team.trial import Effect
    from patrolplan.team.week_records import WeekTrial

CAUTIONS = (
    "One in twenty trials of patrols that do nothing looks like a success or a failure.",
    "Where no patrol came as drawn, or one came undrawn, the difference looks too small.",
    "Recorded crime is what was reported; presence can make people report more.",
)


def choose_or_analyse(
    config: Path, path: Path | None, start: dt.date | None, *, as_json: bool
) -> bool:
    """Begin a trial, choose its pairs, or analyse it once it is over; False to plan a week."""
    from patrolplan.team.trial import analyse_trial, choose_pairs, propose_trial, read_trial

    if path is None:
        return False
    trial = read_trial(path) if path.exists() else None
    if trial is not None and trial.hotspots:
        if start is None:
            area = steps.load_study_area(config)
            with console.report_stage("Analysing the trial"):
                effect = analyse_trial(path, trial, area)
            numbers = {  # null: unknown or unbounded
                name: round(value, 6) if math.isfinite(value) else None
                for name, value in asdict(effect).items()
            }
            console.print_result({"effect": numbers}, describe_effect(effect), as_json=as_json)
        return start is None
    if trial is None and start is None:
        remedy = "give --from DAY, the first day of a new trial"
        raise pp.InputError.one(path, "there is no such file", remedy)
    area = steps.load_study_area(config)
    trial = trial or propose_trial(area, cast("dt.date", start))
    hotspots = steps.find_area_hotspots(area, steps.estimate_area_risk(area))
    trial = choose_pairs(path, trial, area, hotspots)
    line = (
        f"The trial {trial.title}: {len(trial.hotspots) // 2} pairs of hotspots and "
        f"{len(trial.days)} school days, now in {path}. Plan its weeks with --from and --out; "
        f"without them it is analysed when crimes up to {trial.end} are known."
    )
    console.print_result(trial.model_dump(mode="json"), [line], as_json=as_json)
    return True


def load_trial_draw(
    path: Path | None,
    days: Sequence[dt.date],
    folder: Path | None = None,
    recorded: WeekTrial | None = None,
) -> steps.TrialDraw | None:
    """A trial and its draw for a week, that which a folder's week is part of; None without one."""
    from patrolplan.team.trial import draw_trial_week, read_trial

    if folder is not None and recorded is not None and path is None:
        what = f"the week is part of the trial {recorded.title}"
        raise pp.InputError.one(folder, what, "name the trial's file with --trial")
    if folder is not None and recorded is None and path is not None:
        raise pp.InputError.one(folder, "the week is part of no trial", "leave --trial out")
    if path is None:
        return None
    trial = read_trial(path)
    drawn = draw_trial_week(path, trial, days)
    if recorded is not None and recorded.drawn != drawn.drawn:
        what = f"the week is part of another trial, {recorded.title}"
        raise pp.InputError.one(path, what, "name the file of that one")
    return trial, drawn


def describe_effect(effect: Effect) -> list[str]:
    """A trial's result, one line per fact, the answer first and the cautions last."""
    answer = "There is no answer: no incident came where there were no patrols to compare with."
    if math.isfinite(effect.factor):
        span = f"95 % interval {effect.low:.2f} to {effect.high:.2f}"
        answer = f"With patrols {effect.factor:.2f} times the incidents of without ({span})."
    chance = (
        f"{effect.incidents_with:.1f} incidents where patrols were drawn, "
        f"{effect.incidents_without:.1f} where none were. The lot alone makes as much of a "
        f"difference with the chance p = {effect.p_value:.3f}."
    )
    return [answer, chance, *CAUTIONS]
