"""Why a place is a hotspot, in plain sentences, and how sure that is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.crs import SQUARE_METRES
from patrolplan.hotspots.clusters import compute_catchment_shares, flatten_stretches, sum_by_stretch
from patrolplan.hotspots.significance import WELL_PLACED_SHARE
from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.surface import Risk

REASON_MONTHS = 12
MIN_NAMED_SHARE = 0.1
"""A category is named when it makes up at least this share of the stretch's recorded harm."""

CATEGORY_WORDS = {
    "Violence and sexual offences": "violence",
    "Anti-social behaviour": "anti-social behaviour",
    "Criminal damage and arson": "criminal damage",
}
"""Shorter words for categories; others stand as in the data, in small letters."""

TREND_WORDS = {
    "new": "New in the last six months",
    "rising": "Rising over the last six months",
    "fading": "Fading over the last six months",
}

UNSURE_PLACE = "May lie a street or two away"

FACTOR_WORDS = {
    "poor_lighting": "poor lighting",
    "isolated": "isolated",
    "overgrown": "overgrown",
    "litter_or_damage": "litter or damage",
    "blocked_pavement": "blocked pavement",
    "groups_loitering": "groups loitering",
    "followed": "being followed",
    "verbal_abuse": "verbal abuse",
    "robbery_or_threat": "robbery or threats",
    "drug_use": "drug use",
    "traffic": "traffic",
}

TIME_WORDS = {
    "before_school": "before school",
    "lunch": "at lunch",
    "after_school": "after school",
    "evening": "in the evening",
}


def describe_reasons(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]], certainty: pd.DataFrame
) -> list[list[str]]:
    """Sentences on what each stretch rests on: crime, reports, and what is not sure about it."""
    if not stretches:
        return []
    parts = zip(
        _describe_crime(area, risk, stretches),
        _describe_reports(area, risk, stretches),
        _describe_changes(certainty),
        strict=True,
    )
    return [crime + reports + changes for crime, reports, changes in parts]


def _describe_changes(certainty: pd.DataFrame) -> list[list[str]]:
    """A trend that is more than chance, and a place that is not sure."""
    sentences: list[list[str]] = []
    columns = ["mainly_reports", "trend", "survived"]
    for mainly_reports, trend, survived in certainty[columns].itertuples(index=False, name=None):
        change = [TREND_WORDS[trend]] if trend in TREND_WORDS else []
        place = [UNSURE_PLACE] if survived < WELL_PLACED_SHARE else []
        sentences.append([] if mainly_reports else change + place)
    return sentences


def _describe_crime(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> list[list[str]]:
    """Recorded crime of the last twelve months that falls to each stretch, by category.

    Where crime is held to the threshold, only what a place has enough of in these months counts.
    """
    history = build_history(area)
    fewest = area.settings.privacy.min_crime_count
    categories = sorted(history.targets)
    columns = [history.targets.index(name) for name in categories]
    recent = history.count_last(REASON_MONTHS)[:, columns]
    recent = np.where(recent >= fewest, recent, 0.0)
    expected = compute_catchment_shares(area.catchments, stretches) @ recent
    harm = expected * get_harm_days(categories, area.settings.risk.harm)
    enough = (harm > 0) & (harm >= MIN_NAMED_SHARE * harm.sum(axis=1, keepdims=True))
    order = np.argsort(-harm, axis=1, kind="stable")[:, :3]
    year = f"in the 12 months to {risk.months[1]:%B %Y}"
    sentences = []
    for row in range(len(stretches)):
        named = [_describe_category(categories[k]) for k in order[row] if enough[row, k]]
        amount = round(float(expected[row].sum()))
        number = f"about {amount}" if amount > 1 else "hardly any"
        number = f"fewer than {fewest}" if amount < fewest and fewest > 1 else number
        sentence = f"Recorded crime: {number} {year}, most harm by {_join_words(named)}"
        sentences.append([sentence] if named else [])
    return sentences


def _describe_category(category: str) -> str:
    return CATEGORY_WORDS.get(category, category[:1].lower() + category[1:])


def _describe_reports(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> list[list[str]]:
    """What pupils named, where a stretch holds more of their reports than its length would."""
    metres = area.network.piece_metres
    baseline = sum_by_stretch(metres, stretches) / metres.sum()
    feared = sum_by_stretch(risk.reports, stretches) > baseline
    widest = _find_widest_group(area.reports.group_of_piece, metres, stretches)
    return [
        [_describe_fear(area.reports.reasons[group])] if more and group >= 0 else []
        for more, group in zip(feared, widest, strict=True)
    ]


def _find_widest_group(
    group: NDArray[np.int64], metres: NDArray[np.float64], stretches: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """(h,) the group of reports with most street on each stretch, the first of equals; -1: none."""
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)[group[pieces] >= 0]
    pieces = pieces[group[pieces] >= 0]
    groups = int(group.max(initial=0)) + 1
    pairs, pair = np.unique(row * groups + group[pieces], return_inverse=True)
    length = np.bincount(pair, metres[pieces], minlength=len(pairs))
    order = np.lexsort((pairs, -length, pairs // groups))
    rows, first = np.unique(pairs[order] // groups, return_index=True)
    widest = np.full(len(size), -1)
    widest[rows] = pairs[order][first] % groups
    return widest


def _describe_fear(factors: tuple[str, ...]) -> str:
    """One sentence from the factors that a group of reports gave often enough."""
    what = [FACTOR_WORDS.get(factor, factor) for factor in factors if factor not in TIME_WORDS]
    when = [TIME_WORDS[factor] for factor in factors if factor in TIME_WORDS]
    sentence = "Pupils feel unsafe here"
    sentence += f" {when[0]}" if when else ""
    return f"{sentence}: {_join_words(what[:3])}" if what else sentence


def describe_certainty(risk: Risk, certainty: pd.DataFrame, *, squares: bool = False) -> list[str]:
    """What is sure and what is not about each hotspot, in a few words.

    `squares` says whether crime is held to the threshold, on squares.
    """
    places = "approximate to a few streets" if risk.snapped else "places as recorded"
    places = f"approximate to a square of {SQUARE_METRES:.0f} m" if squares else places
    times = "time of day known" if risk.times_known else "month only, time of day not known"
    lines = []
    columns = ["mainly_reports", "stands_out", "trend", "survived"]
    rows = certainty[columns].itertuples(index=False, name=None)
    for mainly_reports, stands_out, trend, survived in rows:
        chance = "stands out from chance" if stands_out else "could be chance"
        place = ["may lie a street or two away"] if survived < WELL_PLACED_SHARE else []
        words = ["rests on pupils' reports"] if mainly_reports else [chance, trend, *place]
        lines.append("; ".join([*words, places, times]))
    return lines


def _join_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
