"""URNs that optional tables name, held against the schools that are planned for.

A row of a school that is not there has no effect, so it is told: a mistyped URN would make a bell
time, or a place to keep away from, vanish.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from difflib import get_close_matches

import pandas as pd

from patrolplan.tables import LeftOut

ALL = "*"
MOST_NAMED = 5
"""With more URNs or places in a table the others are only counted."""


@dataclass(frozen=True)
class UrnCheck:
    """Holds URNs against schools; what has no effect gathers in rows left out and notes.

    Parameters
    ----------
    planned
        URNs of the schools that are planned for.
    passed_over
        Why other schools of the files are left out, by URN.
    """

    planned: frozenset[str]
    passed_over: Mapping[str, str]
    left_out: LeftOut
    notes: list[str]
    _known: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    def table(self, source: str, urns: Iterable[str]) -> None:
        """URNs of a table's rows, `*` for all schools."""
        rows = pd.Series(list(urns), dtype=object)
        rows = rows[~rows.isin([ALL, *self.planned])]
        mild = rows.isin(list(self.passed_over))
        if mild.any():
            why = ", ".join(sorted({self.passed_over[urn] for urn in rows[mild]}))
            self._leave_out(source, f"of schools that are left out ({why})", int(mild.sum()))
        unknown = list(dict.fromkeys(rows[~mild]))
        if unknown:
            named = self._named(unknown)
            self._leave_out(source, f"their URN is no school's: {named}", int((~mild).sum()))
            what = f"[sources] {source} names URNs that no school has, without effect: {named}"
            self.notes.append(f"{what}. Mend them.")

    def places(self, tasked: pd.DataFrame) -> None:
        """Tasked places: those whose URN no school has are told by their name."""
        rows = tasked[["place_id", "schools"]].explode("schools").dropna()
        rows = rows[~rows["schools"].isin([ALL, *self.planned])]
        why = rows["schools"].map(dict(self.passed_over))
        for reason, mild in rows["place_id"].groupby(why, sort=True):
            named = _first(list(dict.fromkeys(mild)))
            what = f"for schools that are left out ({reason}): {named}"
            self._leave_out("tasked_places", what, len(mild))
        unknown = rows[why.isna()].groupby("place_id", sort=False)["schools"].agg(list)
        for place, urns in unknown.iloc[:MOST_NAMED].items():
            named = self._named(urns)
            self._leave_out("tasked_places", f"{place}: no school has the URN {named}", 1)
            others = tasked["schools"][tasked["place_id"] == place].iloc[0]
            effect = "has no effect there" if len(others) > len(urns) else "has no effect"
            what = f"Tasked place {place} is for URN {named}, which no school has"
            self.notes.append(f"{what}: it {effect}. Mend [sources] tasked_places.")
        more = len(unknown) - MOST_NAMED
        if more > 0:
            self._leave_out("tasked_places", "more places for URNs that no school has", more)

    def _leave_out(self, source: str, reason: str, count: int) -> None:
        self.left_out.add(source.replace("_", " "), reason, count)

    def _named(self, urns: list[str]) -> str:
        """The first few URNs, each with the nearest that there is."""
        near = {urn: self._nearest(urn) for urn in urns[:MOST_NAMED]}
        return _first([f"{urn} (nearest: {near[urn]})" if near.get(urn) else urn for urn in urns])

    def _nearest(self, urn: str) -> str | None:
        """Looked for among the schools that are planned for before all others of a register."""
        if urn not in self._known:
            among = (sorted(self.planned), sorted(self.passed_over))
            found = (get_close_matches(urn, there, n=1, cutoff=0.6) for there in among)
            self._known[urn] = next((near[0] for near in found if near), None)
        return self._known[urn]


def _first(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
