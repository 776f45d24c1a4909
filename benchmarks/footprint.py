"""What an installation weighs: requirements, packages, megabytes, and the time of an import.

    python benchmarks/footprint.py [--json FILE]

Counted are the packages that the core requires, directly and through others, as they are installed
beside this interpreter; times are the least of five of a processor, warm.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

RUNS = 5
COMMANDS = {
    "import patrolplan": ["-c", "import patrolplan"],
    "patrolplan --help": ["-m", "patrolplan", "--help"],
}


def list_required(name: str) -> list[str]:
    """Names of what a package requires without extras, here and now."""
    found = distribution(name).requires or []
    own = [row for row in found if "extra ==" not in row and "win32" not in row]
    return [re.split(r"[^\w.-]", row, maxsplit=1)[0].casefold() for row in own]


def list_packages() -> list[str]:
    """All packages that the core requires, directly or not, of those installed."""
    open_names, seen = ["patrolplan"], set[str]()
    while open_names:
        name = open_names.pop()
        if name in seen:
            continue
        try:
            open_names += list_required(name)
        except PackageNotFoundError:
            continue  # for another system or Python
        seen.add(name)
    return sorted(seen - {"patrolplan"})


def measure_megabytes(name: str) -> float:
    """Size of a package's files."""
    files = (Path(str(file.locate())) for file in distribution(name).files or ())
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def time_command(arguments: list[str]) -> float:
    """Seconds of a processor that a new interpreter needs, at the least."""
    spent = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(min(spent), 2)


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    megabytes = {name: measure_megabytes(name) for name in list_packages()}
    document = {
        "requirements": len(list_required("patrolplan")),
        "packages": len(megabytes),
        "megabytes": round(sum(megabytes.values())),
        "seconds": {name: time_command(arguments) for name, arguments in COMMANDS.items()},
    }
    print(json.dumps(document, indent=1))
    for name, size in sorted(megabytes.items(), key=lambda row: -row[1])[:10]:
        print(f"{size:6.0f} MB {name}")
    if given.json:
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
