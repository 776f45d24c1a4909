"""A Dask cluster: the result of one process, also when a worker is killed."""

import os
import signal
import warnings

import pytest

import patrolplan as pp
from patrolplan import parallel as room
from patrolplan.errors import ClusterError
from patrolplan.outputs.planfile import plan_document
from patrolplan.parallel import joined_cluster, shared_out
from patrolplan.provenance import versions

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
]


@pytest.fixture
def dask():
    """The address of a cluster with two workers on this computer."""
    started = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with started:
        yield started


def doubled(text, number):
    """Something to work out."""
    return text * number


def pid_of(_, __):
    """Who works."""
    return os.getpid()


def test_cluster_plans_the_same(demo_area, demo_plan, dask):
    """Two workers of a cluster plan what one process plans, one of them killed on the way too."""
    whole = plan_document(demo_plan)
    killed = []

    def kill_one(what, done, of):
        if what == "Planning schools" and 0 < done < of and not killed:
            killed.append(shared_out(pid_of, None, [1], executor=executor)[0])
            os.kill(killed[0], signal.SIGKILL)

    with joined_cluster(dask.scheduler_address) as executor:
        plan = pp.plan_patrols(demo_area, demo_plan.risk, demo_plan.hotspots, executor=executor)
        assert plan_document(plan) == whole
        plan = pp.plan_patrols(
            demo_area, demo_plan.risk, demo_plan.hotspots, executor=executor, tell=kill_one
        )
    assert killed
    assert plan_document(plan) == whole


def test_all_workers_killed(dask):
    """Even what was sent is sent again when nobody holds it any more."""
    with warnings.catch_warnings(), joined_cluster(dask.scheduler_address) as executor:
        warnings.simplefilter("ignore")  # Dask tells of workers that went
        assert shared_out(doubled, "a", [1, 2], executor=executor) == ["a", "aa"]
        for worker in dask.workers.values():
            os.kill(worker.pid, signal.SIGKILL)
        assert shared_out(doubled, "b", [1, 2], executor=executor) == ["b", "bb"]


def test_nobody_at_the_address(monkeypatch):
    """An address where no scheduler answers is named."""
    monkeypatch.setattr(room, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(ClusterError, match=r"tcp://127.*no Dask scheduler"),
        joined_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_other_versions(monkeypatch, dask):
    """Workers whose answers could be others are refused, with what differs."""
    monkeypatch.setattr(room, "versions", lambda: {**versions(), "numpy": "0.1"})
    with pytest.raises(ClusterError, match="numpy"), joined_cluster(dask.scheduler_address):
        pass
