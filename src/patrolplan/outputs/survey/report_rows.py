"""Rows of the table of reports, made only from counts.

Pupils' answers go no further than `patrolplan.inputs.survey_counts`. A file of reports needs rows,
so they are made from the rounded counts: as many as a square shows, at its centre, with as many of
each word as it shows and `unknown` or `none` in the others. Each column is filled independently, so
the combination of words in a row has no meaning. When the file is read again, it gives the same
counts.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from patrolplan.inputs.survey_counts import fill_column, find_places_inside
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ReportTable
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

ROW_COLUMNS = (*("report_id", "school_urn", "reported_on", *FACTORS), *("longitude", "latitude"))
"""Columns of the table of reports, in order."""


def build_report_rows(
    table: ReportTable, terms: Collection[SchoolTerm], *, threshold: int, name: str, school_urn: str
) -> pd.DataFrame:
    """Rows whose counts by square are those of a table, in `ROW_COLUMNS`.

    Squares, words and terms with fewer reports than the threshold are suppressed. `name` starts the
    rows' IDs, so that those of two files differ; `school_urn` is empty for several schools.
    """
    shown = np.flatnonzero(table.counts >= threshold)
    by_factor = np.where(table.factor_counts >= threshold, table.factor_counts, 0)[shown]
    parts = [pd.DataFrame(columns=list(ROW_COLUMNS), dtype=object)]
    places = find_places_inside(table.squares[shown])
    for square, counts, (longitude, latitude) in zip(shown, by_factor, places, strict=True):
        number = int(table.counts[square])
        words = {
            column: fill_column(column, counts[np.isin(FACTOR_NAMES, names)], number)
            for column, names in FACTORS.items()
        }
        in_terms = {
            term: int(count[square])
            for term, count in table.by_term.items()
            if count[square] >= threshold
        }
        days = _list_days(in_terms, terms, number, table.step)
        place = {"longitude": f"{longitude:.6f}", "latitude": f"{latitude:.6f}"}
        parts.append(pd.DataFrame({"reported_on": days} | words | place))
    rows = pd.concat(parts, ignore_index=True)
    ids = [f"{name}-{number}" for number in range(1, len(rows) + 1)]
    return rows.assign(report_id=ids, school_urn=school_urn)[list(ROW_COLUMNS)]


def _list_days(
    in_terms: dict[SchoolTerm, int], terms: Collection[SchoolTerm], number: int, step: int
) -> list[str]:
    """First days of the terms of a square's reports.

    The rest are reports whose term is suppressed. They get the oldest terms, in which they fade
    most, with so few in each that it is suppressed when the file is read: each term had fewer than
    a rounding step of them, so there is always room.
    """
    counts, rest = dict.fromkeys(sorted(terms), 0) | in_terms, number - sum(in_terms.values())
    for term in sorted(set(terms)):
        few = min(rest, step - 1)
        counts[term] += few
        rest -= few
    counts[min(terms)] += rest  # only if the threshold is above the step, so that terms show less
    return [
        f"{term.year}-{MONTHS_A_TERM * term.number + 1:02d}-01"
        for term in sorted(counts)
        for _ in range(counts[term])
    ]
