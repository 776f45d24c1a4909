"""Risk that is the same in every minute, for tests that are about something else."""

import patrolplan as pp

STATIC = {"way_home": {"exposure": {}, "clock": "flat"}, "reports": {"half_life_months": 1_000_000}}
"""No exposure, no clock, and a report counts however old it is."""


def make_static(area, **changes):
    """The area without what moves risk in time, and with other changes of its settings."""
    return pp.with_settings(area, **STATIC, **changes)
