"""Arrays are worked out once for all that they rest on."""

import numpy as np
import pytest

from patrolplan.cache import load_or_compute_arrays

XY = {"xy": np.arange(6.0).reshape(3, 2)}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never():
    """Stands where nothing should be worked out."""
    raise AssertionError


def made(number):
    """What gives some arrays."""
    return lambda: {"numbers": np.full(3, number), "words": np.array(["a", "ö"])}


def test_arrays_are_worked_out_once():
    """The same key and arrays give what was kept, to the last bit and of the same kind."""
    load_or_compute_arrays("some", XY, made(0.1))
    found = load_or_compute_arrays("some", XY, never)
    assert found["numbers"].tolist() == [0.1] * 3
    assert found["words"].tolist() == ["a", "ö"]


@pytest.mark.parametrize(
    ("key", "rests_on"),
    [
        ("other", XY),
        ("some", {"xy": XY["xy"] + 1}),
        ("some", {"xy": XY["xy"].reshape(2, 3)}),
        ("some", {"xy": XY["xy"].view(np.int64)}),
        ("some", {"zz": XY["xy"]}),
    ],
)
def test_what_rests_on_something_else_is_worked_out_anew(key, rests_on):
    """Another key, value, shape, kind or name is another entry."""
    load_or_compute_arrays("some", XY, made(1))
    assert load_or_compute_arrays(key, rests_on, made(2))["numbers"].tolist() == [2] * 3


def test_a_spoilt_entry_is_worked_out_again(cache):
    """An entry that cannot be read is passed over and mended."""
    load_or_compute_arrays("some", XY, made(1))
    for path in cache.rglob("*.npz"):
        path.write_bytes(b"nothing")
    assert load_or_compute_arrays("some", XY, made(2))["numbers"].tolist() == [2] * 3
    assert load_or_compute_arrays("some", XY, never)["numbers"].tolist() == [2] * 3


def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    """Where a file stands in the cache folder's place the arrays are worked out every time."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path / "file"))
    assert load_or_compute_arrays("some", XY, made(1))["numbers"].tolist() == [1] * 3
    assert load_or_compute_arrays("some", XY, made(2))["numbers"].tolist() == [2] * 3
