"""A trial in words: its power, its result, and its limits."""

import math
from typing import Any

from patrolplan.area import StudyArea
from patrolplan.team.impact import BUFFER_METRES, SNAPPED, SQUARES
from patrolplan.team.trial.analysis import LEVEL, Displacement, Effect
from patrolplan.team.trial.delivery import ArmDelivery, Delivery
from patrolplan.team.trial.power import Power
from patrolplan.team.trial.results import TrialResult
from patrolplan.team.trial.trial_file import Trial, count_months
from patrolplan.text import format_count, format_percent

FEW_INCIDENTS = 50
"""If both arms together have fewer, the page warns that they are few."""
PAIR = 2
UNITS = {"days": "day", "weeks": "week"}


def describe_seal(trial: Trial, power: Power) -> list[str]:
    """Lines that are printed when a trial is sealed, one per fact."""
    seal = trial.seal
    expected = sum(hotspot.expected for hotspot in seal.hotspots)
    unit = "month" if seal.counted_by == "months" else "school day"
    return [
        f"Sealed: the trial {trial.title}, {describe_design(trial)}.",
        f"Commitment: {seal.commitment}. Write it down: it shows later that nobody chose the draw.",
        describe_power(power),
        (
            f"Expected without patrols: {expected:.2f} incidents a {unit} in all "
            f"{len(seal.hotspots)} hotspots, from {seal.history_months} months up to "
            f"{seal.data_until}."
        ),
        (
            "Plan each of its weeks with `patrolplan week --trial FILE --from DAY --out DIR`; "
            f"nobody can open the result before crimes up to {trial.end} are known."
        ),
    ]


def describe_design(trial: Trial) -> str:
    """The days of a trial, and how it is randomised.

    Examples
    --------
    >>> import datetime as dt
    >>> trial = Trial(start=dt.date(2027, 1, 4), end=dt.date(2027, 3, 26))
    >>> describe_design(trial)
    'from 2027-01-04 to 2027-03-26, drawn again every day'
    """
    when = "once for the whole trial"
    if trial.randomise in UNITS:
        when = f"again every {UNITS[trial.randomise]}"
    words = f"from {trial.start} to {trial.end}, drawn {when}"
    if trial.sealed is None:
        return words
    size = sum(trial.ratio)
    sets = format_count(trial.sets, "pair")
    if size != PAIR:
        sets = f"{trial.sets} sets of {size}, {trial.ratio[0]} of each with patrols"
    return f"{words}, {sets}, {format_count(len(trial.sealed.days), 'school day')}"


def describe_power(power: Power) -> str:
    """The smallest effect that a trial can show."""
    sentence = (
        f"If patrols prevent {format_percent(power.effect)} of incidents, the trial finds it in "
        f"{format_percent(power.power)} of cases"
    )
    if power.detectable is None:
        return f"{sentence}; no effect is found in {format_percent(power.wanted)} of them."
    return (
        f"{sentence}; the least effect that it finds in {format_percent(power.wanted)} of cases is "
        f"{format_percent(power.detectable)}."
    )


def build_power_document(trial: Trial, power: Power) -> dict[str, Any]:
    """The power of a trial, for other programs."""
    return {
        "trial": trial.title,
        "commitment": trial.seal.commitment,
        "randomise": trial.randomise,
        "days": len(trial.seal.days),
        "hotspots": len(trial.seal.hotspots),
        "sets": trial.sets,
        "effect": power.effect,
        "power": power.power,
        "detectable_effect": power.detectable,
        "needed_periods": power.needed_periods,
        "needed_sets": power.needed_sets,
    }


def describe_result(result: TrialResult, area: StudyArea) -> list[str]:
    """A trial's result, one line per fact, the answer first and the cautions last."""
    return [
        *describe_answer(result.effect),
        describe_displacement(result.displacement),
        *describe_delivery(result.delivery),
        f"The key, open now: {result.key} (commitment {result.trial.seal.commitment}).",
        *list_cautions(result, area),
    ]


def describe_answer(effect: Effect) -> tuple[str, str]:
    """The answer in two sentences: how much, and whether it could be due to chance alone."""
    if math.isnan(effect.factor):
        return (
            "There is no answer: no incident came where there is something to compare it with.",
            "This shows neither that patrols work nor that they do not.",
        )
    answer = f"Where patrols were drawn, {describe_change(effect.factor)} than without"
    if effect.low <= 0 or math.isinf(effect.high):
        span = "the 95 % interval is open on one side"
    else:
        ends = [
            describe_change(end).removesuffix(" incidents") for end in (effect.low, effect.high)
        ]
        span = f"95 % interval: {' to '.join(ends)}"
    first = f"{answer} ({span})."
    how = "all ways of drawing it" if effect.is_exact else f"{effect.draws} other draws"
    chance = f"p = {effect.p_value:.3f}, against {how}"
    if effect.p_value <= LEVEL:
        return first, f"The lot alone would seldom make so much ({chance})."
    return first, (
        f"The lot alone could have made as much ({chance}): this shows neither that patrols work "
        "nor that they do not."
    )


def describe_change(factor: float) -> str:
    """A factor on incidents in words.

    Examples
    --------
    >>> describe_change(0.8), describe_change(1.105), describe_change(1.0)
    ('20 % fewer incidents', '10 % more incidents', 'no fewer incidents')
    """
    percent = round(100 * (factor - 1))
    if percent == 0:
        return "no fewer incidents"
    return f"{abs(percent)} % {'fewer' if percent < 0 else 'more'} incidents"


def describe_displacement(displacement: Displacement | None) -> str:
    """The published measure in a sentence."""
    name = "Weighted displacement difference (Wheeler and Ratcliffe 2018)"
    if displacement is None:
        return f"{name}: not computed, since the crimes of a year before are not all held."
    return (
        f"{name}: {displacement.difference:+.1f} incidents, streets around included (95 % interval "
        f"{displacement.low:+.1f} to {displacement.high:+.1f}); below zero is fewer. Its interval "
        "takes counts for Poisson and is often too narrow: where the two differ, the lot decides."
    )


def describe_delivery(delivery: Delivery | None) -> list[str]:
    """How much was delivered, which may differ from what was drawn."""
    if delivery is None:
        return ["Delivery is not known: there is no ledger of visits."]
    lines = [
        (
            f"Patrols were recorded on {_describe_arm(delivery.treated)} with patrols drawn, and "
            f"on {_describe_arm(delivery.control)} without."
        )
    ]
    if delivery.tasked:
        lines.append(
            f"On {format_count(delivery.tasked, 'hotspot-day')} without patrols intelligence had "
            "tasked a place there."
        )
    if delivery.differing:
        lines.append(
            f"{format_count(delivery.differing, 'hotspot-day')} in the ledger are not as the key "
            "draws them: find out why before anything is read from this page."
        )
    return lines


def _describe_arm(arm: ArmDelivery) -> str:
    return f"{arm.visited} of {arm.days} hotspot-days ({arm.minutes:.0f} min)"


def list_cautions(result: TrialResult, area: StudyArea) -> list[str]:
    """What a reader must know, in plain sentences."""
    trial, effect = result.trial, result.effect
    cautions = [
        (
            "The lot makes both groups alike in the long run, not in every trial: one in twenty "
            "trials of patrols that do nothing looks like a success or a failure."
        ),
        (
            "What is compared is having patrols drawn. Where they did not come, or came where none "
            "were drawn, the difference looks smaller than what a patrol does."
        ),
        "Recorded crime is what was reported; presence can make people report more.",
        f"Crime that moved further than {BUFFER_METRES:.0f} m, or is of another kind, is not seen.",
        "It holds for these streets, months and patrols, and says nothing of others.",
    ]
    if effect.came + effect.without < FEW_INCIDENTS:
        cautions.insert(0, "There are few incidents: one more or fewer changes the answer.")
    if trial.randomise == "days":
        cautions.append(
            "If a patrol's effect lasts into the next days, a comparison by days takes part of it "
            "for nothing."
        )
    if trial.seal.counted_by == "months":
        cautions.append("Only months are known, so crime at all hours and on all days is counted.")
    else:
        cautions.append("Crime at all hours of a school day is counted, not that of the patrol.")
    if result.dropped_months:
        months = ", ".join(result.dropped_months)
        cautions.append(f"Missing from the data, and counted nowhere: {months}.")
    if area.settings.privacy.threshold_for_crime:
        cautions.append(SQUARES)
    elif area.snapped:
        cautions.append(SNAPPED)
    return cautions


def describe_counting(trial: Trial) -> str:
    """What is counted, and the basis of the expectations."""
    seal = trial.seal
    months = count_months(trial.start, trial.end)
    length = format_count(months, "month") if seal.counted_by == "months" else "each school day"
    return (
        f"Counted: {', '.join(seal.categories)}; by {length}. Expected counts are from "
        f"{seal.history_months} months up to {seal.data_until}, fixed before the start."
    )
