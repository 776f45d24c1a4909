"""Sentences for notes on the data: incidents, reports, tables, schools, how pupils go home."""

from collections.abc import Callable, Mapping
from typing import Any

from patrolplan.area.school_gates import describe_gate, describe_urns
from patrolplan.notes import NoteKind
from patrolplan.text import format_count, format_percent, list_first, pluralise

MAX_NAMED_FILES = 3
"""Maximum number of files that are named; if there are more, only their number is given."""

MAX_NAMED_SPANS = 3
"""Maximum number of spans of months that are named."""


def _say_mixed_precision(values: Mapping[str, Any]) -> str:
    exact = values["exact"]
    return (
        f"Of {format_count(values['crimes'], 'crime')}, {exact:,} "
        f"{pluralise(exact, 'has', 'have')} an exact place, from files with dates "
        f"({_name_files(values['exact_files'])}); the others come from files with months only, "
        f"whose places are map points that stand for a few streets "
        f"({_name_files(values['snapped_files'])}). An exact place within "
        f"{values['within_metres']:.0f} m of a map point also counts with that point's streets."
    )


def _name_files(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= MAX_NAMED_FILES else f"{len(names)} files"


def _say_times_known(end: str) -> Callable[[Mapping[str, Any]], str]:
    """How many crimes have a time of day, and at the end what follows from it."""

    def say(values: Mapping[str, Any]) -> str:
        only_dates = values["only_dates"]
        give = pluralise(only_dates, "gives", "give")
        dates = f" ({only_dates:,} {give} only a date, or 00:00 instead of a time)"
        count = f"{values['known']:,}" if values["known"] else "none"
        return (
            f"The time of day is known for {count} of {format_count(values['crimes'], 'crime')} "
            f"that count{dates if only_dates else ''}: {end}."
        )

    return say


def _say_category_absent(values: Mapping[str, Any]) -> str:
    count, similar = values["group_of"], values["similar"]
    one = "incident" if count == 1 else f"group of {count} incidents"
    hint = f"; the data has '{similar}'" if similar else ""
    return f"No {one} of the category '{values['category']}' in the area{hint}."


def _say_category_unknown(where: str) -> Callable[[Mapping[str, Any]], str]:
    """A setting for a category that is not in the data."""

    def say(values: Mapping[str, Any]) -> str:
        what = f"{where} '{values['category']}' is not a category in the data"
        return f"{what}; did you mean '{values['similar']}'?" if values["similar"] else f"{what}."

    return say


def _say_months_missing(values: Mapping[str, Any]) -> str:
    whose = f" of {values['force']}" if values["force"] else ""
    what = f"{values['missing']} of {format_count(values['months'], 'month')}{whose}"
    return (
        f"Missing from the files: {what} ({_name_spans(values['spans'])}). They count "
        "as unknown, not as months without crime: rates are per month held."
    )


def _say_part_missing(values: Mapping[str, Any]) -> str:
    return (
        f"In a part of the area ({values['share']:.0%} of its map points) hardly any crime stands "
        f"in the files of {_name_spans(values['spans'])}: there these months count as unknown."
    )


def _name_spans(spans: list[str]) -> str:
    more = f" and {len(spans) - MAX_NAMED_SPANS} more" if len(spans) > MAX_NAMED_SPANS else ""
    return f"{', '.join(spans[:MAX_NAMED_SPANS])}{more}"


def _say_gate_far(values: Mapping[str, Any]) -> str:
    school = f"URN {values['urn']} ({values['school']})"
    where = describe_gate(values["given"], values["file"], values["row"], values["metres"])
    return f"The gate of {school} is used as given, {where}: check the row."


def _say_assumed_in_area(what: str, default: str) -> Callable[[Mapping[str, Any]], str]:
    """How many schools lack something, and what is used instead."""

    def say(values: Mapping[str, Any]) -> str:
        count, schools = values["count"], format_count(values["schools"], "school")
        have = f"{count:,} of {schools} {pluralise(count, 'has', 'have')} no {what}"
        return f"{have}: {default.format(**values)} is used."

    return say


def _say_tasked_ineffective(effect: str) -> Callable[[Mapping[str, Any]], str]:
    def say(values: Mapping[str, Any]) -> str:
        named = describe_urns(values["urns"], values["similar"])
        what = f"Tasked place {values['place']} is for URN {named}"
        return f"{what}, which no school has: it {effect}. Correct [sources] tasked_places."

    return say


def _say_of_schools(what: str) -> Callable[[Mapping[str, Any]], str]:
    """What was assumed for some schools, with the first of their URNs."""

    def say(values: Mapping[str, Any]) -> str:
        count, schools = len(values["urns"]), format_count(values["schools"], "school")
        have = pluralise(count, "has", "have")
        return f"{count:,} of {schools} {have} {what} (URN {list_first(values['urns'])})."

    return say


def _say_where(values: Mapping[str, Any]) -> str:
    """At which schools something is assumed, where it is not all."""
    count = len(values["urns"])
    of = f" at {count:,} of {format_count(values['schools'], 'school')}"
    of += f" (URN {list_first(values['urns'])})"
    return of if count < values["schools"] else ""


def _say_homes(source: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda values: (
        f"Where pupils live is estimated from {source}; their number falls to a third over "
        f"{values['primary_metres']:,.0f} m for primary and {values['secondary_metres']:,.0f} m "
        "for secondary pupils who walk."
    )


MODE_SOURCES = {
    "london": "the shares assumed for London",
    "england": "the shares of England (National Travel Survey 2024)",
}
"""Where a preset of the mode shares comes from."""


def _say_arrival_assumed(values: Mapping[str, Any]) -> str:
    minutes, time = values["minutes"], values["time"]
    else_when = f"; where that is not known, before {time}" if time else ""
    return (
        f"Pupils are assumed to arrive in the {minutes} minutes before the opening bell{else_when}."
    )


DATA_SENTENCES: Mapping[NoteKind, str | Callable[[Mapping[str, Any]], str]] = {
    "reports_grouped": (
        "Pupils' reports are counted in {square_metres:.0f} m squares. A square counts only if it "
        "has {threshold} reports or more; counts are rounded down to multiples of {threshold}."
    ),
    "small_report_groups": (
        "The smallest group that counts is {threshold}, under {safe_threshold}: it could identify "
        "a person. Reason: {reason}."
    ),
    "crime_grouped": (
        "Recorded crime is counted in {square_metres:.0f} m squares. A category counts in a square "
        "only if it has {threshold} incidents or more there, all months together; they are spread "
        "over all streets of the square."
    ),
    "mixed_precision": _say_mixed_precision,
    "some_times_known": _say_times_known("when harm happens is estimated from those alone"),
    "few_times_known": _say_times_known("too few to estimate when harm happens"),
    "category_absent": _say_category_absent,
    "harm_unknown": _say_category_unknown("[risk.harm]"),
    "exposure_unknown": _say_category_unknown("[way_home] exposure:"),
    "months_missing": _say_months_missing,
    "part_missing": _say_part_missing,
    "points_replaced": (
        "The map points of recorded crime were replaced in {month}: earlier crimes are carried "
        "over to the streets that the old and the new points share."
    ),
    "gate_far": _say_gate_far,
    "bell_times_assumed": _say_assumed_in_area("bell time", "{time}"),
    "opening_bells_assumed": _say_assumed_in_area("opening bell", "{time}"),
    "gates_assumed": _say_assumed_in_area("gate", "the nearest walkable street"),
    "urns_unknown": lambda values: (
        f"[sources] {values['source']}: no school has the URN "
        f"{describe_urns(values['urns'], values['similar'])}; these rows have no effect. "
        "Correct them."
    ),
    "tasked_place_ineffective": _say_tasked_ineffective("has no effect"),
    "tasked_place_partly_ineffective": _say_tasked_ineffective("has no effect there"),
    "school_sites": "URN {urn} has several sites in the schools' table: {sites}.",
    "urns_assigned": lambda values: (
        f"{format_count(len(values['schools']), 'school')} without a URN "
        f"{pluralise(len(values['schools']), 'has', 'have')} one made of name and place, to use in "
        f"other tables: {list_first(values['schools'])}."
    ),
    "school_figures_refused": (
        "URN {urn} ({school}): no school has such a figure, so it counts as not known: {figures}. "
        "Correct it."
    ),
    "no_origins": "No origins given ([sources] origins): where pupils live is assumed.",
    "no_stops": (
        "Walkers only: no stops given, neither in [sources] stops nor in the streets file, so "
        "pupils who ride are not on the streets."
    ),
    "no_places": (
        "No pubs or bars given, neither in [sources] places nor in the streets file: all streets "
        "count as being without."
    ),
    "origin_areas_unknown": lambda values: (
        f"[sources] origins: no polygon of [sources] areas has the name "
        f"{list_first(values['areas'])}; these rows have no effect. Correct them."
    ),
    "clock_categories_unknown": lambda values: (
        "[sources] clock: no crime has the category "
        f"{describe_urns(values['categories'], values['similar'])}; these rows have no effect. "
        "Correct them."
    ),
    "tasked_place_outside": (
        "Tasked place {place} lies {metres:,.0f} m outside the area: it has no effect where no "
        "street is near."
    ),
    "category_respelled": "The category '{written}' ({rows} rows) is counted as '{known}'.",
    "categories_unknown": "Categories that are not known, and weigh little: {categories}.",
    "officers_without_hours": lambda values: (
        f"{list_first(values['officers'])} {pluralise(len(values['officers']), 'has', 'have')} "
        "no hours on any day, so no patrols."
    ),
    "relation_odd": lambda values: (
        f"Check {values['table']}: {values['what']}. To do: {values['remedy']}, or accept it under "
        f'[accept] with {values["check"]} = "why".'
    ),
    "crime_old": "Old data ({table}): {what}. To do: {remedy}.",
    "check_accepted": "Accepted in the settings ({reason}): {message}.",
    "incidents_selected": lambda values: (
        f"Of recorded crime only a part counts here: {'; '.join(values['selected'])}."
    ),
    "rolls_by_capacity": _say_of_schools("no number of pupils: 90 % of the capacity is used"),
    "rolls_assumed": _say_of_schools(
        "neither a number of pupils nor a capacity: a round figure by phase is used"
    ),
    "stages_assumed": _say_of_schools(
        "neither ages nor a phase that says them: half primary, half secondary pupils are assumed"
    ),
    "modes_assumed": lambda values: (
        f"How pupils travel is not known{_say_where(values)}: "
        f"{MODE_SOURCES.get(values['modes'], values['modes'])} are used."
    ),
    "homes_from_origins": _say_of_schools("counts of their own of where pupils live"),
    "homes_from_areas": _say_homes("the residents of small areas"),
    "homes_from_streets": _say_homes("the length of street of each kind, no residents given"),
    "homes_beyond_streets": lambda values: (
        f"Up to {format_percent(values['share'])} of the pupils who walk live beyond the streets "
        f"given (URN {list_first(values['urns'])}): they are followed to the edge of the streets."
    ),
    "no_stops_near": lambda values: (
        f"Walkers only: no bus stop or station within {values['reach_metres']:,.0f} m of URN "
        f"{list_first(values['urns'])}."
    ),
    "leaving_assumed": lambda values: (
        f"When pupils leave is assumed{_say_where(values)}: "
        f"{format_percent(1 - values['late_share'])} around "
        f"{values['mean_minutes']:g} minutes after the bell, the others around "
        f"{values['late_minutes']:g} minutes after it."
    ),
    "arrival_assumed": _say_arrival_assumed,
}
"""As `patrolplan.outputs.note_words.SENTENCES`."""
