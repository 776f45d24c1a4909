"""A week's schools and officers in a fixed order, with their file names and duties by day."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from patrolplan.area.school_days import find_open_days
from patrolplan.errors import Problems
from patrolplan.inputs.duty_kinds import DUTY_KINDS
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.patrols.demands import DemandKind
from patrolplan.patrols.marking import find_marking
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.free_time import Appointment
from patrolplan.team.not_met import name_places
from patrolplan.team.people import STAFF_WORDS, find_staff
from patrolplan.team.week import Duty, Week, format_day
from patrolplan.team.where_when import DayItem, OfficerDays, build_officer_days
from patrolplan.text import capitalise, join_words, shorten
from patrolplan.times import format_days, format_span, format_time
from patrolplan.travel import TRAVEL

LONGEST_FILE_NAME = 60
LONGEST_NAME = 60
LONGEST_OFFICER = 40
RESERVED_FILE_NAMES = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}  # Names that Windows reserves for devices


@dataclass(frozen=True)
class RosterSchool:
    """A school of the week, with its gate in metres."""

    number: int  # From 1; the school's number on the week's map
    urn: str
    name: str
    bell: str  # When school ends, HH:MM; "about HH:MM" if assumed
    x: float
    y: float


@dataclass(frozen=True)
class RosterOfficer:
    """An officer of the week."""

    name: str
    file_name: str  # Part of the file names of the officer's papers
    mode: str  # How they travel to the gate, "on foot" or "by bicycle"
    schools: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Roster:
    """A week with lookups for its papers."""

    week: Week

    @cached_property
    def schools(self) -> tuple[RosterSchool, ...]:
        """Every school of the plan, in its order, then any others that still have duties."""
        plan = self.week.plan
        table = plan.area.schools.drop_duplicates("urn").set_index("urn")
        patrols = (*plan.patrols, *(duty.patrol for duty in self.week.duties))
        schools = []
        for number, urn in enumerate(dict.fromkeys(one.urn for one in patrols), start=1):
            patrol = next(one for one in patrols if one.urn == urn)
            bell = f"about {format_time(patrol.start_minutes)}"  # no table has this school now
            if urn in table.index:
                row = table.loc[urn]
                bell = f"{'about ' if row['finish_assumed'] else ''}{row['finish_time']}"
            schools.append(RosterSchool(number, urn, patrol.school, bell, *patrol.point))
        return tuple(schools)

    @cached_property
    def schools_by_urn(self) -> dict[str, RosterSchool]:
        """The schools by URN."""
        return {school.urn: school for school in self.schools}

    @cached_property
    def officers(self) -> tuple[RosterOfficer, ...]:
        """Every officer, in the order of the officers table, then who is in the week alone."""
        table = self.week.plan.area.officers
        walkers = [name for duty in self.week.duties for name in duty.people]
        walkers += [patrol.officer for patrol in self.week.calendar.withdrawn]
        modes = dict(zip(table["officer"], table["mode"], strict=True))
        schools = dict(zip(table["officer"], table["school_urns"], strict=True))
        officers = []
        for name, file in make_file_names((*table["officer"], *walkers)).items():
            mode = TRAVEL[modes.get(name, "walk")].words
            officers.append(RosterOfficer(name, file, mode, tuple(schools.get(name, ()))))
        return tuple(officers)

    @cached_property
    def officers_by_name(self) -> dict[str, RosterOfficer]:
        """The officers by name."""
        return {officer.name: officer for officer in self.officers}

    def build_head(
        self,
        duties: Sequence[Duty],
        declared: Iterable[str] = (),
        demands: Iterable[DemandKind] = (),
    ) -> dict[str, Any]:
        """What is at the edges of papers with these duties: the week, its marking and basis."""
        plan, patrols = self.week.plan, (duty.patrol for duty in duties)
        return {
            "area": make_printable(plan.area.name),
            "week": format_week(self.week),
            "marking": make_printable(find_marking(plan.area, patrols, demands=demands)),
            "purpose": wording.PURPOSE,
            "basis": [
                f"{wording.format_data_months(plan.risk)}.",
                *map(make_printable, declared),
                " ".join(wording.list_attributions(plan)),
            ],
        }

    @cached_property
    def closed_days(self) -> frozenset[tuple[str, dt.date]]:
        """URN and day of every school day out of term."""
        urns, days = [school.urn for school in self.schools], self.week.days
        is_open = find_open_days(self.week.plan.area.term_dates, urns, days)
        return frozenset((urns[row], days[at]) for row, at in np.argwhere(~is_open).tolist())

    def describe_officer_modes(self, officer: RosterOfficer) -> str:
        """How an officer travels to the gate, and on patrol if that differs."""
        mode = self.week.plan.area.settings.patrol.travel.words
        return mode if mode == officer.mode else f"to the gate {officer.mode}, patrol {mode}"

    @cached_property
    def officer_days(self) -> OfficerDays:
        """Each officer's day in order, see `patrolplan.team.where_when`."""
        return build_officer_days(self.week)

    def select_duties(
        self, officer: str | None = None, date: dt.date | None = None, urn: str | None = None
    ) -> list[Duty]:
        """Duties of an officer, with those that they accompany, a day and a school; None is any."""
        return [
            duty
            for duty in self.week.duties
            if (officer is None or officer in duty.people)
            and date in {None, duty.date}
            and urn in {None, duty.urn}
        ]

    @cached_property
    def staff(self) -> frozenset[str]:
        """Names of school staff, who are named only by their role."""
        return find_staff(self.week.plan.area)

    def name_officer(self, name: str) -> str:
        """The name of an officer on papers."""
        return capitalise(STAFF_WORDS) if name in self.staff else name

    def print_officer(self, name: str) -> str:
        """An officer's name as printed; school staff only by their role."""
        return shorten(make_printable(self.name_officer(name)), LONGEST_OFFICER)

    def describe_others(self, officer: str, duty: Duty) -> str:
        """Who else is on an officer's patrol, staff only by role; empty if there is no one."""
        others = [name for name in duty.people if name != officer]
        return join_words([STAFF_WORDS if name in self.staff else name for name in others])

    def describe_company(self, officer: str, duty: Duty) -> list[str]:
        """A patrol's window unless it is after school, and who else is on it, if anyone."""
        crew = self.describe_others(officer, duty)
        words = (wording.describe_further_window(duty.patrol), f"with {crew}" if crew else "")
        return [make_printable(word) for word in words if word]

    def format_set_out(self, officer: str, duty: Duty) -> str:
        """When an officer leaves the base for a patrol; empty if they start at the gate."""
        items = [one for one in self.officer_days.get((officer, duty.date), ()) if one.duty is duty]
        ways = (one.from_minutes for one in items if (one.kind, one.towards) == ("way", "gate"))
        own = duty.leave_minutes if officer == duty.officer else duty.start_minutes
        leave = format_time(next(ways, own))
        return "" if leave == format_time(duty.start_minutes) else leave

    def find_hours(self, officer: str, day: dt.date) -> str:
        """An officer's hours of duty on a day, HH:MM-HH:MM; empty if off duty or unknown."""
        table = self.week.plan.area.officers
        hours = table.loc[table["officer"] == officer, WEEKDAYS[day.weekday()]]
        return "" if hours.empty else str(hours.iloc[0])

    @cached_property
    def place_words(self) -> dict[str, str]:
        """Where hotspots, tasked and feared places of the week are."""
        return name_places(self.week.plan, self.week.duties)

    def card_path(self, duty: Duty) -> str:
        """Path of a duty's card in the folder."""
        officer, school = self.officers_by_name[duty.officer], self.school_file_names[duty.urn]
        window = self.window_suffix(duty)
        return f"cards/{officer.file_name}/{duty.date}-{school}{window}.pdf"

    def window_suffix(self, duty: Duty) -> str:
        """Suffix of papers of further windows; its dot is in no name of an officer or school."""
        names = make_file_names(sorted({duty.window for duty in self.week.duties}))
        return "" if duty.window == AFTER_SCHOOL else f".{names[duty.window]}"

    @cached_property
    def school_file_names(self) -> dict[str, str]:
        """The part of file names for each school, by URN."""
        return make_file_names(school.urn for school in self.schools)


@dataclass(frozen=True)
class DemandWords:
    """A kind of demand on papers and on the board."""

    short: str  # In `demands.csv`
    lead: str  # Above its places on the lead's sheet; `watch` is metres
    board: str = ""  # Above them; empty where the board lists them itself
    noun: str = "hotspot"
    each: str = ""  # How often each of them


DEMANDS: Mapping[DemandKind, DemandWords] = {
    "tasked": DemandWords("tasked", "Tasked by intelligence: who comes on which day"),
    "designated": DemandWords(
        "designated by the force",
        "Designated by the force: minutes of those that it asks for in the week",
        "Priority streets that the force designates",
        each="for the minutes that it asks for",
    ),
    "watched": DemandWords(
        "new or rising",
        "New or rising within {watch} m of a gate: one visit in the week",
        "New or rising priority streets near the gates",
        each="once a week",
    ),
    "feared": DemandWords(
        "pupils feel unsafe",
        "Where pupils within reach of a school feel least safe: one visit in a fortnight",
        "Where pupils feel least safe",
        noun="place",
        each="once a fortnight",
    ),
}  # In the order of the papers; no other kind can be shown


def describe_appointment(roster: Roster, appointment: Appointment) -> str:
    """The kind of an appointment and its school; nothing else about it is stored."""
    kind = DUTY_KINDS[appointment.kind].words
    school = roster.schools_by_urn.get(appointment.urn)
    return make_printable(f"{kind} at {school.name}" if school else kind)


def describe_way(roster: Roster, officer: str, item: DayItem) -> str:
    """The destination, mode and minutes of a journey."""
    minutes = wording.format_minutes(round(item.to_minutes) - round(item.from_minutes))
    how = roster.officers_by_name[officer].mode
    if item.towards == "base":
        return f"Back at the base ({how}, {minutes})"
    where = "the school" if item.towards == "gate" else "the appointment"
    return f"Set out from the base to {where} ({how}, {minutes})"


def format_item_times(item: DayItem) -> str:
    """From when to when a part of an officer's day lasts."""
    return "all day" if item.is_whole_day else format_span(item.from_minutes, item.to_minutes)


def check_officer_and_date(
    officers: Sequence[str], days: Sequence[dt.date], officer: str | None, date: dt.date | None
) -> None:
    """Check that an officer and a day are in the week."""
    problems = Problems()
    if officer not in {None, *officers}:
        known = ", ".join(officers[:12]) or "none"
        what = f"no officer '{officer}' in this week (officers: {known})"
        problems.add("officer", what, "name one of them")
    if date not in {None, *days}:
        span = f"{format_day(days[0])} to {format_day(days[-1])}"
        problems.add("date", f"{date} is not in this week", f"name a day from {span}")
    problems.raise_if_any()


def format_school_name(name: str) -> str:
    """A school's name as printed."""
    return shorten(make_printable(name), LONGEST_NAME)


def format_week(week: Week) -> str:
    """First and last day of a week in words."""
    return format_days(week.days[0], week.days[-1])


def make_file_names(texts: Iterable[str]) -> dict[str, str]:
    """File names for texts from data: safe on every system, and all different."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for text in dict.fromkeys(texts):
        composed = unicodedata.normalize("NFC", text)
        signs = (sign if sign.isalnum() or sign in "-_" else "_" for sign in composed)
        stem = "".join(signs)[:LONGEST_FILE_NAME] or "_"
        stem = f"{stem}_" if stem.casefold() in RESERVED_FILE_NAMES else stem
        name, number = stem, 1
        while name.casefold() in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name.casefold())
        names[text] = name
    return names
