"""Files of surveys as their pages save them, for tests."""

import json

ID = "0123456789abcdef" * 2
LONGITUDE, LATITUDE = 0.880493, 51.531521
"""A place of the demo borough."""

STEP_LONGITUDE = 0.0036
"""Degrees that lead to the next square of the grid there."""


def answer(column=0, **changes):
    """An answer in the square that lies so many squares to the east."""
    words = "after_school", "poor_lighting", "none"
    given = dict(zip(("time_band", "place_factor", "behaviour_factor"), words, strict=True))
    place = {"longitude": round(LONGITUDE + column * STEP_LONGITUDE, 6), "latitude": LATITUDE}
    return given | place | changes


def answers_file(answers, *, pupils=30, **changes):
    """What the survey page saves."""
    head = {"form": "patrolplan survey 1", "id": ID, "school_urn": "900003", "day": "2026-10-08"}
    return head | {"pupils": pupils, "answers": answers} | changes


def tally_square(square, pupils, **columns):
    """One square of a tally."""
    none = {"time_band": {}, "place_factor": {}, "behaviour_factor": {}}
    return {"square": list(square), "pupils": pupils} | none | columns


def tally_file(squares, *, pupils=30, **changes):
    """What the tally page saves."""
    head = {"form": "patrolplan tally 1", "id": ID, "school_urn": "900003", "day": "2026-10-08"}
    return head | {"pupils": pupils, "squares": squares} | changes


def save(path, document):
    """Write a document as a page does."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
