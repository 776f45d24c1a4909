"""`notes.txt` beside the papers: all that a reader should know, by who needs it most."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from patrolplan.notes import Note, Reader
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import GATE_ASSUMED, Plan
from patrolplan.patrols.surroundings import build_way_notes
from patrolplan.tables import LeftOutRow
from patrolplan.text import capitalise, list_first

if TYPE_CHECKING:
    from patrolplan.team.week import Week

WIDTH = 100
READERS: dict[Reader, str] = {
    "officer": "For officers",
    "lead": "For the team lead",
    "analyst": "For the analyst",
}
URGENCIES = ("fix", "assumed", "known")
SAID_OF_ALL = ("bell_time_assumed", GATE_ASSUMED)  # on one school, said of all together


def render_notes(plan_or_week: "Plan | Week") -> bytes:
    """The file of a plan, or of a week with what it could not meet."""
    if isinstance(plan_or_week, Plan):
        plan, unmet = plan_or_week, list[str]()
        notes = collect_plan_notes(plan)
        marking = find_marking(plan.area, plan.patrols)
    else:
        plan = plan_or_week.plan
        notes = [*plan_or_week.notes, *plan.risk.notes]
        kinds = (demand.kind for demand in plan_or_week.demands)
        walks = (duty.patrol for duty in plan_or_week.duties)
        marking = find_marking(plan.area, walks, demands=kinds)
        unmet = list_unmet_lines(plan_or_week)
    lines = [f"{plan.area.name}: notes", marking, *format_notes(notes, plan.left_out)]
    return "\n".join([*lines, *format_part("Not met", unmet), ""]).encode("utf-8")


def collect_plan_notes(plan: Plan) -> list[Note]:
    """All notes of a plan; a sentence on some schools' patrols names them."""
    by_text: dict[str, tuple[Note, list[str]]] = {}
    for patrol in plan.patrols:
        for note in patrol.notes:
            if note.key not in SAID_OF_ALL:
                by_text.setdefault(note.text, (note, []))[1].append(patrol.urn)
    planned = {patrol.urn for patrol in plan.patrols}
    of_patrols = [
        note
        if planned == {*urns}
        else replace(note, text=f"URN {list_first(list(dict.fromkeys(urns)))}: {note.text}")
        for note, urns in by_text.values()
    ]
    return [*of_patrols, *plan.risk.notes, *build_way_notes(plan.area)]


def format_notes(notes: Iterable[Note], left_out: Sequence[LeftOutRow]) -> Iterator[str]:
    """Lines of notes by their reader, those that need a hand first; and of what was left out."""
    once = list({note.text: note for note in notes}.values())
    once.sort(key=lambda note: URGENCIES.index(note.urgency))
    parts = {title: [one for one in once if one.reader == who] for who, title in READERS.items()}
    rows = sorted(left_out, key=lambda row: not row.fix)
    for title, sentences in parts.items():
        yield from format_part(title, [_add_fix(one.text, one.fix) for one in sentences])
    yield from format_part("Left out", [_add_fix(f"{row}.", row.fix) for row in rows])


def _add_fix(sentence: str, fix: str) -> str:
    return f"{sentence} To fix: {fix}." if fix else sentence


def list_unmet_lines(week: "Week") -> list[str]:
    """What a week does not reach, and why."""
    return [f"{capitalise(str(row))}." for row in week.unmet if row.kind != "closed"]


def format_part(title: str, sentences: Sequence[str]) -> list[str]:
    """A title and its sentences, wrapped; nothing without any."""
    if not sentences:
        return []
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent="- ", subsequent_indent="  ")
    return ["", title, *(line for one in sentences for line in wrapper.wrap(" ".join(one.split())))]
