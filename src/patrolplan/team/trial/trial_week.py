"""A week under a trial: on each day, hotspots without patrols are left out of its plan.

Every day is planned without the hotspots that the trial draws to have no patrols, so that patrols
are as good as possible without them. Those with patrols are planned as in any other week, and
nothing else changes: locks, tasked places and the draw of the week are as always. Places tasked by
intelligence or set by a lead take precedence over the trial; they are noted, and still count as
they were drawn.

A hotspot of the trial is its streets, not its name: every priority street of today's data that
shares a piece with it, or whose stop is in sight of it, is left out together with those that are
walked with it.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.hotspots.find import rate_hotspots
from patrolplan.notes import Note
from patrolplan.patrols.beats import join_beats
from patrolplan.patrols.plan import Plan
from patrolplan.team.secret import Secret
from patrolplan.team.trial.counts import find_trial_pieces
from patrolplan.team.trial.delivery import AT_HOTSPOT_METRES
from patrolplan.team.trial.design import Bools, draw_block
from patrolplan.team.trial.trial_file import Trial, check_commitment
from patrolplan.team.week import TrialCell, Week, WeekTrial

PlanDays = Callable[[gpd.GeoDataFrame, Sequence[dt.date]], Mapping[dt.date, Plan]]
"""Plans days with these hotspots."""


def draw_trial_week(
    path: Path, trial: Trial, area: StudyArea, secret: Secret, days: Sequence[dt.date]
) -> WeekTrial:
    """What a trial draws for a week's days; no other day is drawn.

    Parameters
    ----------
    path
        Of the trial's file, for messages.
    trial
        As it was sealed.
    area
        Its name is part of the key.
    secret
        The team's.
    days
        Of the week.

    Raises
    ------
    InputError
        When no day is one of the trial's, or the file or the secret is a different one.
    """
    key = trial.make_key(secret, area.name)
    check_commitment(path, trial, key)
    cells = []
    for block in trial.blocks:
        mine = [day for day in block.days if day in days]
        if not mine:
            continue
        treated = draw_block(key, block.label, sets=trial.sets, ratio=trial.ratio).ravel()
        cells += [
            TrialCell(hotspot.hotspot, day, treated=bool(one))
            for day in mine
            for hotspot, one in zip(trial.seal.hotspots, treated, strict=True)
        ]
    if not cells:
        what = f"no day from {days[0]} to {days[-1]} is a school day of the trial"
        remedy = f"it is from {trial.start} to {trial.end}: plan other weeks without --trial"
        raise InputError.one(path, what, remedy)
    return WeekTrial(trial.title, trial.seal.commitment, tuple(cells))


def plan_trial_days(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    trial: Trial,
    drawn: WeekTrial,
    plan_days: PlanDays,
) -> dict[dt.date, Plan]:
    """A plan for each day, without the hotspots that have no patrols on it.

    Parameters
    ----------
    area, hotspots
        As they are planned with.
    days
        Of the week.
    trial, drawn
        See `draw_trial_week`.
    plan_days
        Plans days with the hotspots that are given to it; days on which the same ones are left out
        are planned together.

    Returns
    -------
    dict
        Plans whose `hotspots` are complete again, so that a week gives them equal weights every
        day.
    """
    covers = _match_beats(area, join_beats(area, hotspots), trial)
    together: dict[frozenset[str], list[dt.date]] = {}
    for day in days:
        without = _list_controls(trial, drawn, day)
        left_out = frozenset(name for names in map(covers.get, without) for name in names or ())
        together.setdefault(left_out, []).append(day)
    plans: dict[dt.date, Plan] = {}
    for left_out, some in together.items():
        some_hotspots = hotspots[~hotspots["hotspot"].isin(left_out)]
        for day, plan in plan_days(some_hotspots.reset_index(drop=True), some).items():
            plans[day] = _restore_hotspots(plan, hotspots)
    return {day: plans[day] for day in days}


def mark_trial_week(week: Week, trial: Trial, drawn: WeekTrial) -> Week:
    """The week with what the trial drew, and notes on it and on what took precedence over it."""
    names = [hotspot.hotspot for hotspot in trial.seal.hotspots]
    projection = week.plan.area.projection
    stretches = [hotspot.build_stretch(projection) for hotspot in trial.seal.hotspots]
    none = {(cell.hotspot, cell.date) for cell in drawn.drawn if not cell.treated}
    visited = {
        (duty.date, name)
        for duty in week.duties
        for stop in duty.patrol.stops
        for name, stretch in zip(names, stretches, strict=True)
        if (name, duty.date) in none
        and stretch.distance(shapely.Point(stop.x, stop.y)) <= AT_HOTSPOT_METRES
    }
    notes = [Note("trial_week", {"title": drawn.title, "commitment": drawn.commitment})]
    if visited:
        places = [f"{name} on {day}" for day, name in sorted(visited)]
        notes.append(Note("trial_overridden", {"places": places}))
    others = [note for note in week.notes if note.kind not in {"trial_week", "trial_overridden"}]
    return replace(week, trial=drawn, notes=(*others, *notes))


def _list_controls(trial: Trial, drawn: WeekTrial, day: dt.date) -> list[int]:
    """Rows of the trial's hotspots that have no patrols on a day."""
    rows = {hotspot.hotspot: row for row, hotspot in enumerate(trial.seal.hotspots)}
    return [rows[cell.hotspot] for cell in drawn.drawn if cell.date == day and not cell.treated]


def _match_beats(
    area: StudyArea, beats: gpd.GeoDataFrame, trial: Trial
) -> dict[int, frozenset[str]]:
    """Hotspots of today on, or watched from, each hotspot of the trial, by its row."""
    stretches = [hotspot.build_stretch(area.projection) for hotspot in trial.seal.hotspots]
    stops = np.array(beats["stop"].tolist(), dtype=object)
    near = shapely.distance(np.array(stretches)[:, None], stops[None]) <= AT_HOTSPOT_METRES
    shared = _find_shared(find_trial_pieces(area, stretches), beats["pieces"].tolist())
    return {
        row: frozenset(
            name
            for beat in np.flatnonzero(near[row] | shared[row])
            for name in (beats["hotspot"].iloc[beat], *beats["beat"].iloc[beat])
        )
        for row in range(len(stretches))
    }


def _find_shared(some: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> Bools:
    """(a, b) whether two groups of pieces have a piece in common."""
    sets = [{*pieces} for pieces in others]
    shared = [[not own.isdisjoint(pieces) for own in sets] for pieces in some]
    return np.array(shared, dtype=bool).reshape(len(some), len(others))


def _restore_hotspots(plan: Plan, hotspots: gpd.GeoDataFrame) -> Plan:
    """The plan with all hotspots again, in each of its windows with their worth there."""
    other_mode = plan.other_mode
    if other_mode is not None:
        other_mode = _restore_hotspots(other_mode, hotspots)
    windows = tuple(
        _restore_hotspots(one, rate_hotspots(one.area, one.risk, hotspots))
        for one in plan.other_windows
    )
    return replace(plan, hotspots=hotspots, other_mode=other_mode, other_windows=windows)
