"""Files spoiled at random are read or refused, never a fault of the program."""

import contextlib

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from patrolplan.errors import InputError
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.officers import read_officers
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.schools import read_bell_times
from patrolplan.inputs.schools import read_gates
from patrolplan.inputs.schools import read_schools
from patrolplan.inputs.tasked import read_tasked_places
from patrolplan.inputs.terms import read_term_dates
from patrolplan.projection import Projection
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
EVERYWHERE = shapely.box(0, 0, 700_000, 1_300_000)
READERS = {
    "schools.csv": lambda path: read_schools([path], BNG, LeftOut()),
    "bell_times.csv": lambda path: read_bell_times([path]),
    "gates.csv": lambda path: read_gates([path], BNG),
    "officers.csv": lambda path: read_officers([path], BNG),
    "term_dates.csv": lambda path: read_term_dates([path]),
    "tasked_places.csv": lambda path: read_tasked_places([path], BNG),
    "reports.csv": lambda path: read_reports([path], BNG, EVERYWHERE, LeftOut(), threshold=5),
    "crimes/2026-09/2026-09-eastmere-street.csv": lambda path: read_crimes([path], BNG, LeftOut()),
}
PUT = st.sampled_from(
    [b"", b'"', b",", b";", b"\n", b"\r\n\r\n", b"\0", b"\xc3", b"\xff", b"-9", b"1e999", b"nan"]
)
CHANGES = st.lists(st.tuples(st.integers(0, 2999), st.integers(0, 30), PUT), min_size=1, max_size=8)


@pytest.mark.parametrize("name", READERS)
@given(changes=CHANGES)
def test_spoiled_files_are_read_or_refused(demo, tmp_path_factory, name, changes):
    """Whatever is cut out of a file or put into it, the reader reads it or says what is wrong."""
    content = (demo.parent / name).read_bytes()[:3000]
    for place, cut, put in changes:
        content = content[:place] + put + content[place + cut :]
    path = tmp_path_factory.mktemp("spoiled") / "t.csv"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert READERS[name](path) is not None
