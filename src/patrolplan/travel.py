"""How officers come to a gate and go on patrol; no other module compares names of these ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

PatrolWay = Literal["walk", "bicycle"]
"""The ways of `TRAVEL` that patrols go."""


@dataclass(frozen=True, kw_only=True)
class WayOfTravel:
    """A way of travel: how fast, along which streets, and its words."""

    words: str  # how somebody goes, such as "by bicycle"
    verb: str = ""  # what a patrol does so, such as "ride"; empty where none goes so
    noun: str = ""  # a patrol as this, such as "bicycle ride"
    speed_kmh: float | None = None  # None: the speed on foot of the settings
    is_ridden: bool = False  # one-way streets bind it, and it is pushed where riding is not allowed
    overhead_minutes: float | None = None  # from door to door; None: it goes along the streets

    def find_speed_kmh(self, walking_kmh: float) -> float:
        """Its speed where people on foot go so fast."""
        return walking_kmh if self.speed_kmh is None else self.speed_kmh

    def compute_metres_per_minute(self, walking_kmh: float) -> float:
        """The same in metres per minute."""
        return self.find_speed_kmh(walking_kmh) * 1000 / 60


TRAVEL: Mapping[str, WayOfTravel] = {
    "walk": WayOfTravel(words="on foot", verb="walk", noun="walk"),
    "bicycle": WayOfTravel(
        words="by bicycle", verb="ride", noun="bicycle ride", speed_kmh=12.0, is_ridden=True
    ),
    "transport": WayOfTravel(words="by public transport", speed_kmh=14.0, overhead_minutes=8.0),
    "car": WayOfTravel(words="by car", speed_kmh=18.0, overhead_minutes=6.0),
}
"""Every way of travel by its name in files. Speeds are with all stops on the way, and assumed;
`overhead_minutes` are the walk to the stop or car, waiting and parking."""

PATROL_WAYS: tuple[PatrolWay, ...] = get_args(PatrolWay)
