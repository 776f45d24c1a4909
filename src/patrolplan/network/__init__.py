"""The street network: pieces of street, snapping, walks, catchments and names."""

from patrolplan.network.build import build_network as build_network
from patrolplan.network.network import (
    Positions as Positions,
    StreetNetwork as StreetNetwork,
    concatenate_positions as concatenate_positions,
)
