"""URNs that optional tables name, held against the schools that are planned for.

A row of a school that is not there has no effect, so it is told: a mistyped URN would make a bell
time, or a place to keep away from, vanish.
"""

import difflib
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from patrolplan.tables import LeftOut

ALL = "*"
MOST_NAMED = 5
"""With more unknown URNs in a table the others are only counted."""


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
        """Tasked places, each told by its name."""
        for place, urns in zip(tasked["place_id"], tasked["schools"], strict=True):
            others = [urn for urn in urns if urn != ALL and urn not in self.planned]
            for urn in others:
                if urn in self.passed_over:
                    reason = f"{place}: URN {urn} is left out ({self.passed_over[urn]})"
                    self._leave_out("tasked_places", reason, 1)
            unknown = [urn for urn in others if urn not in self.passed_over]
            if unknown:
                named = self._named(unknown)
                self._leave_out("tasked_places", f"{place}: no school has the URN {named}", 1)
                effect = "has no effect there" if len(urns) > len(others) else "has no effect"
                what = f"Tasked place {place} is for URN {named}, which no school has"
                self.notes.append(f"{what}: it {effect}. Mend [sources] tasked_places.")

    def _leave_out(self, source: str, reason: str, count: int) -> None:
        self.left_out.add(source.replace("_", " "), reason, count)

    def _named(self, urns: list[str]) -> str:
        """The first few URNs, each with the nearest that there is."""
        there = sorted({*self.planned, *self.passed_over})
        said = []
        for urn in urns[:MOST_NAMED]:
            near = difflib.get_close_matches(urn, there, n=1, cutoff=0.6)
            said.append(f"{urn} (nearest: {near[0]})" if near else urn)
        more = len(urns) - len(said)
        return ", ".join(said) + (f" and {more} more" if more else "")
