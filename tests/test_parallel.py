"""Work of several workers: the results of one process, in order, even if workers are lost."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import pandas as pd
import psutil
import pytest

import patrolplan as pp
from patrolplan import parallel as room
from patrolplan.errors import ClusterError
from patrolplan.outputs.geopackage import build_plan_document
from patrolplan.parallel import MAX_TRIES, Workers, connect_cluster, map_in_threads, map_parallel
from patrolplan.provenance import list_versions
from patrolplan.settings import LedgerSettings

SPAWN = get_context("spawn")
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


def pid_of(_, __):
    """Who works."""
    return os.getpid()


@pytest.mark.slow
def test_cluster_plans_the_same(demo_area, demo_plan, dask):
    """Two workers of a cluster plan what one process plans, one of them killed on the way too."""
    whole = build_plan_document(demo_plan)
    killed = []

    def kill_one(what, done, of):
        if what == "Planning schools" and 0 < done < of and not killed:
            killed.append(map_parallel(pid_of, None, [1], executor=executor)[0])
            os.kill(killed[0], signal.SIGKILL)

    with connect_cluster(dask.scheduler_address) as executor:
        plan = pp.plan_patrols(demo_area, demo_plan.risk, demo_plan.hotspots, executor=executor)
        assert build_plan_document(plan) == whole
        plan = pp.plan_patrols(
            demo_area,
            demo_plan.risk,
            demo_plan.hotspots,
            executor=executor,
            report_progress=kill_one,
        )
    assert killed
    assert build_plan_document(plan) == whole


def test_nobody_at_the_address(monkeypatch):
    """An address where no scheduler answers is named."""
    monkeypatch.setattr(room, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(ClusterError, match=r"tcp://127.*no Dask scheduler"),
        connect_cluster("tcp://127.0.0.1:9"),
    ):
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
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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


def ends_once(marks, number):
    """The worker that is given the fifth item ends, the first time that it is tried."""
    mark = marks / f"{number}"
    if number == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


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


@pytest.mark.slow
def test_item_whose_worker_ends_is_tried_again(tmp_path):
    """All answers come, in order, although a worker took one of the items with it."""
    with Workers(2) as own:
        found = map_parallel(ends_once, tmp_path, range(12), executor=own)
    assert found == [number * number for number in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize("pool", [Workers, partial(ProcessPoolExecutor, mp_context=SPAWN)])
def test_workers_that_are_always_lost(pool):
    """It is given up with a remedy, not tried for ever."""
    with (
        pool(1) as own,
        pytest.raises(ClusterError, match=f"{MAX_TRIES} times in a row.*--workers"),
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

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [3, 6]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_come_in_the_order_of_the_items(threads):
    """However long each takes, the first item's answer is the first."""

    def slow(number):
        time.sleep(0.02 * (number % 3))
        return number * number

    found = [one.result() for one in map_in_threads(slow, range(9), threads=threads)]
    assert found == [number * number for number in range(9)]


def test_no_more_threads_work_than_asked_for():
    """At no time more items are worked on than there are threads."""
    here, most, taking = 0, 0, threading.Lock()

    def count(_):
        nonlocal here, most
        with taking:
            here += 1
            most = max(most, here)
        time.sleep(0.01)
        with taking:
            here -= 1

    for one in map_in_threads(count, range(12), threads=3):
        one.result()
    assert 1 <= most <= 3


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


INTERRUPTED = """
import signal, sys, time
import numba
from patrolplan.parallel import map_in_threads
signal.signal(signal.SIGINT, signal.default_int_handler)

@numba.njit("i8(i8)", nogil=True)
def long(count):
    total = 1
    for number in range(count):
        total = (total * 6364136223846793005 + number) % 9223372036854775783
    return total

try:
    print("begun", flush=True)
    for one in map_in_threads(long, [10**15, 10**15]):
        one.result()
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_is_heard_while_compiled_code_runs():
    """Ctrl-C ends a process although its threads would continue for weeks."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        child = psutil.Process(process.pid)
        used = child.cpu_times().user
        while child.cpu_times().user < used + 0.3:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=300) == 130
        finally:
            process.kill()
