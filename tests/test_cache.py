"""Results are computed once for all they depend on; files are written whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from spoilt_cache import every_way, spoil_entries

import patrolplan as pp
from patrolplan import cache as own
from patrolplan.atomic import replace_file, write_file_atomically
from patrolplan.cache import ENTRY_PATTERN, STORES, Store, hash_arrays
from patrolplan.errors import OutputError
from patrolplan.inputs.crimes import CRIMES
from patrolplan.inputs.street_files import STREETS
from patrolplan.network.build import NETWORKS
from patrolplan.outputs.output_folder import MANIFEST

STORE = Store("arrays", "test")
XY = {"xy": np.arange(6.0).reshape(3, 2)}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A separate cache folder."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never():
    """Fails if anything is computed."""
    raise AssertionError


def load(number, key="some", arrays=XY, store=STORE):
    """Arrays from the store; computed, they are three times the number. None: never computed."""

    def compute():
        return {"numbers": np.full(3, number), "words": np.array(["a", "ö"])}

    work = never if number is None else compute
    forms = {"encode": own.encode_arrays, "decode": own.decode_arrays}
    return store.load_or_compute(hash_arrays(key, arrays), work, **forms)


def test_arrays_are_computed_once():
    """The same key and arrays give what was stored, to the last bit and of the same kind."""
    load(0.1)
    loaded = load(None)
    assert loaded["numbers"].tolist() == [0.1] * 3
    assert loaded["words"].tolist() == ["a", "ö"]


def test_what_depends_on_something_else_is_computed_again():
    """Another key, value, shape, kind or name is another entry."""
    xy = XY["xy"]
    others = [{"xy": one} for one in (xy + 1, xy.reshape(2, 3), xy.view(np.int64))]
    load(1)
    assert load(2, "other")["numbers"].tolist() == [2] * 3
    for number, arrays in enumerate([*others, {"zz": xy}], start=3):
        assert load(number, "some", arrays)["numbers"].tolist() == [number] * 3


def test_an_entry_of_another_version_is_replaced(cache):
    """A new version takes the place of the old one, so that the cache does not grow."""
    load(1)
    for number in (2, None):
        assert load(number, store=Store("arrays", "new"))["numbers"].tolist() == [2] * 3
    assert len(list(cache.rglob("*.entry"))) == 1


@every_way
def test_a_spoilt_entry_is_computed_again_and_replaced(cache, way):
    """However an entry was spoilt, it is noticed, and the next run finds it whole."""
    load(1)
    check_replaced = spoil_entries(cache, way)
    load(1)
    check_replaced()
    load(None)


def test_every_bit_of_an_entry_is_checked(cache):
    """If any byte is changed, in the first line or in the content, the entry is not used."""
    load(1)
    (path,) = cache.rglob("*.entry")
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(AssertionError):
            load(None)


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    """If there is a file in place of the cache folder, the arrays are computed every time."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "file"))
    assert load(1)["numbers"].tolist() == [1] * 3
    assert load(2)["numbers"].tolist() == [2] * 3


def test_a_write_that_fails_leaves_nothing(cache, monkeypatch):
    """On a full disk the result is given all the same, and no part of an entry stays."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    assert load(1)["numbers"].tolist() == [1] * 3
    assert list((cache / "arrays").iterdir()) == []


def test_the_cache_is_the_users_unless_one_is_named(cache, monkeypatch):
    """A variable names the folder itself; otherwise ours is in that of the system."""
    assert own.cache_folder() == cache
    monkeypatch.setenv("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", str(cache))
    assert own.cache_folder("NO_SUCH_NAME") == cache / "patrolplan"


def test_purge_knows_every_store(cache):
    """Stores are in the list of folders, and their files have the names that purge removes."""
    assert {store.name for store in (CRIMES, STREETS, NETWORKS)} <= set(STORES)
    load(1)
    assert all(ENTRY_PATTERN.fullmatch(path.name) for path in (cache / "arrays").iterdir())


def test_an_entry_that_python_fails_to_read_is_computed_again(cache):
    """If Python raises its own error with threads, the result is still correct."""

    def fail(content):
        raise SystemError(len(content))

    def load_number(decode):
        store = Store("numbers", "1")
        return store.load_or_compute("one", lambda: 1, encode=lambda _: b"1", decode=decode)

    assert [load_number(int), load_number(fail), load_number(int)] == [1, 1, 1]
    assert len(list(cache.rglob("*.entry"))) == 1


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    """Where the swap fails the message names the file, and no half of it stays."""
    (tmp_path / "old.csv").write_bytes(b"old")
    replace_file(tmp_path / "old.csv", b"new")
    assert (tmp_path / "old.csv").read_bytes() == b"new"
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(OutputError, match=r"taken\.csv: cannot be written"):
        write_file_atomically(tmp_path / "taken.csv", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.csv", "taken.csv"]


def test_no_pattern_of_tables_matches_a_half_written_file(tmp_path, monkeypatch):
    """What a kill leaves in the middle of writing is never read as a month."""
    monkeypatch.setattr(type(tmp_path), "replace", lambda *_: None)
    write_file_atomically(tmp_path / "2026-09-street.csv", b"new")
    assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.glob("*.csv"))


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of so many kilobytes; only root may."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small disk")
    mounted = []

    def mount(kilobytes):
        where = tmp_path / f"{kilobytes}"
        where.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(where)]
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - fixed words
            pytest.skip("no disk can be mounted here")
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", str(where)], check=True)  # noqa: S603, S607 - fixed words


def _is_whole(out):
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    return there == {MANIFEST, *manifest["files"]} and all(
        hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        for name, digest in manifest["files"].items()
    )


@pytest.mark.slow
def test_a_full_disk_leaves_one_whole_plan(demo_plan, small_disk, tmp_path):
    """Whether a plan or a second one beside it fits or not: it is whole, or it is told."""
    whole = pp.write_pack(demo_plan, tmp_path / "whole")
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    ends = set()
    for step in range(1, 25):
        disk = small_disk(size * step // 10_000)
        for _ in range(2):
            try:
                pp.write_pack(demo_plan, disk / "out")
                ends.add("written")
            except OutputError as error:
                ends.add("told")
                assert "cannot be written" in str(error)  # noqa: PT017
            assert [path.name for path in disk.iterdir()] in ([], ["out"])
            if (disk / "out").exists():
                assert _is_whole(disk / "out")
    assert ends == {"written", "told"}
