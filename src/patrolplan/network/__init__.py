"""The street network: pieces of street, snapping, walks, catchments and names."""

from patrolplan.network.network import (
    Positions as Positions,
    StreetNetwork as StreetNetwork,
    build_network as build_network,
    concatenate_positions as concatenate_positions,
)
