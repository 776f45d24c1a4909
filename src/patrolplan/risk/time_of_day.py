"""When harm happens: the share of it in the patrol window, where clock times are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.risk.history import get_harm_days

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

WEEKDAYS = 5

MIN_IN_WINDOW = 50
"""With fewer timed incidents in the window, the window does not change what counts."""

MONTHS_ONLY_NOTE = "Only the month of each crime is known, not its weekday or time of day."


@dataclass(frozen=True, eq=False)
class Timing:
    """Share of harm in the patrol window.

    Parameters
    ----------
    window
        "HH:MM-HH:MM".
    shares
        For each weekday (rows) in term, outside it, and on all days (columns): harm in the window
        as a share of that day's harm; NaN where no incident is known. Without term dates only all
        days are told.
    by_category
        (j,) share of each category's incidents that fall on a weekday in the window; ones where
        too few are known to tell.
    drawn
        Categories of too few known times to tell by themselves: their shares are drawn towards, or
        without any known time equal to, the share of all timed incidents.
    """

    window: str
    shares: pd.DataFrame
    by_category: NDArray[np.float64]
    shrunk_categories: tuple[str, ...] = ()

    def __str__(self) -> str:
        weekdays = self.shares.loc[list(DAYS[:WEEKDAYS])].mean()
        told = ", ".join(f"{name} {share:.0%}" for name, share in weekdays.dropna().items())
        said = f"Share of a weekday's harm between {self.window}: {told or 'not known'}."
        if not self.shrunk_categories:
            return said
        return (
            f"{said} Fewer than {MIN_IN_WINDOW} times of day are known of "
            f"{', '.join(self.shrunk_categories)}: taken to be like all timed crime, the more "
            "so the fewer."
        )


def estimate_timing(area: StudyArea, targets: tuple[str, ...]) -> Timing | None:
    """Share of harm in the window from the schools' usual bell on; None without clock times.

    Parameters
    ----------
    area
        The incidents, bells and term dates. A date alone tells no time, and is left out.
    targets
        The j categories that count.
    """
    timed = area.incidents[area.incidents["category"].isin(targets)]
    timed = timed[timed["timed"]]
    if not area.times_known or timed.empty:
        return None
    start, end, window = _find_window(area)
    at = timed["occurred_at"]
    minute = at.dt.hour * 60 + at.dt.minute
    inside = ((minute >= start) & (minute < end)).to_numpy()
    overrides = area.settings.risk.harm
    category = pd.Categorical(timed["category"], categories=list(targets)).codes
    harm = get_harm_days(targets, overrides)[category]
    weekday = at.dt.day_of_week.to_numpy()
    columns = {"all days": np.ones(len(timed), dtype=bool)}
    if len(area.term_dates):
        term = is_in_term(area.term_dates, at)
        columns = {"term": term, "outside term": ~term, **columns}
    shares = pd.DataFrame(
        {
            name: _compute_day_shares(weekday[days], harm[days], inside[days])
            for name, days in columns.items()
        },
        index=list(DAYS),
    )
    counted = inside & (weekday < WEEKDAYS)
    by_category = np.ones(len(targets))
    drawn: tuple[str, ...] = ()
    if counted.sum() >= MIN_IN_WINDOW:
        usual = counted.mean()
        total = np.bincount(category, minlength=len(targets))
        held = np.bincount(category[counted], minlength=len(targets))
        by_category = (held + MIN_IN_WINDOW * usual) / (total + MIN_IN_WINDOW)
        few = total < MIN_IN_WINDOW
        drawn = tuple(name for name, is_few in zip(targets, few, strict=True) if is_few)
    return Timing(window, shares, by_category, drawn)


def _find_window(area: StudyArea) -> tuple[int, int, str]:
    """First and last minute of the day in the window from the middle bell on."""
    bells = area.schools["finish_time"].str.split(":", expand=True).astype("int64")
    start = int((bells[0] * 60 + bells[1]).median())
    end = min(start + int(area.settings.patrol.window_minutes), 24 * 60 - 1)
    return start, end, f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def is_in_term(dates: pd.DataFrame, at: pd.Series) -> NDArray[np.bool_]:
    """Days that lie in a term and in no closed time of all schools."""
    day = at.dt.normalize().to_numpy()[:, None]
    inside = (day >= dates["from"].to_numpy()) & (day <= dates["to"].to_numpy())
    term = (dates["kind"] == "term").to_numpy()
    closed = ((dates["kind"] == "closed") & (dates["urn"] == "*")).to_numpy()
    return np.asarray(inside[:, term].any(axis=1) & ~inside[:, closed].any(axis=1))


def _compute_day_shares(
    weekday: NDArray[np.int64], harm: NDArray[np.float64], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    total = np.bincount(weekday, harm, minlength=len(DAYS))
    held = np.bincount(weekday, harm * inside, minlength=len(DAYS))
    unknown = np.full(len(DAYS), np.nan)
    return np.asarray(np.divide(held, total, out=unknown, where=total > 0))
