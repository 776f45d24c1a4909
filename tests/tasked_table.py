"""What rows of the table of tasked places say where a test does not."""

import numpy as np

from patrolplan.inputs.small_tables import WEEKDAYS


def fill_tasked(places):
    """The table with the columns that a row may leave empty: any time, one visit, every day."""
    return places.assign(
        minutes=np.nan, visits=1, officers=1, weekdays=[list(WEEKDAYS)] * len(places)
    )
