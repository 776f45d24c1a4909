"""Streets -> `StreetNetwork`: pieces of street, snapping, walks on them, catchments, names."""

from patrolplan.network.network import Positions as Positions
from patrolplan.network.network import StreetNetwork as StreetNetwork
from patrolplan.network.network import build_network as build_network
from patrolplan.network.network import joined_positions as joined_positions
