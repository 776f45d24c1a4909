"""Threads for work that is done in compiled code."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from patrolplan.parallel import side_by_side


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_come_in_the_order_of_the_items(threads):
    """However long each takes, the first item's answer is the first."""

    def slow(number):
        time.sleep(0.02 * (number % 3))
        return number * number

    found = [one.result() for one in side_by_side(slow, range(9), threads=threads)]
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

    for one in side_by_side(count, range(12), threads=3):
        one.result()
    assert 1 <= most <= 3


def test_a_fault_is_told_with_its_item_alone():
    """An item that fails raises where its result is asked for; the others have theirs."""
    found = list(side_by_side(lambda number: 6 // number, [1, 0, 3]))
    assert (found[0].result(), found[2].result()) == (6, 2)
    with pytest.raises(ZeroDivisionError):
        found[1].result()


def test_nothing_is_begun_after_the_work_is_broken_off():
    """Who stops asking has the items that are not begun left alone."""
    seen = []

    def note(number):
        seen.append(number)
        time.sleep(0.05)

    for one in side_by_side(note, range(40)):
        one.result()
        break
    time.sleep(0.2)
    assert len(seen) < 8


INTERRUPTED = """
import signal, sys, time
import numba
from patrolplan.parallel import side_by_side
signal.signal(signal.SIGINT, signal.default_int_handler)

@numba.njit("i8(i8)", nogil=True)
def long(count):
    total = 1
    for number in range(count):
        total = (total * 6364136223846793005 + number) % 9223372036854775783
    return total

print("begun", flush=True)
try:
    for one in side_by_side(long, [10**11, 10**11]):
        one.result()
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_is_heard_while_compiled_code_runs():
    """Ctrl-C ends a process within a second though its threads would go on for minutes."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert time.monotonic() - began < 3
