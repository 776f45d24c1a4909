"""Weeks that no search chose: a plan, days, and the duties that a test wants."""

from patrolplan.provenance import compute_area_provenance
from patrolplan.team.week import Week


def build_week(plan, days, duties, **more):
    """A week of these duties, where nothing is locked, missing or delivered."""
    given = {
        **dict.fromkeys(("unmet", "short", "notes", "locks", "bans"), ()),
        "status": "feasible",
        "worth": 1.0,
        "bound": 1.0,
        "delivered": {},
        "absent": {},
        **more,
    }
    provenance = compute_area_provenance(plan.area)
    return Week(plan=plan, days=days, duties=duties, created_from=provenance, **given)
