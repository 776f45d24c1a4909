"""Snap points keep their catchments next to exact places; few known times do not represent all."""

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.area.incidents import has_known_times
from patrolplan.notes import list_texts
from patrolplan.settings import parse_settings

STREETS = """<osm version='0.6'>
<node id='1' version='1' lon='-0.1400' lat='51.5200'/>
<node id='2' version='1' lon='-0.1300' lat='51.5200'/>
<node id='3' version='1' lon='-0.1300' lat='51.5210'/>
<way id='5' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/>
<tag k='highway' v='residential'/><tag k='name' v='Long Lane'/></way>
</osm>"""
OPEN = ["-0.1390,51.5201", "-0.1375,51.5201"]
"""Two map points near the west end of 700 m of street."""
NEAR, FAR = "-0.1382,51.5200", "-0.1305,51.5200"


@pytest.fixture
def lane(tmp_path):
    """A lane of 700 m with a school, and a maker of areas from open and own rows."""
    (tmp_path / "x.osm").write_text(STREETS, encoding="utf-8")
    school = "URN,EstablishmentName,Longitude,Latitude\n1,Lane School,-0.135,51.5201\n"
    (tmp_path / "s.csv").write_text(school, encoding="utf-8")

    def area(own=(), points=OPEN):
        rows = [f"2024-05,Robbery,{point}" for point in points]
        names = {"open.csv": ("Month", rows)}
        names["own.csv"] = ("date_time", [f"2024-05-03 15:40,Robbery,{place}" for place in own])
        files = []
        for name, (when, lines) in names.items():
            if lines:
                text = "\n".join([f"{when},Crime type,Longitude,Latitude", *lines])
                (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
                files.append(name)
        sources = {"crimes": files, "schools": "s.csv", "streets": "x.osm"}
        return pp.load_area(parse_settings({"sources": sources}, folder=tmp_path))

    return area


def _lies(area):
    """For each incident, the eastings of the pieces that it is spread over."""
    middle = area.network.piece_middle[:, 0]
    return [middle[area.catchments.piece_catchment == own] for own in area.incident_catchment]


def test_exact_rows_leave_the_snap_points_their_streets(lane):
    """A crime of exact place takes no street from the map points, and counts with the nearest's."""
    alone, mixed = lane(), lane([NEAR])
    assert mixed.snapped
    assert len(mixed.incidents) == 3
    plain = {tuple(row) for row in alone.catchments.xy}
    assert plain <= {tuple(row) for row in mixed.catchments.xy}
    near = np.hypot(*(alone.catchments.xy[alone.catchments.piece_catchment]
                      - alone.network.piece_middle).T) <= 250  # fmt: skip
    for before, after in zip(_lies(alone), _lies(mixed), strict=False):
        inside = np.isin(before, alone.network.piece_middle[near, 0])
        np.testing.assert_array_equal(after, before[inside])
    assert len(_lies(mixed)[2]) > 1


def test_far_from_every_snap_point_a_place_is_exact(lane):
    """Where no map point is near, a crime of exact place stays on its own piece of street."""
    area = lane([FAR])
    (piece,) = _lies(area)[2]
    place = area.incidents.geometry.iloc[2].x
    assert abs(piece - place) < 30


def test_a_mix_is_announced_with_files_and_counts(lane):
    """The area's notes name the files of either kind and how many crimes are exact."""
    (note,) = (note for note in list_texts(lane([NEAR]).notes) if "exact place" in note)
    assert note.startswith("Of 3 crimes, 1 has an exact place")
    assert "(own.csv)" in note
    assert "(open.csv)" in note


def test_nothing_of_exact_places_is_cached_from_a_mix(lane, tmp_path, monkeypatch):
    """With open data in the mix too, no place of a force's own crimes is written to a cache."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "open"))
    lane()
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "mixed"))
    area = lane([NEAR])
    assert not area.catchments.public
    cached, mixed = (
        {path.name for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("open", "mixed")
    )
    assert mixed
    assert mixed <= cached


@pytest.mark.parametrize(
    ("timed", "count", "enough"),
    [
        (0, 0, False),
        (0, 4, False),
        (1, 4, False),
        (2, 4, True),
        (449, 900, False),
        (450, 900, True),
    ],
)
def test_times_are_known_from_enough_of_them(timed, count, enough):
    """Half of all crimes that count are enough to say when harm happens; a few of many are not."""
    assert has_known_times(pd.Series(np.arange(count) < timed, dtype=bool)) is enough
