"""Crimes with a minute and a block, schools and school days: the data of `after_school.py`.

The folder has `crimes-*.parquet` (`occurred_at`, `longitude`, `latitude`, `category`,
`description`, `place`, `domestic`), `school_days.csv` (`date`, `kind`: school, weekday_off,
weekend, other) and `schools_*.csv` (`level`, HS for a high school, `longitude`, `latitude`), with
the words for categories and places of the City of Chicago. There is no file of streets: places are
the cells of a grid, and distances are along a grid of streets that run north and east, like most in
Chicago.

Rows at a school's own address (`AT_SCHOOL`) mix building, yard and the street in front where a
force does not tell them apart. How many of them are counted decides how much an officer at the gate
seems to meet, so figures are given with none, half and all. Half is a weight of 0.5 and not a draw:
no figure depends on a seed, and intervals are those of the weighted sums. That nobody knows the
share is not in the intervals; the other two show it. Chicago does tell them apart: of violence and
robbery at public schools on school days from 15:00 to 16:30, 46 % (518 of 1,131) was outdoors, and
`AT_SCHOOL` is only that part, so that "all" is what was recorded there.

Pupils are a front that moves outward. The program models them on streets to homes and stops;
without streets this remains, with the same settings: they leave the gate by the same curve, walk at
the same speed, and the share who live farther than d metres away falls as (1 + d/D) exp(-d/D),
which follows from a density of homes exp(-d/D) on a uniform plane. All streets at a distance are
equally used: pupils at d metres spread over the four sides of a diamond, 4 d metres of places.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from patrolplan.pupils import destinations
from patrolplan.pupils.leaving import PUPIL_METRES_PER_MINUTE, LeavingCurve
from patrolplan.risk.history import HARM_DAYS
from patrolplan.risk.in_time import FLOOR
from patrolplan.settings.patrol import WayHomeSettings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Descriptions of places that an officer on foot passes; crimes elsewhere are left out
# fmt: off
STREETS = (
    "STREET", "SIDEWALK", "ALLEY", "PARK PROPERTY", "CTA BUS STOP", "VACANT LOT/LAND", "VACANT LOT",
    "SCHOOL, PUBLIC, GROUNDS", "SCHOOL, PRIVATE, GROUNDS", "SCHOOL YARD", "BRIDGE",
)
# fmt: on
AT_SCHOOL = "SCHOOL, PUBLIC, GROUNDS"
# What a crime recorded there counts, by the word for it
SCHOOL_ADDRESS = {"none": 0.0, "half": 0.5, "all": 1.0}
USUAL = "half"
# Descriptions of places; a crime inside one shows a licensed address
TAVERNS = ("BAR OR TAVERN", "TAVERN", "TAVERN/LIQUOR STORE")
NAMES = {  # The program's names of the categories
    "violence": "Violence and sexual offences",
    "robbery": "Robbery",
    "theft from person": "Theft from the person",
    "other theft": "Other theft",
    "damage": "Criminal damage and arson",
}
# Days of harm of each category, from the program's own table
HARM = {category: HARM_DAYS[name] for category, name in NAMES.items()}
# Power of pupils' presence by category: the program's defaults
EXPOSURE = dict.fromkeys(HARM, 0.0) | {"violence": WayHomeSettings().exposure[NAMES["violence"]]}
CELL_METRES = 150.0  # Side of a cell: an officer in its middle, with a view of 75 m, sees all of it
CORNER_METRES = 50.0  # Side of the cells that stand for corners where one may stand
# Shifts of the grid, in sides of a cell, since the grouping of crimes depends on its position
SHIFTS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))
NEAR_METRES = 1500.0  # Maximum distance of ranked cells from a high school, in a straight line
BLOCK_METRES = 1500.0  # Side of the blocks of cells that are drawn together for the intervals
LICENSED_METRES = 150.0
# Numbers of licensed addresses within 150 m at which the next kind of place begins
KIND_FROM = (1, 3, 6, 12)
BELL = 15 * 60  # Minute after midnight at which every school is assumed to end
METRES_A_DEGREE = 111_195.0
DAY_MINUTES = 24 * 60
Tables = tuple[pd.DataFrame, pd.Series, pd.DataFrame]
"""Crimes, kinds of day by date, and high schools."""
Period = tuple[str, str]
"""First day, and the day after the last one."""

SETTINGS = WayHomeSettings()
CURVE = LeavingCurve(SETTINGS.leave_minutes, SETTINGS.late_share, SETTINGS.late_minutes)
DECAY_METRES = destinations.DECAY_METRES[1]
SPEED = PUPIL_METRES_PER_MINUTE

STEP_METRES = 5.0
# Distances are rounded to 5 m; no one walks farther than 8 km in the measured hours
FARTHEST_METRES = 8000.0
PARTS = 3  # A cell is divided into 3 by 3 parts, and the pupils at their middles are averaged


@dataclass(frozen=True, eq=False)
class City:
    """Crimes, cells and gates on a plane in metres, x to the east and y to the north.

    Cells are those with any crime recorded before the test period: the others are assumed to have
    no street. Crimes are those of a category that counts, in a place that counts.
    """

    # category, cell (row of `cell_xy`), x, y, day, minute, kind, month, weight (what it counts)
    crimes: pd.DataFrame
    cell_xy: NDArray[np.float64]  # (c, 2) middles
    is_near: NDArray[np.bool_]  # (c,) whether a high school is near enough to rank the cell
    block: NDArray[np.int64]  # (c,) number of the block of cells
    place_kind: NDArray[np.int64]  # (c,) 0 to 4: how many licensed addresses are near
    gate_xy: NDArray[np.float64]  # (g, 2) high schools; those at the same point count once
    day_kind: pd.Series  # by date
    learned: Period
    tested: Period

    def count(self, crimes: pd.DataFrame) -> NDArray[np.float64]:
        """Crimes of each cell, shape (c,)."""
        return np.bincount(crimes["cell"], crimes["weight"], minlength=len(self.cell_xy))

    def select(
        self,
        category: str,
        period: Period,
        *,
        minutes: tuple[int, int] = (0, DAY_MINUTES),
        kind: str | None = None,
    ) -> pd.DataFrame:
        """Crimes of a category in a period (excluding its last day), hours and kind of day."""
        table = self.crimes
        first, last = map(pd.Timestamp, period)
        chosen = (table["category"] == category) & (table["day"] >= first) & (table["day"] < last)
        chosen &= (table["minute"] >= minutes[0]) & (table["minute"] < minutes[1])
        if kind is not None:
            chosen &= table["kind"] == kind
        return table[chosen]

    def count_days(self, period: Period, kind: str | None = None) -> int:
        """Days of a kind in a period."""
        first, last = map(pd.Timestamp, period)
        inside = self.day_kind[(self.day_kind.index >= first) & (self.day_kind.index < last)]
        return len(inside) if kind is None else int((inside == kind).sum())


def parse_options(doc: str) -> argparse.Namespace:
    """The options of a command on such a folder, which its docstring describes."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="see above")
    parser.add_argument(
        "--school-address",
        choices=SCHOOL_ADDRESS,
        help="how many of the crimes at a school's own address count; all three without it",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


def read_tables(folder: Path) -> Tables:
    """Crimes, kinds of day by date, and high schools."""
    files = sorted(folder.glob("crimes-*.parquet"))
    schools = sorted(folder.glob("schools_*.csv"))
    if not files or len(schools) != 1:
        message = (
            f"{folder}: {len(files)} files crimes-*.parquet and {len(schools)} schools_*.csv; give "
            "a folder with at least one of the first and one of the second"
        )
        raise SystemExit(message)
    crimes = pd.concat(map(pd.read_parquet, files), ignore_index=True)
    days = pd.read_csv(folder / "school_days.csv", parse_dates=["date"]).set_index("date")["kind"]
    return crimes, days, pd.read_csv(schools[0]).query("level == 'HS'")


def split_years(days: pd.Series) -> tuple[Period, Period]:
    """The period to learn from and the one to test, from the days of all crimes.

    The summer between them is that of the middle year; of an even number of years, that of the last
    one in the first half.
    """
    first = days.min()
    last = days.max()
    middle = (first.year + last.year) // 2
    july = f"{middle}-07-01"
    september = f"{middle}-09-01"
    if not (first < pd.Timestamp(july) and last >= pd.Timestamp(september)):
        message = (
            f"crimes of {first:%Y-%m-%d} to {last:%Y-%m-%d} are not on both sides of the summer of "
            f"{middle}: there is nothing to learn from or nothing to test"
        )
        raise SystemExit(message)
    after = last + pd.offsets.MonthBegin()
    return (f"{first:%Y-%m}-01", july), (september, f"{after:%Y-%m-%d}")


def lay_out(
    crimes: pd.DataFrame,
    days: pd.Series,
    schools: pd.DataFrame,
    shift: tuple[float, float] = (0.0, 0.0),
    cell_metres: float = CELL_METRES,
    school_address: str = "all",
) -> City:
    """Build a `City` from crimes (columns as published), kinds of day by date, and high schools.

    Cells and licensed addresses are from the learning years. The grid is moved by `shift` sides of
    a cell. For `school_address` see `SCHOOL_ADDRESS`.
    """
    middle = crimes[["longitude", "latitude"]].mean().to_numpy()
    scale = METRES_A_DEGREE * np.array([np.cos(np.radians(middle[1])), 1.0])
    xy = (crimes[["longitude", "latitude"]].to_numpy() - middle) * scale
    gate_xy = np.unique((schools[["longitude", "latitude"]].to_numpy() - middle) * scale, axis=0)
    at = pd.to_datetime(crimes["occurred_at"])
    day = at.dt.normalize()
    learned, tested = split_years(day)
    earlier = (day < pd.Timestamp(learned[1])).to_numpy()

    square = np.floor(xy / cell_metres - shift).astype(np.int64)
    corner, size = square.min(axis=0), np.ptp(square, axis=0) + 1
    key = np.ravel_multi_index(tuple((square - corner).T), tuple(size))
    keys = np.unique(key[earlier])
    cell = np.searchsorted(keys, key)
    has_cell = keys[np.minimum(cell, len(keys) - 1)] == key
    corners = np.column_stack(np.unravel_index(keys, tuple(size))) + corner
    cell_xy = (corners + 0.5 + shift) * cell_metres
    distance, _ = cKDTree(gate_xy).query(cell_xy)

    inside = crimes["place"].isin(TAVERNS).to_numpy() & earlier
    place_kind = np.zeros(len(cell_xy), dtype=np.int64)
    if inside.any():
        licensed = cKDTree(np.unique(np.rint(xy[inside]), axis=0))
        near = licensed.query_ball_point(cell_xy, LICENSED_METRES, return_length=True)
        place_kind = np.digitize(near, KIND_FROM)

    category = name_categories(crimes)
    columns = {"category": category, "cell": cell, "x": xy[:, 0], "y": xy[:, 1], "day": day}
    columns |= {"minute": at.dt.hour * 60 + at.dt.minute, "kind": day.map(days)}
    columns |= {"month": day.dt.year * 12 + day.dt.month}
    weight = np.where(crimes["place"] == AT_SCHOOL, SCHOOL_ADDRESS[school_address], 1.0)
    table = pd.DataFrame(columns | {"weight": weight})
    counted = has_cell & (category != "") & crimes["place"].isin(STREETS).to_numpy()
    counted &= weight > 0
    return City(
        crimes=table[counted].reset_index(drop=True),
        cell_xy=cell_xy,
        is_near=distance < NEAR_METRES,
        block=number_blocks(cell_xy),
        place_kind=place_kind,
        gate_xy=gate_xy,
        day_kind=days,
        learned=learned,
        tested=tested,
    )


def name_categories(crimes: pd.DataFrame) -> NDArray[np.str_]:
    """Our category of each crime, "" for those that do not count.

    Domestic violence is left out, since patrols do not meet it. So are weapons, drugs and public
    order, which patrols find and victims do not report.
    """
    kind = crimes["category"].astype(str)
    from_person = crimes["description"].astype(str).isin(["POCKET-PICKING", "PURSE-SNATCHING"])
    violence = kind.isin(["BATTERY", "ASSAULT", "HOMICIDE"]) & ~crimes["domestic"].astype(bool)
    choices = {
        "violence": violence,
        "robbery": kind == "ROBBERY",
        "theft from person": (kind == "THEFT") & from_person,
        "other theft": (kind == "THEFT") & ~from_person,
        "damage": kind.isin(["CRIMINAL DAMAGE", "ARSON"]),
    }
    return np.select(list(choices.values()), list(choices), default="")


def number_blocks(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of the block of each point."""
    _, number = np.unique(np.floor(xy / BLOCK_METRES), axis=0, return_inverse=True)
    return number.ravel()


def measure_walks(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from each start (rows) to each end (columns) along a grid of streets."""
    return np.abs(start[:, None] - end[None]).sum(axis=2)


def average_around(
    xy: NDArray[np.float64], counts: NDArray[np.float64], bandwidth_metres: float
) -> NDArray[np.float64]:
    """Mean count of surrounding cells, without the cell itself, weighted by a normal curve.

    A thousandth of the mean of all cells is added, so that no value is 0.
    """
    tree = cKDTree(xy)
    pairs = tree.sparse_distance_matrix(tree, 3 * bandwidth_metres, output_type="coo_matrix")
    apart = pairs.row != pairs.col
    weight = np.exp(-((pairs.data[apart] / bandwidth_metres) ** 2) / 2)
    matrix = csr_array((weight, (pairs.row[apart], pairs.col[apart])), shape=pairs.shape)
    little = 1e-3
    return (matrix @ counts + little * counts.mean()) / (matrix.sum(axis=1) + little)


def bootstrap_sums(
    values: NDArray[np.float64], groups: ArrayLike, *, draws: int = 2000, seed: int = 1
) -> NDArray[np.float64]:
    """Sums of each column with groups of rows drawn with replacement, shape (draws, columns)."""
    _, group = np.unique(groups, return_inverse=True)
    number = int(group.max()) + 1
    sums = np.zeros((number, values.shape[1]))
    np.add.at(sums, group, values)
    rng = np.random.default_rng(seed)
    return rng.multinomial(number, np.full(number, 1 / number), draws) @ sums


def compute_pupil_minutes(
    cell_xy: NDArray[np.float64],
    gate_xy: NDArray[np.float64],
    bell: float,
    edges: ArrayLike,
    *,
    parts: int = PARTS,
) -> NDArray[np.float64]:
    """Pupil-minutes per square kilometre in each cell between consecutive times.

    Every gate counts the same, because rolls are unknown: one pupil per gate.

    Cells and gates are (c, 2) and (g, 2) metres, `bell` and the (t + 1,) rising `edges` minutes
    after midnight; the result is (c, t).
    """
    times = np.asarray(edges, dtype=np.float64) - bell
    part = CELL_METRES / PARTS
    metres = np.arange(part / 2, FARTHEST_METRES, STEP_METRES)
    beyond = (1 + metres / DECAY_METRES) * np.exp(-metres / DECAY_METRES)
    passed = np.diff(CURVE.left(times - metres[:, None] / SPEED), axis=1)
    # Pupils who pass spend ds / SPEED minutes on each ds metres, and are spread over 4 metres of
    # places for each metre of distance.
    by_distance = (beyond / (4 * metres * SPEED))[:, None] * passed
    offsets = (np.arange(parts) - (parts - 1) / 2) * part
    total = np.zeros((len(cell_xy), by_distance.shape[1]))
    for offset in np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2):
        walks = measure_walks(cell_xy + offset, gate_xy)
        row = np.rint((walks - metres[0]) / STEP_METRES).astype(np.int64)
        cell, _ = np.nonzero(row < len(metres))
        row = np.maximum(row[row < len(metres)], 0)
        shape = (len(cell_xy), len(metres))
        total += csr_array((np.ones(len(row)), (cell, row)), shape=shape) @ by_distance
    return total * 1e6 / parts**2


def raise_pupils(pupils: NDArray[np.float64], mean: float, power: float) -> NDArray[np.float64]:
    """The factor of exposure, before a category's harm is scaled back to its total."""
    return np.asarray((FLOOR + (1 - FLOOR) * pupils / mean) ** power)
