"""Presence at places: how long any officer was there, however many came.

Officers who stand together are one presence, and count as minutes of each person. With times, the
presence of a place is the time that its visits cover together. Visits without times are assumed to
be one stay if they belong to one stop that was handed out: the longest of them counts. So the
presence of a stop is the time that its visits with times cover, or its longest visit without a time
if that is more; and the presence of a place on a day is the time that its visits with times cover,
plus what visits without times add to that of their stop. Visits that belong to no stop handed out
cannot be compared: those without times count separately.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from patrolplan.tables import Reason
from patrolplan.times import minutes_after_midnight

TimeSpan = tuple[float, float]  # minutes after midnight, from and to


@dataclass(frozen=True)
class Stop:
    """A stop handed out, from `begin` minutes after midnight; `row` is that of what is promised."""

    row: int
    officer: str
    people: frozenset[str]  # the officer and their crew
    window: str
    begin: float
    minutes: float
    count: int  # how many are to come, named or not


@dataclass(frozen=True)
class Stay:
    """A visit that was entered; `row` is that of what was delivered, `begin` None where unknown."""

    row: int
    officer: str
    names: frozenset[str]
    people: int  # how many came, named or not
    window: str
    begin: float | None
    minutes: float
    reason: Reason | None

    @property
    def spans(self) -> list[TimeSpan]:
        """Start and end, where known."""
        return [] if self.begin is None else [(self.begin, self.begin + self.minutes)]

    def may_overlap(self, other: "Stay") -> bool:
        """Whether the two may have been there together."""
        return all(
            begin < other_end and other_begin < end
            for begin, end in self.spans
            for other_begin, other_end in other.spans
        )


def unite_spans(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The same time in disjoint spans, in order."""
    united: list[TimeSpan] = []
    for begin, end in sorted(spans):
        if united and begin <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((begin, end))
    return united


def measure_spans(spans: Iterable[TimeSpan]) -> float:
    """Minutes that spans cover together."""
    return sum(end - begin for begin, end in unite_spans(spans))


@dataclass(frozen=True)
class StopAccount:
    """The delivery of a stop that was handed out."""

    stop: Stop
    stays: tuple[Stay, ...]
    """Its visits: the planned officer's first, then the longest; those of no minutes as well."""

    @cached_property
    def made(self) -> tuple[Stay, ...]:
        """Its visits that were made."""
        return tuple(stay for stay in self.stays if stay.minutes > 0)

    @cached_property
    def timed(self) -> list[TimeSpan]:
        """The time that its visits with times cover."""
        return unite_spans(span for stay in self.made for span in stay.spans)

    @cached_property
    def longest_untimed(self) -> Stay | None:
        """Its longest visit without a time."""
        untimed = (stay for stay in self.made if stay.begin is None)
        return max(untimed, key=lambda stay: stay.minutes, default=None)

    @property
    def presence_minutes(self) -> float:
        """Minutes of presence for it."""
        untimed = self.longest_untimed
        return max(measure_spans(self.timed), untimed.minutes if untimed else 0.0)

    @property
    def delivered_minutes(self) -> float:
        """Minutes delivered, at most those promised."""
        return min(self.presence_minutes, self.stop.minutes)

    @property
    def reason(self) -> Reason | None:
        """Why it was not made or cut short: the first reason given."""
        return next((stay.reason for stay in self.stays if stay.reason is not None), None)

    @property
    def further_visits(self) -> list[Stay]:
        """The first visit of every stay that is separate from its longest one."""
        longest = max(self.timed, key=lambda span: span[1] - span[0], default=None)
        begins = {span[0] for span in self.timed if span != longest}
        return list({s.begin: s for s in reversed(self.made) if s.begin in begins}.values())


@dataclass(frozen=True)
class PlaceAccount:
    """The delivery at a place on a day, for one school."""

    stops: tuple[StopAccount, ...]
    others: tuple[Stay, ...]  # visits that belong to no stop handed out

    def list_people_counts(self) -> list[tuple[Stay, int]]:
        """Every visit, and how many came in addition to those whom it or another one names."""
        # People counted without a name are assumed to be first those who were entered separately.
        counts = [(stay, stay.people - len(stay.names)) for stay in self.others]
        for account in self.stops:
            for stay in account.stays:
                others = (other for other in account.made if other is not stay)
                there = (other.names for other in others if stay.may_overlap(other))
                named = frozenset[str]().union(*there) - stay.names
                counts.append((stay, max(0, stay.people - len(stay.names) - len(named))))
        return counts


def account_for_place(stops: Sequence[Stop], stays: Sequence[Stay]) -> PlaceAccount:
    """Which visits belong to which stop, at one place, day and school."""
    # A visit belongs to the stop of its own officer, or else of an officer whom it names. Visits of
    # others count for a stop that has no visit yet; if all have one, for the stop nearest in time.
    # A visit of no minutes does not count for another officer's stop.
    visits: dict[int, list[Stay]] = {stop.row: [] for stop in stops}
    others: list[Stay] = []
    own = {stay.row: [stop for stop in stops if stop.officer == stay.officer] for stay in stays}
    named = {stay.row: [stop for stop in stops if stop.people & stay.names] for stay in stays}
    ranks = {s.row: (not own[s.row], not named[s.row], -s.minutes, s.row) for s in stays}
    for stay in sorted(stays, key=lambda stay: ranks[stay.row]):
        choice = own[stay.row] or named[stay.row] or (list(stops) if stay.minutes > 0 else [])
        choice = [stop for stop in choice if stay.window in {"", stop.window}] or choice
        choice = [stop for stop in choice if not visits[stop.row]] or choice
        if choice:
            begin = choice[0].begin if stay.begin is None else stay.begin
            nearest = min(choice, key=lambda stop: abs(stop.begin - begin))
            visits[nearest.row].append(stay)
        else:
            others.append(stay)
    accounts = tuple(StopAccount(stop, tuple(visits[stop.row])) for stop in stops)
    return PlaceAccount(accounts, tuple(others))


def share_presence(places: Sequence[PlaceAccount]) -> dict[int, float]:
    """Minutes of presence of each visit, by its row: those that it adds to the visits before it."""
    # `places` are the accounts of all schools at one place on one day. The minutes sum to the
    # presence of the place: visits of a stop come first, and of these the planned officers'.
    shares: dict[int, float] = {}
    accounts = [account for place in places for account in place.stops]
    others = [stay for place in places for stay in place.others]
    covered: list[TimeSpan] = []
    for stay in [*(stay for account in accounts for stay in account.stays), *others]:
        before = measure_spans(covered)
        covered = unite_spans([*covered, *stay.spans])
        shares[stay.row] = measure_spans(covered) - before
    for account in accounts:
        if account.longest_untimed is not None:
            further = account.presence_minutes - measure_spans(account.timed)
            shares[account.longest_untimed.row] += further
    for stay in others:
        shares[stay.row] += stay.minutes if stay.begin is None else 0.0
    return shares


PLACE_KEY = ["date", "urn", "id"]
"""Columns with the place, the day and the school of a visit or a stop."""

PlaceAccounts = Mapping[tuple[Any, ...], PlaceAccount]  # by `PLACE_KEY`


def account_for_visits(promised: pd.DataFrame, delivered: pd.DataFrame) -> PlaceAccounts:
    """The account of every place, day and school."""
    there: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {}
    for part, table in enumerate((promised, delivered)):
        for row, record in zip(table.index, table.to_dict("records"), strict=True):
            key = tuple(record[name] for name in PLACE_KEY)
            one = _build_stay(int(row), record) if part else _build_stop(int(row), record)
            there.setdefault(key, ([], []))[part].append(one)
    return {key: account_for_place(*there[key]) for key in sorted(there)}


def share_presence_by_day(accounts: PlaceAccounts) -> dict[int, float]:
    """`share_presence` of all places and days: minutes of presence of each visit, by its row."""
    by_day: dict[tuple[Any, ...], list[PlaceAccount]] = {}
    for (date, _, place_id), account in accounts.items():
        by_day.setdefault((date, place_id), []).append(account)
    return {row: share for day in by_day.values() for row, share in share_presence(day).items()}


def _name_people(officer: str, others: str) -> frozenset[str]:
    return frozenset((officer, *filter(None, others.split(";"))))


def _build_stop(row: int, stop: Mapping[Any, Any]) -> Stop:
    return Stop(
        row=row,
        officer=stop["officer"],
        people=_name_people(stop["officer"], stop["crew"]),
        window=stop["window"],
        begin=minutes_after_midnight(stop["arrive"]),
        minutes=float(stop["minutes"]),
        count=int(stop["people"]),
    )


def _build_stay(row: int, visit: Mapping[Any, Any]) -> Stay:
    return Stay(
        row=row,
        officer=visit["officer"],
        names=_name_people(visit["officer"], visit["together"]),
        people=int(visit["people"]),
        window=visit["window"],
        begin=None if pd.isna(visit["arrive"]) else minutes_after_midnight(visit["arrive"]),
        minutes=float(visit["minutes"]),
        reason=None if pd.isna(visit["reason"]) else visit["reason"],
    )
