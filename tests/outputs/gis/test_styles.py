"""Styles for QGIS: every value of the data has its sign, and tones hold in grey."""

import re
import xml.etree.ElementTree as ET
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from matplotlib.colors import to_rgb

from patrolplan.hotspots.carriers import Carrier
from patrolplan.outputs.geopackage import build_plan_layers
from patrolplan.outputs.gis.styles import (
    DISAGREEMENT_CLASSES,
    RISK_CLASSES,
    build_styles,
    draw_ground,
    find_breaks,
)
from patrolplan.patrols.plan import StopKind


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


@pytest.fixture(scope="module")
def documents(layers):
    """Styles of the demo borough's layers, as XML."""
    return {name: ET.fromstring(text) for name, text in build_styles(layers).items()}


def _values(renderer):
    return [row.get("value") for row in renderer.iter("category")]


def test_every_kind_has_a_sign(documents):
    """Each kind of stop and each carrier of a hotspot has a symbol of its own; others one, too."""
    assert _values(documents["stops"]) == [*get_args(StopKind), ""]
    assert _values(documents["hotspots"]) == [*get_args(Carrier), "designated"]
    for style in documents.values():
        names = [symbol.get("name") for symbol in style.findall("renderer-v2/symbols/symbol")]
        used = [row.get("symbol") for row in style.iter() if row.tag in {"category", "range"}]
        assert not used or used == names


def test_styles_name_columns_that_the_layers_have(documents, layers):
    """A renderer, a label or a time is of a column of its layer."""
    for name, style in documents.items():
        attr = style.find("renderer-v2").get("attr") or ""
        named = re.findall(r'"(\w+)"', attr) if "(" in attr else [attr]
        named += [one.get("fieldName") for one in style.iter("text-style")
                  if one.get("isExpression") == "0"]  # fmt: skip
        named += [field.get("name") for field in style.iter("field")]
        assert set(filter(None, named)) <= set(layers[name].columns)


def test_every_class_of_street_is_drawn(layers):
    """Streets below everything have a symbol for each value of the data."""
    renderer = draw_ground(layers["risk"]).renderer
    values = [one.get("value") for one in renderer.iter() if one.tag in {"category", "val"}]
    assert set(layers["risk"]["highway"]) <= set(values)


def test_more_risk_is_darker_and_wider():
    """In black and white, too, a class of more risk stands out from the next."""
    grey = [np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for _, _, colour, _ in RISK_CLASSES[:-1]]
    assert (np.diff(grey) > 0.1).all()
    assert (np.diff([width for *_, width in RISK_CLASSES]) < 0).all()
    assert [low for low, *_ in DISAGREEMENT_CLASSES[1:]] == [
        high for _, high, *_ in DISAGREEMENT_CLASSES[:-1]
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 60)), min_size=1, max_size=60))
def test_classes_have_their_share_of_street(pieces):
    """Counted slowly, the streets above a limit are less than its share, with it at least that."""
    values, metres = (np.array(column) for column in zip(*pieces, strict=True))
    limits = find_breaks(pd.Series(values), pd.Series(metres))
    assert limits == sorted(limits, reverse=True)
    for (share, *_), limit in zip(RISK_CLASSES[:-1], limits[1:-1], strict=True):
        above = sum(length for value, length in pieces if value > limit)
        reached = sum(length for value, length in pieces if value >= limit)
        assert above < share * metres.sum() + 1e-6
        assert reached >= share * metres.sum() - 1e-6
