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

TimeSpan = tuple[float, float]
"""Minutes after midnight, from and to."""


@dataclass(frozen=True)
class Stop:
    """A stop handed out."""

    row: int
    """In the table of what was promised."""
    officer: str
    people: frozenset[str]
    """The officer and their crew."""
    window: str
    begin: float
    """Minutes after midnight."""
    minutes: float


@dataclass(frozen=True)
class Stay:
    """A visit that was entered."""

    row: int
    """In the table of what was delivered."""
    officer: str
    names: frozenset[str]
    people: int
    """How many came, named or not."""
    window: str
    begin: float | None
    """Minutes after midnight; None where not recorded."""
    minutes: float
    reason: Reason | None

    @property
    def span(self) -> TimeSpan | None:
        """Start and end, where known."""
        return None if self.begin is None else (self.begin, self.begin + self.minutes)

    def may_overlap(self, other: "Stay") -> bool:
        """Whether the two may have been there together."""
        if self.span is None or other.span is None:
            return True
        return self.span[0] < other.span[1] and other.span[0] < self.span[1]


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

    @property
    def presence_minutes(self) -> float:
        """Minutes of presence for it."""
        timed = measure_spans(stay.span for stay in self.made if stay.span is not None)
        return max([timed, *(stay.minutes for stay in self.made if stay.span is None)])

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
        timed = [stay for stay in self.made if stay.span is not None]
        united = unite_spans(stay.span for stay in timed if stay.span is not None)
        if not united:
            return []
        longest = max(united, key=lambda span: span[1] - span[0])
        begins = {span[0] for span in united if span != longest}
        firsts = {stay.begin: stay for stay in reversed(timed) if stay.begin in begins}
        return list(firsts.values())


@dataclass(frozen=True)
class PlaceAccount:
    """The delivery at a place on a day, for one school."""

    stops: tuple[StopAccount, ...]
    others: tuple[Stay, ...]
    """Visits that belong to no stop handed out."""

    def list_people_counts(self) -> list[tuple[Stay, int]]:
        """Every visit, and how many came in addition to those whom it or another one names."""
        # People counted without a name are assumed to be first those who were entered separately.
        counts = [(stay, stay.people - len(stay.names)) for stay in self.others]
        for account in self.stops:
            for stay in account.stays:
                others = [
                    other.names
                    for other in account.made
                    if other is not stay and stay.may_overlap(other)
                ]
                named = frozenset().union(*others) - stay.names
                counts.append((stay, max(0, stay.people - len(stay.names) - len(named))))
        return counts


def account_for_place(stops: Sequence[Stop], stays: Sequence[Stay]) -> PlaceAccount:
    """Which visits belong to which stop, at one place, day and school."""
    # A visit belongs to the stop of its own officer, or else of an officer whom it names. Visits of
    # others count for a stop that has no visit yet; if all have one, for the stop nearest in time.
    # A visit of no minutes does not count for another officer's stop.
    visits: dict[int, list[Stay]] = {stop.row: [] for stop in stops}
    others: list[Stay] = []

    def rank(stay: Stay) -> tuple[bool, bool, float, int]:
        is_own = any(stop.officer == stay.officer for stop in stops)
        is_named = any(stop.people & stay.names for stop in stops)
        return (not is_own, not is_named, -stay.minutes, stay.row)

    for stay in sorted(stays, key=rank):
        own = [stop for stop in stops if stop.officer == stay.officer]
        own = own or [stop for stop in stops if stop.people & stay.names]
        choice = own or (list(stops) if stay.minutes > 0 else [])
        same = [stop for stop in choice if stay.window in {"", stop.window}]
        free = [stop for stop in same or choice if not visits[stop.row]]
        choice = free or same or choice
        if choice:
            visits[_find_nearest(choice, stay).row].append(stay)
        else:
            others.append(stay)
    accounts = tuple(StopAccount(stop, tuple(visits[stop.row])) for stop in stops)
    return PlaceAccount(accounts, tuple(others))


def _find_nearest(stops: Sequence[Stop], stay: Stay) -> Stop:
    begin = stay.begin
    return stops[0] if begin is None else min(stops, key=lambda stop: abs(stop.begin - begin))


def share_presence(places: Sequence[PlaceAccount]) -> dict[int, float]:
    """Minutes of presence of each visit, by its row: those that it adds to the visits before it."""
    # `places` are the accounts of all schools at one place on one day. The minutes sum to the
    # presence of the place: visits of a stop come first, and of these the planned officers'.
    shares: dict[int, float] = {}
    accounts = [account for place in places for account in place.stops]
    stays = [stay for account in accounts for stay in account.stays]
    stays += [stay for place in places for stay in place.others]
    covered: list[TimeSpan] = []
    for stay in stays:
        if stay.span is None or stay.minutes <= 0:
            shares[stay.row] = 0.0
        else:
            united = unite_spans([*covered, stay.span])
            shares[stay.row] = measure_spans(united) - measure_spans(covered)
            covered = united
    for account in accounts:
        untimed = [stay for stay in account.made if stay.span is None]
        if untimed:
            longest = max(untimed, key=lambda stay: stay.minutes)
            timed = measure_spans(stay.span for stay in account.made if stay.span is not None)
            shares[longest.row] += max(0.0, longest.minutes - timed)
    for place in places:
        for stay in place.others:
            if stay.span is None:
                shares[stay.row] += stay.minutes
    return shares


PLACE_KEY = ["date", "urn", "id"]
"""Columns with the place, the day and the school of a visit or a stop."""


def account_for_visits(
    promised: pd.DataFrame, delivered: pd.DataFrame
) -> dict[tuple[Any, ...], PlaceAccount]:
    """The account of every place, day and school, by `PLACE_KEY`."""
    stops: dict[tuple[Any, ...], list[Stop]] = {}
    for row, stop in zip(promised.index, promised.to_dict("records"), strict=True):
        stops.setdefault(_get_key(stop), []).append(_build_stop(int(row), stop))
    stays: dict[tuple[Any, ...], list[Stay]] = {}
    for row, visit in zip(delivered.index, delivered.to_dict("records"), strict=True):
        stays.setdefault(_get_key(visit), []).append(_build_stay(int(row), visit))
    return {
        key: account_for_place(stops.get(key, []), stays.get(key, []))
        for key in sorted({*stops, *stays})
    }


def share_presence_by_day(accounts: Mapping[tuple[Any, ...], PlaceAccount]) -> dict[int, float]:
    """`share_presence` of all places and days: minutes of presence of each visit, by its row."""
    by_day: dict[tuple[Any, ...], list[PlaceAccount]] = {}
    for (date, _, place_id), account in accounts.items():
        by_day.setdefault((date, place_id), []).append(account)
    shares: dict[int, float] = {}
    for places in by_day.values():
        shares |= share_presence(places)
    return shares


def _get_key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in PLACE_KEY)


def _build_stop(row: int, stop: Mapping[Any, Any]) -> Stop:
    crew = [name for name in stop["crew"].split(";") if name]
    return Stop(
        row=row,
        officer=stop["officer"],
        people=frozenset((stop["officer"], *crew)),
        window=stop["window"],
        begin=minutes_after_midnight(stop["arrive"]),
        minutes=float(stop["minutes"]),
    )


def _build_stay(row: int, visit: Mapping[Any, Any]) -> Stay:
    together = [name for name in visit["together"].split(";") if name]
    return Stay(
        row=row,
        officer=visit["officer"],
        names=frozenset((visit["officer"], *together)),
        people=int(visit["people"]),
        window=visit["window"],
        begin=None if pd.isna(visit["arrive"]) else minutes_after_midnight(visit["arrive"]),
        minutes=float(visit["minutes"]),
        reason=None if pd.isna(visit["reason"]) else visit["reason"],
    )
