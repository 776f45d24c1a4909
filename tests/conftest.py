"""Areas that tests share, and the bounds they all keep."""

import datetime as dt
import gc
import os
import shutil
import signal
from pathlib import Path

import pytest
import skip_list
from filelock import FileLock
from hypothesis import settings
from static_risk import make_static

import patrolplan as pp
from patrolplan import cli
from patrolplan.team import secret

settings.register_profile("same", deadline=None, max_examples=25, derandomize=True, database=None)
settings.register_profile("new", deadline=None, max_examples=25, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=250, print_blob=True)
settings.load_profile("same")
"""Everybody draws the same cases; `.ci/nightly` draws new ones (--hypothesis-profile=long), and
a failure prints how to repeat it. With `new` and --hypothesis-seed=N a run draws other cases."""

ROOT = Path(__file__).parents[1]
LONGEST_AT_NIGHT = "test_differencing.py"
SHARED = ROOT.parent / "shared"


def pytest_configure(config):
    """In `.ci/run` only what is on its list may skip, and it waits for a file to go on with."""
    skip_list.pytest_configure(config)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background has none
    if begin := os.environ.get("PATROLPLAN_TESTS_BEGIN"):
        Path(begin).touch()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than cores, since some tests wait for a browser or a command."""
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items):
    """The longest files begin first, so that no process works on one alone at the end."""
    items.sort(key=lambda item: item.path.name not in {"test_stored_papers.py", LONGEST_AT_NIGHT})


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage while all is imported; later seldom, and only among what is new."""
    gc.disable()
    gc.set_threshold(50_000, 20, 20)
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the tests' street cache apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATROLPLAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_the_checkout():
    """Commands on the demo borough itself draw with its seed, so that every run draws alike."""
    create = secret.create_secret

    def create_elsewhere(path):
        return path.resolve().parent == ROOT / "data" or create(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "create_secret", create_elsewhere)
        yield


@pytest.fixture(scope="session")
def compile_once(tmp_path_factory):
    """Of several processes one calls a function first, which compiles it; the others wait."""

    def call(function, *arguments, **options):
        done = tmp_path_factory.getbasetemp().parent / f"{function.__name__}-is-compiled"
        with FileLock(f"{done}.lock"):
            if not done.exists():
                made = function(*arguments, **options)
                done.touch()
                return made
        return function(*arguments, **options)

    return call


@pytest.fixture(scope="session")
def shared():
    """Folder of the real data of central London, where it is at hand."""
    if not SHARED.is_dir():
        pytest.skip("the real data of central London is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def demo():
    """Settings file of the demo borough."""
    return ROOT / "data" / "patrolplan.toml"


@pytest.fixture(scope="session")
def copy_demo(demo):
    """What copies the demo borough with crimes of these months only; gives its settings file."""

    def copy(folder, *months):
        for month in months:
            shutil.copytree(demo.parent / "crimes" / month, folder / "crimes" / month)
        for path in demo.parent.glob("*.*"):
            if path.suffix in {".csv", ".gz", ".toml"}:
                shutil.copy(path, folder)
        return folder / demo.name

    return copy


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; gives exit code, standard output and error."""

    def call(*args):
        monkeypatch.setattr("sys.argv", ["patrolplan", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "an error in patrolplan itself" not in captured.err
        return ended.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def demo_area(demo):
    """The demo borough, loaded once."""
    return pp.load_area(demo)


@pytest.fixture(scope="session")
def static_demo_area(demo_area):
    """The demo borough with a risk that is the same in every minute; see `static_risk`."""
    return make_static(demo_area)


@pytest.fixture(scope="session")
def static_risk(static_demo_area, demo_pupils):
    """That risk, estimated once."""
    return pp.estimate_risk(static_demo_area, demo_pupils)


@pytest.fixture(scope="session")
def static_hotspots(static_demo_area, static_risk):
    """Hotspots of that risk, found once."""
    return pp.find_hotspots(static_demo_area, static_risk)


@pytest.fixture(scope="session")
def demo_pupils(demo_area):
    """Where the pupils of the demo borough are, modelled once."""
    return pp.model_pupils(demo_area)


@pytest.fixture(scope="session")
def demo_risk(demo_area, demo_pupils):
    """Risk of the demo borough, with all that moves it, estimated once."""
    return pp.estimate_risk(demo_area, demo_pupils)


@pytest.fixture(scope="session")
def demo_hotspots(demo_area, demo_risk):
    """Hotspots of the demo borough, found once."""
    return pp.find_hotspots(demo_area, demo_risk)


@pytest.fixture(scope="session")
def demo_plan(demo_area, demo_risk, demo_hotspots, compile_once):
    """Patrols of the demo borough, planned once."""
    return compile_once(pp.plan_patrols, demo_area, demo_risk, demo_hotspots)


@pytest.fixture(scope="session")
def demo_week(demo_area, demo_plan, compile_once):
    """A week of these patrols, planned once."""
    return compile_once(pp.plan_week, demo_area, demo_plan, start=dt.date(2026, 11, 30))


@pytest.fixture(scope="session")
def bloomsbury_area(shared):
    """Central London around Bloomsbury, loaded once."""
    return pp.load_area(shared / "examples" / "bloomsbury.toml")


@pytest.fixture(scope="session")
def bloomsbury_plan(bloomsbury_area):
    """Patrols of the six Bloomsbury schools, planned once."""
    risk = pp.estimate_risk(bloomsbury_area)
    hotspots = pp.find_hotspots(bloomsbury_area, risk)
    return pp.plan_patrols(bloomsbury_area, risk, hotspots)
