"""Make a bundle from which patrolplan is installed on a computer without a network.

    python tools/bundle.py --system windows --python 3.13 --out dist

A bundle is a folder, and an archive of it: the wheels that `uv.lock` names for one system and one
version of Python, `requirements.txt` with a hash of each, patrolplan's own wheel, a list of
everything in CycloneDX form, and scripts that install it and open the board. pip downloads the
wheels and compares their hashes with the lock's; nothing is built on the way but patrolplan itself.
It needs the packages of the extra `bundle`.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import zipfile
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
from packageurl import PackageURL
from packaging.requirements import Requirement
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
    sys_platform: str
    machine: str
    platforms: tuple[str, ...]
    scripts: tuple[str, ...]


# glibc 2.28 is that of RHEL 8 and Debian 10; every later one runs these wheels too.
MANYLINUX = tuple(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1))
COMMANDS = ("install.cmd", "patrolplan.cmd", "patrolplan-board.cmd")
SHELL_SCRIPTS = ("install.sh", "patrolplan-board.sh")
SYSTEMS = {
    "windows": System("windows-x64", "win32", "AMD64", ("win_amd64",), COMMANDS),
    "linux": System("linux-x86_64", "linux", "x86_64", MANYLINUX, SHELL_SCRIPTS),
    "macos": System("macos-arm64", "darwin", "arm64", ("macosx_14_0_arm64",), SHELL_SCRIPTS),
}
"""The systems that a bundle can be made for."""
SYSTEM_NAMES = {"win32": "Windows", "linux": "Linux", "darwin": "Darwin"}


def build_environment(system: System, python: str) -> dict[str, str]:
    """What markers may refer to, on such a computer with such a Python."""
    return {
        "sys_platform": system.sys_platform,
        "platform_system": SYSTEM_NAMES[system.sys_platform],
        "os_name": "nt" if system.sys_platform == "win32" else "posix",
        "platform_machine": system.machine,
        "python_version": python,
        "python_full_version": f"{python}.0" if python != "3.11" else "3.11.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def list_requirements(
    system: System, python: str, extras: tuple[str, ...] = EXTRAS
) -> dict[str, str]:
    """What `uv.lock` names for such a computer: a line with version and hashes, by name."""
    command = [sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--offline", "--no-dev"]
    command += ["--no-emit-project", "--no-annotate", "--no-header"]
    command += [part for name in extras for part in ("--extra", name)]
    exported = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    environment, lines = build_environment(system, python), {}
    for line in exported.replace("\\\n", "").splitlines():
        text, *hashes = line.split(" --hash=")
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate(environment):
            name = canonicalize_name(one.name)
            lines[name] = " --hash=".join([f"{name}{one.specifier}", *map(str.strip, hashes)])
    return lines


def download_wheels(system: System, python: str, lines: list[str], folder: Path) -> None:
    """Download the wheel of each line that fits such a computer; pip compares their hashes."""
    (folder / "locked.txt").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version", python]
    command += ["--implementation", "cp", "--dest", str(folder), "-r", str(folder / "locked.txt")]
    command += [part for name in system.platforms for part in ("--platform", name)]
    subprocess.run(command, check=True)
    (folder / "locked.txt").unlink()


def hash_wheel(path: Path) -> str:
    """Hash of a file, as in `requirements.txt`."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def format_requirements(wheels: list[Path]) -> str:
    """Each wheel with its hash, for `pip install --require-hashes`."""
    names = (path.name.split("-") for path in wheels)
    pairs = zip(names, map(hash_wheel, wheels), strict=True)
    return "".join(
        f"{canonicalize_name(name)}=={version} --hash=sha256:{digest}\n"
        for (name, version, *_), digest in pairs
    )


def build_sbom(wheels: list[Path]) -> str:
    """What a bundle holds, in CycloneDX 1.6: name, version, licence and hash of each wheel."""
    bom = Bom()
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            inside = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            facts = message_from_bytes(archive.read(inside))
        classifiers = facts.get_all("Classifier", [])
        named = [text.split(" :: ")[-1] for text in classifiers if text.startswith("License :: ")]
        licence = facts["License-Expression"] or " and ".join(named)
        if not licence and len(facts.get("License", "").splitlines()) == 1:  # else a whole text
            licence = facts["License"]
        name, version = canonicalize_name(facts["Name"]), facts["Version"]
        is_ours = name == "patrolplan"
        component = Component(
            name=name,
            version=version,
            type=ComponentType.APPLICATION if is_ours else ComponentType.LIBRARY,
            purl=PackageURL("pypi", name=name, version=version),
            bom_ref=f"{name}@{version}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hash_wheel(path))],
            licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
        )
        if is_ours:
            bom.metadata.component = component
        else:
            bom.components.add(component)
    bom.register_dependency(bom.metadata.component, [*bom.components])
    # Equal bundles have equal lists: no clock, and a number that follows from the content.
    bom.serial_number = uuid5(NAMESPACE_URL, format_requirements(wheels))
    bom.metadata.timestamp = None  # type: ignore[assignment] - the standard lets it be left out
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    return outputter.output_as_string(indent=2) + "\n"


def write_bundle(system: System, python: str, out: Path, extras: tuple[str, ...] = EXTRAS) -> Path:
    """Write a bundle's folder and archive; gives the folder."""
    out.mkdir(parents=True, exist_ok=True)
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(out)]
    subprocess.run([*build, str(ROOT)], check=True)
    own = max(out.glob("patrolplan-*.whl"), key=lambda path: path.stat().st_mtime)
    folder = out / f"patrolplan-{own.name.split('-')[1]}-{system.label}-python{python}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    own = own.replace(folder / "wheels" / own.name)
    lines = list_requirements(system, python, extras)
    download_wheels(system, python, [*lines.values()], folder / "wheels")
    wheels = sorted((folder / "wheels").iterdir(), key=lambda path: path.name.lower())
    texts = {"requirements.txt": format_requirements(wheels), "sbom.cdx.json": build_sbom(wheels)}
    for name in (*system.scripts, "install.py", "README.txt"):
        text = (FILES / name).read_text(encoding="utf-8").replace("@PYTHON@", python)
        texts[name] = text.replace("@SYSTEM@", system.sys_platform)
    # Windows' command interpreter misreads jumps in files of which lines end otherwise.
    ending = "\r\n" if system.sys_platform == "win32" else "\n"
    for name, text in texts.items():
        is_data = name in {"requirements.txt", "sbom.cdx.json"}
        (folder / name).write_text(text, encoding="utf-8", newline="\n" if is_data else ending)
        (folder / name).chmod(0o755 if name.endswith(".sh") else 0o644)
    form = "zip" if system.sys_platform == "win32" else "gztar"
    archive = Path(shutil.make_archive(str(folder), form, out, folder.name))
    archive.with_name(f"{archive.name}.sha256").write_text(
        f"{hash_wheel(archive)}  {archive.name}\n", encoding="utf-8", newline="\n"
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
