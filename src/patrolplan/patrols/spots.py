"""Where an officer of one school could stand: the gate, hotspots, and corners of the own ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.arrays import Bools, Ints
from patrolplan.hotspots.ground import Stand, locate_places
from patrolplan.network import Positions, concatenate_positions
from patrolplan.patrols.surroundings import MAX_METRES
from patrolplan.pupils.flows import SchoolPupils

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

MIN_FLOW_SHARE = 0.05  # least flow in sight, as a share of that on the school's busiest street


@dataclass(frozen=True, eq=False)
class Spots:
    """(k,) spots: the gate, hotspots within the radius, and corners on own ways within reach."""

    positions: Positions  # on the area's walkable network, all of them on streets to patrol
    hotspot_rows: Ints  # of the hotspots whose stopping places they are, or -1
    stands: tuple[tuple[Stand, str], ...]  # what each is at, and its name; see `Ground`

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def is_hotspot(self) -> Bools:
        """(k,) whether each is the stopping place of a hotspot."""
        return np.asarray(self.hotspot_rows >= 0)


def list_spots(planner: "Planner", row: int, pupils: SchoolPupils) -> Spots:
    """The spots of a school, by its row."""
    area, places = planner.area, planner.ground.places
    radius_metres = area.settings.patrol.radius_metres
    metres = planner.get_streets(row).spread_walks(len(area.network.walkable), radius_metres)
    flow = np.zeros(len(metres))
    flow[pupils.pieces] = pupils.flow
    corner = places["piece"].to_numpy()
    is_used = flow[corner] >= MIN_FLOW_SHARE * flow[: len(area.network)].max(initial=0.0)
    is_used &= (flow[corner] > 0) & (metres[corner] <= MAX_METRES)
    corners = places[is_used]
    stop_piece = planner.hotspots["stop_piece"].to_numpy(dtype=np.int64)
    hotspots = np.flatnonzero(np.isfinite(metres[stop_piece]))
    offset = planner.hotspots["stop_metres"].to_numpy()[hotspots]
    stops = Positions(stop_piece[hotspots], offset, np.zeros(len(hotspots)))
    gate = area.gates.take([row])
    plain: list[tuple[Stand, str]] = [("street", "")] * (1 + len(hotspots))
    return Spots(
        positions=concatenate_positions(gate, stops, locate_places(corners)),
        hotspot_rows=np.r_[-1, hotspots, np.full(len(corners), -1)].astype(np.int64),
        stands=(*plain, *zip(corners["stand"].tolist(), corners["at"].tolist(), strict=True)),
    )


def list_hotspots_in_view(
    planner: "Planner", rows: Sequence[int] | Ints, pieces: Ints
) -> tuple[str, ...]:
    """The hotspots of these rows whose stopping place is on one of some pieces."""
    stop_piece = planner.hotspots["stop_piece"].to_numpy(dtype=np.int64)
    return tuple(planner.hotspot_names[row] for row in rows if stop_piece[row] in pieces)
