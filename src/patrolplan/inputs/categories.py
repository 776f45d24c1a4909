"""Crime categories: with another spelling than the known names, unknown, or renamed over time.

The known names are those of data.police.uk and of the settings. An unknown category has little or
no weight, so it must not go unnoticed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from patrolplan.settings import CATEGORIES

MIN_RENAMED_ROWS = 10  # Rarer categories than this begin and end by chance
MAX_RENAMING_GAP = pd.Timedelta(days=62)
"""A category that begins within two months of another's end may be the same under a new name."""


@dataclass(frozen=True)
class UnknownCategory:
    """A category that is not known, how often it occurs, and the known name nearest to it.

    `replaces` is the known category that ends where this one begins, or empty.
    """

    name: str
    count: int
    nearest: str
    replaces: str


@dataclass(frozen=True)
class CategoryCheck:
    """Findings about the categories of the crimes that were read.

    `respelled` has a name in the files, the known name and the number of rows, where they differ by
    case and spaces alone; `unknown` the categories that are not known, the most frequent first;
    `total` the crimes of all categories.
    """

    respelled: tuple[tuple[str, str, int], ...] = ()
    unknown: tuple[UnknownCategory, ...] = ()
    total: int = 0


def rename_categories(
    column: pd.Series, own: Sequence[str]
) -> tuple[pd.Series, tuple[tuple[str, str, int], ...]]:
    """The column with known names, and what was renamed: name in the files, known name, rows.

    Only case and spaces may differ. A name that the settings (`own`) or data.police.uk have exactly
    stays.
    """
    names = list(column.cat.categories)
    exact = {*own, *CATEGORIES}
    # The later of two names that differ by case counts: the settings' if the files have it.
    ranked = [*own, *CATEGORIES, *(name for name in own if name in names)]
    by_fold = {_fold(name): name for name in ranked}
    new_names = [name if name in exact else by_fold.get(_fold(name), name) for name in names]
    if new_names == names:
        return column, ()
    counts = column.value_counts()
    found = tuple(
        (old, new, int(counts[old]))
        for old, new in zip(names, new_names, strict=True)
        if old != new
    )
    merged = pd.Index(list(dict.fromkeys(new_names)), dtype=object)
    position = np.append(merged.get_indexer(new_names), -1)  # code -1, without a category, stays -1
    codes = position[column.cat.codes.to_numpy()]
    values = pd.Categorical.from_codes(codes, categories=merged)
    return pd.Series(values, index=column.index, name=column.name), found


def check_categories(
    incidents: pd.DataFrame, respelled: tuple[tuple[str, str, int], ...], own: Iterable[str]
) -> CategoryCheck:
    """The categories of all rows that are not known, with the nearest known name."""
    expected = tuple(dict.fromkeys((*CATEGORIES, *own)))
    months = incidents.groupby("category", observed=True)["month"].agg(["min", "max", "size"])
    ended = months[months.index.isin(expected) & (months["size"] >= MIN_RENAMED_ROWS)]
    ended = ended.loc[ended["max"] < incidents["month"].max(), "max"]
    unknown = []
    for name, first, count in zip(months.index, months["min"], months["size"], strict=True):
        if name in expected:
            continue
        nearest = get_close_matches(str(name), expected, n=1, cutoff=0.5)
        gap = (first - ended).abs()
        replaced = gap[gap <= MAX_RENAMING_GAP] if count >= MIN_RENAMED_ROWS else gap[:0]
        replaces = str(replaced.idxmin()) if len(replaced) else ""
        unknown.append(UnknownCategory(str(name), int(count), "".join(nearest), replaces))
    unknown.sort(key=lambda one: (-one.count, one.name))
    return CategoryCheck(respelled, tuple(unknown), len(incidents))


def _fold(name: str) -> str:
    """A name without regard to case, and with single spaces."""
    return " ".join(name.split()).casefold()
