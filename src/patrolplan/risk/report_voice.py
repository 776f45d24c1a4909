"""Pupils' reports as a voice of the risk: by time of day, faded with age, grown by their number.

With crime at weight c, the pupils' voice may have up to w = 1 - c of the joined risk. It gets that
only as reports come in: N of them have the share s(N) = w N / (N + M). So a group of n reports
never has more than n / 5 times `MOST_SHARE_OF_FIVE`, whatever other groups there are; the voice
never weighs less with one group more; and a new group takes from the others together no more than
it gets itself. `patrolplan.privacy` passes on only counts, so times of day and terms of a group's
reports are known only as far as they are shown.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.notes import Note
from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.text import format_count, format_percent, pluralise
from patrolplan.times import SchoolTerm

TimeBand = Literal["before_school", "lunch", "after_school", "evening"]
"""When pupils feel unsafe; as in the table of reports."""

TIME_BANDS: tuple[TimeBand, ...] = get_args(TimeBand)
TIME_WORDS: dict[TimeBand, str] = {
    "before_school": "before school",
    "lunch": "at lunch",
    "after_school": "after school",
    "evening": "in the evening",
}
_BAND_COLUMNS = [FACTOR_NAMES.index(band) for band in TIME_BANDS]

BAND_STARTS = dict(zip(TIME_BANDS, (5 * 60, 10 * 60 + 15, 14 * 60, 18 * 60 + 30), strict=True))
"""Minute after midnight that each band starts at; it lasts until the next one starts. Before school
is up to 09:30 and lunch from 11:00; the morning between them belongs to the nearer one."""

DAY_MINUTES = 24 * 60

CAPPED_REPORTS = 5  # Size of the group that `MOST_SHARE_OF_FIVE` speaks of
MOST_SHARE_OF_FIVE = 0.05  # Maximum share of the risk for a single group of fresh reports

NO_FADING_MONTHS = 1_000_000
"""With this half-life, the largest that the settings allow, reports do not fade."""


def find_band(minute: float) -> TimeBand:
    """The band of the day that a minute after midnight belongs to; each belongs to exactly one."""
    of_day = minute % DAY_MINUTES
    begun = [band for band, start in BAND_STARTS.items() if start <= of_day]
    return begun[-1] if begun else "evening"


def list_bands(start: float, end: float) -> tuple[TimeBand, ...]:
    """The bands that a time from `start` up to `end` meets, in minutes after midnight, in order."""
    starts = [at + day for day in (0, DAY_MINUTES) for at in BAND_STARTS.values()]
    moments = [start, *(at for at in starts if start < at < end)]
    return tuple(dict.fromkeys(find_band(moment) for moment in moments))


@dataclass(frozen=True, eq=False)
class ReportVoice:
    """Pupils' reports of an area, ready to be joined with recorded crime."""

    piece_metres: NDArray[np.float64]  # (p,) length of each piece of street
    group_of_piece: NDArray[np.int64]  # (p,) group of each piece, -1 where there is none
    group_metres: NDArray[np.float64]  # (g,) length of the streets of each group
    # (g,) reports of each group that count in each band (None: all), faded, by the share of the
    # square that lies in the area.
    effective: Mapping[TimeBand | None, NDArray[np.float64]]
    most_share: float  # w of the module's text
    prior_reports: float  # M of the module's text
    notes: tuple[Note, ...] = ()  # true at any time of day; see also `list_notes`

    def spread(self, band: TimeBand | None) -> NDArray[np.float64]:
        """(p,) reports that count in a band (None: all), even along the streets of their square."""
        risk = np.zeros(len(self.piece_metres))
        held = self.group_of_piece >= 0
        per_metre = self.effective[band] / self.group_metres
        risk[held] = per_metre[self.group_of_piece[held]] * self.piece_metres[held]
        return risk

    def compute_share(self, band: TimeBand | None) -> float:
        """Share of the joined risk that the reports of a band have, between 0 and 1."""
        reports = float(self.effective[band].sum())
        if reports <= 0:
            return 0.0
        if self.most_share >= 1:  # where recorded crime has no weight, any report has all of it
            return 1.0
        # If each piece's number of reports is Poisson, its rate a gamma variable whose mean is what
        # crime alone would say and whose weight is that of M reports, then this is their share
        # after N reports (Clayton and Kaldor 1987, Biometrics 43: 671-681). Few say little, many
        # approach w.
        return self.most_share * (reports / (reports + self.prior_reports))

    def list_notes(self, band: TimeBand | None) -> tuple[Note, ...]:
        """What a reader must know about a band: how many groups count, and how much they weigh."""
        groups = len(self.effective[None])
        counting = int(np.count_nonzero(self.effective[band] > 0))
        if not groups or not self.most_share:
            return ()
        when = f" {TIME_WORDS[band]}" if band else ""
        if not counting:
            text = f"Pupils' reports do not count{when}: no group of them names that time of day."
            return (Note("reports_silent", text),)
        share, most = map(format_percent, (self.compute_share(band), self.most_share))
        text = (
            f"{counting} of {format_count(groups, 'group')} of pupils' reports "
            f"{pluralise(counting, 'counts', 'count')}{when}: together they have {share} of the "
            f"risk; many more reports would have up to {most}."
        )
        return (Note("reports_weight", text),)


def build_report_voice(area: StudyArea, last_month: pd.Timestamp) -> ReportVoice:
    """The pupils' voice of an area, in the `last_month` of recorded crime."""
    settings, groups = area.settings, area.reports
    most_share = 1 - settings.risk.crime_weight
    faded, notes = _fade(groups, settings.reports.half_life_months, last_month)
    group, metres = groups.group_of_piece, area.network.piece_metres
    held = group >= 0
    counts: dict[TimeBand | None, NDArray[np.float64]] = {None: groups.counts.astype(float)}
    for band in TIME_BANDS:
        counts[band] = count_in_band(groups, band)
    weight = faded * groups.share_inside
    # M follows from one number that a reader can judge: what a single group of five fresh reports
    # may have at most. s(5) is that share, solved for M.
    return ReportVoice(
        piece_metres=metres,
        group_of_piece=group,
        group_metres=np.bincount(group[held], metres[held], len(groups)).astype(float),
        effective={band: count * weight for band, count in counts.items()},
        most_share=most_share,
        prior_reports=max(0.0, CAPPED_REPORTS * (most_share / MOST_SHARE_OF_FIVE - 1)),
        notes=notes if len(groups) and most_share else (),
    )


def count_in_band(groups: ReportGroups, band: TimeBand) -> NDArray[np.float64]:
    """(g,) reports of each group in a band: those shown, and a share of those with none shown."""
    # A band that is not shown may be any: such reports count in each in equal parts, and in sum as
    # many as there are.
    of_band = groups.factor_counts[:, _BAND_COLUMNS]
    unknown = np.maximum(groups.counts - of_band.sum(axis=1), 0)
    return np.asarray(of_band[:, TIME_BANDS.index(band)] + unknown / len(TIME_BANDS))


def find_groups_of_bands(groups: ReportGroups, bands: Collection[TimeBand]) -> NDArray[np.bool_]:
    """(g,) whether each group shows reports of one of these bands, or of no band at all."""
    of_band = groups.factor_counts[:, _BAND_COLUMNS]
    # One that shows only other bands may hold some reports of these, but is not a reason there.
    wanted = np.isin(TIME_BANDS, list(bands))
    return np.asarray(of_band[:, wanted].any(axis=1) | ~of_band.any(axis=1))


def _fade(
    groups: ReportGroups, half_life_months: float, last_month: pd.Timestamp
) -> tuple[NDArray[np.float64], tuple[Note, ...]]:
    """(g,) mean weight of the reports of each group by age, at most 1; and notes about it."""
    if half_life_months >= NO_FADING_MONTHS:
        return np.ones(len(groups)), ()
    # Ages are counted to the newest month of crime, not to today: plans from past data are as they
    # would have been then.
    now = 12 * last_month.year + last_month.month
    weight = {
        term: 0.5 ** (max(0.0, now - term.middle_month) / half_life_months)
        for term in groups.all_by_term.keys() | groups.by_term.keys()
    }
    total = sum(groups.all_by_term.values())
    mean = sum(weight[term] * n for term, n in groups.all_by_term.items()) / total if total else 1.0
    in_terms, faded = np.zeros(len(groups)), np.zeros(len(groups))
    for term, count in groups.by_term.items():
        in_terms += count
        faded += weight[term] * count
    # Reports whose term is not shown have the mean weight of those whose term is.
    faded += mean * (groups.counts - in_terms)
    if total:
        months = format_count(round(half_life_months), "month")
        note = Note("reports_fade", f"Pupils' reports fade: one of {months} ago counts half.")
    else:
        text = (
            "In no school term does a square have enough of pupils' reports to say when they were "
            "made: all count as new."
        )
        note = Note("report_terms_unknown", text)
    return faded / groups.counts, (note,)


def find_latest_term(groups: ReportGroups) -> list[SchoolTerm | None]:
    """(g,) the latest school term for which each group shows reports; None if it shows none."""
    latest: list[SchoolTerm | None] = [None] * len(groups)
    for term, counts in sorted(groups.by_term.items()):
        for group in np.flatnonzero(counts):
            latest[group] = term
    return latest
