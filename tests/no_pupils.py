"""Risk of towns that are built by hand, in which nobody goes to school."""

import patrolplan as pp


def estimate_without_pupils(area, **options):
    """The risk of an area, of which only what risk needs is there."""
    return pp.estimate_risk(area, pp.Pupils(area.network, [], (), area.pupils_basis), **options)
