"""What can be marked on the paper form, in the words of pupils, column by column."""

from dataclasses import dataclass

from patrolplan.privacy import FACTORS


@dataclass(frozen=True)
class FactorGroup:
    """A question of the form and its answers."""

    column: str
    """Of `patrolplan.privacy.FACTORS`, and of the tally file."""
    title: str
    titles: dict[str, str]
    """Words of each answer, in the order of the form."""


FACTOR_GROUPS = (
    FactorGroup(
        "time_band",
        "When",
        {
            "before_school": "Before school",
            "lunch": "Lunch time",
            "after_school": "After school",
            "evening": "In the evening",
        },
    ),
    FactorGroup(
        "place_factor",
        "About the place",
        {
            "poor_lighting": "Poor lighting",
            "isolated": "Lonely place",
            "overgrown": "Bushes, over\N{SOFT HYPHEN}grown",
            "litter_or_damage": "Litter or damage",
            "blocked_pavement": "Blocked pavement",
        },
    ),
    FactorGroup(
        "behaviour_factor",
        "About people",
        {
            "groups_loitering": "Groups hanging about",
            "followed": "Being followed",
            "verbal_abuse": "Shouting, insults",
            "robbery_or_threat": "Robbery or threats",
            "drug_use": "Drugs",
            "traffic": "Traffic, drivers",
        },
    ),
)

if {group.column: tuple(group.titles) for group in FACTOR_GROUPS} != FACTORS:
    message = "the form must offer every factor that reports count, in the same order"
    raise RuntimeError(message)
