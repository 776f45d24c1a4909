"""The problem of one school, without planning the others."""

from patrolplan.area.patrol_window import resolve_window
from patrolplan.patrols.planner import Occasion, Planner
from patrolplan.patrols.school_problem import build_school_problem


def build_problem(found, row, *, window=None, date=None, visit=(), watch=()):
    """That of a school by its row; `found` are area, risk and hotspots."""
    planner = Planner(*found)
    occasion = Occasion(window or resolve_window(planner.area.settings.patrol), date)
    return build_school_problem(planner, row, occasion, visit=visit, watch=watch)
