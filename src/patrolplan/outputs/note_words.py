"""A `patrolplan.notes.Note` as a sentence; the same on every paper, page and screen."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from patrolplan.notes import Note, NoteKind
from patrolplan.outputs.data_note_words import DATA_SENTENCES
from patrolplan.outputs.risk_note_words import RISK_SENTENCES


def describe_note(note: Note) -> str:
    """A note as a sentence.

    Examples
    --------
    >>> from patrolplan.notes import Note
    >>> describe_note(Note("bell_times_assumed", {"count": 1, "schools": 4, "time": "15:15"}))
    '1 of 4 schools has no bell time: 15:15 is used.'
    """
    words = SENTENCES[note.kind]
    return words.format(**note.values) if isinstance(words, str) else words(note.values)


def describe_notes(notes: Iterable[Note]) -> list[str]:
    """Notes as sentences in their order, without duplicates."""
    return list(dict.fromkeys(map(describe_note, notes)))


def _say_other_mode(values: Mapping[str, Any]) -> str:
    *first, last = values["officers"] or [""]
    goes, patrols = ("go", "patrol") if first else ("goes", "patrols")
    who = f"{', '.join(first)} and {last}" if first else last
    on_foot, by_bicycle = "on foot", "by bicycle"
    mode, other = (on_foot, by_bicycle) if values["way"] == "bicycle" else (by_bicycle, on_foot)
    return f"{who} {goes} {mode} to the gate and between schools, and {patrols} {other}."


def _say_crew_short(values: Mapping[str, Any]) -> str:
    rows = zip(values["officers"], values["urns"], values["dates"], strict=False)
    patrols = [f"{name} at URN {urn} on {_format_day(date)}" for name, urn, date in rows]
    count = len(values["officers"])
    return f"Patrols of one, not two ({count} of {values['of']}): {'; '.join(patrols)}."


def format_span(hours: object) -> str:
    """HH:MM-HH:MM in words."""
    return str(hours).replace("-", " to ")


def _format_day(date: str) -> str:
    from patrolplan.team.week import format_day  # noqa: PLC0415 - of weeks alone, and heavy

    return format_day(dt.date.fromisoformat(date))


SENTENCES: Mapping[NoteKind, str | Callable[[Mapping[str, Any]], str]] = {
    **DATA_SENTENCES,
    **RISK_SENTENCES,
    "bell_time_assumed": "Finish time not known: {time} assumed.",
    "opening_bell_assumed": "Opening bell not known: {time} assumed.",
    "gate_assumed": "Gate not known: nearest walkable street assumed.",
    "starts_after_pupils": "Starts after pupils have left, so no time is spent at the gate.",
    "ends_before_pupils": "Ends before pupils leave, so no time is spent at the gate.",
    "ends_as_pupils_leave": "Ends as pupils leave, so no time is spent at the gate.",
    "window_before_bell": "The window opens before the bell: the patrol starts as pupils leave.",
    "starts_at_opening": "Starts as the school opens, so no time is spent at the gate.",
    "gate_before_opening": "Be at the gate from {start} until the school opens at {bell}.",
    "window_at_gate": "In this window the officer stays at the gate.",
    "pupils_driven": "Most pupils of special schools and nurseries are driven: stay at the gate.",
    "ends_when_all_left": "No pupils stay for clubs: the patrol ends at {time}, when all are gone.",
    "no_stop_in_time": (
        "No stop that is worth the walk can be made in this window. Stay at the gate."
    ),
    "walking_extract": (
        "The streets file seems to be an extract for walking: roads and tracks for bicycles may "
        "be missing."
    ),
    "no_one_way_streets": "The streets file marks no one-way streets: look out for them.",
    "tasked_hours_short": lambda values: (
        f"Tasked place {values['place']}: its hours {format_span(values['hours'])} are shorter "
        f"than a stop of {values['minutes']:g} minutes, which begins at {values['begins']}."
    ),
    "barred_place_passed": "The gate, or the only way to it, is in sight of barred {place}.",
    "no_date": "No date given: check that tasked places still apply.",
    "no_term_dates": "There are no term dates: every weekday counts as a school day.",
    "drawn_without_secret": (
        "The week was drawn without a secret: anyone with the same data and settings can draw it "
        "again. `patrolplan week` makes a secret where it may write next to the settings."
    ),
    "secret_readable": (
        "Others on this computer can read the secret {file}, and so foresee every week: let its "
        "owner alone read it."
    ),
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
    "crew_short": _say_crew_short,
    "other_mode": _say_other_mode,
    "officer_away": lambda values: (
        f"{values['officer']} is absent on {_format_day(values['date'])}."
    ),
    "trial_week": (
        "The week is part of the trial {title}: on some days some places are left without patrols, "
        "by lot. Send nobody there to make up for it."
    ),
    "trial_overridden": lambda values: (
        "Patrols stop where the trial has none, for a place tasked by intelligence or set by hand: "
        f"{'; '.join(values['places'])}."
    ),
    "data_changed": (
        "Data or settings have changed since this week was planned ({then}, now {now}): patrols "
        "handed out keep their stops and times."
    ),
    "no_longer_planned": lambda values: (
        f"No longer in the plan, but still in this week: {'; '.join(values['patrols'])}"
        f"{'; and {} more'.format(values['more']) if values['more'] else ''}."
    ),
}
"""The sentence for each kind of note: a format string for its values, or a function of them."""
