"""Measure the declared clock: when crime on streets happens, by category and kind of place.

    python benchmarks/clock_profile.py --data DIR

`DIR` holds `crimes-YYYY.parquet` (`occurred_at`, `longitude`, `latitude`, `category`,
`description`, `place`, `domestic`) and `school_days.csv` (`date`, `kind`: school, weekday_off,
weekend, other) of the City of Chicago, "Crimes - 2001 to Present". No force of the United Kingdom
publishes clock times, so the pattern of the day is from there. Only crimes in streets and other
open places that are not domestic are counted.

The output is in `patrolplan.risk.declared_clock`; it has aggregates, but no rows of the data.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

STREET_PLACES = (
    *("STREET", "SIDEWALK", "ALLEY", "PARK PROPERTY", "CTA BUS STOP", "VACANT LOT/LAND"),
    *("SCHOOL, PUBLIC, GROUNDS", "SCHOOL, PRIVATE, GROUNDS", "BRIDGE"),
    *("LAKEFRONT/WATERFRONT/RIVERBANK", "HIGHWAY/EXPRESSWAY"),
)
LICENSED_PLACES = ("BAR OR TAVERN", "TAVERN/LIQUOR STORE")

MIN_CRIMES_AT_ADDRESS = 2
"""Minimum crimes for a licensed address: the address of a single one may be wrong."""

GROUPS = ("violence", "robbery", "person", "damage", "theft")
DAYS = ("school", "weekday_off", "weekend")
NEAR_METRES = 150.0
CITY_LATITUDE = 41.9
FIRST_OF_KIND = (1, 3, 6, 12)
BAND_HALF_HOURS = 4
"""Kinds of place are compared in bands of two hours, since there are few crimes near many bars. The
bands are centred on even hours, so that one is after school, from 15:00 to 17:00."""

PRIOR_INCIDENTS = 3.0
"""Weight in incidents of the mean of all kinds of place: near 12 or more licensed addresses, some
bands of weekday afternoons have no robbery, which does not prove that there is none."""

SEASON_DAYS = 21
"""Days without school are mostly in summer: each is compared with weekends within this span."""


def read_frame(folder: Path) -> pd.DataFrame:
    """All crimes with `group` ("" for others), time `at`, and metres `x`, `y`."""
    crimes = pd.concat(map(pd.read_parquet, sorted(folder.glob("crimes-*.parquet"))))
    crimes = crimes.reset_index(drop=True)
    category = crimes["category"].astype(str)
    from_person = crimes["description"].isin(["POCKET-PICKING", "PURSE-SNATCHING"])
    is_theft = category == "THEFT"
    kinds = [
        category.isin(["ASSAULT", "BATTERY", "HOMICIDE"]),
        category == "ROBBERY",
        is_theft & from_person,
        category.isin(["CRIMINAL DAMAGE", "ARSON"]),
        is_theft & ~from_person,
    ]
    return crimes.assign(
        group=np.select(kinds, GROUPS, ""),
        at=pd.to_datetime(crimes["occurred_at"]),
        place=crimes["place"].astype(str),
        x=to_metres(crimes["longitude"], crimes["latitude"])[:, 0],
        y=to_metres(crimes["longitude"], crimes["latitude"])[:, 1],
    )


def to_metres(longitude: pd.Series, latitude: pd.Series) -> NDArray[np.float64]:
    """(n, 2) metres on a plane that is correct at the city's latitude."""
    x = longitude * 111_320 * np.cos(np.radians(CITY_LATITUDE))
    return np.column_stack([x, latitude * 111_195])


def find_licensed(crimes: pd.DataFrame) -> NDArray[np.float64]:
    """(a, 2) addresses where crimes in bars and taverns were recorded."""
    inside = crimes.loc[crimes["place"].isin(LICENSED_PLACES), ["x", "y"]].to_numpy()
    addresses, number = np.unique(inside, axis=0, return_counts=True)
    return np.asarray(addresses[number >= MIN_CRIMES_AT_ADDRESS])


def choose_in_streets(crimes: pd.DataFrame) -> pd.DataFrame:
    """The crimes of the groups in streets and other open places that are not domestic."""
    in_street = crimes["place"].isin(STREET_PLACES) & ~crimes["domestic"]
    return crimes[in_street & (crimes["group"] != "")]


def read_crimes(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Crimes in streets with group, kind of day, half-hour and kind of place; kinds of days."""
    whole = read_frame(folder)
    crimes = choose_in_streets(whole)
    dates = pd.read_csv(folder / "school_days.csv", parse_dates=["date"])
    kind_of_day = dates.set_index("date")["kind"]
    tree = cKDTree(find_licensed(whole))
    near = tree.query_ball_point(crimes[["x", "y"]], NEAR_METRES, return_length=True)
    date = crimes["at"].dt.normalize()
    table = pd.DataFrame(
        {
            "group": crimes["group"],
            "date": date,
            "half_hour": (crimes["at"].dt.hour * 60 + crimes["at"].dt.minute) // 30,
            "kind": np.searchsorted(FIRST_OF_KIND, near, side="right"),
            "day": date.map(kind_of_day),
        }
    )
    return table, kind_of_day


def measure_levels(dates: pd.Series, kind_of_day: pd.Series) -> pd.Series:
    """Crimes per day of each kind of day, relative to weekends of the same season."""
    daily = dates.value_counts().reindex(kind_of_day.index, fill_value=0).astype(float)
    weekends = daily.where(kind_of_day == "weekend")
    season = weekends.rolling(SEASON_DAYS, center=True, min_periods=2).mean()
    return (daily.groupby(kind_of_day).sum() / season.groupby(kind_of_day).sum()).loc[list(DAYS)]


def measure_profiles(crimes: pd.DataFrame, kind_of_day: pd.Series) -> NDArray[np.float64]:
    """(g, 3, 48) rate in each half-hour of each kind of day, relative to a weekend's mean rate.

    Times of report are often full hours, so each half-hour is averaged with its neighbours (1, 2,
    1), around midnight too.
    """
    profiles = np.empty((len(GROUPS), len(DAYS), 48))
    for row, group in enumerate(GROUPS):
        own = crimes[crimes["group"] == group]
        levels = measure_levels(own["date"], kind_of_day)
        for column, day in enumerate(DAYS):
            hours = own.loc[own["day"] == day, "half_hour"]
            counts = np.bincount(hours, minlength=48).astype(float)
            smooth = (np.roll(counts, 1) + 2 * counts + np.roll(counts, -1)) / 4
            profiles[row, column] = levels[day] * 48 * smooth / smooth.sum()
    return profiles


def measure_ratios(crimes: pd.DataFrame) -> NDArray[np.float64]:
    """(g, 5, 3, 12) ratio of crimes at each kind of place to all places, by two-hour band.

    The third axis is the kind of day. If there are few crimes, ratios are shrunk to 1.
    """
    used = crimes[crimes["day"].isin(DAYS)]
    code = pd.Categorical(used["group"], categories=list(GROUPS)).codes
    day = pd.Categorical(used["day"], categories=list(DAYS)).codes
    counts = np.zeros((len(GROUPS), 5, len(DAYS), 48 // BAND_HALF_HOURS))
    band = (used["half_hour"] + BAND_HALF_HOURS // 2) // BAND_HALF_HOURS % counts.shape[-1]
    np.add.at(counts, (code, used["kind"], day, band), 1)
    of_kind = counts.sum(axis=(2, 3), keepdims=True)
    expected = of_kind * counts.sum(axis=1, keepdims=True) / of_kind.sum(axis=1, keepdims=True)
    return np.asarray((counts + PRIOR_INCIDENTS) / (expected + PRIOR_INCIDENTS))


def main() -> None:
    """Print the table, and a check that it is the published one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the city's crimes")
    crimes, kind_of_day = read_crimes(parser.parse_args().data)
    print("# per cent of a weekend's mean rate, by half-hour from midnight")
    for group, of_group in zip(GROUPS, measure_profiles(crimes, kind_of_day), strict=True):
        for day, profile in zip(DAYS, of_group, strict=True):
            numbers = [str(max(1, round(100 * value))) for value in profile]
            print(f"{group} {day}: {' '.join(numbers[:24])}\n    {' '.join(numbers[24:])}")
    print("# per cent of what all places have, by two hours, the first around midnight")
    for group, of_group in zip(GROUPS, measure_ratios(crimes), strict=True):
        for kind, of_kind in enumerate(of_group):
            for day, ratios in zip(DAYS, of_kind, strict=True):
                print(f"{group} {kind} {day}: {' '.join(f'{100 * value:.0f}' for value in ratios)}")
    print("# school days, 15:00-17:00, relative to places without a licensed address (crimes)")
    school = crimes[crimes["day"] == "school"]
    for group in GROUPS:
        own = school[school["group"] == group]
        of_kind = own["half_hour"].between(30, 33).groupby(own["kind"])
        ratio, number = of_kind.mean() / of_kind.mean()[0], of_kind.size()
        text = ", ".join(f"{ratio[kind]:.2f} ({number[kind]:,})" for kind in ratio.index)
        print(f"{group}: {text}; 14:30-17:00 {own['half_hour'].between(29, 33).mean():.1%}")


if __name__ == "__main__":
    main()
