"""Curves for analysts: how much crime the priority streets caught, and what a change buys."""

import pandas as pd
from matplotlib.axes import Axes

from patrolplan.area import StudyArea
from patrolplan.counted import counted
from patrolplan.outputs.plot.canvas import SERIES
from patrolplan.outputs.plot.canvas import axes_or_new
from patrolplan.risk.backtest import Backtest


def coverage(backtest: Backtest, category: str = "all", *, axes: Axes | None = None) -> Axes:
    """Draw how much crime the priority streets caught, by how much of the street they are.

    The line is the chosen model on months that it had not seen, the band its 95 % interval over
    months; dashed, the prior count; the grey band is where a model that knew the true rates would
    come out, by chance, 95 times in 100.

    Parameters
    ----------
    backtest
        See `patrolplan.risk.backtest.backtest_risk`.
    category
        One of its categories, or "all".
    axes
        Where to draw; a new figure by default.

    Raises
    ------
    KeyError
        When the back-test has no such category.
    """
    curve = backtest.curves[backtest.curves["category"] == category]
    if curve.empty:
        known = ", ".join(backtest.curves["category"].unique())
        message = f"no category '{category}' in this back-test, choose from: {known}"
        raise KeyError(message)
    axes = axes_or_new(axes)
    share = 100 * curve["coverage"]
    caught = {
        name: 100 * curve["coverage"] * curve[name] for name in curve.columns.drop("category")
    }
    axes.fill_between(
        share,
        caught["reference_low"],
        caught["reference_high"],
        color="0.85",
        label="if true rates were known (95 % of chance)",
    )
    axes.fill_between(share, caught["pai_low"], caught["pai_high"], color=SERIES[0], alpha=0.3)
    axes.plot(
        share, caught["pai"], color=SERIES[0], marker="o", label="chosen model (95 % interval)"
    )
    axes.plot(share, caught["prior_count"], "k--", label="prior count of twelve months")
    axes.set(
        xlabel="priority streets, % of street length",
        ylabel="crime caught in the month after, %",
        xlim=(0, None),
        ylim=(0, None),
    )
    months = backtest.trials.origins
    title = f"{category}, months {months[0]:%B %Y} to {months[-1]:%B %Y}"
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(loc="lower right", frameon=False)
    return axes


def months(area: StudyArea, *, axes: Axes | None = None) -> Axes:
    """Draw incidents by month: those that count for the risk, and those that do not.

    Parameters
    ----------
    area
        The incidents.
    axes
        Where to draw; a new figure by default.
    """
    axes = axes_or_new(axes)
    counted = area.incidents["category"].isin(area.settings.crimes.counted)
    table = pd.crosstab(area.incidents["month"], counted).reindex(
        columns=[True, False], fill_value=0
    )
    at = range(len(table))
    axes.bar(at, table[True], color=SERIES[0], label="count for the risk")
    axes.bar(at, table[False], bottom=table[True], color="0.75", label="do not")
    every = max(1, len(table) // 8)
    axes.set_xticks(at[::every], [f"{month:%b %Y}" for month in table.index[::every]], fontsize=8)
    axes.set(ylabel="incidents", ylim=(0, None))
    # Above the bars, which fill the axes: on them neither words nor swatches can be made out.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, frameon=False)
    first, last = table.index[0], table.index[-1]
    title = f"{area.name}: recorded {first:%B %Y} to {last:%B %Y}"
    axes.set_title(title, loc="left", fontsize=10, pad=24)
    return axes


def what_if(table: pd.DataFrame, *, axes: Axes | None = None) -> Axes:
    """Draw a school's worth against the minutes of its window, a line for each dwell and crew.

    Dots are filled where the patrol is proven best; elsewhere a thin line up to the bound shows
    how much better it could be at most.

    Parameters
    ----------
    table
        See `patrolplan.patrols.whatif.what_if`.
    axes
        Where to draw; a new figure by default.
    """
    axes = axes_or_new(axes)
    lines = table.groupby(["officers", "dwell_minutes"])
    for number, ((_, dwell), cases) in enumerate(lines):
        crew = counted(int(cases["officers"].iloc[0]), "officer")
        colour = SERIES[number % len(SERIES)]
        worth, bound = 100 * cases["worth"], 100 * cases["bound"]
        label = f"{crew}, {dwell:g} min at each stop"
        axes.plot(cases["minutes"], worth, color=colour, label=label)
        axes.vlines(cases["minutes"], worth, bound, color=colour, linewidth=0.8)
        face = [colour if proven else "white" for proven in cases["proven"]]
        axes.scatter(cases["minutes"], worth, c=face, edgecolors=colour, zorder=3)
    axes.set(
        xlabel="minutes of the patrol window, from the bell",
        ylabel="risk within reach that the stops cover, %",
        ylim=(0, None),
    )
    axes.legend(loc="upper left", frameon=False)
    return axes
