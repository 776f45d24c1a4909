"""`Planner`: what is computed once to plan patrols, held by plans, weeks and the board."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, resolve_window
from patrolplan.area.square_names import name_places
from patrolplan.arrays import Objects
from patrolplan.hotspots.ground import Ground
from patrolplan.network.names import label_streets
from patrolplan.patrols.directions import Landmarks
from patrolplan.patrols.feared_places import NearSquare, find_near_squares
from patrolplan.patrols.patrol_builder import PatrolBuilder
from patrolplan.patrols.places import StandingPlaces
from patrolplan.patrols.prize import build_places
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.surroundings import Surroundings, build_surroundings
from patrolplan.risk.surface import Risk

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Patrol, Plan


class Occasion(NamedTuple):
    """What patrols of a school are planned for."""

    window: Window
    date: dt.date | None = None  # None: any day, so all tasked places count
    for_week: bool = True  # whether variants are complete, with times, for a week to draw from


class Planner:
    """What is computed once to plan patrols: streets around gates, places, walks.

    All of it is computed when it is first wanted, and held as long as the planner is. A copy that
    is sent to another process has the places that it needs there, and no pupils.

    Parameters
    ----------
    area, risk, hotspots
        See `plan_patrols`; the hotspots as `find_hotspots` gives them.
    given
        The hotspots as they were given to a plan: in another CRS, edited or read from a file.
    """

    def __init__(
        self,
        area: StudyArea,
        risk: Risk,
        hotspots: gpd.GeoDataFrame,
        given: gpd.GeoDataFrame | None = None,
    ) -> None:
        self.area = area
        self.risk = risk
        self.hotspots = hotspots
        self.given = hotspots if given is None else given
        self.hotspot_names = [str(name) for name in hotspots["hotspot"]]
        self._rows = {str(urn): row for row, urn in enumerate(area.schools["urn"])}
        self.patrols: dict[tuple[int, Occasion], list[Patrol]] = {}
        """The best patrols of schools, by row, without tasked places to visit."""
        self.streets: dict[int, Surroundings] = {}
        self._places: dict[tuple[int, Window], StandingPlaces] = {}
        self._near_squares: dict[int, list[NearSquare]] = {}
        self._builders: dict[tuple[object, ...], PatrolBuilder] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: sums for each place, and streets as they are."""
        labels, landmarks = self.piece_labels, self.landmarks
        state = self.__dict__ | {"area": self.area.strip_for_workers(), "patrols": {}}
        state["given"] = self.hotspots
        state |= {"piece_labels": labels, "landmarks": landmarks, "streets": {}, "_builders": {}}
        state.pop("ground", None)
        return state

    def is_of(self, risk: Risk, hotspots: gpd.GeoDataFrame) -> bool:
        """Whether it plans by this risk, and these very hotspots."""
        return self.risk is risk and any(hotspots is own for own in (self.hotspots, self.given))

    def for_area(self, area: StudyArea) -> "Planner":
        """The planner of an area, with all that is computed already and the same there."""
        if area is self.area:
            return self
        other = Planner(area, self.risk, self.hotspots, self.given)
        if not self._is_same(
            area, "network", "features", "schools", "gates", "reports", "settings"
        ):
            return other
        self._hand_on_streets(other)
        other._near_squares = self._near_squares
        if not self._is_same(area, "designated"):
            return other
        other._places = self._places
        if self._is_same(area, "tasked_places", "closed"):
            other.patrols = self.patrols
            other._builders = self._builders
        return other

    def for_risk(
        self, risk: Risk, hotspots: gpd.GeoDataFrame, given: gpd.GeoDataFrame | None = None
    ) -> "Planner":
        """The planner of another risk of the area, such as that of another window."""
        other = Planner(self.area, risk, hotspots, given)
        self._hand_on_streets(other)
        return other

    def _hand_on_streets(self, other: "Planner") -> None:
        """Hand on to another planner what rests on streets and map features alone."""
        for name in ("ground", "piece_labels", "landmarks"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        other.streets = self.streets

    def _is_same(self, area: StudyArea, *names: str) -> bool:
        """Whether an area has the very same of what is named."""
        return all(getattr(area, name) is getattr(self.area, name) for name in names)

    @cached_property
    def ground(self) -> Ground:
        """Where in the area an officer could stand."""
        return Ground(self.area.network, self.area.features)

    @cached_property
    def piece_labels(self) -> Objects:
        """(w,) label of each piece of the area's walkable network."""
        return label_streets(self.area.network.walkable)

    @cached_property
    def landmarks(self) -> Landmarks | None:
        """What directions may name at a turn."""
        return Landmarks.from_features(self.area.features)

    def find_row(self, urn: str) -> int:
        """Row of a school of the area."""
        return self._rows[urn]

    def get_streets(self, row: int) -> Surroundings:
        """The streets around the gate of a school."""
        if row not in self.streets:
            self.streets[row] = build_surroundings(self.area, row)
        return self.streets[row]

    @cached_property
    def hotspot_ids(self) -> list[str]:
        """(h,) ID of the stopping place of each hotspot, see `name_places`."""
        stops = self.hotspots[["stop_x", "stop_y"]].to_numpy()
        return name_places(stops, self.area.projection.crs)

    def prepare_all(self, rows: Iterable[int], window: Window) -> None:
        """Find the places of schools in a window together, which is quicker than one by one."""
        missing = [row for row in rows if (row, window) not in self._places]
        if missing:
            found = build_places(self, window, missing)
            self._places |= {(row, window): standing for row, standing in found.items()}

    def get_places(self, row: int, window: Window) -> StandingPlaces:
        """Where an officer of a school may stand, and what that is worth."""
        self.prepare_all([row], window)
        return self._places[row, window]

    def find_near_squares(self, row: int) -> list[NearSquare]:
        """The squares near a school where pupils feel least safe, the nearest to its gate first."""
        if row not in self._near_squares:
            self._near_squares[row] = find_near_squares(self, row)
        return self._near_squares[row]

    def get_builder(
        self, row: int, occasion: Occasion, visit: Sequence[str] = (), watch: Sequence[str] = ()
    ) -> PatrolBuilder:
        """What builds the patrols of a school; for a week, in which it is used often, built once.

        `visit` and `watch` name tasked places and hotspots that are candidates beside the own.
        """
        key = (row, occasion, tuple(visit), tuple(watch))
        if key in self._builders:
            return self._builders[key]
        builder = PatrolBuilder(build_school_problem(self, row, occasion, visit=visit, watch=watch))
        if occasion.for_week:
            self._builders[key] = builder
        return builder


def get_planner(plan: "Plan") -> Planner:
    """The planner that a plan holds, or a new one for a plan without."""
    planner = plan.planner or Planner(plan.area, plan.risk, plan.hotspots)
    return planner.for_area(plan.area)


def get_occasion(plan: "Plan") -> Occasion:
    """What the patrols of a plan are planned for."""
    return Occasion(plan.window or resolve_window(plan.area.settings.patrol), plan.date)
