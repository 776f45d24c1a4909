"""`Note`: something that a reader of a result should know, as data.

`patrolplan.outputs.note_words` has the sentence of each note, the same for every paper; code uses
its kind and values, never its words.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

NoteKind = Literal[
    # of the area: how its sources are counted, and what was assumed due to missing data
    "reports_grouped",
    "small_report_groups",
    "crime_grouped",
    "mixed_precision",
    "some_times_known",
    "few_times_known",
    "category_absent",
    "harm_unknown",
    "exposure_unknown",
    "months_missing",
    "part_missing",
    "points_replaced",
    "gate_far",
    "bell_times_assumed",
    "opening_bells_assumed",
    "gates_assumed",
    "urns_unknown",
    "no_origins",
    "no_stops",
    "no_places",
    "origin_areas_unknown",
    "clock_categories_unknown",
    "tasked_place_ineffective",
    "tasked_place_partly_ineffective",
    "school_sites",
    "urns_assigned",
    "school_figures_refused",
    "tasked_place_outside",
    "category_respelled",
    "categories_unknown",
    "officers_without_hours",
    "check_accepted",
    "relation_odd",
    "crime_old",
    "incidents_selected",
    # of the ways home: what was assumed about pupils
    "rolls_by_capacity",
    "rolls_assumed",
    "stages_assumed",
    "modes_assumed",
    "homes_from_origins",
    "homes_from_areas",
    "homes_from_streets",
    "homes_beyond_streets",
    "no_stops_near",
    "leaving_assumed",
    "arrival_assumed",
    # of the risk: how it was estimated
    "discovered_counted",
    "model_set",
    "model_chosen",
    "model_own",
    "months_only",
    "window_harm",
    "exposure",
    "exposure_off",
    "no_pupils_out",
    "other_window",
    "reports_weight",
    "reports_silent",
    "reports_fade",
    "report_terms_unknown",
    "clock_flat",
    "clock_declared",
    "clock_own_table",
    "clock_learned",
    "clock_few_times",
    "clock_no_term_dates",
    "clock_no_places",
    # of one school's patrols
    "bell_time_assumed",
    "opening_bell_assumed",
    "gate_assumed",
    "starts_after_pupils",
    "ends_before_pupils",
    "ends_as_pupils_leave",
    "window_before_bell",
    "starts_at_opening",
    "gate_before_opening",
    "window_at_gate",
    "pupils_driven",
    "ends_when_all_left",
    "no_stop_in_time",
    "walking_extract",
    "no_one_way_streets",
    "tasked_hours_short",
    "barred_place_passed",
    "no_date",
    # of a week
    "no_term_dates",
    "officer_lent",
    "doses_not_counted",
    "over_daily_maximum",
    "maximum_before_minimum",
    "crew_short",
    "other_mode",
    "officer_away",
    "trial_week",
    "trial_overridden",
    "data_changed",
    "no_longer_planned",
    "drawn_without_secret",
    "secret_readable",
]
"""Kinds of notes."""

NoteValue = str | int | float | list[str] | list[float]

_TEXTS, _NUMBERS = list[str], list[float]

NOTE_VALUES: Mapping[NoteKind, Mapping[str, object]] = {
    "reports_grouped": {"square_metres": float, "threshold": int},
    "small_report_groups": {"threshold": int, "safe_threshold": int, "reason": str},
    "crime_grouped": {"square_metres": float, "threshold": int},
    "mixed_precision": {
        "crimes": int,
        "exact": int,
        "exact_files": _TEXTS,
        "snapped_files": _TEXTS,
        "within_metres": float,
    },
    "some_times_known": {"known": int, "crimes": int, "only_dates": int},
    "few_times_known": {"known": int, "crimes": int, "only_dates": int},
    "category_absent": {"category": str, "similar": str, "group_of": int},
    "harm_unknown": {"category": str, "similar": str},
    "exposure_unknown": {"category": str, "similar": str},
    "months_missing": {"force": str, "spans": _TEXTS, "missing": int, "months": int},
    "part_missing": {"spans": _TEXTS, "share": float},
    "points_replaced": {"month": str},
    "gate_far": {"school": str, "urn": str, "given": str, "file": str, "row": int, "metres": float},
    "bell_times_assumed": {"count": int, "schools": int, "time": str},
    "opening_bells_assumed": {"count": int, "schools": int, "time": str},
    "gates_assumed": {"count": int, "schools": int},
    "urns_unknown": {"source": str, "urns": _TEXTS, "similar": _TEXTS},
    "tasked_place_ineffective": {"place": str, "urns": _TEXTS, "similar": _TEXTS},
    "tasked_place_partly_ineffective": {"place": str, "urns": _TEXTS, "similar": _TEXTS},
    "school_sites": {"urn": str, "sites": str},
    "urns_assigned": {"schools": _TEXTS},
    "school_figures_refused": {"urn": str, "school": str, "figures": str},
    "no_origins": {},
    "no_stops": {},
    "no_places": {},
    "origin_areas_unknown": {"areas": _TEXTS},
    "clock_categories_unknown": {"categories": _TEXTS, "similar": _TEXTS},
    "tasked_place_outside": {"place": str, "metres": float},
    "category_respelled": {"written": str, "known": str, "rows": str},
    "categories_unknown": {"categories": str},
    "officers_without_hours": {"officers": _TEXTS},
    "check_accepted": {"check": str, "message": str, "reason": str},
    "relation_odd": {"check": str, "table": str, "what": str, "remedy": str},
    "crime_old": {"check": str, "table": str, "what": str, "remedy": str},
    "incidents_selected": {"selected": _TEXTS},
    "rolls_by_capacity": {"urns": _TEXTS, "schools": int},
    "rolls_assumed": {"urns": _TEXTS, "schools": int},
    "stages_assumed": {"urns": _TEXTS, "schools": int},
    "modes_assumed": {"modes": str, "urns": _TEXTS, "schools": int},
    "homes_from_origins": {"urns": _TEXTS, "schools": int},
    "homes_from_areas": {"primary_metres": float, "secondary_metres": float},
    "homes_from_streets": {"primary_metres": float, "secondary_metres": float},
    "homes_beyond_streets": {"urns": _TEXTS, "share": float},
    "no_stops_near": {"urns": _TEXTS, "reach_metres": float},
    "leaving_assumed": {
        "mean_minutes": float,
        "late_share": float,
        "late_minutes": float,
        "urns": _TEXTS,
        "schools": int,
    },
    "arrival_assumed": {"time": str, "minutes": int},
    "discovered_counted": {"reason": str},
    "model_set": {"model": str},
    "model_chosen": {"model": str},
    "model_own": {"model": str},
    "months_only": {},
    "window_harm": {"start": str, "end": str, "day": str, "intensity": float},
    "exposure": {"categories": _TEXTS, "powers": _NUMBERS, "pupils": int, "schools": int},
    "exposure_off": {},
    "no_pupils_out": {"start": str, "end": str},
    "other_window": {},
    "reports_weight": {
        "band": str,
        "groups": int,
        "all_groups": int,
        "share": float,
        "most_share": float,
    },
    "reports_silent": {"band": str},
    "reports_fade": {"half_life_months": float},
    "report_terms_unknown": {},
    "clock_flat": {},
    "clock_declared": {"data": str, "by_mean": _TEXTS},
    "clock_own_table": {"categories": _TEXTS},
    "clock_learned": {"times": int},
    "clock_few_times": {"categories": _TEXTS, "times": int},
    "clock_no_term_dates": {},
    "clock_no_places": {},
    "bell_time_assumed": {"time": str},
    "opening_bell_assumed": {"time": str},
    "gate_assumed": {},
    "starts_after_pupils": {},
    "ends_before_pupils": {},
    "ends_as_pupils_leave": {},
    "window_before_bell": {},
    "starts_at_opening": {},
    "gate_before_opening": {"start": str, "bell": str},
    "window_at_gate": {},
    "pupils_driven": {},
    "ends_when_all_left": {"time": str},
    "no_stop_in_time": {},
    "walking_extract": {},
    "no_one_way_streets": {},
    "tasked_hours_short": {"place": str, "hours": str, "minutes": float, "begins": str},
    "barred_place_passed": {"place": str},
    "no_date": {},
    "no_term_dates": {},
    "drawn_without_secret": {},
    "secret_readable": {"file": str},
    "officer_lent": {"officer": str, "urn": str, "date": str},
    "doses_not_counted": {"places": _TEXTS},
    "over_daily_maximum": {
        "hotspot": str,
        "minutes": float,
        "date": str,
        "maximum": float,
        "visitors": _TEXTS,
    },
    "maximum_before_minimum": {"urn": str, "patrols": int, "minimum": int, "maximum": float},
    "crew_short": {"officers": _TEXTS, "urns": _TEXTS, "dates": _TEXTS, "of": int},
    "other_mode": {"officers": _TEXTS, "way": str},
    "officer_away": {"officer": str, "date": str},
    "trial_week": {"title": str},
    "trial_overridden": {"places": _TEXTS},
    "data_changed": {"then": str, "now": str},
    "no_longer_planned": {"patrols": _TEXTS, "more": int},
}
"""The values of each kind, and their types. A `date` is YYYY-MM-DD; an empty text or list means
none."""


@dataclass(frozen=True)
class Note:
    """Something that a reader should know: a default that was used, or an approximation.

    Parameters
    ----------
    kind
        Kind of the note.
    values
        Names, numbers and lists for its sentence, see `NOTE_VALUES`.

    Raises
    ------
    ValueError
        When the values do not match the kind, such as in a file that was changed by hand.

    Examples
    --------
    >>> Note("bell_time_assumed", {"time": "15:15"}).values["time"]
    '15:15'
    """

    kind: NoteKind
    values: dict[str, NoteValue] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        expected = NOTE_VALUES[self.kind]
        wrong = [name for name in expected if not _is_a(self.values.get(name), expected[name])]
        wrong += [name for name in self.values if name not in expected]
        if wrong:
            message = f"a note '{self.kind}' has other values: {', '.join(expected) or 'none'}"
            raise ValueError(message)
        for text in (self.values.get("date"), *self.list_texts("dates")):
            if text is not None:
                dt.date.fromisoformat(str(text))

    def list_texts(self, name: str) -> list[str]:
        """The texts of a value that is a list; empty if the note has no such value."""
        values = self.values.get(name)
        return [str(value) for value in values] if isinstance(values, list) else []


def _is_a(value: object, kind: object) -> bool:
    """Whether a value has a type of `NOTE_VALUES`: text, a whole or finite number, or a list."""
    if kind in (_TEXTS, _NUMBERS):
        inner = str if kind == _TEXTS else float
        return isinstance(value, list) and all(_is_a(one, inner) for one in value)
    if kind is str:
        return isinstance(value, str)
    number = (int,) if kind is int else (int, float)
    return isinstance(value, number) and not isinstance(value, bool) and isfinite(value)
