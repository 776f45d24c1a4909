"""The programme that HiGHS solves."""

import subprocess
import sys

CHATTER = """
import ctypes
import sys
from patrolplan.team.model import _chatter_aside

c = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
with _chatter_aside():
    c.printf(b"chatter\\n")
print('{"told": true}')
"""


def test_what_compiled_code_prints_stays_out_of_standard_output():
    """Into a pipe too, nothing but our own words goes to standard output: `--json` stays JSON."""
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", CHATTER], capture_output=True, text=True, check=True
    )
    assert run.stdout == '{"told": true}\n'
    assert "chatter" in run.stderr
