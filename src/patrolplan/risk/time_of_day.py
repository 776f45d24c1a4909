"""When harm happens: the share of it in the patrol window, where times of day are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.notes import Note, NoteValue
from patrolplan.risk.history import get_harm_days
from patrolplan.risk.scores import divide

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

WEEKDAYS = 5

MIN_IN_WINDOW = 50
"""With fewer timed incidents in the window, the window does not change what counts."""


@dataclass(frozen=True, eq=False)
class Timing:
    """Share of harm in the patrol window.

    Parameters
    ----------
    window
        "HH:MM-HH:MM".
    shares
        For each weekday (rows) in term, outside it, and on all days (columns): harm in the window
        as a share of that day's harm; NaN where no incident is known. Without term dates there is
        only the column of all days.
    by_category
        (j,) share of each category's incidents that fall on a weekday in the window; ones where
        too few times are known.
    shrunk_categories
        Categories with too few known times of their own: their shares are shrunk towards the share
        of all timed incidents, and equal to it without any known time.
    """

    window: str
    shares: pd.DataFrame
    by_category: NDArray[np.float64]
    shrunk_categories: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The shares in and outside term, and which categories have few times of their own."""
        known = self.shares.loc[list(DAYS[:WEEKDAYS])].mean().dropna()
        shares = {"periods": list(map(str, known.index)), "shares": known.to_list()}
        notes = [Note("window_shares", {"window": self.window, **shares})]
        if self.shrunk_categories:
            values: dict[str, NoteValue] = {"times": MIN_IN_WINDOW}
            values["categories"] = list(self.shrunk_categories)
            notes.append(Note("window_shares_shrunk", values))
        return tuple(notes)


def estimate_timing(area: StudyArea, targets: tuple[str, ...]) -> Timing | None:
    """Share of harm in the window from the schools' median bell on; None without times of day.

    Incidents with a date alone are left out. `targets` are the j categories that count.
    """
    incidents = area.incidents
    timed = incidents[incidents["category"].isin(targets) & incidents["timed"]]
    if not area.times_known or timed.empty:
        return None
    bells = area.schools["finish_time"].str.split(":", expand=True).astype("int64")
    start = int((bells[0] * 60 + bells[1]).median())
    end = min(start + int(area.settings.patrol.window_minutes), 24 * 60 - 1)
    window = f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    time, weekday = timed["occurred_at"], timed["occurred_at"].dt.day_of_week.to_numpy()
    minute = time.dt.hour * 60 + time.dt.minute
    inside = ((minute >= start) & (minute < end)).to_numpy()
    category = pd.Categorical(timed["category"], categories=list(targets)).codes
    harm = get_harm_days(targets, area.settings.risk.harm)[category]
    columns = {"all days": np.ones(len(timed), dtype=bool)}
    if len(area.term_dates):
        term = is_in_term(area.term_dates, time)
        columns = {"term": term, "outside term": ~term, **columns}
    shares = {}
    for name, days in columns.items():
        total = np.bincount(weekday[days], harm[days], minlength=len(DAYS))
        in_window = np.bincount(weekday[days], (harm * inside)[days], minlength=len(DAYS))
        shares[name] = divide(in_window, total)
    counted = inside & (weekday < WEEKDAYS)
    by_category, shrunk = np.ones(len(targets)), np.zeros(len(targets), dtype=bool)
    if counted.sum() >= MIN_IN_WINDOW:
        total = np.bincount(category, minlength=len(targets))
        in_window = np.bincount(category[counted], minlength=len(targets))
        by_category = (in_window + MIN_IN_WINDOW * counted.mean()) / (total + MIN_IN_WINDOW)
        shrunk = total < MIN_IN_WINDOW
    names = tuple(name for name, few in zip(targets, shrunk, strict=True) if few)
    return Timing(window, pd.DataFrame(shares, index=list(DAYS)), by_category, names)


def is_in_term(dates: pd.DataFrame, at: pd.Series) -> NDArray[np.bool_]:
    """Which dates lie in a term, and not in a closed period of all schools."""
    day = at.dt.normalize().to_numpy()[:, None]
    inside = (day >= dates["from"].to_numpy()) & (day <= dates["to"].to_numpy())
    term = (dates["kind"] == "term").to_numpy()
    closed = ((dates["kind"] == "closed") & (dates["urn"] == "*")).to_numpy()
    return np.asarray(inside[:, term].any(axis=1) & ~inside[:, closed].any(axis=1))
