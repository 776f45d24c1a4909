"""Every source of an area read by itself, before one is held against another."""

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
        columns, projection, left_out = self.settings.columns, self.projection, self.left_out
        with self.problems.collecting():
            streets = cached_streets(self._paths("streets"), projection, left_out)
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
            found["crimes"] = read_crimes(
                self._paths("crimes"),
                projection,
                left_out,
                columns=columns.get("crimes"),
                leave_out_forces=self.settings.crimes.leave_out_forces,
            )
        with self.problems.collecting():
            found["schools"] = read_schools(
                self._paths("schools"),
                projection,
                left_out,
                wanted=self.settings.schools,
                passed_over=found["passed_over"],
                columns=columns.get("schools"),
            )
        with self.problems.collecting():
            paths = self._paths("bell_times")
            found["bells"] = read_bell_times(paths, columns=columns.get("bell_times"))
        with self.problems.collecting():
            paths = self._paths("gates")
            found["gates"] = read_gates(paths, projection, columns=columns.get("gates"))
        with self.problems.collecting():
            paths = self._paths("officers")
            found["officers"] = read_officers(paths, projection, columns=columns.get("officers"))
        with self.problems.collecting():
            paths = self._paths("term_dates")
            found["term_dates"] = read_term_dates(paths, columns=columns.get("term_dates"))
        with self.problems.collecting():
            paths, mapped = self._paths("tasked_places"), columns.get("tasked_places")
            found["tasked_places"] = read_tasked_places(paths, projection, columns=mapped)
        with self.problems.collecting():
            found |= self._reports(found.get("limits", EVERYWHERE))
        return found

    def _reports(self, limits: BaseGeometry) -> dict[str, Any]:
        """Reports inside the limits, and what was left out on the way; nothing without a file."""
        paths = self._paths("reports")
        told = LeftOut()
        if not paths:
            return {}
        reports = read_reports(
            paths,
            self.projection,
            whole_squares(limits),
            told,
            threshold=self.settings.privacy.threshold,
            columns=self.settings.columns.get("reports"),
        )
        return {"reports": reports, "reports_left_out": told}

    def _paths(self, source: str) -> tuple[Path, ...]:
        """Files of a source; a pattern that matches nothing is a problem, an unset key is not."""
        paths = self.settings.paths(source)
        patterns = getattr(self.settings.sources, source)
        if patterns and not paths:
            remedy = f"mend [sources] {source}; paths start at the settings file's folder"
            raise InputError.one(", ".join(patterns), "no file matches", remedy)
        return paths
