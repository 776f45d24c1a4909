"""Work of several workers: the results of one process, in order; nothing of people in memory."""

import os
import pickle
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pandas as pd
import psutil
import pytest

import patrolplan as pp
from patrolplan import parallel as room
from patrolplan.errors import ClusterError
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.parallel import Workers, connect_cluster, map_in_threads, map_parallel
from patrolplan.provenance import list_versions
from patrolplan.settings import LedgerSettings

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
]


@pytest.fixture
def dask():
    """The address of a cluster with two workers on this computer."""
    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(host="127.0.0.1", **how) as started:
        yield started


@pytest.mark.slow
def test_cluster_plans_the_same(demo_area, demo_plan, dask):
    """Two workers of a cluster plan what one process plans."""
    with connect_cluster(dask.scheduler_address) as executor:
        plan = pp.plan_patrols(demo_area, demo_plan.risk, demo_plan.hotspots, executor=executor)
    assert build_plan_document(plan) == build_plan_document(demo_plan)


def test_nobody_at_the_address(monkeypatch):
    """An address where no scheduler answers is named."""
    monkeypatch.setattr(room, "CONNECT_SECONDS", 0.2)
    where = connect_cluster("tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match=r"tcp://127.*no Dask scheduler"), where:
        pass


def test_other_versions():
    """Workers whose answers could be others are refused, with what differs."""
    room._check_versions({"tcp://one": list_versions() | {"system": "another"}})
    with pytest.raises(ClusterError, match=r"worker tcp://two.*numpy 0\.1"):
        room._check_versions({"tcp://two": list_versions() | {"numpy": "0.1"}})


URNS = ["900001", "900002", "900003", "900005", "900006"]


@pytest.fixture(scope="module")
def crew():
    """Two processes."""
    with Workers(2) as workers:
        yield workers


def _contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def planned(demo_area, demo_plan):
    """What plans five schools of the demo borough: more than workers, enough to lose one amid."""

    def plan(**how):
        return pp.plan_patrols(demo_area, demo_plan.risk, demo_plan.hotspots, urns=URNS, **how)

    return plan


@pytest.fixture(scope="module")
def alone(planned, tmp_path_factory):
    """The pack of those schools, made by one process."""
    return _contents(pp.write_pack(planned(), tmp_path_factory.mktemp("alone") / "pack"))


def scaled(factor, number):
    """Something to work out."""
    return factor * number


def fails(_, number):
    """A fault in the work itself."""
    if number == 3:
        message = "three"
        raise ValueError(message)
    return number


def fails_or_sleeps(_, number):
    """A fault in the work while another worker is busy for long."""
    return fails(None, number) if number == 3 else time.sleep(3600)


def always_ends(_, __):
    """No worker lives through this."""
    os._exit(3)


def restored_at(common, _):
    """Which process has restored what all items need, and where."""
    return os.getpid(), id(common)


@pytest.mark.slow
def test_two_processes_make_the_same_pack(planned, alone, crew, tmp_path):
    """Every file of a plan, cards and all, is the same byte by byte."""
    plan = planned(executor=crew)
    assert _contents(pp.write_pack(plan, tmp_path / "pack", executor=crew)) == alone


@pytest.mark.parametrize("pool", [Workers, ProcessPoolExecutor])
def test_a_lost_worker_ends_the_work_with_what_to_do(pool):
    """A worker that is killed, as for its memory, is an error with a remedy, in any executor."""
    with (
        pool(1, **({} if pool is Workers else {"mp_context": get_context("spawn")})) as own,
        pytest.raises(ClusterError, match=r"memory ran out; use fewer \(--workers 1"),
    ):
        map_parallel(always_ends, None, range(2), executor=own)


def test_fault_in_the_work_comes_through(crew):
    """An error of the work itself is raised unchanged, and the work not repeated."""
    with pytest.raises(ValueError, match="three"):
        map_parallel(fails, None, range(6), executor=crew)
    assert map_parallel(scaled, 2, [1, 2], executor=crew) == [2, 4]


def test_what_all_items_need_is_restored_once_in_each_worker(crew):
    """However many parts the work has; what it caches serves all of them."""
    seen = map_parallel(restored_at, {"large": list(range(1000))}, range(40), executor=crew)
    assert len({pid for pid, _ in seen}) == len(set(seen)) <= 2


def test_workers_learn_nothing_of_people(demo_area):
    """Data sent for planning a school has no officer, no password and no count of homes."""
    ledger = LedgerSettings(url="postgresql://team:hush@host/db")
    origins = pd.DataFrame({"urn": ["900001"], "area": ["E01home"], "pupils": [15.0]})
    settings = demo_area.settings.model_copy(update={"ledger": ledger})
    way_home = replace(demo_area.way_home, origins=origins)
    area = replace(demo_area, settings=settings, way_home=way_home)
    sent, private = area.strip_for_workers(), [*area.officers["officer"], "hush", "E01home"]
    whole, stripped = pickle.dumps(area), pickle.dumps(sent)
    assert [word for word in private if word.encode() not in whole] == []
    assert [word for word in private if word.encode() in stripped] == []
    assert list(sent.way_home.origins.columns) == list(origins.columns)


def _workers_of(process):
    return [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_no_process_stays_behind():
    """After the block no worker is left, be it left by an error or not."""
    before = set(_workers_of(psutil.Process()))
    with Workers(2) as own:
        map_parallel(scaled, 1, range(4), executor=own)
        started = set(_workers_of(psutil.Process())) - before
        assert started
    begun = time.perf_counter()
    with pytest.raises(ValueError, match="three"), Workers(2) as own:
        map_parallel(fails_or_sleeps, None, [9, 3], executor=own)
    assert time.perf_counter() - begun < 1800
    assert set(_workers_of(psutil.Process())) <= before


def test_workers_started_by_a_thread():
    """A board's thread may have workers too; only the main thread may touch signals."""
    found = []

    def work():
        with Workers(1) as own:
            found.extend(map_parallel(scaled, 3, [1, 2], executor=own))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [3, 6]


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C to itself")
def test_ctrl_c_while_a_worker_starts_is_obeyed(monkeypatch):
    """Ctrl-C waits until a process has started that must not receive it, and is not lost."""
    held = []

    def start(*_args):
        signal.raise_signal(signal.SIGINT)
        held.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    monkeypatch.setattr(ProcessPoolExecutor, "submit", start)
    with pytest.raises(KeyboardInterrupt), Workers(1) as own:
        own.submit(pow, 2, 3)
    assert held == [{signal.SIGINT}]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_come_in_the_order_of_the_items(threads):
    """However long each takes, the first item's answer is the first."""

    def slow(number):
        time.sleep(0.02 * (number % 3))
        return number * number

    found = [one.result() for one in map_in_threads(slow, range(9), threads=threads)]
    assert found == [number * number for number in range(9)]


def test_nothing_is_begun_after_the_work_is_broken_off():
    """Who stops asking has the items that are not begun left alone."""
    seen = []

    def note(number):
        seen.append(number)
        time.sleep(0.05)

    for one in map_in_threads(note, range(40)):
        one.result()
        break
    time.sleep(0.2)
    assert len(seen) < 8
