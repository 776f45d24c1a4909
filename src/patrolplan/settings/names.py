"""Names that the settings know of the data and of the rooms below, which cannot be asked."""

from typing import Literal

PATROL_RELEVANT = (
    "Robbery",
    "Theft from the person",
    "Violence and sexual offences",
    "Anti-social behaviour",
    "Bicycle theft",
    "Other theft",
    "Criminal damage and arson",
)
"""Categories that a visible patrol after school can prevent, all of them reported by victims."""

DISCOVERED = ("Drugs", "Possession of weapons", "Public order")
"""Categories that patrols find rather than victims report: the feedback guard leaves them out."""

CATEGORIES = (
    *PATROL_RELEVANT,
    *DISCOVERED,
    "Burglary",
    "Shoplifting",
    "Vehicle crime",
    "Other crime",
)
"""Every category of data.police.uk."""

RiskModel = Literal[
    "auto",
    "random",
    "prior count",
    "decayed count",
    "planar kernel",
    "network kernel",
    "shrunk count",
    "poisson",
    "combination",
]
"""Names of the models in `patrolplan.risk.models`, and the choice among them."""
