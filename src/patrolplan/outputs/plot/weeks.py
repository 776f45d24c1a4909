"""The team's plots: a calendar of doses, how evenly presence is shared, and did it work."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from patrolplan.outputs.plot.canvas import SEQUENTIAL
from patrolplan.outputs.plot.canvas import SERIES
from patrolplan.outputs.plot.canvas import axes_or_new
from patrolplan.team.impact import Impact
from patrolplan.team.week import Week

MOST_ROWS = 30
"""A calendar shows at most so many hotspots, the most dosed ones."""
DARK = 0.55
"""Above this part of the scale, numbers are written in white."""


def doses(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw the minutes of presence that a week promises, by hotspot and day.

    Parameters
    ----------
    week
        Who patrols where and when.
    axes
        Where to draw; a new figure by default.
    """
    table = _promised(week)
    shown = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    shown = shown.head(MOST_ROWS)
    axes = axes_or_new(axes, (6.5, 1.2 + 0.22 * len(shown)))
    values = shown.to_numpy(dtype=np.float64)
    top = float(values.max(initial=1.0))
    axes.imshow(
        np.where(values > 0, values, np.nan), cmap=SEQUENTIAL, vmin=0, vmax=1.2 * top, aspect="auto"
    )
    for row, column in np.argwhere(values > 0):
        minutes = float(values[row, column])
        colour = "white" if minutes > DARK * top else "black"
        axes.text(column, row, f"{minutes:.0f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(week.days)), [f"{day:%a} {day.day}" for day in week.days])
    axes.set_yticks(range(len(shown)), shown.index, fontsize=8)
    more = f", the first {len(shown)} of {len(table)} hotspots" if len(table) > len(shown) else ""
    axes.set_title(
        f"Week from {week.start:%d %B %Y}: minutes promised{more}", loc="left", fontsize=10
    )
    return axes


def shares(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw how many patrols each school gets, and its least; short ones are hatched.

    Parameters
    ----------
    week
        Who patrols where and when.
    axes
        Where to draw; a new figure by default.
    """
    first = [duty for duty in week.duties if duty.patrol.number == 1]
    counts = pd.Series([duty.urn for duty in first], dtype=str).value_counts()
    counts = counts.reindex(sorted({*counts.index, *(gap.urn for gap in week.unmet)}), fill_value=0)
    short = {row.urn for row in week.short}
    axes = axes_or_new(axes, (6.5, 1.2 + 0.22 * max(1, len(counts))))
    axes.barh(
        counts.index,
        counts,
        color=[SERIES[1] if urn in short else SERIES[0] for urn in counts.index],
        hatch=["//" if urn in short else "" for urn in counts.index],
    )
    axes.invert_yaxis()
    axes.set(xlabel="patrols in the week", xlim=(0, len(week.days)))
    if short:
        axes.legend(handles=[Patch(facecolor=SERIES[1], hatch="//", label="under its least")])
    axes.set_title(f"Week from {week.start:%d %B %Y}: patrols by school", loc="left", fontsize=10)
    return axes


def impact(impact: Impact, *, axes: Axes | None = None) -> Axes:
    """Draw incidents expected from the months before, and those that came, by group of streets.

    Parameters
    ----------
    impact
        See `patrolplan.impact_of`.
    axes
        Where to draw; a new figure by default.
    """
    axes = axes_or_new(axes)
    at = np.arange(len(impact.counts))
    axes.bar(at - 0.2, impact.counts["expected"], 0.38, color="0.7", label="as before")
    axes.bar(at + 0.2, impact.counts["after"], 0.38, color=SERIES[0], label="after")
    axes.set_xticks(at, [name.replace(" ", "\n") for name in impact.counts.index])
    axes.set(ylabel=f"incidents in {impact.months[1]} months", ylim=(0, None))
    axes.legend(frameon=False)
    axes.set_title(impact.said.replace(" (95", "\n(95"), loc="left", fontsize=9)
    return axes


def _promised(week: Week) -> pd.DataFrame:
    """Minutes by hotspot (rows, with its place) and day (columns)."""
    rows = [
        (f"{stop.hotspot}  {stop.place}", duty.date, stop.leave_minutes - stop.arrive_minutes)
        for duty in week.duties
        for stop in duty.patrol.stops
    ]
    table = pd.DataFrame(rows, columns=["hotspot", "date", "minutes"])
    wide = table.pivot_table(index="hotspot", columns="date", values="minutes", aggfunc="sum")
    return wide.reindex(columns=list(week.days)).fillna(0.0).astype(float)
