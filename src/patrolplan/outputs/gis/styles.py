"""How QGIS draws each layer: signs and tones as on the cards, legible in black and white.

A style is a QML document. It is in the GeoPackage, so that a layer always has it, and in the
project. Words of the legend are fixed, and never from the data.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.outputs.cartography.basemap import CLASSES, ROUTE_COLOUR, STREET_EDGE_COLOUR, STYLES
from patrolplan.outputs.cartography.symbols import STRETCH, STRETCH_LINES
from patrolplan.outputs.frames import NO_DAY
from patrolplan.outputs.gis.symbols import (
    MM_A_POINT,
    Labels,
    SymbolPart,
    build_labeling,
    build_options,
    build_symbol,
    draw_line,
    draw_marker,
    draw_street,
    draw_text,
    hatch_line,
    repeat_marker,
)

STYLE_VERSION = "3.22.0-Białowieża"
"""The minimum version of QGIS for these styles; later ones convert them silently."""

RISK_CLASSES = (
    (0.02, "the 2 % with the most risk a metre", "#3f007d", 1.5),
    (0.05, "the next 3 %", "#6a51a3", 1.2),
    (0.10, "the next 5 %", "#9e9ac8", 0.9),
    (0.25, "the next 15 %", "#cbc9e2", 0.7),
    (1.00, "all other streets", "#b8b8b8", 0.2),
)
"""For each class: cumulative share of street length, words, colour and width in mm."""

DISAGREEMENT_CLASSES = (
    (-1.0, -0.5, "recorded, hardly feared", "#b35806", 1.2),
    (-0.5, -0.2, "recorded more than feared", "#f1a340", 0.9),
    (-0.2, 0.2, "in agreement, or little of both", "#c8c8c8", 0.2),
    (0.2, 0.5, "feared more than recorded", "#998ec3", 0.9),
    (0.5, 1.0, "feared, hardly recorded", "#542788", 1.2),
)

CARRIERS = {
    "recorded": "mostly recorded crime",
    "feared": "mostly pupils' reports",
    "way": "mostly crime where many pupils pass",
    "designated": "designated by the force",
}
"""Words and colours by the main basis of a hotspot, or if it is designated by the force."""

CARRIER = "if(attribute($currentfeature, 'kind') = 'designated', 'designated', \"carried_by\")"
"""Expression for the key of `CARRIERS`."""

STOP_KINDS = {
    "hotspot": "stop in a hotspot of the plan",
    "tasked": "stop at a tasked place",
    "designated": "stop in a designated hotspot",
}

BAND_WIDTH = 2.6
"""Width in millimetres of the band of a hotspot."""

OF_THIS_PATROL = (
    "if(@atlas_featureid IS NULL OR (\"urn\" = attribute(@atlas_feature, 'urn') AND "
    "\"number\" = attribute(@atlas_feature, 'number')), 100, 0)"
)
"""Opacity in percent: a page of the atlas is for one patrol, and hides the others."""

WHEN = (
    f"if({OF_THIS_PATROL} = 0, '', "
    "if(@map_scale > 10000, ' ', \"arrive\" || '\N{EN DASH}' || \"leave\"))"
)
"""When an officer is at a stop; empty on maps of small scale, where labels still keep clear."""

STREET_WORDS = {
    "major": "main road",
    "middle": "through street",
    "minor": "street",
    "service": "service road",
    "foot": "footpath",
}

TIMES = {
    "patrols": ("starts", "ends"),
    "stops": ("arrives", "leaves"),
    "schools": ("opens", "finishes"),
}
"""Columns with start and end times."""


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: renderer, labels, and the columns with start and end times."""

    renderer: ET.Element
    labels: Labels | None = None
    times: tuple[str, str] | None = None
    has_day: bool = True
    """Whether times have a real date."""
    animated: bool = False
    """Whether the temporal controller shows a row from its start to its end."""

    def list_elements(self) -> list[ET.Element]:
        """The elements of a QML document, and of a project's layer."""
        elements = [self.renderer]
        if self.labels is not None:
            elements.append(build_labeling(self.labels))
        if self.times is not None:
            elements += self._list_time_elements(self.times)
        return elements

    def _list_time_elements(self, times: tuple[str, str]) -> list[ET.Element]:
        mode = {"mode": "2", "enabled": "1", "startField": times[0], "endField": times[1]}
        fields = ET.Element("fieldConfiguration")
        shown = "yyyy-MM-dd HH:mm" if self.has_day else "HH:mm"
        for name in times:
            field = ET.SubElement(fields, "field", {"name": name})
            widget = ET.SubElement(field, "editWidget", {"type": "DateTime"})
            options = {"display_format": shown, "field_format": "yyyy-MM-dd HH:mm:ss"}
            ET.SubElement(widget, "config").append(build_options(options))
        animation = [ET.Element("temporal", {**mode, "durationUnit": "min", "limitMode": "0"})]
        return [*(animation if self.animated else []), fields]


def build_styles(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    """QML of the layers that have a style, by name."""
    return {name: write_qml(style) for name, style in find_styles(layers).items()}


def find_styles(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, Style]:
    """Styles of the layers that have one, by name."""
    styles = {
        "risk": _draw_risk,
        "hotspots": _draw_hotspots,
        "patrols": _draw_patrols,
        "legs": _draw_legs,
        "stops": _draw_stops,
        "schools": _draw_schools,
    }
    # The classes of a risk layer depend on its values; the other styles are for any table.
    return {
        name: styles[name](frame)
        for name, frame in layers.items()
        if name in styles and (name != "risk" or "risk_per_metre" in frame)
    }


def write_qml(style: Style) -> str:
    """A style as QGIS stores it for a layer."""
    labelled = "1" if style.labels is not None else "0"
    root = ET.Element("qgis", {"version": STYLE_VERSION, "labelsEnabled": labelled})
    root.set("styleCategories", "Symbology|Labeling|Fields|Forms|Temporal")
    root.extend(style.list_elements())
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def draw_ground(risk: gpd.GeoDataFrame) -> Style:
    """Streets as on the cards, from the columns of the risk layer."""
    kinds = {str(value): CLASSES.get(str(value), "foot") for value in risk["highway"].unique()}
    rows = []
    for number, (name, style) in enumerate(STYLES.items()):
        low, high = (MM_A_POINT * points for points in (style.min_points / 6, style.max_points))
        dashes = "2;1.2" if style.dashes else ""
        fill = draw_street(
            style.fill, style.width_metres, (low, high), level=5 + number, dashes=dashes
        )
        edge = draw_street(
            STREET_EDGE_COLOUR, 1.25 * style.width_metres, (1.5 * low, 1.2 * high), level=number
        )
        values = sorted(value for value, kind in kinds.items() if kind == name)
        parts = [fill] if style.dashes else [edge, fill]
        rows.append((values, STREET_WORDS[name], parts))
    renderer = _categorise("highway", "line", rows, by_level=True)
    return Style(renderer, _STREET_NAMES)


_STREET_NAMES = Labels(
    "name", 7, "curved", most_scale=9000, merge=True, priority=3, colour="#404040"
)


def _draw_risk(frame: gpd.GeoDataFrame) -> Style:
    bounds = find_breaks(frame["risk_per_metre"], frame["metres"])
    ranges = [
        (low, high, words, [draw_line(colour, width, level=level)])
        for level, (low, high, (_, words, colour, width)) in enumerate(
            reversed(list(zip(bounds[1:], bounds[:-1], RISK_CLASSES, strict=True)))
        )
    ]
    return Style(_graduate("risk_per_metre", ranges[::-1]), _STREET_NAMES)


def draw_disagreement() -> Style:
    """Where the two voices disagree."""
    ranges = [
        (low, high, words, [draw_line(colour, width, level=round(10 * abs(low + high)))])
        for low, high, words, colour, width in DISAGREEMENT_CLASSES
    ]
    return Style(_graduate("disagreement", ranges))


def leave_out_last_class(style: Style) -> Style:
    """The style without its last class, for a layer over streets that are drawn already."""
    last = style.renderer.findall("ranges/range")[-1]
    last.set("render", "false")
    return style


def find_breaks(values: pd.Series, metres: pd.Series) -> list[float]:
    """Limits of `RISK_CLASSES` by length of street, from the highest value to the lowest.

    Examples
    --------
    >>> find_breaks(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([90.0, 5.0, 3.0, 2.0]))
    [4.0, 4.0, 3.0, 2.0, 1.0, 1.0]
    """
    amounts = values.to_numpy(dtype=np.float64)
    if not len(amounts):
        return [0.0] * (len(RISK_CLASSES) + 1)
    order = np.argsort(-amounts, kind="stable")
    share = np.cumsum(metres.to_numpy()[order]) / metres.sum()
    limits = [amounts[order][np.searchsorted(share, one[0] - 1e-9)] for one in RISK_CLASSES[:-1]]
    return [float(one) for one in (amounts.max(), *limits, amounts.min())]


def _draw_hotspots(_: gpd.GeoDataFrame) -> Style:
    band = draw_line(STRETCH, BAND_WIDTH, level=1)
    edge = draw_line(STRETCH_LINES, BAND_WIDTH + 0.4)
    dot = draw_marker("circle", 0.9, STRETCH_LINES, STRETCH_LINES, 0)
    patterns = {
        "recorded": [
            edge,
            band,
            replace(hatch_line(STRETCH_LINES, 0.15, 1.4, 1.3 * BAND_WIDTH), level=2),
        ],
        "feared": [edge, band, replace(repeat_marker(dot, 2.4), level=2)],
        "way": [edge, band],
        "designated": [draw_line("#000000", BAND_WIDTH + 1.0), band],
    }
    rows = [([value], words, patterns[value]) for value, words in CARRIERS.items()]
    labels = Labels("hotspot", 7, "line", most_scale=10000, bold=True, colour=STRETCH_LINES)
    return Style(_categorise(CARRIER, "line", rows, by_level=True), labels)


def _draw_patrols(frame: gpd.GeoDataFrame) -> Style:
    parts = [draw_line("#ffffff", 1.5), draw_line(ROUTE_COLOUR, 0.8, level=1)]
    return _time(
        Style(_draw_alike("line", parts, opacity=OF_THIS_PATROL), animated=True), "patrols", frame
    )


def _draw_legs(_: gpd.GeoDataFrame) -> Style:
    arrow = draw_marker("filled_arrowhead", 2.6, ROUTE_COLOUR, "#ffffff", 0.2)
    return Style(_draw_alike("line", [repeat_marker(arrow, 16)], opacity=OF_THIS_PATROL))


def _draw_stops(frame: gpd.GeoDataFrame) -> Style:
    number = draw_text("stop", 3.0, "#ffffff")
    disc = draw_marker("circle", 4.4, "#000000", "#ffffff", 0.3)
    frames = {
        "hotspot": [disc],
        "tasked": [draw_marker("square", 5.6, "#ffffff", "#000000", 0.4), disc],
        "designated": [draw_marker("diamond", 7.0, "#ffffff", "#000000", 0.4), disc],
    }
    rows = [([value], words, [*frames[value], number]) for value, words in STOP_KINDS.items()]
    rows.append(([""], "another stop", [disc, number]))
    renderer = _categorise("kind", "marker", rows, opacity=OF_THIS_PATROL)
    when = Labels(
        WHEN, 8, "near", most_scale=50000, bold=True, is_expression=True, priority=10, distance=2.5
    )
    return _time(Style(renderer, when, animated=True), "stops", frame)


def _draw_schools(frame: gpd.GeoDataFrame) -> Style:
    gate = draw_marker("square", 4.0, "#ffffff", "#000000", 0.6)
    door = draw_marker("square", 1.2, "#000000", "#000000", 0.2)
    labels = Labels("name", 8, "near", wrap=20, bold=True, priority=9, distance=3)
    return _time(Style(_draw_alike("marker", [gate, door]), labels), "schools", frame)


def _time(style: Style, layer: str, frame: gpd.GeoDataFrame) -> Style:
    """The style with those of its columns of times that the layer has."""
    start, end = TIMES[layer]
    if start not in frame or end not in frame:
        return style
    has_day = bool((frame[start].dt.date != NO_DAY).any())
    return replace(style, times=(start, end), has_day=has_day)


def _draw_alike(kind: str, parts: Sequence[SymbolPart], *, opacity: str = "") -> ET.Element:
    renderer = ET.Element("renderer-v2", {"type": "singleSymbol", "symbollevels": "1"})
    ET.SubElement(renderer, "symbols").append(build_symbol("0", kind, parts, opacity=opacity))
    return renderer


def _categorise(
    column: str,
    kind: str,
    rows: Sequence[tuple[Sequence[str], str, Sequence[SymbolPart]]],
    *,
    by_level: bool = False,
    opacity: str = "",
) -> ET.Element:
    """A symbol by the value of a column; an empty value means all others."""
    renderer = ET.Element("renderer-v2", {"type": "categorizedSymbol", "attr": column})
    renderer.set("symbollevels", "1" if by_level else "0")
    categories, symbols = (ET.SubElement(renderer, name) for name in ("categories", "symbols"))
    for number, (values, words, parts) in enumerate(rows):
        row = {"symbol": str(number), "label": words, "render": "true"}
        category = ET.SubElement(categories, "category", row)
        if len(values) == 1:
            category.attrib.update({"type": "string", "value": values[0]})
        else:
            category.set("type", "List")
            for value in values:
                ET.SubElement(category, "val", {"type": "string", "value": value})
        symbols.append(build_symbol(str(number), kind, parts, opacity=opacity))
    return renderer


def _graduate(
    column: str, rows: Sequence[tuple[float, float, str, Sequence[SymbolPart]]]
) -> ET.Element:
    """A symbol by the range that a column's value is in."""
    renderer = ET.Element("renderer-v2", {"type": "graduatedSymbol", "attr": column})
    renderer.set("symbollevels", "1")
    renderer.set("graduatedMethod", "GraduatedColor")
    ranges, symbols = (ET.SubElement(renderer, name) for name in ("ranges", "symbols"))
    for number, (low, high, words, parts) in enumerate(rows):
        row = {"symbol": str(number), "lower": repr(low), "upper": repr(high)}
        ET.SubElement(ranges, "range", {**row, "label": words, "render": "true"})
        symbols.append(build_symbol(str(number), "line", parts))
    return renderer
