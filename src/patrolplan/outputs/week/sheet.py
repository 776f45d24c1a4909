"""A paper of the week that a template typesets: its words, and the map in it."""

from dataclasses import dataclass
from typing import Any

from patrolplan.outputs.cartography.fonts import typeset_template
from patrolplan.outputs.earlier_papers import hash_template
from patrolplan.outputs.week.overview_map import OverviewMap
from patrolplan.patrols.plan import Plan


@dataclass(frozen=True, eq=False)
class Sheet:
    """A paper before it is typeset; markup in its words is text."""

    template: str
    data: dict[str, Any]
    map: OverviewMap | None = None

    @property
    def facts(self) -> tuple[object, ...]:
        """All that it shows except the ground and the hotspots, see `EarlierPapers`."""
        return hash_template(__package__, self.template), self.data, self.map

    def render(self, plan: Plan) -> bytes:
        """Typeset it as a tagged PDF; equal weeks give equal bytes."""
        picture = b"" if self.map is None else self.map.draw(plan)
        return typeset_template(__package__, self.template, self.data, map_svg=picture)
