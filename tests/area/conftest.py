"""An area as small as can be."""

import pytest
from small_networks import write_lane

import patrolplan as pp
from patrolplan.settings import parse_settings

STREETS = write_lane("Long Lane", (-0.13, 51.52), (-0.1, 51.52))
SCHOOLS = """URN,EstablishmentName,EstablishmentStatus (name),Longitude,Latitude
100001,Mill School,Open,-0.128,51.5201
100002,Hill School,Open,-0.126,51.5201
100003,Old School,Closed,-0.126,51.5201
100004,Away School,Open,-0.126,52.5201
"""


@pytest.fixture
def lane(tmp_path):
    """What loads a street with two schools, one closed and one elsewhere, and more tables."""
    (tmp_path / "x.osm").write_text(STREETS, encoding="utf-8")
    (tmp_path / "s.csv").write_text(SCHOOLS, encoding="utf-8")
    (tmp_path / "c.csv").write_text(
        "Month,Longitude,Latitude,Crime type\n2024-05,-0.128,51.52,Robbery\n", encoding="utf-8"
    )

    def load(tables=None, **sections):
        sources = {"crimes": "c.csv", "schools": "s.csv", "streets": "x.osm"}
        for name, text in (tables or {}).items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
            sources[name] = f"{name}.csv"
        bounds = {"bounds": [-0.131, 51.51, -0.099, 51.53]}
        given = {"sources": sources, "area": bounds} | sections
        return pp.load_area(parse_settings(given, folder=tmp_path))

    return load
