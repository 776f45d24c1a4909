"""Plan against delivered, and what of it a new week and papers for schools look back on."""

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.doors import Day, read_day
from patrolplan.network.shapes import split_by_polygons
from patrolplan.tables import REASONS
from patrolplan.team.ledger import presence
from patrolplan.team.ledger.address import open_existing_ledger
from patrolplan.team.ledger.promised import list_place_ids
from patrolplan.team.shares import OUTSIDE, project_polygons, read_polygon_names

if TYPE_CHECKING:
    from patrolplan.team.ledger.ledger import Ledger

FIGURE_COLUMNS: tuple[str, ...] = ("promised_visits", "delivered_visits", "further_visits")
FIGURE_COLUMNS += ("not_recorded", "promised_minutes", "delivered_minutes", "presence_minutes")
FIGURE_COLUMNS += ("promised_person_minutes", "person_minutes", "engagements")
"""The columns of figures in a return.

Delivered visits are planned ones that were made, by the officer of the plan or another one: at most
as many as were planned for a place, a school and a day. Any others are further visits. Minutes are
presence, see `patrolplan.team.ledger.presence`: delivered minutes are those of planned visits, at
most as many as planned; presence minutes are those of all visits. Person minutes count every
person.
"""

COMPARISON_KEY = ["officer", "date", "urn", "id"]
WHOLE_COLUMNS = (*FIGURE_COLUMNS[:4], "engagements")

NOT_RECORDED, NO_REASON = "not recorded", "none given"
SHORTFALL_KINDS = (*REASONS, NO_REASON, NOT_RECORDED)
"""Why minutes planned were not delivered, in the order of a return."""


def month_days(month: str) -> tuple[dt.date, dt.date]:
    """First and last day of a month."""
    first = dt.date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def compare_doses(
    ledger: "Ledger",
    first: Day,
    last: Day,
    *,
    polygons: gpd.GeoDataFrame | None = None,
    name: str | None = None,
) -> pd.DataFrame:
    """Every promised or delivered visit in these days, the two side by side.

    Parameters
    ----------
    polygons
        Wards, beats or others, in any CRS and without overlaps; they add the column `polygon`.
    name
        Column with their names, as in `patrolplan.shares_by`.

    Returns
    -------
    pandas.DataFrame
        `officer, date, week` (its Monday), `urn, school, hotspot, kind, place` and
        `FIGURE_COLUMNS`.
        Names and words of a place are those last handed out in these days. `polygon` is a category
        with all names in the order given, and "outside": that in which one stands at the place, the
        earlier one where it is on a border.

    Raises
    ------
    InputError
        When the polygons cannot be counted by, see `patrolplan.shares_by`.
    """
    first, last = read_day(first, "first"), read_day(last, "last")
    promised, delivered, accounts = _account_for_days(ledger, first, last)
    spots = _list_places(ledger.read_hotspots(first, last), delivered)
    rows = _list_figures(delivered, accounts)
    table = pd.DataFrame(rows, columns=[*COMPARISON_KEY, *FIGURE_COLUMNS])
    table[list(FIGURE_COLUMNS)] = table[list(FIGURE_COLUMNS)].astype(float).fillna(0.0)
    table = table.groupby(COMPARISON_KEY, as_index=False)[list(FIGURE_COLUMNS)].sum()
    table[list(WHOLE_COLUMNS)] = table[list(WHOLE_COLUMNS)].astype("int64")
    if polygons is not None:
        names = [*read_polygon_names(polygons, name), OUTSIDE]
        xy = ledger.projection.to_metres(spots["longitude"], spots["latitude"])
        shapes = project_polygons(polygons, ledger.projection.crs)
        points = np.asarray(gpd.points_from_xy(*xy), dtype=object)
        row = split_by_polygons(points, shapes).argmax(axis=1)
        inside = np.array(names, dtype=object)[row]
        spots["polygon"] = pd.Categorical(inside, categories=names)
    table = table.merge(spots, on="id", how="left")
    table["week"] = [day - dt.timedelta(days=day.weekday()) for day in table["date"]]
    schools = promised.drop_duplicates("urn", keep="last").set_index("urn")["school"]
    table["school"] = schools.reindex(table["urn"], fill_value="").to_numpy()
    place = ["hotspot", "kind", "place", *(["polygon"] if polygons is not None else [])]
    columns = ["officer", "date", "week", "urn", "school", *place, *FIGURE_COLUMNS]
    return table.sort_values(COMPARISON_KEY, ignore_index=True)[columns]


def read_presence(ledger: "Ledger", first: dt.date, last: dt.date) -> pd.DataFrame:
    """The valid visits in these days (see `Ledger.read_delivered`), with `minutes` of presence."""
    # Those of a place and a day sum to the time that any officer was there.
    _, delivered, accounts = _account_for_days(ledger, first, last)
    shares = presence.share_presence_by_day(accounts)
    return delivered.assign(minutes=[shares[row] for row in delivered.index])


def list_shortfalls(ledger: "Ledger", first: dt.date, last: dt.date) -> pd.DataFrame:
    """What was planned in these days and not delivered, by the reason that was entered."""
    # A row a `reason` (of `SHORTFALL_KINDS`, in that order), with `visits` not made at all, and
    # `minutes` not delivered, of those and of visits cut short.
    places, rows = _account_for_days(ledger, first, last)[2].values(), []
    for account in (account for place in places for account in place.stops):
        if (lacking := account.stop.minutes - account.delivered_minutes) > 0:
            reason = (account.reason or NO_REASON) if account.stays else NOT_RECORDED
            rows.append((reason, int(not account.made), lacking))
    table = pd.DataFrame(rows, columns=["reason", "visits", "minutes"])
    sums = table.groupby("reason")[["visits", "minutes"]].sum()
    order = [kind for kind in SHORTFALL_KINDS if kind in sums.index]
    return sums.reindex(order).rename_axis("reason").reset_index().round({"minutes": 1})


def summarise_doses(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Plan against delivered, summed by columns of `compare_doses`.

    Returns
    -------
    pandas.DataFrame
        The columns given, `FIGURE_COLUMNS`, and `delivered_percent` of the promised minutes, NA
        where nothing was promised. By `polygon` alone, one row a polygon, also without presence.
    """

    def pad(column: pd.Series) -> pd.Series:  # H2 comes before H10
        return column.str.zfill(12) if column.name == "hotspot" else column

    figures = table.groupby(by, as_index=False, observed=len(by) > 1)[list(FIGURE_COLUMNS)]
    sums = figures.sum().sort_values(by, key=pad, ignore_index=True)
    promised = sums["promised_minutes"]
    share = 100 * sums["delivered_minutes"] / promised.where(promised > 0)
    minutes = [name for name in FIGURE_COLUMNS if name.endswith("minutes")]
    sums[minutes] = sums[minutes].round(1)
    return sums.assign(delivered_percent=share.astype("Float64").round(1))


def summarise_designated(
    ledger: "Ledger", first: dt.date, last: dt.date, by_hotspot: pd.DataFrame
) -> pd.DataFrame:
    """Plan against delivered of every hotspot that the force designates, in these days."""
    # `by_hotspot` are those with a dose, see `summarise_doses`. Gives `place_id`, `place` and the
    # figures, 0 where nothing was promised or delivered; those of the weeks that were handed out.
    spots = ledger.read_hotspots(first, last)
    spots = spots[spots["kind"] == "designated"].drop_duplicates("hotspot").sort_values("hotspot")
    figures = by_hotspot.drop(columns="place").drop_duplicates("hotspot")
    table = spots[["hotspot", "place"]].merge(figures, on="hotspot", how="left")
    counts = list(FIGURE_COLUMNS)
    table[counts] = table[counts].fillna(0.0).astype(figures.dtypes[counts])
    return table.rename(columns={"hotspot": "place_id"})


def _list_figures(rows: pd.DataFrame, accounts: presence.PlaceAccounts) -> Iterator[dict[str, Any]]:
    """Figures of all stops and visits, a row each for whoever they count for."""
    # The delivery of a stop counts for the officer of its first visit. What others do with an
    # officer is their own minutes; those who are not named count for the officer.
    shares = presence.share_presence_by_day(accounts)
    for key, place in accounts.items():
        at = dict(zip(presence.PLACE_KEY, key, strict=True))
        for account in place.stops:
            stop, missed = account.stop, int(not account.stays)
            others = stop.people - {stop.officer}
            unnamed = stop.minutes * (stop.count - len(others))
            own = {"promised_visits": 1, "promised_minutes": stop.minutes, "not_recorded": missed}
            yield {**at, "officer": stop.officer, **own, "promised_person_minutes": unnamed}
            for name in others:
                yield {**at, "officer": name, "promised_person_minutes": stop.minutes}
            for stay in account.made[:1]:
                made = {"delivered_visits": 1, "delivered_minutes": account.delivered_minutes}
                yield {**at, "officer": stay.officer, **made}
            for stay in account.further_visits:
                yield {**at, "officer": stay.officer, "further_visits": 1}
        for stay in place.others:
            yield {**at, "officer": stay.officer, "further_visits": int(stay.minutes > 0)}
        for stay, further in place.list_people_counts():
            spoken = rows["engagements"][stay.row]
            own = {"presence_minutes": shares[stay.row]}
            own["person_minutes"] = stay.minutes * (1 + further)
            own["engagements"] = 0 if pd.isna(spoken) else int(spoken)
            yield {**at, "officer": stay.officer, **own}
            for name in stay.names - {stay.officer}:
                yield {**at, "officer": name, "person_minutes": stay.minutes}


def _account_for_days(
    ledger: "Ledger", first: dt.date, last: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame, presence.PlaceAccounts]:
    """What was promised and delivered in these days, and the account of every place."""
    # Stops of a patrol at one place are promised as one visit.
    promised, delivered = ledger.read_promised(first, last), ledger.read_delivered(first, last)
    visit = ["officer", "date", "urn", "window", "id"]
    promised["minutes"] = promised.groupby(visit)["minutes"].transform("sum")
    promised = promised.drop_duplicates(visit, ignore_index=True)
    return promised, delivered, presence.account_for_visits(promised, delivered)


def _list_places(*tables: pd.DataFrame) -> pd.DataFrame:
    """`id, hotspot, kind, place, longitude, latitude` of each place, as last handed out."""
    # Instead of a name, which is an ID, corners and gates have their kind.
    columns = ["id", "hotspot", "kind", "place", "longitude", "latitude"]
    places = pd.concat([table[columns] for table in tables]).drop_duplicates("id")
    is_named = ~places["kind"].isin(["corner", "gate"])
    return places.assign(hotspot=places["hotspot"].where(is_named, places["kind"]))


DOSE_HISTORY_DAYS = 7  # number of earlier days whose doses a new week starts from
PRESENCE_WEEKS = 4  # weeks before a week that papers for schools look back on


def delivered_before(
    ledger: "Ledger", start: Day, hotspots: gpd.GeoDataFrame, *, days: int = DOSE_HISTORY_DAYS
) -> pd.DataFrame:
    """Doses delivered before the first day of a week: `hotspot, date, minutes` for `plan_week`.

    A dose is for the hotspot of today's plan at its place, and for those in view of it, whatever
    their names.
    """
    start = read_day(start, "start")
    days_before = start - dt.timedelta(days=days), start - dt.timedelta(days=1)
    visits = read_presence(ledger, *days_before)
    visits = visits[visits["minutes"] > 0]
    seen: dict[str, set[str]] = {}
    for place in ledger.read_hotspots(*days_before).to_dict("records"):
        seen.setdefault(place["id"], set()).update(place["sees"].split(";"))
    counted = pd.Series([sorted({own, *seen.get(own, ())}) for own in visits["id"]], visits.index)
    names = hotspots[["hotspot"]].assign(id=list_place_ids(hotspots, ledger.projection.crs))
    doses = visits[["date", "minutes"]].assign(id=counted).explode("id").merge(names, on="id")
    return doses.groupby(["hotspot", "date"])[["minutes"]].sum().reset_index()


def load_delivered_before(
    area: StudyArea, hotspots: gpd.GeoDataFrame, start: dt.date
) -> pd.DataFrame | None:
    """What a new week starts from: `delivered_before` of the settings' ledger; None without one."""
    with open_existing_ledger(area.settings) as ledger:
        return None if ledger is None else delivered_before(ledger, start, hotspots)


@dataclass(frozen=True)
class RecentPresence:
    """Recorded presence in the weeks before a week."""

    weeks: int  # number of `PRESENCE_WEEKS` with any entry in the ledger; at least one
    days: dict[str, frozenset[dt.date]]  # days on which officers were there, by today's hotspot

    def find_days(self, hotspots: Iterable[str]) -> frozenset[dt.date]:
        """Days on which officers were at any of these hotspots."""
        return frozenset[dt.date]().union(*(self.days.get(name, ()) for name in hotspots))


def read_recent_presence(
    ledger: "Ledger", start: dt.date, hotspots: gpd.GeoDataFrame
) -> RecentPresence | None:
    """Presence in the weeks before a day, by today's hotspots; None without a record."""
    # A week without any entry is not counted, rather than counted as one without a patrol.
    length = 7 * PRESENCE_WEEKS
    first, last = start - dt.timedelta(days=length), start - dt.timedelta(days=1)
    dates = ledger.read_delivered(first, last)["date"]
    weeks = {(date - first).days // 7 for date in dates}
    if not weeks:
        return None
    doses = delivered_before(ledger, start, hotspots, days=length)
    by_hotspot = doses.groupby("hotspot")["date"]
    return RecentPresence(len(weeks), {str(name): frozenset(days) for name, days in by_hotspot})


def load_recent_presence(
    area: StudyArea, hotspots: gpd.GeoDataFrame, start: dt.date
) -> RecentPresence | None:
    """`read_recent_presence` of the settings' ledger; looking does not create one."""
    with open_existing_ledger(area.settings) as ledger:
        return None if ledger is None else read_recent_presence(ledger, start, hotspots)
