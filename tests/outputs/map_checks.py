"""What holds for the words on every map, shared by the tests of maps and cards."""

import numpy as np

from patrolplan.outputs.cartography.labels import compute_corners, find_overlaps
from patrolplan.outputs.cartography.symbols import KEEP_AWAY_TEXT, STOP_RADIUS

ROUND_SIGNS = {"G", "B", KEEP_AWAY_TEXT, *map(str, range(1, 10))}


def assert_labels_apart(picture, *, round_signs=False):
    """No words overlap; round signs may overlap at the corners of their boxes."""
    touching = find_overlaps(picture.label_boxes, picture.label_boxes)
    if round_signs:
        sign = np.array([text in ROUND_SIGNS for text in picture.label_texts])
        apart = picture.label_boxes[:, None, :2] - picture.label_boxes[None, :, :2]
        near = np.hypot(apart[..., 0], apart[..., 1]) < 2 * STOP_RADIUS + 2
        touching = np.where(sign[:, None] & sign, near, touching)
    np.fill_diagonal(touching, val=False)
    assert not touching.any(), [picture.label_texts[row] for row in np.argwhere(touching)[0]]


def assert_on_map(viewport, boxes):
    """Boxes are entirely within the map."""
    edges = compute_corners(boxes)
    assert (edges >= 0).all()
    assert (edges <= viewport.size).all()
