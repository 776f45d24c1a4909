"""Weeks that no search chose: a plan, days, and the duties that a test wants."""

from patrolplan.provenance import compute_area_provenance
from patrolplan.team.week import Week


def build_week(plan, days, duties, **more):
    """A week of these duties, where nothing is locked, missing or delivered."""
    none = dict.fromkeys(("unmet", "notes", "locks", "bans"), ())
    found = {"status": "feasible", "worth": 1.0, "bound": 1.0, "delivered": {}, "absent": {}}
    provenance = compute_area_provenance(plan.area)
    given = none | found | {"days": days, "duties": duties, "created_from": provenance} | more
    return Week(plan=plan, **given)
