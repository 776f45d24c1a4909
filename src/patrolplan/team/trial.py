"""A trial of patrols: pairs of hotspots, of which a seeded draw sends patrols to one.

The draw is made again every day (`days`) or week (`weeks`), where the dates of crimes are known and
so the same streets are their own comparison; or once for the whole trial (`pairs`), where only
their months are. Nobody then stands in sight of the hotspots without patrols. Places tasked by
intelligence or set by a lead take precedence over the trial. Its analysis is intention to treat:
every hotspot and day counts as it was drawn, no matter who went there.
"""

import datetime as dt
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field, ValidationError

from patrolplan.area import StudyArea
from patrolplan.area.school_days import find_open_days
from patrolplan.area.square_names import get_part, name_parts
from patrolplan.arrays import Bools, Floats, Objects
from patrolplan.atomic import write_file_atomically
from patrolplan.crs import DEGREES, Projection
from patrolplan.errors import InputError
from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.network.shapes import find_pieces_of_shapes
from patrolplan.notes import Note
from patrolplan.patrols.file_forms import Amount, Day, FileModel
from patrolplan.patrols.plan import Plan
from patrolplan.settings.messages import list_problems
from patrolplan.team.impact import count_incidents
from patrolplan.team.week import Week
from patrolplan.team.week_records import TrialCell, WeekTrial

AT_HOTSPOT_METRES = 60.0  # a stop within this distance of a hotspot's streets is at it
STEP_METRES = 5.0  # how far apart points are by which the places in sight are found
HISTORY_MONTHS = 24
MAX_HOTSPOTS = {"days": 10, "weeks": 10, "pairs": 30}
"""With more, a week would have too many hotspots without patrols."""
MIN_DATED_SHARE = 0.95
"""Minimum share of incidents with a known day for a trial to be counted by days."""
REMEDY = "write the trial's start and end, and let patrolplan add the rest"

PlanDays = Callable[[StudyArea, Sequence[dt.date]], Mapping[dt.date, Plan]]
"""Plans days in this area."""


class TrialHotspot(FileModel):
    """A hotspot of a trial, which no new month of data changes."""

    hotspot: str
    place: str
    expected: Amount  # incidents a month without patrols
    stretch: str  # its streets (WKT, degrees)
    places: Annotated[tuple[str, ...], Field(max_length=2000, strict=False)]
    """Parts of squares in which the places in sight of them are, see `name_parts`."""


class Trial(FileModel):
    """A trial file: the lead's decisions, and what the first call adds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: Annotated[str, Field(max_length=80)] = ""
    start: Day
    end: Day
    randomise: Literal["days", "weeks", "pairs"] = "days"
    apart_metres: Annotated[float, Field(ge=100, le=5000)] = 300.0
    """Minimum distance of two hotspots of the trial, in a straight line."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    days: Annotated[tuple[Day, ...], Field(max_length=2000, strict=False)] = ()  # its school days
    hotspots: Annotated[tuple[TrialHotspot, ...], Field(max_length=200, strict=False)] = ()
    """Its pairs, one hotspot after the other."""

    @property
    def title(self) -> str:
        """Its name, or its first day where it has none."""
        return self.name or f"of {self.start}"

    def find_block(self, day: dt.date) -> dt.date:
        """The first of the days that are drawn together with a day: itself, its Monday, or all."""
        if self.randomise == "days":
            return day
        return self.start if self.randomise == "pairs" else day - dt.timedelta(days=day.weekday())

    def draw(self, day: dt.date) -> Bools:
        """(h,) which hotspots have patrols on a day: one of each pair; on other days all."""
        # Raw bits of the generator are the same in all versions of numpy.
        if day not in self.days:
            return np.ones(len(self.hotspots), dtype=bool)
        bits = np.random.PCG64([self.seed or 0, self.find_block(day).toordinal()])
        first = np.array([bits.random_raw() >> 63 for _ in self.hotspots[::2]], dtype=bool)
        return np.column_stack([first, ~first]).ravel()

    def build_stretches(self, projection: Projection) -> Objects:
        """(h,) the streets of its hotspots in metres."""
        lines = gpd.GeoSeries.from_wkt([one.stretch for one in self.hotspots], crs=DEGREES)
        return np.asarray(lines.to_crs(projection.crs).array, dtype=object)


def read_trial(path: Path) -> Trial:
    """Read a trial file; raises InputError with everything that is wrong in it."""
    document: Any = None
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        trial = Trial.model_validate_json(json.dumps(document))
        shapes = shapely.from_wkt([one.stretch for one in trial.hotspots], on_invalid="ignore")
    except ValidationError as error:
        data = document if isinstance(document, dict) else {}
        raise InputError(list_problems(path, error, data, Trial)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError.one(path, f"the trial cannot be read ({error})", REMEDY) from None
    if trial.end <= trial.start:
        raise InputError.one(path, f"end {trial.end} is not after start {trial.start}", REMEDY)
    is_whole = bool(trial.days) and trial.seed is not None and len(shapes) % 2 == 0
    if len(shapes) and not (is_whole and not shapely.is_missing(shapes).any()):
        raise InputError.one(path, "its hotspots, days or seed are not whole", REMEDY)
    return trial


def propose_trial(area: StudyArea, start: dt.date) -> Trial:
    """Twelve weeks by days from a day on; six whole months of pairs where only months are known."""
    if is_dated(area):
        monday = start - dt.timedelta(days=start.weekday())
        return Trial(start=start, end=monday + dt.timedelta(days=81))
    first = pd.Timestamp(start) + pd.offsets.MonthBegin(0)
    end = first + pd.offsets.MonthEnd(6)
    return Trial(start=first.date(), end=end.date(), randomise="pairs")


def choose_pairs(path: Path, trial: Trial, area: StudyArea, hotspots: gpd.GeoDataFrame) -> Trial:
    """Write a trial's file with its seed, school days and pairs of hotspots; gives the trial."""
    # Of the hotspots within the radius of a gate those with most crime are chosen, each far enough
    # from those before; neighbours in that order are a pair: no other pairs differ less in sum.
    # Raises InputError where dates, data or hotspots allow no trial.
    days = _list_days(path, trial, area)
    gates = shapely.MultiPoint(area.network.xy(area.gates))
    stops = gpd.points_from_xy(hotspots["stop_x"], hotspots["stop_y"])
    is_near = shapely.distance(stops, gates) <= area.settings.patrol.radius_metres
    months = pd.date_range(end=area.incidents["month"].max(), periods=HISTORY_MONTHS, freq="MS")
    lines = hotspots.geometry.to_numpy()
    counts = _count(area, hotspots["pieces"], months, by_days=False)
    expected = np.round(counts.mean(axis=1), 6) * is_near
    chosen: list[int] = []
    for row in np.argsort(-expected, kind="stable").tolist():
        away = shapely.distance(lines[row], lines[chosen])
        if expected[row] > 0 and (away >= trial.apart_metres).all():
            chosen.append(row)
    chosen = chosen[: min(len(chosen) // 2 * 2, MAX_HOTSPOTS[trial.randomise])]
    if len(chosen) < 4:  # noqa: PLR2004 - two pairs
        apart = f"{trial.apart_metres:g} m apart"
        what = f"only {len(chosen)} hotspots with crime are within reach and {apart}"
        raise InputError.one(path, what, "a trial needs at least 4: find more hotspots")
    streets = gpd.GeoSeries(lines[chosen], crs=area.projection.crs).to_crs(DEGREES)
    found = tuple(
        TrialHotspot(
            hotspot=hotspots["hotspot"].iloc[row],
            place=hotspots["place"].iloc[row],
            expected=float(expected[row]),
            stretch=stretch,
            places=_list_places(lines[row], area.projection.crs),
        )
        for row, stretch in zip(chosen, streets.to_wkt(rounding_precision=6), strict=True)
    )
    seed = secrets.randbelow(2**63) if trial.seed is None else trial.seed
    whole = trial.model_copy(update={"seed": seed, "days": days, "hotspots": found})
    text = json.dumps(whole.model_dump(mode="json"), ensure_ascii=False, indent=1)
    write_file_atomically(path, f"{text}\n".encode())
    return whole


def _list_places(line: shapely.Geometry, crs: str) -> tuple[str, ...]:
    """The parts of squares in which places in sight of some streets are."""
    around = line.buffer(AT_HOTSPOT_METRES)
    west, south, east, north = around.bounds
    x, y = np.meshgrid(np.arange(west, east, STEP_METRES), np.arange(south, north, STEP_METRES))
    inside = np.column_stack([x.ravel(), y.ravel()])[shapely.contains_xy(around, x, y).ravel()]
    edge = shapely.get_coordinates(shapely.segmentize(around.boundary, STEP_METRES))
    return tuple(sorted({*name_parts(np.concatenate([inside, edge]), crs)}))


def _list_days(path: Path, trial: Trial, area: StudyArea) -> tuple[dt.date, ...]:
    """The days of a trial on which any school is open."""
    last = (area.incidents["month"].max() + pd.offsets.MonthEnd(0)).date()
    if trial.start <= last:
        what = f"start {trial.start} is not after the crimes, which reach to {last}"
        raise InputError.one(path, what, "start on a day of which no crime is known yet", "start")
    is_whole = trial.start.day == (trial.end + dt.timedelta(days=1)).day == 1
    if not is_dated(area) and not (trial.randomise == "pairs" and is_whole):
        what = "only the months of crimes are known"
        remedy = 'write "randomise": "pairs", start on the first and end on the last of a month'
        raise InputError.one(path, what, remedy, "randomise")
    span = [day.date() for day in pd.bdate_range(trial.start, trial.end)]
    is_open = find_open_days(area.term_dates, list(area.schools["urn"]), span).any(axis=0)
    days = tuple(day for day, some in zip(span, np.asarray(is_open), strict=True) if some)
    if not days:
        what = f"there is no school day from {trial.start} to {trial.end}"
        raise InputError.one(path, what, "choose dates in term, or correct term_dates")
    return days


def is_dated(area: StudyArea) -> bool:
    """Whether the days of nearly all incidents that count are known."""
    counted = area.incidents["category"].isin(list(area.settings.crimes.risk_categories))
    return bool(area.incidents["occurred_at"][counted].notna().mean() >= MIN_DATED_SHARE)


def _count(
    area: StudyArea, pieces: Iterable[ArrayLike], times: pd.DatetimeIndex, *, by_days: bool
) -> Floats:
    """(h, t) incidents of hotspots on days, or in months by their first days."""
    # Of a crime that is known only by a map point, a hotspot has the fraction on its own streets.
    own = compute_catchment_shares(area.catchments, [np.asarray(part) for part in pieces])
    incidents = area.incidents
    when = incidents["occurred_at"].dt.normalize() if by_days else incidents["month"]
    column = times.get_indexer(pd.DatetimeIndex(when)).astype(np.int64)
    return np.asarray(own @ count_incidents(area, column, len(times)))


def draw_trial_week(path: Path, trial: Trial, days: Sequence[dt.date]) -> WeekTrial:
    """What a trial draws for a week's days; raises InputError where none of them is the trial's."""
    cells = [
        TrialCell(hotspot.hotspot, day, treated=bool(treated))
        for day in days
        if day in trial.days
        for hotspot, treated in zip(trial.hotspots, trial.draw(day), strict=True)
    ]
    if not cells:
        what = f"no day from {days[0]} to {days[-1]} is a school day of the trial"
        remedy = f"it is from {trial.start} to {trial.end}: plan other weeks without --trial"
        raise InputError.one(path, what, remedy)
    return WeekTrial(trial.title, tuple(cells))


def plan_trial_days(
    area: StudyArea, days: Sequence[dt.date], trial: Trial, plan_days: PlanDays
) -> dict[dt.date, Plan]:
    """A plan for each day, on which nobody stands at the hotspots that have no patrols on it."""
    # Days on which these are the same are planned together.
    together: dict[frozenset[str], list[dt.date]] = {}
    for day in days:
        without = np.flatnonzero(~trial.draw(day))
        closed = frozenset[str]().union(*(trial.hotspots[row].places for row in without))
        together.setdefault(closed, []).append(day)
    plans: dict[dt.date, Plan] = {}
    for closed, some in together.items():
        plans |= plan_days(replace(area, closed=closed), some)
    return {day: plans[day] for day in days}


def mark_trial_week(week: Week, trial: Trial, drawn: WeekTrial) -> Week:
    """The week with what the trial drew, and notes on it and on what took precedence over it."""
    none = {(cell.hotspot, cell.date) for cell in drawn.drawn if not cell.treated}
    visited = {
        (duty.date, hotspot.hotspot)
        for duty in week.duties
        for hotspot in trial.hotspots
        if (hotspot.hotspot, duty.date) in none
        and any(
            get_part(stop.id) in hotspot.places for stop in duty.patrol.stops if stop.kind != "gate"
        )
    }
    text = (
        f"The week is part of the trial {drawn.title}: on some days some places are left without "
        "patrols, by lot. Send nobody there to make up for it."
    )
    notes = [Note("trial_week", text, "lead")]
    if visited:
        places = "; ".join(f"{name} on {day}" for day, name in sorted(visited))
        text = (
            "Patrols stop where the trial has none, for a place tasked by intelligence or set by "
            f"hand: {places}."
        )
        notes.append(Note("trial_overridden", text, "lead"))
    others = [note for note in week.notes if note.key not in {"trial_week", "trial_overridden"}]
    return replace(week, trial=drawn, notes=(*others, *notes))


LEVEL = 0.05
DRAWS = 999
FACTORS = np.geomspace(0.01, 100.0, 4001)
"""Factors on incidents that are tested for the interval, 0.2 % apart."""
ROUNDING = 1e-9  # values of T that differ by less are equal


@dataclass(frozen=True)
class Effect:
    """The effect of having patrols drawn: a factor on incidents, 0.8 is a fifth fewer."""

    factor: float  # NaN where no incident came without patrols
    low: float
    high: float  # its 95 % interval; 0 or infinite where nothing bounds it
    p_value: float
    incidents_with: float
    """Where patrols were drawn; fractions where a map point represents several streets."""
    incidents_without: float


def analyse_trial(path: Path, trial: Trial, area: StudyArea) -> Effect:
    """Compare incidents by what was drawn."""
    last = (area.incidents["month"].max() + pd.offsets.MonthEnd(0)).date()
    if last < trial.end:
        what = f"the trial ends on {trial.end}, and the crimes reach to {last}"
        raise InputError.one(path, what, "come back with all its months")
    by_days = is_dated(area)
    if not by_days and trial.randomise != "pairs":
        what = "the trial is counted by days, and the crimes name only their months"
        raise InputError.one(path, what, "name crimes with a column occurred_at")
    times = pd.DatetimeIndex(trial.days)
    if not by_days:
        times = pd.date_range(trial.start, trial.end, freq="MS")
    pieces = find_pieces_of_shapes(area.network, trial.build_stretches(area.projection))
    counts = _count(area, pieces, times, by_days=by_days)
    # Days that are drawn together count as one; months of pairs do so as well.
    first_days = {trial.find_block(day): day for day in reversed(trial.days)}
    blocks = list(first_days)
    own_block = [blocks.index(trial.find_block(time.date())) for time in times]
    is_of = np.eye(len(blocks))[own_block]
    expected = np.array([[hotspot.expected] for hotspot in trial.hotspots]) * is_of.sum(axis=0)
    drawn = np.column_stack([trial.draw(first_days[block]) for block in blocks])
    return estimate_effect(counts @ is_of, expected, drawn, seed=trial.seed or 0)


def estimate_effect(counts: Floats, expected: Floats, drawn: Bools, *, seed: int) -> Effect:
    """The effect of (h, b) patrols `drawn`, of incidents `counts`, on those `expected` before."""
    # Let Z be what was drawn, y the incidents of a hotspot in a block and m those expected. Without
    # an effect the same incidents would have happened under any draw, so
    #     T = sum of (Z - 1/2) (y - l m),    l = sum of y / sum of m,
    # is computed for what was drawn and for other draws of the same pairs; the p-value is the share
    # of these in which T is at least as far from zero, the drawn one counted. If the effect were a
    # factor f, those with patrols would have had y / f without them, and T of these is tested in
    # the same way: all f not rejected at 5 % make the interval, see `docs/methods/trial.md`.
    # Rows 2k and 2k + 1 are a pair, one of which has patrols in each block (column); `expected` may
    # have any scale. T is the sum of a part over f and a part without it, so that two sums a draw
    # give T of all factors.
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2, (DRAWS, len(counts) // 2, counts.shape[1]))
    others = np.stack([first, 1 - first], axis=2).reshape(DRAWS, *counts.shape)
    signs = np.concatenate([drawn[None], others]) - 0.5
    parts = np.stack([counts * drawn, counts * ~drawn])
    sizes = parts.sum(axis=(1, 2))
    away = parts - sizes[:, None, None] * expected / expected.sum()
    sums = np.tensordot(signs, away, axes=([1, 2], [1, 2]))

    def compute_p(factors: Floats) -> Floats:
        far = np.abs(sums[:, :1] / factors + sums[:, 1:])
        return np.asarray((far >= far[0] - ROUNDING).mean(axis=0))

    came, without = sizes.tolist()
    rates = came / expected[drawn].sum(), without / expected[~drawn].sum()
    kept = FACTORS[compute_p(FACTORS) >= LEVEL]
    low, high = (kept[0], kept[-1]) if len(kept) else FACTORS[[0, 0]]
    return Effect(
        factor=rates[0] / rates[1] if without else np.nan,
        low=0.0 if low == FACTORS[0] else float(low),
        high=np.inf if high == FACTORS[-1] else float(high),
        p_value=float(compute_p(np.ones(1))[0]),
        incidents_with=came,
        incidents_without=without,
    )
