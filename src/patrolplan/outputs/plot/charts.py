"""Charts for analysts and teams: back-tests, months, what-if, doses, shares and impact."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from patrolplan.area import StudyArea
from patrolplan.outputs.plot.maps import SEQUENTIAL, SERIES, get_axes, set_title
from patrolplan.risk.backtest import Backtest
from patrolplan.team.impact import Impact
from patrolplan.team.week import Week
from patrolplan.team.where_when import group_stays

MAX_ROWS = 30
"""Maximum number of hotspots in a calendar: those with the largest dose."""
WHITE_TEXT_SHARE = 0.55
"""Share of the scale above which numbers are written in white."""


def coverage(backtest: Backtest, category: str = "all", *, axes: Axes | None = None) -> Axes:
    """Draw how much crime the priority streets captured, by their share of street length.

    The line is the chosen model on hold-out months, the band its 95 % interval over months; the
    dashed line is the prior count; the grey band is the 95 % interval, by chance alone, of a model
    that knew the true rates.

    Parameters
    ----------
    category
        One of its categories, or "all".

    Raises
    ------
    KeyError
        When the back-test has no such category.
    """
    results = backtest.results.sort_values("coverage")
    here = results[results["category"] == category]
    curve, prior = here[here["chosen"]], here[here["model"] == "prior"]
    if curve.empty:
        names = ", ".join(backtest.categories)
        message = f"this back-test has no category '{category}'; choose from: {names}"
        raise KeyError(message)
    axes = get_axes(axes)
    share = 100 * curve["coverage"]
    captured = share.to_numpy()[:, None] * curve.select_dtypes("number")
    label = "if the true rates were known (95 % range of chance)"
    reference = captured["reference_low"], captured["reference_high"]
    axes.fill_between(share, *reference, color="0.85", label=label)
    axes.fill_between(share, captured["pai_low"], captured["pai_high"], color=SERIES[0], alpha=0.3)
    label = "chosen model (95 % interval)"
    axes.plot(share, captured["pai"], color=SERIES[0], marker="o", label=label)
    axes.plot(
        share,
        share.to_numpy() * prior["pai"].to_numpy(),
        "k--",
        label="prior count of twelve months",
    )
    axes.set(
        xlabel="priority streets, % of street length",
        ylabel="crime captured in the following month, %",
        xlim=(0, None),
        ylim=(0, None),
    )
    months = backtest.origins
    set_title(axes, f"{category}, months {months[0]:%B %Y} to {months[-1]:%B %Y}")
    axes.legend(loc="lower right", frameon=False)
    return axes


def months(area: StudyArea, *, axes: Axes | None = None) -> Axes:
    """Draw incidents by month: those that count for the risk, and those that do not.

    A month that is missing is a gap.
    """
    axes = get_axes(axes)
    counted = area.incidents["category"].isin(area.settings.crimes.risk_categories)
    table = pd.crosstab(area.incidents["month"], counted)
    table = table.reindex(columns=[True, False], fill_value=0)
    table = table.reindex(pd.date_range(table.index[0], table.index[-1], freq="MS"))
    at = range(len(table))
    axes.bar(at, table[True], color=SERIES[0], label="counted in the risk")
    axes.bar(at, table[False], bottom=table[True], color="0.75", label="not counted")
    every = max(1, len(table) // 8)
    axes.set_xticks(at[::every], [f"{month:%b %Y}" for month in table.index[::every]], fontsize=8)
    axes.set(ylabel="incidents", ylim=(0, None))
    # Above the bars, which fill the axes: a legend over them would not be legible.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, frameon=False)
    first, last = table.index[0], table.index[-1]
    title = f"{area.name}: recorded {first:%B %Y} to {last:%B %Y}"
    axes.set_title(title, loc="left", fontsize=10, pad=24)
    return axes


def doses(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw the minutes of presence that a week promises, by hotspot in view and day."""
    places = week.plan.hotspots.set_index("hotspot")["place"]
    rows = [
        (f"{name}  {places[name]}", stay.date, stay.minutes)
        for name, stays in group_stays(week.duties).items()
        for stay in stays
        if name in places.index
    ]
    minutes = pd.DataFrame(rows, columns=["hotspot", "date", "minutes"])
    table = minutes.pivot_table(index="hotspot", columns="date", values="minutes", aggfunc="sum")
    table = table.reindex(columns=list(week.days)).fillna(0.0).astype(float)
    shown = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    shown = shown.head(MAX_ROWS)
    axes = get_axes(axes, (6.5, 1.2 + 0.22 * len(shown)))
    values = shown.to_numpy(dtype=np.float64)
    top = float(values.max(initial=1.0))
    axes.imshow(
        np.where(values > 0, values, np.nan), cmap=SEQUENTIAL, vmin=0, vmax=1.2 * top, aspect="auto"
    )
    for row, column in np.argwhere(values > 0):
        value = float(values[row, column])
        colour = "white" if value > WHITE_TEXT_SHARE * top else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(week.days)), [f"{day:%a} {day.day}" for day in week.days])
    axes.set_yticks(range(len(shown)), shown.index, fontsize=8)
    more = f", the first {len(shown)} of {len(table)} hotspots" if len(table) > len(shown) else ""
    set_title(axes, f"Week from {week.start:%d %B %Y}: minutes promised{more}")
    return axes


def shares(week: Week, *, axes: Axes | None = None) -> Axes:
    """Draw how many patrols each school gets; those below its minimum are hatched."""
    first = [duty for duty in week.duties if duty.patrol.number == 1]
    counts = pd.Series([duty.urn for duty in first], dtype=str).value_counts()
    counts = counts.reindex(sorted({*counts.index, *(gap.urn for gap in week.unmet)}), fill_value=0)
    short = {row.urn for row in week.short}
    axes = get_axes(axes, (6.5, 1.2 + 0.22 * max(1, len(counts))))
    colours = [SERIES[1] if urn in short else SERIES[0] for urn in counts.index]
    hatches = ["//" if urn in short else "" for urn in counts.index]
    axes.barh(counts.index, counts, color=colours, hatch=hatches)
    axes.invert_yaxis()
    axes.set(xlabel="patrols in the week", xlim=(0, len(week.days)))
    if short:
        axes.legend(handles=[Patch(facecolor=SERIES[1], hatch="//", label="below its minimum")])
    set_title(axes, f"Week from {week.start:%d %B %Y}: patrols by school")
    return axes


def impact(impact: Impact, *, axes: Axes | None = None) -> Axes:
    """Draw incidents as expected from the months before, and as recorded, by group of streets."""
    axes = get_axes(axes)
    at = np.arange(len(impact.counts))
    axes.bar(at - 0.2, impact.counts["expected"], 0.38, color="0.7", label="expected, as before")
    axes.bar(at + 0.2, impact.counts["after"], 0.38, color=SERIES[0], label="recorded after")
    axes.set_xticks(at, [name.replace(" ", "\n") for name in impact.counts.index])
    axes.set(ylabel=f"incidents in {impact.months[1]} months", ylim=(0, None))
    axes.legend(frameon=False)
    axes.set_title(impact.summary, loc="left", fontsize=9)
    return axes
