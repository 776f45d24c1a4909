"""`map.html`: one page with the whole plan, which opens from a folder and sends no request."""

import base64
import datetime as dt
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import escape
from xstatic.pkg import leaflet

from patrolplan.area.square_names import format_grid_reference
from patrolplan.atomic import hash_content
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.direction_words import describe_directions
from patrolplan.outputs.facts import StopFacts, list_stop_facts
from patrolplan.outputs.offline_page import dump_script_json, read_asset, read_script, render_page
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.outputs.webmap import map_layers
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.patrol_state import find_patrol_state
from patrolplan.patrols.tasked_places import find_tasked_point
from patrolplan.risk.priority import SHOWN_CLASSES
from patrolplan.text import capitalise, pick_fields
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.patrols.plan import Plan


TEMPLATES = Path(__file__).parent

SCRIPT_FILES = (
    *("packed.js", "room.js", "names.js", "sheet.js", "points.js", "ground.js"),
    *("ink.js", "search.js", "signs.js", "position.js", "taps.js", "companion.js"),
    "map.js",
)  # In order: each uses only those before it

OPENSTREETMAP = "© OpenStreetMap contributors"  # The licences are in the text

VOICES = {
    "joined": "Risk (both voices)",
    "crime": "Recorded crime",
    "reports": "Pupils' reports",
    "differ": "Where the voices differ",
}  # Options for colouring the streets, and their names on the page


@dataclass(frozen=True)
class WeekView:
    """A week for the page: its patrols, its name, and the names of the days and officers."""

    patrols: tuple[map_layers.MapPatrol, ...]
    name: str
    days: dict[str, str]
    officers: dict[str, str]


def render_map(plan: "Plan", week: WeekView | None = None) -> bytes:
    """Render a plan, or a week chosen from it, as one HTML page; equal plans give equal bytes."""
    # Its policy forbids all requests, but for map images from the one server of `[output] tiles`.
    patrols = map_layers.list_map_patrols(plan) if week is None else week.patrols
    layers = map_layers.build_map_layers(plan, patrols)
    hotspots, reasons = plan.hotspots, list_reasons(plan.hotspots)
    certainty = describe_certainty(plan.area, plan.risk, hotspots)
    spots = zip(hotspots["hotspot"], hotspots["place"], reasons, certainty, strict=True)
    stops = [stop for row in layers["patrols"] for stop in row["stops"]]
    layers["plan"] = hash_content(dump_script_json(layers["patrols"]))[:16]
    is_fictional = wording.is_fictional_area(plan.area.name)
    layers["credit"] = "Fictional" if is_fictional else OPENSTREETMAP
    tiles = plan.area.settings.output.tiles
    host = urlsplit(tiles or "").netloc.removeprefix("{s}.") or "this folder"
    if tiles:  # a tile layer writes its credit as HTML
        layers["tiles"] = {"url": tiles, "credit": str(escape(f"Map images: {host}"))}
    scripts = (read_leaflet_script(), *(read_script(TEMPLATES / name) for name in SCRIPT_FILES))
    styles = (read_leaflet_style(), read_asset(TEMPLATES / "map.css"))
    page = render_page(
        TEMPLATES / "map.html.j2",
        scripts,
        styles,
        layers,
        images=_list_image_sources(tiles),
        area=plan.area.name,
        marking=find_marking(plan.area, (shown.patrol for shown in patrols), reasons),
        purpose=wording.PURPOSE,
        kind="Patrol map" if week is None else "Week map",
        week=week,
        patrols=[_describe_patrol(patrol, plan) for patrol in patrols],
        aways=any(shown.patrol.keep_away for shown in patrols),
        feared=any(row["feared"] for row in (*layers["hotspots"], *stops)),
        tasked=any(row["tasked"] for row in stops),
        hotspots=[
            {"hotspot": name, "place": place, "reasons": describe_reasons(why), "how_sure": sure}
            for name, place, why, sure in spots
        ],
        signs={one["words"]: one for one in layers["ground"]["points"] if one["names"]},
        voices={voice: VOICES[voice] for voice in layers["voices"]},
        classes=SHOWN_CLASSES,
        threshold=plan.area.settings.privacy.threshold,
        data_dates=wording.format_data_months(plan.risk),
        approximations=wording.list_approximations(
            plan, (shown.patrol.travel for shown in patrols)
        ),
        notes=list_texts((*plan.risk.notes, *plan.area.notes)),
        attributions=wording.list_attributions(plan),
        tiles_host=host if tiles else "",
    )
    return page.encode("utf-8", errors="replace")


def _list_image_sources(tiles: str | None) -> str:
    """Permitted sources of images: the page itself, and the server of a tile address."""
    if not tiles:
        return "data:"
    parts = urlsplit(tiles)
    origin = f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    # Drop characters that could end the source or the directive; host names have none.
    return "data: " + (re.sub(r"[^\w.:/*-]", "", origin) if parts.netloc else "file: 'self'")


@lru_cache(maxsize=1)
def read_leaflet_script() -> str:
    """Leaflet's installed script."""
    source = (Path(leaflet.BASE_DIR) / "leaflet.js").read_text(encoding="utf-8")
    # A browser would request the source map when developer tools are opened.
    return re.sub(r"//# sourceMappingURL=\S+", "", source).replace("\r\n", "\n").strip()


@lru_cache(maxsize=2)
def read_leaflet_style(*, with_images: bool = True) -> str:
    """Leaflet's style sheet, with its few images embedded, or without them."""
    folder = Path(leaflet.BASE_DIR)

    def replace_image(match: re.Match[str]) -> str:
        if not with_images:
            return "none"
        image = base64.b64encode((folder / match[1]).read_bytes()).decode("ascii")
        return f"url(data:image/png;base64,{image})"

    source = (folder / "leaflet.css").read_text(encoding="utf-8").replace("\r\n", "\n")
    return re.sub(r"url\((images/[\w-]+\.png)\)", replace_image, source)


def _describe_patrol(map_patrol: map_layers.MapPatrol, plan: "Plan") -> dict[str, Any]:
    """Texts of a patrol, for the template."""
    patrol, crs = map_patrol.patrol, plan.area.projection.crs
    if map_patrol.day:  # light depends on the day
        plan = replace(plan, date=dt.date.fromisoformat(map_patrol.day))
    state = find_patrol_state(plan, patrol)
    verb = capitalise(patrol.travel.verb)
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    ends = [*(f"stop {number + 1}" for number in range(len(patrol.stops))), "the gate"]
    legs = [
        {
            "heading": f"{verb} to {end}: {wording.format_metres(leg.metres)}, "
            f"{wording.format_leg_minutes(patrol, number)}",
            "steps": [
                f"{capitalise(one.turn)} {one.street} {one.length}{one.passed}"
                for one in describe_directions(leg.steps)
            ],
        }
        for number, (leg, end) in enumerate(zip(patrol.legs, ends, strict=False))
    ]
    return {
        **pick_fields(map_patrol, "id", "title", "choice", "about"),
        "times": f"{start} to {format_time(patrol.end_minutes)}",
        "gate_times": start if start == until else f"{start} to {until}",
        "walked": wording.describe_distance(patrol) if patrol.legs else "no walk",
        "stops": [
            _describe_stop(stop, plan) | {"walk": leg}
            for stop, leg in zip(list_stop_facts(patrol, crs), legs, strict=False)
        ],
        "back": legs[-1] if legs else None,
        "keep_away": [wording.describe_barred(place, crs=crs) for place in patrol.keep_away],
        "dark": wording.describe_lighting(plan, patrol),
        "notes": list_texts(patrol.notes),
        "end": capitalise(wording.describe_end(patrol)),
        "aim": wording.describe_aim(state),
        "compared": wording.describe_worth(state),
    }


def _describe_stop(facts: StopFacts, plan: "Plan") -> dict[str, Any]:
    """A stop's texts; if it is tasked, with what is requested, and where exactly."""
    tasked = facts.tasking
    if tasked:
        x, y = find_tasked_point(plan.area, facts.stop)
        grid = format_grid_reference(x, y, crs=plan.area.projection.crs)
        tasked = f"{tasked}. The place is at {grid}." if grid else f"{tasked}."
    return {
        **pick_fields(facts, "number", "grid", "feared"),
        "times": f"{facts.arrive} to {facts.leave}",
        "dwell": wording.format_minutes(facts.minutes),
        "place": capitalise(facts.place) + wording.describe_chance(plan, facts.stop.hotspot),
        "why": [line.text for line in facts.list_why()],
        "tasked": tasked,
    }
