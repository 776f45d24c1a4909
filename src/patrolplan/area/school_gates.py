"""Schools at their gates: inside the area, with bell time and gate, on a street.

A row of a school that is not planned for is reported: a mistyped URN would drop it silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area.loading import Loading
from patrolplan.area.patrol_window import DEFAULT_START_TIME
from patrolplan.arrays import Bools
from patrolplan.inputs.schools import FIGURES
from patrolplan.inputs.small_tables import LEAVING_COLUMNS
from patrolplan.inputs.table_reader import describe_cell
from patrolplan.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.notes import Note
from patrolplan.text import MAX_NAMED, find_similar, format_count, list_first, pluralise

FAR_METRES = 1000.0  # A gate this far from its school's point is noted: mistyped or swapped
ALL_SCHOOLS = "*"  # Means all schools in a table's column of URNs
OUTSIDE = "outside the area"
OFF_STREET = "without a walkable street near"


class _Assumption(NamedTuple):
    """What is assumed of a school where no table gives it."""

    key: str  # of the note that says so
    column: str  # of the schools, true where it is assumed
    name: str
    default: str  # what is used instead
    source: str  # where to give it, under [sources]


def assign_gates(a: Loading) -> tuple[gpd.GeoDataFrame, Positions]:
    """Schools inside the area with bell and gate, and their gates on the street."""
    schools = _fill_bells(_select_inside(a), a)
    site = schools.geometry
    schools = _fill_gates(schools, a.tables.gates.geometry)
    # A special school or nursery says itself whether its pupils walk, where it knows a share.
    schools["is_driven"] &= schools[["walk_share", "bus_share"]].isna().all(axis=1)
    positions = a.network.snap(shapely.get_coordinates(schools.geometry.values))
    positions = _move_to_ground(a.network, positions, schools)
    is_near = positions.moved_metres <= MAX_SNAP_METRES
    _check_distances(schools, schools.geometry.distance(site), is_near, a)
    if not is_near.any():
        problem = "no school in the area can be reached on a street"
        a.problems.add("[sources] schools", problem, "check schools against [area] and streets")
    planned = _fill_figures(schools)[is_near]
    gates = positions.take(is_near)
    _note_assumed(planned, a)
    check_gate_levels(planned, gates, a)
    return planned.reset_index(drop=True), gates


def _fill_bells(schools: gpd.GeoDataFrame, a: Loading) -> gpd.GeoDataFrame:
    """Add the times of both bells, whether they are assumed, and how pupils leave."""
    bells = a.tables.bell_times
    finish = schools["urn"].map(bells["finish_time"]).astype(object)
    start = schools["urn"].map(bells["start_time"].replace("", None)).astype(object)
    leaving = {name: schools["urn"].map(bells[name]).astype("float64") for name in LEAVING_COLUMNS}
    return schools.assign(
        finish_time=finish.fillna(_format_default_bell(a)).astype("str"),
        finish_assumed=finish.isna(),
        start_time=start.fillna(DEFAULT_START_TIME).astype("str"),
        start_assumed=start.isna(),
        **leaving,
    )


def _format_default_bell(a: Loading) -> str:
    return f"{a.settings.patrol.default_finish_time:%H:%M}"


def _fill_gates(schools: gpd.GeoDataFrame, gates: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Put schools at their gates, by URN, or keep them at their own points."""
    known = schools["urn"].map(gates).astype(object)  # would be text for an empty table
    gate = gpd.GeoSeries(known.where(known.notna(), schools.geometry), crs=schools.crs)
    return schools.assign(gate_assumed=known.isna()).set_geometry(gate.rename("geometry"))


def _fill_figures(schools: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add figures and postcodes that a table built by hand may lack, as not known."""
    unknown = dict.fromkeys(FIGURES, np.nan) | {"postcode": ""}
    return schools.assign(**{name: unknown[name] for name in unknown if name not in schools})


def _check_distances(
    schools: gpd.GeoDataFrame, metres: pd.Series, is_near: Bools, a: Loading
) -> None:
    """Leave out schools without a street near, and note gates (s,) metres away that look wrong."""
    rows: dict[str, Any] = a.tables.gates.to_dict("index")
    listed = zip(schools["urn"], schools["name"], is_near, metres, strict=True)
    for urn, name, has_street, away in listed:
        school = f"URN {urn} ({name})"
        if not has_street:
            _leave_out_off_street(urn, school, rows.get(urn), away, a)
        elif away > FAR_METRES:
            # The file's name alone, so that notes are reproducible.
            file = Path(str(rows[urn]["file"])).name
            row = int(rows[urn]["row"])
            where = describe_gate(str(rows[urn]["value"]), file, row, away)
            text = f"The gate of {school} is used as given, {where}: check the row."
            fix = f"check the gate of URN {urn}: {file}, row {row}"
            a.notes.append(Note("gate_far", text, "lead", fix=fix, about={"urns": [urn]}))


def _note_assumed(schools: gpd.GeoDataFrame, a: Loading) -> None:
    """Note for how many schools bells and gates are assumed, and where to give them."""
    finish = _Assumption(
        key="bell_times_assumed",
        column="finish_assumed",
        name="bell time",
        default=_format_default_bell(a),
        source="bell_times, finish_time",
    )
    start = _Assumption(
        key="opening_bells_assumed",
        column="start_assumed",
        name="opening bell",
        default=DEFAULT_START_TIME,
        source="bell_times, start_time",
    )
    gate = _Assumption(
        key="gates_assumed",
        column="gate_assumed",
        name="gate",
        default="the nearest walkable street",
        source="gates",
    )
    # The opening bell decides nothing unless a window is about it.
    windows = a.settings.patrol.windows.values()
    is_about_opening = any(window.bell == "opening" for window in windows)
    for assumed in (finish, start, gate) if is_about_opening else (finish, gate):
        urns = schools["urn"][schools[assumed.column]].tolist()
        if urns:
            lack = f"{pluralise(len(urns), 'has', 'have')} no {assumed.name}"
            share = f"{len(urns):,} of {format_count(len(schools), 'school')}"
            text = f"{share} {lack}: {assumed.default} is used."
            fix = f"give the {assumed.name} of URN {list_first(urns)} ([sources] {assumed.source})"
            a.notes.append(Note(assumed.key, text, "lead", fix=fix, about={"urns": urns}))


def _move_to_ground(
    network: StreetNetwork, gates: Positions, schools: gpd.GeoDataFrame
) -> Positions:
    """The gates of schools, with assumed ones at ground level where a street is near."""
    # For an unknown gate the school's own point is used, and a walkway above the street may be
    # nearer to it than the street. A gate that is known stays where it is.
    is_moved = schools["gate_assumed"].to_numpy() & (network.piece_layer[gates.piece] != 0)
    ground = np.flatnonzero(network.piece_layer == 0)
    if not is_moved.any() or not len(ground):
        return gates
    lower = network.snap(shapely.get_coordinates(schools.geometry[is_moved].values), ground)
    rows = np.flatnonzero(is_moved)
    near = lower.moved_metres <= MAX_SNAP_METRES
    both = concatenate_positions(gates, lower.take(near))
    order = np.arange(len(gates))
    order[rows[near]] = len(gates) + np.arange(int(near.sum()))
    return both.take(order)


def check_gate_levels(schools: gpd.GeoDataFrame, positions: Positions, a: Loading) -> None:
    """Stop where a gate is above or below the ground, where no pupil may come out."""
    rows: dict[str, Any] = a.tables.gates.to_dict("index")
    listed = zip(schools["urn"], schools["name"], positions.piece, strict=True)
    for urn, name, piece in listed:
        if a.network.piece_layer[piece] == 0:
            continue
        problem = f"URN {urn} ({name}): {_describe_level(a.network, piece)}"
        gate = rows.get(urn)
        if gate is None:
            remedy = "give the gate on the street in [sources] gates"
            a.alarms.add("gate_levels", a.settings.name_file("schools"), problem, remedy)
        else:
            remedy = "move the gate to the street that pupils come out on"
            place = describe_cell(gate["row"], "longitude")
            a.alarms.add("gate_levels", gate["file"], problem, remedy, place)


def _describe_level(network: StreetNetwork, piece: int) -> str:
    """The street at a gate, and how far it is above or below the ground."""
    layer = network.piece_layer[piece]
    kind = network.piece_passage[piece] or network.piece_highway[piece]
    street = f" '{network.piece_name[piece]}'" if network.piece_name[piece] else ""
    side = "above" if layer > 0 else "below"
    return f"the street nearest to its gate{street} is a {kind} {side} the ground (layer {layer:g})"


def _select_inside(a: Loading) -> gpd.GeoDataFrame:
    schools = a.tables.schools.drop(columns=["other_sites", "refused_figures"])
    site = shapely.get_coordinates(schools.geometry.values)
    inside = shapely.contains_xy(a.limits, site[:, 0], site[:, 1])
    a.left_out.add("schools", OUTSIDE, int((~inside).sum()))
    for urn in schools["urn"][~inside]:
        a.schools_left_out[urn] = OUTSIDE
        if urn in a.settings.schools.urns:
            remedy = "check its coordinates, widen [area], or remove the URN"
            a.problems.add("[schools] urns", f"the school {urn} lies outside the area", remedy)
    return schools[inside]


def _leave_out_off_street(
    urn: str, school: str, gate: Mapping[str, Any] | None, metres: float, a: Loading
) -> None:
    """Leave out a school without a street near; if a gate is the cause, its row is named."""
    a.schools_left_out[urn] = OFF_STREET
    why = f"{school}: no walkable street within {MAX_SNAP_METRES:.0f} m"
    file = "[schools] urns"
    remedy = "check its coordinates against the streets"
    cell = ""
    if gate is not None:
        file = gate["file"]
        where = describe_gate(gate["value"], Path(file).name, gate["row"], metres)
        why += f" of its gate, {where}"
        remedy = "correct the gate; write longitude and latitude in decimal degrees"
        cell = describe_cell(gate["row"], "longitude")
    a.left_out.add("schools", why, 1, fix=remedy)
    if urn in a.settings.schools.urns:
        a.problems.add(file, why, remedy, cell)


def describe_gate(value: str, file: str, row: int, metres: float) -> str:
    """Where a gate was read, and its distance from the school."""
    apart = f"{metres / 1000:,.1f} km" if metres >= FAR_METRES else f"{metres:.0f} m"
    return f"{value} ({file}, row {row}), {apart} from the school's location"


def check_urns(a: Loading) -> None:
    """Report rows of optional tables whose URN is not of a school that is planned for."""
    accepted = {ALL_SCHOOLS, *a.schools["urn"]}
    # Schools that are planned for come first; only then the rest of a possibly national register.
    candidates = (sorted(a.schools["urn"]), sorted(a.schools_left_out))

    @cache
    def find_nearest(urn: str) -> str:
        return find_similar(urn, *candidates) or ""

    for source, urns in _list_urns(a).items():
        rows = pd.Series(list(urns), dtype=object)
        rows = rows[~rows.isin(accepted)]
        # Rows of a school that was left out are only counted; an unknown URN is also noted, with
        # the most similar one.
        why = rows.map(a.schools_left_out)
        reasons = ", ".join(sorted(why.dropna().unique()))
        reason = f"of schools that are left out ({reasons})"
        a.left_out.add(source.replace("_", " "), reason, int(why.notna().sum()))
        unknown = rows[why.isna()].tolist()
        if unknown:
            wrong = list(dict.fromkeys(unknown))
            named = describe_urns(wrong, [find_nearest(urn) for urn in wrong[:MAX_NAMED]])
            _note_unknown(source, named, len(unknown), a)


def _list_urns(a: Loading) -> dict[str, Iterable[str]]:
    """The URNs in the rows of each optional table."""
    return {
        "bell_times": a.tables.bell_times.index,
        "gates": a.tables.gates.index,
        "term_dates": a.tables.term_dates["urn"],
        "officers": a.tables.officers["school_urns"].explode().dropna(),
        "origins": a.tables.origins["urn"],
        "counts": a.tables.counts["urn"],
        "duties": a.tables.duties["urn"][a.tables.duties["urn"] != ""],
        "tasked_places": a.tables.tasked_places["schools"].explode().dropna(),
    }


def _note_unknown(source: str, named: str, rows: int, a: Loading) -> None:
    """Leave out some rows of a table whose URNs no school has, and note what to correct."""
    a.left_out.add(source.replace("_", " "), f"no school has the URN {named}", rows)
    text = (
        f"[sources] {source}: no school has the URN {named}, so it has no effect there. Correct it."
    )
    fix = f"correct the URN {named} ([sources] {source})"
    a.notes.append(Note("urns_unknown", text, "lead", fix=fix))


def describe_urns(urns: Sequence[str], similar: Sequence[str]) -> str:
    """URNs that no school has, the first ones each with the most `similar` URN of a school.

    >>> describe_urns(["900091", "7"], ["900001", ""])
    '900091 (nearest: 900001), 7'
    """
    pairs = zip_longest(urns, similar[: len(urns)], fillvalue="")
    return list_first([f"{urn} (nearest: {like})" if like else urn for urn, like in pairs])
