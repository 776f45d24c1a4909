"""Work shared out: the answers of one process, in order, whatever becomes of the workers."""

import os
import signal
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import psutil
import pytest

import patrolplan as pp
from patrolplan.errors import ClusterError
from patrolplan.parallel import TRIES, shared_out
from patrolplan.worker_pool import Workers

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
    return fails(None, number) if number == 3 else time.sleep(60)


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


def network_at(area, _):
    """Where the worker holds the network, and whether its arrays are its own to write to."""
    arrays = area.network.parts
    return os.getpid(), id(area.network), arrays.piece_metres.sum(), arrays.piece_metres[:3].copy()


def test_two_processes_make_the_same_pack(planned, alone, crew, tmp_path):
    """Every file of a plan, cards and all, is the same byte by byte."""
    plan = planned(executor=crew)
    assert _contents(pp.write_pack(plan, tmp_path / "pack", executor=crew)) == alone


def test_any_executor_makes_the_same_pack(planned, alone, tmp_path):
    """Threads of the standard library do as well."""
    with ThreadPoolExecutor(3) as threads:
        plan = planned(executor=threads)
        assert _contents(pp.write_pack(plan, tmp_path / "pack", executor=threads)) == alone


def test_worker_killed_in_the_middle(planned, alone, tmp_path):
    """A process that is killed while it plans is replaced, and the plan is the same."""
    killed = []

    def kill_one(what, done, of):
        if what == "Planning schools" and 0 < done < of and not killed:
            workers = [
                child
                for child in psutil.Process().children()
                if any("spawn_main" in word for word in child.cmdline())
            ]
            killed.append(workers[-1].pid)
            os.kill(workers[-1].pid, signal.SIGKILL)

    with Workers(1) as own:
        plan = planned(executor=own, tell=kill_one)
    assert killed
    assert not psutil.pid_exists(killed[0])
    assert _contents(pp.write_pack(plan, tmp_path / "pack")) == alone


def test_item_whose_worker_ends_is_tried_again(tmp_path):
    """All answers come, in order, although a worker took one of the items with it."""
    with Workers(2) as own:
        found = shared_out(ends_once, tmp_path, range(12), executor=own)
    assert found == [number * number for number in range(12)]


@pytest.mark.slow
def test_executor_that_cannot_be_mended(tmp_path):
    """What a broken pool of somebody else leaves is done here, and that is said."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pool, pytest.warns(RuntimeWarning, match="lost a worker"):
        found = shared_out(ends_once, tmp_path, range(12), executor=pool)
    assert found == [number * number for number in range(12)]


@pytest.mark.slow
def test_workers_that_are_always_lost():
    """It is given up with a remedy, not tried for ever."""
    with Workers(1) as own, pytest.raises(ClusterError, match=f"lost {TRIES} times.*--workers"):
        shared_out(always_ends, None, range(2), executor=own)


def test_fault_in_the_work_comes_through(crew):
    """An error of the work itself is raised as it is, and not tried again."""
    with pytest.raises(ValueError, match="three"):
        shared_out(fails, None, range(6), executor=crew)
    assert shared_out(scaled, 2, [1, 2], executor=crew) == [2, 4]


def test_network_travels_once(demo_area, crew):
    """Work of another kind finds the network in the worker that has it, with the same arrays."""
    areas = (demo_area.for_schools(), demo_area.for_schools())
    told = [row for area in areas for row in shared_out(network_at, area, range(8), executor=crew)]
    held = {}
    for pid, network, metres, first in told:
        held.setdefault(pid, set()).add(network)
        assert metres == demo_area.network.metres
        assert np.array_equal(first, demo_area.network.piece_metres[:3])
    assert all(len(networks) == 1 for networks in held.values())


def test_progress_is_told(crew):
    """Here and by workers, the count of what is done grows up to all."""
    for executor in (None, crew):
        told = []
        shared_out(scaled, 1, range(9), executor=executor, tell=told.append)
        assert told == sorted(told)
        assert told[-1] == 9


def test_no_items(crew):
    """Nothing to do is done at once."""
    assert shared_out(scaled, 1, [], executor=crew) == []


def _workers_of(process):
    return [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]


def test_no_process_stays_behind():
    """After the block no worker is left, be it left by an error or not."""
    before = set(_workers_of(psutil.Process()))
    with Workers(2) as own:
        shared_out(scaled, 1, range(4), executor=own)
        started = set(_workers_of(psutil.Process())) - before
        assert started
    begun = time.perf_counter()
    with pytest.raises(ValueError, match="three"), Workers(2) as own:
        shared_out(fails_or_sleeps, None, [9, 3], executor=own)
    assert time.perf_counter() - begun < 30
    assert set(_workers_of(psutil.Process())) <= before


def test_workers_started_by_a_thread():
    """A board's thread may have workers too; only the main thread may touch signals."""
    found = []

    def work():
        with Workers(1) as own:
            found.extend(shared_out(scaled, 3, [1, 2], executor=own))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [3, 6]
