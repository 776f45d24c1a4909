"""Make a bundle from which patrolplan is installed on a computer without a network.

    python tools/bundle.py --system windows --python 3.13 --out dist

A bundle is a folder, and an archive of it: the wheels that `uv.lock` names for one system and one
version of Python, `requirements.txt` with a hash of each, patrolplan's own wheel, a list of
everything in CycloneDX form, and scripts that install it and open the board. Wheels are downloaded
from where the lock says, and their hashes are compared with it; nothing is built on the way but
patrolplan itself. It needs the packages of the extra `bundle`.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.pylock import PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FILES = Path(__file__).with_name("bundle_files")

EXTRAS = ("dask", "h3", "notebooks", "postgresql", "spreadsheets")
"""What a user may want beyond the core; what developers and the documentation need is left out."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions of Python that a bundle can be made for."""


@dataclass(frozen=True)
class System:
    """One kind of computer: what markers in the lock say of it, and which wheels fit it."""

    label: str
    markers: dict[str, str]
    platforms: tuple[str, ...]
    scripts: tuple[str, ...]
    archive: str


SYSTEMS = {
    "windows": System(
        "windows-x64",
        {
            "sys_platform": "win32",
            "platform_system": "Windows",
            "os_name": "nt",
            "platform_machine": "AMD64",
        },
        ("win_amd64",),
        ("install.cmd", "patrolplan.cmd", "patrolplan-board.cmd"),
        "zip",
    ),
    "linux": System(
        "linux-x86_64",
        {
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "platform_machine": "x86_64",
        },
        # glibc 2.28 is that of RHEL 8 and Debian 10; every later one runs these wheels too.
        tuple(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
        ("install.sh", "patrolplan-board.sh"),
        "gztar",
    ),
    "macos": System(
        "macos-arm64",
        {
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "os_name": "posix",
            "platform_machine": "arm64",
        },
        tuple(mac_platforms((14, 0), "arm64")),
        ("install.sh", "patrolplan-board.sh"),
        "gztar",
    ),
}
"""The systems that a bundle can be made for."""


@dataclass(frozen=True)
class Wheel:
    """One wheel of a bundle."""

    name: str
    version: str
    path: Path

    @property
    def sha256(self) -> str:
        """Hash of the file, as in `requirements.txt`."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def build_environment(system: System, python: str) -> dict[str, str]:
    """What markers may refer to, on such a computer with such a Python."""
    return system.markers | {
        "python_version": python,
        "python_full_version": f"{python}.0" if python != "3.11" else "3.11.9",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
    }


def list_tags(system: System, python: str) -> list[Tag]:
    """Tags of the wheels that fit, the best first."""
    major, minor = map(int, python.split("."))
    name = f"cp{major}{minor}"
    return [
        *cpython_tags((major, minor), platforms=system.platforms),
        *compatible_tags((major, minor), interpreter=name, platforms=system.platforms),
    ]


def read_lock(extras: tuple[str, ...] = EXTRAS) -> Pylock:
    """What `uv.lock` names for the core and some extras, in the standard form of PEP 751."""
    wanted = [part for name in extras for part in ("--extra", name)]
    command = ["uv", "export", "--quiet", "--frozen", "--offline", "--no-dev", "--no-emit-project"]
    exported = subprocess.run(
        [sys.executable, "-m", *command, "--format", "pylock.toml", *wanted],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return Pylock.from_dict(tomllib.loads(exported.stdout.decode("utf-8")))


def choose_wheels(lock: Pylock, system: System, python: str) -> list[PackageWheel]:
    """The one wheel of each locked package that fits best.

    Raises
    ------
    SystemExit
        Where packages have none: they would have to be compiled.
    """
    chosen = lock.select(
        environment=build_environment(system, python), tags=list_tags(system, python)
    )
    wheels, missing = [], []
    for package, file in chosen:
        if isinstance(file, PackageWheel):
            wheels.append(file)
        else:
            missing.append(package.name)
    if missing:
        sys.exit(f"no wheel for {system.label} and Python {python}: {', '.join(missing)}")
    return wheels


def download_wheel(wheel: PackageWheel, folder: Path) -> Path:
    """Download a wheel, unless the folder has it, and compare its hash with the lock's."""
    path = folder / wheel.filename
    if not path.exists():
        with urllib.request.urlopen(wheel.url, timeout=180) as answer:  # noqa: S310 - https, by a test
            content = answer.read()
        path.with_suffix(".part").write_bytes(content)
        path.with_suffix(".part").replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != wheel.hashes["sha256"]:
        path.unlink()
        sys.exit(f"{wheel.url}: the file is not the one that uv.lock names; begin again")
    return path


def build_own_wheel(folder: Path) -> Path:
    """Build patrolplan's wheel from this checkout."""
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True)
    return max(folder.glob("patrolplan-*.whl"), key=lambda path: path.stat().st_mtime)


def describe_wheel(path: Path) -> Wheel:
    """Name and version of a wheel, by its file name."""
    name, version = path.name.split("-")[:2]
    return Wheel(canonicalize_name(name), version, path)


def format_requirements(wheels: list[Wheel]) -> str:
    """Each wheel with its hash, for `pip install --require-hashes`."""
    lines = (f"{one.name}=={one.version} --hash=sha256:{one.sha256}" for one in wheels)
    return "\n".join(lines) + "\n"


def build_sbom(wheels: list[Wheel], environment: dict[str, str]) -> str:
    """What a bundle holds, and what needs what, in CycloneDX 1.6.

    Name, version, licence and needs are read from each wheel, the hash from the file itself.
    """
    components, needs = {}, {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel.path) as archive:
            inside = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            facts = message_from_bytes(archive.read(inside))
        kind = ComponentType.APPLICATION if wheel.name == "patrolplan" else ComponentType.LIBRARY
        licence = facts["License-Expression"] or _find_licence(facts.get_all("Classifier", []))
        if not licence and len(facts.get("License", "").splitlines()) == 1:  # else a whole text
            licence = facts["License"]
        components[wheel.name] = Component(
            name=wheel.name,
            version=wheel.version,
            type=kind,
            purl=PackageURL("pypi", name=wheel.name, version=wheel.version),
            bom_ref=f"{wheel.name}@{wheel.version}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
            licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
        )
        needs[wheel.name] = {
            canonicalize_name(one.name)
            for one in map(Requirement, facts.get_all("Requires-Dist", []))
            if _is_needed(one, environment)
        }
    bom = Bom(components=[one for name, one in components.items() if name != "patrolplan"])
    bom.metadata.component = components["patrolplan"]
    # Equal bundles have equal lists: no clock, and a number that follows from the content.
    bom.serial_number = uuid5(NAMESPACE_URL, format_requirements(wheels))
    bom.metadata.timestamp = None  # type: ignore[assignment] - the standard lets it be left out
    for name, component in components.items():
        bom.register_dependency(component, [components[n] for n in needs[name] & set(components)])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"the list of what the bundle holds is not valid CycloneDX: {fault}")
    return text + "\n"


def _find_licence(classifiers: list[str]) -> str:
    """The licence that a wheel's classifiers name; empty without any."""
    named = [text.split(" :: ")[-1] for text in classifiers if text.startswith("License :: ")]
    return " and ".join(named)


def _is_needed(one: Requirement, environment: dict[str, str]) -> bool:
    extras = ("", *EXTRAS)
    return one.marker is None or any(
        one.marker.evaluate(environment | {"extra": name}) for name in extras
    )


def write_bundle(system: System, python: str, out: Path, extras: tuple[str, ...] = EXTRAS) -> Path:
    """Write a bundle's folder and archive; gives the folder."""
    shelf = out / "wheels"
    shelf.mkdir(parents=True, exist_ok=True)
    chosen = choose_wheels(read_lock(extras), system, python)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda one: download_wheel(one, shelf), chosen))
    wheels = sorted(map(describe_wheel, [*paths, build_own_wheel(shelf)]), key=lambda one: one.name)
    version = next(one.version for one in wheels if one.name == "patrolplan")
    folder = out / f"patrolplan-{version}-{system.label}-python{python}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    for one in wheels:
        shutil.copy2(one.path, folder / "wheels")
    (folder / "requirements.txt").write_text(
        format_requirements(wheels), encoding="utf-8", newline="\n"
    )
    sbom = build_sbom(wheels, build_environment(system, python))
    (folder / "sbom.cdx.json").write_text(sbom, encoding="utf-8", newline="\n")
    for name in (*system.scripts, "install.py", "README.txt"):
        text = (FILES / name).read_text(encoding="utf-8").replace("@PYTHON@", python)
        text = text.replace("@SYSTEM@", system.markers["sys_platform"])
        # Windows' command interpreter misreads jumps in files of which lines end otherwise.
        ending = "\r\n" if system.archive == "zip" else "\n"
        (folder / name).write_text(text, encoding="utf-8", newline=ending)
        (folder / name).chmod(0o755 if name.endswith(".sh") else 0o644)
    archive = Path(shutil.make_archive(str(folder), system.archive, out, folder.name))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(
        f"{digest}  {archive.name}\n", encoding="utf-8", newline="\n"
    )
    print(f"{archive}: {len(wheels)} wheels, {archive.stat().st_size / 1e6:.0f} MB")
    return folder


def main() -> None:
    """Make the bundles that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", choices=[*SYSTEMS, "all"], required=True)
    parser.add_argument("--python", choices=PYTHONS, default="3.13")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--without", choices=EXTRAS, action="append", default=[], help="an extra to leave out"
    )
    given = parser.parse_args()
    extras = tuple(name for name in EXTRAS if name not in given.without)
    for name in SYSTEMS if given.system == "all" else [given.system]:
        write_bundle(SYSTEMS[name], given.python, given.out, extras)


if __name__ == "__main__":
    main()
