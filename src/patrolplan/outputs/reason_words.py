"""Reasons in words: why a place is a hotspot, how certain that is, why a patrol stops there."""

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from patrolplan.crs import SQUARE_METRES
from patrolplan.hotspots.reasons import (
    CrimeReason,
    DesignatedReason,
    PassingReason,
    ReportsReason,
    TrendReason,
    UnsurePlaceReason,
    WayReason,
    read_reasons,
)
from patrolplan.hotspots.significance import WELL_PLACED_SHARE
from patrolplan.hotspots.trends import CHANGED_TRENDS, RECENT_MONTHS
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.outputs.wording import SNAPPED_PLACES
from patrolplan.pupils.pupils import NOON_MINUTES
from patrolplan.risk.report_voice import TIME_WORDS
from patrolplan.text import capitalise, format_count, join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.hotspots.reasons import Reason
    from patrolplan.patrols.plan import Stop
    from patrolplan.risk.surface import Risk

CATEGORY_WORDS = {
    "Violence and sexual offences": "violence",
    "Anti-social behaviour": "anti-social behaviour",
    "Criminal damage and arson": "criminal damage",
}  # Shorter words for categories; others are as in the data, in lower case

TREND_WORDS = {
    "new": "New in the last six months",
    "rising": "Rising over the last six months",
    "fading": "Fading over the last six months",
}

NEWS_WORDS = {"new": "Newly recorded crime", "rising": "Rising recorded crime"}
"""What is new or rising at a place, before the month since when."""

CRIME = "Recorded crime:"

FACTOR_WORDS = {
    "poor_lighting": "poor lighting",
    "isolated": "an isolated place",
    "overgrown": "overgrown plants",
    "litter_or_damage": "litter or damage",
    "blocked_pavement": "a blocked pavement",
    "groups_loitering": "groups loitering",
    "followed": "being followed",
    "verbal_abuse": "verbal abuse",
    "robbery_or_threat": "robbery or threats",
    "drug_use": "drug use",
    "traffic": "traffic",
}

SHARE_WORDS = (
    *("", "one pupil in twenty", "one pupil in ten", "one pupil in six", "one pupil in five"),
    *("one pupil in four", "three pupils in ten", "one pupil in three", "two pupils in five"),
    *("nine pupils in twenty", "one pupil in two", "eleven pupils in twenty"),
    *("three pupils in five", "two pupils in three", "seven pupils in ten"),
    *("three pupils in four", "four pupils in five", "five pupils in six", "nine pupils in ten"),
)  # Shares of pupils by twentieths; those nearest to a sixth or to thirds are named so

UNSURE_PLACE = "may lie a street or two away"
HARDLY_ANY = (0, 1)  # Numbers of incidents that are too small to print
NO_REASON = "Nothing recorded or reported stands out here: the streets around make it a priority"
PUPILS_ARRIVE, PUPILS_LEAVE = "Be seen as pupils arrive", "Be seen as pupils leave"
DESIGNATED = "Designated by the force for patrols"
DAY_WORDS = dict(zip(ALL_DAYS, calendar.day_name, strict=True))
Detail = Literal["whole", "short"]  # Short: no numbers and no months, to read while walking


class ReasonLine(NamedTuple):
    """A sentence on why to stand at a stop, and the sign at its end."""

    text: str
    is_voice: bool = False  # Whether pupils say so themselves
    is_bold: bool = False  # What matters most: the busiest stretch, or what is new or rising
    end: str = "."


def describe_reason(reason: "Reason", detail: Detail = "whole") -> str:  # noqa: PLR0911 - a kind each
    """One reason in words, without a full stop."""
    match reason:
        case DesignatedReason():
            return _describe_designated(reason)
        case CrimeReason():
            start = CRIME if detail == "whole" else "Crime:"
            return f"{start} {_describe_crime(reason, detail)}"
        case ReportsReason():
            return _describe_reports(reason, detail)
        case TrendReason():
            return TREND_WORDS[reason.trend]
        case UnsurePlaceReason():
            return f"Its middle {UNSURE_PLACE}"
        case WayReason():
            return _describe_way(reason, detail)
        case PassingReason():
            share = describe_share(reason.share).replace(" pupils", "").replace(" pupil", "")
            return f"{capitalise(share)} of your pupils pass here until {reason.until}"
        case _:
            assert_never(reason)


def _describe_designated(reason: DesignatedReason) -> str:
    days = join_words([DAY_WORDS[day] for day in reason.days])
    name = f" ({reason.name})" if reason.name else ""
    parts = (f"hotspot {reason.place_id}{name}", days, reason.hours.replace("-", " to "))
    return f"Designated by the force: {', '.join(filter(None, parts))}"


def _describe_way(reason: WayReason, detail: Detail) -> str:
    way = "to school" if reason.to_school else "home"
    if detail == "short":
        return f"On pupils' way {way}, {reason.start}\N{EN DASH}{reason.end}"
    share = f"{describe_share(reason.share)} of {reason.school}"
    return f"On the way {way} of {share}, {reason.start} to {reason.end}"


def describe_reasons(reasons: "Iterable[Reason] | str") -> list[str]:
    """Reasons in words, in their order; of a stop, or as a table of hotspots has them."""
    read = read_reasons(reasons) if isinstance(reasons, str) else reasons
    return [describe_reason(reason) for reason in read]


def tell_reasons(
    reasons: "Sequence[Reason]",
    detail: Detail = "whole",
    told: "Mapping[Reason, int] | None" = None,
) -> list[ReasonLine]:
    """Reasons as sentences, none a second time; `told` has the earlier stop that has a reason."""
    trends = (one for one in reasons if isinstance(one, TrendReason))
    news = next((one for one in trends if one.trend in CHANGED_TRENDS), None)
    crime = next((one for one in reasons if isinstance(one, CrimeReason)), None)
    lines = []
    for one in reasons:
        text, is_voice = describe_reason(one, detail), isinstance(one, ReportsReason)
        if told and one in told and isinstance(one, ReportsReason | CrimeReason):
            start = "Pupils feel unsafe here," if is_voice else CRIME
            if detail == "whole":
                text = f"{start} as at stop {told[one]}"
            elif is_voice:
                text = text.partition(": ")[0]
        if news and one is crime:
            year, month = map(int, crime.last_month.split("-"))
            year, month = divmod(12 * year + month - RECENT_MONTHS, 12)
            since = f"{NEWS_WORDS[news.trend]} since {dt.date(year, month + 1, 1):%B %Y}"
            lines.append(ReasonLine(since, is_bold=True, end=":"))
            text = text.partition(": ")[2]
        if not (crime and one is news):
            lines.append(ReasonLine(text, is_voice))
    return lines


def tell_busiest_way(way: WayReason, detail: Detail) -> ReasonLine:
    """The way home of the patrol's own school, where most of its pupils pass."""
    direction = "to school" if way.to_school else "home"
    if detail == "short":
        text = f"Busiest way {direction}, {way.start}\N{EN DASH}{way.end}"
    else:
        share = describe_share(way.share)
        text = f"Busiest stretch on the way {direction}, {way.start} to {way.end}: {share}"
    return ReasonLine(text, is_bold=True)


def describe_factor(factor: str) -> str:
    """A factor of pupils' reports, or when they feel unsafe."""
    return (FACTOR_WORDS | TIME_WORDS).get(factor, factor)


def _describe_category(category: str) -> str:
    is_word = category[1:2].islower()  # not "BURGLARY" or "ASB"
    own = category[:1].lower() + category[1:] if is_word else category
    return CATEGORY_WORDS.get(category, own)


def describe_share(share: float) -> str:
    """A share of pupils who go on foot, to the nearest 5 %."""
    twentieths = round(share * 20)
    is_most = twentieths >= len(SHARE_WORDS)
    return "nearly all pupils" if is_most else f"about {SHARE_WORDS[max(twentieths, 1)]}"


def _describe_crime(reason: CrimeReason, detail: Detail) -> str:
    """How much in "12 months to May 2026", or "9 of 12 months held, to May 2026", of what."""
    categories = join_words([_describe_category(name) for name in reason.categories])
    if detail == "short":
        return categories
    months = format_count(reason.months, "month")
    held = months if reason.held is None else f"{reason.held} of {months} held,"
    span = f"{held} to {dt.date.fromisoformat(f'{reason.last_month}-01'):%B %Y}"
    return f"{_describe_amount(reason)} in the {span}, most harm from {categories}"


def _describe_reports(reason: ReportsReason, detail: Detail) -> str:
    """How many pupils reported a place and when, as far as is known and wanted, and why."""
    factors = join_words([describe_factor(name) for name in reason.factors])
    if detail == "short":
        return f"Pupils feel unsafe{f': {factors}' if factors else ''}"
    when = f" {TIME_WORDS[reason.time_band]}" if reason.time_band else ""
    pupils, term = "Pupils", ""
    if reason.reports is not None:
        pupils = f"{reason.reports} to {reason.max_reports or reason.reports} pupils"
        if reason.term is not None:
            term = f" ({'up to ' if reason.earlier else ''}{reason.term} term {reason.year})"
    return f"{pupils} feel unsafe here{when}{term}{f': {factors}' if factors else ''}"


def _describe_amount(reason: CrimeReason) -> str:
    """How much was recorded, and in the hours of the patrol: "9 of about 131 on weekdays, ..."."""
    amount = f"about {reason.incidents}"
    if reason.incidents is None:
        amount = f"fewer than {reason.fewer_than}"
    elif reason.incidents in HARDLY_ANY:
        amount = "hardly any"
    if reason.in_hours is None or amount == "hardly any":
        return f"{amount} at any hour"
    hours = " to ".join(reason.hours.split("-"))
    hours = f"on {reason.days}, {hours}" if reason.days else f"from {hours}"
    number = reason.in_hours or "none"
    if reason.timed is None:
        return f"{number} of {amount} {hours},"
    return f"{amount} ({number} of {reason.timed} with a known time {hours})"


def describe_certainty(area: "StudyArea", risk: "Risk", hotspots: "gpd.GeoDataFrame") -> list[str]:
    """(h,) how certain each hotspot is, in a few words."""
    places = SNAPPED_PLACES if risk.snapped else "places as recorded"
    if area.settings.privacy.threshold_for_crime:
        places = f"placed to within a square of {SQUARE_METRES:.0f} m"
    times = "time of day known" if risk.times_known else "month only, time of day not known"
    lines = []
    for row in hotspots.itertuples():
        # What is new or rising is no chance either: then nothing is said of how much it is.
        chance = [] if row.trend in CHANGED_TRENDS else ["could be chance"]
        chance = ["more than chance would give"] if row.stands_out else chance
        unsure = [UNSURE_PLACE] if row.survived < WELL_PLACED_SHARE else []
        words = [*chance, row.trend, *unsure]
        words = ["based on pupils' reports"] if row.mainly_reports else words
        lines.append("; ".join([*words, places, times]))
    return lines


def describe_want_of_reasons(stop: "Stop") -> str:
    """Why a patrol stops at a place without reasons, without a full stop."""
    if stop.kind == "gate":
        return PUPILS_ARRIVE if stop.arrive_minutes < NOON_MINUTES else PUPILS_LEAVE
    return DESIGNATED if stop.kind == "designated" else NO_REASON
