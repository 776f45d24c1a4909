"""Plan against delivered: what was promised, what was given, and where they differ."""

import calendar
import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.visits import match_stretches, project_stops, project_to_metres

FIGURE_COLUMNS = (
    "promised_visits",
    "delivered_visits",
    "further_visits",
    "not_recorded",
    "promised_minutes",
    "delivered_minutes",
    "presence_minutes",
    "person_minutes",
    "engagements",
)
"""What a return counts.

Delivered visits are planned ones that were made, by the officer of the plan or another one: never
more than were planned for a place, a school and a day. Any others are further visits. Delivered
minutes are those of delivered visits, presence minutes those of all. Officers who came together are
one presence; person minutes count each of them.
"""

COMPARISON_KEY = ["officer", "date", "urn", "spot"]
PLACE_KEY = ["date", "urn", "spot"]


def month_days(month: str) -> tuple[dt.date, dt.date]:
    """First and last day of a month.

    Examples
    --------
    >>> [str(day) for day in month_days("2026-12")]
    ['2026-12-01', '2026-12-31']
    """
    first = dt.date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def compare_doses(ledger: Ledger, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Every promised or delivered visit in these days, the two side by side.

    Returns
    -------
    pandas.DataFrame
        `officer, date, week` (its Monday), `urn, school, hotspot, place` and `FIGURE_COLUMNS`.
        Names and words of a place are those last handed out in these days.
    """
    promised, delivered = ledger.read_promised(first, last), ledger.read_delivered(first, last)
    spots = _match_places(ledger, first, last, promised, delivered)
    promised_sums = (
        promised.assign(promised_visits=1, promised_minutes=promised["minutes"])
        .groupby(COMPARISON_KEY, as_index=False)[["promised_visits", "promised_minutes"]]
        .sum()
    )
    figures = ["recorded", "stood_in", *FIGURE_COLUMNS[1:3], *FIGURE_COLUMNS[5:]]
    counted = _count_visits(delivered, promised_sums)
    delivered_sums = counted.groupby(COMPARISON_KEY, as_index=False)[figures].sum()
    table = promised_sums.merge(delivered_sums, on=COMPARISON_KEY, how="outer")
    table = table.merge(spots, on="spot", how="left")
    numbers = ["promised_visits", "promised_minutes", *figures]
    table[numbers] = table[numbers].astype(float).fillna(0.0)
    table["not_recorded"] = _count_not_recorded(table)
    whole = [*FIGURE_COLUMNS[:4], "engagements"]
    table[whole] = table[whole].astype("int64")
    table["week"] = [day - dt.timedelta(days=day.weekday()) for day in table["date"]]
    schools = promised.drop_duplicates("urn", keep="last").set_index("urn")["school"]
    table["school"] = table["urn"].map(schools).fillna("")
    columns = ["officer", "date", "week", "urn", "school", "hotspot", "place", *FIGURE_COLUMNS]
    return table.sort_values(COMPARISON_KEY, ignore_index=True)[columns]


def summarise_doses(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Plan against delivered, summed by columns of `compare_doses`.

    Returns
    -------
    pandas.DataFrame
        The columns given, `FIGURE_COLUMNS`, and `delivered_percent` of the promised minutes, NA
        where nothing was promised.
    """
    sums = table.groupby(by, as_index=False)[list(FIGURE_COLUMNS)].sum()
    sums = sums.sort_values(by, key=_pad_hotspot_numbers, ignore_index=True)
    promised = sums["promised_minutes"]
    share = 100 * sums["delivered_minutes"] / promised.where(promised > 0)
    minutes = [name for name in FIGURE_COLUMNS if name.endswith("minutes")]
    sums[minutes] = sums[minutes].round(1)
    return sums.assign(delivered_percent=share.astype("Float64").round(1))


def _count_visits(delivered: pd.DataFrame, promised: pd.DataFrame) -> pd.DataFrame:
    """The figures of each visit: a row for its officer, and one for each who came together.

    Of the visits to a place on a day, those of officers who have it planned come first, then the
    longer ones; as many as are planned are delivered.
    """
    planned = promised.set_index(COMPARISON_KEY)["promised_visits"]
    wanted = promised.groupby(PLACE_KEY)["promised_visits"].sum()
    made = delivered[delivered["minutes"] > 0].sort_values(
        ["minutes", "number"], ascending=[False, True]
    )
    rank = made.groupby(COMPARISON_KEY).cumcount()
    own = _look_up(planned, made[COMPARISON_KEY])
    made = made.assign(is_other=rank.to_numpy() >= own).sort_values("is_other", kind="stable")
    place_rank = made.groupby(PLACE_KEY).cumcount().to_numpy()
    is_delivered = pd.Series(place_rank < _look_up(wanted, made[PLACE_KEY]), index=made.index)
    is_made = delivered["minutes"] > 0
    stood_in = is_delivered & made["is_other"]
    is_delivered = is_delivered.reindex(delivered.index, fill_value=False)
    counted = delivered.assign(
        recorded=1,
        stood_in=stood_in.reindex(delivered.index, fill_value=False).astype(int),
        delivered_visits=is_delivered.astype(int),
        further_visits=(is_made & ~is_delivered).astype(int),
        delivered_minutes=delivered["minutes"].where(is_delivered, 0.0),
        presence_minutes=delivered["minutes"],
        person_minutes=delivered["minutes"],
        engagements=delivered["engagements"].fillna(0).astype(int),
    )
    others = delivered.assign(officer=delivered["together"].str.split(";")).explode("officer")
    others = others[others["officer"].fillna("") != ""]
    nothing = dict.fromkeys(["recorded", "stood_in", *FIGURE_COLUMNS[1:3], *FIGURE_COLUMNS[5:]], 0)
    others = others.assign(**nothing).assign(person_minutes=others["minutes"])
    return pd.concat([counted, others], ignore_index=True)


def _count_not_recorded(table: pd.DataFrame) -> pd.Series:
    """Planned visits that nobody entered, without those that another officer is entered for."""
    missing = (table["promised_visits"] - table["recorded"]).clip(lower=0)
    places = [table[name] for name in PLACE_KEY]
    stood_in = table["stood_in"].groupby(places).transform("sum")
    left = (missing.groupby(places).cumsum() - stood_in).clip(lower=0)
    return left.where(left < missing, missing)


def _look_up(figures: pd.Series, keys: pd.DataFrame) -> NDArray[np.float64]:
    """(k,) the figure of each row of keys; 0 where there is none."""
    index = pd.MultiIndex.from_frame(keys)
    return np.asarray(figures.reindex(index).fillna(0.0), dtype=np.float64)


def _pad_hotspot_numbers(column: pd.Series) -> pd.Series:
    """A sort key that puts H2 before H10."""
    return column.str.zfill(12) if column.name == "hotspot" else column


def _match_places(
    ledger: Ledger, first: dt.date, last: dt.date, *tables: pd.DataFrame
) -> pd.DataFrame:
    """`hotspot, place, spot`, one row a place; adds a column `spot` to each table, its place.

    A place is a hotspot of the week handed out last; hotspots of earlier weeks and visits count as
    the place that they lie on. One that lies on none is added as a place of its own.
    """
    places: list[tuple[str, str]] = []
    stretches, all_stops_xy = np.empty(0, dtype=object), np.empty((0, 2))
    for _, week in ledger.read_hotspots(first, last).groupby("handout", sort=False):
        stops_xy = project_stops(week, ledger.projection)
        row = match_stretches(stops_xy, stretches, all_stops_xy)
        new = week[row < 0]
        places += list(zip(new["hotspot"], new["place"], strict=True))
        stretches = np.concatenate(
            [stretches, project_to_metres(new["stretch"], ledger.projection)]
        )
        all_stops_xy = np.concatenate([all_stops_xy, stops_xy[row < 0]])
    for table in tables:
        stops_xy = project_stops(table, ledger.projection)
        table["spot"] = match_stretches(stops_xy, stretches, all_stops_xy)
        unmatched = table[table["spot"] < 0]
        for place, group in unmatched.groupby("place"):  # on days for which no week is handed out
            table.loc[group.index, "spot"] = len(places)
            places.append((str(group["hotspot"].iloc[0]), str(place)))
            xy = project_stops(group.iloc[:1], ledger.projection)
            stretches = np.append(stretches, gpd.points_from_xy(*xy.T))
            all_stops_xy = np.concatenate([all_stops_xy, xy])
    return pd.DataFrame(places, columns=["hotspot", "place"]).assign(spot=np.arange(len(places)))
