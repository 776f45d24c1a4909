"""The lock, and what a bundle for computers without a network is made of."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def locked():
    """Every package of `uv.lock`, patrolplan's own entry among them."""
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


@pytest.fixture(scope="module")
def bundle():
    """The script, which needs the packages of the extra `bundle`."""
    for name in ("cyclonedx", "packaging.pylock", "uv"):
        pytest.importorskip(name, reason="bundles are made with the extra `bundle`")
    path = ROOT / "tools" / "bundle.py"
    spec = importlib.util.spec_from_file_location("bundle", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock(bundle):
    """What the lock names for users, in the standard form."""
    return bundle.read_lock()


def test_the_lock_is_of_these_requirements(locked):
    """What pyproject.toml asks for is what was locked; if not, run `uv lock`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*map(Requirement, project["dependencies"])]
    for extra, lines in project["optional-dependencies"].items():
        declared += [Requirement(f"{line} ; extra == '{extra}'") for line in lines]
    (own,) = (one for one in locked if one["name"] == "patrolplan")
    recorded = []
    for one in own["metadata"]["requires-dist"]:
        extras = f"[{','.join(one['extras'])}]" if "extras" in one else ""
        marker = f" ; {one['marker']}" if "marker" in one else ""
        recorded.append(Requirement(f"{one['name']}{extras}{one.get('specifier', '')}{marker}"))
    assert {*map(str, declared)} == {*map(str, recorded)}, "uv.lock is out of date: run `uv lock`"
    assert {*project["optional-dependencies"]} == {*own["metadata"]["provides-extras"]}


def test_the_lock_names_the_public_index_alone_and_a_hash_of_each_file(locked):
    """Nothing of the computer where it was made is in it."""
    for one in locked:
        if one["name"] == "patrolplan":
            continue
        assert one["source"] == {"registry": "https://pypi.org/simple"}
        for file in [*one["wheels"], *([one["sdist"]] if "sdist" in one else [])]:
            assert file["url"].startswith("https://files.pythonhosted.org/packages/")
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"])


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", ["windows", "linux", "macos"])
def test_every_locked_package_has_a_wheel_for_each_system(bundle, lock, system, python):
    """A bundle covers the lock, nothing in it has to be compiled, and all fits that system."""
    kind = bundle.SYSTEMS[system]
    environment = bundle.build_environment(kind, python)
    needed = {
        package.name
        for package in lock.packages
        if package.marker is None or package.marker.evaluate(environment)
    }
    wheels = [
        parse_wheel_filename(one.filename) for one in bundle.choose_wheels(lock, kind, python)
    ]
    assert {name for name, *_ in wheels} == needed
    assert len(wheels) == len(needed)
    assert ("colorama" in needed) == (system == "windows")  # needed there alone
    fits = {
        "windows": r"win_amd64|any",
        "linux": r"manylinux.*_x86_64|any",
        "macos": r"macosx_.*_(arm64|universal2)|any",
    }
    for _, _, _, tags in wheels:
        assert any(re.fullmatch(fits[system], tag.platform) for tag in tags)


def test_an_unfit_package_ends_with_its_name(bundle, lock):
    """No bundle is made that would have to compile something."""
    bare = [one for one in lock.packages if one.name == "numpy"]
    packages = [replace(one, wheels=one.wheels[:0]) for one in bare]
    with pytest.raises(SystemExit, match=r"no wheel for windows-x64 and Python 3\.13: numpy"):
        bundle.choose_wheels(replace(lock, packages=packages), bundle.SYSTEMS["windows"], "3.13")


def test_a_changed_file_is_refused(bundle, lock, tmp_path):
    """A wheel whose hash is not the lock's does not get into a bundle, and is not left lying."""
    wheel = bundle.choose_wheels(lock, bundle.SYSTEMS["linux"], "3.13")[0]
    (tmp_path / wheel.filename).write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"not the one that uv\.lock names"):
        bundle.download_wheel(wheel, tmp_path)
    assert not list(tmp_path.iterdir())


def write_wheel(path, metadata):
    """A wheel with nothing in it but its metadata."""
    name, version = path.name.split("-")[:2]
    with zipfile.ZipFile(path, "w") as archive:
        text = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", text)


def test_the_list_of_contents_says_what_each_package_is_and_needs(bundle, tmp_path):
    """Licences come from the wheels, hashes from the files; what another system needs is absent."""
    needs = "Requires-Dist: own.maps>=1\nRequires-Dist: colorama; sys_platform == 'win32'\n"
    texts = {
        "patrolplan-0.1.0": f"License-Expression: MIT\n{needs}",
        "own_maps-2.0": "Classifier: License :: OSI Approved :: BSD License\n",
        "colorama-1.0": "",
    }
    for name, text in texts.items():
        write_wheel(tmp_path / f"{name}-py3-none-any.whl", text)
    wheels = [bundle.describe_wheel(path) for path in sorted(tmp_path.iterdir())]
    environment = bundle.build_environment(bundle.SYSTEMS["linux"], "3.13")
    text = bundle.build_sbom(wheels, environment)
    assert text == bundle.build_sbom(wheels, environment)
    listed = json.loads(text)
    (maps,) = (one for one in listed["components"] if one["name"] == "own-maps")
    content = (tmp_path / "own_maps-2.0-py3-none-any.whl").read_bytes()
    assert maps["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    assert maps["purl"] == "pkg:pypi/own-maps@2.0"
    assert maps["licenses"] == [{"license": {"name": "BSD License"}}]
    assert listed["metadata"]["component"]["licenses"][0]["license"]["id"] == "MIT"
    (own,) = (one for one in listed["dependencies"] if one["ref"].startswith("patrolplan"))
    assert own["dependsOn"] == ["own-maps@2.0"]


@pytest.mark.slow
@pytest.mark.parametrize("system", ["windows", "macos", "linux"])
def test_a_bundle_holds_what_the_lock_names(bundle, lock, tmp_path, system):
    """Made for real: each wheel with the lock's hash, listed twice, and scripts to begin with."""
    reach = "import urllib.request as r; r.urlopen('https://pypi.org/simple/segno/', timeout=20)"
    if subprocess.run([sys.executable, "-c", reach], capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("the package index cannot be reached")
    script = [sys.executable, str(ROOT / "tools" / "bundle.py"), "--out", str(tmp_path)]
    subprocess.run([*script, "--system", system, "--python", "3.13"], check=True)  # noqa: S603
    (folder,) = tmp_path.glob("patrolplan-*-python3.13")
    chosen = bundle.choose_wheels(lock, bundle.SYSTEMS[system], "3.13")
    hashes = {one.hashes["sha256"] for one in chosen}
    held = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "wheels").iterdir()}
    assert held > hashes
    assert len(held - hashes) == 1  # patrolplan itself
    assert {*re.findall(r"sha256:(\w+)", (folder / "requirements.txt").read_text())} == held
    listed = json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert len(listed["components"]) == len(chosen)
    script = (folder / bundle.SYSTEMS[system].scripts[0]).read_bytes()
    assert b"3.13" in script
    assert (b"\r\n" in script) == (system == "windows")


def test_a_bundle_for_another_computer_is_not_installed(tmp_path):
    """The message names what the bundle is for and what this is, and nothing is written."""
    text = (ROOT / "tools" / "bundle_files" / "install.py").read_text(encoding="utf-8")
    script = tmp_path / "install.py"
    script.write_text(text.replace("@PYTHON@", "3.9").replace("@SYSTEM@", "win32"), "utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert done.stderr.startswith("This bundle is for Python 3.9 (64 bit) on win32; this is Python")
    assert list(tmp_path.iterdir()) == [script]
