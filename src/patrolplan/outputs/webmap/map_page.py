"""`map.html`: one page with the whole plan, which opens from a folder and asks no server anything.

The page's text (patrols, stops, reasons, directions) is plain HTML, so it is there for a screen
reader and for paper; the script adds the map and moves it. Leaflet is written into the page.
"""

import base64
import datetime as dt
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import folium
import jinja2
from markupsafe import Markup, escape
from xstatic.pkg import leaflet

from patrolplan.atomic import hash_content
from patrolplan.outputs import wording
from patrolplan.outputs.webmap.map_layers import MapPatrol, build_map_layers, list_map_patrols
from patrolplan.patrols.plan import format_time

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Leg, Patrol, Plan, Stop


TEMPLATES = Path(__file__).parent

SCRIPT_FILES = ("packed.js", "nearest.js", "ink.js", "search.js", "map.js")
"""In the order that they use each other."""

OPENSTREETMAP = "© OpenStreetMap contributors"
"""What the map's corner must say; the licences in full stand in the text."""

VOICES = {
    "joined": "Priority (both voices)",
    "crime": "Recorded crime",
    "reports": "Pupils' reports",
    "differ": "Where the voices differ",
}
"""Ways to colour the streets, as named in the switch."""


@dataclass(frozen=True)
class LegText:
    """A walk in words: where to, how long, and the directions street by street."""

    heading: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class StopText:
    """A stop in words."""

    number: int
    times: str
    dwell: str
    place: str
    grid: str
    why: tuple[str, ...]
    tasked: str
    hotspot: str
    walk: LegText


@dataclass(frozen=True)
class PatrolText:
    """A patrol in words."""

    id: str
    urn: str
    school: str
    title: str
    choice: str
    about: str
    times: str
    gate_times: str
    walked: str
    how_good: str
    first: str
    mark: str
    approach: LegText | None
    stops: tuple[StopText, ...]
    back: LegText | None
    keep_away: tuple[str, ...]
    dark: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class WeekView:
    """What makes the page a week's: its outings, what it is called, and what they are chosen by.

    `days` and `officers` are values with the words that stand for them.
    """

    patrols: tuple[MapPatrol, ...]
    name: str
    days: dict[str, str]
    officers: dict[str, str]


def render_map(plan: "Plan", week: WeekView | None = None) -> bytes:
    """Write a plan, or a week, as one HTML page.

    Parameters
    ----------
    plan
        Patrols, hotspots and risk.
    week
        The outings of a week that was chosen from the plan, shown in place of its patrols.

    Returns
    -------
    bytes
        HTML in UTF-8. It holds script, styles and data, and a policy that forbids every request;
        only with `[output] tiles` set may it ask that one server for map images, and says so.
        Equal plans give equal bytes.
    """
    outings = list_map_patrols(plan) if week is None else week.patrols
    layers = build_map_layers(plan, outings)
    layers["credit"] = "Fictional" if wording.is_fictional(plan) else OPENSTREETMAP
    tiles = plan.area.settings.output.tiles
    element, folium_script = _render_folium(layers["bounds"], tiles)
    scripts = (_read_leaflet_script(), folium_script, *map(_read_asset, SCRIPT_FILES))
    styles = (_read_leaflet_style(), _read_asset("map.css"))
    page = (
        _load_templates()
        .get_template("map.html.j2")
        .render(
            area=plan.area.name,
            marking=plan.area.settings.output.marking,
            purpose=wording.PURPOSE,
            fictional=wording.is_fictional(plan),
            kind="Patrol map" if week is None else "Week map",
            week=week,
            patrols=[_describe_patrol(outing, plan) for outing in outings],
            bases=any(outing.patrol.base_xy for outing in outings),
            aways=any(outing.patrol.keep_away for outing in outings),
            hotspots=plan.hotspots[["hotspot", "place", "reasons", "how_sure"]].to_dict("records"),
            voices={voice: VOICES[voice] for voice in layers["voices"]},
            threshold=plan.area.settings.privacy.threshold,
            data_dates=wording.format_data_months(plan.risk),
            approximations=wording.list_approximations(
                plan, (outing.patrol.way for outing in outings)
            ),
            notes=tuple(dict.fromkeys((*plan.risk.notes, *plan.area.notes))),
            attributions=wording.list_attributions(plan),
            tiles_host=_find_tile_host(tiles) if tiles else "",
            policy=_build_security_policy(scripts, styles, tiles),
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - ours and Leaflet's own
            styles=[Markup(style) for style in styles],  # noqa: S704 - ours and Leaflet's own
            map_element=Markup(element),  # noqa: S704 - a div with a fixed id
            data=Markup(_dump_script_json(layers)),  # noqa: S704 - escaped for a script element
        )
    )
    return page.encode("utf-8", errors="replace")


@lru_cache(maxsize=1)
def _load_templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render_folium(bounds: list[list[float]], tiles: str | None) -> tuple[str, str]:
    """Folium's map element and script, with fixed names and without its ten linked files.

    Folium writes links to its libraries into the page's header; this page has a header of its
    own, so nothing of it is taken over.
    """
    (south, west), (north, east) = bounds
    chart = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=15,
        prefer_canvas=True,
        min_zoom=11,
        max_zoom=19,
        zoom_snap=0.25,
        zoom_delta=1,
    )
    chart.default_js = []
    chart.default_css = []
    chart._id = "patrol"  # noqa: SLF001 - the random id would make equal plans unequal
    if tiles:
        layer = folium.TileLayer(
            tiles, attr=str(escape(f"Map images: {_find_tile_host(tiles)}")), max_native_zoom=19
        )
        layer._id = "patrol"  # noqa: SLF001 - as above
        layer.add_to(chart)
    figure = chart.get_root()
    figure.render()
    return figure.html.render(), figure.script.render()


def _find_tile_host(tiles: str) -> str:
    """Server that a tile address asks, without the part that stands for one of several."""
    return urlsplit(tiles).netloc.removeprefix("{s}.") or "this folder"


def _build_security_policy(
    scripts: tuple[str, ...], styles: tuple[str, ...], tiles: str | None
) -> str:
    """Content security policy: these scripts and styles by their hash, no request at all."""
    images = "data:"
    if tiles:
        parts = urlsplit(tiles)
        origin = f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}"
        # Anything that could end the source or the directive is no part of a host name.
        images += " " + (re.sub(r"[^\w.:/*-]", "", origin) if parts.netloc else "file: 'self'")
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(_hash_source(script) for script in scripts)}",
            f"style-src {' '.join(_hash_source(style) for style in styles)}",
            f"img-src {images}",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash_source(text: str) -> str:
    value = base64.b64encode(bytes.fromhex(hash_content(text))).decode("ascii")
    return f"'sha256-{value}'"


def _read_asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").replace("\r\n", "\n")


@lru_cache(maxsize=1)
def _read_leaflet_script() -> str:
    source = (Path(leaflet.BASE_DIR) / "leaflet.js").read_text(encoding="utf-8")
    # The source map would be a request as soon as somebody opens the developer tools.
    return re.sub(r"//# sourceMappingURL=\S+", "", source).replace("\r\n", "\n").strip()


@lru_cache(maxsize=1)
def _read_leaflet_style() -> str:
    """Leaflet's style sheet with its few images written into it."""
    folder = Path(leaflet.BASE_DIR)
    source = (folder / "leaflet.css").read_text(encoding="utf-8").replace("\r\n", "\n")

    def inlined(found: re.Match[str]) -> str:
        image = base64.b64encode((folder / found[1]).read_bytes()).decode("ascii")
        return f"url(data:image/png;base64,{image})"

    return re.sub(r"url\((images/[\w-]+\.png)\)", inlined, source)


def _dump_script_json(value: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _describe_patrol(map_patrol: MapPatrol, plan: "Plan") -> PatrolText:
    patrol = map_patrol.patrol
    times = f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}"
    go = "Walk" if patrol.way == "walk" else "Ride"
    walks = [
        _describe_leg(leg, to, go, wording.format_leg_minutes(patrol, number))
        for number, (leg, to) in enumerate(
            zip(patrol.legs, _list_destinations(patrol), strict=True)
        )
    ]
    numbered = enumerate(zip(patrol.stops, walks, strict=False), start=1)
    return PatrolText(
        id=map_patrol.id,
        urn=patrol.urn,
        school=patrol.school,
        title=map_patrol.title,
        choice=map_patrol.choice,
        about=map_patrol.about,
        times=times,
        gate_times=_describe_start(patrol),
        walked=wording.describe_distance(patrol) if patrol.legs else "no walk",
        how_good=wording.describe_quality(patrol),
        first="Set out from the base" if patrol.from_base else "At the school gate",
        mark="B" if patrol.from_base else "G",
        approach=_describe_approach(patrol, go),
        stops=tuple(_describe_stop(number, stop, walk, plan) for number, (stop, walk) in numbered),
        back=walks[-1] if walks else None,
        keep_away=tuple(
            wording.describe_barred(one, crs=plan.area.projection.crs) for one in patrol.keep_away
        ),
        dark=wording.describe_lighting(_date_plan(plan, map_patrol), patrol),
        notes=patrol.notes,
    )


def _date_plan(plan: "Plan", map_patrol: MapPatrol) -> "Plan":
    """The plan on the day of an outing, of which the light depends."""
    return replace(plan, date=dt.date.fromisoformat(map_patrol.day)) if map_patrol.day else plan


def _describe_start(patrol: "Patrol") -> str:
    """When to be where the patrol begins."""
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    return start if start == until else f"{start} to {until}"


def _describe_approach(patrol: "Patrol", verb: str) -> LegText | None:
    if patrol.approach is None:
        return None
    length = wording.format_minutes(round(patrol.start_minutes) - round(patrol.set_out_minutes))
    told = _describe_leg(patrol.approach, "the gate", verb, length)
    return LegText(
        f"Leave the base at {format_time(patrol.set_out_minutes)}. {told.heading}", told.steps
    )


def _list_destinations(patrol: "Patrol") -> tuple[str, ...]:
    """Where each leg leads."""
    if not patrol.legs:
        return ()
    stops = (f"stop {number}" for number in range(1, len(patrol.stops) + 1))
    return (*stops, f"the {patrol.ends_at}")


def _describe_leg(leg: "Leg", destination: str, verb: str, duration: str) -> LegText:
    length = f"{wording.format_metres(leg.metres)}, {duration}"
    steps = tuple(
        f"{turn[:1].upper()}{turn[1:]}: {step.street}, {wording.format_metres(step.metres)}"
        for step, turn in zip(leg.steps, wording.describe_turns(leg.steps), strict=True)
    )
    return LegText(f"{verb} to {destination}: {length}", steps)


def _describe_stop(number: int, stop: "Stop", walk: LegText, plan: "Plan") -> StopText:
    why = tuple(f"{reason[:1].upper()}{reason[1:]}" for reason in stop.why if reason)
    return StopText(
        number=number,
        times=f"{format_time(stop.arrive_minutes)} to {format_time(stop.leave_minutes)}",
        dwell=wording.format_minutes(stop.leave_minutes - stop.arrive_minutes),
        place=stop.place,
        grid=wording.format_grid_reference(stop.x, stop.y, crs=plan.area.projection.crs),
        why=why or ("" if stop.tasked else wording.format_reasons(stop),),
        tasked=stop.tasked,
        hotspot=stop.hotspot,
        walk=walk,
    )
