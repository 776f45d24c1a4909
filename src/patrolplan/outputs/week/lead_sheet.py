"""`lead.pdf`: gaps, officers' days, demands, fairness and the draw, for the lead alone.

Not for the wall, since it has officers' appointments, which colleagues need not see.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.notes import Note, list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import list_unprintable_notes, make_printable
from patrolplan.outputs.reason_words import DAY_WORDS
from patrolplan.outputs.week.roster import (
    DEMANDS,
    Roster,
    RosterOfficer,
    describe_appointment,
    format_item_times,
    format_school_name,
)
from patrolplan.outputs.week.sheet import Sheet
from patrolplan.patrols.demands import WATCH_METRES
from patrolplan.patrols.designated import get_place, read_hours
from patrolplan.team.not_met import list_missing
from patrolplan.team.people import STAFF_WORDS
from patrolplan.team.week import Week, format_day
from patrolplan.team.week_records import Ban, DemandOutcome, Lock
from patrolplan.team.where_when import DayItem
from patrolplan.text import capitalise, format_percent, join_words, list_first

MAX_CHANGES = 12  # Maximum number of changes by hand that are listed, the latest ones


def build_lead_sheet(roster: Roster) -> Sheet:
    """The lead's sheet of a week."""
    week = roster.week
    kinds = (demand.kind for demand in week.demands)
    head = roster.build_head(week.duties, demands=kinds)
    rows = {kind: _build_demand_rows(roster, kind) for kind in DEMANDS}
    data = head | {
        "title": f"Lead's sheet: {head['area']}, {head['week']}",
        "id": wording.compute_plan_id(week.plan),
        "days": [{"name": f"{day:%a}", "date": f"{day.day} {day:%b}"} for day in week.days],
        "demands": [
            {"title": DEMANDS[kind].lead.format(watch=f"{WATCH_METRES:g}"), "rows": own}
            for kind, own in rows.items()
            if own
        ],
        "gaps": [[*map(make_printable, gap)] for gap in _list_gaps(roster)],
        "schools": _build_school_rows(roster),
        "officers": [_build_officer_row(roster, officer) for officer in roster.officers],
        "nobody": _list_nobody(roster),
        "by_hand": [make_printable(line) for line in describe_hand(roster)],
        "notes": [*map(make_printable, list_texts(one for one in week.notes if not _is_gap(one)))],
        "draw": _describe_draw(week),
    }
    data["basis"] += list_unprintable_notes(data)
    return Sheet("lead.typ", data)


def _describe_draw(week: Week) -> str:
    """How the week was drawn, how far from the best, and what insiders could name, in one line."""
    draw, foreseen = week.draw, week.foreseen
    if draw is None:
        return "Not drawn by lot: made by an earlier version, or by hand."
    lost = 1 - week.worth / draw.best_worth if draw.best_worth > 0 else 0.0
    below = f"{format_percent(lost, 1)} below the best"
    parts = [below if round(lost, 3) > 0 else "as good as any"]
    if foreseen is not None:
        share = max(foreseen.hotspot_quarter, foreseen.with_locks)
        parts.append(f"insiders could name {10 * share:.0f} visits in 10")
    long = draw.commitment  # in groups of eight letters, so that it can be compared by eye
    code = " ".join(long[at : at + 8] for at in range(0, len(long), 8))
    parts.append(f"commitment {code}" if code else "without a secret: anyone can draw it again")
    return f"By lot, draw {draw.number}: {', '.join(parts)}."


def _build_demand_rows(roster: Roster, kind: str) -> list[dict[str, Any]]:
    """One row per place: who comes on which day, and on how many days the demand is met."""
    places: dict[str, list[DemandOutcome]] = {}
    for demand in roster.week.demands:
        if demand.kind == kind:
            places.setdefault(demand.place, []).append(demand)
    return [
        {
            "id": "" if kind == "feared" else make_printable(place),
            "place": make_printable(_describe_demanded(roster, place)),
            "cells": [
                {
                    "lines": [
                        f"{visitor.arrive} {roster.print_officer(visitor.officer)}"
                        for demand in demands
                        for visitor in demand.met_by
                        if visitor.date == day and demand.date in {None, day}
                    ],
                    "is_unmet": any(one.date == day and not one.is_met for one in demands),
                }
                for day in roster.week.days
            ],
            "met": _describe_met(roster, demands),
        }
        for place, demands in places.items()
    ]


def _describe_demanded(roster: Roster, place: str) -> str:
    """Where a demanded place is; for one that the force designates also the force's name."""
    area = roster.week.plan.area
    row = get_place(area, place)
    words = capitalise(roster.place_words.get(place, ""))
    if row is None:
        return words
    days = [DAY_WORDS[day] for day in row["days"] if len(row["days"]) < len(ALL_DAYS)]
    hours = str(read_hours(row)).replace("-", " to ")
    return "; ".join(filter(None, (str(row["name"]), words, join_words(days), hours)))


def _describe_met(roster: Roster, demands: Sequence[DemandOutcome]) -> str:
    """On how many days a tasked place's demand is met, or whether another place's is."""
    if demands[0].kind == "tasked":
        return f"{sum(demand.is_met for demand in demands)} of {len(demands)}"
    if demands[0].kind == "designated":
        dwell = roster.week.plan.area.settings.patrol.dwell_minutes
        given, wanted = (dwell * count for count in (len(demands[0].met_by), demands[0].visits))
        return f"{given:g} of {wanted:g}"
    if not demands[0].visits and not demands[0].met_by:
        return "last week"
    return "yes" if demands[0].is_met else "NO"


def _list_gaps(roster: Roster) -> Iterator[tuple[str, str, str]]:
    """What is not met, why, and what can be done about it; then what else needs a hand."""
    unmet = roster.week.unmet
    days: dict[tuple[str, str, str], list[str]] = {}
    for row in list_missing(unmet, "visit", "minimum"):
        day = "" if row.date is None else f"{row.date:%A}"
        days.setdefault((row.what, row.why, row.fix), []).append(day)
    for (what, why, fix), names in days.items():
        when = join_words([name for name in names if name])
        yield f"{what}, {when}" if when else what, why, fix
    streets: dict[tuple[str, str], list[str]] = {}
    for row in list_missing(unmet, "street"):
        streets.setdefault((row.why, row.fix), []).append(row.what)
    for (why, fix), places in streets.items():
        yield list_first(places), why, fix
    for note in roster.week.notes:
        if _is_gap(note) and note.key != "drawn_without_secret":
            yield "", note.text.rstrip("."), capitalise(note.fix) or "Move one of the visits"


def _is_gap(note: Note) -> bool:
    """Whether a person should do something about it; how the week was drawn stands at the end."""
    return bool(note.fix) or note.key == "over_daily_maximum"


def _list_nobody(roster: Roster) -> list[str]:
    """By day the numbers of the schools that are open and have no patrol; none where none is so."""
    without: list[list[int]] = [[] for _ in roster.week.days]
    for row in list_missing(roster.week.unmet, "day"):
        if row.urn in roster.schools_by_urn and row.date is not None:
            number = roster.schools_by_urn[row.urn].number
            without[roster.week.days.index(row.date)].append(number)
    return [", ".join(map(str, sorted(numbers))) for numbers in without] if any(without) else []


def _build_school_rows(roster: Roster) -> list[dict[str, Any]]:
    """Patrols and minutes of each school that has a patrol, and its officers."""
    officers = roster.week.plan.area.officers
    leading = officers[~officers["officer"].isin(roster.staff)]
    names = map(roster.print_officer, leading["officer"])
    own = list(zip(names, map(set, leading["school_urns"]), strict=True))
    minutes: dict[str, float] = {}
    for stay in roster.week.stays:
        if stay.stop is not None:
            minutes[stay.duty.urn] = minutes.get(stay.duty.urn, 0.0) + stay.minutes
    return [
        {
            "number": str(school.number),
            "name": format_school_name(school.name),
            "officers": list_first([name for name, urns in own if school.urn in urns]),
            "patrols": str(len(duties)),
            "minutes": f"{minutes.get(school.urn, 0.0):.0f}",
        }
        for school in roster.schools
        if (duties := roster.select_duties(urn=school.urn))
    ]


def _build_officer_row(roster: Roster, officer: RosterOfficer) -> dict[str, Any]:
    """An officer's patrols and appointments by day, and number of patrols out of the maximum."""
    area = roster.week.plan.area
    limits = dict(zip(area.officers["officer"], area.officers["max_patrols_per_week"], strict=True))
    count, most = len(roster.select_duties(officer.name)), limits.get(officer.name)
    cells = []
    for day in roster.week.days:
        own = roster.officer_days.get((officer.name, day), ())
        items = [one for one in own if one.kind != "way"]
        none = "\N{EN DASH}" if roster.find_hours(officer.name, day) else "off duty"
        none = "absent" if day in roster.week.absent.get(officer.name, ()) else none
        lines = [_describe_officer_item(roster, officer.name, one) for one in items]
        cells.append({"lines": lines, "none": none})
    return {
        "name": "Staff" if officer.name in roster.staff else roster.print_officer(officer.name),
        "cells": cells,
        "count": str(count) if most is None else f"{count} of {most}",
    }


def _describe_officer_item(roster: Roster, name: str, item: DayItem) -> dict[str, str]:
    row = {"time": format_item_times(item), "kind": item.kind}
    if item.appointment is not None:
        return row | {"what": describe_appointment(roster, item.appointment)}
    if item.duty is None:
        return row | {"what": ""}
    number = roster.schools_by_urn[item.duty.urn].number
    company = roster.describe_company(name, item.duty)
    words = [f"no. {number}", *(word[:1].lower() + word[1:] for word in company)]
    return row | {"what": ", ".join(words).replace(STAFF_WORDS, "staff")}


def describe_hand(roster: Roster) -> list[str]:
    """What was fixed, excluded and changed by hand, and who was absent."""
    week = roster.week
    rules = (("Set", week.locks), ("Ruled out", week.bans))
    lines = [f"{what}: {_describe_rule(roster, one)}." for what, own in rules for one in own]
    for name, days in sorted(week.absent.items()):
        when = join_words([format_day(day) for day in sorted(days)])
        lines.append(f"Absent: {roster.print_officer(name)} on {when}.")
    earlier = len(week.history) - MAX_CHANGES
    if earlier > 0:
        lines.append(f"Earlier changes by hand, not listed: {earlier}.")
    lines += [f"{row.when}: {row.what}." for row in week.history[-MAX_CHANGES:]]
    return lines


def _describe_rule(roster: Roster, rule: Lock | Ban) -> str:
    who = "everybody" if rule.officer is None else roster.print_officer(rule.officer)
    where = "all schools" if rule.urn is None else _name_school(roster, rule.urn)
    when = "all week" if rule.date is None else f"on {format_day(rule.date)}"
    window = "" if rule.window is None else f", {wording.describe_window(rule.window)}"
    route = "" if rule.variant is None else f", {wording.format_route_name(rule.variant)}"
    return f"{who} at {where} {when}{window}{route}"


def _name_school(roster: Roster, urn: str) -> str:
    school = roster.schools_by_urn.get(urn)
    return format_school_name(f"URN {urn}" if school is None else school.name)
