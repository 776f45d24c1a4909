"""Model where the pupils of an area's schools are: ways home, corrected by counts, and notes."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.notes import Note
from patrolplan.pupils.counted import fit_counts
from patrolplan.pupils.destinations import CATCHMENT_DECAYS, DECAY_METRES, Homes
from patrolplan.pupils.flows import (
    STOP_KINDS,
    STOP_REACH_METRES,
    Journeys,
    SchoolPupils,
    choose_stops,
    find_stops,
    follow_pupils,
    grow_tree,
)
from patrolplan.pupils.leaving import ARRIVAL_MINUTES
from patrolplan.pupils.pupils import Pupils
from patrolplan.pupils.rolls import count_pupils, find_mode_shares, find_school_modes, note_schools
from patrolplan.text import format_count, format_percent, join_words, list_first

MODE_SOURCES = {
    "london": "the shares assumed for London",
    "england": "the shares of England (National Travel Survey 2024)",
}
"""Where a preset of the mode shares comes from."""

NOTICEABLE_SHARE = 0.02  # share of walkers from beyond the streets above which a note says so
SHARE_STEP = 0.05  # shares of pupils are rounded to steps of this when written


def model_pupils(area: StudyArea) -> Pupils:
    """Model where each school's own pupils are, minute by minute; never written to a file.

    Parameters
    ----------
    area
        See `load_area`; `[way_home]` of its settings, and counts at corners, are used.

    Returns
    -------
    Pupils
        For `estimate_risk`, which models them where they are left out.

    Raises
    ------
    InputError
        When the shares of modes are wrong.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> pupils = pp.model_pupils(area)
    >>> risk = pp.estimate_risk(area, pupils)
    >>> risk.pupils is pupils
    True
    """
    model = JourneyModel(area)
    schools: list[SchoolPupils] = []
    by_exits = {}
    without_stops = []
    counted_urns = set(area.way_home.counts["urn"])
    for number, urn in enumerate(area.schools["urn"].astype(str)):
        journeys = model.trace(number)
        school = follow_pupils(area, number, journeys)
        if urn in counted_urns:
            school = _correct_by_counts(area, number, journeys, school)
        schools.append(school)
        walkers = journeys.walkers
        by_exits[urn] = float(walkers.exit_pupils.sum()) / max(walkers.total, 1e-300)
        riders = journeys.by_stage @ journeys.modes[:, 1:]
        if not len(school.wait_pieces) and riders.sum() > 0:
            without_stops.append(urn)
    is_counted = np.array([school.counted is not None for school in schools])
    notes = [
        *model.rolls.notes,
        *_list_notes(area, model.homes, is_counted, by_exits, without_stops),
        *[_note_counted(school) for school in schools if school.counted is not None],
        _note_arrival(area),
    ]
    return Pupils(area.network, schools, notes, area.pupils_basis)


def _note_arrival(area: StudyArea) -> Note:
    """When pupils are assumed to come to school."""
    assumed = area.schools["start_time"][area.schools["start_assumed"]]
    time = "" if assumed.empty else str(assumed.iloc[0])
    otherwise = f"; where that is not known, before {time}" if time else ""
    text = (
        f"Pupils are assumed to arrive in the {ARRIVAL_MINUTES} minutes before the opening bell"
        f"{otherwise}."
    )
    return Note("arrival_assumed", text)


def _note_counted(school: SchoolPupils) -> Note:
    """When and where a school was counted."""
    table = school.counted.table  # type: ignore[union-attr]  # of those that are
    days = join_words([f"{day.day} {day:%B}" for day in sorted(set(table["date"]))])
    corners = format_count(table["corner"].nunique(), "corner")
    text = f"Pupils' ways home: counted on {days} at {corners} (URN {school.urn})."
    return Note("ways_counted", text, about={"urns": [school.urn]})


def _correct_by_counts(
    area: StudyArea, number: int, journeys: Journeys, school: SchoolPupils
) -> SchoolPupils:
    """The ways of a school as its counts correct them."""
    rows = area.way_home.counts[area.way_home.counts["urn"] == school.urn]
    assumed = school.timetable
    leaving = (assumed.leave_minutes, *assumed.late)
    found = fit_counts(journeys, leaving, rows, assumed.bell_minutes)
    if found is None:
        return school
    corrected = follow_pupils(area, number, journeys.scale(found.factors))
    minutes, late_share, late_minutes = found.leaving
    timetable = replace(assumed, leave_minutes=minutes, late=(late_share, late_minutes))
    return replace(corrected, timetable=timetable, counted=found)


class JourneyModel:
    """What the journeys of all schools of an area need, found once."""

    def __init__(self, area: StudyArea) -> None:
        self.area = area
        self.rolls = count_pupils(area.schools)
        self.modes = find_mode_shares(area.settings.way_home)
        self.homes = Homes(area.network.walkable, area.way_home)
        network, stops = self.homes.network, area.way_home.stops
        self.stops = [find_stops(network, stops, kind) for kind in STOP_KINDS]

    def trace(self, number: int) -> Journeys:
        """Where the pupils of the school in a row go."""
        by_stage, row = self.rolls.by_stage[number], self.area.schools.iloc[number]
        modes = find_school_modes(self.modes, row)
        # A tree reaches as far as any pupil of the school may walk, home or to a stop.
        reach = CATCHMENT_DECAYS * np.array(DECAY_METRES)[by_stage > 0].max(initial=0.0)
        limit = max(float(reach), STOP_REACH_METRES)
        tree = grow_tree(self.homes.network, self.area.gates.take([number]), limit)
        on_foot = by_stage * modes[:, 0]
        walkers = self.homes.place_walkers(tree, str(row["urn"]), on_foot, by_stage)
        parts = []
        for kind, pupils in zip(self.stops, by_stage @ modes[:, 1:], strict=True):
            metres, node, after = tree.measure_to(kind.positions)
            chosen = pupils * choose_stops(metres, kind.boardings, STOP_REACH_METRES)
            at = np.flatnonzero(chosen)
            parts.append((node[at], kind.positions.piece[at], chosen[at], metres[at], after[at]))
        stops = map(np.concatenate, zip(*parts, strict=True))
        return Journeys(by_stage, modes, tree, walkers, *stops)


def _list_notes(
    area: StudyArea,
    homes: Homes,
    is_counted: NDArray[np.bool_],
    by_exits: dict[str, float],
    without_stops: list[str],
) -> list[Note]:
    """What was assumed, for all schools together."""
    settings, schools, notes = area.settings.way_home, area.schools, []
    urns = schools["urn"].astype(str)

    def say_where(which: pd.Series) -> str:
        """At which schools something is assumed, where it is not all."""
        of = f"{which.sum():,} of {format_count(len(urns), 'school')}"
        return "" if which.all() else f" at {of} (URN {list_first(urns[which].tolist())})"

    own, by_model = urns.isin(list(homes.own)), schools[["walk_share", "bus_share"]].isna()
    by_residents = [homes.is_by_residents(urn) for urn in urns[~own]]
    assumed = by_model.any(axis=1) & ~is_counted
    if isinstance(settings.modes, str) and assumed.any():
        text = (
            f"How pupils travel is not known{say_where(assumed)}: {MODE_SOURCES[settings.modes]} "
            "are used."
        )
        about = {"urns": urns[assumed].tolist()}
        notes.append(Note("modes_assumed", text, short="how pupils travel", about=about))
    what = "counts of their own of where pupils live"
    notes += note_schools("homes_from_origins", schools, own.to_numpy(), what)
    sources = (
        ("homes_from_areas", "the residents of small areas", any(by_residents)),
        (
            "homes_from_streets",
            "the length of street of each kind, no residents given",
            not all(by_residents),
        ),
    )
    primary, secondary = DECAY_METRES
    for key, source, is_used in sources:
        if is_used:
            text = (
                f"Where pupils live is estimated from {source}; their number falls to a third over "
                f"{primary:,.0f} m for primary and {secondary:,.0f} m for secondary pupils who "
                "walk."
            )
            notes.append(Note(key, text))
    beyond = {urn: share for urn, share in by_exits.items() if share > NOTICEABLE_SHARE}
    if beyond:
        share = format_percent(SHARE_STEP * np.ceil(max(beyond.values()) / SHARE_STEP))
        text = (
            f"Up to {share} of the pupils who walk live beyond the streets given (URN "
            f"{list_first([*beyond])}): they are followed to the edge of the streets."
        )
        fix = f"take streets of a wider area: up to {share} of pupils leave it on foot"
        notes.append(Note("homes_beyond_streets", text, fix=fix, about={"urns": [*beyond]}))
    if without_stops and len(area.way_home.stops):  # without any stops, loading has said so
        text = (
            f"Walkers only: no bus stop or station within {STOP_REACH_METRES:,.0f} m of URN "
            f"{list_first(without_stops)}."
        )
        short, about = "walkers only, no bus stop near", {"urns": without_stops}
        notes.append(Note("no_stops_near", text, short=short, about=about))
    late = schools[["late_share", "late_minutes"]].isna().any(axis=1) & (schools["late_share"] != 0)
    late &= ~is_counted
    if late.any():
        text = (
            f"When pupils leave is assumed{say_where(late)}: "
            f"{format_percent(1 - settings.late_share)} around {settings.leave_minutes:g} minutes "
            f"after the bell, the others around {settings.late_minutes:g} minutes after it."
        )
        about = {"urns": urns[late].tolist()}
        notes.append(Note("leaving_assumed", text, short="when pupils leave", about=about))
    return notes
