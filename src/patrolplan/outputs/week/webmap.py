"""The week as a page for the phone: the plan's map, chosen by day and officer."""

from patrolplan.outputs.webmap.layers import Outing
from patrolplan.outputs.webmap.page import WeekView
from patrolplan.outputs.webmap.page import render_map
from patrolplan.outputs.week.roll import Roll
from patrolplan.outputs.week.roll import week_name
from patrolplan.outputs.week.tasks import set_out
from patrolplan.patrols.plans import clock
from patrolplan.team.week import Duty
from patrolplan.team.week import day_name


def render_week_map(roll: Roll) -> bytes:
    """Write the week as one HTML page, see `patrolplan.outputs.webmap.page.render_map`."""
    files = {officer.name: officer.file for officer in roll.officers}
    week = WeekView(
        outings=tuple(_outing(roll, duty, files[duty.officer]) for duty in roll.week.duties),
        name=week_name(roll.week),
        days={f"{day}": day_name(day) for day in roll.week.days},
        officers={files[officer.name]: officer.name for officer in roll.officers},
    )
    return render_map(roll.week.plan, week)


def _outing(roll: Roll, duty: Duty, file: str) -> Outing:
    leave = set_out(duty)
    about = f"{day_name(duty.date)}, {duty.officer}"
    return Outing(
        id=f"{duty.date}-{roll.school_file(duty.urn)}-{file}",
        patrol=duty.patrol,
        title=duty.patrol.school,
        choice=f"{duty.date:%a} {clock(duty.start_minutes)} {duty.officer}: {duty.patrol.school}",
        about=f"{about}, set out {leave}" if leave else about,
        day=f"{duty.date}",
        officer=file,
    )
