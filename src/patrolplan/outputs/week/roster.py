"""Who is who in a week: its schools and officers in one order, and their duties by day."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from patrolplan.errors import Problems
from patrolplan.patrols.plan import format_time
from patrolplan.team.bases import MODE_WORDS
from patrolplan.team.week import Duty, Week, find_open_days, format_day

LONGEST_FILE_NAME = 60
RESERVED_FILE_NAMES = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}
"""Names that Windows keeps for devices."""


@dataclass(frozen=True)
class RosterSchool:
    """A school of the week.

    Parameters
    ----------
    number
        1 for the first...: names it on the week's map.
    urn, name
        As in the schools table.
    bell
        When school ends, HH:MM; "about" before it where that is assumed.
    x, y
        The gate, in metres.
    """

    number: int
    urn: str
    name: str
    bell: str
    x: float
    y: float


@dataclass(frozen=True)
class RosterOfficer:
    """An officer of the week: `file` names their papers.

    `mode`, "on foot" or "by bicycle", is how they come to the gate; see `Roster.ways`.
    """

    name: str
    file_name: str
    mode: str
    schools: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Roster:
    """A week, ready to be written down."""

    week: Week

    @cached_property
    def schools(self) -> tuple[RosterSchool, ...]:
        """Every school that is planned, in the plan's order; then any others of duties kept."""
        area = self.week.plan.area
        table = area.schools.drop_duplicates("urn").set_index("urn")
        gates = dict(zip(area.schools["urn"], area.network.xy(area.gates).tolist(), strict=True))
        urns = dict.fromkeys(patrol.urn for patrol in self.week.plan.patrols)
        found = []
        for number, urn in enumerate(urns, start=1):
            row = table.loc[urn]
            bell = f"{'about ' if row['finish_assumed'] else ''}{row['finish_time']}"
            found.append(RosterSchool(number, urn, str(row["name"]), bell, *gates[urn]))
        kept = {duty.urn: duty.patrol for duty in self.week.duties if duty.urn not in urns}
        for number, (urn, patrol) in enumerate(kept.items(), start=len(found) + 1):
            bell = (
                f"about {format_time(patrol.start_minutes)}"  # the school is in no table any more
            )
            found.append(RosterSchool(number, urn, patrol.school, bell, patrol.x, patrol.y))
        return tuple(found)

    @cached_property
    def officers(self) -> tuple[RosterOfficer, ...]:
        """Every officer, in the order of the officers table."""
        table = self.week.plan.area.officers
        names = dict.fromkeys((*table["officer"], *(duty.officer for duty in self.week.duties)))
        files = make_file_names(names)
        modes = dict(zip(table["officer"], table["mode"], strict=True))
        schools = dict(zip(table["officer"], table["school_urns"], strict=True))
        return tuple(
            RosterOfficer(
                name,
                files[name],
                MODE_WORDS[modes.get(name, "walk")],
                tuple(schools.get(name, ())),
            )
            for name in names
        )

    @cached_property
    def closed_days(self) -> frozenset[tuple[str, dt.date]]:
        """Schools and days out of term."""
        urns = [school.urn for school in self.schools]
        is_open = find_open_days(self.week.plan.area.term_dates, urns, self.week.days)
        pairs = ((urn, day) for urn in urns for day in self.week.days)
        return frozenset(
            pair for pair, there in zip(pairs, is_open.ravel().tolist(), strict=True) if not there
        )

    def describe_patrol_mode(self, duty: Duty) -> str:
        """How a patrol goes, in words; empty where all go the way of the settings."""
        return MODE_WORDS[duty.patrol.way] if self.week.has_mixed_modes else ""

    def describe_officer_modes(self, officer: RosterOfficer) -> str:
        """How an officer goes, in words: to the gate, and on patrol where that is another way."""
        settings = self.week.plan.area.settings
        own = {
            MODE_WORDS[duty.patrol.way] for duty in self.week.duties if duty.officer == officer.name
        }
        if not own:
            own = {
                officer.mode if settings.week.way_by_officer else MODE_WORDS[settings.patrol.way]
            }
        if own == {officer.mode}:
            return officer.mode
        patrols = f"patrol {' or '.join(sorted(own, reverse=True))}"
        # From the base they go as they patrol.
        led = settings.patrol.start == "base"
        return patrols if led else f"to the gate {officer.mode}, {patrols}"

    @cached_property
    def school_names(self) -> dict[str, str]:
        """School names by URN."""
        return {school.urn: school.name for school in self.schools}

    def school_duties(self, urn: str, date: dt.date) -> tuple[Duty, ...]:
        """Duties at a school on a day."""
        return self._duties_by_school.get((urn, date), ())

    def officer_duties(self, name: str, date: dt.date) -> tuple[Duty, ...]:
        """Duties of an officer on a day."""
        return self._duties_by_officer.get((name, date), ())

    @cached_property
    def _duties_by_school(self) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
        return _group_duties((duty.urn, duty.date, duty) for duty in self.week.duties)

    @cached_property
    def _duties_by_officer(self) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
        return _group_duties((duty.officer, duty.date, duty) for duty in self.week.duties)

    def card_path(self, duty: Duty) -> str:
        """Path of a duty's card in the folder."""
        officer = self._officer_file_names[duty.officer]
        return f"cards/{officer}/{duty.date}-{self.school_file_name(duty.urn)}.pdf"

    @cached_property
    def _officer_file_names(self) -> dict[str, str]:
        return {officer.name: officer.file_name for officer in self.officers}

    def school_file_name(self, urn: str) -> str:
        """A URN as part of a file's name."""
        return self._school_file_names[urn]

    @cached_property
    def _school_file_names(self) -> dict[str, str]:
        return make_file_names(school.urn for school in self.schools)


def check_officer_and_date(
    officers: Sequence[str], days: Sequence[dt.date], officer: str | None, date: dt.date | None
) -> None:
    """Raise for an officer or a day that is not of the week.

    Raises
    ------
    InputError
        Naming those that are.
    """
    problems = Problems()
    if officer is not None and officer not in officers:
        what = f"there is no officer '{officer}' (known: {', '.join(officers[:12]) or 'none'})"
        problems.add("--officer", what, "name one of them")
    if date is not None and date not in days:
        span = f"{format_day(days[0])} to {format_day(days[-1])}"
        problems.add("--date", f"{date} is not in this week", f"name a day from {span}")
    problems.raise_if_any()


def _group_duties(
    rows: Iterable[tuple[str, dt.date, Duty]],
) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
    found: dict[tuple[str, dt.date], tuple[Duty, ...]] = {}
    for who, date, duty in rows:
        found[who, date] = (*found.get((who, date), ()), duty)
    return found


def format_duty_times(duty: Duty) -> str:
    """From when to when a duty lasts, at the school and around it."""
    return f"{format_time(duty.start_minutes)}\N{EN DASH}{format_time(duty.end_minutes)}"


def format_week(week: Week) -> str:
    """The week as people say it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> days = (dt.date(2026, 11, 30), dt.date(2026, 12, 4))
    >>> format_week(SimpleNamespace(days=days))
    '30 November to 4 December 2026'
    """
    first, last = week.days[0], week.days[-1]
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {end}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%B}{year} to {end}"


def make_file_names(texts: Iterable[str]) -> dict[str, str]:
    """File names of texts from data: letters and digits, alike on every system, all different.

    Examples
    --------
    >>> make_file_names(["SSO-01", "sso-01", "../x", "NUL"])
    {'SSO-01': 'SSO-01', 'sso-01': 'sso-01-2', '../x': '___x', 'NUL': 'NUL_'}
    """
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
