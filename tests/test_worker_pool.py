"""What all items of a work need, sent to the workers once."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from patrolplan.settings import LedgerSettings
from patrolplan.worker_pool import Sender, run_item


def _sizes(common, item):
    return item, len(common["words"]), float(common["numbers"].sum()), len(common["network"])


def test_what_goes_along_with_an_item_is_small(demo_area):
    """However large the common data is, each item is sent with only a name and a path."""
    words = [f"street {number}" for number in range(50_000)]
    common = {"words": words, "numbers": np.arange(1e5), "network": demo_area.network}
    with ThreadPoolExecutor(1) as executor:
        sender = Sender(executor)
        network, parcel = sender.send(common)
        assert len(pickle.dumps((network, parcel))) < 2_000
        found = run_item(_sizes, 7, *(pickle.loads(pickle.dumps(one)) for one in (network, parcel)))  # noqa: S301
        sender.close()
    assert found == (7, 50_000, common["numbers"].sum(), len(demo_area.network))


def test_no_text_stands_in_the_file_that_workers_map():
    """Words in any kind of column are encrypted; arrays of numbers stay plain, for mapping."""
    words = ["the informant's address", "SSO-02"]
    common = {
        "plain": words[0],
        "objects": np.array(words, dtype=object),
        "fixed": np.array(words),
        "bytes": np.frombuffer(words[1].encode() * 100, np.uint8),
        "column": pd.Series(words, dtype="string[pyarrow]"),
        "category": pd.Series(words, dtype="category"),
        "when": pd.Series(pd.to_datetime(["2026-11-30"])),
        "numbers": np.arange(1000.0),
    }
    with ThreadPoolExecutor(1) as executor:
        sender = Sender(executor)
        _, payload = sender.send(common)
        stored = Path(payload.path).read_bytes()
        restored = run_item(_get, "", None, payload)
        sender.close()
    for word in words:
        for coding in ("utf-8", "utf-32-le"):
            assert word.encode(coding) not in stored
    assert common["numbers"].tobytes() in stored
    for name, value in common.items():
        assert np.array_equal(np.asarray(restored[name]), np.asarray(value))


def _get(common, _):
    return common


def test_workers_get_no_officers_and_no_password(demo_area):
    """Data sent for planning a school has neither the officers nor the ledger's address."""
    settings = demo_area.settings.model_copy(
        update={"ledger": LedgerSettings(url="postgresql://team:hush@host/db")}
    )
    area = replace(demo_area, settings=settings)
    assert len(area.officers)
    sent = pickle.dumps(area.strip_for_workers())
    assert b"hush" not in sent
    assert not any(name.encode() in sent for name in area.officers["officer"])
    assert b"hush" in pickle.dumps(area)


def test_workers_do_not_learn_where_pupils_live(demo_area):
    """Data sent for planning a school has no count of pupils by area."""
    origins = pd.DataFrame({"urn": ["900001"], "area": ["E01hush"], "pupils": [15.0]})
    area = replace(demo_area, way_home=replace(demo_area.way_home, origins=origins))
    assert b"E01hush" in pickle.dumps(area)
    sent = area.strip_for_workers()
    assert b"E01hush" not in pickle.dumps(sent)
    assert list(sent.way_home.origins.columns) == list(origins.columns)


def test_things_without_a_network_or_arrays_travel_too():
    """Plain values need no network and no arrays."""
    with ThreadPoolExecutor(1) as executor:
        sender = Sender(executor)
        network, parcel = sender.send(2)
        assert network is None
        assert run_item(pow, 5, network, parcel) == 32
        sender.close()
