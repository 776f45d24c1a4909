"""Who is who in a week: its schools and officers in one order, and their duties by day."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from patrolplan.errors import Problems
from patrolplan.patrols.plan import clock
from patrolplan.team.bases import SAID
from patrolplan.team.week import Duty, Week, day_name, open_days

LONGEST_FILE_NAME = 60
RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}
"""Names that Windows keeps for devices."""


@dataclass(frozen=True)
class School:
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
class Officer:
    """An officer of the week: `file` names their papers.

    `mode`, "on foot" or "by bicycle", is how they come to the gate; see `Roll.ways`.
    """

    name: str
    file: str
    mode: str
    schools: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Roll:
    """A week, ready to be written down."""

    week: Week

    @cached_property
    def schools(self) -> tuple[School, ...]:
        """Every school that is planned, in the plan's order; then any others of duties kept."""
        area = self.week.plan.area
        table = area.schools.drop_duplicates("urn").set_index("urn")
        gates = dict(zip(area.schools["urn"], area.network.xy(area.gates).tolist(), strict=True))
        urns = dict.fromkeys(patrol.urn for patrol in self.week.plan.patrols)
        found = []
        for number, urn in enumerate(urns, start=1):
            row = table.loc[urn]
            bell = f"{'about ' if row['finish_assumed'] else ''}{row['finish_time']}"
            found.append(School(number, urn, str(row["name"]), bell, *gates[urn]))
        kept = {duty.urn: duty.patrol for duty in self.week.duties if duty.urn not in urns}
        for number, (urn, patrol) in enumerate(kept.items(), start=len(found) + 1):
            bell = f"about {clock(patrol.start_minutes)}"  # the school is in no table any more
            found.append(School(number, urn, patrol.school, bell, patrol.x, patrol.y))
        return tuple(found)

    @cached_property
    def officers(self) -> tuple[Officer, ...]:
        """Every officer, in the order of the officers table."""
        table = self.week.plan.area.officers
        names = dict.fromkeys((*table["officer"], *(duty.officer for duty in self.week.duties)))
        files = plain_names(names)
        modes = dict(zip(table["officer"], table["mode"], strict=True))
        schools = dict(zip(table["officer"], table["school_urns"], strict=True))
        return tuple(
            Officer(
                name,
                files[name],
                SAID[modes.get(name, "walk")],
                tuple(schools.get(name, ())),
            )
            for name in names
        )

    @cached_property
    def closed(self) -> frozenset[tuple[str, dt.date]]:
        """Schools and days out of term."""
        urns = [school.urn for school in self.schools]
        is_open = open_days(self.week.plan.area.term_dates, urns, self.week.days)
        pairs = ((urn, day) for urn in urns for day in self.week.days)
        return frozenset(
            pair for pair, there in zip(pairs, is_open.ravel().tolist(), strict=True) if not there
        )

    def going(self, duty: Duty) -> str:
        """How a patrol goes, in words; empty where all go the way of the settings."""
        return SAID[duty.patrol.way] if self.week.modes_differ else ""

    def ways(self, officer: Officer) -> str:
        """How an officer goes, in words: to the gate, and on patrol where that is another way."""
        settings = self.week.plan.area.settings
        own = {SAID[duty.patrol.way] for duty in self.week.duties if duty.officer == officer.name}
        if not own:
            own = {officer.mode if settings.week.way_by_officer else SAID[settings.patrol.way]}
        if own == {officer.mode}:
            return officer.mode
        patrols = f"patrol {' or '.join(sorted(own, reverse=True))}"
        # From the base they go as they patrol.
        led = settings.patrol.start == "base"
        return patrols if led else f"to the gate {officer.mode}, {patrols}"

    @cached_property
    def names(self) -> dict[str, str]:
        """School names by URN."""
        return {school.urn: school.name for school in self.schools}

    def at_school(self, urn: str, date: dt.date) -> tuple[Duty, ...]:
        """Duties at a school on a day."""
        return self._at_school.get((urn, date), ())

    def of_officer(self, name: str, date: dt.date) -> tuple[Duty, ...]:
        """Duties of an officer on a day."""
        return self._of_officer.get((name, date), ())

    @cached_property
    def _at_school(self) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
        return _grouped((duty.urn, duty.date, duty) for duty in self.week.duties)

    @cached_property
    def _of_officer(self) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
        return _grouped((duty.officer, duty.date, duty) for duty in self.week.duties)

    def card(self, duty: Duty) -> str:
        """Path of a duty's card in the folder."""
        officer = self._officer_files[duty.officer]
        return f"cards/{officer}/{duty.date}-{self.school_file(duty.urn)}.pdf"

    @cached_property
    def _officer_files(self) -> dict[str, str]:
        return {officer.name: officer.file for officer in self.officers}

    def school_file(self, urn: str) -> str:
        """A URN as part of a file's name."""
        return self._school_files[urn]

    @cached_property
    def _school_files(self) -> dict[str, str]:
        return plain_names(school.urn for school in self.schools)


def check_choice(
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
        span = f"{day_name(days[0])} to {day_name(days[-1])}"
        problems.add("--date", f"{date} is not in this week", f"name a day from {span}")
    problems.raise_if_any()


def _grouped(
    rows: Iterable[tuple[str, dt.date, Duty]],
) -> dict[tuple[str, dt.date], tuple[Duty, ...]]:
    found: dict[tuple[str, dt.date], tuple[Duty, ...]] = {}
    for who, date, duty in rows:
        found[who, date] = (*found.get((who, date), ()), duty)
    return found


def span(duty: Duty) -> str:
    """From when to when a duty lasts, at the school and around it."""
    return f"{clock(duty.start_minutes)}\N{EN DASH}{clock(duty.end_minutes)}"


def week_name(week: Week) -> str:
    """The week as people say it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> days = (dt.date(2026, 11, 30), dt.date(2026, 12, 4))
    >>> week_name(SimpleNamespace(days=days))
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


def plain_names(texts: Iterable[str]) -> dict[str, str]:
    """File names of texts from data: letters and digits, alike on every system, all different.

    Examples
    --------
    >>> plain_names(["SSO-01", "sso-01", "../x", "NUL"])
    {'SSO-01': 'SSO-01', 'sso-01': 'sso-01-2', '../x': '___x', 'NUL': 'NUL_'}
    """
    names: dict[str, str] = {}
    used: set[str] = set()
    for text in dict.fromkeys(texts):
        composed = unicodedata.normalize("NFC", text)
        signs = (sign if sign.isalnum() or sign in "-_" else "_" for sign in composed)
        stem = "".join(signs)[:LONGEST_FILE_NAME] or "_"
        stem = f"{stem}_" if stem.casefold() in RESERVED else stem
        name, number = stem, 1
        while name.casefold() in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name.casefold())
        names[text] = name
    return names
