"""How a card shares out its page between the map and the words."""

from dataclasses import dataclass

from patrolplan.outputs.card.lettering import SMALLEST

POINTS_PER_MM = 72 / 25.4
BODY_WIDTH = 190 * POINTS_PER_MM
BODY_HEIGHT = (297 - 14) * POINTS_PER_MM
GAPS = 6 * 5.0
"""Points between the parts of a page, see the template."""
LOWEST_MAP = 95 * POINTS_PER_MM
"""A lower map would not show a route of a kilometre at a scale that can be read."""
GOOD_MAP = 125 * POINTS_PER_MM
TALLEST_MAP = 152 * POINTS_PER_MM
LEAST_NOTES = 70.0
"""Points of page that are left over for notes by hand; less goes to the map."""
LARGE = 9.5
"""Points; type of directions where there is room."""


@dataclass(frozen=True)
class Heights:
    """Points that the parts of a card take beside the map; directions in small and large type."""

    head: float
    stops: float
    notes: float
    directions: float
    large_directions: float
    foot: float

    def map_room(self, directions: float) -> float:
        """Points that are left for the map beside directions of this height."""
        beside = self.head + self.stops + self.notes + self.foot
        return BODY_HEIGHT - beside - directions - GAPS


@dataclass(frozen=True)
class Layout:
    """How a card shares out its page; points."""

    map_height: float
    notes_height: float
    directions_size: float
    second_page: bool


def fit_page(heights: Heights, *, directions: bool = True) -> Layout:
    """Give the map what the words leave; only when that is too low, directions turn the page.

    Large type is taken for the directions where the map stays large beside it.

    Examples
    --------
    >>> fit_page(Heights(60, 140, 0, directions=90, large_directions=110, foot=100))
    Layout(map_height=362.2, notes_height=0.0, directions_size=9.5, second_page=False)
    >>> fit_page(Heights(60, 300, 0, directions=210, large_directions=240, foot=100)).second_page
    True
    """
    large = heights.map_room(heights.large_directions)
    small = heights.map_room(heights.directions)
    second = directions and small < LOWEST_MAP
    room, size = (large, LARGE) if large >= GOOD_MAP else (small, SMALLEST)
    if second:
        room, size = heights.map_room(0.0), LARGE
    tallest = TALLEST_MAP if room > TALLEST_MAP + LEAST_NOTES else room
    height = round(max(tallest, LOWEST_MAP / 2), 1)
    return Layout(height, round(max(0.0, room - height), 1), size, second)
