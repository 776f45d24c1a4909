"""`Leg`: a walk or ride from one place of a patrol to the next, in Python and in files."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, with_config

from patrolplan.arrays import Ints
from patrolplan.inputs.osm_tags import CrossingKind, Passage
from patrolplan.patrols import file_forms as forms

# fmt: off
Heading = Literal["head north", "head north-east", "head east", "head south-east",
                  "head south", "head south-west", "head west", "head north-west"]
# fmt: on
"""Heading of the first step of a leg, clockwise from north."""

Flight = Literal["", "up", "down", "steps"]
"""Steps up or down, or steps in an unknown direction; empty if there are none."""

Level = Literal["", "up", "down"]
"""Whether a direction begins with a change of level without steps, such as a ramp."""

LandmarkKind = Literal["bus_stop", "station", "station_entrance", "park", "water", "railway"]
Turn = Literal[Heading, "straight on", "left", "right", "bear left", "bear right", "turn back"]


@with_config(forms.RECORD)
@dataclass(frozen=True)
class RoadCrossing:
    """A main road that is crossed on the way."""

    road: str
    """Its name; empty if it has none."""
    kind: CrossingKind


@with_config(forms.RECORD)
@dataclass(frozen=True)
class Landmark:
    """A feature on the maps where a direction begins."""

    kind: LandmarkKind
    name: str = ""


@with_config(forms.RECORD)
@dataclass(frozen=True)
class Step:
    """Part of a leg along one street: one line of the directions.

    `turn` is its beginning, `street` is the street's name, or its kind ("footpath", "steps") if it
    has none. `way` is "walk", or by bicycle "ride", "push" (get off) or "carry".
    """

    turn: Turn
    street: str
    metres: forms.WholeMetres
    way: str = "walk"
    flight: Flight = ""
    level: Level = ""
    passage: Passage = ""
    """Bridge or passage on it."""
    crossings: Annotated[tuple[RoadCrossing, ...], forms.IsList] = ()
    """Main roads crossed on it, in order."""
    landmark: Landmark | None = None
    """Landmark at its beginning."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        without = ["way"] if self.way == "walk" else []
        extras = ("flight", "level", "passage", "crossings", "landmark")
        without += [name for name in extras if not getattr(self, name)]
        return forms.arrange(handler(self), without)


@forms.also_writes(streets=list[str])
@dataclass(frozen=True, eq=False, kw_only=True)
class Leg:
    """A walk or ride from the gate, the base or a stop to the next stop or the patrol's end."""

    metres: forms.Metres
    moving_minutes: Annotated[forms.Amount, forms.round_to(2), Field(alias="minutes")]
    """Minutes at full speed, and at lower speed where a bicycle is pushed."""
    waiting_minutes: Annotated[forms.Amount, forms.round_to(2)] = 0.0
    """Minutes at crossings of main roads, according to the settings."""
    unlit_metres: forms.Metres
    """Metres along streets without lighting according to the streets file."""
    lighting_unknown_metres: forms.Metres
    """Metres along streets without this information."""
    secluded_metres: forms.Metres = 0.0
    """Metres along footpaths, underpasses and covered passages."""
    steps: Annotated[tuple[Step, ...], forms.IsList, Field(alias="directions")]
    pushed_metres: forms.Metres = 0.0
    """Metres on which a bicycle is pushed or carried."""
    line: forms.Line
    pieces: Annotated[Ints, forms.not_in_files(forms.NO_PIECES), Field(exclude=True)] = field(
        default_factory=lambda: forms.NO_PIECES
    )
    """(s,) pieces of the area's walkable network that are walked, in order; empty if the leg was
    read from a file."""

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        record = handler(self)
        streets = list(dict.fromkeys(step.street for step in self.steps))
        extras = ("waiting_minutes", "secluded_metres", "pushed_metres")
        without = [name for name in extras if not record[name]]
        return forms.arrange(record, without, lighting_unknown_metres={"streets": streets})

    @property
    def rounded_minutes(self) -> float:
        """How long it takes as files have it, so that one that was read is told alike."""
        return round(self.moving_minutes, 2) + round(self.waiting_minutes, 2)

    @property
    def minutes(self) -> float:
        """Minutes from its beginning to its end."""
        return self.moving_minutes + self.waiting_minutes
