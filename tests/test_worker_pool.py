"""What all items of a work need, sent to the workers once."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from patrolplan.worker_pool import Sender, run_item


def _sizes(common, item):
    return item, len(common["words"]), float(common["numbers"].sum()), len(common["network"])


def test_what_goes_along_with_an_item_is_small(demo_area):
    """However much all items need, what is sent with each of them is a name and a path."""
    words = [f"street {number}" for number in range(50_000)]
    common = {"words": words, "numbers": np.arange(1e5), "network": demo_area.network}
    with ThreadPoolExecutor(1) as executor:
        sender = Sender(executor)
        network, parcel = sender.send(common)
        assert len(pickle.dumps((network, parcel))) < 2_000
        found = run_item(_sizes, 7, *(pickle.loads(pickle.dumps(one)) for one in (network, parcel)))  # noqa: S301
        sender.close()
    assert found == (7, 50_000, common["numbers"].sum(), len(demo_area.network))


def test_things_without_a_network_or_arrays_travel_too():
    """Plain values need no network and no arrays."""
    with ThreadPoolExecutor(1) as executor:
        sender = Sender(executor)
        network, parcel = sender.send(2)
        assert network is None
        assert run_item(pow, 5, network, parcel) == 32
        sender.close()
