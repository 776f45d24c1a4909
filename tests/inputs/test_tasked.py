"""Tasked places: to be visited or barred, with a reason."""

import pytest

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.lookups import read_tasked_places

HEADER = "place_id,longitude,latitude,must_visit,schools,from,to,reason,by\n"


def _file(tmp_path, *rows):
    path = tmp_path / "tasked.csv"
    path.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    return path


def test_places_come_with_schools_days_and_reason(tmp_path):
    """Schools are split at semicolons, days are dates, and the place is in metres."""
    path = _file(
        tmp_path, "T1,-0.1346,51.5205,TRUE,100; 200,2026-11-02,2026-12-18,robberies,Insp. A"
    )
    place = read_tasked_places([path], Projection()).iloc[0]
    assert place["schools"] == ["100", "200"]
    assert place["must_visit"]
    assert (place["to"] - place["from"]).days == 46
    assert (place.geometry.x, place.geometry.y) == pytest.approx((529520, 181825), abs=2)


def test_every_wrong_value_is_told_at_once(tmp_path):
    """All wrong values are told, each with its row, column and remedy."""
    path = _file(
        tmp_path,
        "T1,999,51.5,maybe,*,2026-13-01,2026-12-18,,Insp. A",
        "T1,-0.1,51.5,true,,2026-12-18,2026-12-01,why,",
    )
    with pytest.raises(InputError) as error:
        read_tasked_places([path], Projection())
    told = [f"{problem.place}: {problem.what}" for problem in error.value.problems]
    assert sorted(told) == sorted(
        [
            "row 3, column 'place_id': 'T1' stands twice",
            "row 2, column 'longitude': '999' is no coordinate",
            "row 2, column 'must_visit': 'maybe' is neither true nor false",
            "row 3, column 'schools': '' names no school",
            "row 2, column 'from': '2026-13-01' is no date",
            "row 3, column 'to': '2026-12-01' is before the first day",
            "row 2, column 'reason': '' is missing",
            "row 3, column 'by': '' is missing",
        ]
    )


def test_no_file_is_no_place():
    """Without a file there are no tasked places, in a table of the same columns."""
    assert read_tasked_places([], Projection()).empty
