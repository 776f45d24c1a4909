"""What papers and pages say of a patrol's stops, unescaped and uncut, and their marking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.square_names import name_squares
from patrolplan.crs import locate_in_squares
from patrolplan.hotspots.reasons import Reason, ReportsReason, WayReason, list_reasons
from patrolplan.outputs import reason_words, wording
from patrolplan.patrols.feared_places import name_place
from patrolplan.patrols.plan import Patrol, Stop
from patrolplan.tables import STAFF
from patrolplan.text import join_words
from patrolplan.times import format_time

LEAST_MARKING = "OFFICIAL-SENSITIVE"  # of papers that show when pupils are on which streets
AT_PLACE_METRES = 25.0  # Within this distance an officer stands at a tasked place
NOT_FEARED, REPORTED, CARRIED = 0, 1, 2  # The last: due more to reports than to crime
STAFF_WORDS = "a member of staff of the school"  # School staff are named only by their role


@dataclass(frozen=True)
class StopFacts:
    """A stop in words; `why`, `tasking` and `feared` are for officers alone."""

    number: int
    arrive: str
    leave: str  # HH:MM
    minutes: int
    place: str  # The street and the landmark, and whether the patrol was there before
    grid: str  # Grid reference; empty outside the British National Grid
    tasking: str  # What intelligence requests, without a full stop; empty if nothing
    tasked_distance: str
    earlier: int | None  # Number of an earlier stop at the same place
    feared: bool  # Whether a group of pupils reports that they feel unsafe there
    stop: Stop = field(repr=False)
    reasons: tuple[Reason, ...] = field(repr=False)  # while the stop lasts, but for `busiest`
    busiest: WayReason | None  # The way home, at the stop that most of the school's own pupils pass
    told: Mapping[Reason, int] = field(repr=False)  # The earlier stop that has a reason, too

    def list_why(self, detail: reason_words.Detail = "whole") -> list[reason_words.ReasonLine]:
        """Why to stand there other than a tasking, the most important first."""
        if self.earlier is not None:
            return [reason_words.ReasonLine(f"As at stop {self.earlier}")]
        lines = reason_words.tell_reasons(self.reasons, detail, self.stop, self.told)
        if not (lines or self.busiest or self.tasking):
            return [reason_words.ReasonLine(reason_words.describe_want_of_reasons(self.stop))]
        if self.busiest:
            one, at = self.busiest, int(bool(lines) and lines[0].is_voice)
            way, share = "to school" if one.to_school else "home", one.share
            text = f"Busiest way {way}, {one.start}\N{EN DASH}{one.end}"
            if detail != "short":
                text = f"Busiest stretch on the way {way}, {one.start} to {one.end}: "
                text += reason_words.describe_share(share)
            lines.insert(at, reason_words.ReasonLine(text, is_bold=True))
        return lines


def list_stop_facts(patrol: Patrol, crs: str) -> list[StopFacts]:
    """The facts of each of a patrol's stops, for an area in this CRS."""
    busiest = find_busiest_stop(patrol)
    ids = [stop.id for stop in patrol.stops]
    facts: list[StopFacts] = []
    for number, stop in enumerate(patrol.stops, start=1):
        first = ids.index(stop.id) + 1
        is_again = stop.kind != "gate" and first < number
        apart, away = stop.tasked_metres, ""  # from a tasked place
        if apart is not None and apart > AT_PLACE_METRES:
            away = f"Stand {wording.format_metres(apart)} from the place: no street is nearer."
        is_busiest = busiest is not None and busiest[0] == number - 1
        facts.append(
            StopFacts(
                number,
                arrive=format_time(stop.arrive_minutes),
                leave=format_time(stop.leave_minutes),
                minutes=round(stop.leave_minutes - stop.arrive_minutes),
                place=wording.describe_place(stop) + (", again" if is_again else ""),
                grid=wording.format_grid_reference(stop.x, stop.y, crs=crs),
                tasking="" if stop.tasking is None else wording.describe_tasking(stop.tasking),
                tasked_distance=away,
                earlier=first if is_again else None,
                feared=is_feared(stop.why),
                stop=stop,
                reasons=_name_own_school(stop, patrol.school, leave_out=is_busiest),
                busiest=busiest[1] if busiest and is_busiest else None,
                told={why: past.number for past in reversed(facts) for why in past.reasons},
            )
        )
    return facts


def _name_own_school(stop: Stop, school: str, *, leave_out: bool) -> tuple[Reason, ...]:
    """A stop's reasons, with the way of the patrol's own school left out or not named again."""
    reasons: list[Reason] = []
    for one in reason_words.order_reasons(stop):
        if not (isinstance(one, WayReason) and one.school == school):
            reasons.append(one)
        elif not leave_out:
            reasons.append(replace(one, school="this school"))
    return tuple(reasons)


def find_busiest_stop(patrol: Patrol) -> tuple[int, WayReason] | None:
    """Index of the stop where most of the own pupils pass meanwhile, and the reason; or None."""
    own = [
        (number, reason)
        for number, stop in enumerate(patrol.stops)
        for reason in stop.why
        if isinstance(reason, WayReason)
        and reason.school == patrol.school
        and reason_words.is_way_met(stop, reason)
    ]
    return max(own, key=lambda one: (one[1].share, -one[0]), default=None)


@dataclass(frozen=True)
class SchoolStop:
    """A stop as a school may know it: it holds no reason, fear or tasking."""

    hotspot: str
    place: str
    point: tuple[float, float]
    seen: tuple[str, ...]  # The place itself, and the hotspots in view


def list_school_stops(patrol: Patrol, hotspots: gpd.GeoDataFrame) -> list[SchoolStop]:
    """A patrol's stops for its school: no gate, no place or point that is only tasked."""
    own = hotspots.set_index("hotspot")
    stops = []
    for stop in patrol.stops:
        if stop.kind in {"tasked", "gate"}:
            continue
        place, point = wording.describe_place(stop), stop.point
        if stop.tasking is not None:
            row = own.loc[stop.hotspot]
            place, point = row["place"], (float(row["stop_x"]), float(row["stop_y"]))
        stops.append(SchoolStop(stop.hotspot, place, point, stop.covered))
    return stops


def find_marking(
    area: StudyArea, patrols: Iterable[Patrol] = (), places: Iterable[Iterable[Reason]] = ()
) -> str:
    """The marking of a paper with these stops and reasons, raised if one is about pupils' ways."""
    own = area.settings.output.marking
    reasons = chain((stop.why for patrol in patrols for stop in patrol.stops), places)
    shows_ways = any(isinstance(one, WayReason) for one in chain.from_iterable(reasons))
    return raise_marking(own) if shows_ways else own


def raise_marking(own: str) -> str:
    """A marking that is at least `LEAST_MARKING`."""
    is_enough = any(word in own.upper() for word in ("SENSITIVE", "SECRET"))
    return own if is_enough else LEAST_MARKING


def is_feared(reasons: Iterable[Reason]) -> bool:
    """Whether a group of pupils reports that they feel unsafe at a place."""
    return any(isinstance(reason, ReportsReason) for reason in reasons)


def classify_fear(hotspots: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(h,) `NOT_FEARED`, `REPORTED` or `CARRIED` for each hotspot."""
    reported = np.array([is_feared(reasons) for reasons in list_reasons(hotspots)], dtype=bool)
    return np.where(hotspots["mainly_reports"], CARRIED, np.where(reported, REPORTED, NOT_FEARED))


def name_feared_places(area: StudyArea) -> dict[str, str]:
    """Where each square with a group of reports is, in words, by `FearedPlace.name`."""
    squares, crs = area.reports.squares, area.settings.area.crs
    centres = locate_in_squares(squares, 0.5, 0.5, crs).tolist()
    named = zip(squares, name_squares(area.network, squares), centres, strict=True)
    names = {}
    for square, streets, (x, y) in named:
        where = join_words(streets) or wording.format_grid_reference(x, y, crs=crs)
        names[name_place(square)] = f"around {where}"
    return names


def find_staff(area: StudyArea) -> frozenset[str]:
    """Names of the school staff in the officers table."""
    table = area.officers
    named = zip(table["officer"], table["role"], strict=True)
    return frozenset(name for name, role in named if role == STAFF)


def name_member(area: StudyArea, name: str) -> str:
    """The name on papers of someone in the officers table: school staff only by their role."""
    return STAFF_WORDS if name in find_staff(area) else name


def describe_crew(area: StudyArea, crew: Sequence[str]) -> str:
    """Who accompanies a patrol, such as "SSO-02"; empty if there is no one."""
    return join_words([name_member(area, name) for name in crew])
