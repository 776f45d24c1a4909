"""What each command costs when nothing is new: processor seconds, warm, against another checkout.

`python benchmarks/fixed_costs.py --against DIR --runs 5 --json FILE` runs each command on the demo
borough in a process of its own, once for the caches and then so many times, in turn with the same
command of the checkout in DIR, so that whatever else the computer does weighs on both alike. Times
are the processor's, of the process and of all that it starts; the least of all runs is given, since
other work can only add to it. Each checkout has a cache of its own for its compiled code and
results, in a folder that is removed at the end.

The line of the board is what `plan` at short notice takes inside a process that has the area, its
risk and its hotspots already, as an open board has. `--installed` prints instead what an
installation weighs beside this interpreter, as the table of docs/how-to/install.md.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]

SHORT_NOTICE = ("--school", "900003", "--start", "15:40", "--minutes", "40")

COMMANDS = {
    "import patrolplan": None,
    "--help": ("--help",),
    "check": ("check", "--config", "{config}"),
    "plan at short notice": ("plan", "--config", "{config}", *SHORT_NOTICE, "--out", "{out}"),
    "demo": ("demo", "--out", "{out}"),
    "week": ("week", "--config", "{config}", "--from", "2026-11-16", "--out", "{out}"),
}

OPEN_BOARD = """
import sys, time
import patrolplan as pp
from patrolplan.hotspots.find import rate_hotspots
area = pp.load_area(sys.argv[1])
def plan(minutes):
    window = pp.Window(minutes, start_minutes=15 * 60 + 40)
    started = time.process_time()
    risk = estimate(window)
    hotspots = rate_hotspots(area, risk, known)
    plan = pp.plan_patrols(area, risk, hotspots, urns=["900003"], window=window, **known_to(plans))
    plans.append(plan)
    return time.process_time() - started
first = pp.estimate_risk(area)
known = pp.find_hotspots(area, first)
try:
    from patrolplan.risk.estimate import estimate_in_window
    estimate = lambda window: estimate_in_window(area, first, window)
    known_to = lambda plans: {"planner": plans[-1].planner} if plans else {}
except ImportError:  # an earlier checkout, which finds what is known by itself
    estimate = lambda window: pp.estimate_risk(area, window=window)
    known_to = lambda plans: {}
plans = []
plan(30)
print(plan(40))
"""
"""Another window first, so that compiling and loading are done, as after the day's first plan."""


@dataclass(frozen=True)
class Checkout:
    """A checkout of the source, and a folder for its caches and outputs."""

    root: Path
    work: Path

    def measure(self, name: str) -> float:
        """Processor seconds of one run of a command."""
        config, out = self.root / "data" / "patrolplan.toml", self.work / "out"
        shutil.rmtree(out, ignore_errors=True)
        if name == "board":
            return float(self._run("-c", OPEN_BOARD, str(config)).strip().splitlines()[-1])
        before, words = os.times(), COMMANDS[name]
        run = "import patrolplan" if words is None else "from patrolplan.cli import main; main()"
        self._run("-c", run, *(part.format(config=config, out=out) for part in words or ()))
        return sum(os.times()[2:4]) - sum(before[2:4])  # of children that have ended

    def _run(self, *arguments: str) -> str:
        own = {
            "PYTHONPATH": str(self.root / "src"),
            "PYTHONPYCACHEPREFIX": str(self.work / "bytecode"),
            "PATROLPLAN_CACHE": str(self.work / "cache"),
            "NUMBA_CACHE_DIR": str(self.work / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        words, env = [sys.executable, *arguments], os.environ | own  # this very interpreter
        quiet = {"cwd": self.work, "stderr": subprocess.DEVNULL, "text": True}
        return subprocess.check_output(words, env=env, **quiet)  # noqa: S603


def compare(checkouts: dict[str, Checkout], names: list[str], runs: int) -> dict[str, dict]:
    """The least processor seconds of each command, by checkout; the first run is not counted."""
    table = {}
    for name in names:
        first = {label: checkout.measure(name) for label, checkout in checkouts.items()}
        spent = {label: [] for label in checkouts}
        for _ in range(runs):
            for label, checkout in checkouts.items():
                spent[label].append(checkout.measure(name))
        table[name] = {label: round(min(seconds), 2) for label, seconds in spent.items()}
        table[name] |= {f"{label}, first run": round(value, 2) for label, value in first.items()}
        print(f"{name:24}" + "".join(f"{label} {s:.2f}  " for label, s in table[name].items()))
    return table


def weigh(names: Iterable[str]) -> dict[str, float]:
    """Megabytes of packages, and of all that they require without extras, here and now."""
    open_names, sizes = [*names], {}
    while open_names:
        name = re.split(r"[^\w.-]", open_names.pop(), maxsplit=1)[0].casefold().replace("_", "-")
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or Python
        if name not in sizes:
            paths = (Path(str(file.locate())) for file in found.files or ())
            sizes[name] = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
            rows = found.requires or ()
            open_names += [row for row in rows if not re.search("extra ==|win32", row)]
    return sizes


def print_installed(many: int = 7) -> None:
    """A table of what the core requires: what for, the rooms that import it, its own megabytes."""
    text = (HERE / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional")[0]
    wanted = dict(re.findall(r'^  "([\w-]+).*", # (.+)$', text, re.MULTILINE))
    rooms, packages = {name: set() for name in wanted}, packages_distributions()
    for path in HERE.glob("src/*/**/*.py"):
        imports = re.findall(r"^ *(?:import|from) (\w+)", path.read_text("utf-8"), re.MULTILINE)
        found = {one.casefold() for part in imports for one in packages.get(part, ())}
        names = {one.replace("_", "-") for one in found}
        for name in names & {*wanted}:
            rooms[name].add(path.relative_to(HERE).parts[2].removesuffix(".py"))
    sizes = weigh(wanted)
    print("| requirement | what for | rooms that use it | MB |\n| --- | --- | --- | ---: |")
    for name, purpose in wanted.items():
        users = ", ".join(sorted(rooms[name])) if len(rooms[name]) < many else "most"
        print(f"| `{name}` | {purpose} | {users} | {sizes.get(name, 0.0):.1f} |")
    total = sum(sizes.values())
    print(f"\n{len(wanted)}; with all that they require {len(sizes)}, {total:,.0f} MB.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=[*COMMANDS, "board"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--installed", action="store_true", help="what an installation weighs")
    given = parser.parse_args()
    if given.installed:
        print_installed()
        return
    with tempfile.TemporaryDirectory() as folder:
        roots = {"now": HERE} | ({"before": given.against.resolve()} if given.against else {})
        checkouts = {}
        for label, root in roots.items():
            checkouts[label] = Checkout(root, Path(folder, label))
            checkouts[label].work.mkdir()
        table = compare(checkouts, given.only or [*COMMANDS, "board"], given.runs)
    if given.json:
        given.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
