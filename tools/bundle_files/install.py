"""Install patrolplan from this folder, into the folder "environment" in it, without a network.

Run again, it replaces what it installed before. Nothing outside this folder is written.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON, SYSTEM = "@PYTHON@", "@SYSTEM@"


def check_computer() -> None:
    """End with a message where the wheels are for another Python or system."""
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if running != PYTHON or sys.platform != SYSTEM or sys.maxsize < 2**32:
        sys.exit(
            f"This bundle is for Python {PYTHON} (64 bit) on {SYSTEM}; this is Python {running} on "
            f"{sys.platform}. Install Python {PYTHON}, or use the bundle for this computer."
        )


def install() -> None:
    """Create the environment, and install every wheel whose hash is the one that is listed."""
    environment = HERE / "environment"
    print(f"Installing patrolplan into {environment} (some minutes) ...", flush=True)
    venv.create(environment, with_pip=True, clear=True, symlinks=os.name != "nt")
    # With this, pip looks for packages here and nowhere else, now and later. A space would end the
    # address, so it is written as a URL.
    (environment / ("pip.ini" if os.name == "nt" else "pip.conf")).write_text(
        f"[global]\nno-index = true\nfind-links = {(HERE / 'wheels').as_uri()}\n", encoding="utf-8"
    )
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    python = programs / ("python.exe" if os.name == "nt" else "python")
    command = [str(python), "-m", "pip", "install", "--no-index", "--require-hashes", "--quiet"]
    command += ["--find-links", (HERE / "wheels").as_uri(), "--disable-pip-version-check"]
    subprocess.run([*command, "--requirement", str(HERE / "requirements.txt")], check=True)
    subprocess.run([str(programs / "patrolplan"), "--version"], check=True)
    listed = json.loads((HERE / "sbom.cdx.json").read_text(encoding="utf-8"))["components"]
    print(f"Done: {len(listed) + 1} packages. README.txt says how to begin.")


if __name__ == "__main__":
    check_computer()
    try:
        install()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"Not installed: {error}. README.txt says what may help.")
