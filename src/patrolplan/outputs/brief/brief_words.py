"""The sentences of a brief: what is rising, who goes where, what was counted, what is missing."""

import numpy as np

from patrolplan.hotspots.trends import EARLIER_MONTHS, FALSE_DISCOVERY_RATE, RECENT_MONTHS
from patrolplan.notes import list_texts
from patrolplan.outputs.brief.brief import Brief, BriefTasking, ChangedHotspot, ReportGroup
from patrolplan.outputs.brief.crime_counts import ShownCount
from patrolplan.outputs.brief.periods import ComparedPeriods, Period
from patrolplan.outputs.facts import name_member
from patrolplan.outputs.reason_words import tell_reasons
from patrolplan.outputs.wording import (
    SNAPPED_PLACES,
    describe_tasking,
    format_metres,
    list_area_attributions,
)
from patrolplan.privacy import note_crime_grouping, note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.team.week_records import Visitor
from patrolplan.text import format_count, format_percent, join_words, pluralise
from patrolplan.times import format_days

RISING_NOTE = (
    '"Rising" means up by more than chance explains, allowing for how much earlier months vary, '
    "and more than a year before where there is data; about "
    f"{format_percent(FALSE_DISCOVERY_RATE)} of such findings may be chance all the same. Priority "
    f"streets: the last {RECENT_MONTHS} months are compared with the {EARLIER_MONTHS} before."
)
"""The meaning of "rising" and "new"."""


def describe_period(period: Period) -> str:
    """A period in words: "July to September 2026", "10 to 30 September 2026"."""
    first, last = period.start, period.last
    if not period.by_day:
        if period.length == 1:
            return f"{first:%B %Y}"
        return f"{first:%B}{'' if first.year == last.year else f' {first:%Y}'} to {last:%B %Y}"
    return format_days(first, last)


def describe_length(period: Period) -> str:
    """Length of a period in words."""
    return format_count(period.length, "day" if period.by_day else "month")


def summarise_changes(brief: Brief) -> tuple[str, ...]:
    """Sentences on what is rising or new, if anything, and how much of it the week visits."""
    if brief.held is not None:
        crime = _describe_held(brief.held, brief.periods)
    elif brief.rising:
        names = "; ".join(
            f"{one.name} ({one.now.text}, usually {one.usual.text})" for one in brief.rising
        )
        crime = f"Rising, more than chance: {names}."
    else:
        crime = "No category of recorded crime is up by more than chance."
    if 2 * brief.missing_share > 1:
        share = format_percent(brief.missing_share)
        crime = (
            f"For most of the street within the walk ({share}) the data has no crime of this time: "
            f"all that follows is about the rest. {crime}"
        )
    within = f"within a walk of {format_metres(brief.area.settings.patrol.radius_metres)}"
    if not brief.hotspots:
        return crime, f"No priority street {within} is new or rising."
    count = format_count(len(brief.hotspots), "priority street")
    are = pluralise(len(brief.hotspots), "is", "are")
    return crime, f"{count} {within} {are} new or rising.", *_summarise_answers(brief)


def _summarise_answers(brief: Brief) -> tuple[str, ...]:
    """How many new or rising streets the given week visits; empty without one."""
    if not brief.week_days:
        return ()
    met = sum(spot.answer is not None and bool(spot.answer.visits) for spot in brief.hotspots)
    week = f"The week of {_format_week_start(brief)}"
    if len(brief.hotspots) == 1:
        return (f"{week} goes there." if met else f"{week} does not go there.",)
    number = "all" if met == len(brief.hotspots) else (str(met) if met else "none")
    return (f"{week} goes to {number} of them.",)


def _format_week_start(brief: Brief) -> str:
    first = brief.week_days[0]
    return f"{first.day} {first:%B}"


def describe_answer(brief: Brief, place: ChangedHotspot | BriefTasking) -> str:
    """Who visits a place in the given week and when, or why no one does; empty without a week."""
    answer = place.answer
    if answer is None:
        return ""
    if answer.visits:
        by_patrol: dict[str, list[str]] = {}
        for one in answer.visits:
            by_patrol.setdefault(_describe_visitor(brief, one), []).append(
                f"{one.date:%A} {one.arrive}"
            )
        visits = "; ".join(f"{join_words(when)}, {who}" for who, when in by_patrol.items())
        return f"In the week of {_format_week_start(brief)}: {visits}."
    why = "no patrol goes there" if answer.why is None else answer.why.tell_lead()
    return f"Not in the week of {_format_week_start(brief)}: {why}."


def _describe_visitor(brief: Brief, visit: Visitor) -> str:
    """Who comes, and from which school if it is another one."""
    names = dict(zip(brief.area.schools["urn"], brief.area.schools["name"], strict=True))
    school = "" if visit.urn == brief.urn else f" from {names.get(visit.urn, visit.urn)}"
    return f"{name_member(brief.area, visit.officer)}{school}"


def describe_basis(brief: Brief) -> tuple[str, ...]:
    """Lines on what was counted, what is approximate, and the source of the data."""
    radius = format_metres(brief.area.settings.patrol.radius_metres)
    before = describe_length(brief.periods.baseline)
    return (
        (
            f"Counted: recorded crime on streets within a walk of {radius} from the gate. "
            f'"Usual" is what the {before} before had on average in the same length of time.'
        ),
        RISING_NOTE,
        _describe_data_limits(brief),
        " ".join(list_area_attributions(brief.area.name, snapped=brief.area.snapped)),
    )


def _describe_data_limits(brief: Brief) -> str:
    area, last = brief.area, brief.periods.current.last
    notes = [*note_guard(area.settings), *note_low_threshold(area.settings)]
    notes += area.accepted_checks
    if brief.periods.current.by_day:
        sentences = [f"The latest day in the data is {last.day} {last:%B %Y}."]
    else:
        sentences = [f"Only the month of each crime is known; the latest is {last:%B %Y}."]
    if area.settings.privacy.threshold_for_crime:
        notes.insert(0, note_crime_grouping(area.settings.privacy.threshold))
    elif area.snapped:
        sentences.append(
            f"Open data: crimes are {SNAPPED_PLACES}. Each crime is spread over "
            "these, and numbers are rounded."
        )
    if brief.without_day:
        sentences.append(
            "A crime of which only the month is known counts where the whole month counts."
        )
    return " ".join([*sentences, *list_texts(notes)])


def _describe_held(held: tuple[float, float], periods: ComparedPeriods) -> str:
    """How much of the compared periods is missing."""
    now, before = (
        f"{share:.1f}".removesuffix(".0") + f" of {describe_length(period)}"
        for share, period in zip(held, (periods.current, periods.baseline), strict=True)
    )
    return (
        f"Months are missing from the data: {now} of this period and {before} before it are held. "
        "Counts cover only these and are not compared."
    )


def build_reports_title(brief: Brief) -> str:
    """Heading of the groups of reports."""
    return (
        "Pupils' reports of all dates, not only of this period "
        f"(groups of {brief.area.reports.threshold} or more)"
    )


def describe_report_group(group: ReportGroup) -> str:
    """One group of reports in a line."""
    why = f": {', '.join(group.factors[:4])}" if group.factors else ""
    return f"{group.place}, {group.min_reports} to {group.max_reports} reports{why}"


def describe_place(one: ChangedHotspot | BriefTasking) -> str:
    """What is new or rising at a place, or what is tasked there, in a line."""
    if isinstance(one, BriefTasking):
        do = "Go to" if one.must_visit else "Keep away from"
        return f"{do} {one.tasking.place_id}, {one.place}. {describe_tasking(one.tasking)}."
    why = " ".join(f"{line.text}{line.end}" for line in tell_reasons(one.reasons))
    return f"{one.place}, {format_metres(one.walk_metres)} from the gate. {why}".strip()


def describe_total(count: ShownCount) -> str:
    """A number in words; a total that would reveal a suppressed number is not shown."""
    return "not shown" if np.isinf(count.minimum) else count.text
