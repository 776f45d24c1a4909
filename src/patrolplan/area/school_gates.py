"""Schools at their gates: inside the area, with bell time and gate, on a street.

A row of a school that is not planned for is reported: a mistyped URN would drop it silently.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

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


def assign_gates(a: Loading) -> tuple[gpd.GeoDataFrame, Positions]:
    """Schools inside the area with bell and gate, and their gates on the street."""
    gates, bells, network = a["gates"], a["bell_times"], a.network
    schools = _select_inside(a)
    site = schools.geometry
    given = schools["urn"].map(gates.geometry).astype(object)  # would be text for an empty table
    gate = gpd.GeoSeries(given.where(given.notna(), site), crs=schools.crs)
    positions = network.snap(shapely.get_coordinates(gate.values))
    positions = _move_to_ground(network, positions, gate, is_assumed=given.isna().to_numpy())
    near = positions.moved_metres <= MAX_SNAP_METRES
    bell = schools["urn"].map(bells["finish_time"]).astype(object)
    default_bell = f"{a.settings.patrol.default_finish_time:%H:%M}"
    opening = schools["urn"].map(bells["start_time"].replace("", None)).astype(object)
    schools = schools.assign(
        finish_time=bell.fillna(default_bell).astype("str"),
        finish_assumed=bell.isna(),
        start_time=opening.fillna(DEFAULT_START_TIME).astype("str"),
        start_assumed=opening.isna(),
        **{name: schools["urn"].map(bells[name]).astype("float64") for name in LEAVING_COLUMNS},
        gate_assumed=given.isna(),
    ).set_geometry(gate.rename("geometry"))
    schools["is_driven"] &= schools[["walk_share", "bus_share"]].isna().all(axis=1)
    rows: dict[str, Any] = gates.to_dict("index")
    metres = gate.distance(site)
    for urn, name, is_near, far in zip(schools["urn"], schools["name"], near, metres, strict=True):
        school = f"URN {urn} ({name})"
        if not is_near:
            _leave_out_off_street(urn, school, rows.get(urn), far, a)
        elif far > FAR_METRES:
            # The file's name alone, so that notes are reproducible.
            file, row = Path(str(rows[urn]["file"])).name, int(rows[urn]["row"])
            where = describe_gate(str(rows[urn]["value"]), file, row, far)
            text = f"The gate of {school} is used as given, {where}: check the row."
            fix = f"check the gate of URN {urn}: {file}, row {row}"
            a.notes.append(Note("gate_far", text, "lead", fix=fix, about={"urns": [urn]}))
    if not near.any():
        what = "no school in the area can be reached on a street"
        a.problems.add("[sources] schools", what, "check schools against [area] and streets")
    is_about_opening = any(one.bell == "opening" for one in a.settings.patrol.windows.values())
    for key, cell, what, used in (
        ("bell_times_assumed", "finish", "bell time", default_bell),
        ("opening_bells_assumed", "start", "opening bell", DEFAULT_START_TIME),
        ("gates_assumed", "gate", "gate", "the nearest walkable street"),
    ):
        urns = schools["urn"][near & schools[f"{cell}_assumed"]].tolist()
        if urns and (cell != "start" or is_about_opening):
            have = f"{pluralise(len(urns), 'has', 'have')} no {what}: {used} is used."
            text = f"{len(urns):,} of {format_count(int(near.sum()), 'school')} {have}"
            cells = "gates" if cell == "gate" else f"bell_times, {cell}_time"
            fix = f"give the {what} of URN {list_first(urns)} ([sources] {cells})"
            a.notes.append(Note(key, text, "lead", fix=fix, about={"urns": urns}))
    # A table built by hand may lack figures and postcodes: they are not known.
    unknown = dict.fromkeys(FIGURES, np.nan) | {"postcode": ""}
    unknown = {name: value for name, value in unknown.items() if name not in schools}
    schools = schools.assign(**unknown)
    check_gate_levels(schools[near], positions.take(near), a)
    return schools[near].reset_index(drop=True), positions.take(near)


def _move_to_ground(
    network: StreetNetwork, gates: Positions, given: gpd.GeoSeries, *, is_assumed: Bools
) -> Positions:
    """The gates, with assumed ones at ground level where a street is near."""
    # For an unknown gate the school's own point is used, and a walkway above the street may be
    # nearer to it than the street. A gate that is given stays where it is.
    is_moved = is_assumed & (network.piece_layer[gates.piece] != 0)
    ground = np.flatnonzero(network.piece_layer == 0)
    if not is_moved.any() or not len(ground):
        return gates
    lower = network.snap(shapely.get_coordinates(given[is_moved].values), ground)
    rows = np.flatnonzero(is_moved)
    near = lower.moved_metres <= MAX_SNAP_METRES
    both = concatenate_positions(gates, lower.take(near))
    order = np.arange(len(gates))
    order[rows[near]] = len(gates) + np.arange(int(near.sum()))
    return both.take(order)


def check_gate_levels(schools: gpd.GeoDataFrame, positions: Positions, a: Loading) -> None:
    """Stop where a gate is above or below the ground, where no pupil may come out."""
    network, gates = a.network, a["gates"]
    layers = network.piece_layer[positions.piece]
    rows: dict[str, Any] = gates.to_dict("index")
    found = zip(schools["urn"], schools["name"], positions.piece, layers, strict=True)
    for urn, name, piece, layer in found:
        if layer == 0:
            continue
        way = network.piece_passage[piece] or network.piece_highway[piece]
        street = f" '{network.piece_name[piece]}'" if network.piece_name[piece] else ""
        side = "above" if layer > 0 else "below"
        what = (
            f"URN {urn} ({name}): the street nearest to its gate{street} is a {way} "
            f"{side} the ground (layer {layer:g})"
        )
        gate = rows.get(urn)
        if gate is None:
            remedy = "give the gate on the street in [sources] gates"
            a.alarms.add("gate_levels", a.settings.name_file("schools"), what, remedy)
        else:
            remedy = "move the gate to the street that pupils come out on"
            place = describe_cell(gate["row"], "longitude")
            a.alarms.add("gate_levels", gate["file"], what, remedy, place)


def _select_inside(a: Loading) -> gpd.GeoDataFrame:
    schools = a["schools"].drop(columns=["other_sites", "refused_figures"])
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
    file, remedy, cell = "[schools] urns", "check its coordinates against the streets", ""
    if gate is not None:
        file = gate["file"]
        where = describe_gate(gate["value"], Path(file).name, gate["row"], metres)
        why += f" of its gate, {where}"
        remedy = "correct the gate; write longitude and latitude in decimal degrees"
        cell = describe_cell(gate["row"], "longitude")
    a.left_out.add("schools", why, 1, fix=remedy)
    if urn in a.settings.schools.urns:
        a.problems.add(file, why, remedy, cell)


def describe_gate(given: str, file: str, row: int, metres: float) -> str:
    """Where a gate was read, and its distance from the school."""
    apart = f"{metres / 1000:,.1f} km" if metres >= FAR_METRES else f"{metres:.0f} m"
    return f"{given} ({file}, row {row}), {apart} from the school's location"


def check_urns(a: Loading) -> None:
    """Report rows of optional tables whose URN is not of a school that is planned for."""
    planned = a.schools["urn"]
    tables = {
        "bell_times": a["bell_times"].index,
        "gates": a["gates"].index,
        "term_dates": a["term_dates"]["urn"],
        "officers": a["officers"]["school_urns"].explode().dropna(),
        "origins": a["origins"]["urn"],
        "counts": a["counts"]["urn"],
        "duties": a["duties"]["urn"][a["duties"]["urn"] != ""],
        "tasked_places": a["tasked_places"]["schools"].explode().dropna(),
    }
    # Rows of a school that was left out are only counted; an unknown URN is also noted, with the
    # most similar one.
    accepted = {ALL_SCHOOLS, *planned}
    # Schools that are planned for come first; only then the rest of a possibly national register.
    candidates = (sorted(planned), sorted(a.schools_left_out))

    @cache
    def find_nearest(urn: str) -> str:
        return find_similar(urn, *candidates) or ""

    for source, urns in tables.items():
        rows = pd.Series(list(urns), dtype=object)
        rows = rows[~rows.isin(accepted)]
        table, why = source.replace("_", " "), rows.map(a.schools_left_out)
        reasons = ", ".join(sorted(why.dropna().unique()))
        a.left_out.add(table, f"of schools that are left out ({reasons})", int(why.notna().sum()))
        unknown = rows[why.isna()]
        if len(unknown):
            wrong = list(dict.fromkeys(unknown))
            named = describe_urns(wrong, [find_nearest(urn) for urn in wrong[:MAX_NAMED]])
            a.left_out.add(table, f"no school has the URN {named}", len(unknown))
            text = (
                f"[sources] {source}: no school has the URN {named}, so it has no effect there. "
                "Correct it."
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
