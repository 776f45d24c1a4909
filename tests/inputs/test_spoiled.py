"""Files spoiled at random are read or refused, never a fault of the program."""

import contextlib

import pytest
from hypothesis import given, strategies as st
from inputs import readers

from patrolplan.errors import InputError

PUT = st.sampled_from(readers.INSERTIONS)
CHANGES = st.lists(st.tuples(st.integers(0, 2999), st.integers(0, 30), PUT), min_size=1, max_size=8)


@pytest.mark.parametrize("name", readers.TABLES)
@given(changes=CHANGES)
def test_spoiled_files_are_read_or_refused(demo, tmp_path_factory, name, changes):
    """Whatever is cut out of a file or put into it, the reader reads it or says what is wrong."""
    content = readers.spoil((demo.parent / name).read_bytes()[:3000], changes)
    path = tmp_path_factory.mktemp("spoiled") / "t.csv"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert readers.TABLES[name](path) is not None
