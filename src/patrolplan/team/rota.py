"""Plan -> `Week`: who patrols which school when; and proof that it was drawn, not chosen."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any, Literal

import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.relations import check_age
from patrolplan.area.study_area import refuse_other_area
from patrolplan.doors import Day, read_day
from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.patrols.plan import Plan
from patrolplan.patrols.tasked_places import add_taskings
from patrolplan.privacy import note_low_threshold
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.risk.history import note_guard
from patrolplan.tables import STAFF
from patrolplan.team import obstacle_finder
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.draw import compute_digest, draw_week, find_foreseen, list_facts, make_draw_key
from patrolplan.team.free_time import list_school_days, note_modes
from patrolplan.team.not_met import list_unmet
from patrolplan.team.problem import RotaProblem, SearchLimits
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import find_crews
from patrolplan.team.secret import DrawKey, note_secret
from patrolplan.team.solve import IMPOSSIBLE, RotaSolution, solve_rota
from patrolplan.team.walks import draw_new_walks, draw_walks
from patrolplan.team.week import Duty, Week, format_day
from patrolplan.team.week_records import Ban, Draw, HandChange, Lock
from patrolplan.text import format_count

NO_SECRET = Note(
    "drawn_without_secret",
    "The week was drawn without a secret: anyone with the same data and settings can draw it "
    "again. `patrolplan week` makes a secret where it may write next to the settings.",
    "lead",
    fix="let `patrolplan week` write a secret next to the settings",
)
FULL_DOSE_SHARE = 0.5  # of a dwell, from which a delivered visit counts as the day's dose


def plan_week(
    area: StudyArea,
    plan: Plan | Mapping[dt.date, Plan],
    *,
    start: Day,
    locks: Sequence[Lock] = (),
    bans: Sequence[Ban] = (),
    delivered: pd.DataFrame | None = None,
    stop: SearchLimits | None = None,
    key: DrawKey | None = None,
) -> Week:
    """Choose who patrols which school on which day, and by which of its routes.

    The best week is found, and one of the weeks that are nearly as good is drawn: see
    `patrolplan.team.draw`. An officer has at most one patrol a day and window, and is on duty from
    setting out at the base until its end. `patrolplan.team.objective` says what a week is worth.

    Parameters
    ----------
    area
        With officers, and term dates if there are any.
    plan
        Every school's best patrol and its variants; by day where days differ, see
        `patrolplan.team.day_plans`. One plan for all days gets further patrols past hotspots that
        more schools go to than the daily maximum allows.
    start
        First day; the week ends on its Friday. If it is at a weekend, the next week.
    locks, bans
        Duties set and ruled out by hand.
    delivered
        Doses delivered before: columns `hotspot`, `date`, `minutes`. Those of the seven days
        before count as earlier days.
    stop
        When to stop searching.
    key
        What the week is drawn with; by default that of its first draw with the team's secret, or
        with the settings' seed where there is none, see `patrolplan.team.draw.make_draw_key`.

    Returns
    -------
    Week
        With worth, bound and gap, and every school and day without a patrol and why.

    Raises
    ------
    InputError
        When there are no officers, a lock or ban cannot be fulfilled, or the secret is not valid.
    TypeError
        When `delivered` lacks a column.
    """
    check_officers(area)
    most, dwell = area.settings.week.max_dose_minutes_per_day, area.settings.patrol.dwell_minutes
    if most < dwell:
        where = "[week]"
        what = f"max_dose_minutes_per_day {most:g} is below [patrol] dwell_minutes {dwell:g}"
        remedy = f"not even one visit would fit; set it to {dwell:g} or more"
        raise InputError.one(where, what, remedy)
    days = list_school_days(read_day(start, "start"))
    area = check_age(area, days[0])
    for one in [plan] if isinstance(plan, Plan) else plan.values():
        refuse_other_area(area.basis, one.area.basis, "plan", "plan the patrols of this area")
    dosed = _find_dosed_days(delivered, dwell)
    plans = list_day_plans(plan, days)
    key = make_draw_key(area, days[0]) if key is None else key
    inputs = RotaInputs(area, plans, days, tuple(locks), tuple(bans), delivered=dosed)
    obstacle_finder.check_locks_and_bans(inputs)
    best = solve_rota(inputs.problem, seed=area.settings.seed, stop=stop)
    return build_drawn_week(inputs, best, key, stop)


def build_drawn_week(
    inputs: RotaInputs, best: RotaSolution, key: DrawKey, stop: SearchLimits | None = None
) -> Week:
    """The week that a key draws, from the best one, found within limits."""
    if inputs.locks and best.floor is not None and best.floor.missing == IMPOSSIBLE:
        where, what = "lock", "the locks cannot all be fulfilled together"
        raise InputError.one(where, what, "remove some of them")
    give = inputs.area.settings.week.give
    drawn = draw_week(inputs.problem, best, give, key)
    week = choose_week(inputs, inputs.problem, drawn)
    duties = draw_walks(inputs, week.duties, key)
    noted = note_secret(inputs.area.settings) if key.is_secret else (NO_SECRET,)
    draw = Draw(
        number=key.number,
        commitment=key.commitment,
        give=give,
        best_worth=best.worth,
        digest=compute_digest(duties),
        locks=inputs.locks,
        bans=inputs.bans,
        data=compute_short_id(week.created_from),
        limits=stop,
    )
    notes = (*week.notes, *noted)
    week = replace(week, draw=draw, foreseen=find_foreseen(inputs, best), notes=notes)
    return settle_week(inputs, week, duties)


def walk_new_patrols(inputs: RotaInputs, before: Week, after: Week) -> Week:
    """A changed week with the walks of its new patrols drawn; those that stand keep theirs."""
    # They are drawn by the key of the week's draw, so that patrols that were placed by hand or by a
    # repair are no easier to foresee than the others.
    number = 1 if before.draw is None else before.draw.number
    key = make_draw_key(inputs.area, inputs.days[0], number)
    walked = draw_new_walks(inputs, before.duties, after.duties, key)
    return after if all(map(is_, walked, after.duties)) else settle_week(inputs, after, walked)


def check_officers(area: StudyArea) -> None:
    """Raise if the area has no officers who lead patrols."""
    if (area.officers["role"] == STAFF).all():
        where, what = "[sources] officers", "there are no officers"
        raise InputError.one(where, what, "name the table of officers there")


def _find_dosed_days(
    delivered: pd.DataFrame | None, dwell_minutes: float
) -> dict[str, frozenset[dt.date]]:
    """Days on which a hotspot had its dose, at least half a dwell, by hotspot."""
    if delivered is None or delivered.empty:
        return {}
    missing = {"hotspot", "date", "minutes"} - set(delivered.columns)
    if missing:
        message = f"delivered lacks the columns {sorted(missing)}; give hotspot, date, minutes"
        raise TypeError(message)
    table = delivered.assign(date=pd.to_datetime(delivered["date"]).dt.date)
    minutes = table.groupby(["hotspot", "date"])["minutes"].sum()
    dosed = minutes[minutes >= FULL_DOSE_SHARE * dwell_minutes].reset_index()
    return {str(name): frozenset(rows["date"]) for name, rows in dosed.groupby("hotspot")}


def build_week(
    inputs: RotaInputs, problem: RotaProblem, solution: RotaSolution, before: Week | None = None
) -> Week:
    """The week of a solution, with the reasons for what is missing."""
    week = choose_week(inputs, problem, solution, before)
    return settle_week(inputs, week, week.duties)


def choose_week(
    inputs: RotaInputs, problem: RotaProblem, solution: RotaSolution, before: Week | None = None
) -> Week:
    """The week of a solution, before it is known how its patrols are walked."""
    # Of a week `before` all stays that does not follow from the choice, such as its draw.
    crews = find_crews(inputs, problem.list_options(solution.chosen)).items()
    duties = [build_duty(inputs, *option).with_crew(crew) for option, crew in crews]
    choice: dict[str, Any] = {
        "plan": inputs.plans[0],
        "days": inputs.days,
        "duties": sort_duties(duties),
        "unmet": (),
        "status": "optimal" if solution.proven else "feasible",
        "worth": solution.worth,
        "bound": solution.bound,
        "notes": (
            *_list_notes(inputs),
            *_note_short_crews(inputs.area, duties),
            *note_modes(inputs.area),
        ),
        "locks": inputs.locks,
        "bans": inputs.bans,
        "delivered": dict(inputs.delivered),
        "absent": dict(inputs.absent),
        "demands": (),
    }
    if before is None:
        return Week(created_from=compute_area_provenance(inputs.area), **choice)
    return replace(before, **choice)


def settle_week(inputs: RotaInputs, week: Week, walked: Iterable[Duty]) -> Week:
    """The week with its patrols as they are walked, and all that follows from where they stand."""
    # Each has what is tasked where its people stand, whoever was sent there.
    duties = sort_duties(_add_taskings(inputs.area, duty) for duty in walked)
    others = [note for note in week.notes if note.key not in obstacle_finder.OVER_MAXIMUM]
    finder = obstacle_finder.find_obstacles_beside(inputs, duties)
    demands = obstacle_finder.build_demand_outcomes(finder, duties)
    return replace(
        week,
        duties=duties,
        demands=demands,
        unmet=tuple(list_unmet(finder, duties, demands)),
        notes=(*others, *obstacle_finder.note_over_maximum(inputs, duties)),
    )


def sort_duties(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """In the order of a week."""
    return tuple(sorted(duties, key=lambda duty: (duty.date, duty.start_minutes, duty.officer)))


def _add_taskings(area: StudyArea, duty: Duty) -> Duty:
    """The duty with each stop's tasking on its day; itself where it has them."""
    patrol = add_taskings(area, duty.date, duty.patrol)
    return duty if patrol is duty.patrol else replace(duty, patrol=patrol)


def build_duty(inputs: RotaInputs, officer: int, day: int, route: int) -> Duty:
    """The duty of an option: as it was handed out, or as the route is walked that day."""
    if (officer, day, route) in inputs.held_rows:
        return inputs.held_rows[officer, day, route]
    patrol = inputs.routes[route]
    return Duty(
        officer=inputs.officers[officer],
        urn=patrol.urn,
        date=inputs.days[day],
        start_minutes=patrol.start_minutes,
        end_minutes=patrol.end_minutes,
        variant=int(inputs.variant[day, route]),
        patrol=patrol,
        leave_minutes=float(inputs.set_out[officer, route]),
        back_minutes=float(inputs.back[officer, route]),
    )


def _list_notes(inputs: RotaInputs) -> Iterator[Note]:
    """What was assumed about the area, its dates, loans, bicycles and doses."""
    yield from note_guard(inputs.area.settings)
    yield from note_low_threshold(inputs.area.settings)
    if not (inputs.area.term_dates["kind"] == "term").any():
        text = "There are no term dates: every weekday counts as a school day."
        fix = "give term dates: [sources] term_dates, with urn, from, to, kind"
        yield Note("no_term_dates", text, "lead", fix=fix)
    for lock in inputs.locks:
        if not inputs.cares[inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)]:
            when = f"on {format_day(lock.date)}: locked by hand"
            text = f"{lock.officer} is lent to URN {lock.urn} {when}."
            yield Note("officer_lent", text, "lead", about={"officers": [lock.officer]})
    unknown = sorted(set(inputs.delivered).difference(inputs.hotspots))
    if unknown:
        places = ", ".join(unknown)
        text = f"Doses at places that no route visits are not counted: {places}."
        yield Note("doses_not_counted", text, "lead")


def _note_short_crews(area: StudyArea, duties: Sequence[Duty]) -> Iterator[Note]:
    """Patrols of one officer that should have two."""
    alone = [duty for duty in duties if 1 + len(duty.crew) < area.settings.week.crew]
    if alone:
        rows = [f"{one.officer} at URN {one.urn} on {format_day(one.date)}" for one in alone]
        count = f"{len(alone)} of {len(duties)}"
        text = f"Patrols of one, not two ({count}): {'; '.join(rows)}."
        fix = f"find a second person for {format_count(len(alone), 'patrol')}: `patrolplan board`"
        about = {"officers": [duty.officer for duty in alone]}
        yield Note("crew_short", text, "lead", fix=fix, about=about)


AuditObstacle = Literal["not_drawn", "no_secret", "other_secret", "other_data", "other_version"]
"""Why a draw cannot be made again."""


@dataclass(frozen=True, eq=False)
class Audit:
    """The result of drawing a week again."""

    draw: Draw | None
    obstacle: AuditObstacle | None = None
    is_as_drawn: bool = False  # whether the digest of the draw is that of the week drawn again
    withdrawn: tuple[Duty, ...] = ()
    """Patrols that were drawn and are no longer in the week unchanged."""
    new: tuple[Duty, ...] = ()  # patrols of the week that were not drawn, or not unchanged
    history: tuple[HandChange, ...] = ()  # changes by hand on record...
    absent: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)  # ...and absences

    @property
    def verdict(self) -> Literal["holds", "differs", "unrecorded", "impossible"]:
        """The draw is confirmed, or differs; patrols changed without a record; or not known."""
        if self.obstacle is not None:
            return "impossible"
        if not self.is_as_drawn:
            return "differs"
        is_recorded = bool(self.history or self.absent)
        return "holds" if is_recorded or not (self.withdrawn or self.new) else "unrecorded"


def find_audit_obstacle(
    area: StudyArea, draw: Draw | None, week: Mapping[str, object], day: dt.date
) -> AuditObstacle | None:
    """Why the draw of a week of the area as it is now cannot be made again; None where it can."""
    # `week` is what it was created from, see `patrolplan.provenance`, and `day` any of its days.
    if draw is None:
        return "not_drawn"
    now = compute_area_provenance(area)
    if now["version"] != week.get("version"):
        return "other_version"
    if compute_short_id(now) != (draw.data or compute_short_id(week)):
        return "other_data"
    key = make_draw_key(area, day, draw.number)
    if draw.commitment and not key.is_secret:
        return "no_secret"
    return None if draw.commitment == key.commitment else "other_secret"


def audit_week(week: Week, area: StudyArea, plan: Plan | Mapping[dt.date, Plan]) -> Audit:
    """Draw a week again, from area and plan as they were when it was drawn, and compare."""
    # Those who hold the secret can draw it again. It must have the digest in the week's file, and
    # every patrol that was handed out must be as it was drawn, or its change must be on record.
    obstacle = find_audit_obstacle(area, week.draw, week.created_from, week.start)
    if week.draw is None or obstacle is not None:
        return Audit(week.draw, obstacle)
    dwell, draw = area.settings.patrol.dwell_minutes, week.draw
    doses = [(name, day, dwell) for name, days in week.delivered.items() for day in sorted(days)]
    delivered = pd.DataFrame(doses, columns=["hotspot", "date", "minutes"])
    given: dict[str, Any] = {"locks": draw.locks, "bans": draw.bans, "stop": draw.limits}
    key = make_draw_key(area, week.start, draw.number)
    again = plan_week(area, plan, start=week.start, delivered=delivered, key=key, **given)
    drawn, there = ({tuple(list_facts(one)): one for one in w.duties} for w in (again, week))
    return Audit(
        week.draw,
        is_as_drawn=compute_digest(again.duties) == week.draw.digest,
        withdrawn=tuple(one for facts, one in drawn.items() if facts not in there),
        new=tuple(one for facts, one in there.items() if facts not in drawn),
        history=week.history,
        absent=week.absent,
    )
