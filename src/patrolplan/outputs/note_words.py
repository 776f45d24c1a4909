"""What a `patrolplan.notes.Note` says, in a sentence; the same on every paper, page and screen."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from patrolplan.area.school_gates import describe_gate, describe_urns
from patrolplan.notes import Note, NoteKind
from patrolplan.team.bases import MODE_WORDS, OTHER_MODE
from patrolplan.team.week import format_day
from patrolplan.text import capitalise, format_count, format_percent, list_first, pluralise

MAX_NAMED_FILES = 3
"""Up to this many files are named; of more only the number is given."""

MAX_NAMED_SPANS = 3
"""Up to this many spans of months are named."""

SIMPLE_COUNT = "a simple count of the previous 12 months"
"""What readers know the prior count as: every model is measured against it."""

EXACT_BELOW = 0.1
"""Gains below this are given with a decimal, so that none reads as 0 %."""


def describe_note(note: Note) -> str:
    """What a note says, in a sentence.

    Examples
    --------
    >>> from patrolplan.notes import Note
    >>> describe_note(Note("bell_times_assumed", {"count": 1, "schools": 4, "time": "15:15"}))
    '1 of 4 schools has no bell time: 15:15 is used.'
    """
    words = SENTENCES[note.kind]
    return words.format(**note.values) if isinstance(words, str) else words(note.values)


def describe_notes(notes: Iterable[Note]) -> list[str]:
    """What notes say, each once, in their order."""
    return list(dict.fromkeys(map(describe_note, notes)))


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
    """How many crimes have a time of day, with what that means at the end."""

    def say(values: Mapping[str, Any]) -> str:
        only_dates = values["only_dates"]
        give = pluralise(only_dates, "gives", "give")
        dates = f" ({only_dates:,} {give} only a date, or 00:00 instead of a time)"
        known = f"{values['known']:,}" if values["known"] else "none"
        return (
            f"The time of day is known for {known} of {format_count(values['crimes'], 'crime')} "
            f"that count{dates if only_dates else ''}: {end}."
        )

    return say


def _say_category_absent(values: Mapping[str, Any]) -> str:
    count, similar = values["group_of"], values["similar"]
    one = "incident" if count == 1 else f"group of {count} incidents"
    hint = f"; the data has '{similar}'" if similar else ""
    return f"No {one} of the category '{values['category']}' in the area{hint}."


def _say_harm_unknown(values: Mapping[str, Any]) -> str:
    what = f"[risk.harm] '{values['category']}' is not a category in the data"
    return f"{what}; did you mean '{values['similar']}'?" if values["similar"] else f"{what}."


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


def _format_basis(values: Mapping[str, Any]) -> str:
    """The crimes and months that models were compared on; small numbers are not shown."""
    few = values["incidents"] < values["shown_from"]
    number = f"fewer than {values['shown_from']}" if few else f"{values['incidents']:,}"
    return f"{number} crimes in {format_count(values['months'], 'month')}"


def _format_weights(values: Mapping[str, Any]) -> str:
    """The models and their weights, the largest first."""
    pairs = sorted(
        zip(values["weights"], values["models"], strict=False), key=lambda pair: -pair[0]
    )
    return ", ".join(f"{model} {format_percent(weight)}" for weight, model in pairs)


def _say_stack_tested(values: Mapping[str, Any]) -> str:
    interval = f"{values['gain_low']:+.2f} to {values['gain_high']:+.2f}"
    return (
        f"{values['category']}: a weighted mean of models is used ({_format_weights(values)}). In "
        f"past months it predicted where crime came better than {SIMPLE_COUNT}, smoothed, by "
        f"{values['gain']:+.2f} bits a crime (95 % interval {interval}; {_format_basis(values)})."
    )


def _say_model_margin(values: Mapping[str, Any]) -> str:
    points = 100 * values["pai"] * values["coverage"]
    than = "more" if points >= 0 else "less"
    return (
        f"In past months, the {format_percent(values['coverage'])} of street length with the "
        f"highest risk had {abs(points):.1f} percentage points {than} of all crime, weighted by "
        f"harm, than with {SIMPLE_COUNT} (difference in PAI {values['pai']:+.2f})."
    )


def _say_window_shares(values: Mapping[str, Any]) -> str:
    shares = zip(values["periods"], values["shares"], strict=False)
    text = ", ".join(f"{period} {format_percent(share)}" for period, share in shares) or "not known"
    between = values["window"].replace("-", " and ")
    return f"Share of a weekday's harm that falls between {between}: {text}."


def _say_at_gate_instead(reason: str) -> Callable[[Mapping[str, Any]], str]:
    """Why a patrol is at the gate although the settings say the base."""
    return lambda values: f"{reason}: {' and '.join(values['does'])} at the gate."


def _say_colleague_base(values: Mapping[str, Any]) -> str:
    return (
        f"{capitalise(' and '.join(values['does']))} at the base of {values['owner']}, "
        f"{values['metres']:.0f} m from that of {values['officer']}."
    )


def _say_tasked_missed(values: Mapping[str, Any]) -> str:
    days = ", ".join(map(_format_day, values["dates"]))
    return f"Nobody goes to the tasked place {values['place']}, {values['street']} on {days}."


def _say_mode_not_planned(values: Mapping[str, Any]) -> str:
    *first, last = values["officers"] or [""]
    goes, patrols = ("go", "patrol") if first else ("goes", "patrols")
    who = f"{', '.join(first)} and {last}" if first else last
    way = values["way"] if values["way"] in MODE_WORDS else "walk"
    mode, other = MODE_WORDS[way], MODE_WORDS[OTHER_MODE[way]]
    return (
        f"{who} {goes} {mode} to the gate and between schools, and {patrols} {other}. "
        f"To plan their patrols {mode}, set way_by_officer in [week]."
    )


def _format_day(date: str) -> str:
    return format_day(dt.date.fromisoformat(date))


SENTENCES: Mapping[NoteKind, str | Callable[[Mapping[str, Any]], str]] = {
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
    "harm_unknown": _say_harm_unknown,
    "months_missing": _say_months_missing,
    "part_missing": _say_part_missing,
    "points_replaced": (
        "The map points of recorded crime were replaced in {month}: earlier crimes are carried "
        "over to the streets that the old and the new points share."
    ),
    "gate_far": _say_gate_far,
    "bell_times_assumed": _say_assumed_in_area("bell time", "{time}"),
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
    "check_accepted": "Accepted in the settings ({reason}): {message}.",
    "discovered_counted": "Offences that patrols discover count too: {reason}.",
    "model_set": "The risk model is '{model}', as the settings say.",
    "kernel_width": (
        "{category}: each crime is spread around its place, over {metres:.0f} m "
        "({distance} kernel); this width fits the data best."
    ),
    "stack_untested": lambda values: (
        f"{values['category']}: a weighted mean of models is used ({_format_weights(values)}); "
        f"there is too little crime to tell how good it is ({_format_basis(values)})."
    ),
    "stack_tested": _say_stack_tested,
    "model_margin": _say_model_margin,
    "months_only": "Only the month of each crime is known, not its weekday or time of day.",
    "window_shares": _say_window_shares,
    "window_shares_shrunk": lambda values: (
        f"The time of day is known for fewer than {values['times']} crimes of "
        f"{', '.join(values['categories'])}: how many of them fall into the patrol window is "
        "estimated mostly from all crime."
    ),
    "bell_time_assumed": "Finish time not known: {time} assumed.",
    "gate_assumed": "Gate not known: nearest walkable street assumed.",
    "starts_after_pupils": "Starts after pupils have left, so no time is spent at the gate.",
    "ends_before_pupils": "Ends before pupils leave, so no time is spent at the gate.",
    "ends_as_pupils_leave": "Ends as pupils leave, so no time is spent at the gate.",
    "window_before_bell": "The window opens before the bell: the patrol starts as pupils leave.",
    "no_officer_for_base": _say_at_gate_instead("No officer is assigned to this school"),
    "base_off_street": _say_at_gate_instead("No walkable street is near the officer's base"),
    "base_too_far": _say_at_gate_instead("The base is too far away for this window"),
    "walking_extract": (
        "The streets file seems to be an extract for walking: roads and tracks for bicycles may "
        "be missing."
    ),
    "no_one_way_streets": "The streets file marks no one-way streets: look out for them.",
    "tasked_place_unvisited": "Tasked place {place} {why}.",
    "barred_place_passed": "Gate or base cannot be reached without passing barred place {place}.",
    "no_date": "No date given: check that tasked places still apply.",
    "stops_reordered": "Stops are ordered so that each is visited near its worst time of day.",
    "approach_for_colleague": "The way from the base to the gate is planned for {owner} alone.",
    "colleague_base": _say_colleague_base,
    "no_term_dates": "There are no term dates: every weekday counts as a school day.",
    "officer_lent": lambda values: (
        f"{values['officer']} is lent to URN {values['urn']} on {_format_day(values['date'])}: "
        "locked by hand."
    ),
    "doses_not_counted": lambda values: (
        f"Doses at places that no route visits are not counted: {', '.join(values['places'])}."
    ),
    "over_daily_maximum": lambda values: (
        f"{values['hotspot']} gets {values['minutes']:.0f} minutes on "
        f"{_format_day(values['date'])}, more than the maximum of {values['maximum']:g}: "
        f"{'; '.join(values['visitors'])}."
    ),
    "maximum_before_minimum": (
        "URN {urn} gets {patrols} of at least {minimum} patrols: the maximum of {maximum:g} "
        "minutes a hotspot a day comes before that minimum."
    ),
    "tasked_place_missed": _say_tasked_missed,
    "patrol_at_colleague_base": lambda values: (
        f"{values['officer']} at URN {values['urn']}: the patrol {' and '.join(values['does'])} "
        f"at the base of {values['owner']}."
    ),
    "mode_not_planned": _say_mode_not_planned,
    "officer_away": lambda values: (
        f"{values['officer']} is absent on {_format_day(values['date'])}."
    ),
    "data_changed": (
        "Data or settings have changed since this week was planned ({then}, now {now}): patrols "
        "handed out keep their stops and times."
    ),
    "no_longer_planned": lambda values: (
        f"No longer in the plan, but still in this week: {'; '.join(values['patrols'])}"
        f"{'; and {} more'.format(values['more']) if values['more'] else ''}."
    ),
    "as_written": "{text}",
}
"""What each kind of note says: a sentence with the names of its values, or what builds it."""
