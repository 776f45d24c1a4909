"""The figures of docs/how-sure.md as text: every sentence with a figure is made from the JSON.

Each function returns the lines between two markers of the page. All figures on the page are in the
JSON. Verdicts follow the figures: if an interval contains the value of no difference, the sentence
says that none is shown.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Figures = dict[str, Any]
Row = dict[str, Any]

BLOCK = re.compile(
    r"(<!-- figures: (?P<name>[a-z-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL
)
ALL = "all"
FIVE_PERCENT = 0.05
TENTH = 0.1
PLACEBO_BOUND = 0.08
EXPONENT_BOUNDS = (0.3, 0.6)
CALIBRATION_BOUNDS = (0.9, 1.1)
EVEN_BOUND = 0.1
TREND_BOUND = 0.06
COVERED_BOUND = 0.93


def render_page(text: str, figures: Figures) -> str:
    """The page with all its blocks made from the figures; other text is unchanged."""

    def replace(found: re.Match[str]) -> str:
        lines = BLOCKS[found["name"]](figures)
        return found[1] + "".join(f"{line}\n" for line in ["", *lines, ""] if lines) + found[3]

    return BLOCK.sub(replace, text)


def format_row(cells: Iterable[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def format_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [format_row(headings), format_row(["---"] * len(headings)), *map(format_row, rows)]


def format_range(row: Row, low: str = "low", high: str = "high", form: str = ".2f") -> str:
    """The ends of an interval."""
    return f"{row[low]:{form}} to {row[high]:{form}}"


def lies_beyond(row: Row, value: float, low: str = "low", high: str = "high") -> int:
    """1 if the whole interval is above a value, -1 if below, 0 if it contains the value."""
    return int(row[low] > value) - int(row[high] < value)


def select_rows(rows: Iterable[Row], **wanted: object) -> list[Row]:
    """Rows that have all the given values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def wrap(text: str) -> str:
    """A paragraph or list item, wrapped at 100 letters; "5 %" is not split."""
    indent = "  " if text.startswith("- ") else ""
    joined = text.replace(" %", "\0%")
    return textwrap.fill(joined, 100, subsequent_indent=indent).replace("\0%", " %")


def say_percent(share: float) -> str:
    """A share in percent, with few digits."""
    return f"{100 * share:.0f} %"


def say_change(change: float, beyond: int) -> str:
    """How much more or less, and whether it is significant."""
    amount = f"{say_percent(abs(change))} {'less' if change < 0 else 'more'}"
    return amount if beyond else f"{amount} (which may be chance)"


def render_short(figures: Figures) -> list[str]:
    """Sentences for officers and team leads."""
    items: list[str] = []
    if "after_school" in figures:
        items += _tell_after_school(figures["after_school"])
    if "pupils_met" in figures:
        items += [_tell_pupils(row) for row in figures["pupils_met"]]
    if "backtest" in figures:
        items += _tell_months(figures["backtest"])
    if "patrols" in figures:
        items += _tell_patrols(figures["patrols"])
    return [wrap(item) for item in items]


def _tell_after_school(found: Row) -> list[str]:
    exponent, patrols = found["exponent"]["violence"], found["patrols"]
    twice = {key: 2.0**value for key, value in exponent.items()}
    more = {1: "more", 0: "no clear difference in", -1: "less"}[lies_beyond(exponent, 0)]
    without, evening = (2.0 ** row["estimate"] for row in found["placebos"])
    shown = any(lies_beyond(row, 0) for row in found["placebos"])
    check = "so something else is at work too" if shown else "so it is not the kind of place"
    gain = {
        1: "Patrols that know the hour and where pupils are cover more harm.",
        0: "It is not shown that patrols gain by knowing the hour and where pupils are.",
        -1: "Patrols that know the hour and where pupils are cover less harm.",
    }[lies_beyond(patrols, 1)]
    before, after = patrols["variants"][0]["violent_incidents"]
    return [
        (
            f"- **Where pupils are after the bell, there is {more} violence.** In Chicago, where "
            "the minute of each crime is known, of two places with the same record the one with "
            f"twice the pupils had {twice['estimate']:.2f} times the street violence on school "
            f"days from 14:45 to 16:45 (95 % interval {twice['low']:.2f} to {twice['high']:.2f}). "
            f"At the same hours of weekdays without school it had {without:.2f} times, and on "
            f"school days from 20:00 to 22:00 {evening:.2f} times: {check}."
        ),
        (
            f"- **{gain}** From the same gates and in the same time they covered "
            f"{patrols['harm_ratio']:.2f} times ({format_range(patrols)}) the harm of patrols to "
            f"the places with most crime in the whole day: {after:.0f} violent crimes instead of "
            f"{before:.0f} within a quarter of an hour of a stop. A patrol that is there does not "
            "prevent all of them; how many, nobody has measured here."
        ),
        f"- **Robbery follows pupils less, if at all.** {_compare_robbery(found)}",
    ]


def find_exposure(found: Row, category: str) -> Row:
    """The row of a category at 5 %, ranked by count times the program's power of exposure."""
    rows = select_rows(found["pai"], category=category, coverage=FIVE_PERCENT)
    return next(row for row in rows if row["model"].startswith("count x exposure"))


def _compare_robbery(found: Row) -> str:
    rows = [find_exposure(found, category) for category in ("violence", "robbery")]
    violence, robbery = (
        say_change(row["difference"] / (row["pai"] - row["difference"]), lies_beyond(row, 0))
        for row in rows
    )
    return (
        "Chosen by pupils as well as by past crime, the first 5 % of places held "
        f"{violence} of later street violence than chosen by past crime alone, and {robbery} of "
        "robbery."
    )


def _tell_months(found: Row) -> list[str]:
    everything = _find(found, ALL, TENTH)
    scored = [row for row in _list_scored(found) if row["category"] != ALL]
    better = [row for row in scored if lies_beyond(row, 0, "log_score_low", "log_score_high") > 0]
    rare = (
        "It predicted better where crime came than a smoothed count of last year did in "
        f"{len(better)} of {len(scored)} kinds of crime."
    )
    for row in select_rows(scored, category="Robbery"):
        change = say_change(
            row["ratio"] - 1, lies_beyond(row, 0, "difference_low", "difference_high")
        )
        rare += (
            f" For robbery the first 5 % of street held {change} than with last year's count; all "
            f"that any model could gain is about {say_percent(row['reference_ratio'] - 1)}."
        )
    return [
        (
            "- **Crime repeats itself in the same few streets.** In the London area measured "
            f"below, a tenth of the street length held {say_percent(everything['hit_rate'])} of "
            "the next month's crime, weighted by harm. A plain count of last year's crime finds "
            f"most of those streets: the model's tenth held {everything['ratio']:.2f} times as "
            "much as the count's."
        ),
        f"- **Where crime is serious and rare, a model gains something.** {rare}",
    ]


def _tell_pupils(found: Row) -> str:
    pupils, harm = found["ratio"]["pupils"], found["ratio"]["harm"]
    head = {
        1: "Patrols planned with the way home meet more pupils",
        0: "It is not shown that patrols planned with the way home meet more pupils",
        -1: "Patrols planned with the way home meet fewer pupils",
    }[lies_beyond(pupils, 1)]
    return (
        f"- **{head}** in {found['area']}: {pupils['estimate']:.1f} times as many beyond the gate "
        f"({format_range(pupils, form='.1f')}), with {harm['estimate']:.2f} times the harm of "
        f"those hours ({format_range(harm)}). Where pupils walk is modelled."
    )


def _list_scored(found: Row) -> list[Row]:
    """One row of the chosen model for each category, and one for all."""
    return select_rows(found["chosen"], coverage=FIVE_PERCENT)


def _tell_patrols(found: Row) -> list[str]:
    greedy, loop = found["rows"][0], found["rows"][-1]
    places = format_range(greedy, "places_low", "places_high")
    head = {
        1: "The best patrol covers more than a sensible one made in a hurry.",
        0: "The best patrol covers as much as a sensible one made in a hurry, or hardly more.",
        -1: "The best patrol covered less than a sensible one made in a hurry.",
    }[lies_beyond(greedy, 1)]
    return [
        (
            f"- **{head}** Always going on to the place that gives most for the minutes is nearly "
            f"as good: ours covered {greedy['harm_per_officer_hour_ratio']:.2f} times its harm "
            f"({format_range(greedy)}; at other schools {places}). The right places at the right "
            "hour seem to matter more than the best order. A walk round the school, which nobody "
            f"would plan, covers far less: ours covered {loop['harm_per_officer_hour_ratio']:.0f} "
            "times its harm, and that says little."
        )
    ]


def _find(found: Row, category: str, coverage: float) -> Row:
    rows = select_rows(found["chosen"], category=category, coverage=coverage)
    if len(rows) != 1:
        message = f"how-sure.json has {len(rows)} chosen rows of {category} at {coverage:.0%}"
        raise ValueError(message)
    return rows[0]


def render_claims(figures: Figures) -> list[str]:
    """Each claim, what would disprove it, and whether it is currently true."""
    rows: list[tuple[str, str, str, str]] = []
    if "after_school" in figures:
        rows += _list_after_school_claims(figures["after_school"])
    if "backtest" in figures:
        rows += _list_month_claims(figures["backtest"])
    if "pupils_met" in figures:
        rows += [_claim_pupils(row) for row in figures["pupils_met"]]
    if "worlds" in figures:
        rows += _list_world_claims(figures["worlds"])
    if not rows:
        return []
    return [*format_table(("we say", "it is wrong if", "measured", "today"), rows)]


def _judge(holds: bool) -> str:  # noqa: FBT001 - a verdict
    return "holds" if holds else "**does not hold**"


def _list_after_school_claims(found: Row) -> list[tuple[str, str, str, str]]:
    exponent, placebos = found["exponent"]["violence"], found["placebos"]
    low, high = EXPONENT_BOUNDS
    worst = max(placebos, key=lambda row: abs(row["estimate"]))
    violence, patrols = find_exposure(found, "violence"), found["patrols"]
    return [
        (
            "violence after school grows with the power 0.5 of pupils present",
            f"the power is outside {low} to {high} in another city",
            f"{exponent['estimate']:.2f} ({format_range(exponent)})",
            _judge(low <= exponent["estimate"] <= high),
        ),
        (
            "it is the pupils, not the kind of place",
            f"the power without pupils is beyond ± {PLACEBO_BOUND}",
            f"{worst['estimate']:+.2f} ({format_range(worst)}), the worse of two",
            _judge(abs(worst["estimate"]) <= PLACEBO_BOUND),
        ),
        (
            "pupils' presence makes the choice of places better",
            "at 5 % of places PAI is not above that of the count",
            f"{violence['difference']:+.2f} ({format_range(violence, form='+.2f')})",
            _judge(lies_beyond(violence, 0) > 0),
        ),
        (
            "patrols that know the hour and the pupils cover more harm",
            "the lower end of the ratio is 1 or less",
            f"{patrols['harm_ratio']:.2f} ({format_range(patrols)})",
            _judge(lies_beyond(patrols, 1) > 0),
        ),
    ]


def _list_month_claims(found: Row) -> list[tuple[str, str, str, str]]:
    chosen = _list_scored(found)
    least = min(chosen, key=lambda row: row["log_score_gain"])
    below = [
        row
        for row in found["chosen"]
        if lies_beyond(row, 0, "difference_low", "difference_high") < 0
    ]
    tenths = _find(found, ALL, FIVE_PERCENT)["observed_over_expected"]
    low, high = CALIBRATION_BOUNDS
    return [
        (
            "the model predicts every category better than a smoothed count of last year",
            "the gain in log score of any is 0 or less",
            (
                f"least for {_lower(least['category'])}: {least['log_score_gain']:+.3f} bits "
                f"({format_range(least, 'log_score_low', 'log_score_high', '+.3f')})"
            ),
            _judge(
                all(lies_beyond(row, 0, "log_score_low", "log_score_high") > 0 for row in chosen)
            ),
        ),
        (
            "it never captures less than last year's count",
            "an interval of the difference in PAI lies below 0",
            f"{len(below)} of {len(found['chosen'])} intervals; chance puts one in 40 there",
            _judge(not below),
        ),
        (
            "where it expects a tenth of all crime, a tenth comes",
            f"recorded over expected is outside {low} to {high} in any tenth",
            f"{min(tenths):.2f} to {max(tenths):.2f}",
            _judge(low <= min(tenths) and max(tenths) <= high),
        ),
    ]


def _claim_pupils(found: Row) -> tuple[str, str, str, str]:
    pupils = found["ratio"]["pupils"]
    return (
        f"patrols planned with the way home meet more pupils ({found['area']})",
        "the lower end of the ratio is 1 or less",
        f"{pupils['estimate']:.2f} ({format_range(pupils)})",
        _judge(lies_beyond(pupils, 1) > 0),
    )


def _list_world_claims(found: Row) -> list[tuple[str, str, str, str]]:
    even = [
        (row["area"], share["share"]) for row in found["areas"] for share in row["even"].values()
    ]
    announced = [(row["area"], _get_any_trend(row)["share"]) for row in found["areas"]]
    covered = [(f"{row['months']} months", row["share"]) for row in found["intervals"]]
    return [
        (
            "where crime is even, no street stands out",
            "more than one in ten even worlds has a hotspot that stands out",
            _format_worst(even, max),
            _judge(max(share for _, share in even) <= EVEN_BOUND),
        ),
        (
            "a trend is announced where crime changed",
            "any is announced in more than 6 % of shuffles, where months only change places",
            _format_worst(announced, max),
            _judge(max(share for _, share in announced) <= TREND_BOUND),
        ),
        (
            "95 % intervals over months hold the truth",
            "fewer than 93 % do in simulated worlds",
            _format_worst(covered, min),
            _judge(min(share for _, share in covered) >= COVERED_BOUND),
        ),
    ]


def _format_worst(shares: list[tuple[str, float]], worst: Callable[..., tuple[str, float]]) -> str:
    name, share = worst(shares, key=lambda one: one[1])
    return f"{100 * share:.1f} % ({name}, the worst of {len(shares)})"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def render_after_school(figures: Figures) -> list[str]:
    """Exponent, placebos, PAI and patrols of the city with minutes."""
    if "after_school" not in figures:
        return []
    found = figures["after_school"]
    about = found["about"]
    rows = [("violence after school", found["exponent"]["violence"])]
    rows += [(f"check: violence, {row['name']}", row) for row in found["placebos"]]
    powers = [(name, f"{row['estimate']:.2f}", format_range(row)) for name, row in rows]
    ranks = []
    for row in found["pai"]:
        first = row["difference"] == row["low"] == row["high"] == 0
        gain = ("", "", "")
        if not first:
            gain = (
                f"{row['difference']:+.2f}",
                format_range(row, form="+.2f"),
                format_range(row, "places_low", "places_high", "+.2f"),
            )
        name = f"{row['category']} ({row['n_events']:,})"
        ranks.append((name, f"{row['coverage']:.0%}", row["model"], f"{row['pai']:.2f}", *gain))
    patrols = [
        (
            row["name"],
            f"{row['harm_ratio']:.2f}",
            format_range(row),
            "{:.0f} → {:.0f}".format(*row["violent_incidents"]),
        )
        for row in found["patrols"]["variants"]
    ]
    return [
        wrap(
            f"{about['cells']:,} places of 150 by 150 m within 1,500 m of {about['gates']} high "
            f"schools; {about['violent']:,} violent crimes on streets in those hours of the years "
            f"tested. Learned from {about['learned'][0]} to {about['learned'][1]}, tested from "
            f"{about['tested'][0]} to {about['tested'][1]} (the last day is not in it)."
        ),
        "",
        *format_table(("power of the pupils present", "estimate", "95 % interval"), powers),
        "",
        *format_table(
            (
                "crime",
                "places",
                "ranked by",
                "PAI",
                "difference",
                "95 %, other months",
                "95 %, other places",
            ),
            ranks,
        ),
        "",
        *format_table(
            (
                "patrols that know",
                "times the harm of today's risk",
                "95 % interval",
                "violent crimes",
            ),
            patrols,
        ),
    ]


def render_months(figures: Figures) -> list[str]:
    """The back-test over months: the chosen model, its calibration, every model, its weights."""
    if "backtest" not in figures:
        return []
    found = figures["backtest"]
    chosen = [
        (
            f"{row['category']} ({row['n_events']:,.0f})",
            f"{row['coverage']:.0%}",
            f"{row['pai']:.2f}",
            f"{row['ratio']:.3f}",
            (
                f"{row['difference']:+.2f} "
                f"({format_range(row, 'difference_low', 'difference_high', '+.2f')})"
            ),
            f"{row['reference']:.2f} ({format_range(row, 'reference_low', 'reference_high')})",
            f"{row['reference_ratio']:.2f}",
            f"{row['pei']:.2f}",
            f"{row['rri']:.2f}",
        )
        for row in found["chosen"]
    ]
    scored = _list_scored(found)
    scores = [
        (
            row["category"],
            f"{row['log_score_gain']:+.3f}",
            format_range(row, "log_score_low", "log_score_high", "+.3f"),
            " ".join(f"{ratio:.2f}" for ratio in row["observed_over_expected"]),
        )
        for row in scored
    ]
    categories = list(found["ratios"][0]["ratios"])
    models = [
        (row["model"], *(f"{row['ratios'][name]:.2f}" for name in categories))
        for row in found["ratios"]
    ]
    weights = [
        f"- {row['category']}: "
        + ", ".join(
            f"{model} {weight:.0%}"
            for model, weight in sorted(row["weights"].items(), key=lambda item: -item[1])
            if weight >= 0.005  # noqa: PLR2004 - what is not 0 % when printed
        )
        for row in found["weights"]
    ]
    return [
        wrap(
            f"{found['area']}: {found['incidents']:,} incidents on {found['street_km']:,.1f} km of "
            f"street, {found['catchments']:,} catchments. {found['months']} months scored, "
            f"{found['first']} to {found['last']}, each from the months before it alone. In "
            "brackets the number of incidents."
        ),
        "",
        "![Crime captured by street length](how-sure.svg)",
        "",
        "### The chosen model",
        "",
        *format_table(
            (
                "crime",
                "streets",
                "PAI",
                "times prior count",
                "difference (95 % interval)",
                "if true rates were known (95 % of chance)",
                "times prior count, at best",
                "PEI",
                "RRI",
            ),
            chosen,
        ),
        "",
        "### Log score and calibration",
        "",
        *format_table(
            (
                "crime",
                "gain over the smoothed prior count, bits an incident",
                "95 % interval",
                "recorded over expected, by tenths of expected crime, least to most",
            ),
            scores,
        ),
        "",
        "### Every model at 5 % of the street length, as a multiple of prior counts",
        "",
        *format_table(("model", *categories), models),
        "",
        "### How the stack weighs the models for the month to come",
        "",
        *weights,
    ]


def render_patrols(figures: Figures) -> list[str]:
    """What patrols met in hold-out months, compared with baselines."""
    if "patrols" not in figures:
        return []
    found = figures["patrols"]
    rows = [
        (
            row["against"],
            f"{row['harm_per_officer_hour_ratio']:.2f}",
            format_range(row),
            format_range(row, "places_low", "places_high"),
        )
        for row in found["rows"]
    ]
    return [
        wrap(
            f"{found['schools']} schools, the same months, window, dwell and presence at the gate; "
            "recorded crime as the only voice. An interval that contains 1 shows no difference "
            "between the two. By the risk before those months, the patrols were worth "
            f"{found['planned_worth_ratio']:.3f} times the greedy ones by worth per minute: that "
            "is all that could be gained on them, if the risk was right."
        ),
        "",
        *format_table(
            (
                "against",
                "times the harm an officer-hour",
                "95 %, other months",
                "95 %, other months and schools",
            ),
            rows,
        ),
    ]


def render_worlds(figures: Figures) -> list[str]:
    """Hotspots, trends and intervals in simulated worlds with known truth."""
    if "worlds" not in figures:
        return []
    found = figures["worlds"]
    rows = [
        (f"{area['area']}: even worlds with a hotspot, model {model}", share, "at most 10 %")
        for area in found["areas"]
        for model, share in area["even"].items()
    ]
    rows += [
        (f"{area['area']}: shuffles with any trend", _get_any_trend(area), "at most 6 %")
        for area in found["areas"]
    ]
    rows += [
        (f"intervals of {row['months']} months that hold the truth", row, "at least 93 %")
        for row in found["intervals"]
    ]
    cells = [
        (name, say_percent(share["share"]), _format_shares(share), f"{share['of']}", wanted)
        for name, share, wanted in rows
    ]
    announced = ", ".join(
        f"{area['area']} {say_percent(area['trends']['share of stretches announced'])}"
        for area in found["areas"]
    )
    return [
        "## Worlds whose truth is known",
        "",
        wrap(
            "A stretch chosen because it has much crime must not be tested on that crime as if "
            "chosen by lot. So the real streets get worlds without any hotspot: as many crimes, "
            "dealt out by length of street alone. In other worlds the last eighteen months change "
            "places, each with all its crime, so that most trends are false; and in others months "
            "are drawn from known rates, so that one sees how often an interval holds the truth."
        ),
        "",
        *format_table(("of the worlds", "share", "95 % interval", "worlds", "wanted"), cells),
        "",
        wrap(
            f"Share of stretches of which a trend is announced in the shuffles: {announced}. Where "
            "the crime of a stretch is doubled for half a year, that is announced of "
            f"{_format_doublings(found['areas'])}, by incidents in 18 months."
        ),
    ]


def _format_doublings(areas: list[Row]) -> str:
    return "; ".join(
        f"{area['area']}: "
        + ", ".join(
            f"{say_percent(share['share'])} ({_format_shares(share)}) with {name}"
            for name, share in area["trends"]["doublings found, by incidents in 18 months"].items()
        )
        for area in areas
    )


def _get_any_trend(area: Row) -> Row:
    found: Row = area["trends"]["shuffles with any trend"]
    return found


def _format_shares(row: Row) -> str:
    return f"{say_percent(row['low'])} to {say_percent(row['high'])}"


def render_pupils_met(figures: Figures) -> list[str]:
    """Pupils and harm met by patrols that are planned with the way home, and without."""
    if "pupils_met" not in figures:
        return []
    names = {
        "pupils": "pupils met beyond 100 m of the gate",
        "harm": "harm recorded or feared, by the hours of the way home",
        "harm_flat": "the same, all hours alike",
    }
    rows = [
        (
            row["area"],
            words,
            f"{row['ratio'][key]['estimate']:.2f}",
            format_range(row["ratio"][key]),
        )
        for row in figures["pupils_met"]
        for key, words in names.items()
        if row["ratio"][key]["estimate"] is not None and row["ratio"][key]["high"] is not None
    ]
    soho = [row for row in figures["pupils_met"] if row["stops"]["way_home"]["in_box"] is not None]
    return [
        "## Are patrols where pupils are?",
        "",
        wrap(
            "Patrols planned with the way home (hours, pupils, bands of reports, five minutes at "
            "the gate at least) against patrols planned without (ten). Where pupils walk is "
            "modelled, in both, so this says that plans follow the model, not that the model is "
            "right. The interval is of other schools."
        ),
        "",
        *format_table(("area", "times as much as without", "ratio", "95 % interval"), rows),
        *(
            line
            for row in soho
            for line in (
                "",
                wrap(
                    f"{row['area']}: {row['stops']['way_home']['in_box']} of "
                    f"{row['stops']['way_home']['stops']} stops are in Soho, and "
                    f"{row['stops']['today']['in_box']} of {row['stops']['today']['stops']} "
                    "without the way home."
                ),
            )
        ),
    ]


BLOCKS: dict[str, Callable[[Figures], list[str]]] = {
    "in-short": render_short,
    "claims": render_claims,
    "after-school": render_after_school,
    "months": render_months,
    "patrols": render_patrols,
    "worlds": render_worlds,
    "pupils-met": render_pupils_met,
}
"""Functions for the text between the markers of each name."""
