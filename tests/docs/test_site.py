"""The site builds without a warning, works from files, and its links lead somewhere."""

import importlib.util
import posixpath
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

from patrolplan.settings import Settings

pytestmark = pytest.mark.slow  # one build serves all

ROOT = Path(__file__).parents[2]


class _Links(HTMLParser):
    """What a page points to, what it loads, and the names that can be pointed to."""

    def __init__(self):
        super().__init__()
        self.links, self.loads, self.names = [], [], set()

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        self.names |= {held.get("id")}
        if tag == "a" and held.get("href"):
            self.links.append(held["href"])
        if tag in {"script", "img", "iframe"} and held.get("src"):
            self.loads.append(held["src"])
        if tag == "link" and held.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loads.append(held["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, with what each page points to; notebooks are shown without being run."""
    source = tmp_path_factory.mktemp("source")
    for name in ("docs", "notebooks"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("site")
    build = ["sphinx", "-n", "-W", "-q", "-b", "html", "-D", "nb_execution_mode=off"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "ignore", "-m", *build, source / "docs", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    pages = {}
    for path in out.rglob("*.html"):
        pages[path] = _Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return out, pages


def test_internal_links_lead_somewhere(site):
    """Every link to a page, and to a place on it, is met."""
    _, pages = site
    for path, found in pages.items():
        for link in found.links:
            url = urlsplit(link)
            if url.scheme or link == "#":
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            assert target.exists(), f"{path.name} -> {link}"
            if url.fragment and target in pages:
                assert unquote(url.fragment) in pages[target].names, f"{path.name} -> {link}"


def test_nothing_is_loaded_from_elsewhere(site):
    """Scripts, styles and pictures are in the folder, so the site works from files."""
    out, pages = site
    for path, found in pages.items():
        for load in found.loads:
            url = urlsplit(load)
            assert not url.scheme + url.netloc, f"{path.name} loads {load}"
            assert (path.parent / unquote(url.path)).exists(), f"{path.name} loads {load}"
    for style in out.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"url\(['\"]?https?:", text), style.name


def test_the_references_know_every_key_and_command(site):
    """Settings and commands come from the code, so none is missing."""
    out, _ = site
    settings = (out / "reference" / "settings.html").read_text(encoding="utf-8")
    for name, section in Settings.model_fields.items():
        assert name in settings
        for key, field in getattr(section.annotation, "model_fields", {}).items():
            assert f">{field.alias or key}<" in settings, f"{name}.{key}"
    commands = (out / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in ("demo", "init", "check", "risk", "hotspots", "plan", "week", "brief", "backtest"):
        assert f'id="patrolplan-{name}"' in commands
    assert "--minutes" in commands


def test_every_class_that_annotations_lead_to_can_be_linked(site):
    """Whatever a public call takes or gives, and what that holds, is in the site's inventory."""
    out, _ = site
    with (out / "objects.inv").open("rb") as stream:
        inventory = InventoryFile.load(stream, "", posixpath.join)
    spec = importlib.util.spec_from_file_location("class_pages", ROOT / "docs/_ext/class_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = {f"{one.__module__}.{one.__qualname__}" for one in module.find_classes()}
    assert {"patrolplan.patrols.legs.Leg", "patrolplan.network.network.StreetNetwork"} <= names
    assert names - {*inventory["py:class"], *inventory["py:exception"]} == set()
