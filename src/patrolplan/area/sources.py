"""Every source of an area read by itself, before one is held against another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.area.scale import check_scale
from patrolplan.errors import InputError
from patrolplan.errors import Problems
from patrolplan.inputs.boundary import read_limits
from patrolplan.inputs.cache import cached_streets
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.given import columns_of
from patrolplan.inputs.given import files_of
from patrolplan.inputs.officers import read_officers
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.schools import read_bell_times
from patrolplan.inputs.schools import read_gates
from patrolplan.inputs.schools import read_schools
from patrolplan.inputs.tasked import read_tasked_places
from patrolplan.inputs.terms import read_term_dates
from patrolplan.network.kept import cached_network
from patrolplan.privacy import whole_squares
from patrolplan.projection import Projection
from patrolplan.settings import Settings
from patrolplan.tables import LeftOut

EVERYWHERE = shapely.box(-1e8, -1e8, 1e8, 1e8)
"""Stands in for the limits of an area whose streets cannot be read, to check the rest."""


@dataclass(frozen=True)
class Reader:
    """Reads what the settings name; what is wrong and what is left out gathers as it goes."""

    settings: Settings
    projection: Projection
    problems: Problems
    left_out: LeftOut

    def read(self) -> dict[str, Any]:
        """Every source that stands by itself; all of their problems are collected."""
        found: dict[str, Any] = {"passed_over": {}}
        projection, left_out = self.projection, self.left_out
        with self.problems.collecting():
            streets = cached_streets(files_of(self.settings, "streets"), projection, left_out)
            limits = read_limits(self.settings, streets.vertex_xy)
            check_scale(projection, limits)
            network = cached_network(streets, projection, left_out, limits=limits)
            if not len(network):
                what = "no walkable street lies inside the area"
                remedy = "check bounds and boundary against the streets"
                raise InputError.one("[area]", what, remedy)  # noqa: EM101 - a place, no message
            found |= {"limits": limits, "network": network, "features": streets.features}
            found["walking_extract"] = streets.walking_extract
        with self.problems.collecting():
            paths, columns = self._given("crimes")
            forces = self.settings.crimes.leave_out_forces
            found["crimes"] = read_crimes(
                paths, projection, left_out, columns=columns, leave_out_forces=forces
            )
        with self.problems.collecting():
            paths, columns = self._given("schools")
            wanted = self.settings.schools
            found["schools"] = read_schools(
                paths,
                projection,
                left_out,
                wanted=wanted,
                passed_over=found["passed_over"],
                columns=columns,
            )
        with self.problems.collecting():
            paths, columns = self._given("bell_times")
            found["bells"] = read_bell_times(paths, columns=columns)
        with self.problems.collecting():
            paths, columns = self._given("gates")
            found["gates"] = read_gates(paths, projection, columns=columns)
        with self.problems.collecting():
            paths, columns = self._given("officers")
            found["officers"] = read_officers(paths, projection, columns=columns)
        with self.problems.collecting():
            paths, columns = self._given("term_dates")
            found["term_dates"] = read_term_dates(paths, columns=columns)
        with self.problems.collecting():
            paths, columns = self._given("tasked_places")
            found["tasked_places"] = read_tasked_places(paths, projection, columns=columns)
        with self.problems.collecting():
            found |= self._reports(found.get("limits", EVERYWHERE))
        return found

    def _reports(self, limits: BaseGeometry) -> dict[str, Any]:
        """Reports inside the limits, and what was left out on the way; nothing without a file."""
        paths, columns = self._given("reports")
        told = LeftOut()
        if not paths:
            return {}
        reports = read_reports(
            paths,
            self.projection,
            whole_squares(limits),
            told,
            threshold=self.settings.privacy.threshold,
            columns=columns,
        )
        return {"reports": reports, "reports_left_out": told}

    def _given(self, source: str) -> tuple[tuple[Path, ...], Mapping[str, str]]:
        """Files and columns of a source that is a table; what is wrong with both is told."""
        problems = Problems()
        with problems.collecting():
            columns = columns_of(self.settings, source)
        with problems.collecting():
            paths = files_of(self.settings, source)
        problems.raise_if_any()
        return paths, columns
