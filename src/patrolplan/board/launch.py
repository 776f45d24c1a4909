"""Everything before the first page: the area, its plans, and the week that is opened or planned."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patrolplan.area import load_area
from patrolplan.board.desk import Desk
from patrolplan.board.desk import Scene
from patrolplan.board.ground import Ground
from patrolplan.board.store import Store
from patrolplan.board.tasking import Sheet
from patrolplan.errors import InputError
from patrolplan.hotspots.find import find_hotspots
from patrolplan.outputs.files import check_folder
from patrolplan.risk.estimate import estimate_risk
from patrolplan.team.byhand import Hand
from patrolplan.team.day_plans import plan_days
from patrolplan.team.ledger.handing_out import WEEK_FILE
from patrolplan.team.ledger.returns import doses_before
from patrolplan.team.open_days import school_week
from patrolplan.team.rota import check_officers
from patrolplan.team.rota import plan_week
from patrolplan.team.week_file import read_week
from patrolplan.team.week_file import week_entry
from patrolplan.terminal import stage

if TYPE_CHECKING:
    from pathlib import Path


def opened(config: Path, folder: Path, start: dt.date | None = None) -> Desk:
    """Open the week of a folder, or plan one and write it there.

    Parameters
    ----------
    config
        The settings file.
    folder
        The week's folder, as `patrolplan week --out` writes it.
    start
        A day of the week to plan where the folder holds none; by default next Monday.

    Raises
    ------
    InputError
        When the inputs cannot be used, or the folder holds another week than the one asked for.
    OutputError
        When the folder cannot be written.
    """
    check_folder(folder)
    there = (folder / WEEK_FILE).is_file()
    days = week_entry(folder).days if there else school_week(start or next_monday(dt.date.today()))  # noqa: DTZ011 - the day on the wall
    if there and start is not None and start not in days:
        what = f"holds the week from {days[0]}, not the one of {start}"
        raise InputError.one(folder, what, "name another folder with --week, or leave --from out")
    with stage("Reading"):
        area = load_area(config)
    check_officers(area)
    with stage("Estimating risk"):
        risk = estimate_risk(area)
        hotspots = find_hotspots(area, risk)
    with stage("Planning patrols"):
        plans = plan_days(area, risk, hotspots, days)
    return desk_on(Ground(area, risk, hotspots, plans), folder)


def desk_on(ground: Ground, folder: Path) -> Desk:
    """The board on a ground that is planned, with the week of a folder or a new one."""
    store = Store(folder)
    if (folder / WEEK_FILE).is_file():
        week = read_week(folder, ground.area, ground.plans)
    else:
        with stage("Choosing the week"):
            first = ground.days[0]
            delivered = doses_before(ground.area, ground.hotspots, first)
            week = plan_week(ground.area, ground.plans, start=first, delivered=delivered)
        store.begin(week)
    hand = Hand.on(week, ground.area, ground.plans)
    return Desk(Scene(ground, hand, week, Sheet.of(ground.area.settings)), store)


def next_monday(today: dt.date) -> dt.date:
    """The Monday after a day.

    Examples
    --------
    >>> next_monday(dt.date(2026, 11, 27)).isoformat()
    '2026-11-30'
    """
    return today + dt.timedelta(days=7 - today.weekday())
