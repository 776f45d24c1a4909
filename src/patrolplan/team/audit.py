"""Proof that a week was drawn, and not chosen: the draw is made again and compared.

Those who hold the secret can draw the same week again from the same data and settings. The result
must have the digest in the week's file, and every patrol that was handed out must be as it was
drawn, or its change must be on record.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.patrols.plan import Plan
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.draw import compute_digest, list_facts, make_draw_key
from patrolplan.team.rota import plan_week
from patrolplan.team.week import Duty, Week
from patrolplan.team.week_records import Draw, HandChange

Obstacle = Literal["not_drawn", "no_secret", "other_secret", "other_data", "other_version"]
"""Why a draw cannot be made again."""

Verdict = Literal["holds", "differs", "unrecorded", "impossible"]


@dataclass(frozen=True, eq=False)
class Audit:
    """The result of drawing a week again."""

    draw: Draw | None
    obstacle: Obstacle | None = None
    is_as_drawn: bool = False
    """Whether the digest of the draw is that of the week drawn again."""
    withdrawn: tuple[Duty, ...] = ()
    """Patrols that were drawn and are no longer in the week unchanged."""
    new: tuple[Duty, ...] = ()
    """Patrols of the week that were not drawn, or not unchanged."""
    history: tuple[HandChange, ...] = ()
    """Changes by hand on record, see `Week.history`."""
    absent: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    """Absences on record, see `Week.absent`."""

    @property
    def verdict(self) -> Verdict:
        """The draw is confirmed, or differs; patrols changed without a record; or not known."""
        if self.obstacle is not None:
            return "impossible"
        if not self.is_as_drawn:
            return "differs"
        is_recorded = bool(self.history or self.absent)
        return "holds" if is_recorded or not (self.withdrawn or self.new) else "unrecorded"


def find_obstacle(
    area: StudyArea, draw: Draw | None, week: Mapping[str, object], day: dt.date
) -> Obstacle | None:
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
    obstacle = find_obstacle(area, week.draw, week.created_from, week.start)
    if week.draw is None or obstacle is not None:
        return Audit(week.draw, obstacle)
    again = plan_week(
        area,
        plan,
        start=week.start,
        locks=week.draw.locks,
        bans=week.draw.bans,
        delivered=_list_doses(week, area.settings.patrol.dwell_minutes),
        stop=week.draw.limits,
        key=make_draw_key(area, week.start, week.draw.number),
    )
    return Audit(
        week.draw,
        is_as_drawn=compute_digest(again.duties) == week.draw.digest,
        withdrawn=_find_missing(again.duties, week.duties),
        new=_find_missing(week.duties, again.duties),
        history=week.history,
        absent=week.absent,
    )


def _list_doses(week: Week, minutes: float) -> pd.DataFrame:
    """The doses that a week was planned with, as `plan_week` takes them."""
    rows = [(name, day, minutes) for name, days in week.delivered.items() for day in sorted(days)]
    return pd.DataFrame(rows, columns=["hotspot", "date", "minutes"])


def _find_missing(duties: Sequence[Duty], others: Sequence[Duty]) -> tuple[Duty, ...]:
    """Duties that are not among the others, exactly the same."""
    there = {tuple(list_facts(duty)) for duty in others}
    return tuple(duty for duty in duties if tuple(list_facts(duty)) not in there)
