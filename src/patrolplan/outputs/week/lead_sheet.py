"""`lead.pdf`: what a team's lead is responsible for: draw, demands, fairness and officers' days.

It lists unmet demands with reasons, and changes by hand. It is not for the wall, since it has
officers' appointments, which colleagues need not see.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.notes import list_texts
from patrolplan.outputs.cartography.fonts import (
    list_unprintable_notes,
    make_printable,
    typeset_template,
)
from patrolplan.outputs.facts import find_marking
from patrolplan.outputs.reason_words import DAY_WORDS
from patrolplan.outputs.week.roster import (
    DEMANDS,
    Roster,
    RosterOfficer,
    describe_appointment,
    format_item_times,
    format_school_name,
    format_week,
)
from patrolplan.outputs.wording import (
    compute_plan_id,
    describe_further_window,
    describe_window,
    format_data_months,
    format_route_name,
    list_attributions,
)
from patrolplan.patrols.demands import WATCH_METRES
from patrolplan.patrols.designated import format_place_hours, get_place
from patrolplan.team.routes import list_patrols
from patrolplan.team.week import Week, format_day
from patrolplan.team.week_records import Ban, DemandOutcome, Foreseen, Lock
from patrolplan.team.where_when import DayItem, group_stays, list_stays
from patrolplan.text import (
    MAX_NAMED,
    capitalise,
    format_count,
    format_percent,
    join_words,
    list_first,
)

MAX_CHANGES = 12
"""Maximum number of changes by hand that are listed, the latest ones."""
HEAVIEST = 20
"""Number of priority streets, those with most risk, that should not be without a visit."""
ELSEWHERE = ("drawn_without_secret", "over_daily_maximum", "crew_short")
"""Notes that are elsewhere on the sheet."""


def render_lead_sheet(roster: Roster) -> bytes:
    """Typeset the lead's sheet: a tagged PDF; equal weeks give equal bytes."""
    return typeset_template(__package__, "lead.typ", build_lead_data(roster))


def build_lead_data(roster: Roster) -> dict[str, Any]:
    """Texts of the sheet, for the template."""
    week = roster.week
    area, watch = week.plan.area, f"{WATCH_METRES:g}"
    data: dict[str, Any] = {
        "title": f"Lead's sheet: {make_printable(area.name)}, {format_week(week)}",
        "area": make_printable(area.name),
        "week": format_week(week),
        "id": compute_plan_id(week.plan),
        "marking": make_printable(find_marking(area, (duty.patrol for duty in week.duties))),
        "days": [{"name": f"{day:%a}", "date": f"{day.day} {day:%b}"} for day in week.days],
        "draw": [*_describe_draw(week), *_describe_foreseen(week.foreseen)],
        "commitment": _group_letters(week.draw.commitment if week.draw else ""),
        "demands": [
            {"title": words.lead.format(watch=watch), "rows": rows}
            for kind, words in DEMANDS.items()
            if (rows := _build_demand_rows(roster, kind))
        ],
        "watch_metres": watch,
        "unmet": [make_printable(line) for line in describe_unmet(roster)],
        "schools": _build_school_rows(roster),
        "doses": [make_printable(line) for line in _describe_doses(week)],
        "officers": [_build_officer_row(roster, officer) for officer in roster.officers],
        "by_hand": [make_printable(line) for line in describe_hand(roster)],
        "notes": [
            make_printable(line)
            for line in list_texts(note for note in week.notes if note.key not in ELSEWHERE)
        ],
        "basis": [f"{format_data_months(week.plan.risk)}.", " ".join(list_attributions(week.plan))],
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def _describe_draw(week: Week) -> list[str]:
    """How the week was drawn, in plain sentences."""
    draw = week.draw
    if draw is None:
        return ["This week was not drawn: it was made by an earlier version, or by hand."]
    give = format_percent(draw.give, 1 if 100 * draw.give % 1 else 0)
    bounds = (
        f"One week was drawn of all that keep the rules and are at most {give} less good."
        if draw.give > 0
        else "The settings let the draw give nothing up: the best week stands, and only the order "
        "of stops and the minutes were drawn."
    )
    lost = 1 - week.worth / draw.best_worth if draw.best_worth > 0 else 0.0
    worth = "It is as good as the best week that was found."
    if round(100 * lost, 1) > 0:
        changed = ", with what was changed since" if week.history or week.absent else ""
        percent = format_percent(lost, 1)
        worth = f"It is {percent} less good than the best week that was found{changed}."
    again = " of the week, which was drawn more than once" if draw.number > 1 else ""
    secret = (
        f"This is draw number {draw.number}{again}. Write down the commitment below: with the "
        "team's secret, `patrolplan week --audit` shows that nobody chose this week."
        if draw.commitment
        else "There was no secret, so the seed of the settings drew the week: anyone with the same "
        "data and settings can draw it again."
    )
    return [bounds, worth, secret]


def _describe_foreseen(foreseen: Foreseen | None) -> list[str]:
    """How much of the week insiders could predict, and how much of that is due to locks."""
    if foreseen is None:
        return []
    alone, locked = (format_percent(x) for x in (foreseen.hotspot_quarter, foreseen.with_locks))
    by_hand = "" if locked == alone else f"; with what was set by hand, of {locked}"
    sentence = (
        "Somebody who has this tool and its data, but not the secret, could name in advance the "
        f"place, the day and the quarter of an hour of {alone} of the visits{by_hand}."
    )
    return [sentence]


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
            "cells": [_build_demand_cell(roster, demands, day) for day in roster.week.days],
            "met": _describe_met(roster, demands),
        }
        for place, demands in places.items()
    ]


def _describe_demanded(roster: Roster, place: str) -> str:
    """Where a demanded place is; for one that the force designates also the force's name."""
    area = roster.week.plan.area
    row = get_place(area, place)
    words = capitalise(roster.find_place_words(place))
    if row is None:
        return words
    days = [DAY_WORDS[day] for day in row["days"] if len(row["days"]) < len(ALL_DAYS)]
    hours = format_place_hours(row).replace("-", " to ")
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


def _build_demand_cell(
    roster: Roster, demands: Sequence[DemandOutcome], day: dt.date
) -> dict[str, Any]:
    mine = [demand for demand in demands if demand.date in {None, day}]
    lines = [
        f"{visitor.arrive} {roster.print_officer(visitor.officer)}"
        for demand in mine
        for visitor in demand.met_by
        if visitor.date == day
    ]
    is_unmet = any(demand.date == day and not demand.is_met for demand in mine)
    return {"lines": lines, "is_unmet": is_unmet}


def describe_unmet(roster: Roster) -> Iterator[str]:
    """Every unmet demand, grouped by reason: place, days and reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for demand in roster.week.demands:
        if not demand.is_met:
            why = "nobody goes there" if demand.why is None else demand.why.tell_lead()
            day = "" if demand.date is None else f"{demand.date:%A}"
            words = roster.find_place_words(demand.place) if demand.kind == "feared" else ""
            reasons.setdefault((capitalise(words) or demand.place, why), []).append(day)
    for (place, why), days in reasons.items():
        when = f", {join_words(days)}" if any(days) else ""
        yield f"{place}{when}: {why}."


def _build_school_rows(roster: Roster) -> list[dict[str, Any]]:
    """Patrols and minutes of each school, and whether that is less than promised."""
    short = {row.urn: f"short: {row.patrols} of {row.least}" for row in roster.week.short}
    minutes: dict[str, float] = {}
    for stay in list_stays(roster.week.duties):
        if stay.stop is not None:
            minutes[stay.duty.urn] = minutes.get(stay.duty.urn, 0.0) + stay.minutes
    return [
        {
            "number": str(school.number),
            "name": format_school_name(school.name),
            "patrols": str(len(roster.select_duties(urn=school.urn))),
            "minutes": f"{minutes.get(school.urn, 0.0):.0f}",
            "short": short.get(school.urn, ""),
        }
        for school in roster.schools
    ]


def _describe_doses(week: Week) -> list[str]:
    """Places above the daily maximum, and heavy ones that no one visits."""
    most = week.plan.area.settings.week.max_dose_minutes_per_day
    over = list_texts(note for note in week.notes if note.key == "over_daily_maximum")
    over = over or [f"No place gets more than {most:g} minutes on a day."]
    visited = group_stays(week.duties)
    table = week.plan.hotspots.sort_values("worth", ascending=False, kind="stable")
    heavy = dict(zip(table["hotspot"][:HEAVIEST], table["place"][:HEAVIEST], strict=True))
    stops = (stop for _, patrol in list_patrols(week.plan) for stop in patrol.stops)
    in_reach = {name for stop in stops for name in stop.covered}.union(visited)
    if away := {name: place for name, place in heavy.items() if name not in in_reach}:
        names = _name_places(away)
        over = [*over, f"For the local team, since no school's patrol stands there: {names}."]
    missed = {name: heavy[name] for name in heavy if name in in_reach and name not in visited}
    count = format_count(len(heavy) - len(away), "priority street")
    if not missed:
        return [*over, f"All of the {count} with most risk near schools are visited."]
    verb = "is" if len(missed) == 1 else "are"
    names = _name_places(missed)
    return [*over, f"Of the {count} with most risk near schools, {names} {verb} not visited."]


def _name_places(places: Mapping[str, str]) -> str:
    """Hotspots with their places, the first few if there are many."""
    names = [f"{name} ({place})" for name, place in places.items()]
    return join_words(names) if len(names) <= MAX_NAMED else list_first(names)


def _build_officer_row(roster: Roster, officer: RosterOfficer) -> dict[str, Any]:
    """An officer's patrols and appointments by day, and number of patrols out of the maximum."""
    area = roster.week.plan.area
    limits = dict(zip(area.officers["officer"], area.officers["max_patrols_per_week"], strict=True))
    count, most = len(roster.select_duties(officer.name)), limits.get(officer.name)
    return {
        "name": "Staff" if officer.name in roster.staff else roster.print_officer(officer.name),
        "cells": [
            {
                "lines": [
                    _describe_officer_item(roster, officer.name, item)
                    for item in roster.officer_days.get((officer.name, day), ())
                    if item.kind != "way"
                ],
                "none": _describe_no_item(roster, officer.name, day),
            }
            for day in roster.week.days
        ],
        "count": str(count) if most is None else f"{count} of {most}",
    }


def _describe_officer_item(roster: Roster, name: str, item: DayItem) -> dict[str, str]:
    row = {"time": format_item_times(item), "kind": item.kind}
    if item.appointment is not None:
        return row | {"what": describe_appointment(roster, item.appointment)}
    if item.duty is None:
        return row | {"what": ""}
    crew = roster.describe_others(name, item.duty)
    words = (
        f"no. {roster.schools_by_urn[item.duty.urn].number}",
        describe_further_window(item.duty.patrol).lower(),
        f"with {crew}" if crew else "",
    )
    return row | {"what": ", ".join(make_printable(word) for word in words if word)}


def _describe_no_item(roster: Roster, name: str, day: dt.date) -> str:
    """Why a day is empty, as far as known from the table."""
    if day in roster.week.absent.get(name, ()):
        return "absent"
    return "\N{EN DASH}" if roster.find_hours(name, day) else "off duty"


def describe_hand(roster: Roster) -> list[str]:
    """What was fixed, excluded and changed by hand, and who was absent."""
    week = roster.week
    lines = [f"Set: {_describe_rule(roster, lock)}." for lock in week.locks]
    lines += [f"Ruled out: {_describe_rule(roster, ban)}." for ban in week.bans]
    for name, days in sorted(week.absent.items()):
        when = join_words([format_day(day) for day in sorted(days)])
        lines.append(f"Absent: {roster.print_officer(name)} on {when}.")
    earlier = len(week.history) - MAX_CHANGES
    if earlier > 0:
        lines.append(f"Earlier changes by hand, not listed: {earlier}.")
    lines += [f"{row.when}: {row.what}." for row in week.history[-MAX_CHANGES:]]
    return lines or ["Nothing was set, ruled out or changed by hand."]


def _describe_rule(roster: Roster, rule: Lock | Ban) -> str:
    who = "everybody" if rule.officer is None else roster.print_officer(rule.officer)
    where = "all schools" if rule.urn is None else _name_school(roster, rule.urn)
    when = "all week" if rule.date is None else f"on {format_day(rule.date)}"
    window = "" if rule.window is None else f", {describe_window(rule.window)}"
    route = "" if rule.variant is None else f", {format_route_name(rule.variant)}"
    return f"{who} at {where} {when}{window}{route}"


def _name_school(roster: Roster, urn: str) -> str:
    school = roster.schools_by_urn.get(urn)
    return format_school_name(f"URN {urn}" if school is None else school.name)


def _group_letters(text: str) -> str:
    """A long code in groups of eight letters, so that it can be compared by eye."""
    return " ".join(text[at : at + 8] for at in range(0, len(text), 8))
