"""Workers of a Dask cluster, as an executor."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from patrolplan.crew.parcels import CONNECT_SECONDS
from patrolplan.errors import ClusterError
from patrolplan.versions import versions


@contextmanager
def joined_cluster(address: str) -> Iterator[Executor]:
    """Workers of a Dask cluster.

    Parameters
    ----------
    address
        Of its scheduler, such as "tcp://10.0.0.5:8786".

    Raises
    ------
    ClusterError
        When it cannot be reached or has no worker, Dask is not installed, or workers have other
        versions than this computer: their answers could be others.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        message = "Dask is not installed; pip install 'patrolplan[dask]'"
        raise ClusterError(message) from None
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        message = f"{address}: no Dask scheduler answers ({error}); check the address of --cluster"
        raise ClusterError(message) from None
    with client:
        _check_cluster(client, address)
        yield client.get_executor(pure=False)


def _check_cluster(client: Any, address: str) -> None:  # noqa: ANN401 - of an extra
    """Refuse a cluster without workers, or whose answers could be others."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        there = client.run(_installed)
    except TimeoutError:
        message = f"{address}: has no worker; start some with `dask worker {address}`"
        raise ClusterError(message) from None
    except ImportError as error:
        message = f"{address}: {error}; install the same patrolplan on every worker"
        raise ClusterError(message) from None
    ours = _deciding(versions())
    for worker, theirs in sorted(there.items()):
        other = [
            f"{name} {_deciding(theirs).get(name)} there, {number} here"
            for name, number in ours.items()
            if _deciding(theirs).get(name) != number
        ]
        if other:
            message = (
                f"worker {worker}: other versions ({'; '.join(other[:4])}); "
                "install the same on every worker"
            )
            raise ClusterError(message)


def _installed() -> dict[str, str]:
    """Versions of a worker, as it answers for itself."""
    return versions()


def _deciding(there: dict[str, str]) -> dict[str, str]:
    """Versions by which answers can differ; the system's own name is none of them."""
    return {name: number for name, number in there.items() if name != "system"}
