"""Styles for QGIS: every value of the data has its sign, and tones hold in grey."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.outputs.geopackage import build_plan_layers
from patrolplan.outputs.gis.project import RISK_SHARES, build_styles, find_breaks


@pytest.fixture(scope="module")
def layers(demo_plan):
    """Layers of the demo borough's plan."""
    return build_plan_layers(demo_plan)


@pytest.fixture(scope="module")
def documents(layers):
    """Styles of the demo borough's layers, as XML."""
    return {name: ET.fromstring(text) for name, text in build_styles(layers).items()}


def test_styles_name_columns_that_the_layers_have(documents, layers):
    """A renderer, a label or a time is of a column of its layer."""
    for name, style in documents.items():
        attr = style.find("renderer-v2").get("attr") or ""
        named = re.findall(r'"(\w+)"', attr) if "(" in attr else [attr]
        named += [one.get("fieldName") for one in style.iter("text-style")
                  if one.get("isExpression") == "0"]  # fmt: skip
        named += [field.get("name") for field in style.iter("field")]
        assert set(filter(None, named)) <= set(layers[name].columns)


def test_more_risk_is_darker_and_wider(documents):
    """In black and white, too, a class of more risk stands out from the next."""
    lines = [
        {option.get("name"): option.get("value") for option in symbol.iter("Option")}
        for symbol in documents["risk"].findall("renderer-v2/symbols/symbol")
    ]
    colours = [line["line_color"].split(",") for line in lines[:-1]]
    grey = [np.dot([int(part) for part in rgb[:3]], (0.299, 0.587, 0.114)) for rgb in colours]
    assert (np.diff(grey) > 25).all()
    assert (np.diff([float(line["line_width"]) for line in lines]) < 0).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 60)), min_size=1, max_size=60))
def test_classes_have_their_share_of_street(pieces):
    """Counted slowly, the streets above a limit are less than its share, with it at least that."""
    values, metres = (np.array(column) for column in zip(*pieces, strict=True))
    limits = find_breaks(pd.Series(values), pd.Series(metres))
    assert limits == sorted(limits, reverse=True)
    for share, limit in zip(RISK_SHARES, limits[1:-1], strict=True):
        above = sum(length for value, length in pieces if value > limit)
        reached = sum(length for value, length in pieces if value >= limit)
        assert above < share * metres.sum() + 1e-6
        assert reached >= share * metres.sum() - 1e-6
