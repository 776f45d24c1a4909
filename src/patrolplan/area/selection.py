"""Part of the recorded crime of an area: some months, and the incidents of a mask.

Crime that is not selected is unknown, not absent. Thresholds are applied again to what is left.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from patrolplan.area.incidents import (
    assign_incidents,
    find_known,
    has_known_times,
    note_time_coverage,
    suppress_small_counts,
)
from patrolplan.area.study_area import StudyArea
from patrolplan.arrays import Bools, count_pairs, find_unique_points
from patrolplan.atomic import hash_content
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.crimes import Crimes
from patrolplan.inputs.timestamps import list_spans
from patrolplan.notes import Note
from patrolplan.privacy import meets_threshold
from patrolplan.tables import LeftOutRow

SOURCE = "where"
MONTH = r"((?:19|20)\d\d-(?:0[1-9]|1[0-2]))"
SPAN = re.compile(rf"{MONTH}(?: to {MONTH})?")
INPUT_NAME = "selection of crimes"  # Among an area's inputs, so that manifests show it


def select_incidents(
    area: StudyArea, mask: ArrayLike | None, months: str | Sequence[str] | None
) -> StudyArea:
    """The area with some of its incidents; see `StudyArea.where`."""
    problems, incidents = Problems(), area.incidents
    words, chosen = [], np.ones(len(incidents), dtype=bool)
    if mask is not None:
        given = np.asarray(mask)
        if given.shape != chosen.shape or given.dtype != bool:
            what = f"the mask is not one of true and false for each of {len(chosen):,} incidents"
            raise InputError.one(SOURCE, what, "compare columns of area.incidents")
        chosen &= given
        digest = hash_content(np.packbits(chosen).tobytes())[:8]
        words.append(f"incidents of a mask ({digest})")
    present = pd.DatetimeIndex(incidents["month"])
    held = area.exposure.months.isin(present[chosen])
    if months is not None:
        listed = [months] if isinstance(months, str) else months
        named = _parse_months(listed, incidents["month"], problems)
        chosen &= present.isin(named)
        held = area.exposure.months.isin(named)
        words += [", ".join(list_spans(named))] if len(named) else []
    if mask is None and months is None:
        problems.add(SOURCE, "selects nothing", "give a mask, or months")
    problems.raise_if_any()
    least = area.settings.privacy.min_crime_count
    if least > 1:
        codes = incidents["category"].cat.codes.to_numpy().astype(np.int64)
        chosen[chosen] = meets_threshold(area.incident_catchment[chosen], codes[chosen], least)
    counts = incidents["category"].isin(area.settings.crimes.risk_categories).to_numpy()
    if not (chosen & counts).any():
        what = f"no incident of a category that counts is left: {'; '.join(words)}"
        raise InputError.one(SOURCE, what, "select more, or add to [crimes] categories")
    return _build_area(area, words, chosen, held)


def _build_area(area: StudyArea, words: list[str], chosen: Bools, held: Bools) -> StudyArea:
    """The area with the chosen (i,) incidents and the held (t,) months, and notes that say so."""
    incidents = area.incidents[chosen].reset_index(drop=True)
    incidents["category"] = incidents["category"].cat.remove_unused_categories()
    counted = incidents[incidents["category"].isin(area.settings.crimes.risk_categories)]
    notes = [note for note in area.notes if note.key not in {"some_times_known", "few_times_known"}]
    if area.settings.privacy.min_crime_count == 1:
        notes += note_time_coverage(counted)
    selected = "; ".join(words)
    text = f"Of recorded crime only a part counts here: {selected}."
    row = LeftOutRow("crimes", f"not selected ({selected})", int((~chosen).sum()))
    rows = suppress_small_counts([row], area.settings.privacy.min_crime_count)
    left_out = sum(row.count for row in rows)
    left_out += sum(one.left_out for one in area.tables if one.source == "crimes")
    used = len(incidents)
    moved: dict[str, Any] = {"rows": used + left_out, "used": used, "left_out": left_out}
    exposure = area.exposure
    month = exposure.months.get_indexer(pd.DatetimeIndex(incidents["month"]))
    force = pd.Index(exposure.forces).get_indexer(pd.Index(incidents["force"].astype(str)))
    has_both = (month >= 0) & (force >= 0)
    names = [*([earlier] if (earlier := area.inputs.get(INPUT_NAME)) else []), *words]
    return replace(
        area,
        incidents=incidents,
        incident_catchment=area.incident_catchment[chosen],
        exposure=replace(
            exposure,
            incidents=count_pairs(month[has_both], force[has_both], exposure.incidents.shape),
            held=exposure.held & held[:, None],
        ),
        times_known=has_known_times(find_known(counted)),
        notes=(*notes, Note("incidents_selected", text)),
        left_out=(*area.left_out, *(one for one in rows if one.count or one.shown_from > 1)),
        tables=tuple(
            replace(one, **moved) if one.source == "crimes" else one for one in area.tables
        ),
        inputs=area.inputs | {INPUT_NAME: "; ".join(names)},
    )


def place_again(area: StudyArea) -> StudyArea:
    """The area with its crime on catchments of the snap points that this crime itself has."""
    incidents = area.incidents
    places, place_index = find_unique_points(shapely.get_coordinates(incidents.geometry.values))
    # Which files an incident was in is not known any more, but those with times have exact places.
    is_exact = incidents["timed"].to_numpy()
    crimes = Crimes(incidents, is_exact, places, place_index, files=(), file_index=place_index)
    everywhere = np.ones(len(incidents), dtype=bool)
    catchments, incident_catchment, _ = assign_incidents(area.network, crimes, everywhere)
    # Whose crime is recorded around a place, and which months are missing there, stays as it was.
    nearest = cKDTree(area.catchments.xy).query(catchments.xy)[1]
    exposure = area.exposure
    part = exposure.missing_part
    return replace(
        area,
        catchments=catchments,
        incident_catchment=incident_catchment,
        exposure=replace(
            exposure,
            shares=exposure.shares[nearest],
            missing_part=None if part is None else part[:, nearest],
        ),
    )


def _parse_months(words: Sequence[str], months: pd.Series, problems: Problems) -> pd.DatetimeIndex:
    """All months that are named, of which each span has one of the data."""
    named = pd.DatetimeIndex([])
    for word in words:
        match = SPAN.fullmatch(str(word).strip())
        if match is None:
            remedy = "write such as 2025-11, or 2025-12 to 2026-02"
            problems.add(SOURCE, f"'{word}' is not a month or a span of months", remedy, "months")
            continue
        span = pd.date_range(match[1], match[2] or match[1], freq="MS")
        if span.empty:
            problems.add(SOURCE, f"'{word}' ends before it begins", "swap the two", "months")
        elif span[-1] < months.min() or span[0] > months.max():
            remedy = f"choose months from {months.min():%Y-%m} to {months.max():%Y-%m}"
            problems.add(SOURCE, f"'{word}' is not within the data", remedy, "months")
        named = named.union(span)
    return named
