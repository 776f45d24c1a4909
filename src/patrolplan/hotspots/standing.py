"""Where an officer stands to watch a stretch of street."""

from typing import Literal

Stand = Literal["junction", "bus_stop", "station_entrance", "crossing", "shop_front", "street"]
"""What a stopping place is at; "street" where none of the others is in view of the stretch."""

Lighting = Literal["yes", "no", "unknown"]
"""Street lighting; what the streets file does not say is unknown, never dark."""
