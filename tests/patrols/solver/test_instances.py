"""Readers of public orienteering instances: each form, distances by TSPLIB's rules, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.patrols.solver.instances import read_instance
from patrolplan.patrols.solver.tsplib import PLANE_RULES, _compute_geo, compute_distances

TOP = "n 4\nm 2\ntmax 7.5\n0 0 0\n3 4 10\n3 0 5.5\n6 0 0\n"
OP = "15\t1\n0 -7 0\n0 7 0\n1.0 0 12\n"
TOPTW = (
    "1 2 3 4\n0 200\n"
    "0 40.00 50.00 0.00 0.00 0 0 0 1236\n"
    "1 45.00 68.00 90.00 10.00 1 1 1 912 967\n"
    "2 42.00 66.00 90.00 20.00 1 2 1 2 65 146\n"
)
OPLIB = """NAME : four
TYPE : OP
DIMENSION: 4
COST_LIMIT : 27
EDGE_WEIGHT_TYPE : {kind}
NODE_COORD_SECTION
1 0 0
2 3 4.6
3 3 0
4 6.5 0
NODE_SCORE_SECTION
1 1
2 7
3 2
4 3
DEPOT_SECTION
1
-1
EOF
never read
"""
MATRIX = """NAME : three
DIMENSION : 3
COST_LIMIT : 9
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : {form}
EDGE_WEIGHT_SECTION
{numbers}
NODE_SCORE_SECTION
1 0
2 4
3 5
DEPOT_SECTION
1
EOF
"""


@pytest.fixture
def write(tmp_path):
    """What writes a file and gives its path."""

    def write_file(text, name="some.txt"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_team_orienteering(write):
    """The first point is the start, the last the end; times are straight lines, not rounded."""
    read = read_instance(write(TOP, "p9.2.x.txt"))
    assert (read.name, read.form, read.routes, read.limit) == ("p9.2.x", "top", 2, 7.5)
    assert (read.start, read.end) == (0, 3)
    assert read.distances[0].tolist() == [0, 5, 3, 6]
    assert read.prizes.tolist() == [0, 10, 5.5, 0]
    assert read.windows is None
    assert repr(read) == "<Instance p9.2.x: 4 points, 2 routes, limit 7.5>"


def test_orienteering_ends_at_the_second_point(write):
    """Files of Tsiligirides have the limit first, then start and end."""
    read = read_instance(write(OP))
    assert (read.form, read.routes, read.limit, read.start, read.end) == ("op", 1, 15, 0, 1)
    assert read.distances[0, 1] == 14


@pytest.mark.parametrize(("name", "scale"), [("c101.txt", 10), ("pr01.txt", 100)])
def test_time_windows(write, name, scale):
    """Distances are cut to one decimal, of Cordeau's files to two; row 0 is start and end."""
    read = read_instance(write(TOPTW, name), routes=3)
    assert (read.form, read.routes, read.limit, read.start, read.end) == ("toptw", 3, 1236, 0, 0)
    assert read.windows.tolist() == [[0, 1236], [912, 967], [65, 146]]
    assert read.dwell.tolist() == [0, 90, 90]
    assert read.prizes.tolist() == [0, 10, 20]
    exact = math.hypot(5, 18)
    assert read.distances[0, 1] == math.floor(exact * scale) / scale < exact


def test_oplib_counts_the_depot_apart(write):
    """Distances are whole numbers, and the depot's score is what published values hold anyway."""
    read = read_instance(write(OPLIB.format(kind="EUC_2D"), "four.oplib"))
    assert (read.form, read.routes, read.limit, read.fixed_prize) == ("oplib", 1, 27, 1)
    assert read.distances[0].tolist() == [0, 5, 3, 7]
    solution = pp.orienteering.solve(read.problem)
    assert solution.proven
    assert solution.worth + read.fixed_prize == 13


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("FULL_MATRIX", "0 2 3\n2 0 4\n3 4 0"),
        ("LOWER_ROW", "2 3 4"),
        ("LOWER_DIAG_ROW", "0 2 0\n3 4 0"),
        ("UPPER_ROW", "2 3\n4"),
        ("UPPER_DIAG_ROW", "0 2 3 0\n4 0"),
    ],
)
def test_matrices_of_every_form_are_one(write, form, numbers):
    """Whole or half, with the diagonal or without: the same distances."""
    read = read_instance(write(MATRIX.format(form=form, numbers=numbers)))
    assert read.distances.tolist() == [[0, 2, 3], [2, 0, 4], [3, 4, 0]]
    assert read.xy is None


def _slow_att(a, b):
    exact = math.sqrt(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / 10.0)
    rounded = int(exact + 0.5)
    return rounded + 1 if rounded < exact else rounded


def _slow_geo(a, b):
    def radians(value):
        degrees = int(value)
        return 3.141592 * (degrees + 5.0 * (value - degrees) / 3.0) / 180.0

    (lat1, lon1), (lat2, lon2) = (tuple(radians(value) for value in point) for point in (a, b))
    q1, q2, q3 = math.cos(lon1 - lon2), math.cos(lat1 - lat2), math.cos(lat1 + lat2)
    inside = min(1.0, max(-1.0, 0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)))
    return int(6378.388 * math.acos(inside) + 1.0)


SLOW = {
    "EUC_2D": lambda a, b: int(math.hypot(a[0] - b[0], a[1] - b[1]) + 0.5),
    "CEIL_2D": lambda a, b: math.ceil(math.hypot(a[0] - b[0], a[1] - b[1])),
    "ATT": _slow_att,
}


@given(xy=arrays(np.float64, (6, 2), elements=st.integers(-4000, 4000).map(lambda k: k / 4)))
def test_distances_are_those_of_a_plain_loop(xy):
    """Each rule of TSPLIB gives, for all pairs at once, what it says for one."""
    exact = compute_distances(xy)
    for kind, rule in PLANE_RULES.items():
        found = rule(exact)
        wanted = [[SLOW[kind](a, b) for b in xy.tolist()] for a in xy.tolist()]
        assert np.abs(found - wanted).max() <= (1 if kind != "EUC_2D" else 0)
        assert (found == wanted).mean() > 0.8


@given(xy=arrays(np.float64, (6, 2), elements=st.integers(-8900, 8900).map(lambda k: k / 100)))
def test_distances_on_the_globe(xy):
    """Kilometres by TSPLIB's rule, off the diagonal, which nobody travels."""
    found = _compute_geo(xy)
    wanted = np.array([[_slow_geo(a, b) for b in xy.tolist()] for a in xy.tolist()])
    off = ~np.eye(6, dtype=bool)
    assert np.abs(found - wanted)[off].max() <= 1
    assert (found == wanted)[off].mean() > 0.8


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "it is empty"),
        ("hello\nworld", "no known form"),
        ("1 2 3\n4 5", "no known form"),
        (TOP.replace("3 4 10", "3 4 ten"), "row 5: '3 4 ten' is not x, y and score"),
        (TOP.replace("3 4 10", "3 4"), "row 5: '3 4' is not x, y and score"),
        (TOP.replace("tmax 7.5", "tmax nan"), "row 3: 'nan' is not a limit"),
        (TOP.replace("m 2", "k 2"), "have no 'm'"),
        (OP.replace("1.0 0 12\n", "").replace("0 7 0\n", ""), "one point only"),
        (TOPTW.replace("912 967", "912 x"), "row 4: .* is not a point with dwell"),
        (OPLIB.format(kind="EUC_3D"), "'EUC_3D' are unknown"),
        (OPLIB.format(kind="ATT").replace("4 6.5 0\n", ""), "3 coordinates, and DIMENSION says 4"),
        (OPLIB.format(kind="ATT").replace("2 7", "9 7"), "there is no node 9"),
        (OPLIB.format(kind="ATT").replace("DIMENSION: 4", "DIMENSION: 4e9"), "DIMENSION is 4e"),
        (OPLIB.format(kind="ATT").replace("COST_LIMIT", "COST"), "it has no COST_LIMIT"),
        (OPLIB.format(kind="ATT").replace("DEPOT_SECTION", "D_SECTION"), "has no DEPOT_SECTION"),
        (MATRIX.format(form="LOWER_COL", numbers="1"), "form 'LOWER_COL' is unknown"),
        (MATRIX.format(form="LOWER_ROW", numbers="1 2"), "2 distances, and LOWER_ROW .* needs 3"),
    ],
)
def test_errors_name_file_row_value_and_remedy(write, text, seen):
    """What is wrong with a file is said in one sentence, with what to do."""
    with pytest.raises(InputError, match=seen) as raised:
        read_instance(write(text))
    assert "some.txt" in str(raised.value)
    assert ";" in str(raised.value)


def test_all_bad_rows_are_named(write):
    """Two bad rows give two problems, and a file full of them not more than twenty."""
    text = TOP.replace("3 4 10", "3 4 ten").replace("3 0 5.5", "3 inf 5.5")
    with pytest.raises(InputError) as raised:
        read_instance(write(text))
    assert len(raised.value.problems) == 2
    with pytest.raises(InputError) as raised:
        read_instance(write("n 1\nm 1\ntmax 1\n" + "x\n" * 1000))
    assert len(raised.value.problems) == 20


def test_other_arguments_are_checked(write, tmp_path):
    """A file that is not there, a form that there is not, no routes at all."""
    with pytest.raises(InputError, match="cannot be read"):
        read_instance(tmp_path / "missing.txt")
    with pytest.raises(InputError, match="'tsp' is no form; choose from: top, op"):
        read_instance(write(TOP), form="tsp")
    with pytest.raises(InputError, match="routes"):
        read_instance(write(TOP), routes=0)


def test_published_instances_are_read(shared):
    """Where the public files are at hand, each has its points, a limit, and a problem."""
    folder = shared / "bench" / "orienteering"
    files = sorted(folder.glob("*/*.txt"))[::9] + sorted(folder.glob("oplib/*/*.oplib"))[::9]
    read = [read_instance(path) for path in files if path.stem != "FORMAT"]
    assert {one.form for one in read} == {"top", "op", "toptw", "oplib"}
    for one in read:
        assert one.problem.size == len(one.prizes) > 10
        assert one.limit > 0
