"""The lock, and what a bundle for computers without a network is made of."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def locked():
    """Every package of `uv.lock`, patrolplan's own entry among them."""
    return tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


@pytest.fixture(scope="module")
def bundle():
    """The script, which needs the packages of the extra `bundle`."""
    for name in ("cyclonedx", "pip", "uv"):
        pytest.importorskip(name, reason="bundles are made with the extra `bundle`")
    path = ROOT / "tools" / "bundle.py"
    spec = importlib.util.spec_from_file_location("bundle", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


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
def test_every_locked_package_has_a_wheel_for_each_system(bundle, locked, system, python):
    """A bundle covers the lock, and nothing in it has to be compiled."""
    kind = bundle.SYSTEMS[system]
    needed = bundle.list_requirements(kind, python)
    version = tuple(map(int, python.split(".")))
    platforms = [*(mac_platforms((14, 0), "arm64") if system == "macos" else kind.platforms)]
    own = f"cp{python.replace('.', '')}"
    fitting = {*cpython_tags(version, platforms=platforms)}
    fitting |= {*compatible_tags(version, interpreter=own, platforms=platforms)}
    wheels = {(one["name"], one["version"]): one["wheels"] for one in locked if "wheels" in one}
    for name, line in needed.items():
        files = wheels[name, line.split(" ")[0].partition("==")[2]]
        names = [unquote(file["url"].rsplit("/", 1)[1]) for file in files]
        assert any(parse_wheel_filename(one)[3] & fitting for one in names), name
        assert all(file["hash"] in line for file in files)
    assert ("colorama" in needed) == (system == "windows")  # needed there alone


def can_download():
    """Whether the package index can be reached."""
    reach = "import urllib.request as r; r.urlopen('https://pypi.org/simple/segno/', timeout=20)"
    done = subprocess.run([sys.executable, "-c", reach], capture_output=True, check=False)  # noqa: S603
    return not done.returncode


@pytest.mark.slow
def test_a_changed_file_is_refused(bundle, tmp_path):
    """A wheel whose hash is not the lock's does not get into a bundle."""
    if not can_download():
        pytest.skip("the package index cannot be reached")
    line = bundle.list_requirements(bundle.SYSTEMS["linux"], "3.13")["annotated-doc"]
    wrong = f"{line.split(' ')[0]} --hash=sha256:{64 * '0'}"
    with pytest.raises(subprocess.CalledProcessError):
        bundle.download_wheels(bundle.SYSTEMS["linux"], "3.13", [wrong], tmp_path)
    assert not list(tmp_path.glob("*.whl"))


def write_wheel(path, metadata):
    """A wheel with nothing in it but its metadata."""
    name, version = path.name.split("-")[:2]
    with zipfile.ZipFile(path, "w") as archive:
        text = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", text)


def test_the_list_of_contents_says_what_each_package_is(bundle, tmp_path):
    """Licences come from the wheels, hashes from the files; equal bundles have equal lists."""
    bsd = "Classifier: License :: OSI Approved :: BSD License\n"
    write_wheel(tmp_path / "patrolplan-0.1.0-py3-none-any.whl", "License-Expression: MIT\n")
    write_wheel(tmp_path / "own_maps-2.0-py3-none-any.whl", bsd)
    write_wheel(tmp_path / "colorama-1.0-py3-none-any.whl", "")
    wheels = sorted(tmp_path.iterdir())
    text = bundle.build_sbom(wheels)
    assert text == bundle.build_sbom(wheels)
    listed = json.loads(text)
    (maps,) = (one for one in listed["components"] if one["name"] == "own-maps")
    content = (tmp_path / "own_maps-2.0-py3-none-any.whl").read_bytes()
    assert maps["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    assert maps["purl"] == "pkg:pypi/own-maps@2.0"
    assert maps["licenses"] == [{"license": {"name": "BSD License"}}]
    assert listed["metadata"]["component"]["licenses"][0]["license"]["id"] == "MIT"


@pytest.mark.slow
@pytest.mark.parametrize("system", ["windows", "macos", "linux"])
def test_a_bundle_holds_what_the_lock_names(bundle, tmp_path, system):
    """Made for real: each wheel with the lock's hash, listed twice, and scripts to begin with."""
    if not can_download():
        pytest.skip("the package index cannot be reached")
    script = [sys.executable, str(ROOT / "tools" / "bundle.py"), "--out", str(tmp_path)]
    subprocess.run([*script, "--system", system, "--python", "3.13"], check=True)  # noqa: S603
    (folder,) = tmp_path.glob("patrolplan-*-python3.13")
    chosen = bundle.list_requirements(bundle.SYSTEMS[system], "3.13")
    held = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "wheels").iterdir()}
    unlisted = [one for one in held if not any(one in line for line in chosen.values())]
    assert len(unlisted) == 1  # patrolplan itself
    assert len(held) == 1 + len(chosen)
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
