"""Symbols, labels and forms in the XML that QGIS reads, as small as QGIS accepts them.

Sizes are millimetres on the page, or metres on the ground within bounds on the page. Names of
elements and options are those that QGIS 3.22 and later write.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


def parse_colour(colour: str) -> tuple[float, ...]:
    """Red, green and blue."""
    code = {"white": "#ffffff", "black": "#000000"}.get(colour, colour)
    return tuple(int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))


MM_A_POINT = 25.4 / 72


@dataclass(frozen=True)
class SymbolPart:
    """One of the parts of a symbol, from the lowest to the highest.

    Parameters
    ----------
    kind
        Such as SimpleLine, MarkerLine or SimpleMarker.
    options
        Named as in QGIS.
    level
        Parts of all symbols with the same level are drawn together, so that streets connect.
    inner
        The part that is repeated along the line.
    by_value
        Options with an expression that is evaluated for each row.
    """

    kind: str
    options: Mapping[str, str]
    level: int = 0
    inner: "Iterable[SymbolPart]" = ()
    by_value: Mapping[str, str] = field(default_factory=dict)


def write_colour(colour: str, opacity: float = 1.0) -> str:
    """A colour, as `parse_colour` reads it, in the form that QGIS writes.

    Examples
    --------
    >>> write_colour("#10216b"), write_colour("white", 0.5)
    ('16,33,107,255', '255,255,255,128')
    """
    return ",".join(str(round(255 * part)) for part in (*parse_colour(colour), opacity))


def draw_line(
    colour: str, width: float, *, level: int = 0, dashes: str = "", **more: str
) -> SymbolPart:
    """A line with a width in millimetres."""
    options = {
        "line_color": write_colour(colour),
        "line_width": f"{width:g}",
        "line_width_unit": "MM",
        "capstyle": "flat" if dashes else "round",
        "joinstyle": "round",
        **({"use_custom_dash": "1", "customdash": dashes} if dashes else {}),
        **more,
    }
    return SymbolPart("SimpleLine", options, level)


def draw_street(
    colour: str, metres: float, bounds: tuple[float, float], *, level: int, dashes: str = ""
) -> SymbolPart:
    """A line as wide as the street, within bounds in millimetres on the page."""
    low, high = bounds
    scale = {
        "line_width_unit": "RenderMetersInMapUnits",
        "width_map_unit_scale": f"3x:0,0,1,{low:g},1,{high:g}",
    }
    return draw_line(colour, metres, level=level, dashes=dashes, **scale)


def draw_marker(shape: str, size: float, fill: str, edge: str, edge_width: float) -> SymbolPart:
    """A shape with a size in millimetres, such as circle, square or diamond."""
    options = {
        "name": shape,
        "size": f"{size:g}",
        "color": write_colour(fill),
        "outline_color": write_colour(edge),
        "outline_width": f"{edge_width:g}",
    }
    return SymbolPart("SimpleMarker", options)


def draw_text(column: str, size: float, colour: str) -> SymbolPart:
    """The value of a column within a marker, which other labels cannot displace."""
    options = {"size": f"{size:g}", "color": write_colour(colour), "chr": "1"}
    options |= {"font": "Arial", "font_style": "Bold"}
    return SymbolPart("FontMarker", options, by_value={"char": f'to_string("{column}")'})


def repeat_marker(marker: SymbolPart, every: float) -> SymbolPart:
    """A marker along a line, at this interval in millimetres, rotated with it."""
    options = {"interval": f"{every:g}", "interval_unit": "MM", "placements": "Interval"}
    return SymbolPart("MarkerLine", options, inner=[marker])


def hatch_line(colour: str, width: float, every: float, length: float) -> SymbolPart:
    """Slanting strokes along a line."""
    options = {
        "interval": f"{every:g}",
        "interval_unit": "MM",
        "placements": "Interval",
        "hash_length": f"{length:g}",
        "hash_angle": "45",
    }
    return SymbolPart("HashLine", options, inner=[draw_line(colour, width, capstyle="flat")])


def build_symbol(
    name: str, kind: str, parts: Iterable[SymbolPart], *, opacity: str = ""
) -> ET.Element:
    """A symbol of kind marker or line, from its lowest part to its highest.

    `opacity` is an expression for each row's opacity in percent.
    """
    symbol = ET.Element("symbol", {"name": name, "type": kind, "alpha": "1"})
    if opacity:
        symbol.append(_build_by_value({"alpha": opacity}))
    for number, part in enumerate(parts):
        layer = ET.SubElement(
            symbol,
            "layer",
            {"class": part.kind, "enabled": "1", "locked": "0", "pass": str(part.level)},
        )
        layer.append(build_options(part.options))
        if part.by_value:
            layer.append(_build_by_value(part.by_value))
        inner = list(part.inner)
        if inner:
            inner_kind = "marker" if part.kind == "MarkerLine" else "line"
            layer.append(build_symbol(f"@{name}@{number}", inner_kind, inner))
    return symbol


def build_options(options: Mapping[str, str]) -> ET.Element:
    """A map of options, all as text."""
    element = ET.Element("Option", {"type": "Map"})
    for name, value in options.items():
        ET.SubElement(element, "Option", {"name": name, "value": value, "type": "QString"})
    return element


def _build_by_value(expressions: Mapping[str, str]) -> ET.Element:
    element = ET.Element("data_defined_properties")
    holder = ET.SubElement(element, "Option", {"type": "Map"})
    ET.SubElement(holder, "Option", {"name": "name", "value": "", "type": "QString"})
    properties = ET.SubElement(holder, "Option", {"name": "properties", "type": "Map"})
    for name, expression in expressions.items():
        one = ET.SubElement(properties, "Option", {"name": name, "type": "Map"})
        ET.SubElement(one, "Option", {"name": "active", "value": "true", "type": "bool"})
        text = {"name": "expression", "value": expression, "type": "QString"}
        ET.SubElement(one, "Option", text)
        ET.SubElement(one, "Option", {"name": "type", "value": "3", "type": "int"})
    ET.SubElement(holder, "Option", {"name": "type", "value": "collection", "type": "QString"})
    return element


@dataclass(frozen=True)
class Labels:
    """The column that is written next to a symbol, and its style.

    Parameters
    ----------
    column
        The column, or an expression.
    size
        Points.
    placement
        A key of `PLACEMENTS`.
    most_scale
        Written only at a scale of 1 to this or larger; 0 means always.
    wrap
        Letters after which a line is broken; 0 means never.
    merge
        Lines with the same text are labelled as one.
    """

    column: str
    size: float
    placement: str
    most_scale: int = 0
    wrap: int = 0
    bold: bool = False
    merge: bool = False
    is_expression: bool = False
    priority: int = 5
    distance: float = 0.0
    colour: str = "#000000"


PLACEMENTS = {"near": ("6", "0"), "line": ("2", "10"), "curved": ("3", "9")}
"""QGIS's number of the placement, and its flags for lines: above 2, on 1, orientation 8."""


def build_labeling(labels: Labels) -> ET.Element:
    """The labels of a layer, with a white halo."""
    labeling = ET.Element("labeling", {"type": "simple"})
    settings = ET.SubElement(labeling, "settings", {"calloutType": "simple"})
    style = ET.SubElement(
        settings,
        "text-style",
        {
            "fieldName": labels.column,
            "isExpression": "1" if labels.is_expression else "0",
            "fontSize": f"{labels.size:g}",
            "fontSizeUnit": "Point",
            "fontWeight": "75" if labels.bold else "50",
            "namedStyle": "Bold" if labels.bold else "",
            "textColor": write_colour(labels.colour),
            "textOpacity": "1",
        },
    )
    buffer = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferOpacity": "1"}
    ET.SubElement(style, "text-buffer", {**buffer, "bufferColor": write_colour("#ffffff")})
    wrap = {"autoWrapLength": str(labels.wrap), "useMaxLineLengthForAutoWrap": "1"}
    ET.SubElement(settings, "text-format", {**wrap, "multilineAlign": "1"})
    placement, flags = PLACEMENTS[labels.placement]
    ET.SubElement(
        settings,
        "placement",
        {
            "placement": placement,
            "placementFlags": flags,
            "predefinedPositionOrder": "R,L,TR,TL,BR,BL,T,B",
            "priority": str(labels.priority),
            "dist": f"{labels.distance:g}",
            "distUnits": "MM",
            "offsetType": "1",
            "repeatDistance": "90" if labels.merge else "0",
            "repeatDistanceUnits": "MM",
            "maxCurvedCharAngleIn": "25",
            "maxCurvedCharAngleOut": "-25",
        },
    )
    ET.SubElement(
        settings,
        "rendering",
        {
            "scaleVisibility": "1" if labels.most_scale else "0",
            "scaleMin": "0",
            "scaleMax": str(labels.most_scale),
            "mergeLines": "1" if labels.merge else "0",
            "obstacle": "1",
            "obstacleFactor": "2",
            "drawLabels": "1",
            "minFeatureSize": "0",
        },
    )
    return labeling
