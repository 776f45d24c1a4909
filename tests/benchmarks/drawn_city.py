"""A drawn city whose violence after school grows with a known power of the pupils present."""

import numpy as np
import pandas as pd
import timed_crimes
from after_school import WINDOW
from pupils_on_grid import compute_pupil_minutes
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree


def draw_places(seed, *, side, schools):
    """Cells, violent and quiet parts of town, and gates, more of them where it is violent."""
    rng = np.random.default_rng(seed)
    squares = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    xy = (squares + 0.5) * timed_crimes.CELL_METRES
    part = gaussian_filter(rng.normal(size=(side, side)), 6, mode="wrap").ravel()
    part = np.exp(0.8 * part / part.std())
    rate = part * rng.gamma(0.8, 1 / 0.8, len(xy))
    gates = xy[rng.choice(len(xy), schools, p=part / part.sum(), replace=False)]
    return rng, xy, rate / rate.mean(), gates + rng.uniform(-60, 60, gates.shape)


def draw_counts(seed, exponent, *, side=40, schools=9):
    """A city without single crimes, counts at all hours and after school, and the pupils."""
    rng, xy, rate, gates = draw_places(seed, side=side, schools=schools)
    near = cKDTree(gates).query(xy)[0] < timed_crimes.NEAR_METRES
    city = timed_crimes.City(
        crimes=pd.DataFrame(),
        cell_xy=xy,
        is_near=near,
        block=timed_crimes.number_blocks(xy),
        place_kind=np.zeros(len(xy), dtype=np.int64),
        gate_xy=gates,
        day_kind=pd.Series(dtype=object),
    )
    pupils = compute_pupil_minutes(xy, gates, timed_crimes.BELL, WINDOW)[:, 0]
    raised = (pupils / pupils[near].mean()) ** exponent
    learned = rng.poisson(3.0 * rate).astype(float)
    return city, learned, rng.poisson(0.25 * rate * raised).astype(float), pupils


def draw_folder(folder, seed=1, *, side=24, schools=5, crimes=60_000):
    """Files in the form that the benchmark reads; crime of every kind at all hours."""
    rng, xy, rate, gates = draw_places(seed, side=side, schools=schools)
    days = pd.date_range("2012-01-01", "2018-11-12")
    kind = np.select(
        [days.day_of_week > 4, days.month.isin([7, 8])], ["weekend", "weekday_off"], "school"
    )
    at = rng.choice(days, crimes) + pd.to_timedelta(rng.integers(0, 1440, crimes), "min")
    point = xy[rng.choice(len(xy), crimes, p=rate / rate.sum())]
    point = point + rng.uniform(-70, 70, point.shape)
    scale = timed_crimes.METRES_A_DEGREE * np.array([np.cos(np.radians(41.8)), 1.0])
    table = pd.DataFrame(point / scale + [-87.6, 41.8], columns=["longitude", "latitude"])
    table["occurred_at"] = at.strftime("%Y-%m-%d %H:%M")
    what = ["BATTERY", "ROBBERY", "THEFT", "CRIMINAL DAMAGE", "NARCOTICS"]
    table["category"] = rng.choice(what, crimes, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    table["description"] = rng.choice(["POCKET-PICKING", "OVER $500", "SIMPLE"], crimes)
    table["place"] = rng.choice(["STREET", "SIDEWALK", "APARTMENT", "BAR OR TAVERN"], crimes)
    table["domestic"] = rng.random(crimes) < 0.1
    table.to_parquet(folder / "crimes-2012.parquet")
    pd.DataFrame({"date": days, "kind": kind}).to_csv(folder / "school_days.csv", index=False)
    schools = pd.DataFrame(gates / scale + [-87.6, 41.8], columns=["longitude", "latitude"])
    schools.assign(level="HS").to_csv(folder / "schools_2015-16.csv", index=False)
