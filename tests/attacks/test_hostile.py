"""Files made to harm: each is read, or refused in plain words, within bounds of time and memory."""

import contextlib
import gzip
import random
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import formats as bounds, small_tables
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.reports import read_reports
from patrolplan.inputs.schools import read_schools
from patrolplan.inputs.street_files import read_streets
from patrolplan.inputs.table_reader import read_counted_table, read_table
from patrolplan.network import build_network
from patrolplan.tables import Column, LeftOut

BNG = Projection("EPSG:27700")
EVERYWHERE = shapely.box(-1e7, -1e7, 1e7, 1e7)
MORE = "".join(f'<!ENTITY {two} "{f"&{one};" * 10}">' for one, two in pairwise("abcdefghij"))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a "ha">{MORE}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/hostname">]>'
OSM = """<?xml version='1.0'?>{doctype}<osm version='0.6'>
<node id='1' version='1' lon='-0.13' lat='51.52'/>
<node id='2' version='1' lon='-0.126' lat='51.52'/>
<way id='5' version='1'><nd ref='1'/><nd ref='2'/>
<tag k='highway' v='residential'/><tag k='name' v='{name}'/></way></osm>"""
GRAPHML = """<?xml version='1.0' encoding='utf-8'?>{doctype}
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="c" for="graph" attr.name="crs" attr.type="string"/>
<key id="x" for="node" attr.name="x" attr.type="string"/>
<key id="y" for="node" attr.name="y" attr.type="string"/>
<key id="o" for="edge" attr.name="osmid" attr.type="string"/>
<key id="h" for="edge" attr.name="highway" attr.type="string"/>
<key id="n" for="edge" attr.name="name" attr.type="string"/>
<key id="l" for="edge" attr.name="length" attr.type="string"/>
<graph edgedefault="directed"><data key="c">epsg:4326</data>
<node id="1"><data key="x">-0.13</data><data key="y">51.52</data></node>
<node id="2"><data key="x">-0.126</data><data key="y">51.52</data></node>
<node id="3"><data key="x">-0.12</data><data key="y">51.53</data></node>
<node id="4"><data key="x">-0.119</data><data key="y">51.53</data></node>
<edge source="1" target="2" id="0"><data key="o">5</data><data key="h">residential</data>
<data key="n">{name}</data><data key="l">300</data></edge>
<edge source="3" target="4" id="0"><data key="o">6</data><data key="h">footway</data>
<data key="n">Island</data><data key="l">70</data></edge>
</graph></graphml>"""
TEXTS = {"osm": OSM, "graphml": GRAPHML}


def _streets(path):
    left_out = LeftOut()
    return read_streets([path], BNG, left_out), left_out


def _written(folder, kind, change=("", ""), *, doctype="", name="Mill Lane"):
    path = folder / f"x.{kind}"
    text = TEXTS[kind].replace(*change) if change[0] else TEXTS[kind]
    path.write_text(text.format(doctype=doctype, name=name), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("doctype", [LAUGHS, OUTSIDE])
def test_entities_are_refused(tmp_path, kind, doctype):
    """XML entities, expanding or from outside, are refused and nothing of them is shown."""
    path = _written(tmp_path, kind, doctype=doctype, name="&j;")
    with pytest.raises(InputError, match="is broken or no") as caught:
        _streets(path)
    assert "haha" not in str(caught.value)


@pytest.mark.parametrize("name", ["b.csv.gz", "b.osm.gz", "b.graphml.gz"])
def test_bombs_are_refused_before_they_unpack(tmp_path, monkeypatch, name):
    """A file that unpacks to far more than its size is refused, whatever reads it."""
    monkeypatch.setattr(bounds, "SMALL_BYTES", 2**20)
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a,b\n" + b" " * (8 * 2**20)))
    with pytest.raises(InputError, match=r"unpacks to more than 1 MiB .*smaller extract"):
        read_table(
            path, [Column("a", "a letter", needed=False)], {}, source="crimes"
        ) if "csv" in name else _streets(path)


def test_large_files_are_refused(tmp_path, monkeypatch):
    """A file over the bound is refused with what to do; a dense small one is read."""
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    bounds.check_size(path)
    monkeypatch.setattr(bounds, "MAX_FILE_BYTES", 100)
    with pytest.raises(InputError, match=r"is larger than .*use a smaller extract"):
        bounds.check_size(path)


def test_a_million_columns_are_refused(tmp_path):
    """A header that never ends is refused at once; one very long row is counted as malformed."""
    path = tmp_path / "x.csv"
    path.write_text("a," + ",".join(f"c{k}" for k in range(1_000_000)) + "\n1\n", "utf-8")
    with pytest.raises(InputError, match="first line of more than 65,536 bytes"):
        read_table(path, [Column("a", "a letter", needed=False)], {}, source="crimes")
    path.write_text("a,b\n" + ",".join("1" * 1_000_000) + "\n2,3\n", "utf-8")
    table = read_counted_table(path, [Column("a", "a letter", needed=False)], {}, source="crimes")
    assert table.rows["a"].tolist() == ["2"]
    assert table.malformed == (2,)


REPORT = "report_id,reported_on,time_band,place_factor,behaviour_factor,longitude,latitude"
TABLES = {
    "crimes": ("Crime ID,Month,Crime type,Longitude,Latitude", "{},2024-05,Robbery,"),
    "schools": ("URN,EstablishmentName,Longitude,Latitude", "{},School,"),
    "reports": (REPORT, "{},2024-05-01,lunch,none,none,"),
}


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e308", "91", "0x1F", "१"])
@pytest.mark.parametrize("kind", TABLES)
def test_coordinates_from_nowhere_are_left_out(tmp_path, kind, value):
    """NaN, infinite and impossible coordinates leave the row out; the good row is read."""
    header, row = TABLES[kind]
    path = tmp_path / "x.csv"
    lines = [header, row.format(1) + "-0.12,51.5", row.format(2) + f"-0.12,{value}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    if kind == "reports":
        assert len(read_reports([path]).refused) == 1
        return
    if kind == "crimes":
        shapes = read_crimes([path], BNG, LeftOut()).incidents
    else:
        shapes = read_schools([path], BNG, LeftOut())
    xy = shapely.get_coordinates(shapes.geometry.values)
    valid = xy[np.isfinite(xy).all(axis=1) & (np.abs(xy) < 2e6).all(axis=1)]
    assert len(valid) == 1
    assert np.isfinite(xy).all()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("graphml", (">-0.13<", ">nan<")), ("graphml", (">-0.13<", ">-inf<")),
        ("graphml", (">51.52<", ">91.52<")), ("graphml", ('target="2"', 'target="1"')),
        ("graphml", (">-0.126<", ">-0.13<")), ("graphml", (">300<", ">-300<")),
        ("graphml", (">300<", ">0<")), ("osm", ("ref='2'", "ref='1'")),
        ("osm", ("lon='-0.126'", "lon='-0.13'")),
    ],
)  # fmt: skip
def test_strange_graphs_give_a_network_or_words(tmp_path, kind, change):
    """Loops, edges of no or negative length, islands, places nowhere: streets of real length."""
    path = _written(tmp_path, kind, change)
    with contextlib.suppress(InputError):
        streets, left_out = _streets(path)
        assert np.isfinite(streets.vertex_xy).all()
        network = build_network(streets, BNG, left_out, limits=EVERYWHERE)
        assert (network.piece_metres > 0).all()
        assert np.isfinite(network.piece_metres).all()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("graphml", (">5<", ">99999999999999999999<")),
        ("graphml", ("epsg:4326", "epsg:99999")),
        ("graphml", ("{name}", "[" * 5000)),
        ("graphml", ('<data key="x">-0.13</data>', "")),
        ("osm", ("lon='-0.13'", "lon='nan'")),
        ("osm", ("id='5'", "id='99999999999999999999'")),
    ],
)
def test_graphs_that_make_no_sense_are_refused(tmp_path, kind, change):
    """Numbers too large, an unknown CRS, brackets without end, no places: told, no fault."""
    with pytest.raises(InputError, match="is broken or no"):
        _streets(_written(tmp_path, kind, change))


READERS = {
    "schools.csv": lambda path: read_schools([path], BNG, LeftOut()),
    "bell_times.csv": lambda path: small_tables.read_bell_times([path]),
    "gates.csv": lambda path: small_tables.read_gates([path], BNG),
    "officers.csv": lambda path: small_tables.read_officers([path], BNG),
    "term_dates.csv": lambda path: small_tables.read_term_dates([path]),
    "tasked_places.csv": lambda path: small_tables.read_tasked_places([path], BNG),
    "reports.csv": lambda path: read_reports([path]),
    "crimes/2026-09/2026-09-eastmere-street.csv": lambda path: read_crimes([path], BNG, LeftOut()),
    "x.osm": _streets,
    "x.osm.gz": _streets,
    "x.graphml": _streets,
    "x.graphml.gz": _streets,
    "x.parquet": lambda path: read_reports([path]),
    "x.csv.gz": lambda path: read_reports([path]),
}
PUTS = (
    *(b"", b'"', b",", b";", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\xc3", b"\xff", b"\xff\xfe"),
    *(b"-9", b"1e999", b"nan", b"<", b"&a;", b"]]>", b"\x1f\x8b", b"inf", b"=cmd|' /C calc'!A0"),
    *(b"../../x", b"9" * 400),
)


def _original(demo, folder, name):
    """A sound file of each kind, small enough to be spoiled anywhere."""
    if name.startswith("x."):
        path = folder / f"sound-{name}"
        kind = name.split(".")[1]
        if kind in TEXTS:
            content = TEXTS[kind].format(doctype="", name="Mill Lane").encode()
        else:
            table = pd.read_csv(demo.parent / "reports.csv", dtype=str, nrows=40)
            content = table.to_csv(index=False).encode()
            if kind == "parquet":
                table.to_parquet(path)
                return path.read_bytes()
        return gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    return (demo.parent / name).read_bytes()[:3000]


def _spoiled(content, rng):
    """The content after one or two cuts, with something put in their place."""
    for _ in range(rng.randint(1, 2)):
        place, cut = rng.randrange(len(content) + 1), rng.randint(0, 30)
        content = content[:place] + rng.choice(PUTS) + content[place + cut :]
    return content


def _fuzz(demo, folder, rounds, seed):
    """Read so many spoiled files of every kind; count those read and those refused."""
    rng = random.Random(seed)  # noqa: S311 - mutations, no secrets
    ends = {"read": 0, "refused": 0}
    for name, read in READERS.items():
        content = _original(demo, folder, name)
        path = folder / name.split("/")[-1]
        for _ in range(rounds):
            path.write_bytes(_spoiled(content, rng))
            try:
                read(path)
                ends["read"] += 1
            except InputError as error:
                assert str(path) in str(error)  # noqa: PT017
                ends["refused"] += 1
    return ends


def test_spoiled_files_of_every_kind_are_read_or_refused(demo, tmp_path):
    """Files of every kind, spoiled anywhere, are read or refused in words that name them."""
    ends = _fuzz(demo, tmp_path, 12, seed=1)
    assert min(ends.values()) > 20


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_ten_thousand_spoiled_files(demo, tmp_path):
    """Ten thousand spoiled files: no fault, and none that eats time or memory."""
    ends = _fuzz(demo, tmp_path, 715, seed=2)
    assert sum(ends.values()) >= 10_000


BOUNDED = """
import resource, sys
from pathlib import Path
from patrolplan.errors import InputError
from patrolplan.inputs.street_files import read_streets
from patrolplan.inputs.table_reader import read_table
from patrolplan.crs import Projection
from patrolplan.tables import Column, LeftOut
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for name in sys.argv[1:]:
    try:
        if ".csv" in name:
            read_table(Path(name), [Column("a", "a letter", needed=False)], {}, source="crimes")
        else:
            read_streets([Path(name)], Projection("EPSG:27700"), LeftOut())
        print("read")
    except InputError as error:
        print("refused:", error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no bound on a process's memory")
def test_bombs_stay_within_three_gigabytes(tmp_path):
    """Real bombs of 4 GB are refused by a process that may not take more than 3 GB."""
    paths = [tmp_path / name for name in ("b.osm.gz", "b.graphml.gz", "b.csv.gz")]
    for path in paths:
        begin = b"<osm version='0.6'>" if "csv" not in path.name else b"a,b\n"
        path.write_bytes(gzip.compress(begin) + 4000 * gzip.compress(b" " * 1_000_000))
    command = [sys.executable, "-c", BOUNDED, *map(str, paths)]
    said = subprocess.check_output(command, text=True, timeout=300)  # noqa: S603 - our own words
    assert said.count("unpacks to more than") == 3
