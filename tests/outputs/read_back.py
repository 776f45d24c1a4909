"""Whether the papers of a week, and its board, say the same of every patrol: read from the files.

`list_faults` names each fact that a paper lacks. What should be there comes from the patrols; what
is there, from the files as people and programs read them.
"""

import csv
import html
import json
import re
from collections import Counter
from zoneinfo import ZoneInfo

import icalendar
from outputs.printed import read_pages, strip_spaces

from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.wording import describe_barred
from patrolplan.patrols.marking import is_sensitive
from patrolplan.times import format_span, format_time

MARKED = "OFFICIAL-SENSITIVE"
LONDON = ZoneInfo("Europe/London")


def list_faults(week, folder, board_patrols):
    """Every fact of the week's patrols that a paper in the folder, or the board, has not."""
    roster = Roster(week)
    readers = (_read_cards, _read_phone, _read_tasks, _read_calendars, _read_tables, _read_schools)
    faults = [fault for reader in readers for fault in reader(roster, folder)]
    faults += _read_document(roster, folder)
    return faults + (_read_board(roster, board_patrols) if board_patrols is not None else [])


def _name(duty):
    return f"{duty.date:%a} {duty.officer} at {duty.urn}"


def _tell(roster, duty):
    return list_stop_facts(duty.patrol, roster.week.plan.area.projection.crs)


def _list_barred(roster, duty):
    crs = roster.week.plan.area.projection.crs
    return [describe_barred(place, crs=crs) for place in duty.patrol.keep_away]


def _compare(paper, name, expected, found):
    """Faults, one for each pair of values that differ."""
    pairs = zip(expected, found, strict=False)
    faults = [f"{paper}, {name}: {one!r} is {other!r}" for one, other in pairs if one != other]
    if len(expected) != len(found):
        faults.append(f"{paper}, {name}: {len(found)} instead of {len(expected)}")
    return faults


def _find_missing(paper, name, words, text):
    """Faults, one for each of the words that are not in a text without spaces."""
    return [f"{paper}, {name}: no {one!r}" for one in words if strip_spaces(one) not in text]


def _read_cards(roster, folder):
    """Each card has times, places, first reasons, taskings, barred places and marking."""
    for duty in roster.week.duties:
        text = "".join(read_pages((folder / roster.card_path(duty)).read_bytes()))
        words = _list_barred(roster, duty)
        for facts in _tell(roster, duty):
            words.append(format_span(facts.stop.arrive_minutes, facts.stop.leave_minutes))
            words += [facts.tasking] if facts.tasking else []
            if facts.earlier is None:
                words += [facts.place[1:], facts.list_sentences("short")[0].partition(": ")[2]]
        yield from _find_missing("card", _name(duty), words, text)
        for place in set(duty.patrol.barred) - set(duty.patrol.keep_away):
            if strip_spaces(f"{place.tasking.place_id}:{place.tasking.reason}") in text:
                yield f"card, {_name(duty)}: far {place.tasking.place_id}"
        if (MARKED in text) != is_sensitive(duty.patrol):
            yield f"card, {_name(duty)}: marking"


def _read_phone(roster, folder):
    """The phone's data have times and numbers of places, its page the words."""
    page = html.unescape((folder / "map.html").read_text(encoding="utf-8"))
    blocks = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    patrols = json.loads(max(blocks, key=len))["patrols"]
    text = strip_spaces(page)
    if len(patrols) != len(roster.week.duties):
        yield f"phone: {len(patrols)} patrols"
    for duty, shown in zip(roster.week.duties, patrols, strict=False):
        name, told = _name(duty), _tell(roster, duty)
        yield from _compare(
            "phone",
            name,
            [
                (facts.place, facts.arrive, facts.leave, bool(facts.tasking), facts.feared)
                for facts in told
            ],
            [
                (
                    stop["place"],
                    format_time(stop["arrive"]),
                    format_time(stop["leave"]),
                    bool(stop["tasked"]),
                    stop["feared"],
                )
                for stop in shown["stops"]
            ],
        )
        if len(shown["keep_away"]) != 2 * len(duty.patrol.keep_away):
            yield f"phone, {name}: places to keep away from"
        words = [*_list_barred(roster, duty), *(facts.tasking for facts in told)]
        words += [line.text for facts in told for line in facts.list_why()]
        yield from _find_missing("phone", name, words, text)
    yield from _check_marking("phone", roster, text)


def _read_tasks(roster, folder):
    """The task sheets have each stop's times, first reason and tasking."""
    text = "".join(read_pages((folder / "tasks.pdf").read_bytes()))
    for duty in roster.week.duties:
        words = []
        for facts in _tell(roster, duty):
            words.append(format_span(facts.stop.arrive_minutes, facts.stop.leave_minutes))
            words.append(facts.list_sentences("short")[0])
        yield from _find_missing("tasks", _name(duty), words, text)
    yield from _check_marking("tasks", roster, text)


def _read_calendars(roster, folder):
    """Everyone on a patrol has it in the calendar, at its times, and nobody another one."""
    expected, found = Counter(), Counter()
    for duty in roster.week.duties:
        times = format_time(duty.start_minutes), format_time(duty.end_minutes)
        expected.update((name, duty.urn, f"{duty.date}", *times) for name in duty.people)
    for path in sorted((folder / "calendars").glob("*.ics")):
        for event in icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT"):
            if event["STATUS"] == "CONFIRMED":
                start, end = (event[key].dt.astimezone(LONDON) for key in ("DTSTART", "DTEND"))
                who, urn = (str(event[f"X-PATROLPLAN-{key}"]) for key in ("OFFICER", "URN"))
                found[who, urn, f"{start:%Y-%m-%d}", f"{start:%H:%M}", f"{end:%H:%M}"] += 1
    yield from (f"calendars: lacks {one}" for one in expected - found)
    yield from (f"calendars: has {one}" for one in found - expected)


def _read_tables(roster, folder):
    """The table for spreadsheets has each patrol's times and stops."""
    text = (folder / "week.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    expected = [
        (
            *(f"{duty.date}", duty.urn, format_time(duty.start_minutes)),
            format_time(duty.end_minutes),
            "; ".join(f"{facts.arrive} {facts.place}" for facts in _tell(roster, duty)),
        )
        for duty in roster.week.duties
    ]
    found = [(row["date"], row["urn"], row["start"], row["end"], row["stops"]) for row in rows]
    return _compare("table", "week.csv", expected, found)


def _read_schools(roster, folder):
    """A school's sheet has each time at its gate, and no tasking."""
    for school in roster.schools:
        path = folder / "schools" / f"{roster.school_file_names[school.urn]}.pdf"
        duties = [duty for duty in roster.week.duties if duty.urn == school.urn]
        text = "".join(read_pages(path.read_bytes()))
        words = [
            format_span(duty.start_minutes, duty.patrol.gate_until_minutes)
            for duty in duties
            if duty.patrol.has_presence
        ]
        yield from _find_missing("school", school.urn, words, text)
        for duty in duties:
            for facts in _tell(roster, duty):
                if facts.tasking and strip_spaces(facts.tasking) in text:
                    yield f"school, {_name(duty)}: a tasking"


def _read_document(roster, folder):
    """`week.json` has a stay for each stop, with its tasking."""
    document = json.loads((folder / "week.json").read_text(encoding="utf-8"))
    expected, gates = Counter(), Counter()
    for duty in roster.week.duties:
        slot = (duty.officer, f"{duty.date}", duty.urn)
        for facts in _tell(roster, duty):
            stop = facts.stop
            expected[*slot, facts.arrive, facts.leave, stop.id, stop.tasked] += 1
        if duty.patrol.has_presence:
            gates[*slot, format_time(duty.start_minutes)] += 1
    names = ("officer", "date", "urn", "from", "to", "place", "tasked")
    found = Counter(tuple(row[name] for name in names) for row in document["stays"])
    begun = Counter(
        tuple(row[name] for name in names[:4]) for row in document["stays"] if row["kind"] == "gate"
    )
    faults = [f"week.json: lacks {one}" for one in expected - found]
    return faults + [f"week.json: no gate {one}" for one in gates - begun]


def _read_board(roster, patrols):
    """The board has each stop's place, times and tasking, and the places to keep away from."""
    shown = {(one["officer"], one["date"], one["urn"], one["start"]): one for one in patrols}
    faults = []
    for duty in roster.week.duties:
        key = (duty.officer, f"{duty.date}", duty.urn, format_time(duty.start_minutes))
        patrol = shown.pop(key, None)
        if patrol is None:
            faults.append(f"board: lacks {key}")
            continue
        names = ("place", "arrive", "leave", "minutes", "tasked", "feared")
        expected = [
            (
                *(facts.place, facts.arrive, facts.leave, facts.minutes),
                *(facts.stop.tasked, facts.feared),
            )
            for facts in _tell(roster, duty)
        ]
        found = [tuple(stop[name] for name in names) for stop in patrol["stops"]]
        faults += _compare("board", _name(duty), expected, found)
        barred = [place.tasking.place_id for place in duty.patrol.keep_away]
        faults += _compare("board", _name(duty), barred, patrol["keep_away"])
    return faults + [f"board: has {one}" for one in shown]


def _check_marking(paper, roster, text):
    """A paper of all patrols is marked as the highest of them."""
    if any(is_sensitive(duty.patrol) for duty in roster.week.duties) and MARKED not in text:
        yield f"{paper}: marking"
